//! What each leader knows and hopes of each follower: match and next index, as far as messages prove them.
//!
//! No note tells them. But a leader begins each append at the follower's *next* index and learns *match* from the answers
//! (paper, figure 2), so both can be read off what it sent and got. Like a leader they are probed at first: until an answer
//! accepts, an append that is under way does not move next; afterwards each does, and a refusal takes it back.
//!
//! This reads the words of [messages](super::message). Of a guest with words of its own nothing is known here.

use super::message::{Message, Messages};
use super::{Seen, View};
use crate::event::{Cause, Effect, Endpoint, Event, MessageName, NodeId};
use raftbox_abi::note::Role;
use std::collections::BTreeMap;

/// What a leader knows and hopes of a follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
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
    /// No answer has accepted anything since the last refusal.
    probing: bool,
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
                all.extend(step.map(|Step { matched, next, .. }| Progress {
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
            _ => {}
        }
    }

    fn sends(&mut self, pair: (NodeId, NodeId), event: u64, message: &Message) {
        let (Some(term), Some(prev)) = (field(message, "term"), field(message, "prev")) else { return };
        let last = self.last(pair, term);
        let (matched, probing) = last.map_or((0, true), |step| (step.matched, step.probing));
        let entries = if probing { 0 } else { field(message, "entries").unwrap_or(0) };
        let next = prev.saturating_add(entries).saturating_add(1);
        self.step(pair, Step { event, term, matched, next, probing });
    }

    fn gets(&mut self, pair: (NodeId, NodeId), event: u64, message: &Message) {
        let Some(term) = field(message, "term") else { return };
        let Some(last) = self.last(pair, term) else { return };
        if let Some(index) = field(message, "match") {
            // What was overtaken by a later answer moves nothing back.
            if index >= last.matched {
                let next = last.next.max(index.saturating_add(1));
                self.step(pair, Step { event, matched: index, next, probing: false, ..last });
            }
            return;
        }
        let retry = field(message, "first").or_else(|| field(message, "last").map(|last| last.saturating_add(1)));
        let (Some(prev), Some(retry)) = (field(message, "prev"), retry) else { return };
        let old = prev <= last.matched || prev >= last.next || last.probing && prev.saturating_add(1) != last.next;
        if !old {
            let next = retry.max(last.matched.saturating_add(1)).min(prev);
            self.step(pair, Step { event, next, probing: true, ..last });
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

/// A number among a message's fields; of `index@term` the index.
fn field(message: &Message, name: &str) -> Option<u64> {
    let (_, value) = message.fields().find(|(field, _)| *field == name)?;
    value.split('@').next()?.parse().ok()
}
