//! Entries of logs: what they carry, who asked for it, and when they were committed.
//!
//! A node notes the hash of an entry's command; a client's request is the command. So an entry is known by its words, for
//! as long as commands are what clients ask, byte for byte. By Log Matching index and term name one entry on all nodes;
//! where a broken guest notes two, [`Entry::differs`] says so.

use super::{Moment, Seen};
use crate::event::text::operation;
use crate::event::{Cause, ClientId, Effect, Event, NodeId};
use raftbox_abi::client;
use raftbox_abi::note::{Body, EntryKind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a client asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which client.
    pub client: ClientId,
    /// The number of the operation among the client's.
    pub number: u64,
    /// When it was asked first.
    pub asked: Moment,
    /// Its bytes.
    pub body: Arc<[u8]>,
}

/// An entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// The hash of its command.
    pub hash: u64,
    /// Where it was appended first, and when.
    pub first: (NodeId, Moment),
    /// Whether another node noted another entry under the same index and term.
    pub differs: bool,
}

/// An entry in the log of a node, as a table of logs shows it; [`Entries::words`] has what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cell {
    /// Its index.
    pub index: u64,
    /// Its term.
    pub term: u64,
    /// Whether it is on this node's disk.
    pub durable: bool,
    /// Whether this node knows it to be committed.
    pub committed: bool,
    /// Whether this node has applied it.
    pub applied: bool,
    /// Whether another node noted another entry under the same index and term.
    pub differs: bool,
}

/// The commit index of the whole cluster moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Up to this index.
    pub index: u64,
    /// By the word of this node, which was the first to note it.
    pub node: NodeId,
    /// When.
    pub moment: Moment,
}

/// All entries of a run, and what was asked.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    /// By the hash of their bytes.
    requests: BTreeMap<u64, Request>,
    /// By index and term.
    entries: BTreeMap<(u64, u64), Entry>,
    /// In order.
    commits: Vec<Commit>,
    /// From index 1 on: the hashes of the command that was applied there first, and of what it returned.
    applied: Vec<(u64, u64)>,
}

impl Entries {
    /// What a client asked, by the hash of its bytes.
    #[must_use]
    pub fn request(&self, hash: u64) -> Option<&Request> {
        self.requests.get(&hash)
    }

    /// The entry at an index, of a term.
    #[must_use]
    pub fn get(&self, index: u64, term: u64) -> Option<&Entry> {
        self.entries.get(&(index, term))
    }

    /// What the entry at an index, of a term, carries, in words: `C2's append a1 "2.13;"`.
    #[must_use]
    pub fn words(&self, index: u64, term: u64) -> String {
        let Some(entry) = self.get(index, term) else { return "an entry that nobody noted".into() };
        match (entry.kind, self.request(entry.hash)) {
            (EntryKind::Command, Some(request)) => {
                let asks = client::Request::decode(&request.body).map(|request| operation(&request.operation));
                format!("C{}'s {}", request.client, asks.unwrap_or_else(|| format!("{} bytes", request.body.len())))
            }
            (kind, _) => format!("a {}", kind.word()),
        }
    }

    /// The commands that lead to the state after an index, as far as they were applied by anybody: the bytes of each, if they
    /// are known, and the hash of what it returned.
    pub(super) fn applied(&self, index: u64) -> Option<impl Iterator<Item = (u64, Option<&[u8]>, u64)>> {
        let upto = self.applied.get(..usize::try_from(index).ok()?)?;
        let bytes = |command: u64| self.request(command).map(|request| &*request.body);
        Some((1..).zip(upto).map(move |(index, (command, result))| (index, bytes(*command), *result)))
    }

    /// How far the cluster was known to have committed, step by step.
    #[must_use]
    pub fn commits(&self) -> &[Commit] {
        &self.commits
    }

    /// By whom and when an index was first noted to be committed.
    #[must_use]
    pub fn committed(&self, index: u64) -> Option<&Commit> {
        self.commits.get(self.commits.partition_point(|commit| commit.index < index))
    }

    /// Takes the next event into account.
    pub(super) fn observe(&mut self, seen: &Seen<'_>) {
        match seen.observed.event {
            Event::Cause(Cause::Request { client, operation: number, body, .. }) => {
                let asked = seen.moment();
                self.requests.entry(raftbox_abi::hash(body)).or_insert_with(|| Request {
                    client: *client,
                    number: *number,
                    asked,
                    body: body.as_slice().into(),
                });
            }
            Event::Effect(Effect::Note { node, .. }) => match seen.observed.note.map(|note| &note.body) {
                Some(Body::Append { index, term, kind, hash }) => {
                    let first = (*node, seen.moment());
                    let new = Entry { kind: *kind, hash: *hash, first, differs: false };
                    let entry = self.entries.entry((*index, *term)).or_insert(new);
                    entry.differs |= (entry.kind, entry.hash) != (*kind, *hash);
                }
                Some(Body::Apply { index, command, result, .. }) if *index == self.applied.len() as u64 + 1 => {
                    self.applied.push((*command, *result));
                }
                Some(Body::Commit { index }) if self.commits.last().is_none_or(|last| last.index < *index) => {
                    self.commits.push(Commit { index: *index, node: *node, moment: seen.moment() });
                }
                _ => {}
            },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Observed;
    use raftbox_abi::Note;

    fn note(entries: &mut Entries, index: u64, node: NodeId, body: Body) {
        let note = Note { group: 0, body };
        let mut bytes = Vec::new();
        let kind = note.encode(&mut bytes);
        let event = Event::Effect(Effect::Note { node, kind, body: &bytes });
        let observed = Observed { index, at: index * 10, event: &event, note: Some(&note) };
        entries.observe(&Seen { observed, moot: None });
    }

    #[test]
    fn an_index_is_committed_when_the_first_node_says_so() {
        let mut entries = Entries::default();
        for (event, node, index) in [(1, 1, 2), (2, 2, 2), (3, 2, 1), (4, 3, 5)] {
            note(&mut entries, event, node, Body::Commit { index });
        }
        let by = |index| entries.committed(index).map(|commit| (commit.node, commit.moment.event));
        assert_eq!([1, 2, 3, 5, 6].map(by), [Some((1, 1)), Some((1, 1)), Some((3, 4)), Some((3, 4)), None]);
    }

    #[test]
    fn two_entries_of_one_name_are_not_hidden() {
        let mut entries = Entries::default();
        let append = |hash| Body::Append { index: 1, term: 1, kind: EntryKind::Command, hash };
        note(&mut entries, 1, 1, append(7));
        note(&mut entries, 2, 2, append(7));
        assert!(!entries.get(1, 1).unwrap().differs);
        note(&mut entries, 3, 3, append(8));
        assert!(entries.get(1, 1).unwrap().differs);
        assert_eq!(entries.words(1, 1), "a command");
    }
}
