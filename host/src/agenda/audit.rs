//! The end of a run: when all is healed and every client has its answers, the auditor reads every key; a little later it is
//! over.

use super::Agenda;
use super::queue::Item;
use crate::event::Micros;

/// How long a run goes on after the last read, so that followers learn what was committed; and where they have to, since only
/// a majority was healed.
const LINGER: [Micros; 2] = [500_000, 2_000_000];

/// How far the reading of every key has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audit {
    /// It begins as soon as all is healed and every client has its answers.
    Due,
    /// It goes on; and again after it, if somebody has acted meanwhile.
    Running { again: bool },
    /// It is over.
    Done,
}

impl Agenda {
    /// Lets the auditor begin, once all is healed and every client has its answers.
    pub(super) fn audit(&mut self) {
        if self.healed && self.audited == Audit::Due && self.workload.is_idle() {
            self.audited = Audit::Running { again: false };
            self.workload.audit(self.now, &mut self.queue);
        }
    }

    /// The auditor has read every key.
    pub(super) fn audit_ends(&mut self, again: bool) {
        if again {
            self.audited = Audit::Due;
            self.audit();
        } else {
            self.audited = Audit::Done;
            self.end_at(self.now + LINGER[usize::from(self.core.len() < self.nodes.len())]);
        }
    }

    pub(super) fn end_at(&mut self, at: Micros) {
        self.queue.push(at, Item::End);
    }
}
