//! Campaigns: many seeds of a scenario, every property judged, every seed reproducible by its number.
//!
//! `RAFTBOX_SEEDS=2000 cargo test --release -p raftbox-tests --test campaign -- --nocapture` runs the full number.

use raftbox::check::Verdict;
use raftbox::event::{Effect, Event};
use raftbox::simulation::Simulation;
use raftbox::trace::{Digest, Keep};
use raftbox_abi::client::{Attempt, Outcome, Reply};
use raftbox_tests::{header, wasmtime};
use std::collections::BTreeSet;

/// What a seed came to.
struct Outcomes {
    digest: Digest,
    turns: u64,
    asked: u64,
    /// Acknowledged before, during and after the faults.
    acknowledged: [u64; 3],
}

fn seed(name: &str, seed: u64) -> Outcomes {
    let header = header(name, seed, |_| ());
    let faults = header.plan.scenario.faults.clone();
    let auditor = header.clients();
    let mut simulation = Simulation::new(wasmtime(), &header, Keep::Nothing).unwrap();
    let (mut asked, mut acknowledged) = (0, [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()]);
    let mut see = |observed: &raftbox::check::Observed<'_>| match observed.event {
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
    }
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
        assert!(outcomes.asked >= 1000, "seed {number}: only {} operations", outcomes.asked);
        assert!(outcomes.acknowledged.iter().all(|count| *count > 0), "seed {number}: {:?}", outcomes.acknowledged);
        if number % 10 == 0 {
            assert_eq!(outcomes.digest, seed("chaos", number).digest, "seed {number}, run twice");
        }
        totals.push(outcomes.acknowledged.iter().sum::<u64>());
        turns += outcomes.turns;
    }
    totals.sort_unstable();
    let (least, median) = (totals[0], totals[totals.len() / 2]);
    println!("{} seeds, {turns} turns, acknowledged per seed: median {median}, least {least}", totals.len());
    assert!(median >= 500, "median {median}");
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
