//! What there is to know of each node at an event, from events alone.
//!
//! [`Nodes`] is a fold over a run: it follows boots, crashes and [notes](raftbox_abi::note). The timeline reads it for
//! its sentences, and the command prints it as a table in the end. A node that notes nothing is shown as up or down, and
//! with nothing else.

use crate::check::Observed;
use crate::event::{Cause, Decision, Effect, Event, NodeId};
use raftbox_abi::note::{Body, Role};

/// The terms of the entries of a log, as runs: a log has few terms and many entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// The last index that a snapshot covers; the entries begin after it.
    base: u64,
    /// The last index.
    last: u64,
    /// The first index of each run of entries with one term, and that term.
    runs: Vec<(u64, u64)>,
}

impl Log {
    /// The first index that is not in a snapshot.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.base.saturating_add(1)
    }

    /// The last index; 0 in an empty log.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }

    /// The term of an entry; 0 where there is none.
    #[must_use]
    pub fn term(&self, index: u64) -> u64 {
        if index > self.last {
            return 0;
        }
        self.runs.iter().rev().find(|(first, _)| *first <= index).map_or(0, |(_, term)| *term)
    }

    /// The first entry of a term, after what a snapshot covers; `None` if there is none.
    #[must_use]
    pub fn first_of(&self, term: u64) -> Option<u64> {
        let (first, _) = self.runs.iter().find(|(_, of)| *of == term)?;
        Some((*first).max(self.first())).filter(|first| *first <= self.last && self.term(*first) == term)
    }

    fn append(&mut self, index: u64, term: u64) {
        self.cut(index);
        self.last = index;
        if self.runs.last().is_none_or(|(_, last)| *last != term) {
            self.runs.push((index, term));
        }
    }

    fn cut(&mut self, from: u64) {
        self.last = self.last.min(from.saturating_sub(1));
        self.runs.retain(|(first, _)| *first < from);
    }

    /// The log is now this long; what was known of it so far stays known.
    fn resize(&mut self, base: u64, last: (u64, u64)) {
        self.base = base;
        self.cut(last.0.saturating_add(1));
        if self.term(last.0) != last.1 {
            self.append(last.0, last.1);
        }
        self.last = last.0;
    }
}

/// Whether a node runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Not booted, or crashed.
    #[default]
    Down,
    /// It takes turns.
    Up,
    /// It is up and takes none.
    Paused,
    /// It stopped itself.
    Halted,
    /// It did what no guest may do.
    Trapped,
}

impl State {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Up => "up",
            Self::Paused => "paused",
            Self::Halted => "halted",
            Self::Trapped => "trapped",
        }
    }

    /// Whether the node is booted, paused or not.
    #[must_use]
    pub fn is_up(self) -> bool {
        matches!(self, Self::Up | Self::Paused)
    }
}

/// One node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Whether it runs.
    pub state: State,
    /// Its role, if it noted one since its boot.
    pub role: Option<Role>,
    /// Its term.
    pub term: u64,
    /// Whom it takes for the leader; 0 for nobody.
    pub leader: NodeId,
    /// Its durable term and vote.
    pub hard: (u64, NodeId),
    /// Its log.
    pub log: Log,
    /// Up to where its log is durable.
    pub durable: u64,
    /// Its commit index.
    pub commit: u64,
    /// Up to where it has applied.
    pub applied: u64,
    /// How often it was booted.
    pub boots: u32,
    /// How often it crashed, halted or trapped.
    pub crashes: u32,
}

impl Node {
    /// The vote that it has cast in its term and that is durable; 0 for none.
    #[must_use]
    pub fn vote(&self) -> NodeId {
        if self.hard.0 == self.term { self.hard.1 } else { 0 }
    }

