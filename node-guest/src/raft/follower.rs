//! To follow: check each append against the own log, take what is new, acknowledge what is durable (5.3).
//!
//! There is one check for all appends; a heartbeat is an append without entries. What an append proves is only that
//! the log agrees with the leader's up to the append's own end: nothing beyond it may be committed, acknowledged or
//! removed because of it.

use super::entry::{Entry, Position};
use super::message::Verdict;
use super::node::{Raft, State};
use super::read::Questions;
use super::refusal::{AppendRefusal, Refusal};
use super::snapshot::Incoming;
use super::{Index, Micros, NodeId, Term};

/// What a follower knows in its term.
#[derive(Clone, Debug, Default)]
pub(super) struct Follower {
    pub(super) contact: Option<Contact>,
    /// The log agrees with that of this term's leader up to here.
    pub(super) verified: Index,
    /// What is here of a snapshot that the leader sends.
    pub(super) incoming: Option<Incoming>,
    pub(super) questions: Questions,
}

/// The leader of the term, and when it was last heard of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contact {
    pub(super) leader: NodeId,
    pub(super) at: Micros,
}

impl Follower {
    pub(super) fn new(leader: Option<NodeId>, now: Micros) -> Self {
        Self { contact: leader.map(|leader| Contact { leader, at: now }), ..Self::default() }
    }

    pub(super) fn leader(&self) -> Option<NodeId> {
        self.contact.map(|contact| contact.leader)
    }

    pub(super) fn contact(&self) -> Option<Contact> {
        self.contact
    }
}

impl Raft {
    /// An append of the current term.
    pub(super) fn on_append_entries(
        &mut self,
        from: NodeId,
        prev: Position,
        entries: Vec<Entry>,
        (commit, round): (Index, u64),
    ) {
        self.follow(from);
        let questions = &mut self.follower().questions;
        questions.round = questions.round.max(round);
        if let Some((why, verdict)) = self.refuse_append(prev) {
            self.refused(Refusal::Append { leader: from, why });
            self.reply_append(from, verdict);
            return;
        }
        let heartbeat = entries.is_empty();
        let end = prev.index + entries.len() as u64;
        self.merge(prev.index, entries);
        let follower = self.follower();
        follower.verified = follower.verified.max(end);
        // The leader's commit index may be past what this append proves: beyond it, the own log may still hold
        // entries that the leader does not have (Figure 2, AppendEntries 5).
        self.advance_commit(commit.min(end));
        // An append whose entries are not on disk yet is acknowledged when they are. A heartbeat is answered at
        // once, with as much as is true now: the leader wants to know that somebody is there.
        let durable = self.durable();
        if heartbeat || end <= durable {
            self.reply_append(from, Verdict::Matched { index: end.min(durable) });
        }
    }

    /// An append of an earlier term: its sender learns from the answer that it leads no more (5.1).
    pub(super) fn refuse_stale_append(&mut self, from: NodeId, theirs: Term) {
        let why = AppendRefusal::StaleTerm { theirs, mine: self.term() };
        self.refused(Refusal::Append { leader: from, why });
        self.reply_append(from, Verdict::StaleTerm);
    }

    /// How far the log is both durable and known to agree with the leader's: what may be acknowledged.
    pub(super) fn verified_and_durable(&self) -> Index {
        match &self.state {
            State::Follower(follower) => follower.verified.min(self.durable()),
            _ => 0,
        }
    }

    /// Acknowledges what a sync added, if it added anything.
    pub(super) fn acknowledge_beyond(&mut self, before: Index) {
        let index = self.verified_and_durable();
        if let Some(leader) = self.leader().filter(|_| index > before) {
            self.reply_append(leader, Verdict::Matched { index });
        }
    }

    /// Whoever sends an append leads the term, and has just been heard of.
    pub(super) fn follow(&mut self, leader: NodeId) {
        match &self.state {
            State::Leader(_) => panic!("{leader} and {} both lead term {}", self.id, self.term()),
            State::Follower(follower) if follower.leader() == Some(leader) => {}
            State::Follower(follower) => {
                let known = follower.leader();
                assert_eq!(known, None, "term {} has a second leader, {leader}", self.term());
                self.become_follower(Some(leader));
            }
            // A campaign that another one won (5.2).
            State::PreCandidate(_) | State::Candidate(_) => self.become_follower(Some(leader)),
        }
        self.follower().contact = Some(Contact { leader, at: self.now });
        if self.config.lease {
            self.quiet_until = self.now.saturating_add(self.config.election_min_us);
        }
        self.reset_election_timer();
    }

    /// The consistency check (5.3), and what the leader needs to find the place where the logs agree.
    fn refuse_append(&self, prev: Position) -> Option<(AppendRefusal, Verdict)> {
        // Below the base all is committed, and a leader has all that is committed (5.4.3).
        if prev.index < self.log.base().index {
            return None;
        }
        let (prev, theirs) = (prev.index, prev.term);
        match self.log.term_at(prev) {
            None => {
                let last = self.log.last().index;
                Some((AppendRefusal::NoEntry { prev, last }, Verdict::Short { prev, last }))
            }
            Some(mine) if mine != theirs => {
                let first = self.log.first_of_term(mine);
                Some((
                    AppendRefusal::TermMismatch { prev, theirs, mine },
                    Verdict::Conflict { prev, term: mine, first },
                ))
            }
            Some(_) => None,
        }
    }

    /// Takes in the entries after `prev`, and removes own entries only where they truly conflict: an append that is
    /// old or short must not take away what a later one brought (5.3).
    fn merge(&mut self, prev: Index, entries: Vec<Entry>) {
        for (index, entry) in (prev + 1..).zip(entries) {
            if index <= self.log.base().index {
                continue;
            }
            match self.log.term_at(index) {
                Some(term) if term == entry.term => continue,
                Some(_) => self.truncate(index),
                None => {}
            }
            self.append(entry);
        }
    }

    pub(super) fn follower(&mut self) -> &mut Follower {
        match &mut self.state {
            State::Follower(follower) => follower,
            _ => panic!("not a follower"),
        }
    }
}
