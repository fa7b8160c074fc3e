//! Nodes that are set otherwise than the others, from some boot on: versions of a node, and a rolling change of them.

use super::step::Name;
use super::{Scenario, Setting};
use crate::event::{Endpoint, NodeId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a node is set to, from a boot on, beside what all are.
///
/// A rolling change from one version to another is a crash and a restart of each node: a version says what each restarts with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Which nodes.
    pub nodes: Vec<Name>,
    /// From which of their boots on, the first being 1.
    #[serde(default = "first")]
    pub boot: u32,
    /// The settings, by name.
    #[serde(default)]
    pub set: BTreeMap<String, Setting>,
    /// The guest that they run, by its name, if it is another than the others'; from their first boot on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<String>,
}

/// The name of the usual guest: that which is built in, or is given to the command.
const USUAL: &str = "usual";

fn first() -> u32 {
    1
}

/// What is wrong with a setting of a node, and with which key, if anything is.
pub(super) fn check_setting(table: &str, key: &str, setting: &Setting) -> Result<(), (String, String)> {
    let no = |key: String, what: String| Err((key, what));
    if key.is_empty() || !key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        let what = format!("{key:?} is no name of a setting: it has small letters, digits and _ alone");
        return no(table.to_owned(), what);
    }
    if key == "arena" {
        let what = "arena is no setting of a node; it stands in the scenario itself, beside nodes";
        return no(format!("{table}.arena"), what.into());
    }
    match setting.value() {
        Ok(_) => Ok(()),
        Err(what) => no(format!("{table}.{key}"), format!("{key} cannot be set so: {what}")),
    }
}

impl Scenario {
    pub(super) fn check_versions(&self) -> Result<(), (String, String)> {
        for version in &self.version {
            for name in &version.nodes {
                if let Name(Endpoint::Client(_)) = name {
                    return Err(("version".into(), format!("{name} is no node")));
                }
                name.check(self.nodes, self.clients.count).map_err(|what| ("version".to_owned(), what))?;
            }
            if version.boot == 0 {
                return Err(("version".into(), "boot is 0, and the first is 1".into()));
            }
            if version.guest.is_some() && version.boot != 1 {
                return Err(("version".into(), "a node runs one guest, so that one is named for boot 1".into()));
            }
            for (key, setting) in &version.set {
                check_setting("version", key, setting).map_err(|(_, what)| ("version".to_owned(), what))?;
            }
        }
        Ok(())
    }

    /// The guests that run, by their names, each once; `None` for the usual one. The first is that of S1.
    #[must_use]
    pub fn guests(&self) -> Vec<Option<&str>> {
        let mut guests = Vec::new();
        for node in 1..=self.nodes {
            let guest = self.guest_of(node);
            if !guests.contains(&guest) {
                guests.push(guest);
            }
        }
        guests
    }

    /// The guest that a node runs, by its name; `None` for the usual one.
    #[must_use]
    pub fn guest_of(&self, node: NodeId) -> Option<&str> {
        let own = |version: &&Version| version.nodes.contains(&Name(Endpoint::Node(node)));
        let own = self.version.iter().filter(own).filter_map(|version| version.guest.as_deref()).next_back();
        own.or(self.guest.as_deref()).filter(|name| *name != USUAL)
    }

    /// What a node is set to in its boots: from which boot on, in order, and what.
    #[must_use]
    pub fn settings(&self, node: NodeId) -> Vec<(u32, BTreeMap<String, Setting>)> {
        let own = |version: &&Version| version.nodes.contains(&Name(Endpoint::Node(node)));
        let mut boots: Vec<u32> = self.version.iter().filter(own).map(|version| version.boot).chain([1]).collect();
        boots.sort_unstable();
        boots.dedup();
        let at = |boot: u32| {
            let mut settings = self.node.clone();
            // Of those that are in force, the later in the file wins.
            for version in self.version.iter().filter(own).filter(|version| version.boot <= boot) {
                settings.extend(version.set.clone());
            }
            settings.insert("arena".into(), Setting::Number(self.arena.0));
            (boot, settings)
        };
        boots.into_iter().map(at).collect()
    }
}
