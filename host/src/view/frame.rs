//! The state after one event.
//!
//! [`View`] is a fold over the events of a run, as [`nodes`](crate::nodes) is; it holds what changes from event to event, and
//! is small, because a recording keeps many. What is known of a message or an operation by its whole length stands in the
//! [tables](super::tables), once.

use super::entry::{Cell, Entries};
use super::node::Node;
use super::{Moment, Seen};
use crate::cuts::Cuts;
use crate::event::{Cause, Effect, Event, MessageName, Micros, Moot, NodeId};
use crate::nodes::State;
use raftbox_abi::note::{Body, Role};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// The state of a run after one of its events, or before the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The event; `None` before the first.
    pub after: Option<Moment>,
    /// The links that are cut.
    pub cuts: Cuts,
    /// The messages that the network holds.
    pub mail: BTreeSet<MessageName>,
    /// The highest commit index that any node noted so far.
    pub commit: u64,
    nodes: Vec<Node>,
}

impl View {
    /// Before the first event of a run of so many nodes.
    #[must_use]
    pub fn new(nodes: u32) -> Self {
        let nodes = vec![Node::default(); nodes as usize];
        Self { after: None, cuts: Cuts::default(), mail: BTreeSet::new(), commit: 0, nodes }
    }

    /// The time of the event; 0 before the first.
    #[must_use]
    pub fn at(&self) -> Micros {
        self.after.map_or(0, |moment| moment.at)
    }

    /// A node, from 1; `None` if there is none of that number.
    #[must_use]
    pub fn node(&self, node: NodeId) -> Option<&Node> {
        self.nodes.get(usize::try_from(node).ok()?.checked_sub(1)?)
    }

    /// Each node with its number.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        (1..).zip(&self.nodes)
    }

    /// The node that runs and leads the highest term, if any does. Another that leads an older term does not know yet.
    #[must_use]
    pub fn leader(&self) -> Option<NodeId> {
        let leads = |node: &Node| node.noted.role == Some(Role::Leader) && node.noted.state.is_up();
        let leaders = self.nodes().filter(|(_, node)| leads(node));
        leaders.max_by_key(|(_, node)| node.noted.term).map(|(id, _)| id)
    }

    /// The voters of the configuration that a node goes by, and those that are to go out of force, if it noted one; else
    /// everybody.
    #[must_use]
    pub fn voters(&self, node: NodeId) -> (Vec<NodeId>, Vec<NodeId>) {
        match self.node(node).and_then(|node| node.members.as_ref()) {
            Some(members) => (members.voters.clone(), members.outgoing.clone()),
            None => (self.nodes().map(|(id, _)| id).collect(), Vec::new()),
        }
    }

    /// Whether a node runs, paused or not.
    #[must_use]
    pub fn is_up(&self, node: NodeId) -> bool {
        self.node(node).is_some_and(|node| node.noted.state.is_up())
    }

    /// Whether a node is paused.
    #[must_use]
    pub fn is_paused(&self, node: NodeId) -> bool {
        self.node(node).is_some_and(|node| node.noted.state == State::Paused)
    }

    /// The entries of a node's log whose index is in the range; what a snapshot covers is none of them.
    #[must_use]
    pub fn cells(&self, node: NodeId, entries: &Entries, range: RangeInclusive<u64>) -> Vec<Cell> {
        let Some(noted) = self.node(node).map(|node| &node.noted) else { return Vec::new() };
        let (from, to) = (noted.log.first().max(*range.start()), noted.log.last().min(*range.end()));
        let cell = |index| {
            let term = noted.log.term(index);
            Cell {
                index,
                term,
                durable: index <= noted.durable,
                committed: index <= noted.commit,
                applied: index <= noted.applied,
                differs: entries.get(index, term).is_some_and(|entry| entry.differs),
            }
        };
        (from..=to).map(cell).collect()
    }

    /// Takes the next event into account.
    pub fn observe(&mut self, seen: &Seen<'_>, entries: &Entries) {
        self.after = Some(seen.moment());
        match seen.observed.event {
            Event::Effect(Effect::Sent { message, .. }) => drop(self.mail.insert(*message)),
            // What a paused node is to get stays where it is; what nobody holds is not there to be taken.
            Event::Cause(Cause::Deliver { message, keep: false, .. } | Cause::Lose { message, keep: false })
                if seen.moot != Some(Moot::NodePaused) =>
            {
                self.mail.remove(message);
            }
            Event::Cause(Cause::Link { from, to, up }) => self.cuts.set(*from, *to, *up),
            Event::Effect(Effect::Note { .. }) => {
                if let Some(Body::Commit { index }) = seen.observed.note.map(|note| &note.body) {
                    self.commit = self.commit.max(*index);
                }
            }
            _ => {}
        }
        let Some(node) = seen.observed.event.node() else { return };
        if let Some(node) = (node as usize).checked_sub(1).and_then(|index| self.nodes.get_mut(index)) {
            node.observe(seen, entries);
        }
    }
}
