//! The shell: what the host calls becomes an input of the core, and what the core wants becomes calls of the host.
//!
//! A [`Node`] is the core and what it stands on: the write-ahead log, the machine, and the clients that wait for an
//! answer. It decides nothing about Raft. After each input it takes all outputs and does them in order; the records
//! among them go to the disk in one write, before the sync that covers them is asked for, or at the end of the turn.
//!
//! # Who is answered what
//!
//! An attempt that this node took into its log waits in [`Pending`] until an entry is applied at its index. If that is
//! its own, told by the term, the client gets what the machine replied; if it is another, the attempt had no effect and
//! never will have, and the client is sent elsewhere. That this node led no longer, or that the entry left its own log,
//! says nothing about it: some other node may still hold the entry, win an election, and commit it. So an attempt waits
//! through both. If a snapshot jumps over its index, nobody here knows what became of it, and the client is left to ask
//! again.

#[cfg(test)]
mod cluster;
mod hashes;
mod inspect;
mod reads;
mod snapshots;
#[cfg(test)]
mod tests;

use crate::fault::{Fault, code};
use crate::machine::Machine;
use crate::notes;
use crate::pending::{Client, Pending};
use crate::raft::{self, Message, NodeId, ProposalRefusal, Term};
use crate::raft::{
    Change, ChangeError, Entropy, Entry, Index, Input, Log, Note, Outcome, Output, Payload, Raft, Restored, Step,
};
use crate::settings::Settings;
use crate::storage::Storage;
use crate::wire;
use hashes::Hashes;
use raftbox_abi::client::{Operation, Reason, Reply, Request};
use raftbox_abi::note::{Body, Refusal};
use raftbox_abi::{Boot, Guest, Imports};
use reads::Reads;
use snapshots::CHUNK_BYTES_MAX;
use std::rc::Rc;

/// The levels of [`Imports::log`] that are used here.
mod level {
    pub(super) const DEBUG: u32 = 4;
}

/// A Raft node with a key/value machine.
#[derive(Clone)]
pub struct Node {
    settings: Settings,
    raft: Raft,
    storage: Storage,
    machine: Machine,
    pending: Pending,
    reads: Reads,
    /// The role as it was noted last, with term and leader; and whether this node voted then.
    told: Option<(raft::Role, Term, NodeId, bool)>,
    /// Who asked for what is being proposed in this step.
    asking: Option<Client>,
    hashes: Hashes,
    /// Datagrams, replies and notes are put together here, one after the other.
    scratch: Scratch,
}

/// Buffers that are used again, so that a turn allocates nothing for what it only hands over.
#[derive(Clone, Default)]
struct Scratch {
    datagram: Vec<u8>,
    reply: Vec<u8>,
    note: Vec<u8>,
}

impl Scratch {
    fn note<I: Imports>(&mut self, imports: &mut I, body: Body) {
        self.note.clear();
        let kind = raftbox_abi::Note { group: 0, body }.encode(&mut self.note);
        imports.note(kind, &self.note);
    }
}

/// The host's random numbers, for the core.
struct Draws<'a, I>(&'a mut I);

impl<I: Imports> Entropy for Draws<'_, I> {
    fn draw(&mut self) -> u64 {
        self.0.random()
    }
}

/// What worked, or the end of this node.
fn or_halt<I: Imports, T>(imports: &mut I, result: Result<T, Fault>) -> T {
    result.unwrap_or_else(|fault| imports.halt(fault.code, &fault.reason))
}

/// Fault sites: what a node may do at any time, and seldom does. The host says when.
mod site {
    /// A datagram finds no room to wait in, and is dropped.
    pub(super) const NO_ROOM_FOR_DATAGRAM: u32 = 1;
    /// So does a request, which is refused.
    pub(super) const NO_ROOM_FOR_REQUEST: u32 = 2;
}

