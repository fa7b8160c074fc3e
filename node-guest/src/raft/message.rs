//! What nodes tell each other.
//!
//! Messages may be lost, delayed, doubled and reordered; each must make sense on its own, and an answer says what it
//! answers. How they look on a wire is not known here.

use super::entry::{Entry, Position};
use super::snapshot::Chunk;
use super::{Index, Term};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The sender's term. One exception: in a [`Body::PreVote`] it is the term that the sender *would* campaign in,
    /// one above its own, which nobody adopts (thesis 9.6).
    pub term: Term,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// "Would you vote for me in this term?" (thesis 9.6)
    PreVote {
        /// Where the sender's log ends.
        last: Position,
    },
    /// The answer to a pre-vote. It is never a vote.
    PreVoteReply {
        /// The term of the pre-vote that it answers.
        answers: Term,
        /// Whether the sender would vote so.
        granted: bool,
    },
    /// "Vote for me in this term." (5.2)
    RequestVote {
        /// Where the sender's log ends.
        last: Position,
        /// Whether its leader wants it to campaign: then it is heard even by those who hear that leader (thesis 4.2.3).
        transfer: bool,
    },
    /// The answer to a request for a vote; a grant is a vote in the message's term.
    RequestVoteReply {
        /// Whether the sender voted so.
        granted: bool,
    },
    /// "I lead this term; after `prev`, the log goes on so." Without entries it is a heartbeat, and is otherwise no
    /// different (5.3).
    AppendEntries {
        /// The place before the first of the entries, as it is in the leader's log.
        prev: Position,
        /// The entries after it, in order.
        entries: Vec<Entry>,
        /// What the leader knows to be committed.
        commit: Index,
        /// The leader's round: who hears of it can tell that this node led when it began (thesis 6.4).
        round: u64,
    },
    /// The answer to an append.
    AppendReply {
        /// What the follower says about it.
        verdict: Verdict,
        /// The latest round of this term that it has heard of.
        round: u64,
    },
    /// "What is committed by now?" (thesis 6.4)
    ReadIndex {
        /// Names the question.
        context: u64,
    },
    /// "This was committed, and I led, when you asked."
    ReadIndexReply {
        /// The question.
        context: u64,
        /// The read index.
        index: Index,
    },
    /// "I lead this term; what you lack is no more in my log: here is a part of the state that it led to" (thesis 5.3).
    InstallSnapshot(Box<Chunk>),
    /// "Of that snapshot I have so much."
    SnapshotReply {
        /// The last index that the snapshot covers.
        last: Index,
        /// How many of its bytes are here: where the next part begins.
        received: u64,
    },
    /// "Campaign at once": the leader hands over (thesis 3.10).
    TimeoutNow,
}

/// What a follower says about an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// My log agrees with yours up to here, and is on my disk up to here.
    Matched {
        /// The last such index.
        index: Index,
    },
    /// I have no entry at `prev`.
    Short {
        /// The index of the refused append's `prev`.
        prev: Index,
        /// Where my log ends.
        last: Index,
    },
    /// My entry at `prev` has another term.
    Conflict {
        /// The index of the refused append's `prev`.
        prev: Index,
        /// The term of my entry there.
        term: Term,
        /// My first index of that term.
        first: Index,
    },
    /// You lead an earlier term than mine, which is that of this message.
    StaleTerm,
}
