//! Logs that have an entry of the same index and term are equal up to there (Log Matching; paper, 5.3).
//!
//! The model keeps all logs in one tree, so a log that breaks the rule shows itself when it adds a tree node of an index
//! and term that are there already.

use super::model::{Fact, Model, Seen};
use super::tree::Id;
use super::verdict::{Finding, Verdict};

/// Judges whether all logs fit together.
#[derive(Clone, Debug, Default)]
pub(super) struct LogMatching {
    pub(super) finding: Finding,
    appended: bool,
}

impl LogMatching {
    pub(super) fn observe(&mut self, seen: &Seen, model: &Model) {
        let (how, clash) = match seen.fact {
            Fact::Appended { clash, .. } => {
                self.appended = true;
                ("appended", clash)
            }
            Fact::Recovered { clash, .. } => ("recovered a log up to", clash),
            Fact::Installed { clash, .. } => ("installed a snapshot up to", clash),
            _ => return,
        };
        if let Some(clash) = clash {
            let mine = match seen.fact {
                Fact::Appended { id, .. } => Some(id),
                _ => None,
            };
            self.finding.violated(seen, || {
                let name = model.tree.name(clash);
                let why = describe(model, mine, clash);
                format!("S{} {how} {name} with {why} (Log Matching, 5.3)", seen.node)
            });
        }
    }

    pub(super) fn verdict(&self, model: &Model) -> Verdict {
        let missing = (!self.appended).then_some("an entry that was appended");
        self.finding.verdict(missing.or(model.gap.as_deref()))
    }
}

/// What is different; if only a hash is known of one side, that is all that can be said.
fn describe(model: &Model, mine: Option<Id>, theirs: Id) -> &'static str {
    match mine.map(|mine| (model.tree.entry(mine), model.tree.entry(theirs))) {
        Some((mine, theirs)) if mine.kind != theirs.kind => "content of another kind than another log has there",
        Some((mine, theirs)) if mine.hash != theirs.hash => "another command than another log has there",
        Some(_) => "other entries before it than another log has",
        None => "a hash that no known log has there",
    }
}
