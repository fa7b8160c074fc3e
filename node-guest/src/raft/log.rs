//! The log in memory.
//!
//! A log starts after its *base*: the place before its first entry, 0@0 for a log that was never compacted, and otherwise
//! the end of a snapshot or a little before it. Indexes are counted from there, without gaps, and terms never fall along it. The log does
//! not know what is committed or durable: [`super::Raft`] and `Persistence` do. It counts its own bytes, since a
//! bound on them is what keeps a node within its memory.

use super::entry::{Entry, Position};
use super::{Index, Term};

/// The log of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    base: Position,
    // A vector rather than a ring: compaction drops a prefix in one go, and batches are slices.
    entries: Vec<Entry>,
    bytes: u64,
}

impl Log {
    /// An empty log after `base`.
    #[must_use]
    pub fn new(base: Position) -> Self {
        Self { base, entries: Vec::new(), bytes: 0 }
    }

    /// The place before the first entry.
    #[must_use]
    pub fn base(&self) -> Position {
        self.base
    }

    /// The place of the last entry; the base in an empty log.
    #[must_use]
    pub fn last(&self) -> Position {
        match self.entries.last() {
            Some(entry) => Position { term: entry.term, index: self.base.index + self.entries.len() as u64 },
            None => self.base,
        }
    }

    /// What the entries count for together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The entries with their indexes, first to last.
    pub fn iter(&self) -> impl Iterator<Item = (Index, &Entry)> {
        (self.base.index + 1..).zip(&self.entries)
    }

    /// The entries from `first` to `last` with their indexes; all of them must be there.
    pub(crate) fn range(&self, first: Index, last: Index) -> impl Iterator<Item = (Index, &Entry)> {
        let slots = self.slot(first).zip(self.slot(last + 1));
        let Some(entries) = slots.and_then(|(start, end)| self.entries.get(start..end)) else {
            panic!("{first} to {last} is not all in a log from {} to {}", self.base, self.last());
        };
        (first..).zip(entries)
    }

    /// The entry at `index`.
    #[must_use]
    pub fn get(&self, index: Index) -> Option<&Entry> {
        self.entries.get(self.slot(index)?)
    }

    /// The term at `index`, also at the base: what the consistency check of an append compares (5.3).
    #[must_use]
    pub fn term_at(&self, index: Index) -> Option<Term> {
        if index == self.base.index {
            return Some(self.base.term);
        }
        self.get(index).map(|entry| entry.term)
    }

    /// Puts an entry at the end, and returns its index.
    pub fn append(&mut self, entry: Entry) -> Index {
        let last = self.last();
        assert!(entry.term >= last.term, "an entry of term {} cannot follow {last}", entry.term);
        self.bytes += entry.bytes();
        self.entries.push(entry);
        last.index + 1
    }

    /// Removes the entry at `from` and all after it.
    pub fn truncate(&mut self, from: Index) {
        let last = self.last();
        let Some(slot) = self.slot(from).filter(|_| from <= last.index) else {
            panic!("cannot truncate from {from} a log from {} to {last}", self.base);
        };
        self.bytes -= self.entries[slot..].iter().map(Entry::bytes).sum::<u64>();
        self.entries.truncate(slot);
    }

    /// Takes away entries from the start, up to and with `last`, but keeps the last of these that are within both bounds.
    pub(super) fn compact(&mut self, last: Index, keep: u32, keep_bytes: u64) {
        let slot = self.slot(last + 1).unwrap_or(0).min(self.entries.len());
        let mut bytes = 0;
        let fits = |entry: &&Entry| {
            bytes += entry.bytes();
            bytes <= keep_bytes
        };
        let kept = self.entries[..slot].iter().rev().take(keep as usize).take_while(fits).count();
        let gone = slot - kept;
        let Some(end) = gone.checked_sub(1) else { return };
        self.base = Position { term: self.entries[end].term, index: self.base.index + gone as u64 };
        self.bytes -= self.entries.drain(..gone).map(|entry| entry.bytes()).sum::<u64>();
    }

    /// Takes away all entries; the log starts after `base` from now on.
    pub(super) fn reset(&mut self, base: Position) {
        *self = Self::new(base);
    }

    /// The entries from `from` on that one message may carry: within both bounds, but at least one if there is any.
    #[must_use]
    pub fn batch(&self, from: Index, entries_max: u32, bytes_max: u64) -> &[Entry] {
        let Some(tail) = self.slot(from).and_then(|slot| self.entries.get(slot..)) else {
            return &[];
        };
        let mut bytes = 0;
        let fits = |entry: &&Entry| {
            bytes += entry.bytes();
            bytes <= bytes_max
        };
        let count = tail.iter().take(entries_max as usize).take_while(fits).count();
        &tail[..count.max(1).min(tail.len())]
    }

