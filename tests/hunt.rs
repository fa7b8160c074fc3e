//! The hunt finds what it is for: leaks of what the host does not decide, clusters that stand still, and the same whatever the
//! number of threads.

use raftbox::check::Verdict;
use raftbox::engine::Engine;
use raftbox::engine::native::Native;
use raftbox::hunt::{Difference, Hunt, Outcome, judge, twice};
use raftbox::plan::Header;
use raftbox::scenario::Setting;
use raftbox::scenario::step::{Act, Step, Target, When};
use raftbox::simulation::replay;
use raftbox::trace::{Keep, causes, difference};
use raftbox::units::Span;
use raftbox::world::turn::Turn;
use raftbox_abi::{Boot, Guest, Imports};
use raftbox_node::Node;
use raftbox_tests::{header, run, wasmtime};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Something that a node reads, and that nobody gave it.
trait Leak: Clone + 'static {
    fn leaks() -> u64;
}

/// The order of a hash map, which is another in every process, and in every map.
#[derive(Clone)]
struct HashOrder;

impl Leak for HashOrder {
    #[allow(clippy::disallowed_types, reason = "this is what is to be found")]
    fn leaks() -> u64 {
        let map: std::collections::HashMap<u64, ()> = (0..20).map(|key| (key, ())).collect();
        map.into_keys().fold(0, |order, key| order * 31 % 1_000_003 + key)
    }
}

/// The time of the machine.
#[derive(Clone)]
struct WallClock;

impl Leak for WallClock {
    #[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this is what is to be found")]
    fn leaks() -> u64 {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        u64::try_from(now.unwrap().as_nanos()).unwrap()
    }
}

/// What a boot leaves to the next, and a run to the next one.
#[derive(Clone)]
struct Static;

impl Leak for Static {
    fn leaks() -> u64 {
        static BOOTS: AtomicU64 = AtomicU64::new(0);
        BOOTS.fetch_add(1, Ordering::Relaxed)
    }
}

/// Nothing.
#[derive(Clone)]
struct Nothing;

impl Leak for Nothing {
    fn leaks() -> u64 {
        7
    }
}

/// The built-in node, which notes at each boot what it reads and nobody gave it.
#[derive(Clone)]
struct Leaky<L>(Node, PhantomData<L>);

/// The kind of the note: one of the guest's own.
const LEAK: u32 = 0x8000_0001;

impl<L: Leak> Guest for Leaky<L> {
    fn boot<I: Imports>(imports: &mut I, boot: &Boot<'_>) -> Self {
        imports.note(LEAK, &L::leaks().to_le_bytes());
        Self(Node::boot(imports, boot), PhantomData)
    }

    fn deliver<I: Imports>(&mut self, imports: &mut I, from: u32, datagram: &[u8]) {
        self.0.deliver(imports, from, datagram);
    }

    fn wake<I: Imports>(&mut self, imports: &mut I) {
        self.0.wake(imports);
    }

    fn request<I: Imports>(&mut self, imports: &mut I, client: u32, operation: u64, body: &[u8]) {
        self.0.request(imports, client, operation, body);
    }

    fn synced<I: Imports>(&mut self, imports: &mut I, ticket: u64, status: i32) {
        self.0.synced(imports, ticket, status);
    }
}

fn short() -> Header {
    header("calm", 1, |scenario| {
        scenario.duration = Span(1_000_000);
        let crash = |at, act| Step { when: When::At(Span(at)), act };
        let node = Target::Node(1);
        scenario.step = vec![crash(400_000, Act::Crash(node, None)), crash(500_000, Act::Restart(node, None))];
    })
}

fn found<E: Engine<Turn>>(engine: impl Fn() -> Rc<E>) -> Option<Difference> {
    twice([engine(), engine()], &short()).unwrap()
}

/// The first event in which a replay differs.
fn replayed<L: Leak>() -> Option<u64> {
    let engine = || Rc::new(Native::<Leaky<L>>::new());
    let (record, _) = run(engine(), &short(), Keep::All).unwrap();
    let causes = causes(record.trace.iter());
    let (again, _) = replay(engine(), &short(), &causes, Keep::All, |_| ()).unwrap();
    difference(record.trace.iter(), again.trace.iter()).map(|difference| difference.event)
}

