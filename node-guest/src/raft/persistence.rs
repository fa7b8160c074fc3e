//! What is on disk for sure, what is on its way there, and which messages wait for it.
//!
//! One sync is under way at a time. What is written meanwhile waits for the next, so a slow disk makes larger
//! groups, not a longer queue. Two things are tracked: the hard state (term and vote), and how far the log is
//! durable. A message that speaks of a hard state waits here for the ticket that covers it. An acknowledgement of
//! entries does not wait as a message: the follower derives it from the durable index when that grows, so an
//! acknowledgement of entries that were truncated meanwhile cannot even be formed.

use super::entry::Position;
use super::message::Message;
use super::output::HardState;
use super::{Index, Micros, NodeId, Ticket};

/// What is durable, and what waits.
#[derive(Clone, Debug)]
pub(super) struct Persistence {
    /// The ticket of the next sync.
    next: Ticket,
    syncing: Option<Syncing>,
    /// Whether anything was written that no sync covers yet.
    dirty: bool,
    /// The hard state as last written.
    written: HardState,
    /// The hard state that is on disk for sure.
    durable: HardState,
    /// The log is on disk for sure up to here, as it is in memory.
    durable_last: Index,
    /// The end of a snapshot that was written, and that no sync covers yet.
    snapshot: Option<Position>,
    held: Vec<Held>,
}

/// A sync under way, and what will be durable after it.
#[derive(Clone, Debug)]
struct Syncing {
    ticket: Ticket,
    /// When it was asked for.
    since: Micros,
    hard_state: HardState,
    last: Index,
    snapshot: Option<Position>,
}

/// A message that waits for a ticket.
#[derive(Clone, Debug)]
struct Held {
    ticket: Ticket,
    to: NodeId,
    message: Message,
}

/// What a sync made durable that was not before.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Completed {
    /// The hard state, if it is another now.
    pub(super) hard_state: Option<HardState>,
    /// The last durable index, if it is higher now.
    pub(super) last: Option<Index>,
    /// The end of a snapshot, if one is durable now.
    pub(super) snapshot: Option<Position>,
}

impl Persistence {
    /// All that recovery read is durable.
    pub(super) fn new(hard_state: HardState, last: Index) -> Self {
        Self {
            next: 1,
            syncing: None,
            dirty: false,
            written: hard_state,
            durable: hard_state,
            durable_last: last,
            snapshot: None,
            held: Vec::new(),
        }
    }

    /// The last index of the log that is durable.
    pub(super) fn durable_last(&self) -> Index {
        self.durable_last
    }

    /// Whether this is the hard state on disk.
    pub(super) fn is_durable(&self, hard_state: HardState) -> bool {
        self.durable == hard_state
    }

    /// Notes that the hard state is to be written, if it differs from the one written last.
    pub(super) fn write_hard_state(&mut self, hard_state: HardState) -> bool {
        let changed = self.written != hard_state;
        self.written = hard_state;
        self.dirty |= changed;
        changed
    }

    /// Notes that an entry was written at the end of the log.
    pub(super) fn write_entry(&mut self) {
        self.dirty = true;
    }

    /// Notes that the log was truncated: what stood there is no longer part of what is, or will be, durable, even
    /// though a sync under way covers it.
    pub(super) fn write_truncate(&mut self, from: Index) {
        self.dirty = true;
        let kept = from - 1;
        self.durable_last = self.durable_last.min(kept);
        if let Some(syncing) = &mut self.syncing {
            syncing.last = syncing.last.min(kept);
        }
    }

    /// Notes that a snapshot was written.
    pub(super) fn write_snapshot(&mut self, last: Position) {
        assert!(!self.is_snapshotting(), "one snapshot at a time");
        self.dirty = true;
        self.snapshot = Some(last);
    }

    /// Whether a snapshot was written that is not durable yet.
    pub(super) fn is_snapshotting(&self) -> bool {
        self.snapshot.is_some() || self.syncing.as_ref().is_some_and(|syncing| syncing.snapshot.is_some())
    }

    /// Since when a sync has been under way.
    pub(super) fn syncing_since(&self) -> Option<Micros> {
        self.syncing.as_ref().map(|syncing| syncing.since)
    }

    /// The ticket to ask for now, if something waits for one and none is under way.
    pub(super) fn begin_sync(&mut self, last: Index, now: Micros) -> Option<Ticket> {
        if !self.dirty || self.syncing.is_some() {
            return None;
        }
        let ticket = self.next;
        self.next += 1;
        self.dirty = false;
        let snapshot = self.snapshot.take();
        self.syncing = Some(Syncing { ticket, since: now, hard_state: self.written, last, snapshot });
        Some(ticket)
    }

