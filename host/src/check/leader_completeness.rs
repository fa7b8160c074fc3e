//! What is committed in a term is in the logs of the leaders of all later terms (Leader Completeness; paper, 5.4).
//!
//! This is checked from both sides. When a leader is elected, its log must hold what was noted committed in earlier
//! terms until then. And an old leader may note a commit only after a new one was elected, because an answer was slow;
//! the property speaks of all higher-numbered terms (figure 3), so the log with which the new one was elected must hold
//! it.
//!
//! All that is committed is one log, so what is committed in a term is one index.

use super::model::{Fact, Leadership, Model, Node, Seen};
use super::verdict::{Finding, Verdict};

/// Judges leaders by what is committed, and commits by who leads.
#[derive(Clone, Debug, Default)]
pub(super) struct LeaderCompleteness {
    pub(super) finding: Finding,
    /// By term: up to which index was noted committed in it or an earlier one.
    commits: Vec<(u64, u64)>,
}

impl LeaderCompleteness {
    pub(super) fn observe(&mut self, seen: &Seen, model: &Model) {
        match seen.fact {
            Fact::Elected { term, again, .. } => self.elected(seen, model, term, again),
            Fact::Committed { index, before, clash: None, term, .. } if index > before => {
                self.committed(seen, model, index, term);
            }
            _ => {}
        }
    }

    fn elected(&mut self, seen: &Seen, model: &Model, term: u64, again: bool) {
        // A node that leads its term again after a restart must have kept what it committed in it, too.
        let until = if again { term } else { term.saturating_sub(1) };
        let required = self.until(until);
        let node = model.node(seen.node);
        if !node.known || node.at(required) == model.committed_at(required) {
            return;
        }
        self.finding.violated(seen, || {
            let (index, name) = first_lacking(model, node, required);
            let log = model.tree.log_name(node.end());
            format!(
                "S{} was elected leader of term {term} with {log}, without {name}, which S{} had \
                 committed (Leader Completeness, 5.4)",
                seen.node, model.committed[index].1
            )
        });
    }

    fn committed(&mut self, seen: &Seen, model: &Model, index: u64, term: u64) {
        if index <= self.until(term) {
            return;
        }
        self.record(term, index);
        let id = model.committed_at(index).expect("it was just committed");
        let later = model.leaderships.iter().rev().take_while(|led| led.term > term);
        let lacking = later.filter(|led| !model.tree.holds(led.log, id)).last();
        if let Some(Leadership { term: led, node, event, log }) = lacking {
            self.finding.violated(seen, || {
                let (name, log) = (model.tree.name(id), model.tree.log_name(*log));
                format!(
                    "S{} committed {name} in term {term}, but in event {event} S{node} was elected \
                     leader of term {led} with {log}, without it (Leader Completeness, 5.4)",
                    seen.node
                )
            });
        }
    }

    /// The highest index that was committed in that term or an earlier one.
    fn until(&self, term: u64) -> u64 {
        match self.commits.last() {
            Some((last, index)) if *last <= term => *index,
            _ => {
                let place = self.commits.partition_point(|(earlier, _)| *earlier <= term);
                place.checked_sub(1).map_or(0, |place| self.commits[place].1)
            }
        }
    }

    fn record(&mut self, term: u64, index: u64) {
        let place = self.commits.partition_point(|(earlier, _)| *earlier < term);
        if self.commits.get(place).is_none_or(|(there, _)| *there != term) {
            self.commits.insert(place, (term, index));
        }
        for (_, highest) in &mut self.commits[place..] {
            *highest = index.max(*highest);
        }
    }

    pub(super) fn verdict(&self, model: &Model) -> Verdict {
        let missing = if model.leaderships.is_empty() {
            Some("a leader")
        } else if self.commits.is_empty() {
            Some("a commit")
        } else {
            model.gap.as_deref()
        };
        self.finding.verdict(missing)
    }
}

/// The first place up to `required` at which a log is not what is committed, and the committed entry there.
fn first_lacking(model: &Model, node: &Node, required: u64) -> (usize, String) {
    let lacking = (1..=required).find(|index| node.at(*index) != model.committed_at(*index));
    let index = lacking.unwrap_or(required);
    let id = model.committed_at(index).expect("it is committed");
    (usize::try_from(index).expect("logs fit into memory") - 1, model.tree.name(id))
}