#[test]
fn whatever_leaks_is_found_by_running_twice_and_by_replaying_and_the_event_is_named() {
    fn leak<L: Leak>() {
        let found = found(|| Rc::new(Native::<Leaky<L>>::new())).expect("it leaks");
        // The first event is the first node's boot, and the next its first note.
        assert_eq!((found.event, found.at), (1, 0), "{found:?}");
        assert!(found.what.iter().all(|what| what.contains("2147483649")), "{found:?}");
        assert_eq!(replayed::<L>(), Some(1));
    }
    leak::<HashOrder>();
    leak::<WallClock>();
    leak::<Static>();
}

#[test]
fn where_nothing_leaks_nothing_is_found() {
    assert_eq!(found(|| Rc::new(Native::<Leaky<Nothing>>::new())), None);
    assert_eq!(replayed::<Nothing>(), None);
    for seed in 0..4 {
        assert_eq!(twice([wasmtime(), wasmtime()], &header("chaos", seed, |_| ())), Ok(None), "seed {seed}");
    }
}

/// A leader that is not heard any more, but heard, leads for ever if it does not look whether it hears a quorum: nobody votes
/// against a leader that it hears.
#[test]
fn a_cluster_that_stands_still_is_found_when_the_faults_are_over() {
    let stands_still = |check_quorum: bool| {
        let header = |seed| {
            header("chaos", seed, |scenario| {
                scenario.node.insert("check_quorum".into(), Setting::Switch(check_quorum));
            })
        };
        let broken = (0..70).flat_map(|seed| judge(wasmtime(), &header(seed)).unwrap().broken);
        let mut properties: Vec<String> = broken.map(|broken| broken.property).collect();
        properties.dedup();
        properties
    };
    assert_eq!(stands_still(true), [""; 0]);
    assert!(stands_still(false).contains(&"liveness".to_owned()));
}

/// What waits to fail a sync when the faults are over must not do so after: where the cluster stands still until then, nobody
/// asks for one before.
#[test]
fn a_sync_that_was_to_fail_fails_no_more_when_the_faults_are_over() {
    for seed in [1323, 1495] {
        let outcome = judge(wasmtime(), &header("chaos", seed, |_| ())).unwrap();
        assert!(outcome.is_well(), "seed {seed}: {:?}", outcome.broken);
    }
}

#[test]
fn what_is_found_does_not_depend_on_the_number_of_threads() {
    let hunt = |jobs| {
        let stop = AtomicBool::new(false);
        let hunt = Hunt { seeds: 0..12, shard: 0, shards: 1, jobs, stop: &stop };
        let mut outcomes: Vec<Outcome> = Vec::new();
        let one = |_: &mut (), seed| {
            judge(wasmtime(), &header("chaos", seed, |scenario| scenario.duration = Span(12_000_000)))
        };
        hunt.run(|| Ok(()), one, |outcome| outcomes.push(outcome)).unwrap();
        outcomes.sort_by_key(|outcome| outcome.seed);
        outcomes
    };
    let (one, four) = (hunt(1), hunt(4));
    assert_eq!(one, four);
    assert_eq!(one.len(), 12);
}

#[test]
fn every_kind_of_fault_that_chaos_has_is_drawn_and_bites() {
    let mut tally = raftbox::hunt::tally::Tally::default();
    for seed in 0..30 {
        let header = header("chaos", seed, |_| ());
        let outcome = judge(wasmtime(), &header).unwrap();
        assert!(outcome.is_well(), "seed {seed}: {:?}", outcome.broken);
        tally.merge(&outcome.tally);
    }
    for (kind, count) in tally.drawn.iter().chain(&tally.befell) {
        assert!(*count > 0, "{kind} never happened");
    }
    assert!(tally.drawn.len() >= 19 && tally.befell.len() >= 17, "{tally:?}");
}

#[test]
fn a_verdict_that_is_no_pass_is_told() {
    // A second is too short for anybody to read all keys.
    let header = header("calm", 1, |scenario| scenario.settle = Span(1_000));
    let outcome = judge(wasmtime(), &header).unwrap();
    let (record, _) = run(wasmtime(), &header, Keep::Nothing).unwrap();
    let passed = record.checkers.verdicts().iter().filter(|(_, verdict)| *verdict == Verdict::Pass).count();
    assert_eq!(outcome.broken.len() + passed, record.checkers.verdicts().len());
    assert!(!outcome.is_well());
}
