//! Snapshots: a state of the machine in place of the log that led there (thesis 5).
//!
//! The core does not hold a snapshot, only its name: which entry it ends with, and which members were in force there. The
//! bytes lie on the disk, with whoever drives the core.
//!
//! # To take one
//!
//! Once [`Config::snapshot_bytes`](super::Config::snapshot_bytes) of entries were applied since the last one, a node asks
//! that its machine, as it is now, be written down ([`Output::Snapshot`]). When that is durable the log loses what it
//! replaces, but for a few entries that followers may still be behind by. One is under way at a time.
//!
//! # To send one
//!
//! A follower that lacks what the leader's log has no more gets the snapshot instead, a chunk at a time. It says how much it
//! has, and the leader goes on from there: so what is lost is sent again (with the next heartbeat, whose place the chunk
//! takes; empty, if the follower does not answer at all), and a follower that restarted, or that hears of another snapshot meanwhile, begins anew.
//!
//! # To install one
//!
//! Whatever the log holds up to there is not needed if the whole snapshot has arrived: either it agrees with the snapshot,
//! and then nothing is installed and the entries behind it stay, or all of it goes (paper, Figure 13). What is committed
//! never moves back. It is acknowledged, as entries are, when it is durable.

use std::fmt;
use std::rc::Rc;

use super::entry::Position;
use super::membership::{Configuration, Memberships};
use super::message::{Body, Verdict};
use super::node::{Raft, State};
use super::note::Note;
use super::output::Output;
use super::progress::Mode;
use super::{Index, NodeId};

/// What a snapshot is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last entry that it covers.
    pub last: Position,
    /// The index of the entry that brought the members.
    pub configured: Index,
    /// The members in force at the last entry.
    pub configuration: Rc<Configuration>,
}

/// What a snapshot consists of; the core hands it on, and knows only how long it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// How many bytes.
    pub bytes: u64,
    /// The hash of the bytes.
    pub state: u64,
    /// The hash of the log that they replace.
    pub prefix: u64,
}

/// A part of a snapshot, on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Of which one.
    pub snapshot: Snapshot,
    /// What that consists of.
    pub image: Image,
    /// Where the part begins.
    pub offset: u64,
    /// The part.
    pub data: Rc<[u8]>,
}

impl Chunk {
    /// Where the part ends.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset + self.data.len() as u64
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "snapshot up to {}", self.last)
    }
}

/// What a node knows of its own snapshots.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshots {
    /// The last entry that the newest one covers, durable or not; 0@0 if there is none.
    pub(super) last: Position,
    /// The bytes of the entries that were applied since.
    pub(super) since: u64,
}

/// What a follower has of a snapshot that its leader sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Incoming {
    last: Position,
    received: u64,
}

impl Raft {
    /// The last entry that this node's newest snapshot covers; 0@0 if it has none.
    #[must_use]
    pub fn snapshot(&self) -> Position {
        self.snapshots.last
    }

    /// Takes a snapshot if enough was applied since the last.
    pub(super) fn snapshot_if_due(&mut self) {
        let every = self.config.snapshot_bytes;
        if every > 0 && self.snapshots.since >= every {
            self.take_snapshot();
        }
    }

    /// Takes a snapshot of all that is committed, if there is anything new to take, and nothing in the way.
    pub(super) fn take_snapshot(&mut self) {
        let index = self.commit;
        // One that arrives covers more than this node has.
        let arriving = matches!(&self.state, State::Follower(follower) if follower.incoming.is_some());
        if arriving || self.persistence.is_snapshotting() || index <= self.snapshots.last.index {
            return;
        }
        let term = self.log.term_at(index).expect("what is committed since the last snapshot is in the log");
        let (configured, configuration) = self.memberships.at(index);
        let last = Position { term, index };
        let snapshot = Snapshot { last, configured, configuration: Rc::clone(configuration) };
        self.snapshots = Snapshots { last, since: 0 };
        self.persistence.write_snapshot(last);
        self.output(Output::Snapshot(snapshot));
        // What a follower has of the one before is of no use to it any more.
        if let State::Leader(leader) = &mut self.state {
            for peer in leader.peers_mut().filter(|peer| matches!(peer.progress.mode(), Mode::Snapshot { .. })) {
                peer.progress.install(index);
            }
        }
    }

