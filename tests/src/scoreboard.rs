//! How soon broken nodes are found, by what, and how little is left of a run that shows them.

use crate::{on_all_cores, wasmtime, wasmtime_of};
use raftbox::engine::wasmtime::Wasmtime;
use raftbox::hunt::judge;
use raftbox::plan::{Header, Plan, sha256};
use raftbox::scenario::Scenario;
use raftbox::shrink::{Shrunk, shrink};
use raftbox::world::turn::Turn;
use raftbox_mutants::Mutant;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

/// How many seeds are tried where the one that was known to show it does so no more.
const SEEDS: u64 = 300;

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

    /// The run of the seed that is known to show it; the built-in node breaks nothing there.
    ///
    /// # Errors
    /// If it shows it no more, and which seed does; or if the built-in node breaks something; or if the engine failed.
    pub fn known(&self) -> Result<Found, String> {
        let (property, known) = (&self.mutant.property, self.mutant.seed);
        let mut others = BTreeSet::new();
        let Some(found) = self.find(known..known + 1, &mut others)? else {
            let found = self.find(0..SEEDS, &mut others)?;
            let seed = found.map(|found| found.header.plan.seed);
            return Err(format!(
                "seed {known} breaks {property} no more; of 0 to {SEEDS}, {seed:?} does, and {others:?} is broken"
            ));
        };
        let broken = judge(wasmtime(), &found.header).map_err(|abort| abort.to_string())?.broken;
        match broken.iter().find(|broken| broken.event.is_some()) {
            Some(broken) => Err(format!("the built-in node breaks {} as well", broken.property)),
            None => Ok(found),
        }
    }

    /// How many steps are left of that run when it is shrunk.
    ///
    /// # Errors
    /// As [`known`](Self::known) has them; and if the built-in node breaks the property in what is left.
    pub fn small(&self) -> Result<usize, String> {
        let found = self.known()?;
        let shrunk = self.shrink(&found)?;
        let steps = shrunk.len();
        let good = Header { plan: shrunk.plan, ..found.header };
        let broken = judge(wasmtime(), &good).map_err(|abort| abort.to_string())?.broken;
        match broken.iter().find(|broken| broken.property == self.mutant.property) {
            Some(broken) => Err(format!("the built-in node breaks it as well: {broken:?}")),
            None => Ok(steps),
        }
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

/// Does something with each mutant that is broken, on as many threads as there are processors; what came of it, by name.
///
/// # Panics
/// If one of the threads does.
pub fn each<T: Send>(
    mutants: &[Mutant],
    guests: &BTreeMap<String, Vec<u8>>,
    does: impl Fn(&Broken<'_>) -> Result<T, String> + Sync,
) -> BTreeMap<String, Result<T, String>> {
    let one = |mutant: &Mutant| {
        let result = Broken::new(mutant, &guests[&mutant.name]).and_then(|broken| does(&broken));
        (mutant.name.clone(), result)
    };
    on_all_cores(mutants.iter().filter(|mutant| mutant.is_broken()), one).into_iter().collect()
}
