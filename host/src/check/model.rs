//! What the notes say, put together: each node's log, durable state and role, and what is committed.
//!
//! The model believes the nodes; it is the checkers that judge. It is brought up to date once per event, and turns the
//! event into a [`Fact`] which says what changed, with what a checker could not know afterwards. What does not fit the
//! story so far is an [`Odd`] remark beside it.
//!
//! A node has one log here, the one in memory, of which the part up to [`Node::durable`] is on its disk too. A crash
//! leaves both as they are: while a node is down only its durable part counts, and what it finds when it boots again is
//! told by `Recovered`: more than was noted durable (an unsynced write survived), or less than was in memory. An entry
//! that is taken off in memory stops to be durable at once, although it may be on the disk a little longer. Snapshots
//! cut nothing here: what one covers is a prefix that somebody noted entry by entry, and is known by its hash.

mod log;

use super::Observed;
use super::quorum::Configuration;
use super::tree::{Id, ROOT, Tree};
use crate::clock::Clock;
use crate::event::{Cause, ClientId, Decision, Effect, Event, Micros, NodeId};
use raftbox_abi::client::Attempt;
use raftbox_abi::note::{Body, OWN_KINDS, ReadMode, Role};
use std::fmt;

/// A durable term, and the vote in it (0: none).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct HardState {
    pub(super) term: u64,
    pub(super) vote: NodeId,
}

/// One node, as it tells.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) up: bool,
    pub(super) boots: u32,
    /// Whether this boot told what it recovered.
    recovered: bool,
    /// In this boot, if it told, and in which term.
    pub(super) role: Option<(Role, u64)>,
    /// The current term, durable or not.
    pub(super) term: u64,
    pub(super) hard: HardState,
    /// All durable votes of all boots, by term.
    votes: Vec<(u64, NodeId)>,
    /// The log from index 1 on, each entry with its past.
    pub(super) log: Vec<Id>,
    /// Whether the log is known; it is not after a note that does not fit it.
    pub(super) known: bool,
    /// How many entries of the log are durable.
    pub(super) durable: u64,
    /// In this boot.
    pub(super) commit: u64,
    /// In this boot.
    pub(super) applied: u64,
    /// In this boot; unknown until it is noted.
    pub(super) configuration: Configuration,
    pub(super) clock: Clock,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            up: false,
            boots: 0,
            recovered: false,
            role: None,
            term: 0,
            hard: HardState::default(),
            votes: Vec::new(),
            log: Vec::new(),
            known: true,
            durable: 0,
            commit: 0,
            applied: 0,
            configuration: Configuration::default(),
            clock: Clock::default(),
        }
    }
}

impl Node {
    /// The last index of the log.
    pub(super) fn last(&self) -> u64 {
        self.log.len() as u64
    }

    /// The whole log.
    pub(super) fn end(&self) -> Id {
        self.log.last().copied().unwrap_or(ROOT)
    }

    /// The entry at an index, with its past; the root at 0.
    pub(super) fn at(&self, index: u64) -> Option<Id> {
        match index.checked_sub(1) {
            None => Some(ROOT),
            Some(place) => self.log.get(usize::try_from(place).ok()?).copied(),
        }
    }

    /// The durable vote in a term, of whatever boot.
    pub(super) fn voted(&self, term: u64) -> Option<NodeId> {
        let place = match self.votes.last() {
            Some((last, _)) if *last == term => self.votes.len() - 1,
            _ => self.votes.binary_search_by_key(&term, |(term, _)| *term).ok()?,
        };
        Some(self.votes[place].1)
    }

    /// Whether the entry, with its past, is on the disk.
    pub(super) fn has_durable(&self, index: u64, id: Id) -> bool {
        index <= self.durable && self.at(index) == Some(id)
    }

    fn cut(&mut self, last: u64) {
        self.log.truncate(usize::try_from(last).unwrap_or(usize::MAX));
        self.durable = self.durable.min(last);
        self.commit = self.commit.min(last);
    }
}

/// That a node led a term.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leadership {
    pub(super) term: u64,
    pub(super) node: NodeId,
    /// Its log when it was elected.
    pub(super) log: Id,
    pub(super) event: u64,
}