    /// Takes the next event of this node into account. Causes that turn out to be moot have said nothing before either: a
    /// node that is up is not booted again.
    pub fn observe(&mut self, observed: &Observed<'_>) {
        match observed.event {
            Event::Cause(Cause::Boot { .. }) if !self.state.is_up() => {
                let (boots, crashes, log) = (self.boots + 1, self.crashes, std::mem::take(&mut self.log));
                *self = Self { state: State::Up, boots, crashes, log, ..Self::default() };
            }
            Event::Cause(Cause::Crash { .. } | Cause::Decide { decision: Decision::Crash, .. })
                if self.state.is_up() =>
            {
                self.down(State::Down);
            }
            Event::Cause(Cause::Pause { .. }) if self.state == State::Up => self.state = State::Paused,
            Event::Cause(Cause::Resume { .. }) if self.state == State::Paused => self.state = State::Up,
            Event::Effect(Effect::Halted { .. }) => self.down(State::Halted),
            Event::Effect(Effect::Trapped { .. }) => self.down(State::Trapped),
            Event::Effect(Effect::Note { .. }) => {
                if let Some(note) = observed.note.filter(|note| note.group == 0) {
                    self.note(&note.body);
                }
            }
            _ => {}
        }
    }

    fn down(&mut self, state: State) {
        self.state = state;
        self.role = None;
        self.leader = 0;
        self.crashes = self.crashes.saturating_add(1);
    }

    fn note(&mut self, body: &Body) {
        match *body {
            Body::Recovered { term, vote, snapshot, last, .. } => {
                (self.term, self.hard) = (term, (term, vote));
                self.log.resize(snapshot.0, last);
                self.durable = last.0;
                self.commit = self.commit.max(snapshot.0);
                self.applied = self.applied.max(snapshot.0);
            }
            Body::Role { role, term, leader } => {
                (self.role, self.term, self.leader) = (Some(role), term, leader);
            }
            Body::HardState { term, vote } => self.hard = (term, vote),
            Body::Append { index, term, .. } => self.log.append(index, term),
            Body::Truncate { from } => {
                self.log.cut(from);
                self.durable = self.durable.min(self.log.last());
            }
            Body::Durable { last } => self.durable = last,
            Body::Commit { index } => self.commit = index,
            Body::Apply { index, .. } => self.applied = index,
            Body::Snapshot { index, .. } => self.log.base = index,
            Body::Install { index, term, .. } => {
                self.log = Log::default();
                self.log.resize(index, (index, term));
                (self.durable, self.commit, self.applied) = (index, index, index);
            }
            _ => {}
        }
    }
}

/// All nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nodes(Vec<Node>);

impl Nodes {
    /// So many nodes, none of which was booted.
    #[must_use]
    pub fn new(count: u32) -> Self {
        Self(vec![Node::default(); count as usize])
    }

    /// A node, from 1; `None` if there is none of that number.
    #[must_use]
    pub fn get(&self, node: NodeId) -> Option<&Node> {
        self.0.get(usize::try_from(node).ok()?.checked_sub(1)?)
    }

    /// Each node with its number.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        (1..).zip(&self.0)
    }

    /// Takes the next event into account.
    pub fn observe(&mut self, observed: &Observed<'_>) {
        let Some(node) = observed.event.node() else { return };
        if let Some(node) = (node as usize).checked_sub(1).and_then(|index| self.0.get_mut(index)) {
            node.observe(observed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_known_by_its_terms() {
        let mut log = Log::default();
        for (index, term) in [(1, 1), (2, 1), (3, 2), (4, 4)] {
            log.append(index, term);
        }
        assert_eq!([0, 1, 2, 3, 4, 5].map(|index| log.term(index)), [0, 1, 1, 2, 4, 0]);
        assert_eq!([1, 2, 3, 4].map(|term| log.first_of(term)), [Some(1), Some(3), None, Some(4)]);
        log.cut(3);
        assert_eq!((log.first(), log.last(), log.term(2), log.term(3)), (1, 2, 1, 0));
        log.append(3, 4);
        log.resize(0, (2, 1));
        assert_eq!((log.last(), log.term(2), log.term(3)), (2, 1, 0));
        log.resize(7, (9, 5));
        assert_eq!((log.first(), log.last(), log.term(9)), (8, 9, 5));
    }
}
