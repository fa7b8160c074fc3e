//! To lead: take proposals, copy the log, repair the logs of others, commit (5.3, 5.4.2).
//!
//! The leader sends an entry in the same step in which it writes it, so its disk works in parallel with theirs
//! (thesis 10.2.1); its own part counts for a quorum only when durable, like everybody's. A heartbeat is an append
//! without entries at the place where the leader would go on; its answer acknowledges, opens the window, or shows
//! that something on the way was lost. Followers learn of a commit by the next append or heartbeat.

use std::rc::Rc;

use super::change::Step;
use super::entry::{Entry, Payload, Position};
use super::membership::Configuration;
use super::message::{Body, Verdict};
use super::node::{Raft, State};
use super::progress::{Mode, Progress};
use super::quorum::{Tally, committed, tally};
use super::read::Rounds;
use super::refusal::{LeadershipRefusal, ProposalRefusal};
use super::transfer::Transfer;
use super::{Index, Micros, NodeId};

/// What a leader knows.
#[derive(Clone, Debug)]
pub(super) struct Leader {
    /// All other members, voters and learners, by id.
    peers: Vec<Peer>,
    /// To whom it hands over, if it does.
    pub(super) transfer: Option<Transfer>,
    pub(super) rounds: Rounds,
}

/// Another member, and what its leader knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The member.
    pub id: NodeId,
    /// How far it is.
    pub progress: Progress,
    /// When it last answered in this term; at first, when it became a peer.
    pub heard_at: Micros,
    /// The latest round that it has heard of.
    pub(super) round: u64,
}

impl Leader {
    pub(super) fn peers(&self) -> &[Peer] {
        &self.peers
    }

    pub(super) fn peers_mut(&mut self) -> impl Iterator<Item = &mut Peer> {
        self.peers.iter_mut()
    }

    pub(super) fn find(&self, id: NodeId) -> Option<usize> {
        self.peers.iter().position(|peer| peer.id == id)
    }

    /// Has a peer for each other member, and for nobody else. Of a new one nothing is known; its first probe starts at
    /// `next`.
    fn follow_members(&mut self, members: &Configuration, own: NodeId, next: Index, now: Micros) {
        self.peers.retain(|peer| members.members().any(|id| id == peer.id));
        for id in members.members().filter(|id| *id != own) {
            if self.find(id).is_none() {
                self.peers.push(Peer { id, progress: Progress::new(next), heard_at: now, round: 0 });
            }
        }
        self.peers.sort_unstable_by_key(|peer| peer.id);
    }
}

impl Raft {
    /// The election is won.
    pub(super) fn become_leader(&mut self) {
        assert!(matches!(self.state, State::Candidate(_)), "only a candidate becomes leader");
        assert_eq!(self.vote(), Some(self.id), "a leader voted for itself");
        assert!(self.persistence.is_durable(self.hard_state), "a leader's term is durable");
        let next = self.log.last().index + 1;
        let mut leader = Leader { peers: Vec::new(), transfer: None, rounds: Rounds::default() };
        leader.follow_members(self.membership(), self.id, next, self.now);
        self.enter(State::Leader(leader));
        // Entries of earlier terms are committed only along with one of this term (5.4.2); without the empty entry,
        // that is when the next command comes (paper 8).
        if self.config.no_op {
            self.begin_round();
            self.append(Entry { term: self.term(), payload: Payload::Noop });
            self.replicate_all();
            self.reset_heartbeat_timer();
        } else {
            self.heartbeat_all();
        }
    }

    /// Puts a command in the log, if it fits, and sends it on its way.
    pub(super) fn append_command(&mut self, command: Rc<[u8]>) -> Result<Index, ProposalRefusal> {
        self.refuse_while_transferring()?;
        // Clocks differ, and may be set back; the log's time is not.
        self.log_time = self.log_time.max(self.now);
        let payload = Payload::Command { at: self.log_time, bytes: command };
        let entry = Entry { term: self.term(), payload };
        let bound = self.config.log_bytes_max;
        let bytes = self.log.bytes().saturating_add(entry.bytes());
        if bytes > bound {
            return Err(ProposalRefusal::LogFull { bytes, bound });
        }
        // One of its own term always goes, however much there is of earlier ones, which are not committed without (5.4.2).
        let (bytes, bound) = (self.uncommitted.saturating_add(entry.bytes()), self.config.uncommitted_bytes_max);
        let own = self.log.last().index > self.commit && self.log.last().term == self.term();
        if bytes > bound && own {
            return Err(ProposalRefusal::Uncommitted { bytes, bound });
        }
        self.append(entry);
        self.replicate_all();
        Ok(self.log.last().index)
    }