/// All that the notes say, of all nodes.
#[derive(Clone, Debug)]
pub(super) struct Model {
    /// From S1 on.
    nodes: Vec<Node>,
    pub(super) tree: Tree,
    /// By term.
    pub(super) leaderships: Vec<Leadership>,
    /// For each index from 1 on what was committed there first, and by whom.
    pub(super) committed: Vec<(Id, NodeId)>,
    /// The first note that was missing to know every log, if one was.
    pub(super) gap: Option<String>,
}

/// What changed, and in which event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) event: u64,
    pub(super) at: Micros,
    pub(super) node: NodeId,
    pub(super) fact: Fact,
    pub(super) odd: Option<Odd>,
}

/// What changed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fact {
    /// A node runs.
    Booted,
    /// A node runs no more.
    Down,
    /// A node did what no guest may.
    Trapped,
    /// A note changed nothing that has a name here.
    Told,
    /// A node told what it found on its disk. `lost` was durable and is gone; `clash` has the index and term of the last
    /// entry, and another past.
    Recovered { change: HardChange, lost: Option<Id>, clash: Option<Id> },
    /// Term and vote are durable.
    HardState { change: HardChange },
    /// A node told its role, and is a leader that it was not before.
    Elected { term: u64, rival: Option<NodeId>, again: bool },
    /// An entry was put at the end of the log, in place of others if it `replaced` some. `clash` has the same index and
    /// term, and another past or content.
    Appended { id: Id, clash: Option<Id>, replaced: Option<Removed> },
    /// Entries were taken off the log.
    Truncated(Removed),
    /// A leader's snapshot, that of `image`, took the log's place. `clash` has its index and term, and another past.
    Installed { removed: Option<Removed>, clash: Option<Id>, image: Option<Image> },
    /// A snapshot is durable. `own` is what the node's log has at its last index, if it reaches so far.
    Snapshot { index: u64, term: u64, image: Option<Image>, own: Option<Id>, applied: u64 },
    /// A client's read was answered.
    Read { client: ClientId, attempt: Attempt, mode: ReadMode, index: u64 },
    /// A node may answer reads until then, by its clock; 0: not any more.
    Lease { until: u64 },
    /// The log is durable up to somewhere.
    Durable,
    /// The commit index of a node was set to `index`, where its log ends with `id` then.
    Committed { index: u64, id: Id, before: u64, new: bool, clash: Option<Clash>, term: u64 },
    /// An entry was applied.
    Applied { index: u64, term: u64, command: u64, result: u64, before: u64 },
}

/// A snapshot: the log that it stands for, and the hash of the state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Image {
    pub(super) log: Id,
    pub(super) state: u64,
}

/// How the durable term and vote changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct HardChange {
    pub(super) before: HardState,
    pub(super) now: HardState,
    /// Another durable vote that was given in that term before.
    pub(super) other: Option<NodeId>,
}

/// Which entries were taken off a log: from one to the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Removed {
    pub(super) from: u64,
    pub(super) last: u64,
    /// The commit index then.
    pub(super) commit: u64,
}

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.last {
            write!(f, "entry {}", self.last)
        } else {
            write!(f, "entries {} to {}", self.from, self.last)
        }
    }
}

/// Two different entries that were committed at the same index.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clash {
    pub(super) mine: Id,
    pub(super) theirs: Id,
    /// Whose the other is.
    pub(super) by: NodeId,
}

/// Why a note does not fit the story so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Odd {
    Undecoded { kind: u32 },
    OtherGroup { group: u32 },
    WhileDown,
    NoRecovered,
    RecoveredAgain,
    RecoveredUnknown { last: (u64, u64) },
    SnapshotUnknown { index: u64, term: u64 },
    AppendBeyond { index: u64, last: u64 },
    AppendWithin { index: u64, last: u64 },
    AppendTerm { index: u64, term: u64, current: u64 },
    TruncateBeyond { from: u64, last: u64 },
    DurableBeyond { durable: u64, last: u64 },
    CommitBeyond { commit: u64, last: u64 },
    TermFell { from: u64, to: u64 },
}

