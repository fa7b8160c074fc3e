//! What is due later, in the order in which it comes.
//!
//! The order is time, then a keyed hash of the item's name, then the name: stable, and favouring nobody. Nothing is ever
//! taken out of the middle: whoever takes an item off the front asks whether it still means anything.

use crate::draw::{self, Concern};
use crate::event::{ClientId, Endpoint, MessageName, Micros, NodeId};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Something that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// A node is booted for the first time.
    Boot(NodeId),
    /// A copy of a message arrives; the flag says whether more is to come of it.
    Deliver(MessageName, u32, bool),
    /// A message is lost; the flag as above.
    Lose(MessageName, bool),
    /// A sync (node, boot, number) is answered.
    Synced(NodeId, u32, u64),
    /// An alarm (node, boot, number) rings.
    Wake(NodeId, u32, u64),
    /// A client asks its next operation, of that number.
    Ask(ClientId, u64),
    /// A client tries an operation again, for that attempt.
    Retry(ClientId, u64, u64),
    /// A client stops waiting for an answer to that attempt.
    Timeout(ClientId, u64, u64),
    /// A scripted or drawn step, by its number, and by a hash of what it says: that is what orders it among others, so that it
    /// does not depend on which other steps there are.
    Step(u32, u64),
    /// Faults end, and all is healed.
    Heal,
    /// The run ends.
    End,
    /// A copy of a message arrives because somebody wants it to, by the number of times that they did.
    Release(MessageName, u32),
}

/// An endpoint as part of a key.
pub(super) fn endpoint(endpoint: Endpoint) -> u64 {
    match endpoint {
        Endpoint::Node(node) => u64::from(node),
        Endpoint::Client(client) => u64::from(client) << 32,
    }
}

impl Item {
    /// The message that it is about.
    #[must_use]
    pub fn message(&self) -> Option<MessageName> {
        match *self {
            Self::Deliver(name, ..) | Self::Lose(name, _) | Self::Release(name, _) => Some(name),
            _ => None,
        }
    }

    /// The item's name as numbers, for the hash that orders ties.
    fn name(&self) -> [u64; 3] {
        let message = |tag: u64, MessageName { from, to, n }: MessageName| [tag, endpoint(from) << 8 ^ endpoint(to), n];
        match *self {
            Self::Boot(node) => [1, u64::from(node), 0],
            Self::Deliver(name, copy, _) => message(2 + (u64::from(copy) << 8), name),
            Self::Lose(name, _) => message(3, name),
            Self::Synced(node, boot, sync) => [4, u64::from(node) << 32 | u64::from(boot), sync],
            Self::Wake(node, boot, alarm) => [5, u64::from(node) << 32 | u64::from(boot), alarm],
            Self::Ask(client, operation) => [6, u64::from(client), operation],
            Self::Retry(client, operation, attempt) => [7 + (attempt << 8), u64::from(client), operation],
            Self::Timeout(client, operation, attempt) => [8 + (attempt << 8), u64::from(client), operation],
            Self::Step(_, says) => [9, says, 0],
            Self::Heal => [10, 0, 0],
            Self::End => [11, 0, 0],
            Self::Release(name, number) => message(12 + (u64::from(number) << 8), name),
        }
    }
}

/// An item with its time and its place among those of the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// When.
    pub at: Micros,
    tie: u64,
    /// What.
    pub item: Item,
}

impl Due {
    /// The same at another time.
    #[must_use]
    pub fn moved(self, at: Micros) -> Self {
        Self { at, ..self }
    }
}

/// What is due later.
#[derive(Clone, Debug)]
pub struct Queue {
    seed: u64,
    heap: BinaryHeap<Reverse<Due>>,
}

impl Queue {
    /// Nothing is due.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, heap: BinaryHeap::new() }
    }

    /// An item at its time.
    #[must_use]
    pub fn due(&self, at: Micros, item: Item) -> Due {
        Due { at, tie: draw::key(self.seed, Concern::Tie, item.name()), item }
    }

    /// Puts an item in its place.
    pub fn push(&mut self, at: Micros, item: Item) {
        let due = self.due(at, item);
        self.heap.push(Reverse(due));
    }

    /// Puts an item back, for another time.
    pub fn defer(&mut self, at: Micros, due: Due) {
        self.heap.push(Reverse(due.moved(at)));
    }

    /// The earliest item.
    #[must_use]
    pub fn first(&self) -> Option<&Due> {
        self.heap.peek().map(|Reverse(due)| due)
    }

    /// Takes the earliest item.
    pub fn pop(&mut self) -> Option<Due> {
        self.heap.pop().map(|Reverse(due)| due)
    }

    /// Everything that is due, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Due> {
        self.heap.iter().map(|Reverse(due)| due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_by_time_and_ties_by_seed() {
        let order = |seed| {
            let mut queue = Queue::new(seed);
            queue.push(7, Item::Heal);
            (1..=6).for_each(|node| queue.push(5, Item::Boot(node)));
            let mut order = Vec::new();
            while let Some(due) = queue.pop() {
                order.push(due.item);
            }
            order
        };
        assert_eq!(order(1).last(), Some(&Item::Heal));
        assert_eq!(order(1), order(1));
        let firsts: std::collections::BTreeSet<_> = (0..40).map(|seed| order(seed)[0]).collect();
        assert_eq!(firsts.len(), 6, "no node is always first");
    }
}
