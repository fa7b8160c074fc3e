//! Entries of the log, and places in it.
//!
//! An entry does not know its index: its place in the log does. Payloads are shared, so that an entry costs no copy
//! of its bytes on the way from a proposal to the log, the disk, each follower and the machine.

use std::fmt;
use std::rc::Rc;

use super::membership::Configuration;
use super::{Index, Micros, Term};

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The term of the leader that made it (5.3).
    pub term: Term,
    /// What it says.
    pub payload: Payload,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Nothing: the first entry of a leader, by which it learns what is committed (paper 8).
    Noop,
    /// A command for the replicated machine.
    Command {
        /// The time by which all nodes agree that it happened: what the leader's clock read, and never less than in an entry
        /// before (thesis 6.3: what is expired must expire everywhere alike).
        at: Micros,
        /// The command.
        bytes: Rc<[u8]>,
    },
    /// A configuration of the cluster (thesis 4).
    Config(Rc<Configuration>),
}

impl Entry {
    /// What every entry costs beyond its payload, in memory and on disk, rounded up.
    pub const OVERHEAD_BYTES: u64 = 64;

    /// What this entry counts for in the bounds of a log and of a batch.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        Self::OVERHEAD_BYTES + self.payload.bytes()
    }
}

impl Payload {
    /// The time of a command; 0 for what is none.
    #[must_use]
    pub fn at(&self) -> Micros {
        match self {
            Payload::Command { at, .. } => *at,
            Payload::Noop | Payload::Config(_) => 0,
        }
    }

    /// The bytes of the payload alone.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        match self {
            Payload::Noop => 0,
            Payload::Command { bytes, .. } => bytes.len() as u64,
            Payload::Config(config) => 4 * config.members().count() as u64,
        }
    }
}

/// A place in a log, with the term of the entry there. The default is the place before the first entry.
///
/// The order of the fields is the order of the comparison that elections need: the later term wins, and with equal
/// terms the longer log (5.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The term of the entry.
    pub term: Term,
    /// Its index.
    pub index: Index,
}

impl fmt::Display for Position {
    /// `index@term`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.index, self.term)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_term_beats_a_longer_log() {
        let at = |index, term| Position { term, index };
        assert!(at(1, 3) > at(9, 2));
        assert!(at(9, 2) > at(8, 2));
        assert_eq!(Position::default(), at(0, 0));
    }

    #[test]
    fn an_entry_counts_its_payload_and_a_fixed_overhead() {
        let bytes = |payload| Entry { term: 1, payload }.bytes();
        assert_eq!(bytes(Payload::Noop), 64);
        assert_eq!(bytes(Payload::Command { at: 0, bytes: Rc::from(&b"abc"[..]) }), 67);
        let config = Configuration::new([1, 2, 3], [4]);
        assert_eq!(bytes(Payload::Config(Rc::new(config))), 64 + 16);
    }
}
