//! Every refusal a node can give, with the values that it compared.
//!
//! A refusal is where Raft's safety shows; a person who sees one wants to know *which two numbers* decided it. Each
//! reason's `Display` is that sentence, in the voice of the node that refuses.

use std::fmt;

use super::change::ChangeError;
use super::entry::Position;
use super::{Index, Micros, NodeId, Term};

/// What was refused, to whom, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A pre-vote (thesis 9.6).
    PreVote {
        /// Who asked.
        candidate: NodeId,
        /// Why not.
        why: VoteRefusal,
    },
    /// A vote (5.2, 5.4.1).
    Vote {
        /// Who asked.
        candidate: NodeId,
        /// Why not.
        why: VoteRefusal,
    },
    /// An append (5.1, 5.3).
    Append {
        /// Who sent it.
        leader: NodeId,
        /// Why not.
        why: AppendRefusal,
    },
    /// To lead on.
    Leadership(LeadershipRefusal),
    /// A proposal.
    Proposal {
        /// The token it came with.
        token: u64,
        /// Why not.
        why: ProposalRefusal,
    },
}

/// Why a vote or pre-vote was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoteRefusal {
    /// The campaign's term is over; for a pre-vote, it would not be a new one.
    StaleTerm {
        /// The term of the campaign.
        theirs: Term,
        /// The voter's term.
        mine: Term,
    },
    /// The one vote of the term is given away.
    AlreadyVoted {
        /// The term.
        term: Term,
        /// Who has the vote.
        vote: NodeId,
    },
    /// The candidate's log is less up to date than the voter's.
    LogBehind {
        /// Where the candidate's log ends.
        theirs: Position,
        /// Where the voter's log ends.
        mine: Position,
    },
    /// There is a leader, as far as the voter knows.
    LeaderAlive {
        /// The leader; perhaps the voter itself.
        leader: NodeId,
        /// How long ago the voter heard of it.
        ago_us: Micros,
    },
    /// A leader that the voter heard before this boot, or in an earlier term, may have a lease (thesis 6.4.1).
    Promised {
        /// For how long yet.
        left_us: Micros,
    },
}

/// Why a leader leads no more, though nobody else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeadershipRefusal {
    /// Those that were heard lately are no quorum: another leader may be there, and clients are better served elsewhere
    /// (thesis 6.2).
    QuorumSilent {
        /// How many voters were heard, itself included.
        heard: u32,
        /// Of how many.
        voters: u32,
        /// How long it listened.
        within_us: Micros,
    },
    /// Its disk does not answer: what it is asked it could not keep.
    DiskStalled {
        /// How long the sync has been under way.
        for_us: Micros,
        /// How long it may be.
        bound_us: Micros,
    },
}

/// Why an append was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendRefusal {
    /// The sender leads an earlier term.
    StaleTerm {
        /// The sender's term.
        theirs: Term,
        /// The receiver's term.
        mine: Term,
    },
    /// The receiver's log is too short.
    NoEntry {
        /// The index it would have to hold.
        prev: Index,
        /// Where it ends.
        last: Index,
    },
    /// The receiver holds another entry there.
    TermMismatch {
        /// The index compared.
        prev: Index,
        /// The term in the leader's log.
        theirs: Term,
        /// The term in the receiver's log.
        mine: Term,
    },
}

/// Why a proposal was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProposalRefusal {
    /// Only a leader takes proposals.
    NotLeader {
        /// The leader of the current term, if known.
        hint: Option<NodeId>,
    },
    /// The leader hands over, and takes nothing new meanwhile.
    Transferring {
        /// To whom.
        to: NodeId,
    },
    /// Only a voter can lead.
    NoVoter {
        /// Who was to lead.
        node: NodeId,
    },
    /// Another change is under way: its entry is not committed yet. Two at once could lead to quorums that have no node in
    /// common (thesis 4.1).
    ChangeUnderWay {
        /// The index of its entry.
        index: Index,
        /// The commit index.
        commit: Index,
    },
    /// This leader has committed nothing of its own term yet, so that it cannot know of a change that an earlier leader
    /// made; without this rule two changes of different terms can lead to quorums that have no node in common.
    NothingCommitted {
        /// The term.
        term: Term,
        /// The commit index, whose entry is of an earlier term.
        commit: Index,
    },
    /// There is no such step from the configuration in force.
    Change(ChangeError),
    /// A learner that is to vote lacks too much of the log: with it in the quorum, nothing could be committed until it has
    /// caught up (thesis 4.2.1).
    LearnerBehind {
        /// The learner.
        learner: NodeId,
        /// How far its log is known to be.
        matched: Index,
        /// How far it would have to be.
        needed: Index,
    },
    /// The log has no room for it.
    LogFull {
        /// What the log would hold with it.
        bytes: u64,
        /// What it may hold.
        bound: u64,
    },
    /// Too much of the log is not committed.
    Uncommitted {
        /// How much would be with it.
        bytes: u64,
        /// How much may be.
        bound: u64,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::PreVote { candidate, why } => write!(f, "no pre-vote for {candidate}: {why}"),
            Refusal::Vote { candidate, why } => write!(f, "no vote for {candidate}: {why}"),
            Refusal::Append { leader, why } => write!(f, "no append from {leader}: {why}"),
            Refusal::Leadership(why) => write!(f, "no leader any more: {why}"),
            Refusal::Proposal { token, why } => write!(f, "no place for proposal {token}: {why}"),
        }
    }
}

