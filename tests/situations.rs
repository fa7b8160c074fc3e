//! The situations that teach Raft, and all of their variants: each run shows what its file says, by several seeds, with the very
//! files that the page loads; and what the file of a broken variant names is what the broken node breaks, and not the usual one.

use raftbox::expectation::Expectation;
use raftbox::scenario::{Scenario, parted};
use raftbox::simulation::Simulation;
use raftbox::trace::Keep;
use raftbox_tests::on_all_cores;
use raftbox_tests::situations::{Ready, guests, told};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

/// How many seeds each is run by: what is scripted does not depend on chance, but for what it leaves open.
const SEEDS: Range<u64> = 1..6;

/// What is not as the file says, by some seeds.
fn unmet(scenario: &Scenario, seeds: Range<u64>, guests: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let ready = Ready::new(scenario, guests);
    let by_seed = |seed| {
        let mut simulation = Simulation::new(Rc::clone(&ready.engine), &ready.header(seed), Keep::Nothing).unwrap();
        simulation.run().unwrap();
        let expectations = simulation.expectations();
        assert!(!expectations.is_empty());
        let unmet = expectations.iter().filter(|expectation| !expectation.is_met()).map(Expectation::to_string);
        let unmet = unmet.chain(simulation.remarks().iter().map(ToString::to_string));
        unmet.map(|unmet| format!("seed {seed}: {unmet}")).collect::<Vec<_>>()
    };
    seeds.flat_map(by_seed).collect()
}

#[test]
fn each_shows_what_it_says() {
    let told = told();
    let guests = guests(&told);
    let all = on_all_cores(&told, |(name, scenario)| (name, unmet(scenario, SEEDS, &guests)));
    let wrong = all.into_iter().filter(|(_, unmet)| !unmet.is_empty());
    let wrong: Vec<_> = wrong.map(|(name, unmet)| format!("{name}:\n  {}", unmet.join("\n  "))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_are_twenty_and_what_breaks_is_what_is_broken() {
    let told = told();
    let names: BTreeSet<&str> = told.iter().map(|(name, _)| parted(name).0).collect();
    assert!(names.len() >= 20, "{names:?}");
    for (name, scenario) in &told {
        let is_broken = scenario.guests().iter().any(Option::is_some);
        let breaks = scenario.expect.as_ref().is_some_and(|expect| !expect.violates.is_empty());
        // A clock beyond what a lease allows for, a node that only takes longer, and one whose fault needs somebody's hand.
        let others = ["slow-clock:slow", "figure-7:by-one", "figure-8:own-entry-by-count"];
        assert!(is_broken == breaks || others.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn the_usual_node_shows_what_is_said_of_a_broken_one_nowhere() {
    let told = told();
    for (name, scenario) in told.iter().filter(|(_, scenario)| scenario.guest.is_some()) {
        let usual = Scenario { guest: None, ..scenario.clone() };
        assert!(!unmet(&usual, 1..2, &BTreeMap::new()).is_empty(), "{name} says nothing that its guest has to do with");
    }
}
