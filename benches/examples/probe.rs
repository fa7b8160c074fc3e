//! Tells turns, events and operations of the load, once for each engine.
use raftbox::engine::Engine;
use raftbox::event::{Effect, Event};
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
    let acked = record
        .trace
        .iter()
        .filter(|(_, event)| matches!(event, Event::Effect(Effect::Received { body: [0, ..], .. })))
        .count();
    for (name, verdict) in record.checkers.verdicts() {
        if verdict != raftbox::check::Verdict::Pass {
            println!("  {name}: {verdict:?}");
        }
    }
    println!(
        "{name}: {turns} turns, {events} events, {acked} acknowledged, {} bytes, sim {} ms, wall {us} us: {} turns/s {} events/s, digest {}",
        record.trace.kept_bytes(),
        record.trace.at() / 1000,
        turns * 1_000_000 / us,
        events * 1_000_000 / us,
        record.trace.digest()
    );
}

fn main() {
    for _ in 0..2 {
        probe("wasmtime", raftbox_tests::wasmtime_with(raftbox::units::Size(64 << 20)), Keep::All);
        probe("native", raftbox_tests::native(), Keep::All);
    }
}