    /// Puts the next configuration in the log, from where it is in force at once, and sends it on its way.
    pub(super) fn append_step(&mut self, step: &Step) -> Result<Index, ProposalRefusal> {
        self.refuse_while_transferring()?;
        let (commit, term) = (self.commit, self.term());
        let (index, configuration) = self.memberships.last();
        if index > commit {
            return Err(ProposalRefusal::ChangeUnderWay { index, commit });
        }
        if self.log.term_at(commit) != Some(term) {
            return Err(ProposalRefusal::NothingCommitted { term, commit });
        }
        let next = configuration.after(step).map_err(ProposalRefusal::Change)?;
        self.refuse_promotion(&next)?;
        Ok(self.append_configuration(next))
    }

    /// A learner may vote once it is one append away from what is committed.
    fn refuse_promotion(&self, next: &Configuration) -> Result<(), ProposalRefusal> {
        let needed = self.commit.saturating_sub(u64::from(self.config.batch_entries_max));
        let promoted = self.membership().learners().iter().filter(|id| next.is_voter(**id));
        for peer in self.peers().iter().filter(|peer| promoted.clone().any(|id| *id == peer.id)) {
            let (learner, matched) = (peer.id, peer.progress.matched());
            if matched < needed {
                return Err(ProposalRefusal::LearnerBehind { learner, matched, needed });
            }
        }
        Ok(())
    }

    fn append_configuration(&mut self, next: Configuration) -> Index {
        let payload = Payload::Config(Rc::new(next));
        self.append(Entry { term: self.term(), payload });
        let last = self.log.last().index;
        let State::Leader(leader) = &mut self.state else {
            panic!("only a leader changes the members");
        };
        leader.follow_members(self.memberships.last().1, self.id, last, self.now);
        self.replicate_all();
        last
    }

    /// What comes of it that the configuration in force is committed: a joint one that leaves itself is left, and a leader
    /// that is no voter any more leads no more (thesis 4.2.2).
    fn on_configuration_committed(&mut self) {
        let configuration = Rc::clone(self.memberships.last().1);
        if configuration.is_joint() {
            if configuration.leaves_itself() {
                let next = configuration.left().expect("it is joint");
                self.append_configuration(next);
            }
        } else if !configuration.is_voter(self.id) {
            // The others learn at once that it is committed, and need not wait for the next leader's first entry.
            self.heartbeat_all();
            self.become_follower(None);
        }
    }

    /// Why this node should lead no more: it hears no quorum, or its disk does not answer. Looked at with each heartbeat.
    pub(super) fn refuse_leadership(&self) -> Option<LeadershipRefusal> {
        let within_us = self.config.election_min_us;
        let lately = |id| {
            let mut peer = self.peers().iter().filter(|peer| peer.id == id);
            id == self.id || peer.any(|peer| self.now.saturating_sub(peer.heard_at) < within_us)
        };
        if self.config.check_quorum && tally(self.membership(), |id| Some(lately(id))) != Tally::Won {
            let count = |voters: usize| u32::try_from(voters).unwrap_or(u32::MAX);
            let (heard, voters) =
                (self.membership().all_voters().filter(|id| lately(*id)), self.membership().all_voters());
            let (heard, voters) = (count(heard.count()), count(voters.count()));
            return Some(LeadershipRefusal::QuorumSilent { heard, voters, within_us });
        }
        let bound_us = self.config.disk_stall_us;
        let for_us = self.now.saturating_sub(self.persistence.syncing_since()?);
        (bound_us > 0 && for_us >= bound_us).then_some(LeadershipRefusal::DiskStalled { for_us, bound_us })
    }

    /// Tells every follower that the leader lives, and where it would go on.
    pub(super) fn heartbeat_all(&mut self) {
        if !matches!(self.state, State::Leader(_)) {
            return;
        }
        self.begin_round();
        for at in 0..self.peers().len() {
            self.send_append(at, Vec::new());
        }
        self.reset_heartbeat_timer();
        // A quorum of one has heard of it already.
        self.confirm_rounds();
    }

