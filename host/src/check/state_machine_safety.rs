//! No two nodes apply different commands at the same index (State Machine Safety; paper, 5.4.3).
//!
//! So that this means what it says, each node applies its own committed entries, in order, and all get the same results
//! from the same commands.

use super::model::{Fact, Model, Seen};
use super::verdict::{Finding, Verdict};
use crate::event::NodeId;

/// What was applied at an index first.
#[derive(Clone, Copy, Debug, Default)]
struct Applied {
    /// By whom; 0 where nothing was applied yet.
    node: NodeId,
    term: u64,
    command: u64,
    result: u64,
}

/// Judges what is applied.
#[derive(Clone, Debug, Default)]
pub(super) struct StateMachineSafety {
    pub(super) finding: Finding,
    /// From index 1 on.
    applied: Vec<Applied>,
    applies: bool,
    commits: bool,
}

impl StateMachineSafety {
    pub(super) fn observe(&mut self, seen: &Seen, model: &Model) {
        match seen.fact {
            Fact::Applied { index, term, command, result, before } => {
                self.applies = true;
                let applied = Applied { node: seen.node, term, command, result };
                if index != before + 1 {
                    self.out_of_order(seen, index, before);
                } else if self.own(seen, model, index, applied) {
                    self.compare(seen, index, applied);
                }
            }
            Fact::Committed { .. } if !self.commits => {
                self.commits = true;
                self.finding.confirm();
            }
            _ => {}
        }
    }

    fn out_of_order(&mut self, seen: &Seen, index: u64, before: u64) {
        let node = seen.node;
        self.finding.violated(seen, || {
            let before = if before == 0 { "nothing".to_owned() } else { format!("up to {before}") };
            format!(
                "S{node} applied the entry at index {index} when it had applied {before} (entries are \
                 applied once, in order; 5.3)"
            )
        });
    }

    /// Whether the node applies an entry of its own log, and a committed one.
    fn own(&mut self, seen: &Seen, model: &Model, index: u64, applied: Applied) -> bool {
        let (id, node) = (seen.node, model.node(seen.node));
        let Some(entry) = node.at(index).map(|entry| *model.tree.entry(entry)) else {
            let last = node.last();
            self.finding.violated(seen, || {
                format!("S{id} applied the entry at index {index}, but its log ends at {last} (5.3)")
            });
            return false;
        };
        if (entry.term, entry.hash) != (applied.term, applied.command) {
            self.finding.violated(seen, || {
                let term = applied.term;
                let other = if entry.term == term { " with another command" } else { "" };
                format!("S{id} applied {index}@{term}, but its log has {entry} there{other} (5.3)")
            });
            return false;
        }
        if index > node.commit {
            let commit = node.commit;
            let what = || {
                format!(
                    "S{id} applied {entry}, but had noted a commit only up to {commit} (only \
                     committed entries are applied; 5.3)"
                )
            };
            if self.commits {
                self.finding.violated(seen, what);
            } else {
                self.finding.doubted(seen, what);
            }
            return false;
        }
        true
    }

    fn compare(&mut self, seen: &Seen, index: u64, applied: Applied) {
        let place = usize::try_from(index - 1).expect("it is in a log");
        if place >= self.applied.len() {
            // A node that starts from a snapshot may apply beyond what others told.
            self.applied.resize(place + 1, Applied::default());
        }
        let first = self.applied[place];
        if first.node == 0 {
            self.applied[place] = applied;
            return;
        }
        let what = if (first.term, first.command) != (applied.term, applied.command) {
            "another command"
        } else if first.result != applied.result {
            "the same command with another result"
        } else {
            return;
        };
        let (node, mine) = (seen.node, applied.term);
        self.finding.violated(seen, || {
            format!(
                "S{node} applied {index}@{mine}, where S{} had applied {index}@{}: {what} (State \
                 Machine Safety, 5.4.3)",
                first.node, first.term
            )
        });
    }

    pub(super) fn verdict(&self, model: &Model) -> Verdict {
        let missing = if !self.applies {
            Some("an entry that was applied")
        } else if !self.commits {
            Some("a commit")
        } else {
            model.gap.as_deref()
        };
        self.finding.verdict(missing)
    }
}
