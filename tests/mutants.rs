//! Broken nodes are found, each by the property that it is expected to break, and what is left of it in the end is small and
//! nothing that the built-in node breaks.
//!
//! `RAFTBOX_SEEDS=1000 cargo test --release -p raftbox-tests --test mutants -- --nocapture` prints the scoreboard.

use raftbox::engine::wasmtime::Wasmtime;
use raftbox::hunt::judge;
use raftbox::plan::{Header, Plan, sha256};
use raftbox::scenario::Scenario;
use raftbox::shrink::shrink;
use raftbox::world::turn::Turn;
use raftbox_tests::mutants::{Mutant, all, build};
use raftbox_tests::{wasmtime, wasmtime_of};
use std::rc::Rc;

/// Chaos in which half of the reads go without the log.
const READS: &str =
    "name = \"reads\"\nprofile = \"chaos\"\nfor = \"60s\"\n[clients]\nreads = [1, 3, 0, 0]\nmix = [1, 1, 8, 4, 1, 2]\n";

fn scenario(name: &str) -> Scenario {
    match name {
        "reads" => Scenario::read(name, READS, None).unwrap(),
        name => Scenario::built_in(name, None).unwrap(),
    }
}

/// The first seed from `from` on in which the mutant breaks its property, and what it breaks first there.
fn found(
    mutant: &Mutant,
    engine: &Rc<Wasmtime<Turn>>,
    sha256: &str,
    seeds: std::ops::Range<u64>,
) -> Option<(Header, String)> {
    for seed in seeds {
        let plan = Plan { scenario: scenario(&mutant.scenario), seed, interventions: Vec::new() };
        let header = Header::new(plan, sha256.to_owned());
        let broken = judge(Rc::clone(engine), &header).unwrap().broken;
        if broken.iter().any(|broken| broken.property == mutant.property && broken.event.is_some()) {
            return Some((header, broken[0].property.clone()));
        }
    }
    None
}

#[allow(clippy::disallowed_methods, reason = "the number of seeds is the caller's choice; a seed's run is not")]
fn seeds() -> u64 {
    std::env::var("RAFTBOX_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(300)
}

#[test]
fn every_broken_node_is_found_and_its_run_gets_small() {
    let mutants = all().unwrap_or_else(|wrong| panic!("a patch does not apply any more: {wrong}"));
    let guests = build(&mutants).unwrap();
    let most = seeds();
    let mut missed = Vec::new();
    println!("{:<26} {:<24} {:>6}  {:<24} {:>5}", "mutant", "property", "seed", "first broken", "steps");
    for mutant in &mutants {
        let guest = &guests[&mutant.name];
        let engine = wasmtime_of(guest, Scenario::default().arena).unwrap();
        let Some((header, first)) = found(mutant, &engine, &sha256(guest), 0..most) else {
            println!("{:<26} {:<24}   NOT FOUND", mutant.name, mutant.property);
            missed.push(&mutant.name);
            continue;
        };
        let seed = header.plan.seed;
        let shrunk = shrink(engine, Some(wasmtime()), &header, Some(&mutant.property), &mut |_, _| ()).unwrap();
        println!("{:<26} {:<24} {seed:>6}  {first:<24} {:>5}", mutant.name, mutant.property, shrunk.len());
        assert!(shrunk.len() < 40, "{}: {} steps are left", mutant.name, shrunk.len());
        let good = Header { plan: shrunk.plan, ..header };
        let broken = judge(wasmtime(), &good).unwrap().broken;
        assert!(broken.iter().all(|broken| broken.property != mutant.property), "{}: {broken:?}", mutant.name);
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}
