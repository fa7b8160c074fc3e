//! A node has at most one durable vote in a term, over all its boots (paper, 5.2 and figure 2).
//!
//! A vote that was lost in a crash before it was durable was never sent, so it may be given again, to another.

use super::model::{Fact, Model, Seen};
use super::verdict::{Finding, Verdict};

/// Judges whether a node voted twice.
#[derive(Clone, Debug, Default)]
pub(super) struct OneDurableVote {
    pub(super) finding: Finding,
    voted: bool,
}

impl OneDurableVote {
    pub(super) fn observe(&mut self, seen: &Seen, _model: &Model) {
        let (Fact::HardState { change } | Fact::Recovered { change, .. }) = seen.fact else {
            return;
        };
        self.voted |= change.now.vote != 0;
        if let Some(other) = change.other {
            let (node, now) = (seen.node, change.now);
            self.finding.violated(seen, || {
                format!(
                    "S{node} had durable votes for S{other} and for S{} in term {} (one vote in a \
                     term; 5.2)",
                    now.vote, now.term
                )
            });
        }
    }

    pub(super) fn verdict(&self, _model: &Model) -> Verdict {
        self.finding.verdict((!self.voted).then_some("a durable vote"))
    }
}
