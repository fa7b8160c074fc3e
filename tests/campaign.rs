//! Campaigns: many seeds of a scenario, every property judged, every seed reproducible by its number.
//!
//! `RAFTBOX_SEEDS=2000 cargo test --release -p raftbox-tests --test campaign -- --nocapture` runs the full number.

use raftbox::check::Verdict;
use raftbox::event::{Effect, Endpoint, Event, Micros};
use raftbox::plan::Header;
use raftbox::scenario::step::{Act, Ask, Name, Question, Step, Target, When};
use raftbox::scenario::{Setting, Version};
use raftbox::simulation::Simulation;
use raftbox::trace::{Digest, Keep};
use raftbox::units::Span;
use raftbox_abi::client::{Attempt, Outcome, Reply};
use raftbox_abi::note::{Body, Refusal, Role};
use raftbox_tests::{header, native, wasmtime};

use std::collections::{BTreeMap, BTreeSet};

/// What a seed came to.
struct Outcomes {
    digest: Digest,
    turns: u64,
    asked: u64,
    /// Acknowledged before, during and after the faults.
    acknowledged: [u64; 3],
    /// How many configurations there were, and how many terms that had a leader.
    changes: (u64, u64),
    /// How many snapshots were taken, and how many installed.
    snapshots: (u64, u64),
    /// How many reads were answered without the log, by mode.
    reads: BTreeMap<&'static str, u64>,
    commits: Commits,
}

/// How entries went on being committed.
#[derive(Default)]
struct Commits {
    highest: u64,
    last: Micros,
    /// How long in all nothing new was committed, counted from when that took longer than [`LONG`].
    without: Micros,
    /// How long it took, after all was healed, until something was.
    after_healing: Option<Micros>,
}

/// Clients ask so often that something is committed within this, if there is a leader that can.
const LONG: Micros = 500_000;

impl Commits {
    fn to(&mut self, index: u64, at: Micros, healed: Micros) {
        if index <= self.highest {
            return;
        }
        let pause = at - self.last;
        if self.last > 0 && self.last < healed && pause > LONG {
            self.without += pause.min(healed - self.last);
        }
        if at >= healed {
            self.after_healing.get_or_insert(at - healed.max(self.last));
        }
        (self.highest, self.last) = (index, at);
    }
}

fn seed(name: &str, seed: u64) -> Outcomes {
    run(name, &header(name, seed, |_| ()))
}

fn run(name: &str, header: &Header) -> Outcomes {
    let seed = header.plan.seed;
    let faults = header.plan.scenario.faults.clone();
    let auditor = header.clients();
    let mut simulation = Simulation::new(wasmtime(), header, Keep::Nothing).unwrap();
    let (mut configurations, mut leaders) = (BTreeSet::new(), BTreeSet::new());
    let (mut snapshots, mut reads, mut commits) = ((0, 0), BTreeMap::new(), Commits::default());
    let mut note = |body: &Body, at: Micros| match *body {
        Body::Config { index, .. } => drop(configurations.insert(index)),
        Body::Role { role: Role::Leader, term, .. } => drop(leaders.insert(term)),
        Body::Snapshot { .. } => snapshots.0 += 1,
        Body::Install { .. } => snapshots.1 += 1,
        Body::Read { mode, .. } => *reads.entry(mode.word()).or_default() += 1,
        Body::Commit { index } => commits.to(index, at, faults.until.0),
        _ => {}
    };
    let (mut asked, mut acknowledged) = (0, [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()]);
    let mut see = |observed: &raftbox::check::Observed<'_>| match observed.event {
        Event::Effect(Effect::Note { .. }) => observed.note.iter().for_each(|told| note(&told.body, observed.at)),
        Event::Cause(raftbox::event::Cause::Request { attempt: 0, client, .. }) if *client != auditor => asked += 1,
        Event::Effect(Effect::Received { client, operation, body }) if *client != auditor => {
            if let Some(Reply::Ok(outcome)) = Reply::decode(body)
                && !matches!(outcome, Outcome::Session(_))
            {
                let phase = usize::from(observed.at >= faults.from.0) + usize::from(observed.at >= faults.until.0);
                acknowledged[phase].insert((*client, Attempt::unpack(*operation).operation));
            }
        }
        _ => {}
    };
    while simulation.step(&mut see).unwrap() {}
    for (property, verdict) in simulation.record().checkers.verdicts() {
        let reproduce = format!("raftbox run {name} --seed {seed}");
        assert_eq!(verdict, Verdict::Pass, "{property}, reproduce with: {reproduce}");
    }
    Outcomes {
        digest: simulation.record().trace.digest(),
        turns: simulation.world().turns(),
        asked,
        acknowledged: acknowledged.map(|operations| operations.len() as u64),
        changes: (configurations.len() as u64, leaders.len() as u64),
        snapshots,
        reads,
        commits,
    }
}

