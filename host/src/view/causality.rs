//! What an event can have been moved by, and what it can have moved: Lamport's happens-before.
//!
//! An event comes after those before it in its own lane, and after the sending of each message that arrived there. So the
//! past of an event is a *cut*: of each lane, all up to one event. The future is its mirror image. Neither is stored;
//! each is one pass over the arrivals.

use super::message::Messages;
use super::{Seen, lane};
use crate::event::{Cause, Endpoint, Event};
use std::collections::BTreeMap;

/// A message that was taken: when it left and when it arrived, and in whose lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Arrival {
    sent: u64,
    from: Endpoint,
    arrives: u64,
    to: Endpoint,
}

/// The arrivals of a run, in order.
#[derive(Clone, Debug, Default)]
pub struct Arrivals(Vec<Arrival>);

/// The past and the future of an event, as bounds in each lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cone {
    /// In each lane, the last event of the past; the event itself is in its own lane.
    pub past: BTreeMap<Endpoint, u64>,
    /// In each lane, the first event of the future; likewise.
    pub future: BTreeMap<Endpoint, u64>,
}

impl Cone {
    /// Whether an event in a lane is in the past: it may have moved this one.
    #[must_use]
    pub fn is_past(&self, lane: Endpoint, event: u64) -> bool {
        self.past.get(&lane).is_some_and(|last| event <= *last)
    }

    /// Whether an event in a lane is in the future: this one may have moved it.
    #[must_use]
    pub fn is_future(&self, lane: Endpoint, event: u64) -> bool {
        self.future.get(&lane).is_some_and(|first| event >= *first)
    }
}

impl Arrivals {
    /// Past and future of an event that stands in this lane.
    #[must_use]
    pub fn cone(&self, lane: Endpoint, event: u64) -> Cone {
        let (mut past, mut future) = (BTreeMap::from([(lane, event)]), BTreeMap::from([(lane, event)]));
        let after = self.0.partition_point(|arrival| arrival.arrives <= event);
        for Arrival { sent, from, arrives, to } in self.0[..after].iter().rev() {
            if past.get(to).is_some_and(|last| arrives <= last) {
                past.entry(*from).and_modify(|last| *last = (*last).max(*sent)).or_insert(*sent);
            }
        }
        for Arrival { sent, from, arrives, to } in &self.0[after..] {
            if future.get(from).is_some_and(|first| sent >= first) {
                future.entry(*to).and_modify(|first| *first = (*first).min(*arrives)).or_insert(*arrives);
            }
        }
        Cone { past, future }
    }

    /// Takes the next event into account.
    pub(super) fn observe(&mut self, seen: &Seen<'_>, messages: &Messages) {
        let Event::Cause(Cause::Deliver { message, .. }) = seen.observed.event else { return };
        if let (None, Some(to), Some(letter)) = (seen.moot, lane(seen.observed.event), messages.get(*message)) {
            let (sent, from) = (letter.sent.event, message.from);
            self.0.push(Arrival { sent, from, arrives: seen.observed.index, to });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_goes_back_over_messages_and_the_future_forward() {
        let node = Endpoint::Node;
        let arrival = |sent, from, arrives, to| Arrival { sent, from: node(from), arrives, to: node(to) };
        // S1 sends at 0, S2 gets it at 3 and sends at 4, S3 gets that at 6; S1 sends another at 5, S3 gets it at 9.
        let arrivals = Arrivals(vec![arrival(0, 1, 3, 2), arrival(4, 2, 6, 3), arrival(5, 1, 9, 3)]);
        let cone = arrivals.cone(node(2), 4);
        assert_eq!(cone.past, BTreeMap::from([(node(1), 0), (node(2), 4)]));
        assert_eq!(cone.future, BTreeMap::from([(node(2), 4), (node(3), 6)]));
        assert!(cone.is_past(node(1), 0) && !cone.is_past(node(1), 1) && !cone.is_past(node(3), 0));
        assert!(cone.is_future(node(3), 9) && !cone.is_future(node(3), 5) && !cone.is_future(node(1), 9));
        assert_eq!(arrivals.cone(node(3), 9).past, BTreeMap::from([(node(1), 5), (node(2), 4), (node(3), 9)]));
    }
}
