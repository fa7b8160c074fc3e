//! What a node tells the host of itself.
//!
//! A note says what *just changed*: it precedes the effect it describes, and is told in the turn in which it happened.
//! Checkers judge a run by notes and client events alone. All fields are little-endian, and each note starts with
//! `group: u32`, 0 where a guest holds one Raft group. Kinds from [`OWN_KINDS`] on are a guest's own: shown, never
//! checked.
//!
//! ```
//! use raftbox_abi::{Note, note::Body};
//! let note = Note { group: 0, body: Body::Commit { index: 7 } };
//! let mut bytes = Vec::new();
//! let kind = note.encode(&mut bytes);
//! assert_eq!(Note::decode(kind, &bytes), Some(note));
//! ```

mod refusal;

pub use refusal::Refusal;

use crate::codec::{Reader, Write};

/// The first of the kinds that are a guest's own.
pub const OWN_KINDS: u32 = 0x8000_0000;

/// A note, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The Raft group that it is about; 0 where there is one.
    pub group: u32,
    /// What it says.
    pub body: Body,
}

/// What a note says. Terms and indexes are those of the Raft paper: `u64`, from 1, 0 for "none". Nodes are `u32` from
/// 1, 0 for "nobody".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Ends every boot: what was found on the disk.
    Recovered {
        /// The durable term.
        term: u64,
        /// The durable vote in that term.
        vote: u32,
        /// The last index that the snapshot covers, and its term.
        snapshot: (u64, u64),
        /// The last entry's index and term.
        last: (u64, u64),
        /// The hash of the whole log up to there, by [`chain`](crate::chain).
        prefix: u64,
    },
    /// The node is now in this role, in this term, and takes `leader` for the leader.
    Role {
        /// The new role.
        role: Role,
        /// The current term, durable or not.
        term: u64,
        /// The known leader of that term.
        leader: u32,
    },
    /// Term and vote are durable; told before anything that depends on them is sent (paper, figure 2).
    HardState {
        /// The durable term.
        term: u64,
        /// The durable vote in that term.
        vote: u32,
    },
    /// An entry was put at the end of the log, in memory.
    Append {
        /// Its index.
        index: u64,
        /// Its term.
        term: u64,
        /// What it is.
        kind: EntryKind,
        /// The [hash](crate::hash) of its command.
        hash: u64,
    },
    /// All entries from `from` on were taken off the log, in memory.
    Truncate {
        /// The first index that is gone.
        from: u64,
    },
    /// The log is durable up to and with `last`.
    Durable {
        /// The last durable index.
        last: u64,
    },
    /// The commit index moved up to this.
    Commit {
        /// The new commit index.
        index: u64,
    },
    /// An entry was applied to the state machine.
    Apply {
        /// Its index.
        index: u64,
        /// Its term.
        term: u64,
        /// The [hash](crate::hash) of its command.
        command: u64,
        /// The [hash](crate::hash) of what it returned.
        result: u64,
    },
    /// The configuration in force from here on.
    Config {
        /// The index of the entry that brought it; 0 for the one given at boot.
        index: u64,
        /// Its voters, ascending.
        voters: Vec<u32>,
        /// In a joint configuration, the voters that are to go out of force, ascending; else none.
        outgoing: Vec<u32>,
        /// Its learners, ascending.
        learners: Vec<u32>,
    },
    /// A snapshot of the state machine is durable.
    Snapshot {
        /// The last index that it covers.
        index: u64,
        /// The term of that entry.
        term: u64,
        /// The hash of the log that it replaces, by [`chain`](crate::chain).
        prefix: u64,
        /// The [hash](crate::hash) of the state.
        state: u64,
    },
    /// A snapshot that the leader sent took the place of log and state.
    Install {
        /// The last index that it covers.
        index: u64,
        /// The term of that entry.
        term: u64,
        /// The hash of the log that it replaces, by [`chain`](crate::chain).
        prefix: u64,
        /// The [hash](crate::hash) of the state.
        state: u64,
    },
    /// A client's read was answered from the state at `index`.
    Read {
        /// The client.
        client: u32,
        /// Its operation, as in `request`.
        operation: u64,
        /// How the read was made safe.
        mode: ReadMode,
        /// The applied index that it saw.
        index: u64,
    },
    /// The node may serve reads as leader until then.
    Lease {
        /// The lease's end, on the node's own clock, in microseconds; 0 when it is given up.
        until: u64,
    },
    /// The node turned somebody down.
    Refused {
        /// Whom: a node, or 0 where it is a client.
        peer: u32,
        /// Why, with the values that were compared.
        refusal: Refusal,
    },
    /// A property of the guest's own, as in Antithesis' or FoundationDB's assertions.
    Property {
        /// What is claimed.
        kind: PropertyKind,
        /// Whether the condition held at this visit.
        value: bool,
        /// The property's name.
        name: String,
    },
}

