//! Broken nodes are found, each by the property that it is expected to break, and what is left of it in the end is small and
//! nothing that the built-in node breaks.
//!
//! Here each is run by a seed that is known to show it; how many seeds it takes to find one is what
//! `cargo run --release -p raftbox-tests --bin scoreboard` tells.

use raftbox::hunt::judge;
use raftbox::plan::Header;
use raftbox_tests::mutants::{all, build};
use raftbox_tests::scoreboard::{Broken, each};
use raftbox_tests::wasmtime;
use std::collections::BTreeSet;

/// How many seeds are tried where the one that was known to show it does so no more.
const SEEDS: u64 = 300;

/// How many steps are left of its run.
fn shown(broken: &Broken<'_>) -> Result<usize, String> {
    let (property, known) = (&broken.mutant.property, broken.mutant.seed);
    let mut others = BTreeSet::new();
    let Some(found) = broken.find(known..known + 1, &mut others)? else {
        let found = broken.find(0..SEEDS, &mut others)?;
        let seed = found.map(|found| found.header.plan.seed);
        return Err(format!(
            "seed {known} breaks {property} no more; of 0 to {SEEDS}, {seed:?} does, and {others:?} is broken"
        ));
    };
    let shrunk = broken.shrink(&found)?;
    let steps = shrunk.len();
    let good = Header { plan: shrunk.plan, ..found.header };
    let broken = judge(wasmtime(), &good).map_err(|abort| abort.to_string())?.broken;
    if broken.iter().any(|broken| broken.property == *property) {
        return Err(format!("the built-in node breaks {property} as well: {broken:?}"));
    }
    if steps >= 40 { Err(format!("{steps} steps are left")) } else { Ok(steps) }
}

#[test]
fn every_broken_node_is_found_and_its_run_gets_small() {
    let mutants = all().unwrap_or_else(|wrong| panic!("a patch does not apply any more: {wrong}"));
    assert!(mutants.len() >= 26, "{} are there", mutants.len());
    let guests = build(&mutants).unwrap();
    let shown = each(&mutants, &guests, shown);
    let wrong: Vec<_> = shown.iter().filter_map(|(name, result)| Some((name, result.as_ref().err()?))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
