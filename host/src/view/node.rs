//! One node: what it noted, and its clock, alarm, disk and members, from events.

use super::Seen;
use super::entry::Entries;
use super::machine::Machine;
use crate::clock::Clock;
use crate::event::{Cause, Decision, DiskFault, Effect, Event, Micros, NodeId};
use crate::nodes;
use crate::unsynced::Unsynced;
use raftbox_abi::note::{Body, Role};
use std::collections::VecDeque;

/// An alarm that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Which of the boot's alarms, from 0.
    pub number: u64,
    /// When it was set.
    pub set: Micros,
    /// When it rings, on the node's own clock.
    pub at: u64,
    /// When that is, if the clock goes on as it does; `None` if it is past the end of time. While the node is paused it
    /// rings no earlier than the node goes on.
    pub rings: Option<Micros>,
}

impl Alarm {
    /// How much of the time between setting and ringing is left at `at`, as a ratio: what is left, and the whole.
    #[must_use]
    pub fn left(&self, at: Micros) -> Option<(Micros, Micros)> {
        let rings = self.rings?;
        let whole = rings.saturating_sub(self.set).max(1);
        Some((rings.saturating_sub(at).min(whole), whole))
    }
}

/// A sync that the disk has not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingSync {
    /// Which of the boot's syncs, from 0.
    pub number: u64,
    /// When it was asked.
    pub asked: Micros,
}

/// The configuration that a node goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members {
    /// The index of the entry that brought it; 0 for the one given at boot.
    pub index: u64,
    /// Its voters.
    pub voters: Vec<NodeId>,
    /// In a joint configuration, the voters that are to go out of force.
    pub outgoing: Vec<NodeId>,
    /// Its learners.
    pub learners: Vec<NodeId>,
}

/// Whom a node votes for in its term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vote {
    /// Nobody, or nobody that it noted.
    None,
    /// This node, on its disk.
    Durable(NodeId),
    /// Itself, as a candidate, and not on its disk yet.
    Pending,
}

/// One node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// What its notes say.
    pub noted: nodes::Node,
    /// Its clock.
    pub clock: Clock,
    /// Its alarm, if it is set.
    pub alarm: Option<Alarm>,
    /// What it wrote and what may not be on its disk yet; of a node that is down, what the crash left in doubt.
    pub unsynced: Unsynced,
    /// The syncs that it waits for, oldest first.
    pub syncs: VecDeque<PendingSync>,
    /// Its configuration, if it noted one since its boot.
    pub members: Option<Members>,
    /// Until when it has a lease, on its own clock; 0 if it has none.
    pub lease: u64,
    /// What its state machine holds, as far as that is proven.
    pub machine: Machine,
}

impl Node {
    /// By how much its clock is ahead of the world's time at `at`; negative if it is behind.
    #[must_use]
    pub fn offset(&self, at: Micros) -> i64 {
        let offset = i128::from(self.clock.local(at)) - i128::from(at);
        i64::try_from(offset).unwrap_or(if offset < 0 { i64::MIN } else { i64::MAX })
    }

    /// Whom it votes for in its term. A vote for another is noted once it is on the disk, and so is known no earlier.
    #[must_use]
    pub fn vote(&self) -> Vote {
        match self.noted.vote() {
            0 if self.noted.role == Some(Role::Candidate) => Vote::Pending,
            0 => Vote::None,
            node => Vote::Durable(node),
        }
    }

    /// Takes an event of this node into account.
    pub(super) fn observe(&mut self, seen: &Seen<'_>, entries: &Entries) {
        let observed = &seen.observed;
        match observed.event {
            Event::Cause(cause) if seen.moot.is_none() => self.cause(cause, observed.at),
            Event::Cause(_) => return,
            Event::Effect(effect) => self.effect(effect, observed.at),
        }
        if let Some(note) = observed.note.filter(|note| note.group == 0) {
            self.note(&note.body, entries);
        }
        self.noted.observe(observed);
    }

    fn cause(&mut self, cause: &Cause, at: Micros) {
        match cause {
            Cause::Boot { .. } => {
                let (noted, clock) = (std::mem::take(&mut self.noted), self.clock);
                let lies = self.unsynced.lies;
                *self = Self { noted, clock, ..Self::default() };
                self.unsynced.lies = lies;
            }
            Cause::Crash { .. } | Cause::Decide { decision: Decision::Crash, .. } => self.down(),
            Cause::Clock { jump, ppm, .. } => {
                self.clock.set(at, *jump, *ppm);
                if let Some(alarm) = &mut self.alarm {
                    alarm.rings = self.clock.rings(at, alarm.at);
                }
            }
            Cause::Disk { fault: DiskFault::Lies { lies }, .. } => self.unsynced.lies = *lies,
            Cause::Disk { fault: DiskFault::Wiped, .. } => self.unsynced = Unsynced::default(),
            Cause::Wake { .. } => self.alarm = None,
            Cause::Synced { .. } => {
                self.syncs.pop_front();
                self.unsynced.synced();
            }
            _ => {}
        }
    }

    fn effect(&mut self, effect: &Effect<'_>, at: Micros) {
        match *effect {
            Effect::WakeAt { at: u64::MAX, .. } => self.alarm = None,
            Effect::WakeAt { alarm: number, at: local, .. } => {
                self.alarm = Some(Alarm { number, set: at, at: local, rings: self.clock.rings(at, local) });
            }
            Effect::Write { .. } | Effect::Truncate { .. } => self.unsynced.observe(effect),
            Effect::Sync { sync, .. } => {
                self.unsynced.observe(effect);
                self.syncs.push_back(PendingSync { number: sync, asked: at });
            }
            Effect::Halted { .. } | Effect::Trapped { .. } => self.down(),
            _ => {}
        }
    }

    fn note(&mut self, body: &Body, entries: &Entries) {
        match body {
            Body::Config { index, voters, outgoing, learners } => {
                let (voters, outgoing, learners) = (voters.clone(), outgoing.clone(), learners.clone());
                self.members = Some(Members { index: *index, voters, outgoing, learners });
            }
            Body::Lease { until } => self.lease = *until,
            Body::Apply { index, command, result, .. } => {
                let request = entries.request(*command);
                self.machine.apply(*index, request.map(|request| &*request.body), *result);
            }
            Body::Recovered { snapshot: (index, _), .. } | Body::Install { index, .. } if *index > 0 => {
                self.machine.jump(*index, entries);
            }
            _ => {}
        }
    }

    fn down(&mut self) {
        self.alarm = None;
        self.syncs.clear();
        self.members = None;
        self.lease = 0;
        self.machine = Machine::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_empties_towards_its_deadline() {
        let alarm = Alarm { number: 0, set: 100, at: 300, rings: Some(300) };
        assert_eq!([100, 250, 300, 900].map(|at| alarm.left(at)), [(200), 50, 0, 0].map(|left| Some((left, 200))));
    }
}
