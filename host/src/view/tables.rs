//! What is known of a run by its whole length, so far as it has come.
//!
//! Each table grows with the run and forgets nothing. What stands in it is told with the events at which it began and
//! ended, so that it can be read as it was after any event: as it was seen then, and also with what came of it later.

use super::band::Bands;
use super::causality::Arrivals;
use super::client::Operations;
use super::diagram::Marks;
use super::entry::Entries;
use super::message::Messages;
use super::replication::Replications;
use super::tick::Ticks;
use super::{Seen, View};
use crate::event::{Effect, Event, Moot, NodeId};
use raftbox_abi::note::Body;
use std::collections::BTreeMap;

/// What is known of a run by its whole length.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Messages, and what became of them.
    pub messages: Messages,
    /// Operations of clients, and what became of them.
    pub operations: Operations,
    /// Entries of logs, and who asked for them.
    pub entries: Entries,
    /// Spans of time in which something is broken.
    pub bands: Bands,
    /// Events that are worth a jump.
    pub ticks: Ticks,
    /// What arrived, for what happened before what.
    pub arrivals: Arrivals,
    /// What leaders know and hope of their followers.
    pub replications: Replications,
    /// What a diagram marks.
    pub marks: Marks,
    /// The causes that had nothing to act on, and why.
    moots: BTreeMap<u64, Moot>,
    /// The events in which a node noted that it turned another down, by both.
    refusals: BTreeMap<(NodeId, NodeId), Vec<u64>>,
}

impl Tables {
    /// Why the cause of this number had nothing to act on; `None` if it had, or if it is none.
    #[must_use]
    pub fn moot(&self, event: u64) -> Option<Moot> {
        self.moots.get(&event).copied()
    }

    /// The last event up to this one in which a node noted that it turned another down.
    #[must_use]
    pub fn refusal(&self, node: NodeId, peer: NodeId, event: u64) -> Option<u64> {
        let refusals = self.refusals.get(&(node, peer))?;
        let before = refusals.partition_point(|refusal| *refusal <= event);
        refusals.get(before.checked_sub(1)?).copied()
    }

    /// Takes the next event into account; `before` is the state before it.
    pub(super) fn observe(
        &mut self,
        seen: &Seen<'_>,
        before: &View,
        describe: &mut dyn FnMut(&[u8]) -> Option<String>,
    ) {
        if let Some(moot) = seen.moot {
            self.moots.insert(seen.observed.index, moot);
        }
        if let (Event::Effect(Effect::Note { node, .. }), Some(note)) = (seen.observed.event, seen.observed.note)
            && let Body::Refused { peer, .. } = note.body
        {
            self.refusals.entry((*node, peer)).or_default().push(seen.observed.index);
        }
        self.messages.observe(seen, describe);
        self.operations.observe(seen);
        self.entries.observe(seen);
        self.bands.observe(seen, before);
        self.ticks.observe(seen, before);
        self.arrivals.observe(seen, &self.messages);
        self.replications.observe(seen, &self.messages);
        self.marks.observe(seen, before);
    }
}
