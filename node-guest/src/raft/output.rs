//! What a node wants done. Outputs are done in the order in which they come.

use std::fmt;
use std::rc::Rc;

use super::entry::Entry;
use super::message::Message;
use super::note::Note;
use super::refusal::ProposalRefusal;
use super::snapshot::{Image, Snapshot};
use super::{Index, Micros, NodeId, Term, Ticket};

/// What a node wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a message. What had to be durable first, is.
    Send {
        /// To whom.
        to: NodeId,
        /// The message.
        message: Message,
    },
    /// Wake me at this time; replaces the alarm before. Comes only when the time changed, or the alarm went off.
    Alarm(Micros),
    /// Write this. Writes are kept in order; none is waited for.
    Persist(Record),
    /// Make all that was written so far durable, and answer with [`super::Input::Synced`]. Never two at a time.
    Sync(Ticket),
    /// Write down the machine as it is now, with the log behind it, in place of all that was written. The next sync covers
    /// it. Never two at a time.
    Snapshot(Snapshot),
    /// Send the part of the newest snapshot that begins at `offset`, as a [`super::Body::InstallSnapshot`] of this term. All
    /// that had to be durable first, is.
    SendChunk {
        /// To whom.
        to: NodeId,
        /// In which term.
        term: Term,
        /// Where the part begins; at or beyond the end, an empty part is sent.
        offset: u64,
        /// Whether to send none of it: only to ask how much is there.
        empty: bool,
    },
    /// Keep a part of a snapshot that the leader sends. One that begins at 0 begins anew.
    Store {
        /// Where the part begins.
        offset: u64,
        /// The part.
        data: Rc<[u8]>,
    },
    /// What was stored is whole: it is the machine from now on, and is to be written down in place of all that was written.
    /// The log is empty behind it. The next sync covers it.
    Install {
        /// What it is of.
        snapshot: Snapshot,
        /// What it consists of.
        image: Image,
    },
    /// This entry is committed. They come in order, each once per boot.
    Apply {
        /// Its index.
        index: Index,
        /// The entry.
        entry: Entry,
    },
    /// What became of a proposal.
    Proposal {
        /// The token it came with.
        token: u64,
        /// The answer.
        outcome: Outcome,
    },
    /// A read may be answered by the machine as it is, or not at all.
    Read {
        /// The token it came with.
        token: u64,
        /// The last index that was applied; or why this node cannot tell.
        result: Result<Index, ProposalRefusal>,
        /// Whether a lease was enough.
        lease: bool,
    },
    /// What just changed.
    Note(Note),
    /// Stop for good. Nothing comes after it.
    Halt(HaltReason),
}

/// Something to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Term and vote; replaces the one before.
    HardState(HardState),
    /// An entry at the end of the log.
    Append {
        /// Its index.
        index: Index,
        /// The entry.
        entry: Entry,
    },
    /// The log loses this index and all after it.
    Truncate {
        /// The first index that goes.
        from: Index,
    },
}

/// What a node may never forget, besides its log (Figure 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HardState {
    /// The current term.
    pub term: Term,
    /// The vote in it.
    pub vote: Option<NodeId>,
}

impl fmt::Display for HardState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.vote {
            Some(vote) => write!(f, "term {} vote {vote}", self.term),
            None => write!(f, "term {} no vote", self.term),
        }
    }
}

/// What became of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the leader's log. It is committed if an [`Output::Apply`] brings this index with this term, and lost
    /// if one brings the index with another term.
    Accepted {
        /// Where it is.
        index: Index,
        /// The term it was accepted in.
        term: Term,
    },
    /// What was asked for has begun, and may come to nothing: only a leader that hands over knows no better.
    Begun,
    /// It is in no log, and never will be.
    Refused(ProposalRefusal),
}

/// Why a node stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HaltReason {
    /// The disk could not make writes durable. Nobody knows what it holds now, and a later sync may report success
    /// without them, so a node must not go on.
    SyncFailed {
        /// Which sync.
        ticket: Ticket,
    },
}

impl fmt::Display for HaltReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HaltReason::SyncFailed { ticket } => write!(f, "sync {ticket} failed"),
        }
    }
}
