//! A leader never overwrites or deletes entries of its log; it only appends new ones (Leader Append-Only; paper, 5.3).

use super::model::{Fact, Model, Seen};
use super::verdict::{Finding, Verdict};
use raftbox_abi::note::Role;

/// Judges what leaders do to their own logs.
#[derive(Clone, Debug, Default)]
pub(super) struct LeaderAppendOnly {
    pub(super) finding: Finding,
}

impl LeaderAppendOnly {
    pub(super) fn observe(&mut self, seen: &Seen, model: &Model) {
        let (how, removed) = match seen.fact {
            Fact::Truncated(removed) => ("deleted", removed),
            Fact::Appended { replaced: Some(removed), .. } => ("overwrote", removed),
            Fact::Installed { removed: Some(removed), .. } => ("let a snapshot replace", removed),
            _ => return,
        };
        let node = model.node(seen.node);
        if let Some((Role::Leader, term)) = node.role {
            let id = seen.node;
            self.finding.violated(seen, || {
                format!(
                    "S{id} {how} {removed} of its log while it led term {term} (Leader Append-Only, \
                     5.3)"
                )
            });
        }
    }

    pub(super) fn verdict(&self, model: &Model) -> Verdict {
        let missing = model.leaderships.is_empty().then_some("a leader");
        self.finding.verdict(missing.or(model.gap.as_deref()))
    }
}
