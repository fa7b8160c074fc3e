//! What each leader knows and hopes of each follower: match and next index, and how it sends, as far as messages prove them.
//!
//! No note tells them. But a leader begins each append at the follower's *next* index and learns *match* from the answers
//! (paper, figure 2), so both can be read off what it sent and got. Like a leader they are probed at first: until an answer
//! accepts, an append that is under way does not move next; afterwards each does, and a refusal takes it back. To whom the
//! log would not help it sends a snapshot instead, until that is acknowledged.
//!
//! This reads the words of [messages](super::message). Of a guest with words of its own nothing is known here.

use super::message::{Message, Messages};
use super::{Seen, View};
use crate::event::{Cause, Effect, Endpoint, Event, MessageName, NodeId};
use raftbox_abi::note::Role;
use std::collections::BTreeMap;

/// How a leader sends to a follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One append at a time, to find where the logs agree.
    Probing,
    /// Appends ahead of their answers.
    Replicating,
    /// A snapshot, of which the follower has so many of so many bytes.
    Snapshot {
        /// How many it said that it has.
        received: u64,
        /// Of how many.
        of: u64,
    },
}

/// What a leader knows and hopes of a follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How it sends.
    pub mode: Mode,
    /// Who leads.
    pub leader: NodeId,
    /// The term that it leads.
    pub term: u64,
    /// Of whom it is.
    pub follower: NodeId,
    /// The follower has the leader's log up to here; 0 if nothing is known.
    pub matched: u64,
    /// The next append starts here.
    pub next: u64,
}

/// The state of a pair since an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    event: u64,
    term: u64,
    matched: u64,
    next: u64,
    /// Probing as long as no answer has accepted anything since the last refusal.
    mode: Mode,
}

/// What every leader of a run knew and hoped, in order.
#[derive(Clone, Debug, Default)]
pub struct Replications {
    /// By leader and follower.
    pairs: BTreeMap<(NodeId, NodeId), Vec<Step>>,
}

impl Replications {
    /// What everybody who leads knows and hopes in this state, an old leader that was not told yet included.
    #[must_use]
    pub fn at(&self, view: &View) -> Vec<Progress> {
        let Some(now) = view.after else { return Vec::new() };
        let mut all = Vec::new();
        for (leader, node) in view.nodes() {
            if node.noted.role != Some(Role::Leader) || !node.noted.state.is_up() {
                continue;
            }
            let term = node.noted.term;
            for ((_, follower), steps) in self.pairs.range((leader, 0)..=(leader, NodeId::MAX)) {
                let place = steps.partition_point(|step| step.event <= now.event);
                let step = place.checked_sub(1).map(|place| steps[place]).filter(|step| step.term == term);
                all.extend(step.map(|Step { matched, next, mode, .. }| Progress {
                    mode,
                    leader,
                    term,
                    follower: *follower,
                    matched,
                    next,
                }));
            }
        }
        all
    }

    /// Takes the next event into account; what it says is in `messages` already.
    pub(super) fn observe(&mut self, seen: &Seen<'_>, messages: &Messages) {
        let event = seen.observed.index;
        let (name, arrives) = match seen.observed.event {
            Event::Effect(Effect::Sent { message, .. }) => (*message, false),
            Event::Cause(Cause::Deliver { message, alterations, .. })
                if seen.moot.is_none() && alterations.is_empty() =>
            {
                (*message, true)
            }
            _ => return,
        };
        let MessageName { from: Endpoint::Node(from), to: Endpoint::Node(to), .. } = name else { return };
        let Some(message) = messages.get(name) else { return };
        match (message.kind(), arrives) {
            ("append", false) => self.sends((from, to), event, message),
            ("append-reply", true) => self.gets((to, from), event, message),
            ("snapshot", false) => self.sends_snapshot((from, to), event, message),
            ("snapshot-reply", true) => self.gets_snapshot_reply((to, from), event, message),
            _ => {}
        }
    }

