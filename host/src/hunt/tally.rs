//! What happened in a run, counted: faults by kind, states that were reached, and properties of the guest's own.

use crate::agenda::faults;
use crate::check::Observed;
use crate::event::{Cause, Decision, DiskFault, Effect, Event, MessageName};
use crate::plan::Plan;
use raftbox_abi::client::Reply;
use raftbox_abi::note::{Body, PropertyKind, Role};
use std::collections::{BTreeMap, BTreeSet};

/// Counts by name.
pub type Counts = BTreeMap<String, u64>;

/// What happened in a run, or in many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Faults that were drawn, by the key that they have in a scenario.
    pub drawn: Counts,
    /// What befell messages, nodes, disks and clocks, as events tell of it.
    pub befell: Counts,
    /// What the cluster did.
    pub reached: Counts,
    /// The messages that the network keeps though they are lost.
    kept: BTreeSet<MessageName>,
    /// The guest's own properties by kind and name: how often each was told, and how often it was so.
    pub properties: BTreeMap<(String, String), [u64; 2]>,
}

/// Adds to a count.
fn add(counts: &mut Counts, name: &str, by: u64) {
    match counts.get_mut(name) {
        Some(count) => *count += by,
        None => drop(counts.insert(name.to_owned(), by)),
    }
}

/// The counts that are told even if they are 0, so that what never happens is seen.
const BEFELL: [&str; 17] = [
    "messages lost",
    "messages that came back late",
    "messages doubled",
    "messages changed",
    "links cut",
    "crashes",
    "crashes in a turn",
    "boots with unsynced writes",
    "pauses",
    "clocks set",
    "syncs failed",
    "writes failed",
    "disks full",
    "bytes rotten",
    "fault sites",
    "halts",
    "client timeouts",
];

const REACHED: [&str; 9] = [
    "leaders",
    "refusals",
    "entries dropped",
    "commits",
    "snapshots",
    "snapshots installed",
    "configurations",
    "operations acknowledged",
    "sessions expired",
];

impl Tally {
    /// Of a run of a plan, before its first event.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let zero = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), 0)).collect();
        let drawn = faults::count(plan).into_iter().map(|(kind, count)| (kind.to_owned(), count));
        Self { drawn: drawn.collect(), befell: zero(&BEFELL), reached: zero(&REACHED), ..Self::default() }
    }

    /// Takes an event into account.
    pub fn observe(&mut self, observed: &Observed<'_>) {
        let befell = |tally: &mut Self, name: &str| add(&mut tally.befell, name, 1);
        match observed.event {
            Event::Cause(cause) => {
                match cause {
                    Cause::Lose { message, keep: true } => drop(self.kept.insert(*message)),
                    Cause::Deliver { message, .. } if self.kept.remove(message) => {
                        befell(self, "messages that came back late");
                    }
                    _ => {}
                }
                if let Some(name) = Self::name(cause) {
                    befell(self, name);
                }
            }
            Event::Effect(Effect::Note { .. }) => {
                if let Some(note) = observed.note {
                    self.note(&note.body);
                }
            }
            Event::Effect(Effect::Halted { .. }) => befell(self, "halts"),
            Event::Effect(Effect::Trapped { .. }) => befell(self, "traps"),
            Event::Effect(Effect::Received { body, .. }) => match Reply::decode(body) {
                Some(Reply::Ok(_)) => add(&mut self.reached, "operations acknowledged", 1),
                Some(Reply::SessionExpired) => add(&mut self.reached, "sessions expired", 1),
                _ => {}
            },
            Event::Effect(_) => {}
        }
    }

    fn name(cause: &Cause) -> Option<&'static str> {
        Some(match cause {
            Cause::Lose { .. } => "messages lost",
            Cause::Deliver { alterations, .. } if !alterations.is_empty() => "messages changed",
            Cause::Deliver { copy: 1.., .. } => "messages doubled",
            Cause::Link { up: false, .. } => "links cut",
            Cause::Crash { .. } => "crashes",
            Cause::Decide { decision: Decision::Crash, .. } => "crashes in a turn",
            Cause::Decide { decision: Decision::Chance { .. }, .. } => "fault sites",
            Cause::Decide { decision: Decision::Failed { status }, .. }
                if *status == raftbox_abi::boundary::status::FULL =>
            {
                "disks full"
            }
            Cause::Decide { decision: Decision::Failed { .. }, .. } => "writes failed",
            Cause::Decide { decision: Decision::Misdirected { .. }, .. } => "writes misdirected",
            Cause::Boot { survivors, .. } if !survivors.is_empty() => "boots with unsynced writes",
            Cause::Pause { .. } => "pauses",
            Cause::Clock { .. } => "clocks set",
            Cause::Synced { status, .. } if *status != 0 => "syncs failed",
            Cause::Disk { fault, .. } => match fault {
                DiskFault::Rot { .. } => "bytes rotten",
                DiskFault::Wiped => "disks wiped",
                DiskFault::Swapped { .. } => "disks swapped",
                DiskFault::Lies { lies: true } => "disks that lie",
                DiskFault::Lies { lies: false } => return None,
            },
            Cause::ClientTimeout { .. } => "client timeouts",
            _ => return None,
        })
    }

    fn note(&mut self, body: &Body) {
        let name = match body {
            Body::Role { role: Role::Leader, .. } => "leaders",
            Body::Truncate { .. } => "entries dropped",
            Body::Commit { .. } => "commits",
            Body::Snapshot { .. } => "snapshots",
            Body::Install { .. } => "snapshots installed",
            Body::Config { .. } => "configurations",
            Body::Refused { .. } => "refusals",
            Body::Property { kind, value, name } => {
                let counts = self.properties.entry((kind.word().to_owned(), name.clone())).or_default();
                counts[0] += 1;
                counts[1] += u64::from(*value);
                return;
            }
            _ => return,
        };
        add(&mut self.reached, name, 1);
    }

    /// Adds another run's.
    pub fn merge(&mut self, other: &Self) {
        for (counts, others) in
            [(&mut self.drawn, &other.drawn), (&mut self.befell, &other.befell), (&mut self.reached, &other.reached)]
        {
            others.iter().for_each(|(name, count)| add(counts, name, *count));
        }
        for (property, counts) in &other.properties {
            let mine = self.properties.entry(property.clone()).or_default();
            (mine[0], mine[1]) = (mine[0] + counts[0], mine[1] + counts[1]);
        }
    }

    /// The guest's own properties that should have been so at least once, and never were.
    #[must_use]
    pub fn never(&self) -> Vec<(&str, &str)> {
        let wanted = [PropertyKind::Sometimes, PropertyKind::Reachable].map(PropertyKind::word);
        let never =
            |((kind, _), counts): &(&(String, String), &[u64; 2])| wanted.contains(&kind.as_str()) && counts[1] == 0;
        let names = self.properties.iter().filter(never);
        names.map(|((kind, name), _)| (kind.as_str(), name.as_str())).collect()
    }
}