    /// The answer of a follower to an append of the current term.
    pub(super) fn on_append_reply(&mut self, from: NodeId, verdict: Verdict, round: u64) {
        let (last, round) = (self.log.last().index, round.min(self.round()));
        let State::Leader(leader) = &mut self.state else {
            return;
        };
        let Some(at) = leader.find(from) else {
            return;
        };
        leader.peers[at].heard_at = self.now;
        let known = leader.peers[at].round;
        leader.peers[at].round = known.max(round);
        let progress = &mut leader.peers[at].progress;
        match verdict {
            Verdict::Matched { index } => {
                assert!(index <= last, "{from} has {index} of a log that ends at {last}");
                // What the follower adds to what is committed already decides nothing.
                if progress.accept(index) && index > self.commit {
                    self.advance_leader_commit();
                }
                // What was committed may have changed who the peers are, or who leads.
                if let State::Leader(leader) = &self.state
                    && let Some(at) = leader.find(from)
                {
                    self.replicate(at);
                }
                self.hand_over();
            }
            Verdict::Short { prev, last } => {
                if progress.reject(prev, last + 1) {
                    self.probe(at);
                }
            }
            Verdict::Conflict { prev, term, first } => {
                // If this log has that term too, the logs may agree up to its end here; if not, the whole term goes
                // at once (5.3, end).
                let retry = self.log.last_of_term(term, prev).map_or(first, |last| last + 1);
                if progress.reject(prev, retry) {
                    self.probe(at);
                }
            }
            // Says its term, which is not above this one any more.
            Verdict::StaleTerm => {}
        }
        if round > known {
            self.confirm_rounds();
        }
    }

    /// Commits what a quorum has on disk. Only an entry of this term is committed by counting, and all before it
    /// along with it: an entry of an earlier term may be on a majority and still be replaced (5.4.2, Figure 8).
    pub(super) fn advance_leader_commit(&mut self) {
        let State::Leader(leader) = &self.state else {
            panic!("only a leader counts");
        };
        let durable = self.durable();
        let matched = |id| match leader.find(id) {
            Some(at) => leader.peers[at].progress.matched(),
            // Only the leader is no peer of its own.
            None => durable,
        };
        let index = committed(self.membership(), matched);
        if index > self.commit && self.log.term_at(index) == Some(self.term()) {
            self.advance_commit(index);
            if self.memberships.last().0 <= self.commit {
                self.on_configuration_committed();
            }
            // The first of its own lets it know what is committed.
            self.confirm_rounds();
        }
    }

    fn replicate_all(&mut self) {
        for at in 0..self.peers().len() {
            self.replicate(at);
        }
    }

    /// Sends what the follower lacks, as long as its window has room.
    fn replicate(&mut self, at: usize) {
        let last = self.log.last().index;
        loop {
            let progress = &self.peers()[at].progress;
            if progress.next() > last || !progress.has_room(self.config.inflight_max) {
                return;
            }
            let entries = self.next_batch(at);
            self.send_append(at, entries);
        }
    }

    /// Tries where the logs agree, with entries or, at the end of the log, without.
    fn probe(&mut self, at: usize) {
        let entries = self.next_batch(at);
        self.send_append(at, entries);
    }

    fn next_batch(&self, at: usize) -> Vec<Entry> {
        let next = self.peers()[at].progress.next();
        let Self { config, log, .. } = self;
        log.batch(next, config.batch_entries_max, config.batch_bytes_max).to_vec()
    }

    fn send_append(&mut self, at: usize, entries: Vec<Entry>) {
        let State::Leader(leader) = &mut self.state else {
            panic!("only a leader appends to others");
        };
        let Peer { id, progress, .. } = &mut leader.peers[at];
        let (to, index) = (*id, progress.next() - 1);
        let behind = index < self.log.base().index;
        if behind || matches!(progress.mode(), Mode::Snapshot { .. }) {
            return self.send_chunk(at);
        }
        let Some(term) = self.log.term_at(index) else {
            panic!("{index}, before the next entry of {to}, is not in the log");
        };
        if !entries.is_empty() {
            progress.sent(index + entries.len() as u64);
        }
        let (prev, commit, round) = (Position { term, index }, self.commit, self.round());
        self.send(to, Body::AppendEntries { prev, entries, commit, round });
    }

    fn reset_heartbeat_timer(&mut self) {
        self.deadline = self.now.saturating_add(self.config.heartbeat_us);
    }
}
