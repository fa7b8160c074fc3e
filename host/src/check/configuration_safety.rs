//! No two disjoint sets of nodes decide: any quorum by which an entry was committed has a node in common with any quorum of
//! the configuration that decided just before it in the log (thesis, 4.1 and 4.3).
//!
//! A commit is a decision by the configuration of who notes it first. Decisions are put in the order of the log, since an
//! old leader may hear late of what it has committed.

use super::model::{Fact, Model, Seen};
use super::quorum::Configuration;
use super::verdict::{Finding, Verdict};

/// Judges each configuration that decides by the ones that decided before and after it.
#[derive(Clone, Debug, Default)]
pub(super) struct ConfigurationSafety {
    pub(super) finding: Finding,
    committed: bool,
    /// From which index on which configuration decided, in the order of the log; neighbours differ.
    decided: Vec<(u64, Configuration)>,
    /// The first commit whose voters are not known.
    without_configuration: Option<String>,
}

impl ConfigurationSafety {
    pub(super) fn observe(&mut self, seen: &Seen, model: &Model) {
        let Fact::Committed { index, new: true, .. } = seen.fact else { return };
        self.committed = true;
        let configuration = &model.node(seen.node).configuration;
        if !configuration.is_known() {
            let missing = || format!("the configuration of S{}, which committed up to {index}", seen.node);
            self.without_configuration.get_or_insert_with(missing);
            return;
        }
        let place = self.decided.partition_point(|(from, _)| *from <= index);
        let (before, after) = self.decided.split_at(place);
        if before.last().is_some_and(|(_, other)| other == configuration) {
            return;
        }
        for (from, other) in before.last().into_iter().chain(after.first()) {
            if let Some((some, others)) = other.apart_from(configuration) {
                self.finding.violated(seen, || {
                    format!(
                        "S{} committed {index} by the quorums of {configuration}, and {from} was committed by those of \
                         {other}: {others} are one, {some} another, and have no node in common (thesis, 4.1)",
                        seen.node
                    )
                });
            }
        }
        self.decided.insert(place, (index, configuration.clone()));
    }

    pub(super) fn verdict(&self, _: &Model) -> Verdict {
        let missing = if self.committed { self.without_configuration.as_deref() } else { Some("a commit") };
        self.finding.verdict(missing)
    }
}
