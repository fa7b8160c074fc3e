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
use super::tick::Ticks;
use super::{Seen, View};
use crate::event::Moot;
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
    /// What a diagram marks.
    pub marks: Marks,
    /// The causes that had nothing to act on, and why.
    moots: BTreeMap<u64, Moot>,
}

impl Tables {
    /// Why the cause of this number had nothing to act on; `None` if it had, or if it is none.
    #[must_use]
    pub fn moot(&self, event: u64) -> Option<Moot> {
        self.moots.get(&event).copied()
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
        self.messages.observe(seen, describe);
        self.operations.observe(seen);
        self.entries.observe(seen);
        self.bands.observe(seen, before);
        self.ticks.observe(seen, before);
        self.arrivals.observe(seen, &self.messages);
        self.marks.observe(seen, before);
    }
}
