//! A run can be saved, taken up again, and forked, at any moment; what follows is what would have followed.

use raftbox::simulation::Simulation;
use raftbox::trace::{Keep, difference};
use raftbox::units::Span;
use raftbox_tests::{header, native, run, wasmtime};

fn short(name: &str, seed: u64) -> raftbox::plan::Header {
    header(name, seed, |scenario| {
        scenario.duration = Span(3_000_000);
        scenario.faults.from = Span(300_000);
        scenario.faults.until = Span(2_800_000);
    })
}

#[test]
fn a_run_taken_up_from_a_saved_moment_ends_as_the_run_did() {
    for seed in 0..6 {
        let header = short("chaos", seed);
        let (whole, _) = run(wasmtime(), &header, Keep::All).unwrap();
        let mut simulation = Simulation::new(wasmtime(), &header, Keep::All).unwrap();
        let mut moments = Vec::new();
        let mut steps = 0;
        while simulation.step(|_| ()).unwrap() {
            steps += 1;
            if steps % 700 == 0 {
                moments.push(simulation.save());
            }
        }
        assert!(moments.len() >= 3);
        // Backwards, so that each moment is taken up in a world that is ahead of it.
        for moment in moments.iter().rev() {
            simulation.restore(moment);
            assert!(simulation.record().trace.digest() != whole.trace.digest());
            simulation.run().unwrap();
            let again = &simulation.record().trace;
            assert_eq!(difference(whole.trace.iter(), again.iter()), None, "seed {seed}");
            assert_eq!(again.digest(), whole.trace.digest());
        }
    }
}

#[test]
fn a_moment_fits_another_simulation_of_the_same_header() {
    let header = short("tour", 3);
    let (whole, _) = run(native(), &header, Keep::Nothing).unwrap();
    let mut one = Simulation::new(native(), &header, Keep::Nothing).unwrap();
    (0..500).for_each(|_| assert!(one.step(|_| ()).unwrap()));
    let mut other = Simulation::new(native(), &header, Keep::Nothing).unwrap();
    other.restore(&one.save());
    other.run().unwrap();
    assert_eq!(other.record().trace.digest(), whole.trace.digest());
}

#[test]
fn a_forked_world_and_its_origin_go_their_own_ways() {
    let header = short("calm", 1);
    let mut simulation = Simulation::new(wasmtime(), &header, Keep::Nothing).unwrap();
    while simulation.record().trace.at() < 1_000_000 {
        assert!(simulation.step(|_| ()).unwrap());
    }
    let world = simulation.world();
    let mut fork = world.fork().unwrap();
    let before: Vec<_> = (1..=5).map(|node| world.inspect(node)).collect();
    assert!(before.iter().all(Option::is_some));
    // The fork crashes and boots a node; the origin does not notice.
    fork.apply(1_500_000, &raftbox::event::Cause::Crash { node: 1 }).unwrap();
    fork.apply(1_600_000, &raftbox::event::Cause::Boot { node: 1, survivors: Vec::new() }).unwrap();
    assert_ne!(fork.inspect(1), before[0]);
    let after: Vec<_> = (1..=5).map(|node| simulation.world().inspect(node)).collect();
    assert_eq!(after, before);
    let (whole, _) = run(wasmtime(), &header, Keep::Nothing).unwrap();
    simulation.run().unwrap();
    assert_eq!(simulation.record().trace.digest(), whole.trace.digest());
}

#[test]
fn inspecting_a_node_changes_nothing() {
    let header = short("calm", 2);
    let (whole, _) = run(wasmtime(), &header, Keep::Nothing).unwrap();
    let mut simulation = Simulation::new(wasmtime(), &header, Keep::Nothing).unwrap();
    let mut steps = 0;
    while simulation.step(|_| ()).unwrap() {
        steps += 1;
        if steps % 200 == 0 {
            (1..=5).for_each(|node| assert!(simulation.world().inspect(node).is_some()));
        }
    }
    assert_eq!(simulation.record().trace.digest(), whole.trace.digest());
}
