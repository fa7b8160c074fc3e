//! The core's notes in the words of the boundary.
//!
//! The core speaks of nodes as options and of roles as four; the boundary writes 0 for nobody, tells a learner from a
//! follower, and carries hashes in place of entries. Nothing is decided here.

use crate::raft::{
    self, AppendRefusal, ChangeError, Configuration, Index, LeadershipRefusal, NodeId, Payload, ProposalRefusal,
    VoteRefusal,
};
use crate::wire;
use raftbox_abi::note::{Body, EntryKind, Refusal, Role};

/// The number of a node that may be nobody.
#[must_use]
pub fn number(node: Option<NodeId>) -> NodeId {
    node.unwrap_or(0)
}

/// What an entry is.
#[must_use]
pub fn entry_kind(payload: &Payload) -> EntryKind {
    match payload {
        Payload::Noop => EntryKind::Noop,
        Payload::Command { .. } => EntryKind::Command,
        Payload::Config(_) => EntryKind::Config,
    }
}

/// The hash of what an entry carries.
#[must_use]
pub fn entry_hash(payload: &Payload) -> u64 {
    match payload {
        Payload::Noop => raftbox_abi::hash(b""),
        Payload::Command { bytes, .. } => raftbox_abi::hash(bytes),
        Payload::Config(config) => {
            let mut bytes = Vec::new();
            wire::put_configuration(&mut bytes, config);
            raftbox_abi::hash(&bytes)
        }
    }
}

/// The role of a node that has a vote, or has none.
#[must_use]
pub fn role(role: raft::Role, votes: bool) -> Role {
    match role {
        raft::Role::Follower if !votes => Role::Learner,
        raft::Role::Follower => Role::Follower,
        raft::Role::PreCandidate => Role::PreCandidate,
        raft::Role::Candidate => Role::Candidate,
        raft::Role::Leader => Role::Leader,
    }
}

/// The configuration in force.
#[must_use]
pub fn configuration(index: Index, configuration: &Configuration) -> Body {
    let [voters, outgoing, learners] =
        [configuration.voters(), configuration.outgoing(), configuration.learners()].map(<[NodeId]>::to_vec);
    Body::Config { index, voters, outgoing, learners }
}

/// What was refused. `minimum` is how long a leader must have been silent before it can be unseated.
#[must_use]
pub fn refused(refusal: &raft::Refusal, minimum: u64) -> Body {
    let (peer, refusal) = match *refusal {
        raft::Refusal::PreVote { candidate, why } | raft::Refusal::Vote { candidate, why } => {
            (candidate, vote(why, minimum))
        }
        raft::Refusal::Append { leader, why } => (leader, append(why)),
        raft::Refusal::Leadership(why) => (0, leadership(why)),
        raft::Refusal::Proposal { token: _, why } => (0, proposal(why)),
    };
    Body::Refused { peer, refusal }
}

fn vote(why: VoteRefusal, minimum: u64) -> Refusal {
    match why {
        VoteRefusal::StaleTerm { theirs, mine } => Refusal::VoteStaleTerm { mine, theirs },
        VoteRefusal::AlreadyVoted { term, vote } => Refusal::VoteTaken { term, by: vote },
        VoteRefusal::LogBehind { theirs, mine } => {
            Refusal::VoteOlderLog { mine: (mine.index, mine.term), theirs: (theirs.index, theirs.term) }
        }
        VoteRefusal::Promised { left_us } => Refusal::VotePromised { left: left_us },
        VoteRefusal::LeaderAlive { leader, ago_us } => Refusal::VoteLeaderAlive { leader, heard: ago_us, minimum },
    }
}

fn leadership(why: LeadershipRefusal) -> Refusal {
    match why {
        LeadershipRefusal::QuorumSilent { heard, voters, within_us } => {
            Refusal::LeadQuorumSilent { heard, voters, within: within_us }
        }
        LeadershipRefusal::DiskStalled { for_us, bound_us } => {
            Refusal::LeadDiskStalled { stalled: for_us, bound: bound_us }
        }
    }
}

fn append(why: AppendRefusal) -> Refusal {
    match why {
        AppendRefusal::StaleTerm { theirs, mine } => Refusal::AppendStaleTerm { mine, theirs },
        AppendRefusal::NoEntry { prev, last } => Refusal::AppendGap { previous: prev, last },
        AppendRefusal::TermMismatch { prev, theirs, mine } => Refusal::AppendMismatch { previous: prev, mine, theirs },
    }
}

fn proposal(why: ProposalRefusal) -> Refusal {
    match why {
        ProposalRefusal::NotLeader { hint } => Refusal::NotLeader { hint: number(hint) },
        ProposalRefusal::Uncommitted { bytes, bound } => Refusal::Uncommitted { bytes, bound },
        ProposalRefusal::LogFull { bytes, bound } => Refusal::LogFull { bytes, bound },
        ProposalRefusal::Transferring { to } => Refusal::Transferring { to },
        ProposalRefusal::NoVoter { node } => Refusal::NoVoter { node },
        ProposalRefusal::ChangeUnderWay { index, commit } => Refusal::ChangeUnderWay { index, commit },
        ProposalRefusal::NothingCommitted { term, commit } => Refusal::NothingCommitted { term, commit },
        ProposalRefusal::LearnerBehind { learner, matched, needed } => {
            Refusal::LearnerBehind { learner, matched, needed }
        }
        ProposalRefusal::Change(ChangeError::NoVoters | ChangeError::NoVotersBefore) => Refusal::NoVoters,
        ProposalRefusal::Change(ChangeError::NotSimple { changed }) => Refusal::NotSimple { changed },
        ProposalRefusal::Change(ChangeError::Joint) => Refusal::Joint,
        ProposalRefusal::Change(ChangeError::NotJoint) => Refusal::NotJoint,
    }
}