impl Guest for Node {
    fn boot<I: Imports>(imports: &mut I, boot: &Boot<'_>) -> Self {
        let settings = or_halt(imports, Settings::read(boot));
        let mut machine = Machine::new(settings.bounds);
        let opened = Storage::open(imports, settings.node, &mut machine);
        let (storage, restored) = or_halt(imports, opened);
        let scratch = Scratch::default();
        let hashes = Hashes::of(&restored.log);
        let prefix = storage.snapshot().map_or(0, |(_, image)| image.prefix);
        let recovered = recovered(&restored, &hashes, prefix);
        let now = imports.now();
        let (config, membership) = (settings.config.clone(), settings.membership.clone());
        let raft = Raft::new(settings.node, config, membership, restored, now, &mut Draws(imports));
        let pending = Pending::default();
        let (told, asking, reads) = (None, None, Reads::default());
        let mut node = Self { settings, raft, storage, machine, pending, reads, told, asking, hashes, scratch };
        node.perform(imports);
        node.scratch.note(imports, recovered);
        node
    }

    fn deliver<I: Imports>(&mut self, imports: &mut I, from: u32, datagram: &[u8]) {
        if self.storage.is_cutting() {
            // What a message makes a node write could pile up here; the sender will say it again.
            return imports.log(level::DEBUG, &format!("still booting: dropped a datagram of {from}"));
        }
        if imports.chance(site::NO_ROOM_FOR_DATAGRAM) {
            return imports.log(level::DEBUG, &format!("no room: dropped a datagram of {from}"));
        }
        match wire::decode(datagram) {
            Some(message) => self.step(imports, Input::Message { from, message }),
            None => {
                let len = datagram.len();
                imports.log(level::DEBUG, &format!("dropped a malformed datagram of {from}, {len} bytes"));
            }
        }
    }

    fn wake<I: Imports>(&mut self, imports: &mut I) {
        self.step(imports, Input::Alarm);
    }

    fn request<I: Imports>(&mut self, imports: &mut I, client: u32, operation: u64, body: &[u8]) {
        let asking = Client { client, operation };
        let Some(request) = Request::decode(body) else {
            return self.reply(imports, asking, Reply::Refused(Reason::Malformed));
        };
        if imports.chance(site::NO_ROOM_FOR_REQUEST) {
            return self.reply(imports, asking, Reply::Refused(Reason::LogFull));
        }
        let (bytes, bound) = (body.len() as u64, self.settings.command_bytes_max);
        if bytes > bound {
            let refusal = Refusal::LogFull { bytes, bound };
            self.scratch.note(imports, Body::Refused { peer: 0, refusal });
            return self.reply(imports, asking, Reply::Refused(Reason::LogFull));
        }
        if let Operation::Read(mode, key) = request.operation {
            return self.read(imports, asking, mode, key);
        }
        self.asking = Some(asking);
        let token = operation;
        self.step(
            imports,
            match request.operation {
                Operation::Transfer(to) => Input::Transfer { token, to },
                Operation::Compact => Input::Compact { token },
                Operation::Members { voters, learners, gone } => {
                    Input::Reconfigure { token, step: self.next_members(voters, learners, gone) }
                }
                _ => Input::Propose { token, command: Rc::from(body) },
            },
        );
        assert!(self.asking.is_none(), "a proposal is answered at once");
    }

    fn synced<I: Imports>(&mut self, imports: &mut I, ticket: u64, status: i32) {
        let answered = self.storage.synced(imports, ticket, status);
        if let Some(ticket) = or_halt(imports, answered) {
            self.step(imports, Input::Synced { ticket, result: Ok(()) });
        }
    }

    fn inspect(&self) -> String {
        inspect::text(self)
    }

    fn describe(datagram: &[u8]) -> String {
        wire::describe(datagram)
    }
}

impl Node {
    fn step<I: Imports>(&mut self, imports: &mut I, input: Input) {
        let now = imports.now();
        self.raft.step(now, &mut Draws(imports), input);
        self.perform(imports);
    }

