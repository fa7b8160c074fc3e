//! What a fork and a restore of a five-node world cost, whose guests have one MiB of memory each.
//!
//! `cargo bench -p raftbox-benches --bench fork`. Divide by five for microseconds a MiB.

use criterion::{Criterion, criterion_group, criterion_main};
use raftbox::simulation::Simulation;
use raftbox::trace::Keep;
use raftbox::units::{Size, Span};
use raftbox_benches::load;

fn fork(criterion: &mut Criterion) {
    const MIB: Size = Size(1 << 20);
    let engine = raftbox_tests::wasmtime_with(MIB);
    let header = load(Span(10_000_000), MIB);
    let mut simulation = Simulation::new(engine, &header, Keep::All).expect("the engine works");
    while simulation.record().trace.at() < 300_000 {
        simulation.step(|_| ()).expect("the engine works");
    }
    let image = simulation.world().save();
    let mut group = criterion.benchmark_group("world");
    group.bench_function("save", |bencher| bencher.iter(|| simulation.world().save()));
    group.bench_function("restore", |bencher| bencher.iter(|| simulation.world().restore(&image)));
    group.bench_function("fork", |bencher| bencher.iter(|| simulation.world().fork().expect("there is room")));
    group.finish();
    let moment = simulation.save();
    let mut group = criterion.benchmark_group("simulation, with agenda, checkers and trace");
    group.bench_function("save", |bencher| bencher.iter(|| simulation.save()));
    group.bench_function("restore", |bencher| bencher.iter(|| simulation.restore(&moment)));
    group.finish();
}

criterion_group!(benches, fork);
criterion_main!(benches);