impl fmt::Display for VoteRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VoteRefusal::StaleTerm { theirs, mine } if theirs == mine => {
                write!(f, "its term {theirs} is not above mine")
            }
            VoteRefusal::StaleTerm { theirs, mine } => {
                write!(f, "its term {theirs} is below mine {mine}")
            }
            VoteRefusal::AlreadyVoted { term, vote } => {
                write!(f, "my vote of term {term} is with {vote}")
            }
            VoteRefusal::LogBehind { theirs, mine } if theirs.term == mine.term => {
                let (term, theirs, mine) = (mine.term, theirs.index, mine.index);
                write!(f, "its log ends at {theirs}, mine at {mine}, both in term {term}")
            }
            VoteRefusal::LogBehind { theirs, mine } => {
                write!(f, "its last log term {} is below mine {}", theirs.term, mine.term)
            }
            VoteRefusal::LeaderAlive { leader, ago_us } => {
                write!(f, "I heard of leader {leader} {ago_us} us ago")
            }
            VoteRefusal::Promised { left_us } => {
                write!(f, "a leader that I heard may have a lease for {left_us} us yet")
            }
        }
    }
}

impl fmt::Display for LeadershipRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LeadershipRefusal::QuorumSilent { heard, voters, within_us } => {
                write!(f, "I heard {heard} of {voters} voters within {within_us} us")
            }
            LeadershipRefusal::DiskStalled { for_us, bound_us } => {
                write!(f, "my disk has not answered for {for_us} us, and may take {bound_us} us")
            }
        }
    }
}

impl fmt::Display for AppendRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AppendRefusal::StaleTerm { theirs, mine } => {
                write!(f, "its term {theirs} is below mine {mine}")
            }
            AppendRefusal::NoEntry { prev, last } => {
                write!(f, "I have no entry at {prev}, my log ends at {last}")
            }
            AppendRefusal::TermMismatch { prev, theirs, mine } => {
                write!(f, "at {prev} its log has term {theirs}, mine has {mine}")
            }
        }
    }
}

impl fmt::Display for ProposalRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProposalRefusal::NotLeader { hint: Some(leader) } => {
                write!(f, "I am not the leader, {leader} is")
            }
            ProposalRefusal::NotLeader { hint: None } => {
                write!(f, "I am not the leader, and know of none")
            }
            ProposalRefusal::Transferring { to } => write!(f, "I hand over to {to}"),
            ProposalRefusal::NoVoter { node } => write!(f, "{node} is no voter"),
            ProposalRefusal::ChangeUnderWay { index, commit } => {
                write!(f, "the change at {index} is not committed yet, my commit index is {commit}")
            }
            ProposalRefusal::NothingCommitted { term, commit } => {
                write!(f, "I have committed nothing of term {term} yet, only up to {commit}")
            }
            ProposalRefusal::Change(error) => error.fmt(f),
            ProposalRefusal::LearnerBehind { learner, matched, needed } => {
                write!(f, "learner {learner} has the log up to {matched}, and needs it up to {needed}")
            }
            ProposalRefusal::LogFull { bytes, bound } => {
                write!(f, "the log would hold {bytes} bytes of {bound}")
            }
            ProposalRefusal::Uncommitted { bytes, bound } => {
                write!(f, "{bytes} bytes would not be committed, and {bound} may be")
            }
        }
    }
}
