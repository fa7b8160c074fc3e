//! What it costs to look at a run: to take it in, to go anywhere in it, and to ask of it.
//!
//! `cargo bench -p raftbox-benches --bench view`. The run is the tour, of more than 10,000 events; a longer one, of chaos, shows
//! how the costs grow. The page does the same in a browser, some times slower.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use raftbox::plan::Header;
use raftbox::simulation::Simulation;
use raftbox::trace::{Keep, Trace};
use raftbox::units::Span;
use raftbox::view::Recording;
use raftbox::view::diagram::Window;
use std::hint::black_box;

fn trace(header: &Header) -> Trace {
    let mut simulation = Simulation::new(raftbox_tests::native(), header, Keep::All).expect("the engine works");
    simulation.run().expect("the engine works");
    simulation.record().trace.clone()
}

fn recording(header: &Header, trace: &Trace) -> Recording {
    let mut recording = Recording::new(&header.plan.scenario);
    recording.follow(trace, |_| None);
    recording
}

/// Numbers below a bound, all over it.
fn spread(below: u64) -> impl Iterator<Item = u64> {
    (1_u64..).map(move |n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % below)
}

fn of(criterion: &mut Criterion, name: &str, header: &Header) {
    let trace = trace(header);
    let whole = recording(header, &trace);
    let events = whole.events();
    println!("{name}: {events} events, {} bytes of them", whole.bytes());
    let mut group = criterion.benchmark_group(format!("view of {name}"));
    group.sample_size(20).throughput(Throughput::Elements(events));
    group.bench_function("take in", |bencher| {
        bencher.iter_batched(|| (), |()| recording(header, &trace), BatchSize::PerIteration);
    });
    group.throughput(Throughput::Elements(1));
    let mut anywhere = spread(events);
    let mut view = whole.start().clone();
    group.bench_function("seek", |bencher| {
        bencher.iter(|| whole.seek(&mut view, anywhere.next().expect("there is always one more")));
    });
    group.bench_function("step back", |bencher| {
        bencher.iter(|| {
            let event = view.after.map_or(0, |moment| moment.event);
            whole.seek(&mut view, event.checked_sub(1).unwrap_or(events - 1));
        });
    });
    group.bench_function("step forward", |bencher| {
        bencher.iter(|| {
            let event = view.after.map_or(0, |moment| moment.event);
            whole.seek(&mut view, (event + 1) % events);
        });
    });
    group.bench_function("sentence", |bencher| {
        bencher.iter(|| whole.sentence(anywhere.next().expect("there is always one more")));
    });
    group.bench_function("why", |bencher| {
        bencher.iter(|| whole.why(anywhere.next().expect("there is always one more")));
    });
    group.bench_function("why committed", |bencher| {
        bencher.iter(|| whole.why_committed(anywhere.next().expect("there is always one more"), 100));
    });
    group.bench_function("cone", |bencher| {
        bencher.iter(|| whole.cone(anywhere.next().expect("there is always one more")));
    });
    group.bench_function("diagram of a second", |bencher| {
        bencher.iter(|| {
            let from = anywhere.next().expect("there is always one more") % whole.at();
            whole.diagram(black_box(&Window { from, to: from + 1_000_000, most: 400, clients: true }))
        });
    });
    group.finish();
}

fn view(criterion: &mut Criterion) {
    of(criterion, "the tour", &raftbox_tests::header("tour", 1, |_| ()));
    of(criterion, "chaos", &raftbox_tests::header("chaos", 1, |scenario| scenario.duration = Span(120_000_000)));
}

criterion_group!(benches, view);
criterion_main!(benches);
