//! What is durable stays: the term never falls, the vote of a term does not change, and a boot finds at least what was
//! noted durable before (paper, figure 2: term, vote and log are persistent state).

use super::model::{Fact, HardState, Model, Seen};
use super::verdict::{Finding, Verdict};

/// Judges durable terms, votes and logs by what they were before.
#[derive(Clone, Debug, Default)]
pub(super) struct DurableStateMonotonic {
    pub(super) finding: Finding,
    told: bool,
}

impl DurableStateMonotonic {
    pub(super) fn observe(&mut self, seen: &Seen, model: &Model) {
        let (verb, change, lost) = match seen.fact {
            Fact::HardState { change } => ("noted durable", change, None),
            Fact::Recovered { change, lost, .. } => ("recovered", change, lost),
            _ => return,
        };
        self.told = true;
        let (node, before, now) = (seen.node, change.before, change.now);
        let changed = now.term == before.term && before.vote != 0 && now.vote != before.vote;
        if now.term < before.term || changed {
            self.finding.violated(seen, || {
                let (now, before) = (words(now), words(before));
                format!("S{node} {verb} {now} after {before} was durable (figure 2)")
            });
        }
        if let Some(lost) = lost {
            self.finding.violated(seen, || {
                let log = model.tree.log_name(model.node(node).end());
                let lost = model.tree.name(lost);
                format!("S{node} recovered {log}, without {lost}, which was durable (figure 2)")
            });
        }
    }

    pub(super) fn verdict(&self, model: &Model) -> Verdict {
        let missing = (!self.told).then_some("a durable term");
        self.finding.verdict(missing.or(model.gap.as_deref()))
    }
}

fn words(HardState { term, vote }: HardState) -> String {
    if vote == 0 { format!("term {term} without a vote") } else { format!("term {term} with a vote for S{vote}") }
}