    /// The sync under way succeeded.
    pub(super) fn complete(&mut self, ticket: Ticket) -> Completed {
        let Some(done) = self.syncing.take().filter(|syncing| syncing.ticket == ticket) else {
            panic!("sync {ticket} ended, but is not the one under way");
        };
        // Every earlier write to the log is covered, and truncates lowered both alike.
        assert!(done.last >= self.durable_last, "a sync never makes less durable");
        let completed = Completed {
            hard_state: (done.hard_state != self.durable).then_some(done.hard_state),
            last: (done.last != self.durable_last).then_some(done.last),
            snapshot: done.snapshot,
        };
        self.durable = done.hard_state;
        self.durable_last = done.last;
        completed
    }

    /// The ticket that a message about `current` must wait for, if it is not durable yet. Hard states never recur
    /// (the term only grows, and the vote is given once in it), so to compare them is to compare writes.
    pub(super) fn awaited(&self, current: HardState) -> Option<Ticket> {
        if current == self.durable {
            return None;
        }
        match &self.syncing {
            Some(syncing) if syncing.hard_state == current => Some(syncing.ticket),
            _ => Some(self.next),
        }
    }

    /// Holds a message until a ticket completes.
    pub(super) fn hold(&mut self, ticket: Ticket, to: NodeId, message: Message) {
        self.held.push(Held { ticket, to, message });
    }

    /// Takes out the messages that waited for `ticket`, or an earlier one, in the order in which they were held.
    pub(super) fn release(&mut self, ticket: Ticket) -> impl Iterator<Item = (NodeId, Message)> {
        self.held.extract_if(.., move |held| held.ticket <= ticket).map(|held| (held.to, held.message))
    }

    /// Forgets the held messages: they speak for a role or a term that is over.
    pub(super) fn drop_held(&mut self) {
        self.held.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Body;
    use super::*;

    fn hard(term: u64) -> HardState {
        HardState { term, vote: None }
    }

    fn message(term: u64) -> Message {
        Message { term, body: Body::RequestVoteReply { granted: true } }
    }

    #[test]
    fn what_gathers_during_a_sync_shares_the_next() {
        let mut disk = Persistence::new(hard(1), 0);
        assert_eq!(disk.begin_sync(0, 0), None);
        disk.write_entry();
        assert_eq!(disk.begin_sync(1, 0), Some(1));
        disk.write_entry();
        assert_eq!(disk.begin_sync(2, 0), None);
        disk.write_entry();
        assert_eq!(disk.complete(1), Completed { hard_state: None, last: Some(1), snapshot: None });
        assert_eq!(disk.begin_sync(3, 0), Some(2));
        assert_eq!(disk.complete(2), Completed { hard_state: None, last: Some(3), snapshot: None });
        assert_eq!(disk.begin_sync(3, 0), None);
    }

    #[test]
    fn a_truncate_during_a_sync_takes_back_what_it_covers() {
        let mut disk = Persistence::new(hard(1), 5);
        disk.write_entry();
        disk.write_entry();
        assert_eq!(disk.begin_sync(7, 0), Some(1));
        // 6 and 7 are on their way; 6 is replaced, then 5 too.
        disk.write_truncate(6);
        disk.write_entry();
        disk.write_truncate(5);
        assert_eq!(disk.durable_last(), 4);
        assert_eq!(disk.complete(1), Completed { hard_state: None, last: None, snapshot: None });
        disk.write_entry();
        assert_eq!(disk.begin_sync(5, 0), Some(2));
        assert_eq!(disk.complete(2), Completed { hard_state: None, last: Some(5), snapshot: None });
    }

    #[test]
    fn a_message_waits_for_the_ticket_that_covers_its_hard_state() {
        let mut disk = Persistence::new(hard(1), 0);
        assert_eq!(disk.awaited(hard(1)), None);
        assert!(disk.write_hard_state(hard(2)));
        assert!(!disk.write_hard_state(hard(2)));
        assert_eq!(disk.awaited(hard(2)), Some(1));
        disk.begin_sync(0, 0);
        assert_eq!(disk.awaited(hard(2)), Some(1));
        disk.hold(1, 7, message(2));
        disk.write_hard_state(hard(3));
        assert_eq!(disk.awaited(hard(3)), Some(2));
        disk.hold(2, 8, message(3));
        disk.complete(1);
        assert_eq!(disk.release(1).collect::<Vec<_>>(), [(7, message(2))]);
        disk.begin_sync(0, 0);
        assert_eq!(disk.complete(2).hard_state, Some(hard(3)));
        assert_eq!(disk.release(2).collect::<Vec<_>>(), [(8, message(3))]);
    }

    #[test]
    #[should_panic(expected = "sync 2 ended, but is not the one under way")]
    fn tickets_complete_in_order() {
        let mut disk = Persistence::new(hard(1), 0);
        disk.write_entry();
        disk.begin_sync(1, 0);
        disk.complete(2);
    }
}
