//! The situations that teach Raft, and all of their variants, ready to run.

use crate::{wasmtime_by, wasmtime_with};
use raftbox::engine::wasmtime::Wasmtime;
use raftbox::plan::{Header, Plan, sha256};
use raftbox::scenario::{LIBRARY, Scenario, variants};
use raftbox::world::turn::Turn;
use raftbox_guest_bytes::BYTES;
use raftbox_mutants::{all, build, here};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Every scenario that says what is to be seen, and each of its variants, by name.
///
/// # Panics
/// If one of them cannot be read.
#[must_use]
pub fn told() -> Vec<(String, Scenario)> {
    let names = LIBRARY.iter().flat_map(|(name, text)| {
        let variants = variants(name, text).into_iter().map(|variant| variant.whole);
        std::iter::once((*name).to_owned()).chain(variants)
    });
    let read = |name: String| {
        let scenario = Scenario::built_in(&name, None).unwrap_or_else(|mistake| panic!("{mistake}"));
        (name, scenario)
    };
    names.map(read).filter(|(_, scenario)| scenario.expect.is_some()).collect()
}

/// The broken nodes that any of them names, built.
///
/// # Panics
/// If one does not apply, or does not build.
#[must_use]
pub fn guests(told: &[(String, Scenario)]) -> BTreeMap<String, Vec<u8>> {
    let names: BTreeSet<&str> = told.iter().flat_map(|(_, scenario)| scenario.guests()).flatten().collect();
    let names: Vec<&str> = names.into_iter().collect();
    let mutants = all(here()).unwrap_or_else(|wrong| panic!("a patch does not apply any more: {wrong}"));
    build(here(), &mutants, Some(&names)).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// A scenario with what runs it.
pub struct Ready {
    scenario: Scenario,
    hashes: Vec<String>,
    /// Its guests, compiled.
    pub engine: Rc<Wasmtime<Turn>>,
}

impl Ready {
    /// Compiles the guests that a scenario names.
    ///
    /// # Panics
    /// If one of them is not admitted, or wasmtime does not work here.
    #[must_use]
    pub fn new(scenario: &Scenario, guests: &BTreeMap<String, Vec<u8>>) -> Self {
        let bytes = |name: &Option<&str>| name.map_or(BYTES, |name| &guests[name]);
        let used: Vec<&[u8]> = scenario.guests().iter().map(bytes).collect();
        let arena = scenario.arena;
        let engine = if used == [BYTES] { Ok(wasmtime_with(arena)) } else { wasmtime_by(&used, arena) };
        let engine = engine.unwrap_or_else(|wrong| panic!("{}: {wrong}", scenario.name));
        Self { scenario: scenario.clone(), hashes: used.iter().map(|guest| sha256(guest)).collect(), engine }
    }

    /// Its header under a seed.
    #[must_use]
    pub fn header(&self, seed: u64) -> Header {
        let plan = Plan { scenario: self.scenario.clone(), seed, interventions: Vec::new() };
        Header::by(plan, self.hashes.clone())
    }
}