type Change = (Fact, Option<Odd>);

/// Nothing to judge, and nothing odd.
const TOLD: Change = (Fact::Told, None);

impl Model {
    pub(super) fn new(nodes: u32) -> Self {
        Self {
            nodes: (0..nodes).map(|_| Node::default()).collect(),
            tree: Tree::default(),
            leaderships: Vec::new(),
            committed: Vec::new(),
            gap: None,
        }
    }

    /// What a node told.
    ///
    /// # Panics
    /// If there is no such node; but no [`Seen`] is about one.
    pub(super) fn node(&self, node: NodeId) -> &Node {
        self.find(node).expect("what was seen is about a node that there is")
    }

    /// What a node told, if there is such a node: a note may name any.
    pub(super) fn find(&self, node: NodeId) -> Option<&Node> {
        self.nodes.get(usize::try_from(node).ok()?.checked_sub(1)?)
    }

    fn node_mut(&mut self, node: NodeId) -> &mut Node {
        &mut self.nodes[node as usize - 1]
    }

    /// What was committed at an index first, if anything was.
    pub(super) fn committed_at(&self, index: u64) -> Option<Id> {
        match index.checked_sub(1) {
            None => Some(ROOT),
            Some(place) => self.committed.get(usize::try_from(place).ok()?).map(|(id, _)| *id),
        }
    }

    /// Up to which index a node knows what is committed; 0 for one that there is not.
    pub(super) fn commit_of(&self, node: NodeId) -> u64 {
        let place = (node as usize).checked_sub(1);
        place.and_then(|place| self.nodes.get(place)).map_or(0, |node| node.commit)
    }

    /// Up to which index anything is known to be committed, by anybody.
    pub(super) fn committed_to(&self) -> u64 {
        self.committed.len() as u64
    }

    /// Takes an event into the story; `None` if it is no part of it.
    pub(super) fn observe(&mut self, observed: &Observed<'_>) -> Option<Seen> {
        if let Event::Cause(Cause::Clock { node, jump, ppm }) = observed.event {
            if self.find(*node).is_some() {
                self.node_mut(*node).clock.set(observed.at, *jump, *ppm);
            }
            return None;
        }
        let node = match observed.event {
            Event::Effect(Effect::Note { node, .. } | Effect::Halted { node, .. } | Effect::Trapped { node })
            | Event::Cause(
                Cause::Boot { node, .. }
                | Cause::Crash { node }
                | Cause::Decide { node, decision: Decision::Crash, .. },
            ) => *node,
            _ => return None,
        };
        // A cause may name a node that there is not, and is moot then.
        self.find(node)?;
        let (fact, odd) = match observed.event {
            Event::Effect(Effect::Note { kind, .. }) => match observed.note {
                Some(note) if note.group == 0 => self.noted(observed.index, node, &note.body),
                Some(note) => (Fact::Told, Some(Odd::OtherGroup { group: note.group })),
                None if *kind >= OWN_KINDS => return None,
                None => (Fact::Told, Some(Odd::Undecoded { kind: *kind })),
            },
            Event::Cause(Cause::Boot { .. }) => (self.boot(node)?, None),
            Event::Effect(Effect::Trapped { .. }) => {
                self.stop(node);
                (Fact::Trapped, None)
            }
            _ => (self.stop(node)?, None),
        };
        Some(Seen { event: observed.index, at: observed.at, node, fact, odd })
    }

    /// A boot; a moot one if the node is up.
    fn boot(&mut self, node: NodeId) -> Option<Fact> {
        let node = self.node_mut(node);
        if node.up {
            return None;
        }
        (node.up, node.recovered, node.role) = (true, false, None);
        node.boots += 1;
        (node.term, node.commit, node.applied) = (0, 0, 0);
        node.configuration.clear();
        Some(Fact::Booted)
    }

    /// The end of a boot; a moot one if the node is down.
    fn stop(&mut self, node: NodeId) -> Option<Fact> {
        let node = self.node_mut(node);
        node.role = None;
        std::mem::take(&mut node.up).then_some(Fact::Down)
    }

