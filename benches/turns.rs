//! How fast a cluster runs: turns, checkers and digest included, in wasmtime and as native code.
//!
//! `cargo bench -p raftbox-benches --bench turns`. Both engines make the same run, so their times compare directly. Before
//! it measures it prints what the run, three simulated seconds of the load, is made of; divide by the measured time for
//! rates.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use raftbox::engine::Engine;
use raftbox::event::{Effect, Event};
use raftbox::simulation::Simulation;
use raftbox::trace::Keep;
use raftbox::units::{Size, Span};
use raftbox::world::turn::Turn;
use raftbox_abi::client::Reply;
use raftbox_benches::{ARENA, load};
use std::rc::Rc;

/// Runs the load; returns turns, events and acknowledged operations.
fn run<E: Engine<Turn>>(engine: Rc<E>, keep: Keep) -> (u64, u64, u64) {
    let header = load(Span(3_000_000), Size(ARENA));
    let mut simulation = Simulation::new(engine, &header, keep).expect("the engine works");
    let mut acknowledged = 0;
    let mut see = |observed: &raftbox::check::Observed<'_>| {
        if let Event::Effect(Effect::Received { body, .. }) = observed.event {
            acknowledged += u64::from(matches!(Reply::decode(body), Some(Reply::Ok(_))));
        }
    };
    while simulation.step(&mut see).expect("the engine works") {}
    (simulation.world().turns(), simulation.record().trace.events(), acknowledged)
}

fn turns(criterion: &mut Criterion) {
    let wasmtime = raftbox_tests::wasmtime_with(Size(ARENA));
    let native = raftbox_tests::native();
    let (turns, events, acknowledged) = run(Rc::clone(&wasmtime), Keep::Nothing);
    println!("one run: {turns} turns, {events} events, {acknowledged} acknowledged operations");
    let mut group = criterion.benchmark_group("turns");
    group.throughput(Throughput::Elements(turns)).sample_size(20);
    group.bench_function("wasmtime", |bencher| {
        bencher.iter_batched(|| Rc::clone(&wasmtime), |engine| run(engine, Keep::All), BatchSize::PerIteration);
    });
    group.bench_function("wasmtime, nothing kept", |bencher| {
        bencher.iter_batched(|| Rc::clone(&wasmtime), |engine| run(engine, Keep::Nothing), BatchSize::PerIteration);
    });
    group.bench_function("native", |bencher| {
        bencher.iter_batched(|| Rc::clone(&native), |engine| run(engine, Keep::All), BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, turns);
criterion_main!(benches);