    /// The first index of a term that the log has: what a follower reports of a conflict (5.3).
    #[must_use]
    pub fn first_of_term(&self, term: Term) -> Index {
        // Terms never fall along the log, so a binary search finds where they reach `term`.
        self.base.index + 1 + self.entries.partition_point(|entry| entry.term < term) as u64
    }

    /// The last index of a term below `limit`, if the log has that term there: where a leader looks next (5.3).
    #[must_use]
    pub fn last_of_term(&self, term: Term, limit: Index) -> Option<Index> {
        let after = self.entries.partition_point(|entry| entry.term <= term) as u64;
        let index = (self.base.index + after).min(limit.checked_sub(1)?);
        (self.term_at(index) == Some(term)).then_some(index)
    }

    /// Where the entry at `index` is, or would be, among the entries; none at or below the base.
    fn slot(&self, index: Index) -> Option<usize> {
        let offset = index.checked_sub(self.base.index + 1)?;
        usize::try_from(offset).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::entry::Payload;
    use super::*;

    fn command(term: Term, len: usize) -> Entry {
        Entry { term, payload: Payload::Command { at: 0, bytes: Rc::from(vec![b'x'; len]) } }
    }

    fn log(base: Position, terms: &[Term]) -> Log {
        let mut log = Log::new(base);
        for &term in terms {
            log.append(command(term, 1));
        }
        log
    }

    #[test]
    fn bytes_follow_appends_and_truncates() {
        let mut log = Log::default();
        log.append(command(1, 10));
        log.append(Entry { term: 1, payload: Payload::Noop });
        log.append(command(2, 7));
        assert_eq!(log.bytes(), 64 + 10 + 64 + 64 + 7);
        log.truncate(2);
        assert_eq!(log.bytes(), 64 + 10);
        log.truncate(1);
        assert_eq!((log.bytes(), log.last()), (0, Position::default()));
    }

    #[test]
    fn a_base_shifts_indexes() {
        let base = Position { term: 3, index: 10 };
        let log = log(base, &[3, 4]);
        assert_eq!(log.last(), Position { term: 4, index: 12 });
        let terms: Vec<_> = (9..=13).map(|index| log.term_at(index)).collect();
        assert_eq!(terms, [None, Some(3), Some(3), Some(4), None]);
        assert_eq!(log.get(10), None);
        assert_eq!(log.iter().map(|(index, _)| index).collect::<Vec<_>>(), [11, 12]);
    }

    #[test]
    fn a_batch_respects_both_bounds_but_never_stalls() {
        let log = log(Position::default(), &[1; 5]);
        let count = |from, entries, bytes| log.batch(from, entries, bytes).len();
        assert_eq!(count(1, 3, 10_000), 3);
        assert_eq!(count(1, 10, 65 * 2), 2);
        assert_eq!(count(1, 10, 65 * 2 - 1), 1);
        assert_eq!(count(1, 10, 1), 1);
        assert_eq!(count(4, 10, 10_000), 2);
        assert_eq!(count(6, 10, 10_000), 0);
    }

    #[test]
    fn terms_are_found_by_their_ends() {
        let log = log(Position { term: 1, index: 3 }, &[1, 2, 2, 4]);
        assert_eq!([2, 4].map(|term| log.first_of_term(term)), [5, 7]);
        assert_eq!([1, 2, 3, 4].map(|t| log.last_of_term(t, 9)), [Some(4), Some(6), None, Some(7)]);
        // Only below the limit.
        assert_eq!([2, 4].map(|term| log.last_of_term(term, 6)), [Some(5), None]);
    }

    #[test]
    fn compaction_keeps_what_is_within_both_bounds() {
        let compacted = |last, keep, bytes| {
            let mut log = log(Position { term: 1, index: 3 }, &[1, 2, 2, 4]);
            log.compact(last, keep, bytes);
            assert_eq!(log.bytes(), log.iter().map(|(_, entry)| entry.bytes()).sum::<u64>());
            assert_eq!(log.last(), Position { term: 4, index: 7 });
            (log.base().index, log.base().term)
        };
        assert_eq!(compacted(6, 0, 1000), (6, 2));
        assert_eq!(compacted(6, 1, 1000), (5, 2));
        assert_eq!(compacted(6, 9, 2 * 65), (4, 1));
        assert_eq!(compacted(6, 9, 64), (6, 2));
        assert_eq!(compacted(6, 9, 1000), (3, 1));
        assert_eq!(compacted(3, 0, 0), (3, 1));
        assert_eq!(compacted(7, 0, 0), (7, 4));
    }

    #[test]
    #[should_panic(expected = "an entry of term 1 cannot follow 1@2")]
    fn terms_never_fall() {
        log(Position::default(), &[2, 1]);
    }
}