    /// The step to the members that a client wants: in one, if at most one vote comes or goes, or else by way of a joint
    /// configuration.
    fn next_members(&self, voters: &[u8], learners: &[u8], gone: &[u8]) -> Step {
        let each = |nodes: &[u8], change: fn(NodeId) -> Change| nodes.iter().map(|id| change((*id).into())).collect();
        let changes: [Vec<Change>; 3] =
            [each(voters, Change::Voter), each(learners, Change::Learner), each(gone, Change::Remove)];
        let (changes, membership) = (changes.concat(), self.raft.membership());
        match membership.after(&Step::Simple(changes.clone())) {
            Err(ChangeError::NotSimple { .. }) => Step::Joint { changes, leaves_itself: true },
            _ => Step::Simple(changes),
        }
    }

    /// Does what the core wants, in its order, and writes what there is to be written.
    fn perform<I: Imports>(&mut self, imports: &mut I) {
        while let Some(output) = self.raft.poll() {
            match output {
                Output::Send { to, message } => self.send(imports, to, &message),
                Output::Alarm(at) => imports.wake_at(at),
                Output::Persist(record) => self.storage.persist(record),
                Output::Sync(ticket) => {
                    let asked = self.storage.sync(imports, ticket);
                    or_halt(imports, asked);
                }
                Output::Snapshot(snapshot) => self.take_snapshot(imports, snapshot),
                Output::SendChunk { to, term, offset, empty } => {
                    let most = if empty { 0 } else { self.settings.config.batch_bytes_max.min(CHUNK_BYTES_MAX) };
                    self.send_chunk(imports, (to, term), offset, most);
                }
                Output::Store { offset, data } => {
                    let stored = self.storage.store(imports, offset, &data);
                    or_halt(imports, stored);
                }
                Output::Install { snapshot, image } => self.install(imports, snapshot, image),
                Output::Apply { index, entry } => self.apply(imports, index, &entry),
                Output::Proposal { token: _, outcome } => self.proposal(imports, outcome),
                Output::Read { token, result, lease } => self.read_done(imports, token, result, lease),
                Output::Note(note) => self.note(imports, note),
                Output::Halt(reason) => imports.halt(code::DISK, &reason.to_string()),
            }
        }
        let written = self.storage.write(imports);
        or_halt(imports, written);
    }

    fn send<I: Imports>(&mut self, imports: &mut I, to: NodeId, message: &Message) {
        wire::encode(&mut self.scratch.datagram, message);
        imports.send(to, &self.scratch.datagram);
    }

    fn apply<I: Imports>(&mut self, imports: &mut I, index: Index, entry: &Entry) {
        self.scratch.reply.clear();
        if let Payload::Command { at, bytes } = &entry.payload {
            self.machine.apply(index, *at, bytes, &mut self.scratch.reply);
        }
        let (term, command) = (entry.term, self.hashes.at(index));
        let result = raftbox_abi::hash(&self.scratch.reply);
        self.scratch.note(imports, Body::Apply { index, term, command, result });
        if let Payload::Config(_) = &entry.payload {
            // No machine answers for it: that it is committed is the answer.
            Reply::Ok(raftbox_abi::client::Outcome::Done).encode(&mut self.scratch.reply);
        }
        while let Some((accepted, asked)) = self.pending.take(index) {
            if accepted == term {
                imports.reply(asked.client, asked.operation, &self.scratch.reply);
            } else {
                let mut redirect = Vec::new();
                Reply::Redirect(self.hint()).encode(&mut redirect);
                imports.reply(asked.client, asked.operation, &redirect);
            }
        }
    }

