//! The disk of a node under test: it keeps what was synced, loses the rest in a crash, and judges every message by
//! what its sender could still forget.

use raftbox_node::raft::{
    Body, Entry, HardState, Index, Log, Message, NodeId, Position, Record, Restored, Ticket, Verdict,
};

/// A disk with one sync under way at most.
#[derive(Default)]
pub(crate) struct Disk {
    hard_state: HardState,
    entries: Vec<Entry>,
    /// Written, but not durable.
    pending: Vec<Record>,
    /// The sync under way, and how many of the pending writes it covers.
    syncing: Option<(Ticket, usize)>,
}

impl Disk {
    /// A disk with this content.
    #[allow(dead_code, reason = "each test target uses its part of this module")]
    pub(crate) fn new(hard_state: HardState, entries: Vec<Entry>) -> Self {
        Self { hard_state, entries, ..Self::default() }
    }

    /// What a node that boots now finds.
    pub(crate) fn restored(&self) -> Restored {
        let mut log = Log::new(Position::default());
        for entry in &self.entries {
            log.append(entry.clone());
        }
        Restored { term: self.hard_state.term, vote: self.hard_state.vote, log }
    }

    pub(crate) fn write(&mut self, record: Record) {
        self.pending.push(record);
    }

    pub(crate) fn sync(&mut self, ticket: Ticket) {
        assert_eq!(self.syncing, None, "two syncs at a time");
        self.syncing = Some((ticket, self.pending.len()));
    }

    /// The sync under way ends well: its ticket.
    pub(crate) fn synced(&mut self) -> Option<Ticket> {
        let (ticket, covered) = self.syncing.take()?;
        for record in self.pending.drain(..covered) {
            match record {
                Record::HardState(hard_state) => {
                    assert!(hard_state.term >= self.hard_state.term, "a term went back");
                    self.hard_state = hard_state;
                }
                Record::Append { index, entry } => {
                    assert_eq!(index, self.entries.len() as Index + 1, "a gap on disk");
                    assert!(entry.term <= self.hard_state.term, "the log is ahead of the term");
                    self.entries.push(entry);
                }
                Record::Truncate { from } => {
                    self.entries.truncate(usize::try_from(from).unwrap() - 1);
                }
            }
        }
        Some(ticket)
    }

    /// The sync under way fails: its ticket.
    #[allow(dead_code, reason = "each test target uses its part of this module")]
    pub(crate) fn failed(&mut self) -> Option<Ticket> {
        self.syncing.take().map(|(ticket, _)| ticket)
    }

    pub(crate) fn crash(&mut self) {
        self.pending.clear();
        self.syncing = None;
    }

    /// Asserts that a crash right now would not make a liar of the sender (Figure 2: "updated on stable storage
    /// before responding to RPCs").
    pub(crate) fn check_send(&self, from: NodeId, to: NodeId, message: &Message) {
        let HardState { term, vote } = self.hard_state;
        let asked = u64::from(matches!(message.body, Body::PreVote { .. }));
        assert_eq!(message.term - asked, term, "{from} speaks of a term not on its disk");
        match &message.body {
            Body::RequestVote { .. } | Body::AppendEntries { .. } => {
                assert_eq!(vote, Some(from), "{from} campaigns or leads without its own vote");
            }
            Body::RequestVoteReply { granted: true } => {
                assert_eq!(vote, Some(to), "{from} grants a vote not on its disk");
            }
            Body::AppendReply(Verdict::Matched { index }) => {
                let durable = self.entries.len() as Index;
                assert!(*index <= durable, "{from} acknowledges {index}, but has {durable} on disk");
            }
            _ => {}
        }
    }
}
