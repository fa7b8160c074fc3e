//! The hash of each entry's payload: for the note when it is appended, and when it is applied.

use crate::notes;
use crate::raft::{Index, Log};

/// The hashes of a log's entries, from the one after its base on.
#[derive(Clone, Default)]
pub(super) struct Hashes {
    base: Index,
    each: Vec<u64>,
}

impl Hashes {
    pub(super) fn of(log: &Log) -> Self {
        let each = log.iter().map(|(_, entry)| notes::entry_hash(&entry.payload)).collect();
        Self { base: log.base().index, each }
    }

    pub(super) fn at(&self, index: Index) -> u64 {
        self.each[self.slot(index)]
    }

    pub(super) fn push(&mut self, index: Index, hash: u64) {
        assert_eq!(self.slot(index), self.each.len(), "entries are noted in order");
        self.each.push(hash);
    }

    pub(super) fn truncate(&mut self, from: Index) {
        self.each.truncate(self.slot(from));
    }

    /// The log starts after `base` now.
    pub(super) fn compact(&mut self, base: Index) {
        let gone = self.slot(base + 1).min(self.each.len());
        self.each.drain(..gone);
        self.base = base;
    }

    /// The hash of a log up to `last`, from that of its part up to `first`.
    pub(super) fn chain(&self, prefix: u64, log: &Log, first: Index, last: Index) -> u64 {
        log.range(first + 1, last).fold(prefix, |prefix, (index, entry)| {
            raftbox_abi::chain(prefix, entry.term, notes::entry_kind(&entry.payload), self.at(index))
        })
    }

    fn slot(&self, index: Index) -> usize {
        usize::try_from(index - 1 - self.base).expect("a log fits into memory")
    }
}
