//! What is committed is durable on a quorum, and all commits agree (paper, 5.3 and 5.4): the reason why it survives.
//!
//! An entry is judged when it is noted committed by anybody for the first time, in the configuration of who notes it. A
//! copy counts if it is that very entry, with all that comes before it, and on the node's disk, whether the node is up or
//! not.

use super::model::{Clash, Fact, Model, Seen};
use super::tree::Id;
use super::verdict::{Finding, Verdict};

/// Judges commits by who has a copy.
#[derive(Clone, Debug, Default)]
pub(super) struct CommitIsDurable {
    pub(super) finding: Finding,
    /// Whether anybody ever noted a durable entry.
    told: bool,
    committed: bool,
    /// The first commit whose voters are not known.
    without_configuration: Option<String>,
}

impl CommitIsDurable {
    pub(super) fn observe(&mut self, seen: &Seen, model: &Model) {
        match seen.fact {
            Fact::Durable if !self.told => {
                self.told = true;
                self.finding.confirm();
            }
            Fact::Committed { clash: Some(clash), .. } => self.disagree(seen, model, clash),
            Fact::Committed { index, id, new: true, .. } => {
                self.committed = true;
                self.committed(seen, model, index, id);
            }
            _ => {}
        }
    }

    fn disagree(&mut self, seen: &Seen, model: &Model, Clash { mine, theirs, by }: Clash) {
        self.finding.violated(seen, || {
            let (mine, theirs) = (model.tree.name(mine), model.tree.name(theirs));
            format!(
                "S{} committed {mine}, where S{by} had committed {theirs}{} (5.4)",
                seen.node,
                if mine == theirs { " with other content" } else { "" }
            )
        });
    }

    fn committed(&mut self, seen: &Seen, model: &Model, index: u64, id: Id) {
        let committer = seen.node;
        let voters = &model.node(committer).configuration;
        if !voters.is_known() {
            let missing = || format!("the configuration of S{committer}, which committed up to {index}");
            self.without_configuration.get_or_insert_with(missing);
            return;
        }
        let copies = |node| model.find(node).is_some_and(|voter| voter.has_durable(index, id));
        // Where a log is not known, nobody can tell who has a copy.
        if voters.is_quorum(copies) || model.gap.is_some() {
            return;
        }
        let what = || {
            let (name, those) = (model.tree.name(id), voters.those(copies));
            format!(
                "S{committer} committed {name} with durable copies on {those}, no quorum of {voters} \
                 (5.3)"
            )
        };
        if self.told {
            self.finding.violated(seen, what);
        } else {
            self.finding.doubted(seen, what);
        }
    }

    pub(super) fn verdict(&self, model: &Model) -> Verdict {
        let missing = if !self.committed {
            Some("a commit")
        } else if !self.told {
            Some("a durable entry")
        } else {
            self.without_configuration.as_deref().or(model.gap.as_deref())
        };
        self.finding.verdict(missing)
    }
}
