//! Why nodes turn somebody down: a reason's number and up to four values.

/// Why a node turned somebody down, with the values that it compared. "Mine" is the node's that refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A vote or pre-vote: the candidate's term is over (paper, 5.1).
    VoteStaleTerm {
        /// The refusing node's term.
        mine: u64,
        /// The candidate's term.
        theirs: u64,
    },
    /// A vote: it was given to another in this term (paper, 5.2).
    VoteTaken {
        /// The term.
        term: u64,
        /// Who has the vote.
        by: u32,
    },
    /// A vote or pre-vote: the candidate's log is behind (paper, 5.4.1).
    VoteOlderLog {
        /// The refusing node's last log index and term.
        mine: (u64, u64),
        /// The candidate's.
        theirs: (u64, u64),
    },
    /// A vote or pre-vote: a leader lives (thesis, 4.2.3 and 9.6).
    VoteLeaderAlive {
        /// The leader.
        leader: u32,
        /// How long ago it was heard, µs.
        heard: u64,
        /// How long it must have been silent, µs.
        minimum: u64,
    },
    /// A vote or pre-vote: a leader that was heard before this boot, or in an earlier term, may have a lease (thesis, 6.4.1).
    VotePromised {
        /// For how long yet, µs.
        left: u64,
    },
    /// An append: the sender's term is over (paper, 5.1).
    AppendStaleTerm {
        /// The refusing node's term.
        mine: u64,
        /// The sender's term.
        theirs: u64,
    },
    /// An append: the log ends before the entry that it follows (paper, 5.3).
    AppendGap {
        /// The index that it follows.
        previous: u64,
        /// The last index of the refusing node.
        last: u64,
    },
    /// An append: the entry that it follows has another term here (paper, 5.3).
    AppendMismatch {
        /// The index that it follows.
        previous: u64,
        /// The term of the entry there.
        mine: u64,
        /// The term that the sender has there.
        theirs: u64,
    },
    /// A request: this node does not lead.
    NotLeader {
        /// Who does, as far as is known.
        hint: u32,
    },
    /// A request: the log has reached its bound.
    LogFull {
        /// How large it would be, bytes.
        bytes: u64,
        /// How large it may be, bytes.
        bound: u64,
    },
    /// A request: too much of the log is not committed.
    Uncommitted {
        /// How much would be with it, bytes.
        bytes: u64,
        /// How much may be, bytes.
        bound: u64,
    },
    /// A change of members: another one is not committed yet (thesis, 4.1).
    ChangeUnderWay {
        /// The index of its entry.
        index: u64,
        /// The commit index.
        commit: u64,
    },
    /// A change of members: the leader has committed nothing of its own term yet.
    NothingCommitted {
        /// The term.
        term: u64,
        /// The commit index.
        commit: u64,
    },
    /// A change of members: a learner that is to vote lacks too much of the log (thesis, 4.2.1).
    LearnerBehind {
        /// The learner.
        learner: u32,
        /// How far its log is known to be.
        matched: u64,
        /// How far it would have to be.
        needed: u64,
    },
    /// A change of members: nobody would be left to vote, or there is nobody to vote on it.
    NoVoters,
    /// A change of members: so many voters would come or go at once that quorums of before and after may have no node in
    /// common (thesis, 4.1).
    NotSimple {
        /// How many.
        changed: u32,
    },
    /// A change of members: the configuration is joint, and is to be left first (paper, 6).
    Joint,
    /// A change of members: the configuration is to be left, and is not joint.
    NotJoint,
    /// To lead on: of the voters too few were heard lately (thesis, 6.2).
    LeadQuorumSilent {
        /// How many, itself included.
        heard: u32,
        /// Of how many.
        voters: u32,
        /// How long it listened, µs.
        within: u64,
    },
    /// A request: the leader hands over, and takes nothing new meanwhile (thesis, 3.10).
    Transferring {
        /// To whom.
        to: u32,
    },
    /// A transfer: only a voter can lead.
    NoVoter {
        /// Who was to lead.
        node: u32,
    },
    /// To lead on: the disk does not answer.
    LeadDiskStalled {
        /// How long it has not, µs.
        stalled: u64,
        /// How long it may take, µs.
        bound: u64,
    },
}