    fn noted(&mut self, event: u64, node: NodeId, body: &Body) -> Change {
        if !self.node(node).up {
            return (Fact::Told, Some(Odd::WhileDown));
        }
        match *body {
            Body::Recovered { term, vote, snapshot, last, prefix } => {
                return self.recovered(node, HardState { term, vote }, snapshot, last, prefix);
            }
            Body::Role { role, term, .. } => return self.role(event, node, role, term),
            Body::HardState { term, vote } => {
                let change = self.hard_state(node, HardState { term, vote });
                return (Fact::HardState { change }, None);
            }
            Body::Config { ref voters, ref outgoing, .. } => {
                self.node_mut(node).configuration.set(voters, outgoing);
                return TOLD;
            }
            Body::Read { client, operation, mode, index } => {
                return (Fact::Read { client, attempt: Attempt::unpack(operation), mode, index }, None);
            }
            Body::Lease { until } => return (Fact::Lease { until }, None),
            Body::Refused { .. } | Body::Property { .. } => return TOLD,
            _ => {}
        }
        // All others are about the log.
        let odd = self.without_recovered(node);
        if !self.node(node).known {
            return (Fact::Told, odd);
        }
        match *body {
            Body::Append { index, term, kind, hash } => self.append(node, index, term, kind, hash),
            Body::Truncate { from } => self.truncate(node, from),
            Body::Durable { last } => self.durable(node, last),
            Body::Commit { index } => self.commit(node, index),
            Body::Apply { index, term, command, result } => {
                let before = std::mem::replace(&mut self.node_mut(node).applied, index);
                (Fact::Applied { index, term, command, result, before }, None)
            }
            Body::Snapshot { index, term, prefix, state } => self.snapshot(node, (index, term), prefix, state),
            Body::Install { index, term, prefix, state } => self.install(node, (index, term), prefix, state),
            _ => TOLD,
        }
    }

    /// A node speaks of its log: if it did not tell what it recovered, its log is not known.
    fn without_recovered(&mut self, node: NodeId) -> Option<Odd> {
        let Node { recovered, known, boots, .. } = *self.node(node);
        if recovered || !known {
            return None;
        }
        self.lose(node, || format!("what S{node} recovered in its boot {boots}"));
        Some(Odd::NoRecovered)
    }

    /// A node's log is not known any more, and no verdict that rests on logs can be a pass.
    fn lose(&mut self, node: NodeId, missing: impl FnOnce() -> String) {
        let node = self.node_mut(node);
        node.known = false;
        node.cut(0);
        self.gap.get_or_insert_with(missing);
    }

    fn role(&mut self, event: u64, id: NodeId, role: Role, term: u64) -> Change {
        let node = self.node_mut(id);
        let (before, current) = (node.role.replace((role, term)), node.term);
        node.term = current.max(term);
        let odd = (before.is_some() && term < current).then_some(Odd::TermFell { from: current, to: term });
        if role != Role::Leader || before == node.role {
            return (Fact::Told, odd);
        }
        let odd = odd.or(self.without_recovered(id));
        let place = self.leaderships.partition_point(|leadership| leadership.term <= term);
        let same = || self.leaderships[..place].iter().rev().take_while(|led| led.term == term);
        let rival = same().map(|led| led.node).find(|node| *node != id);
        let again = same().any(|led| led.node == id);
        let log = self.node(id).end();
        self.leaderships.insert(place, Leadership { term, node: id, log, event });
        (Fact::Elected { term, rival, again }, odd)
    }

    fn hard_state(&mut self, node: NodeId, now: HardState) -> HardChange {
        let node = self.node_mut(node);
        let before = std::mem::replace(&mut node.hard, now);
        node.term = node.term.max(now.term);
        let mut other = None;
        if now.vote != 0 && now != before {
            match node.votes.binary_search_by_key(&now.term, |(term, _)| *term) {
                Ok(place) => other = Some(node.votes[place].1).filter(|vote| *vote != now.vote),
                Err(place) => node.votes.insert(place, (now.term, now.vote)),
            }
        }
        HardChange { before, now, other }
    }
}
