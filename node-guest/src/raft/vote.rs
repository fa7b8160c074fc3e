//! To judge another's campaign: one vote in a term, and only for a log at least as up to date (5.2, 5.4.1).
//!
//! Who asks and whether it is a member does not matter: a voter may not yet know of the configuration that made the
//! candidate one (thesis 4.2.2), and the candidate counts answers by its own configuration.

use super::entry::Position;
use super::follower::Follower;
use super::message::Body;
use super::node::{Raft, State};
use super::refusal::{Refusal, VoteRefusal};
use super::{Micros, NodeId, Term};

impl Raft {
    /// "Would you vote for me in `campaign`?" Changes nothing here: neither the term, nor the vote, nor the timer
    /// (thesis 9.6).
    pub(super) fn on_pre_vote(&mut self, from: NodeId, campaign: Term, last: Position) {
        let refusal = self.refuse_pre_vote(campaign, last);
        if let Some(why) = refusal {
            self.refused(Refusal::PreVote { candidate: from, why });
        }
        // Even a pre-vote of a term long past is answered: from the answer its sender learns the term that keeps it
        // from winning. Without, a node with the better log and one with the higher term wait for each other.
        let granted = refusal.is_none();
        self.send(from, Body::PreVoteReply { answers: campaign, granted });
    }

    /// Whether a request for a vote in a higher term is left unread, because there is a live leader: or else a node that
    /// is cut off, or that was removed and does not know it, could unseat one leader after the other (thesis 4.2.3).
    pub(super) fn ignores_vote(&mut self, candidate: NodeId) -> bool {
        let Some(why) = self.refuse_for_leader().filter(|_| self.config.sticky_leader) else {
            return false;
        };
        self.refused(Refusal::Vote { candidate, why });
        true
    }

    /// "Vote for me in `term`." A higher term was adopted before; a lower one is refused.
    pub(super) fn on_request_vote(&mut self, from: NodeId, term: Term, last: Position) {
        let refusal = self.refuse_vote(from, term, last);
        match refusal {
            Some(why) => self.refused(Refusal::Vote { candidate: from, why }),
            None => self.cast_vote(from),
        }
        self.send(from, Body::RequestVoteReply { granted: refusal.is_none() });
    }

    fn cast_vote(&mut self, candidate: NodeId) {
        // A pre-candidate that votes for another gives up its own campaign.
        if let State::PreCandidate(_) = self.state {
            self.become_follower(None);
        }
        assert!(matches!(self.state, State::Follower(_)), "only a follower votes for another");
        self.hard_state.vote = Some(candidate);
        // Only a vote given is a reason to wait longer; one refused is not, or a candidate that cannot win could
        // keep the cluster without a leader (5.2).
        self.reset_election_timer();
    }

    fn refuse_vote(&self, candidate: NodeId, term: Term, last: Position) -> Option<VoteRefusal> {
        let mine = self.term();
        if term < mine {
            return Some(VoteRefusal::StaleTerm { theirs: term, mine });
        }
        // The same candidate again is answered again: its first answer may be lost.
        if let Some(vote) = self.vote().filter(|&vote| vote != candidate) {
            return Some(VoteRefusal::AlreadyVoted { term, vote });
        }
        self.refuse_log(last)
    }

    fn refuse_pre_vote(&self, campaign: Term, last: Position) -> Option<VoteRefusal> {
        let mine = self.term();
        if campaign <= mine {
            return Some(VoteRefusal::StaleTerm { theirs: campaign, mine });
        }
        self.refuse_for_leader().or_else(|| self.refuse_log(last))
    }

    /// Whether there is a live leader, as far as this node knows (thesis 9.6, with 4.2.3).
    fn refuse_for_leader(&self) -> Option<VoteRefusal> {
        let left_us = self.quiet_until.saturating_sub(self.now);
        if left_us > 0 && !matches!(self.state, State::Leader(_) | State::Follower(Follower { contact: Some(_), .. })) {
            return Some(VoteRefusal::Promised { left_us });
        }
        let (leader, ago_us): (NodeId, Micros) = match &self.state {
            State::Leader(_) => (self.id, 0),
            State::Follower(follower) => {
                let contact = follower.contact()?;
                (contact.leader, self.now.saturating_sub(contact.at))
            }
            // Whoever campaigns has given up its leader.
            State::PreCandidate(_) | State::Candidate(_) => return None,
        };
        let alive = ago_us < self.config.election_min_us;
        alive.then_some(VoteRefusal::LeaderAlive { leader, ago_us })
    }

    /// The election restriction: whoever holds all committed entries refuses those who do not (5.4.1).
    fn refuse_log(&self, theirs: Position) -> Option<VoteRefusal> {
        let mine = self.log.last();
        (theirs < mine).then_some(VoteRefusal::LogBehind { theirs, mine })
    }
}