    /// A snapshot is durable: the log loses what it replaces, but for what is worth keeping for followers.
    pub(super) fn compact(&mut self, last: Position) {
        let (entries, bytes) = (self.config.snapshot_keep, self.config.snapshot_bytes / 2);
        self.log.compact(last.index, entries, bytes);
        self.note(Note::Snapshot { last });
    }

    /// Sends the part of the snapshot that a follower needs next; to one that has not answered lately only the question how
    /// much it has.
    pub(super) fn send_chunk(&mut self, at: usize) {
        let (term, last, lately) =
            (self.term(), self.snapshots.last, self.now.saturating_sub(2 * self.config.heartbeat_us));
        let State::Leader(leader) = &mut self.state else {
            panic!("only a leader sends snapshots");
        };
        let peer = leader.peers_mut().nth(at).expect("a peer");
        let to = peer.id;
        if !matches!(peer.progress.mode(), Mode::Snapshot { .. }) {
            peer.progress.install(last.index);
        }
        let Mode::Snapshot { received, .. } = peer.progress.mode() else {
            unreachable!("it was just set so");
        };
        let empty = peer.heard_at < lately;
        self.output(Output::SendChunk { to, term, offset: received, empty });
    }

    /// A part of a snapshot, from the leader of the current term.
    pub(super) fn on_chunk(&mut self, from: NodeId, chunk: Chunk) {
        self.follow(from);
        let last = chunk.snapshot.last;
        // A log that has the last entry agrees with all that the snapshot covers (Log Matching).
        if last.index <= self.commit || self.log.term_at(last.index) == Some(last.term) {
            let follower = self.follower();
            follower.incoming = None;
            follower.verified = follower.verified.max(last.index);
            self.advance_commit(last.index);
            let index = self.verified_and_durable();
            return self.reply_append(from, Verdict::Matched { index });
        }
        let follower = self.follower();
        let begun = follower.incoming.filter(|incoming| incoming.last == last);
        let Incoming { received, .. } = begun.unwrap_or(Incoming { last, received: 0 });
        let end = chunk.end();
        if chunk.offset != received {
            return self.send(from, Body::SnapshotReply { last: last.index, received });
        }
        if end == chunk.image.bytes && self.persistence.is_snapshotting() {
            // Its own, of less, must not take the place of this one: the leader will send the rest again.
            return;
        }
        self.follower().incoming = Some(Incoming { last, received: end });
        let Chunk { snapshot, image, offset, data } = chunk;
        if !data.is_empty() {
            self.output(Output::Store { offset, data });
        }
        if end < image.bytes {
            return self.send(from, Body::SnapshotReply { last: last.index, received: end });
        }
        self.install(snapshot, image);
    }

    /// The whole snapshot is here, and takes the place of log and machine.
    fn install(&mut self, snapshot: Snapshot, image: Image) {
        let last = snapshot.last;
        assert!(last.index > self.commit, "{last} is committed already, to {}", self.commit);
        // The term goes first: a snapshot that is ahead of its term makes no sense to a recovery.
        self.write_hard_state();
        // What was committed is the same in the snapshot, so what is durable of it is; the rest of the log is gone.
        self.persistence.write_truncate(self.commit + 1);
        self.log.reset(last);
        self.uncommitted = 0;
        self.commit = last.index;
        self.memberships = Memberships::new(snapshot.configured, Rc::clone(&snapshot.configuration));
        self.snapshots = Snapshots { last, since: 0 };
        self.persistence.write_snapshot(last);
        let follower = self.follower();
        follower.incoming = None;
        follower.verified = last.index;
        self.note(Note::Install { last, image });
        self.output(Output::Install { snapshot, image });
        self.note_config();
    }

    /// How much of the snapshot a follower has.
    pub(super) fn on_snapshot_reply(&mut self, from: NodeId, last: Index, received: u64) {
        let (now, silence) = (self.now, 2 * self.config.heartbeat_us);
        let State::Leader(leader) = &mut self.state else {
            return;
        };
        let Some(at) = leader.find(from) else {
            return;
        };
        let peer = leader.peers_mut().nth(at).expect("it was found");
        let silent = now.saturating_sub(std::mem::replace(&mut peer.heard_at, now)) > silence;
        // Who was silent was sent nothing but a question.
        if peer.progress.received(last, received) || silent {
            self.send_chunk(at);
        }
    }
}