/// The least and the median of what the seeds came to.
fn least_and_median(totals: &mut [u64]) -> (u64, u64) {
    totals.sort_unstable();
    (totals[0], totals[totals.len() / 2])
}

/// How many seeds are asked for.
#[allow(clippy::disallowed_methods, reason = "the number of seeds is the caller's choice; a seed's run is not")]
fn seeds(default: u64) -> u64 {
    std::env::var("RAFTBOX_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(default)
}

#[test]
fn chaos_violates_nothing_and_serves_clients_all_along() {
    let mut totals = Vec::new();
    let mut turns = 0;
    for number in 0..seeds(20) {
        let outcomes = seed("chaos", number);
        assert!(outcomes.asked >= 500, "seed {number}: only {} operations", outcomes.asked);
        assert!(outcomes.acknowledged.iter().all(|count| *count > 0), "seed {number}: {:?}", outcomes.acknowledged);
        if number % 10 == 0 {
            assert_eq!(outcomes.digest, seed("chaos", number).digest, "seed {number}, run twice");
        }
        totals.push(outcomes.acknowledged.iter().sum::<u64>());
        turns += outcomes.turns;
    }
    let (least, median) = least_and_median(&mut totals);
    println!("{} seeds, {turns} turns, acknowledged per seed: median {median}, least {least}", totals.len());
    assert!(median >= 500, "median {median}");
}

/// What clients ask beside: every 1.5 s other members, another leader, or a snapshot, as the seed draws it.
fn wishes(seed: u64, nodes: u32) -> Vec<Step> {
    let mut state = seed;
    let mut below = |bound: u64| -> u32 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((state >> 33) % bound).unwrap()
    };
    let step = |number: u64| {
        let (kind, one, other) = (below(6), below(nodes.into()) + 1, below(u64::from(nodes) - 1) + 1);
        let other = if other < one { other } else { other + 1 };
        let members = |voters, learners, gone| Question::Members { voters, learners, gone };
        let what = match kind {
            0 => members(vec![one], vec![], vec![]),
            1 => members(vec![], vec![one], vec![]),
            2 => members(vec![one], vec![], vec![other]),
            3 => members(vec![one, other], vec![], vec![]),
            4 => Question::Compact,
            _ => Question::Transfer(one),
        };
        let node = matches!(what, Question::Compact).then_some(Target::Node(one));
        let act = Act::Request(u32::try_from(number % 3).unwrap() + 1, Ask::new("", what), node);
        Step { when: When::At(Span(2_000_000 + number * 1_500_000)), act }
    };
    (0..37).map(step).collect()
}

#[test]
fn chaos_with_other_members_and_leaders_violates_nothing() {
    let mut totals = Vec::new();
    let (mut turns, mut configurations, mut leaders) = (0, 0, 0);
    for number in 0..seeds(20) {
        let header = header("chaos", number, |scenario| {
            (scenario.nodes, scenario.voters) = (7, Some(5));
            scenario.step = wishes(number, 7);
            // Who votes changes, so nobody knows how many may be damaged for good.
            scenario.faults.rot = None;
        });
        let outcomes = run("chaos, seven nodes, with changes of members", &header);
        if number % 10 == 0 {
            assert_eq!(outcomes.digest, run("chaos", &header).digest, "seed {number}, run twice");
        }
        totals.push(outcomes.acknowledged.iter().sum::<u64>());
        turns += outcomes.turns;
        configurations += outcomes.changes.0;
        leaders += outcomes.changes.1;
    }
    let (least, median) = least_and_median(&mut totals);
    let count = totals.len();
    println!("{count} seeds, {configurations} configurations, {leaders} leaders, {turns} turns");
    println!("acknowledged per seed: median {median}, least {least}");
    assert!(configurations > 10 * count as u64, "{configurations} configurations");
    assert!(median >= 500, "median {median}");
}

/// Five to seven nodes under chaos, with snapshots of small logs, every way to read, sessions that expire, other members,
/// other leaders, snapshots on demand, and nodes of two versions. What a lease rests on are clocks that differ by less than was promised, so where
/// there are leases, clocks drift within that and do not jump.
fn everything(number: u64) -> Header {
    header("chaos", number, |scenario| {
        scenario.nodes = 5 + u32::try_from(number % 3).unwrap();
        scenario.voters = Some(5);
        scenario.step = wishes(number, scenario.nodes);
        scenario.faults.rot = None;
        scenario.clients.mix = [4, 2, 8, 2, 1, 2];
        scenario.clients.reads = [1, 3, 3, 1];
        let mut set = |name: &str, value: u64| scenario.node.insert(name.into(), Setting::Number(value));
        set("snapshot_bytes", [1_000, 4_000, 16_000][usize::try_from(number % 3).unwrap()]);
        set("snapshot_keep", [0, 5, 40, 300][usize::try_from(number % 4).unwrap()]);
        set("batch_bytes", [300, 65_536][usize::try_from(number % 2).unwrap()]);
        if number.is_multiple_of(5) {
            set("session_expiry", 3_000_000);
            set("sessions_max", 8);
        }
        if number.is_multiple_of(2) {
            scenario.node.insert("lease".into(), Setting::Switch(true));
            scenario.node.insert("lease_drift".into(), Setting::Number(50_000));
            scenario.faults.clock = None;
        } else if number.is_multiple_of(3) {
            scenario.version = mixed();
        }
    })
}