    fn sends(&mut self, pair: (NodeId, NodeId), event: u64, message: &Message) {
        let (Some(term), Some(prev)) = (field(message, "term"), field(message, "prev")) else { return };
        let last = self.last(pair, term);
        let (matched, mode) = last.map_or((0, Mode::Probing), |step| (step.matched, step.mode));
        let entries = if mode == Mode::Replicating { field(message, "entries").unwrap_or(0) } else { 0 };
        let next = prev.saturating_add(entries).saturating_add(1);
        self.step(pair, Step { event, term, matched, next, mode });
    }

    fn sends_snapshot(&mut self, pair: (NodeId, NodeId), event: u64, message: &Message) {
        let (Some(term), Some(last)) = (field(message, "term"), field(message, "last")) else { return };
        let (Some(from), Some(of)) = (field(message, "bytes"), field(message, "of")) else { return };
        let matched = self.last(pair, term).map_or(0, |step| step.matched);
        let (next, mode) = (last.saturating_add(1), Mode::Snapshot { received: from, of });
        self.step(pair, Step { event, term, matched, next, mode });
    }

    fn gets_snapshot_reply(&mut self, pair: (NodeId, NodeId), event: u64, message: &Message) {
        let Some(received) = field(message, "received") else { return };
        let Some(last) = field(message, "term").and_then(|term| self.last(pair, term)) else { return };
        if let (Mode::Snapshot { of, .. }, Some(end)) = (last.mode, field(message, "last"))
            && last.next == end.saturating_add(1)
        {
            self.step(pair, Step { event, mode: Mode::Snapshot { received, of }, ..last });
        }
    }

    fn gets(&mut self, pair: (NodeId, NodeId), event: u64, message: &Message) {
        let Some(term) = field(message, "term") else { return };
        let Some(last) = self.last(pair, term) else { return };
        if let Some(index) = field(message, "match") {
            // What was overtaken by a later answer moves nothing back.
            if index >= last.matched {
                let next = last.next.max(index.saturating_add(1));
                let sends_it = matches!(last.mode, Mode::Snapshot { .. }) && index.saturating_add(1) < last.next;
                let mode = if sends_it { last.mode } else { Mode::Replicating };
                self.step(pair, Step { event, matched: index, next, mode, ..last });
            }
            return;
        }
        let retry = field(message, "first").or_else(|| field(message, "last").map(|last| last.saturating_add(1)));
        let (Some(prev), Some(retry)) = (field(message, "prev"), retry) else { return };
        let old = prev <= last.matched
            || prev >= last.next
            || last.mode == Mode::Probing && prev.saturating_add(1) != last.next;
        if !old && !matches!(last.mode, Mode::Snapshot { .. }) {
            let next = retry.max(last.matched.saturating_add(1)).min(prev);
            self.step(pair, Step { event, next, mode: Mode::Probing, ..last });
        }
    }

    /// How the pair stands, if anything is known of it in this term.
    fn last(&self, pair: (NodeId, NodeId), term: u64) -> Option<Step> {
        self.pairs.get(&pair)?.last().copied().filter(|step| step.term == term)
    }

    fn step(&mut self, pair: (NodeId, NodeId), step: Step) {
        let steps = self.pairs.entry(pair).or_default();
        let same = |last: &Step| Step { event: step.event, ..*last } == step;
        if !steps.last().is_some_and(same) {
            steps.push(step);
        }
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Probing => f.write_str("probes"),
            Self::Replicating => f.write_str("replicates"),
            Self::Snapshot { received, of } => write!(f, "sends a snapshot, {received} of {of} bytes"),
        }
    }
}

/// A number among a message's fields; of `index@term` the index, of `from..to` the first.
fn field(message: &Message, name: &str) -> Option<u64> {
    let (_, value) = message.fields().find(|(field, _)| *field == name)?;
    value.split(['@', '.']).next()?.parse().ok()
}
