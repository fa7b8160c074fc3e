//! What just changed in a node, for checkers and people.
//!
//! A note precedes the effect it describes. Notes change nothing: a run without a reader of notes is the same run.

use std::fmt;
use std::rc::Rc;

use super::entry::{Entry, Position};
use super::membership::Configuration;
use super::output::HardState;
use super::refusal::Refusal;
use super::snapshot::Image;
use super::{Index, Micros, NodeId, Term};

/// The part a node plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Follows a leader, or waits for one.
    Follower,
    /// Asks whether it could win an election (thesis 9.6).
    PreCandidate,
    /// Asks for votes (5.2).
    Candidate,
    /// Leads.
    Leader,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Follower => "follower",
            Role::PreCandidate => "pre-candidate",
            Role::Candidate => "candidate",
            Role::Leader => "leader",
        })
    }
}

/// What just changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The role, the term or the known leader changed.
    Role {
        /// The role from now on.
        role: Role,
        /// The term from now on.
        term: Term,
        /// The leader of that term, as far as known.
        leader: Option<NodeId>,
    },
    /// Term and vote are on disk. Comes before anything that depends on them is sent.
    HardState(HardState),
    /// An entry was put at the end of the log, not yet on disk.
    Append {
        /// Its index.
        index: Index,
        /// The entry.
        entry: Entry,
    },
    /// Another configuration is in force: because its entry was put in the log, or because a later one left it; and at boot.
    Config {
        /// The index of its entry; before the first change, the place where the log begins.
        index: Index,
        /// The configuration.
        configuration: Rc<Configuration>,
    },
    /// The log lost this index and all after it to a conflict with the leader's.
    Truncate {
        /// The first index that went.
        from: Index,
    },
    /// The log is on disk up to here.
    Durable {
        /// The last such index.
        last: Index,
    },
    /// The log is known to be committed up to here.
    Commit {
        /// The last such index.
        index: Index,
    },
    /// A snapshot is durable, and the log lost what it replaces, but for a few entries.
    Snapshot {
        /// The last entry that it covers.
        last: Position,
    },
    /// The leader's snapshot took the place of log and machine. Not durable yet.
    Install {
        /// The last entry that it covers.
        last: Position,
        /// What it consists of.
        image: Image,
    },
    /// The leader may answer reads by itself until then, by its own clock (thesis 6.4.1); 0: not any more.
    Lease {
        /// The end of the lease.
        until: Micros,
    },
    /// Something was refused, with what was compared.
    Refused(Refusal),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Role { role, term, leader: None } => write!(f, "{role} in term {term}"),
            Note::Role { role: Role::Follower, term, leader: Some(leader) } => {
                write!(f, "follower of {leader} in term {term}")
            }
            Note::Role { role, term, leader: Some(_) } => write!(f, "{role} in term {term}"),
            Note::HardState(hard_state) => write!(f, "durable {hard_state}"),
            Note::Append { index, entry } => write!(f, "append {index}@{}", entry.term),
            Note::Config { index, configuration } => write!(f, "config of {index}: {configuration}"),
            Note::Truncate { from } => write!(f, "truncate from {from}"),
            Note::Durable { last } => write!(f, "durable to {last}"),
            Note::Commit { index } => write!(f, "commit {index}"),
            Note::Snapshot { last } => write!(f, "snapshot up to {last}"),
            Note::Install { last, .. } => write!(f, "install snapshot up to {last}"),
            Note::Lease { until: 0 } => write!(f, "no lease"),
            Note::Lease { until } => write!(f, "lease until {until}"),
            Note::Refused(refusal) => refusal.fmt(f),
        }
    }
}
