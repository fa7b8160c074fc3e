//! To read without writing: linearizable reads that leave no entry in the log (thesis 6.4).
//!
//! The machine of a leader may be behind without its knowing, if another leads by now. So before it answers from there, a
//! leader makes sure of two things: that it knows all that was committed before it led, which it does once an entry of its
//! own is committed; and that it still led when the read was asked. The place that is committed then is the *read index*; a
//! machine that has applied the log up to there may answer.
//!
//! # That it still led
//!
//! Every append carries the number of a *round*, and every answer to one tells the latest round that its sender has heard
//! of in this term. A read waits for a round that begins after it was asked; once a quorum has heard of that, nobody else
//! can have led before. Reads that come while a round is under way share the next one, so there is never more than one
//! beside the heartbeats, which are rounds as well.
//!
//! # By lease
//!
//! With a lease the answer comes at once (thesis 6.4.1). Whoever heard of a round does not vote for another for the shortest
//! election timeout ([`Config::sticky_leader`](super::Config::sticky_leader)), so once a quorum did, nobody else is elected
//! for so long from when the round began: less what clocks may differ by in that time, which is a bound that somebody must
//! promise ([`Config::lease_drift_ppm`](super::Config::lease_drift_ppm)). What would vote against the promise must not
//! happen: a node that boots keeps it as if it had just heard a leader, and a leader that told another to campaign, whose
//! campaign is heard by all (thesis 3.10), has no lease in this term any more.
//!
//! # At a follower
//!
//! A follower asks its leader for a read index, waits until it has applied the log up to there, and answers by itself. What
//! it asks has a name of its own ([`Raft::context`]), which no boot before has used, so that no answer to an older question
//! is taken for one to this.

use std::collections::VecDeque;

use super::message::Body;
use super::node::{Raft, State};
use super::note::Note;
use super::output::Output;
use super::quorum::committed;
use super::refusal::{ProposalRefusal, Refusal};
use super::{Index, Micros, NodeId};

/// How many reads may wait at a node; the oldest gives way.
const WAITING_MAX: usize = 1024;

/// Who wants to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    /// Whoever asked this node, by the token that names it.
    Here(u64),
    /// A follower, and how it names what it asked.
    Follower(NodeId, u64),
}

/// A read that waits.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    reader: Reader,
    /// What was committed when it was asked; none before the leader has committed an entry of its own.
    index: Option<Index>,
    /// A quorum must have heard of this round.
    round: u64,
}

/// What a leader knows about who has heard of it, and the reads that wait for that.
#[derive(Clone, Debug, Default)]
pub(super) struct Rounds {
    /// The last one that began; from 1 on.
    last: u64,
    /// A quorum heard of this one.
    confirmed: u64,
    /// Those that began and are not confirmed, with the time.
    begun: VecDeque<(u64, Micros)>,
    /// When the confirmed one began.
    since: Option<Micros>,
    waiting: VecDeque<Waiting>,
    /// Until when it has a lease.
    lease: Option<Micros>,
    /// Whether it told another to campaign.
    handed_over: bool,
}

/// What a follower asked its leader.
#[derive(Clone, Debug, Default)]
pub(super) struct Questions {
    /// The latest round of this term that it has heard of.
    pub(super) round: u64,
    asked: VecDeque<(u64, u64)>,
    /// The tokens of those that were answered, with the index that they wait for.
    answered: Vec<(Index, u64)>,
}

impl Raft {
    /// Somebody wants to read what is committed by now.
    pub(super) fn on_read(&mut self, token: u64, lease: bool) {
        match &mut self.state {
            State::Leader(leader) => {
                if lease && leader.rounds.lease.is_some_and(|until| self.now < until) {
                    return self.output(Output::Read { token, result: Ok(self.commit), lease });
                }
                self.await_round(Reader::Here(token));
            }
            // A lease is the leader's own.
            State::Follower(follower) if !lease && follower.leader().is_some() => {
                let context = self.contexts;
                self.contexts = self.contexts.wrapping_add(1);
                let leader = follower.leader().expect("it was just looked at");
                let asked = &mut follower.questions.asked;
                asked.push_back((context, token));
                let oldest = if asked.len() > WAITING_MAX { asked.pop_front() } else { None };
                self.send(leader, Body::ReadIndex { context });
                if let Some((_, token)) = oldest {
                    self.refuse_read(token);
                }
            }
            _ => self.refuse_read(token),
        }
    }

    /// A follower wants to know what is committed.
    pub(super) fn on_read_index(&mut self, from: NodeId, context: u64) {
        if let State::Leader(_) = self.state {
            self.await_round(Reader::Follower(from, context));
        }
    }

    /// The leader says what was committed when this node asked.
    pub(super) fn on_read_index_reply(&mut self, context: u64, index: Index) {
        let State::Follower(follower) = &mut self.state else {
            return;
        };
        let Questions { asked, answered, .. } = &mut follower.questions;
        if let Some(at) = asked.iter().position(|(asked, _)| *asked == context) {
            let (_, token) = asked.remove(at).expect("it was found");
            answered.push((index, token));
        }
        self.answer_applied();
    }

    /// Answers what waited for the log to be applied.
    pub(super) fn answer_applied(&mut self) {
        let commit = self.commit;
        let State::Follower(follower) = &mut self.state else {
            return;
        };
        let ready: Vec<_> = follower.questions.answered.extract_if(.., |(index, _)| *index <= commit).collect();
        for (_, token) in ready {
            self.output(Output::Read { token, result: Ok(commit), lease: false });
        }
    }

