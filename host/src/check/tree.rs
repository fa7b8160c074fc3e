//! All logs that were ever noted, as one tree.
//!
//! A node of the tree is an entry *with all that comes before it*: two logs share it if and only if they are equal up to
//! there. So a log is the number of its last tree node, to compare two prefixes is to compare two numbers, and the Log
//! Matching property (paper, 5.3) says that no two tree nodes have the same index and term.

use raftbox_abi::note::EntryKind;
use std::fmt;

/// The number of a tree node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(u32);

/// The empty log.
pub(super) const ROOT: Id = Id(u32::MAX);

/// A log entry, and with it a log prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) index: u64,
    pub(super) term: u64,
    pub(super) kind: EntryKind,
    /// The hash of its command.
    pub(super) hash: u64,
    /// The hash of the log up to it, by [`chain`](raftbox_abi::chain).
    pub(super) prefix: u64,
    parent: Id,
    /// Another at the same index.
    other: Id,
}

/// The entry as `index@term`.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.index, self.term)
    }
}

/// The tree.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    entries: Vec<Entry>,
    /// For each index from 1 on, the newest tree node there.
    newest: Vec<Id>,
}

impl Tree {
    /// The entry of a tree node other than the root.
    pub(super) fn entry(&self, id: Id) -> &Entry {
        &self.entries[id.0 as usize]
    }

    /// The index of a tree node; 0 for the root.
    pub(super) fn index(&self, id: Id) -> u64 {
        if id == ROOT { 0 } else { self.entry(id).index }
    }

    /// The tree nodes at an index, newest first. There is one for each term in which a leader wrote there, so they are
    /// few.
    fn at(&self, index: u64) -> impl Iterator<Item = Id> {
        let place = usize::try_from(index).ok().and_then(|index| index.checked_sub(1));
        let first = place.and_then(|place| self.newest.get(place)).copied();
        std::iter::successors(first, |id| Some(self.entry(*id).other).filter(|id| *id != ROOT))
    }

    /// A tree node with that index and term other than the given one.
    pub(super) fn twin(&self, index: u64, term: u64, than: Id) -> Option<Id> {
        self.at(index).find(|id| *id != than && self.entry(*id).term == term)
    }

    /// The tree node of a log that ends with that index and term and has that hash.
    pub(super) fn find(&self, index: u64, term: u64, prefix: u64) -> Option<Id> {
        if (index, term, prefix) == (0, 0, 0) {
            return Some(ROOT);
        }
        self.at(index).find(|id| {
            let entry = self.entry(*id);
            (entry.term, entry.prefix) == (term, prefix)
        })
    }

    /// The tree node of the log `parent` with one more entry, and whether it is new.
    pub(super) fn append(&mut self, parent: Id, term: u64, kind: EntryKind, hash: u64) -> (Id, bool) {
        let index = self.index(parent) + 1;
        let known = self.at(index).find(|id| {
            let entry = self.entry(*id);
            (entry.parent, entry.term, entry.kind, entry.hash) == (parent, term, kind, hash)
        });
        if let Some(known) = known {
            return (known, false);
        }
        let before = if parent == ROOT { 0 } else { self.entry(parent).prefix };
        let prefix = raftbox_abi::chain(before, term, kind, hash);
        let id = Id(u32::try_from(self.entries.len()).expect("a run has less than 2^32 entries"));
        assert_ne!(id, ROOT, "a run has less than 2^32 entries");
        let place = usize::try_from(index - 1).expect("logs fit into memory");
        let other = match self.newest.get_mut(place) {
            Some(newest) => std::mem::replace(newest, id),
            None => {
                assert_eq!(place, self.newest.len(), "an entry's parent is in the tree");
                self.newest.push(id);
                ROOT
            }
        };
        self.entries.push(Entry { index, term, kind, hash, prefix, parent, other });
        (id, true)
    }

