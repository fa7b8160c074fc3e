//! A leader has the durable votes of a quorum in its term (paper, 5.2): the reason for Election Safety.

use super::model::{Fact, Model, Seen};
use super::verdict::{Finding, Verdict};

/// Judges elections by who voted.
#[derive(Clone, Debug, Default)]
pub(super) struct LeaderHasVotes {
    pub(super) finding: Finding,
    /// Whether anybody ever noted a durable vote.
    told: bool,
    /// The first leader whose voters are not known.
    without_configuration: Option<String>,
}

impl LeaderHasVotes {
    pub(super) fn observe(&mut self, seen: &Seen, model: &Model) {
        match seen.fact {
            Fact::HardState { .. } if !self.told => {
                self.told = true;
                self.finding.confirm();
            }
            Fact::Elected { term, .. } => self.elected(seen, model, term),
            _ => {}
        }
    }

    fn elected(&mut self, seen: &Seen, model: &Model, term: u64) {
        let leader = seen.node;
        let voters = &model.node(leader).configuration;
        if !voters.is_known() {
            let missing = || format!("the configuration of S{leader}, which led term {term}");
            self.without_configuration.get_or_insert_with(missing);
            return;
        }
        let votes = |id| model.find(id).is_some_and(|voter| voter.voted(term) == Some(leader));
        if voters.is_quorum(votes) {
            return;
        }
        let what = || {
            let those = voters.those(votes);
            format!("S{leader} led term {term} with durable votes of {those}, no quorum of {voters} (5.2)")
        };
        if self.told {
            self.finding.violated(seen, what);
        } else {
            self.finding.doubted(seen, what);
        }
    }

    pub(super) fn verdict(&self, model: &Model) -> Verdict {
        let missing = if model.leaderships.is_empty() {
            Some("a leader")
        } else if !self.told {
            Some("a durable vote")
        } else {
            self.without_configuration.as_deref()
        };
        self.finding.verdict(missing)
    }
}