/// S1 to S3 are of an older version until they boot for the second time: they campaign without asking, lead without a quorum,
/// leave no request unread, and take no snapshots.
fn mixed() -> Vec<Version> {
    let old = ["pre_vote", "check_quorum", "sticky_leader"];
    let set = |value: bool| old.map(|name| (name.to_owned(), Setting::Switch(value)));
    let nodes = || (1..=3).map(|node| Name(Endpoint::Node(node))).collect();
    let never = [("snapshot_bytes".to_owned(), Setting::Number(0))];
    let again = [("snapshot_bytes".to_owned(), Setting::Number(4_000))];
    vec![
        Version { guest: None, nodes: nodes(), boot: 1, set: set(false).into_iter().chain(never).collect() },
        Version { guest: None, nodes: nodes(), boot: 2, set: set(true).into_iter().chain(again).collect() },
    ]
}

#[test]
fn chaos_with_everything_violates_nothing() {
    let (mut totals, mut shares, mut gaps) = (Vec::new(), Vec::new(), Vec::new());
    let (mut turns, mut changes, mut snapshots, mut reads) = (0, (0, 0), (0, 0), BTreeMap::new());
    for number in 0..seeds(20) {
        let header = everything(number);
        let outcomes = run("chaos with everything", &header);
        if number % 10 == 0 {
            assert_eq!(outcomes.digest, run("chaos", &header).digest, "seed {number}, run twice");
        }
        totals.push(outcomes.acknowledged.iter().sum::<u64>());
        let until = header.plan.scenario.faults.until.0;
        shares.push(1000 * (until - outcomes.commits.without.min(until)) / until);
        gaps.push(outcomes.commits.after_healing.expect("after healing something is committed"));
        turns += outcomes.turns;
        changes = (changes.0 + outcomes.changes.0, changes.1 + outcomes.changes.1);
        snapshots = (snapshots.0 + outcomes.snapshots.0, snapshots.1 + outcomes.snapshots.1);
        for (mode, count) in outcomes.reads {
            *reads.entry(mode).or_insert(0) += count;
        }
    }
    let count = totals.len() as u64;
    println!("{count} seeds, {turns} turns, {} configurations, {} leaders", changes.0, changes.1);
    println!("{} snapshots, {} installed; reads without the log: {reads:?}", snapshots.0, snapshots.1);
    let (least, median) = least_and_median(&mut totals);
    println!("acknowledged per seed: median {median}, least {least}");
    let (least, middle) = least_and_median(&mut shares);
    println!("time in which something was committed at least every {LONG} us: median {middle} of 1000, least {least}");
    gaps.sort_unstable();
    let longest = gaps[gaps.len() - 1];
    println!("first commit after healing: median {} us, longest {longest} us", gaps[gaps.len() / 2]);
    assert!(changes.0 > 10 * count && snapshots.0 > 100 * count && snapshots.1 > count, "{changes:?} {snapshots:?}");
    assert!(reads.values().all(|reads| *reads > 10 * count) && reads.len() == 3, "{reads:?}");
    assert!(median >= 500, "median {median}");
}

#[test]
fn ten_minutes_of_work_never_fill_a_log() {
    let header = header("endurance", 1, |_| ());
    assert_eq!(header.plan.scenario.duration, Span(600_000_000));
    let mut simulation = Simulation::new(native(), &header, Keep::Nothing).unwrap();
    let (mut refused, mut snapshots) = (0, 0);
    let mut see = |observed: &raftbox::check::Observed<'_>| match observed.note.map(|note| &note.body) {
        Some(Body::Refused { refusal: Refusal::LogFull { .. } | Refusal::Uncommitted { .. }, .. }) => refused += 1,
        Some(Body::Snapshot { .. }) => snapshots += 1,
        _ => {}
    };
    while simulation.step(&mut see).unwrap() {}
    assert!(simulation.record().checkers.verdicts().into_iter().all(|(_, verdict)| verdict == Verdict::Pass));
    println!("{snapshots} snapshots, {refused} refusals");
    assert!(refused == 0 && snapshots > 50, "{refused} refusals, {snapshots} snapshots");
}

#[test]
fn a_lossy_network_violates_nothing() {
    for number in 0..seeds(20) {
        assert!(seed("lossy", number).turns > 0);
    }
}

#[test]
fn the_tour_violates_nothing() {
    for number in 0..seeds(20) {
        assert!(seed("tour", number).turns > 0);
    }
}
