//! Within a boot, the commit index of a node never falls, and what it noted committed stays in its log (paper, figure 2:
//! the commit index increases monotonically). Across boots it may: it is volatile.

use super::model::{Fact, Model, Removed, Seen};
use super::verdict::{Finding, Verdict};

/// Judges commit indexes by what they were before.
#[derive(Clone, Debug, Default)]
pub(super) struct CommitMonotonic {
    pub(super) finding: Finding,
    committed: bool,
}

impl CommitMonotonic {
    pub(super) fn observe(&mut self, seen: &Seen, _model: &Model) {
        let node = seen.node;
        match seen.fact {
            Fact::Committed { index, before, .. } => {
                self.committed = true;
                if index < before {
                    self.finding.violated(seen, || {
                        format!(
                            "S{node} lowered its commit index from {before} to {index} within a boot \
                             (figure 2)"
                        )
                    });
                }
            }
            Fact::Truncated(removed)
            | Fact::Appended { replaced: Some(removed), .. }
            | Fact::Installed { removed: Some(removed), .. } => {
                let Removed { from, commit, .. } = removed;
                if from <= commit {
                    self.finding.violated(seen, || {
                        format!(
                            "S{node} took the entries from {from} on off its log, when it had \
                             committed up to {commit} (figure 2)"
                        )
                    });
                }
            }
            _ => {}
        }
    }

    pub(super) fn verdict(&self, _model: &Model) -> Verdict {
        self.finding.verdict((!self.committed).then_some("a commit"))
    }
}
