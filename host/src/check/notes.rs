//! Notes are well-formed and tell one story. A guest whose story contradicts itself is not to be believed, so it must not
//! pass; here and nowhere else that is said, and the other checkers pass over what makes no sense.

use super::model::{Fact, Model, Odd, Seen};
use super::verdict::{Finding, Verdict};

/// Judges whether notes fit together.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    pub(super) finding: Finding,
    told: bool,
    /// The first note about a Raft group that is not followed.
    other_group: Option<String>,
}

impl Notes {
    pub(super) fn observe(&mut self, seen: &Seen, _model: &Model) {
        self.told |= !matches!(seen.fact, Fact::Booted | Fact::Down | Fact::Trapped);
        let node = seen.node;
        match seen.odd {
            None | Some(Odd::NoRecovered) => {}
            Some(Odd::OtherGroup { group }) => {
                let why = || format!("S{node} told of group {group}; only group 0 is followed");
                self.other_group.get_or_insert_with(why);
            }
            Some(odd) => self.finding.violated(seen, || format!("S{node} {}", words(odd))),
        }
    }

    pub(super) fn verdict(&self, model: &Model) -> Verdict {
        let missing = if self.told { model.gap.as_deref() } else { Some("a note") };
        match (self.finding.verdict(missing), &self.other_group) {
            (Verdict::Pass | Verdict::Unobserved { .. }, Some(why)) => Verdict::Unknown { why: why.clone() },
            (verdict, _) => verdict,
        }
    }
}

/// What is wrong with the note, to follow the node's name.
fn words(odd: Odd) -> String {
    match odd {
        Odd::Undecoded { kind } => format!("wrote a note of kind {kind} that cannot be read"),
        Odd::OtherGroup { group } => format!("told of group {group}"),
        Odd::WhileDown => "told something while it was down".to_owned(),
        Odd::NoRecovered => "did not tell what it recovered".to_owned(),
        Odd::RecoveredAgain => "told twice in a boot what it recovered, differently".to_owned(),
        Odd::RecoveredUnknown { last: (index, term) } => {
            format!("recovered a log that ends with {index}@{term}, an entry that nobody appended")
        }
        Odd::SnapshotUnknown { index, term } => {
            format!("has a snapshot up to {index}@{term}, which is no part of its log")
        }
        Odd::AppendBeyond { index, last } => {
            format!("appended an entry at index {index} to a log that ends at {last}")
        }
        Odd::AppendWithin { index, last } => {
            format!("appended another entry at index {index} within a log that ends at {last}")
        }
        Odd::AppendTerm { index, term, current } => {
            format!("appended {index}@{term} while its term was {current}")
        }
        Odd::TruncateBeyond { from, last } => {
            format!("took the entries from {from} on off a log that ends at {last}")
        }
        Odd::DurableBeyond { durable, last } => {
            format!("noted its log durable up to {durable}, but it ends at {last}")
        }
        Odd::CommitBeyond { commit, last } => {
            format!("noted a commit up to {commit}, but its log ends at {last}")
        }
        Odd::TermFell { from, to } => {
            format!("lowered its term from {from} to {to} within a boot")
        }
    }
}