    fn proposal<I: Imports>(&mut self, imports: &mut I, outcome: Outcome) {
        let asked = self.asking.take().expect("a proposal is answered in its own step");
        match outcome {
            Outcome::Accepted { index, term } => self.pending.put(index, term, asked),
            Outcome::Begun => self.reply(imports, asked, Reply::Ok(raftbox_abi::client::Outcome::Done)),
            Outcome::Refused(ProposalRefusal::Transferring { to }) => self.reply(imports, asked, Reply::Redirect(to)),
            Outcome::Refused(ProposalRefusal::NoVoter { .. }) => {
                self.reply(imports, asked, Reply::Refused(Reason::NoVoter));
            }
            Outcome::Refused(ProposalRefusal::NotLeader { hint }) => {
                self.reply(imports, asked, Reply::Redirect(notes::number(hint)));
            }
            Outcome::Refused(ProposalRefusal::LogFull { .. } | ProposalRefusal::Uncommitted { .. }) => {
                self.reply(imports, asked, Reply::Refused(Reason::LogFull));
            }
            Outcome::Refused(
                ProposalRefusal::ChangeUnderWay { .. }
                | ProposalRefusal::NothingCommitted { .. }
                | ProposalRefusal::LearnerBehind { .. }
                | ProposalRefusal::Change(_),
            ) => self.reply(imports, asked, Reply::Refused(Reason::Members)),
        }
    }

    fn reply<I: Imports>(&mut self, imports: &mut I, to: Client, reply: Reply<'_>) {
        self.scratch.reply.clear();
        reply.encode(&mut self.scratch.reply);
        imports.reply(to.client, to.operation, &self.scratch.reply);
    }

    /// Who leads, for a client that is sent elsewhere.
    fn hint(&self) -> NodeId {
        notes::number(self.raft.leader())
    }

    /// The note of a role, by the members as they are.
    fn role(&mut self, role: raft::Role, term: Term, leader: NodeId) -> Body {
        let votes = self.raft.membership().is_voter(self.settings.node);
        self.told = Some((role, term, leader, votes));
        Body::Role { role: notes::role(role, votes), term, leader }
    }

    fn note<I: Imports>(&mut self, imports: &mut I, note: Note) {
        let body = match note {
            Note::Role { role, term, leader } => self.role(role, term, notes::number(leader)),
            Note::HardState(state) => Body::HardState { term: state.term, vote: notes::number(state.vote) },
            Note::Append { index, entry } => {
                let hash = notes::entry_hash(&entry.payload);
                self.hashes.push(index, hash);
                let kind = notes::entry_kind(&entry.payload);
                Body::Append { index, term: entry.term, kind, hash }
            }
            Note::Config { index, configuration } => {
                self.scratch.note(imports, notes::configuration(index, &configuration));
                // A follower without a vote is a learner: who gets one, or loses it, is something else from now on.
                match self.told {
                    Some((role, term, leader, voted)) if voted != configuration.is_voter(self.settings.node) => {
                        self.role(role, term, leader)
                    }
                    _ => return,
                }
            }
            Note::Truncate { from } => {
                self.hashes.truncate(from);
                Body::Truncate { from }
            }
            Note::Durable { last } => Body::Durable { last },
            Note::Commit { index } => Body::Commit { index },
            Note::Snapshot { .. } => {
                self.hashes.compact(self.raft.log().base().index);
                self.snapshot_note()
            }
            Note::Install { last, image } => {
                self.hashes = Hashes::of(&Log::new(last));
                Body::Install { index: last.index, term: last.term, prefix: image.prefix, state: image.state }
            }
            Note::Lease { until } => Body::Lease { until },
            Note::Refused(refusal) => notes::refused(&refusal, self.settings.config.election_min_us),
        };
        self.scratch.note(imports, body);
    }
}

/// What was found on the disk; `prefix` is the hash of the log that the snapshot replaced.
fn recovered(restored: &Restored, hashes: &Hashes, prefix: u64) -> Body {
    let Restored { term, vote, snapshot: _, log } = restored;
    let (base, last) = (log.base(), log.last());
    let prefix = hashes.chain(prefix, log, base.index, last.index);
    let (snapshot, last) = ((base.index, base.term), (last.index, last.term));
    Body::Recovered { term: *term, vote: notes::number(*vote), snapshot, last, prefix }
}
