//! No guest traps: no panic, no bad pointer, no exceeded limit. A crash is somebody else's doing, and a deliberate halt
//! is no trap.

use super::model::{Fact, Model, Seen};
use super::verdict::{Finding, Verdict};

/// Judges whether guests behave as such.
#[derive(Clone, Debug, Default)]
pub(super) struct GuestTrap {
    pub(super) finding: Finding,
    booted: bool,
}

impl GuestTrap {
    pub(super) fn observe(&mut self, seen: &Seen, model: &Model) {
        match seen.fact {
            Fact::Booted => self.booted = true,
            Fact::Trapped => self.finding.violated(seen, || {
                let (node, boots) = (seen.node, model.node(seen.node).boots);
                format!("S{node} trapped in its boot {boots} (the log says how)")
            }),
            _ => {}
        }
    }

    pub(super) fn verdict(&self, _model: &Model) -> Verdict {
        self.finding.verdict((!self.booted).then_some("a node that booted"))
    }
}
