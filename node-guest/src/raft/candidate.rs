//! To campaign: first ask whether one could win, then for the votes themselves.
//!
//! A pre-candidate asks in its old term, so that a node which cannot win (its log is behind, or the others hear
//! their leader well) raises nobody's term (thesis 9.6). A candidate has raised its term and voted for itself (5.2).
//! The two collect answers alike but in states of their own, and with messages of their own: an answer to a pre-vote
//! promises nothing and is never counted as a vote.

use std::collections::BTreeMap;

use super::input::Entropy;
use super::message::{Body, Message};
use super::node::{Raft, State};
use super::output::HardState;
use super::quorum::{Tally, tally};
use super::{NodeId, Term};

/// The answers to a campaign, one for each voter: a repeated answer is no second vote.
#[derive(Clone, Debug, Default)]
pub(super) struct Votes(BTreeMap<NodeId, bool>);

impl Votes {
    /// The first answer of a voter stands.
    fn record(&mut self, voter: NodeId, granted: bool) {
        self.0.entry(voter).or_insert(granted);
    }

    fn answer(&self, voter: NodeId) -> Option<bool> {
        self.0.get(&voter).copied()
    }
}

impl Raft {
    /// The election timeout passed without a leader. Each campaign, and each try of one, has a fresh timeout, so that
    /// a split vote is not repeated (5.2).
    pub(super) fn campaign(&mut self, entropy: &mut dyn Entropy) {
        if self.config.pre_vote {
            self.become_pre_candidate(entropy);
        } else {
            self.become_candidate(entropy, false);
        }
    }

    /// The answer to a pre-vote of this node, perhaps an old one.
    pub(super) fn on_pre_vote_reply(&mut self, from: NodeId, answers: Term, granted: bool, entropy: &mut dyn Entropy) {
        let asked = self.term() + 1;
        let State::PreCandidate(votes) = &mut self.state else {
            return;
        };
        if answers == asked {
            votes.record(from, granted);
            self.count_pre_votes(entropy);
        }
    }

    /// The answer to a request of this node for a vote in the current term.
    pub(super) fn on_request_vote_reply(&mut self, from: NodeId, granted: bool) {
        if let State::Candidate(votes) = &mut self.state {
            votes.record(from, granted);
            self.count_votes();
        }
    }

    /// A candidate's own vote counts like any other: once it cannot be forgotten. In a cluster of one it decides.
    pub(super) fn count_own_vote(&mut self) {
        let durable = self.persistence.is_durable(self.hard_state);
        let State::Candidate(votes) = &mut self.state else {
            return;
        };
        if durable && votes.answer(self.id).is_none() {
            votes.record(self.id, true);
            self.count_votes();
        }
    }

    fn become_pre_candidate(&mut self, entropy: &mut dyn Entropy) {
        assert!(!matches!(self.state, State::Leader(_)), "a leader does not campaign");
        self.draw_timeout(entropy);
        self.reset_election_timer();
        let mut votes = Votes::default();
        votes.record(self.id, true);
        self.enter(State::PreCandidate(votes));
        let last = self.log.last();
        self.send_to_voters(&Message { term: self.term() + 1, body: Body::PreVote { last } });
        self.count_pre_votes(entropy);
    }

    /// A new term, and a vote for itself; `transfer` says that its leader wants it so.
    pub(super) fn become_candidate(&mut self, entropy: &mut dyn Entropy, transfer: bool) {
        assert!(!matches!(self.state, State::Leader(_)), "a leader does not campaign");
        self.draw_timeout(entropy);
        self.reset_election_timer();
        let term = self.term() + 1;
        self.hard_state = HardState { term, vote: Some(self.id) };
        self.enter(State::Candidate(Votes::default()));
        let last = self.log.last();
        self.send_to_voters(&Message { term, body: Body::RequestVote { last, transfer } });
    }

    fn send_to_voters(&mut self, message: &Message) {
        let others: Vec<NodeId> = self.membership().all_voters().filter(|&id| id != self.id).collect();
        for to in others {
            self.send_in(to, message.clone());
        }
    }

    fn count_pre_votes(&mut self, entropy: &mut dyn Entropy) {
        match self.tally() {
            Tally::Won => self.become_candidate(entropy, false),
            Tally::Lost => self.become_follower(None),
            Tally::Pending => {}
        }
    }

    fn count_votes(&mut self) {
        match self.tally() {
            Tally::Won => self.become_leader(),
            // Nothing is left to win in this term. The timer runs on, to the next campaign.
            Tally::Lost => self.become_follower(None),
            Tally::Pending => {}
        }
    }

    fn tally(&self) -> Tally {
        let (State::PreCandidate(votes) | State::Candidate(votes)) = &self.state else {
            panic!("only a campaign has votes to count");
        };
        tally(self.membership(), |voter| votes.answer(voter))
    }
}
