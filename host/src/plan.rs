//! What a run is made from: a scenario, a seed, and interventions.
//!
//! A [`Plan`] is what people edit: shrinking, sharing and branching change it and run it again. Its [`Header`] says in
//! addition which guests run it and over which version of the boundary; a run's digest begins with the header's bytes.

use crate::scenario::step::Step;
use crate::scenario::{Scenario, Setting};
use crate::world::Setup;
use raftbox_abi::Boot;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What a run is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What it is like, with nothing left to a default.
    pub scenario: Scenario,
    /// Where all of its chance comes from.
    pub seed: u64,
    /// What is done to it, beside what the scenario says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interventions: Vec<Step>,
}

/// A plan, with what runs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of the boundary.
    pub abi: u32,
    /// The SHA-256 of each guest, in hex, in the order of [`Scenario::guests`].
    pub guests: Vec<String>,
    /// What is run.
    pub plan: Plan,
}

/// The SHA-256 of a guest, in hex.
#[must_use]
pub fn sha256(guest: &[u8]) -> String {
    Sha256::digest(guest).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes everything");
        hex
    })
}

impl Header {
    /// The header of a plan that one guest runs on every node.
    #[must_use]
    pub fn new(plan: Plan, guest_sha256: String) -> Self {
        Self::by(plan, vec![guest_sha256])
    }

    /// The header of a plan that these guests run, in the order of [`Scenario::guests`]; if there is but one, all nodes run it.
    #[must_use]
    pub fn by(plan: Plan, guests: Vec<String>) -> Self {
        Self { abi: raftbox_abi::VERSION, guests, plan }
    }

    /// The canonical bytes, with which the digest begins: JSON, keys in the order of the fields.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("every field has a JSON form")
    }

    /// How many clients take part, the auditor included.
    #[must_use]
    pub fn clients(&self) -> u32 {
        self.plan.scenario.clients.count + 1
    }

    /// The world that the plan runs in.
    ///
    /// # Panics
    /// If a setting of the scenario has no value, which its check excludes.
    #[must_use]
    pub fn setup(&self) -> Setup {
        let scenario = &self.plan.scenario;
        let lines = |settings: &BTreeMap<String, Setting>| {
            settings.iter().fold(String::new(), |mut lines, (key, setting)| {
                let value = setting.value().expect("the scenario was checked");
                writeln!(lines, "{key}={value}").expect("a string takes everything");
                lines
            })
        };
        let voters: Vec<u32> = (1..=scenario.voters.unwrap_or(scenario.nodes)).collect();
        let boot = |node, settings: &str| {
            let (version, voters, learners) = (raftbox_abi::VERSION, voters.clone(), Vec::new());
            Boot { version, node, voters, learners, settings }.encode()
        };
        let guests = scenario.guests();
        let guest = |node| {
            let own = guests.iter().position(|guest| *guest == scenario.guest_of(node)).unwrap_or(0);
            if self.guests.len() == 1 { 0 } else { own }
        };
        let boots = |node| {
            let settings = scenario.settings(node);
            (guest(node), settings.iter().map(|(from, settings)| (*from, boot(node, &lines(settings)))).collect())
        };
        Setup { seed: self.plan.seed, nodes: (1..=scenario.nodes).map(boots).collect(), clients: self.clients() }
    }
}
