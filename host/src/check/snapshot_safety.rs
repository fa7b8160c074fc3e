//! A snapshot equals the log that it replaces (thesis, 5.1): it covers what its node has applied of its own log, and whoever
//! has one of the same log has the same state in it.
//!
//! A snapshot is named by the hash of the log up to its end, and its state by a hash of its own. So a state that was built of
//! another log, or in which something was lost, shows as soon as two nodes have snapshots of one log: one that was sent and
//! installed is among them.

use super::model::{Fact, Image, Model, Seen};
use super::tree::Id;
use super::verdict::{Finding, Verdict, missing_commit};
use crate::event::NodeId;
use std::collections::BTreeMap;

/// Judges snapshots by the logs that they stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct SnapshotSafety {
    pub(super) finding: Finding,
    /// The state of each log that there is a snapshot of, and who told of it first.
    states: BTreeMap<Id, (u64, NodeId)>,
}

impl SnapshotSafety {
    pub(super) fn observe(&mut self, seen: &Seen, model: &Model) {
        match seen.fact {
            Fact::Snapshot { index, term, image, own, applied } => {
                self.taken(seen, model, (index, term), image, own, applied);
            }
            Fact::Installed { image: Some(image), .. } => self.compare(seen, model, image),
            _ => {}
        }
    }

    fn taken(
        &mut self,
        seen: &Seen,
        model: &Model,
        (index, term): (u64, u64),
        image: Option<Image>,
        own: Option<Id>,
        applied: u64,
    ) {
        let node = seen.node;
        if index > applied {
            return self.finding.violated(seen, || {
                format!(
                    "S{node} has a snapshot up to {index}@{term}, but has applied its log up to {applied} (thesis, 5.1)"
                )
            });
        }
        match (image, own) {
            (Some(image), Some(own)) if image.log == own => self.compare(seen, model, image),
            (_, Some(own)) => self.finding.violated(seen, || {
                let own = model.tree.log_name(own);
                format!("S{node} has a snapshot up to {index}@{term} of another log than its own, {own} (thesis, 5.1)")
            }),
            // Whose log is not known, the checker of notes tells.
            (_, None) => {}
        }
    }

    fn compare(&mut self, seen: &Seen, model: &Model, Image { log, state }: Image) {
        let (first, by) = *self.states.entry(log).or_insert((state, seen.node));
        if first != state {
            self.finding.violated(seen, || {
                let (node, name) = (seen.node, model.tree.name(log));
                format!("S{node} has another state in its snapshot up to {name} than S{by} had (thesis, 5.1)")
            });
        }
    }

    pub(super) fn verdict(&self, model: &Model) -> Verdict {
        self.finding.verdict(missing_commit(model).or(model.gap.as_deref()))
    }
}