    /// A read waits for a round that begins now or, if one is under way, after that.
    fn await_round(&mut self, reader: Reader) {
        let index = self.read_index();
        let State::Leader(leader) = &mut self.state else {
            panic!("only a leader confirms reads");
        };
        let rounds = &mut leader.rounds;
        let idle = rounds.confirmed == rounds.last;
        rounds.waiting.push_back(Waiting { reader, index, round: rounds.last + 1 });
        let oldest = if rounds.waiting.len() > WAITING_MAX { rounds.waiting.pop_front() } else { None };
        if let Some(Waiting { reader: Reader::Here(token), .. }) = oldest {
            self.refuse_read(token);
        }
        if idle {
            self.heartbeat_all();
        }
    }

    /// What is committed, if this leader can know it.
    fn read_index(&self) -> Option<Index> {
        (self.log.term_at(self.commit) == Some(self.term())).then_some(self.commit)
    }

    /// A round begins: whatever is sent from now on tells of it.
    pub(super) fn begin_round(&mut self) {
        let now = self.now;
        if let State::Leader(leader) = &mut self.state {
            let rounds = &mut leader.rounds;
            rounds.last += 1;
            rounds.begun.push_back((rounds.last, now));
            // Nobody answers; the oldest would make the shortest lease.
            if rounds.begun.len() > 64 {
                rounds.begun.pop_front();
            }
        }
    }

    /// The number of the round under way; 0 for who does not lead.
    pub(super) fn round(&self) -> u64 {
        match &self.state {
            State::Leader(leader) => leader.rounds.last,
            _ => 0,
        }
    }

    /// Looks how far a quorum has heard of rounds: answers what waited for that, and begins the next if there is more.
    pub(super) fn confirm_rounds(&mut self) {
        let read_index = self.read_index();
        let State::Leader(leader) = &self.state else {
            return;
        };
        let last = leader.rounds.last;
        let heard = |id| if id == self.id { last } else { leader.find(id).map_or(0, |at| leader.peers()[at].round) };
        let confirmed = committed(self.membership(), heard);
        let State::Leader(leader) = &mut self.state else {
            unreachable!("it leads");
        };
        let rounds = &mut leader.rounds;
        rounds.confirmed = rounds.confirmed.max(confirmed);
        if let Some(index) = read_index {
            rounds.waiting.iter_mut().for_each(|waiting| _ = waiting.index.get_or_insert(index));
        }
        let confirmed = rounds.confirmed;
        let done = |waiting: &mut Waiting| waiting.round <= confirmed && waiting.index.is_some();
        let mut ready = Vec::new();
        while let Some(waiting) = rounds.waiting.pop_front_if(done) {
            ready.push(waiting);
        }
        let next = rounds.waiting.iter().any(|waiting| waiting.round > rounds.last) && rounds.confirmed == rounds.last;
        for Waiting { reader, index, .. } in ready {
            let index = index.expect("it is ready");
            match reader {
                Reader::Here(token) => self.output(Output::Read { token, result: Ok(self.commit), lease: false }),
                Reader::Follower(to, context) => self.send(to, Body::ReadIndexReply { context, index }),
            }
        }
        self.extend_lease();
        if next {
            self.heartbeat_all();
        }
    }

    /// The lease runs from when the last confirmed round began.
    fn extend_lease(&mut self) {
        let (own, span) = (self.read_index().is_some(), self.config.lease_us());
        let State::Leader(leader) = &mut self.state else {
            return;
        };
        let rounds = &mut leader.rounds;
        while let Some((_, at)) = rounds.begun.pop_front_if(|(round, _)| *round <= rounds.confirmed) {
            rounds.since = Some(at);
        }
        if !self.config.lease || rounds.handed_over || !own {
            return;
        }
        let Some(until) = rounds.since.map(|since| since.saturating_add(span)) else { return };
        if rounds.lease.is_none_or(|lease| lease < until) {
            rounds.lease = Some(until);
            self.note(Note::Lease { until });
        }
    }

    /// Another was told to campaign, and will be heard: this leader has no lease any more.
    pub(super) fn give_up_lease(&mut self) {
        let State::Leader(leader) = &mut self.state else {
            return;
        };
        leader.rounds.handed_over = true;
        if leader.rounds.lease.take().is_some() {
            self.note(Note::Lease { until: 0 });
        }
    }

    /// The role or the term is over, and with it whatever waited for it.
    pub(super) fn refuse_reads(&mut self) {
        self.give_up_lease();
        let tokens: Vec<u64> = match &mut self.state {
            State::Leader(leader) => {
                let here = |waiting: Waiting| match waiting.reader {
                    Reader::Here(token) => Some(token),
                    Reader::Follower(..) => None,
                };
                leader.rounds.waiting.drain(..).filter_map(here).collect()
            }
            State::Follower(follower) => {
                let Questions { asked, answered, .. } = &mut follower.questions;
                asked.drain(..).map(|(_, token)| token).chain(answered.drain(..).map(|(_, token)| token)).collect()
            }
            State::PreCandidate(_) | State::Candidate(_) => Vec::new(),
        };
        for token in tokens {
            self.refuse_read(token);
        }
    }

    fn refuse_read(&mut self, token: u64) {
        let why = ProposalRefusal::NotLeader { hint: self.leader().filter(|leader| *leader != self.id) };
        self.refused(Refusal::Proposal { token, why });
        self.output(Output::Read { token, result: Err(why), lease: false });
    }
}
