//! A run is its causes: feeding them into a fresh world reproduces every byte.

use raftbox::simulation::replay;
use raftbox::trace::{Keep, causes, difference};
use raftbox::units::Span;
use raftbox_tests::{header, native, run, wasmtime};

/// Scenarios of every profile, in turn.
fn scenarios() -> impl Iterator<Item = (u64, &'static str)> {
    (0..).zip(["calm", "lossy", "chaos", "tour"].into_iter().cycle())
}

#[test]
fn the_causes_of_a_run_are_the_run() {
    for (seed, name) in scenarios().take(200) {
        let header = header(name, seed, |scenario| {
            scenario.duration = Span(4_000_000);
            scenario.faults.from = Span(500_000);
            scenario.faults.until = Span(3_500_000);
        });
        let (record, turns) = run(wasmtime(), &header, Keep::All).unwrap();
        let causes = causes(record.trace.iter());
        let (again, turns_again) = replay(wasmtime(), &header, &causes, Keep::All, |_| ()).unwrap();
        if let Some(difference) = difference(record.trace.iter(), again.trace.iter()) {
            panic!("{name}, seed {seed}: {difference:#?}");
        }
        assert_eq!(record.trace.digest(), again.trace.digest());
        assert_eq!(turns, turns_again);
    }
}

#[test]
fn both_engines_make_the_same_run() {
    for (seed, name) in scenarios().take(20) {
        let header = header(name, seed, |scenario| {
            scenario.duration = Span(5_000_000);
            scenario.faults.from = Span(500_000);
        });
        let (wasm, _) = run(wasmtime(), &header, Keep::All).unwrap();
        let (native, _) = run(native(), &header, Keep::All).unwrap();
        if let Some(difference) = difference(wasm.trace.iter(), native.trace.iter()) {
            panic!("seed {seed}: {difference:#?}");
        }
    }
}