macro_rules! small_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $value:literal: $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_meta])* $variant = $value,)+ }

        impl $name {
            pub(crate) fn decode(value: u8) -> Option<Self> {
                match value { $($value => Some(Self::$variant),)+ _ => None }
            }

            /// The word for it.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

small_enum! {
    /// The role of a node.
    Role {
        /// Follows whoever leads (paper, 5.1).
        Follower = 0: "follower",
        /// Asks whether it could win before it disturbs anybody (thesis, 9.6).
        PreCandidate = 1: "pre-candidate",
        /// Asks for votes (paper, 5.2).
        Candidate = 2: "candidate",
        /// Leads its term.
        Leader = 3: "leader",
        /// Receives the log and has no vote (thesis, 4.2.1).
        Learner = 4: "learner",
    }
}

small_enum! {
    /// What a log entry is.
    EntryKind {
        /// Nothing but a mark of a new leader's term (paper, 8).
        Noop = 0: "no-op",
        /// A command for the state machine.
        Command = 1: "command",
        /// A configuration of the cluster (paper, 6).
        Config = 2: "configuration",
    }
}

small_enum! {
    /// How a read was made safe, or not.
    ReadMode {
        /// It went through the log.
        Log = 0: "log",
        /// A quorum confirmed the leader after the read was asked (thesis, 6.4).
        Index = 1: "read-index",
        /// The leader's lease was valid (thesis, 6.4.1).
        Lease = 2: "lease",
        /// Not at all: whatever this node has applied.
        Local = 3: "local",
    }
}

small_enum! {
    /// What a [`Body::Property`] claims.
    PropertyKind {
        /// The condition holds at every visit, and there is a visit.
        Always = 0: "always",
        /// The condition holds at some visit.
        Sometimes = 1: "sometimes",
        /// There is a visit.
        Reachable = 2: "reachable",
        /// There is no visit.
        Unreachable = 3: "unreachable",
    }
}

/// The kinds of the notes that the host understands, in the order of [`Body`].
pub mod kind {
    /// [`Body::Recovered`](super::Body::Recovered).
    pub const RECOVERED: u32 = 1;
    /// [`Body::Role`](super::Body::Role).
    pub const ROLE: u32 = 2;
    /// [`Body::HardState`](super::Body::HardState).
    pub const HARD_STATE: u32 = 3;
    /// [`Body::Append`](super::Body::Append).
    pub const APPEND: u32 = 4;
    /// [`Body::Truncate`](super::Body::Truncate).
    pub const TRUNCATE: u32 = 5;
    /// [`Body::Durable`](super::Body::Durable).
    pub const DURABLE: u32 = 6;
    /// [`Body::Commit`](super::Body::Commit).
    pub const COMMIT: u32 = 7;
    /// [`Body::Apply`](super::Body::Apply).
    pub const APPLY: u32 = 8;
    /// [`Body::Config`](super::Body::Config).
    pub const CONFIG: u32 = 9;
    /// [`Body::Snapshot`](super::Body::Snapshot).
    pub const SNAPSHOT: u32 = 10;
    /// [`Body::Install`](super::Body::Install).
    pub const INSTALL: u32 = 11;
    /// [`Body::Read`](super::Body::Read).
    pub const READ: u32 = 12;
    /// [`Body::Lease`](super::Body::Lease).
    pub const LEASE: u32 = 13;
    /// [`Body::Refused`](super::Body::Refused).
    pub const REFUSED: u32 = 14;
    /// [`Body::Property`](super::Body::Property).
    pub const PROPERTY: u32 = 15;
}

impl Note {
    /// Appends the body of the note to `out`, and returns its kind.
    pub fn encode(&self, out: &mut Vec<u8>) -> u32 {
        out.put_u32(self.group);
        self.body.encode(out)
    }

    /// Reads what [`encode`](Self::encode) wrote; `None` if it did not, or if the kind is a guest's own.
    #[must_use]
    pub fn decode(kind: u32, bytes: &[u8]) -> Option<Self> {
        let mut from = Reader(bytes);
        let group = from.u32()?;
        let body = Body::decode(kind, &mut from)?;
        from.end(Self { group, body })
    }
}

impl Body {
    fn encode(&self, out: &mut Vec<u8>) -> u32 {
        let mut put = |values: &[u64]| values.iter().for_each(|value| out.put_u64(*value));
        match self {
            Self::Recovered { term, vote, snapshot, last, prefix } => {
                put(&[*term, u64::from(*vote), snapshot.0, snapshot.1, last.0, last.1, *prefix]);
                kind::RECOVERED
            }
            Self::Role { role, term, leader } => {
                put(&[*role as u64, *term, u64::from(*leader)]);
                kind::ROLE
            }
            Self::HardState { term, vote } => {
                put(&[*term, u64::from(*vote)]);
                kind::HARD_STATE
            }
            Self::Append { index, term, kind, hash } => {
                put(&[*index, *term, *kind as u64, *hash]);
                kind::APPEND
            }
            Self::Truncate { from } => {
                put(&[*from]);
                kind::TRUNCATE
            }
            Self::Durable { last } => {
                put(&[*last]);
                kind::DURABLE
            }
            Self::Commit { index } => {
                put(&[*index]);
                kind::COMMIT
            }
            Self::Apply { index, term, command, result } => {
                put(&[*index, *term, *command, *result]);
                kind::APPLY
            }
            Self::Config { index, voters, outgoing, learners } => {
                put(&[*index]);
                [voters, outgoing, learners].iter().for_each(|ids| out.put_ids(ids));
                kind::CONFIG
            }
            Self::Snapshot { index, term, prefix, state } => {
                put(&[*index, *term, *prefix, *state]);
                kind::SNAPSHOT
            }
            Self::Install { index, term, prefix, state } => {
                put(&[*index, *term, *prefix, *state]);
                kind::INSTALL
            }
            Self::Read { client, operation, mode, index } => {
                put(&[u64::from(*client), *operation, *mode as u64, *index]);
                kind::READ
            }
            Self::Lease { until } => {
                put(&[*until]);
                kind::LEASE
            }
            Self::Refused { peer, refusal } => {
                let (reason, values) = refusal.pack();
                out.put_u32(*peer);
                out.put_u32(reason);
                values.iter().for_each(|value| out.put_u64(*value));
                kind::REFUSED
            }
            Self::Property { kind, value, name } => {
                out.extend([*kind as u8, u8::from(*value)]);
                out.extend_from_slice(name.as_bytes());
                kind::PROPERTY
            }
        }
    }

    fn decode(kind: u32, from: &mut Reader<'_>) -> Option<Self> {
        let id = |value: u64| u32::try_from(value).ok();
        let small = |value: u64| u8::try_from(value).ok();
        Some(match kind {
            kind::RECOVERED => Self::Recovered {
                term: from.u64()?,
                vote: id(from.u64()?)?,
                snapshot: (from.u64()?, from.u64()?),
                last: (from.u64()?, from.u64()?),
                prefix: from.u64()?,
            },
            kind::ROLE => {
                Self::Role { role: Role::decode(small(from.u64()?)?)?, term: from.u64()?, leader: id(from.u64()?)? }
            }
            kind::HARD_STATE => Self::HardState { term: from.u64()?, vote: id(from.u64()?)? },
            kind::APPEND => Self::Append {
                index: from.u64()?,
                term: from.u64()?,
                kind: EntryKind::decode(small(from.u64()?)?)?,
                hash: from.u64()?,
            },
            kind::TRUNCATE => Self::Truncate { from: from.u64()? },
            kind::DURABLE => Self::Durable { last: from.u64()? },
            kind::COMMIT => Self::Commit { index: from.u64()? },
            kind::APPLY => {
                Self::Apply { index: from.u64()?, term: from.u64()?, command: from.u64()?, result: from.u64()? }
            }
            kind::CONFIG => {
                Self::Config { index: from.u64()?, voters: from.ids()?, outgoing: from.ids()?, learners: from.ids()? }
            }
            kind::SNAPSHOT => {
                Self::Snapshot { index: from.u64()?, term: from.u64()?, prefix: from.u64()?, state: from.u64()? }
            }
            kind::INSTALL => {
                Self::Install { index: from.u64()?, term: from.u64()?, prefix: from.u64()?, state: from.u64()? }
            }
            kind::READ => Self::Read {
                client: id(from.u64()?)?,
                operation: from.u64()?,
                mode: ReadMode::decode(small(from.u64()?)?)?,
                index: from.u64()?,
            },
            kind::LEASE => Self::Lease { until: from.u64()? },
            kind::REFUSED => {
                let (peer, reason) = (from.u32()?, from.u32()?);
                let values = [from.u64()?, from.u64()?, from.u64()?, from.u64()?];
                Self::Refused { peer, refusal: Refusal::unpack(reason, values)? }
            }
            kind::PROPERTY => Self::Property {
                kind: PropertyKind::decode(from.u8()?)?,
                value: match from.u8()? {
                    0 => false,
                    1 => true,
                    _ => return None,
                },
                name: str::from_utf8(std::mem::take(&mut from.0)).ok()?.to_owned(),
            },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One note of each kind, and every refusal.
    fn samples() -> Vec<Body> {
        let mut samples = vec![
            Body::Recovered { term: 3, vote: 0, snapshot: (0, 0), last: (9, 2), prefix: 77 },
            Body::Role { role: Role::PreCandidate, term: 3, leader: 0 },
            Body::HardState { term: 3, vote: 5 },
            Body::Append { index: 1, term: 1, kind: EntryKind::Command, hash: u64::MAX },
            Body::Truncate { from: 4 },
            Body::Durable { last: 4 },
            Body::Commit { index: 4 },
            Body::Apply { index: 4, term: 2, command: 5, result: 6 },
            Body::Config { index: 0, voters: vec![1, 2, 3], outgoing: vec![], learners: vec![4] },
            Body::Snapshot { index: 4, term: 2, prefix: 1, state: 2 },
            Body::Install { index: 4, term: 2, prefix: 1, state: 2 },
            Body::Read { client: 1, operation: 65_536, mode: ReadMode::Local, index: 4 },
            Body::Lease { until: 0 },
            Body::Property { kind: PropertyKind::Sometimes, value: true, name: "a leader waits".into() },
        ];
        let refusals = (1..=9).map(|reason| Refusal::unpack(reason, [1, 2, 3, 4]).expect("reasons are 1 to 9"));
        samples.extend(refusals.map(|refusal| {
            let (reason, values) = refusal.pack();
            Body::Refused { peer: 2, refusal: Refusal::unpack(reason, values).expect("it was packed") }
        }));
        samples
    }

    #[test]
    fn every_note_survives_its_encoding_and_no_part_of_one_is_read() {
        for body in samples() {
            let note = Note { group: 0, body };
            let mut bytes = Vec::new();
            let kind = note.encode(&mut bytes);
            assert_eq!(Note::decode(kind, &bytes).as_ref(), Some(&note));
            let whole = if kind == kind::PROPERTY { 6 } else { bytes.len() };
            for cut in 0..whole {
                assert_eq!(Note::decode(kind, &bytes[..cut]), None, "{note:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn a_kind_of_the_guests_own_is_not_read() {
        assert_eq!(Note::decode(OWN_KINDS, &[0; 4]), None);
        assert_eq!(Note::decode(0, &[0; 4]), None);
    }
}
