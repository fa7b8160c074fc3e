//! At most one leader in a term (Election Safety; paper, 5.2).

use super::model::{Fact, Model, Seen};
use super::verdict::{Finding, Verdict};

/// Judges whether two nodes led the same term, over all their boots.
#[derive(Clone, Debug, Default)]
pub(super) struct ElectionSafety {
    pub(super) finding: Finding,
}

impl ElectionSafety {
    pub(super) fn observe(&mut self, seen: &Seen, _model: &Model) {
        if let Fact::Elected { term, rival: Some(rival), .. } = seen.fact {
            let node = seen.node;
            self.finding.violated(seen, || format!("S{rival} and S{node} both led term {term} (Election Safety, 5.2)"));
        }
    }

    pub(super) fn verdict(&self, model: &Model) -> Verdict {
        let missing = model.leaderships.is_empty().then_some("a leader");
        self.finding.verdict(missing)
    }
}