    /// Makes `log` the log that ends with `last`. Stops where it is right already.
    pub(super) fn spell(&self, last: Id, log: &mut Vec<Id>) {
        let len = usize::try_from(self.index(last)).expect("logs fit into memory");
        log.resize(len, ROOT);
        let mut id = last;
        for slot in log.iter_mut().rev() {
            if *slot == id {
                break;
            }
            *slot = id;
            id = self.entry(id).parent;
        }
    }

    /// Whether the log that ends with `last` holds the log that ends with `prefix`. Takes as many steps as the first is
    /// longer.
    pub(super) fn holds(&self, last: Id, prefix: Id) -> bool {
        let mut id = last;
        while self.index(id) > self.index(prefix) {
            id = self.entry(id).parent;
        }
        id == prefix
    }

    /// The index and the term with which a log ends.
    pub(super) fn end(&self, id: Id) -> (u64, u64) {
        if id == ROOT { (0, 0) } else { (self.entry(id).index, self.entry(id).term) }
    }

    /// The last entry of a log, for people.
    pub(super) fn name(&self, id: Id) -> String {
        let (index, term) = self.end(id);
        format!("{index}@{term}")
    }

    /// A log, for people.
    pub(super) fn log_name(&self, id: Id) -> String {
        if id == ROOT { "an empty log".to_owned() } else { format!("a log up to {}", self.entry(id)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(tree: &mut Tree, terms: &[u64]) -> Id {
        terms.iter().fold(ROOT, |parent, term| tree.append(parent, *term, EntryKind::Command, 100 + *term).0)
    }

    #[test]
    fn equal_logs_are_one_tree_node() {
        let mut tree = Tree::default();
        let (one, two) = (log(&mut tree, &[1, 1, 2]), log(&mut tree, &[1, 1, 2]));
        assert_eq!(one, two);
        assert_eq!(tree.entries.len(), 3);
        assert_eq!(tree.name(one), "3@2");
    }

    #[test]
    fn a_twin_has_the_same_index_and_term_and_another_past() {
        let mut tree = Tree::default();
        let one = log(&mut tree, &[1, 1, 3]);
        let two = log(&mut tree, &[1, 2, 3]);
        assert_ne!(one, two);
        assert_eq!(tree.twin(3, 3, two), Some(one));
        assert_eq!(tree.twin(2, 2, one), log(&mut tree, &[1, 2]).into());
        assert_eq!(tree.twin(3, 4, one), None);
    }

    #[test]
    fn a_log_is_found_by_its_end_and_its_hash_and_spelled_out() {
        let mut tree = Tree::default();
        let short = log(&mut tree, &[1, 1]);
        let long = log(&mut tree, &[1, 1, 2, 2]);
        let fork = log(&mut tree, &[1, 3]);
        let prefix = tree.entry(long).prefix;
        assert_eq!(tree.find(4, 2, prefix), Some(long));
        assert_eq!(tree.find(4, 2, prefix + 1), None);
        assert_eq!(tree.find(0, 0, 0), Some(ROOT));
        assert_eq!(tree.find(9, 2, prefix), None);
        let mut spelled = Vec::new();
        for (last, terms) in [(long, &[1, 1, 2, 2][..]), (fork, &[1, 3]), (short, &[1, 1]), (ROOT, &[])] {
            tree.spell(last, &mut spelled);
            let found: Vec<_> = spelled.iter().map(|id| tree.entry(*id).term).collect();
            assert_eq!(found, terms);
        }
    }

    #[test]
    fn a_log_holds_its_prefixes_and_no_others() {
        let mut tree = Tree::default();
        let long = log(&mut tree, &[1, 1, 2, 2]);
        let (short, fork) = (log(&mut tree, &[1, 1]), log(&mut tree, &[1, 3]));
        assert!(tree.holds(long, short) && tree.holds(long, long) && tree.holds(long, ROOT));
        assert!(!tree.holds(long, fork) && !tree.holds(short, long));
    }
}
