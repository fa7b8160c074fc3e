//! The node: one entry point, and what all roles share.
//!
//! [`Raft::step`] dispatches an input to the role that answers it; the roles are in files of their own, as further
//! `impl` blocks. Here is what does not depend on the role: the term, which every message may raise (5.1); the
//! writes and their completion; the commit index; and the one alarm, which is a heartbeat for a leader and an
//! election timeout for everybody else.

use std::collections::VecDeque;
use std::rc::Rc;

use super::candidate::Votes;
use super::config::{Config, is_node};
use super::entry::{Entry, Payload, Position};
use super::follower::Follower;
use super::input::{Entropy, Input, Restored};
use super::leader::{Leader, Peer};
use super::log::Log;
use super::membership::{Configuration, Memberships};
use super::message::{Body, Message, Verdict};
use super::note::{Note, Role};
use super::output::{HaltReason, HardState, Outcome, Output, Record};
use super::persistence::Persistence;
use super::refusal::{ProposalRefusal, Refusal};
use super::snapshot::Snapshots;
use super::{Index, Micros, NodeId, Term, Ticket};

/// How many entries one step hands out to be applied, at most. A node that restarted may learn at once that its whole
/// log is committed: what comes of a step must still fit into its memory, and into what a host takes from one turn.
const APPLY_MAX: u64 = 4096;

/// One Raft node.
#[derive(Clone, Debug)]
pub struct Raft {
    pub(super) id: NodeId,
    pub(super) config: Config,
    pub(super) memberships: Memberships,
    pub(super) hard_state: HardState,
    pub(super) log: Log,
    /// Committed, and handed out to be applied: the two move together.
    pub(super) commit: Index,
    pub(super) state: State,
    pub(super) persistence: Persistence,
    pub(super) snapshots: Snapshots,
    /// The bytes of the entries that are not committed, as far as known.
    pub(super) uncommitted: u64,
    /// The time of this step.
    pub(super) now: Micros,
    /// The election timeout drawn for this campaign, or for the next.
    timeout_us: Micros,
    pub(super) deadline: Micros,
    /// The alarm as last asked for; none if it went off.
    alarm: Option<Micros>,
    /// The highest time in the log, committed or not, of this boot.
    pub(super) log_time: Micros,
    /// What the next question to a leader is named by (`read.rs`).
    pub(super) contexts: u64,
    /// Until when it votes for nobody, as a leader that it heard may have a lease (`read.rs`).
    pub(super) quiet_until: Micros,
    outputs: VecDeque<Output>,
    halted: bool,
}

/// What a node knows in each role.
#[derive(Clone, Debug)]
pub(super) enum State {
    Follower(Follower),
    PreCandidate(Votes),
    Candidate(Votes),
    Leader(Leader),
}

impl Raft {
    /// A node that boots, as a follower, with what it found on its disk. Its first outputs are ready.
    ///
    /// What is committed is not known from the disk (it is no hard state, Figure 2), but for what a snapshot covers: the
    /// log is applied again from there as the leader tells.
    pub fn new(
        id: NodeId,
        config: Config,
        membership: Configuration,
        restored: Restored,
        now: Micros,
        entropy: &mut dyn Entropy,
    ) -> Self {
        assert!(is_node(id), "0 is nobody, and no node");
        assert_eq!(config.check(), Ok(()), "the configuration must be sound");
        let Restored { term, vote, snapshot, log } = restored;
        let last = snapshot.as_ref().map_or(Position::default(), |snapshot| snapshot.last);
        assert_eq!(last, log.base(), "the log begins where the snapshot ends");
        assert!(term >= log.last().term, "the log is ahead of term {term}: {}", log.last());
        let hard_state = HardState { term, vote };
        let (configured, start) = match snapshot {
            Some(snapshot) => (snapshot.configured, snapshot.configuration),
            None => (0, Rc::new(membership)),
        };
        let mut memberships = Memberships::new(configured, start);
        for (index, entry) in log.iter() {
            if let Payload::Config(configuration) = &entry.payload {
                memberships.push(index, Rc::clone(configuration));
            }
        }
        let mut raft = Self {
            id,
            memberships,
            hard_state,
            commit: log.base().index,
            state: State::Follower(Follower::default()),
            persistence: Persistence::new(hard_state, log.last().index),
            snapshots: Snapshots { last, since: 0 },
            uncommitted: log.bytes(),
            now,
            timeout_us: 0,
            deadline: 0,
            alarm: None,
            log_time: log.iter().map(|(_, entry)| entry.payload.at()).max().unwrap_or(0),
            contexts: 0,
            quiet_until: if config.lease { now.saturating_add(config.election_min_us) } else { 0 },
            outputs: VecDeque::new(),
            halted: false,
            config,
            log,
        };
        raft.note_config();
        raft.note_role();
        raft.draw_timeout(entropy);
        raft.contexts = entropy.draw();
        raft.reset_election_timer();
        raft.settle();
        raft
    }

