//! Tells turns, events and operations of the load, once for each engine.
use raftbox::engine::Engine;
use raftbox::simulation::Simulation;
use raftbox::trace::Keep;
use raftbox::units::Span;
use raftbox::world::turn::Turn;
use raftbox_benches::load;
use std::rc::Rc;
use std::time::Instant;

fn probe<E: Engine<Turn>>(name: &str, engine: Rc<E>, keep: Keep) {
    let header = load(Span(std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(5_000_000)));
    let mut simulation = Simulation::new(engine, &header, keep).unwrap();
    let start = Instant::now();
    simulation.run().unwrap();
    let took = start.elapsed();
    let turns = simulation.world().turns();
    let record = simulation.record();
    let events = record.trace.events();
    let us = took.as_micros() as u64;
    for (name, verdict) in record.checkers.verdicts() {
        if verdict != raftbox::check::Verdict::Pass {
            println!("  {name}: {verdict:?}");
        }
    }
    println!(
        "{name}: {turns} turns, {events} events, {} bytes, sim {} ms, wall {us} us: {} turns/s {} events/s, digest {}",
        record.trace.kept_bytes(),
        record.trace.at() / 1000,
        turns * 1_000_000 / us,
        events * 1_000_000 / us,
        record.trace.digest()
    );
}

fn main() {
    let which = std::env::args().nth(2).unwrap_or_default();
    for _ in 0..2 {
        if which != "native" {
            probe("wasmtime", raftbox_tests::wasmtime_with(raftbox::units::Size(64 << 20)), Keep::All);
        }
        if which != "wasmtime" {
            probe("native", raftbox_tests::native(), Keep::All);
        }
    }
}
