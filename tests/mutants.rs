//! Broken nodes are found, each by the property that it is expected to break, and in a run in which the built-in node breaks
//! nothing.
//!
//! Here each is run by a seed that is known to show it; how little is left of that run when it is shrunk, and how many seeds
//! it takes to find one, is what `cargo run --release -p raftbox-tests --bin scoreboard` tells.

use raftbox_mutants::{all, build, here};
use raftbox_tests::scoreboard::each;

#[test]
fn every_broken_node_is_found() {
    let mutants = all(here()).unwrap_or_else(|wrong| panic!("a patch does not apply any more: {wrong}"));
    assert!(mutants.iter().filter(|mutant| mutant.is_broken()).count() >= 26, "{} are there", mutants.len());
    let guests = build(here(), &mutants, None).unwrap();
    let shown = each(&mutants, &guests, |broken| broken.known().map(|_| ()));
    let wrong: Vec<_> = shown.iter().filter_map(|(name, result)| Some((name, result.as_ref().err()?))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
