//! How soon broken nodes are found, by what, and how little is left of a run that shows them.

use crate::mutants::Mutant;
use crate::{wasmtime, wasmtime_of};
use raftbox::engine::wasmtime::Wasmtime;
use raftbox::hunt::{cores, judge};
use raftbox::plan::{Header, Plan, sha256};
use raftbox::scenario::Scenario;
use raftbox::shrink::{Shrunk, shrink};
use raftbox::world::turn::Turn;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Mutex;

/// A broken node, ready to run.
pub struct Broken<'a> {
    /// What is broken.
    pub mutant: &'a Mutant,
    engine: Rc<Wasmtime<Turn>>,
    sha256: String,
    scenario: Scenario,
}

/// A run in which a broken node breaks the property that it is expected to.
#[derive(Clone, Debug)]
pub struct Found {
    /// What was run.
    pub header: Header,
    /// The property that was broken first there.
    pub first: String,
}

impl<'a> Broken<'a> {
    /// Compiles its guest.
    ///
    /// # Errors
    /// If the guest is not admitted, or there is no such scenario.
    pub fn new(mutant: &'a Mutant, guest: &[u8]) -> Result<Self, String> {
        let scenario = Scenario::built_in(&mutant.scenario, None).map_err(|mistake| mistake.to_string())?;
        Ok(Self { mutant, engine: wasmtime_of(guest, scenario.arena)?, sha256: sha256(guest), scenario })
    }

    /// The first of these seeds by which it breaks its property. What else was broken on the way is noted.
    ///
    /// # Errors
    /// If the engine failed.
    pub fn find(&self, seeds: Range<u64>, others: &mut BTreeSet<String>) -> Result<Option<Found>, String> {
        for seed in seeds {
            let plan = Plan { scenario: self.scenario.clone(), seed, interventions: Vec::new() };
            let header = Header::new(plan, self.sha256.clone());
            let broken = judge(Rc::clone(&self.engine), &header).map_err(|abort| abort.to_string())?.broken;
            let told: Vec<_> = broken.into_iter().filter(|broken| broken.event.is_some()).collect();
            if told.iter().any(|broken| broken.property == self.mutant.property) {
                return Ok(Some(Found { header, first: told[0].property.clone() }));
            }
            others.extend(told.into_iter().map(|broken| broken.property));
        }
        Ok(None)
    }

    /// Shrinks a run in which it breaks its property to what the built-in node does not break.
    ///
    /// # Errors
    /// If the engine failed.
    pub fn shrink(&self, found: &Found) -> Result<Shrunk, String> {
        let property = Some(self.mutant.property.as_str());
        shrink(Rc::clone(&self.engine), Some(wasmtime()), &found.header, property, &mut |_, _| ())
            .map_err(|failure| failure.to_string())
    }
}

/// Does something with each mutant, on as many threads as there are processors; what came of it, by name.
///
/// # Panics
/// If one of the threads does.
pub fn each<T: Send>(
    mutants: &[Mutant],
    guests: &BTreeMap<String, Vec<u8>>,
    does: impl Fn(&Broken<'_>) -> Result<T, String> + Sync,
) -> BTreeMap<String, Result<T, String>> {
    let (next, done) = (Mutex::new(mutants.iter()), Mutex::new(BTreeMap::new()));
    let work = || {
        loop {
            let Some(mutant) = next.lock().expect("no thread panics with it").next() else { break };
            let result = Broken::new(mutant, &guests[&mutant.name]).and_then(|broken| does(&broken));
            done.lock().expect("no thread panics with it").insert(mutant.name.clone(), result);
        }
    };
    std::thread::scope(|scope| (0..cores()).for_each(|_| drop(scope.spawn(work))));
    done.into_inner().expect("no thread panics with it")
}
