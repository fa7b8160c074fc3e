//! The disk of a node under test: it keeps what was synced, loses the rest in a crash, and judges every message by
//! what its sender could still forget.

use raftbox_node::raft::{
    Body, Chunk, Entry, HardState, Image, Index, Log, Message, NodeId, Position, Raft, Record, Restored, Snapshot,
    Term, Ticket, Verdict,
};

/// A disk with one sync under way at most.
#[derive(Default)]
pub(crate) struct Disk {
    hard_state: HardState,
    /// What a snapshot is of, and the machine in it.
    snapshot: Option<(Snapshot, Vec<u8>)>,
    entries: Vec<Entry>,
    /// Written, but not durable.
    pending: Vec<Write>,
    /// The newest snapshot, durable or not.
    newest: Option<(Snapshot, Vec<u8>)>,
    /// What is here of a snapshot that a leader sends.
    incoming: Vec<u8>,
    /// The sync under way, and how many of the pending writes it covers.
    syncing: Option<(Ticket, usize)>,
}

/// A write.
enum Write {
    Record(Record),
    /// In place of all that was written.
    Checkpoint(HardState, (Snapshot, Vec<u8>), Vec<Entry>),
}

impl Disk {
    /// A disk with this content.
    #[allow(dead_code, reason = "each test target uses its part of this module")]
    pub(crate) fn new(hard_state: HardState, entries: Vec<Entry>) -> Self {
        Self { hard_state, entries, ..Self::default() }
    }

    /// What a node that boots now finds.
    pub(crate) fn restored(&self) -> Restored {
        let snapshot = self.snapshot.as_ref().map(|(snapshot, _)| snapshot.clone());
        let mut log = Log::new(self.base());
        for entry in &self.entries {
            log.append(entry.clone());
        }
        Restored { term: self.hard_state.term, vote: self.hard_state.vote, snapshot, log }
    }

    /// The machine that a node begins with that boots now, and the last index that went into it.
    pub(crate) fn machine(&self) -> (Vec<u8>, Index) {
        self.snapshot.clone().map_or((Vec::new(), 0), |(snapshot, machine)| (machine, snapshot.last.index))
    }

    fn base(&self) -> Position {
        self.snapshot.as_ref().map_or(Position::default(), |(snapshot, _)| snapshot.last)
    }

    /// Writes down the machine, with the log of a node behind it.
    pub(crate) fn checkpoint(&mut self, core: &Raft, snapshot: Snapshot, machine: &[u8]) {
        let behind = core.log().iter().filter(|(index, _)| *index > snapshot.last.index);
        let entries = behind.map(|(_, entry)| entry.clone()).collect();
        self.newest = Some((snapshot.clone(), machine.to_vec()));
        let hard_state = HardState { term: core.term(), vote: core.vote() };
        self.pending.push(Write::Checkpoint(hard_state, (snapshot, machine.to_vec()), entries));
    }

    /// A part of the newest snapshot, of so many bytes at most.
    pub(crate) fn chunk(&self, term: Term, offset: u64, most: u64) -> Message {
        let (snapshot, machine) = self.newest.clone().expect("who sends a snapshot has one");
        let bytes = machine.len() as u64;
        let image = Image { bytes, state: 0, prefix: 0 };
        let (from, to) = (offset.min(bytes), (offset + most).min(bytes));
        let data = machine[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()].into();
        Message { term, body: Body::InstallSnapshot(Box::new(Chunk { snapshot, image, offset: from, data })) }
    }

    /// Keeps a part of a snapshot that a leader sends.
    pub(crate) fn store(&mut self, offset: u64, data: &[u8]) {
        self.incoming.truncate(usize::try_from(offset).unwrap());
        assert_eq!(self.incoming.len() as u64, offset, "a part was left out");
        self.incoming.extend(data);
    }

    /// What was stored.
    pub(crate) fn stored(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.incoming)
    }

    pub(crate) fn write(&mut self, record: Record) {
        self.pending.push(Write::Record(record));
    }

    pub(crate) fn sync(&mut self, ticket: Ticket) {
        assert_eq!(self.syncing, None, "two syncs at a time");
        self.syncing = Some((ticket, self.pending.len()));
    }

    /// The sync under way ends well: its ticket.
    pub(crate) fn synced(&mut self) -> Option<Ticket> {
        let (ticket, covered) = self.syncing.take()?;
        for write in self.pending.drain(..covered) {
            let base = self.snapshot.as_ref().map_or(0, |(snapshot, _)| snapshot.last.index);
            match write {
                Write::Checkpoint(hard_state, snapshot, entries) => {
                    assert!(hard_state.term >= self.hard_state.term, "a term went back");
                    assert!(snapshot.0.last.index > base, "a snapshot went back");
                    (self.hard_state, self.snapshot, self.entries) = (hard_state, Some(snapshot), entries);
                }
                Write::Record(Record::HardState(hard_state)) => {
                    assert!(hard_state.term >= self.hard_state.term, "a term went back");
                    self.hard_state = hard_state;
                }
                Write::Record(Record::Append { index, entry }) => {
                    assert_eq!(index, base + self.entries.len() as Index + 1, "a gap on disk");
                    assert!(entry.term <= self.hard_state.term, "the log is ahead of the term");
                    self.entries.push(entry);
                }
                Write::Record(Record::Truncate { from }) => {
                    self.entries.truncate(usize::try_from(from - base).unwrap() - 1);
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
        self.newest = self.snapshot.clone();
        self.incoming.clear();
    }

    /// Asserts that a crash right now would not make a liar of the sender (Figure 2: "updated on stable storage
    /// before responding to RPCs").
    pub(crate) fn check_send(&self, from: NodeId, to: NodeId, message: &Message) {
        let HardState { term, vote } = self.hard_state;
        let asked = u64::from(matches!(message.body, Body::PreVote { .. }));
        assert_eq!(message.term - asked, term, "{from} speaks of a term not on its disk");
        match &message.body {
            Body::RequestVote { .. } | Body::AppendEntries { .. } | Body::InstallSnapshot(_) => {
                assert_eq!(vote, Some(from), "{from} campaigns or leads without its own vote");
            }
            Body::RequestVoteReply { granted: true } => {
                assert_eq!(vote, Some(to), "{from} grants a vote not on its disk");
            }
            Body::AppendReply { verdict: Verdict::Matched { index }, .. } => {
                let durable = self.base().index + self.entries.len() as Index;
                assert!(*index <= durable, "{from} acknowledges {index}, but has {durable} on disk");
            }
            _ => {}
        }
    }
}