    /// Takes one input, at time `now` of this node's clock. Drain [`Raft::poll`] afterwards.
    pub fn step(&mut self, now: Micros, entropy: &mut dyn Entropy, input: Input) {
        if self.halted {
            return;
        }
        self.now = now;
        match input {
            Input::Message { from, message } => self.on_message(from, message, entropy),
            Input::Alarm => self.on_alarm(entropy),
            Input::Propose { token, command } => self.on_proposal(token, |leader| leader.append_command(command)),
            Input::Reconfigure { token, step } => self.on_proposal(token, |leader| leader.append_step(&step)),
            Input::Transfer { token, to } => self.on_transfer(token, to),
            Input::Read { token, lease } => self.on_read(token, lease),
            Input::Compact { token } => {
                self.take_snapshot();
                self.output(Output::Proposal { token, outcome: Outcome::Begun });
            }
            Input::Synced { ticket, result: Ok(()) } => self.on_synced(ticket),
            Input::Synced { ticket, result: Err(()) } => {
                self.halt(HaltReason::SyncFailed { ticket });
            }
        }
        if !self.halted {
            self.settle();
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// This node.
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// The current term.
    #[must_use]
    pub fn term(&self) -> Term {
        self.hard_state.term
    }

    /// The vote given in the current term.
    #[must_use]
    pub fn vote(&self) -> Option<NodeId> {
        self.hard_state.vote
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> Role {
        match self.state {
            State::Follower(_) => Role::Follower,
            State::PreCandidate(_) => Role::PreCandidate,
            State::Candidate(_) => Role::Candidate,
            State::Leader(_) => Role::Leader,
        }
    }

    /// The leader of the current term, as far as known.
    #[must_use]
    pub fn leader(&self) -> Option<NodeId> {
        match &self.state {
            State::Leader(_) => Some(self.id),
            State::Follower(follower) => follower.leader(),
            State::PreCandidate(_) | State::Candidate(_) => None,
        }
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The last index known to be committed, and handed out to be applied.
    #[must_use]
    pub fn commit(&self) -> Index {
        self.commit
    }

    /// The last index that is on this node's disk for sure.
    #[must_use]
    pub fn durable(&self) -> Index {
        self.persistence.durable_last()
    }

    /// The members of the cluster: the last configuration in the log, committed or not (paper 6).
    #[must_use]
    pub fn membership(&self) -> &Configuration {
        self.memberships.last().1
    }

    /// When the alarm goes off.
    #[must_use]
    pub fn deadline(&self) -> Micros {
        self.deadline
    }

    /// What a leader knows of its followers; nothing in other roles.
    #[must_use]
    pub fn peers(&self) -> &[Peer] {
        match &self.state {
            State::Leader(leader) => leader.peers(),
            _ => &[],
        }
    }

    fn on_message(&mut self, from: NodeId, message: Message, entropy: &mut dyn Entropy) {
        let Message { term, body } = message;
        // A pre-vote speaks of a term that nobody is in yet; all other messages carry their sender's (thesis 9.6).
        if let Body::PreVote { last } = body {
            return self.on_pre_vote(from, term, last);
        }
        // Under a lease not even a vote of a term that came some other way is given.
        if let Body::RequestVote { transfer: false, .. } = body
            && (term > self.term() || self.config.lease)
            && self.ignores_vote(from)
        {
            return;
        }
        if term > self.term() {
            // Only a leader sends appends and snapshots, so the term and its leader are learnt together.
            let leader = matches!(body, Body::AppendEntries { .. } | Body::InstallSnapshot(_)).then_some(from);
            self.adopt_term(term, leader);
        }
        let current = term == self.term();
        match body {
            Body::PreVote { .. } => unreachable!("handled above"),
            Body::RequestVote { last, .. } => self.on_request_vote(from, term, last),
            Body::TimeoutNow if current => self.on_timeout_now(from, entropy),
            Body::AppendEntries { prev, entries, commit, round } if current => {
                self.on_append_entries(from, prev, entries, (commit, round));
            }
            Body::InstallSnapshot(chunk) if current => self.on_chunk(from, *chunk),
            Body::AppendEntries { .. } | Body::InstallSnapshot(_) => self.refuse_stale_append(from, term),
            // A pre-vote's answer names its term itself; the answers below belong to the term they were given in,
            // and an answer that comes after its term is over says nothing any more.
            Body::PreVoteReply { answers, granted } => {
                self.on_pre_vote_reply(from, answers, granted, entropy);
            }
            Body::RequestVoteReply { granted } if current => {
                self.on_request_vote_reply(from, granted);
            }
            Body::AppendReply { verdict, round } if current => self.on_append_reply(from, verdict, round),
            Body::ReadIndex { context } if current => self.on_read_index(from, context),
            Body::ReadIndexReply { context, index } if current => self.on_read_index_reply(context, index),
            Body::SnapshotReply { last, received } if current => self.on_snapshot_reply(from, last, received),
            Body::RequestVoteReply { .. }
            | Body::AppendReply { .. }
            | Body::SnapshotReply { .. }
            | Body::ReadIndex { .. }
            | Body::ReadIndexReply { .. }
            | Body::TimeoutNow => {}
        }
    }

    fn on_alarm(&mut self, entropy: &mut dyn Entropy) {
        self.alarm = None;
        if let State::Leader(_) = self.state {
            if let Some(why) = self.refuse_leadership() {
                self.refused(Refusal::Leadership(why));
                return self.become_follower(None);
            }
            self.expire_transfer();
            self.advance_leader_commit();
            self.heartbeat_all();
        } else if self.memberships.may_need(self.id) {
            self.campaign(entropy);
        } else {
            // Nobody needs it to lead; it waits for whoever does.
            self.reset_election_timer();
        }
    }

    /// Something is wanted in the log: a leader appends it, or refuses; everybody else sends elsewhere.
    fn on_proposal(&mut self, token: u64, append: impl FnOnce(&mut Self) -> Result<Index, ProposalRefusal>) {
        self.on_wish(token, |leader| append(leader).map(|index| Outcome::Accepted { index, term: leader.term() }));
    }

    /// Another leader is wanted.
    fn on_transfer(&mut self, token: u64, to: NodeId) {
        self.on_wish(token, |leader| leader.begin_transfer(to).map(|()| Outcome::Begun));
    }

    fn on_wish(&mut self, token: u64, does: impl FnOnce(&mut Self) -> Result<Outcome, ProposalRefusal>) {
        let done = match self.state {
            State::Leader(_) => does(self),
            _ => Err(ProposalRefusal::NotLeader { hint: self.leader() }),
        };
        let outcome = match done {
            Ok(outcome) => outcome,
            Err(why) => {
                self.refused(Refusal::Proposal { token, why });
                Outcome::Refused(why)
            }
        };
        self.output(Output::Proposal { token, outcome });
    }

    fn on_synced(&mut self, ticket: Ticket) {
        let verified_before = self.verified_and_durable();
        let completed = self.persistence.complete(ticket);
        if let Some(hard_state) = completed.hard_state {
            self.note(Note::HardState(hard_state));
        }
        if let Some(last) = completed.last {
            self.note(Note::Durable { last });
        }
        if let Some(last) = completed.snapshot {
            self.compact(last);
        }
        for (to, message) in self.persistence.release(ticket) {
            self.outputs.push_back(Output::Send { to, message });
        }
        match self.state {
            State::Follower(_) => self.acknowledge_beyond(verified_before),
            State::PreCandidate(_) => {}
            State::Candidate(_) => self.count_own_vote(),
            State::Leader(_) => self.advance_leader_commit(),
        }
    }

    /// A failed sync ends the node: what waits will never be durable, so it will never be said.
    fn halt(&mut self, reason: HaltReason) {
        self.halted = true;
        self.persistence.drop_held();
        self.output(Output::Halt(reason));
    }

    /// Ends a step: write the hard state if it changed, ask for a sync if one is due, and set the alarm.
    fn settle(&mut self) {
        self.write_hard_state();
        self.answer_applied();
        self.snapshot_if_due();
        if let Some(ticket) = self.persistence.begin_sync(self.log.last().index, self.now) {
            self.output(Output::Sync(ticket));
        }
        if self.alarm != Some(self.deadline) {
            self.alarm = Some(self.deadline);
            self.output(Output::Alarm(self.deadline));
        }
    }

    /// Moves to a higher term, as a follower without a vote (5.1). Does not touch a running election timer: a
    /// candidate that cannot win must not keep from a campaign those who can.
    fn adopt_term(&mut self, term: Term, leader: Option<NodeId>) {
        assert!(term > self.term(), "term {term} is not above {}", self.term());
        self.hard_state = HardState { term, vote: None };
        self.become_follower(leader);
    }

    /// Becomes a follower in the current term, and keeps the vote given in it.
    pub(super) fn become_follower(&mut self, leader: Option<NodeId>) {
        assert_ne!(leader, Some(self.id), "a node does not follow itself");
        // A leader had no election timer, only heartbeats.
        if let State::Leader(_) = self.state {
            self.reset_election_timer();
        }
        self.enter(State::Follower(Follower::new(leader, self.now)));
    }

    /// Every change of role or term passes here. What was held back spoke for the old one.
    pub(super) fn enter(&mut self, state: State) {
        self.persistence.drop_held();
        self.refuse_reads();
        self.state = state;
        self.note_role();
    }

    pub(super) fn draw_timeout(&mut self, entropy: &mut dyn Entropy) {
        self.timeout_us = self.config.election_timeout(entropy.draw());
    }

    pub(super) fn reset_election_timer(&mut self) {
        self.deadline = self.now.saturating_add(self.timeout_us);
    }

    /// Puts an entry at the end of the log.
    pub(super) fn append(&mut self, entry: Entry) {
        // The term goes first: a log that is ahead of its term makes no sense to a recovery.
        self.write_hard_state();
        let index = self.log.append(entry.clone());
        self.note(Note::Append { index, entry: entry.clone() });
        self.persistence.write_entry();
        self.uncommitted += entry.bytes();
        self.log_time = self.log_time.max(entry.payload.at());
        let configuration = match &entry.payload {
            Payload::Config(configuration) => Some(Rc::clone(configuration)),
            Payload::Noop | Payload::Command { .. } => None,
        };
        self.output(Output::Persist(Record::Append { index, entry }));
        if let Some(configuration) = configuration {
            self.memberships.push(index, configuration);
            self.note_config();
        }
    }

    /// Removes the entries from `from` on, which conflict with the leader's.
    pub(super) fn truncate(&mut self, from: Index) {
        assert!(from > self.commit, "{from} is committed (to {}), and stays", self.commit);
        self.write_hard_state();
        let before = self.log.bytes();
        self.log.truncate(from);
        self.uncommitted -= before - self.log.bytes();
        self.note(Note::Truncate { from });
        self.persistence.write_truncate(from);
        self.output(Output::Persist(Record::Truncate { from }));
        // A configuration that was never committed never was (paper 6).
        if self.memberships.truncate(from) {
            self.note_config();
        }
    }

    /// Takes note that the log is committed up to `index`, and hands out what is new. If that is too much for one step,
    /// the rest comes with the next heartbeat, sent or received.
    pub(super) fn advance_commit(&mut self, index: Index) {
        if index <= self.commit {
            return;
        }
        assert!(index <= self.log.last().index, "what is committed is in the log");
        let index = index.min(self.commit + APPLY_MAX);
        self.note(Note::Commit { index });
        for (index, entry) in self.log.range(self.commit + 1, index) {
            self.snapshots.since += entry.bytes();
            self.uncommitted -= entry.bytes();
            self.outputs.push_back(Output::Apply { index, entry: entry.clone() });
        }
        self.commit = index;
        self.memberships.commit(index);
    }

    /// Sends a message of the current term, once that term and the vote in it are durable.
    pub(super) fn send(&mut self, to: NodeId, body: Body) {
        let term = self.term();
        self.send_in(to, Message { term, body });
    }

    pub(super) fn send_in(&mut self, to: NodeId, message: Message) {
        match self.persistence.awaited(self.hard_state) {
            None => self.output(Output::Send { to, message }),
            Some(ticket) => self.persistence.hold(ticket, to, message),
        }
    }

    pub(super) fn reply_append(&mut self, to: NodeId, verdict: Verdict) {
        let round = match &self.state {
            State::Follower(follower) => follower.questions.round,
            _ => 0,
        };
        self.send(to, Body::AppendReply { verdict, round });
    }

    pub(super) fn refused(&mut self, refusal: Refusal) {
        self.note(Note::Refused(refusal));
    }

    pub(super) fn write_hard_state(&mut self) {
        if self.persistence.write_hard_state(self.hard_state) {
            self.output(Output::Persist(Record::HardState(self.hard_state)));
        }
    }

    pub(super) fn note_config(&mut self) {
        let (index, configuration) = self.memberships.last();
        let configuration = Rc::clone(configuration);
        self.note(Note::Config { index, configuration });
    }

    fn note_role(&mut self) {
        let (role, term, leader) = (self.role(), self.term(), self.leader());
        self.note(Note::Role { role, term, leader });
    }

    pub(super) fn note(&mut self, note: Note) {
        self.output(Output::Note(note));
    }

    pub(super) fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }
}
