//! What guests claim of themselves: what holds always holds each time that it is told, and what is unreachable is not reached.
//! Of a guest that claims nothing there is nothing to say. What is to be so sometimes only a campaign can tell
//! ([`Tally::never`](crate::hunt::tally::Tally::never)).

use super::Observed;
use super::verdict::{Verdict, Violation};
use crate::event::{Effect, Event};
use raftbox_abi::note::{Body, PropertyKind};

#[derive(Clone, Debug, Default)]
pub(super) struct OwnProperties {
    /// Whether anything is claimed.
    claimed: bool,
    violation: Option<Violation>,
}

impl OwnProperties {
    pub(super) fn observe(&mut self, observed: &Observed<'_>) {
        let (Event::Effect(Effect::Note { node, .. }), Some(note)) = (observed.event, observed.note) else { return };
        let Body::Property { kind, value, name } = &note.body else { return };
        self.claimed = true;
        let what = match (kind, value) {
            (PropertyKind::Always, false) => format!("S{node} says that {name:?} does not hold"),
            (PropertyKind::Unreachable, true) => format!("S{node} says that it is at {name:?}"),
            _ => return,
        };
        if self.violation.is_none() {
            self.violation = Some(Violation { event: observed.index, at: observed.at, what });
        }
    }

    pub(super) fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// `None` if nothing is claimed.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        self.claimed.then(|| self.violation.as_ref().map_or(Verdict::Pass, Verdict::from))
    }
}
