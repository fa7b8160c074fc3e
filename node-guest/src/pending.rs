//! The clients that wait for an answer.

use crate::raft::{Index, Term};
use std::collections::VecDeque;

/// How many may wait. Whoever waits longest is forgotten beyond that: a client that gets no answer asks again.
const PENDING_MAX: usize = 4096;

/// One attempt of a client, as it came with `request`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// Who asked.
    pub client: u32,
    /// What names the attempt in the answer.
    pub operation: u64,
}

/// The attempts that this node took into its log, sorted by the place that they got there and the term of it. Two may
/// wait for one index, if the first one's entry left this log and this node led again since.
///
/// Almost always the next one belongs at the end, and the first one is answered first: hence a queue.
#[derive(Clone, Debug, Default)]
pub struct Pending(VecDeque<(Index, Term, Client)>);

impl Pending {
    /// Lets a client wait for what becomes of the entry at `index` with `term`.
    pub fn put(&mut self, index: Index, term: Term, client: Client) {
        if self.0.len() >= PENDING_MAX {
            self.0.pop_front();
        }
        let place = |&(index, term, _): &(Index, Term, Client)| (index, term);
        let at = self.0.partition_point(|waiting| place(waiting) < (index, term));
        let taken = self.0.get(at).is_some_and(|waiting| place(waiting) == (index, term));
        assert!(!taken, "a leader gives no place twice in one term: {index}@{term}");
        self.0.insert(at, (index, term, client));
    }

    /// Takes out a client that waited for an index up to this one, with the term of its entry.
    pub fn take(&mut self, index: Index) -> Option<(Term, Client)> {
        let (waited_for, term, client) = self.0.pop_front_if(|(waited_for, ..)| *waited_for <= index)?;
        assert_eq!(waited_for, index, "entries are applied in order, each once");
        Some((term, client))
    }

    /// Forgets all that wait for an index up to this one.
    pub fn forget(&mut self, index: Index) {
        while self.0.pop_front_if(|(waited_for, ..)| *waited_for <= index).is_some() {}
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_taken_by_index_and_keep_their_terms() {
        let client = |operation| Client { client: 1, operation };
        let mut pending = Pending::default();
        pending.put(5, 4, client(2));
        pending.put(5, 2, client(1));
        pending.put(6, 4, client(3));
        assert_eq!(pending.take(4), None);
        assert_eq!(pending.take(5), Some((2, client(1))));
        assert_eq!(pending.take(5), Some((4, client(2))));
        assert_eq!(pending.take(5), None);
        assert_eq!(pending.len(), 1);
    }

    #[test]
    fn whoever_waits_longest_is_forgotten_first() {
        let mut pending = Pending::default();
        for index in 1..=PENDING_MAX as u64 + 1 {
            pending.put(index, 1, Client { client: 1, operation: index });
        }
        assert_eq!(pending.len(), PENDING_MAX);
        assert_eq!(pending.take(1), None);
        assert!(pending.take(2).is_some());
    }
}