impl Refusal {
    /// The reason's number and its values, for the wire.
    pub(super) fn pack(self) -> (u32, [u64; 4]) {
        match self {
            Self::VoteStaleTerm { mine, theirs } => (1, [mine, theirs, 0, 0]),
            Self::VoteTaken { term, by } => (2, [term, by.into(), 0, 0]),
            Self::VoteOlderLog { mine, theirs } => (3, [mine.0, mine.1, theirs.0, theirs.1]),
            Self::VoteLeaderAlive { leader, heard, minimum } => (4, [leader.into(), heard, minimum, 0]),
            Self::AppendStaleTerm { mine, theirs } => (5, [mine, theirs, 0, 0]),
            Self::AppendGap { previous, last } => (6, [previous, last, 0, 0]),
            Self::AppendMismatch { previous, mine, theirs } => (7, [previous, mine, theirs, 0]),
            Self::NotLeader { hint } => (8, [hint.into(), 0, 0, 0]),
            Self::LogFull { bytes, bound } => (9, [bytes, bound, 0, 0]),
            Self::ChangeUnderWay { index, commit } => (10, [index, commit, 0, 0]),
            Self::NothingCommitted { term, commit } => (11, [term, commit, 0, 0]),
            Self::LearnerBehind { learner, matched, needed } => (12, [learner.into(), matched, needed, 0]),
            Self::NoVoters => (13, [0; 4]),
            Self::NotSimple { changed } => (14, [changed.into(), 0, 0, 0]),
            Self::Joint => (15, [0; 4]),
            Self::NotJoint => (16, [0; 4]),
            Self::LeadQuorumSilent { heard, voters, within } => (17, [heard.into(), voters.into(), within, 0]),
            Self::LeadDiskStalled { stalled, bound } => (18, [stalled, bound, 0, 0]),
            Self::Transferring { to } => (19, [to.into(), 0, 0, 0]),
            Self::NoVoter { node } => (20, [node.into(), 0, 0, 0]),
            Self::VotePromised { left } => (21, [left, 0, 0, 0]),
            Self::Uncommitted { bytes, bound } => (22, [bytes, bound, 0, 0]),
        }
    }

    pub(super) fn unpack(reason: u32, [a, b, c, d]: [u64; 4]) -> Option<Self> {
        Some(match reason {
            1 => Self::VoteStaleTerm { mine: a, theirs: b },
            2 => Self::VoteTaken { term: a, by: u32::try_from(b).ok()? },
            3 => Self::VoteOlderLog { mine: (a, b), theirs: (c, d) },
            4 => Self::VoteLeaderAlive { leader: u32::try_from(a).ok()?, heard: b, minimum: c },
            5 => Self::AppendStaleTerm { mine: a, theirs: b },
            6 => Self::AppendGap { previous: a, last: b },
            7 => Self::AppendMismatch { previous: a, mine: b, theirs: c },
            8 => Self::NotLeader { hint: u32::try_from(a).ok()? },
            9 => Self::LogFull { bytes: a, bound: b },
            10 => Self::ChangeUnderWay { index: a, commit: b },
            11 => Self::NothingCommitted { term: a, commit: b },
            12 => Self::LearnerBehind { learner: u32::try_from(a).ok()?, matched: b, needed: c },
            13 => Self::NoVoters,
            14 => Self::NotSimple { changed: u32::try_from(a).ok()? },
            15 => Self::Joint,
            16 => Self::NotJoint,
            17 => Self::LeadQuorumSilent { heard: u32::try_from(a).ok()?, voters: u32::try_from(b).ok()?, within: c },
            18 => Self::LeadDiskStalled { stalled: a, bound: b },
            19 => Self::Transferring { to: u32::try_from(a).ok()? },
            20 => Self::NoVoter { node: u32::try_from(a).ok()? },
            21 => Self::VotePromised { left: a },
            22 => Self::Uncommitted { bytes: a, bound: b },
            _ => return None,
        })
    }
}
