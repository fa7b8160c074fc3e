//! Snapshots: what the core wants done about them, done with machine and disk.

use super::{Node, or_halt};
use crate::machine::Machine;
use crate::raft::{Body, Chunk, Image, Index, Message, NodeId, Snapshot, Term};
use raftbox_abi::Imports;
use raftbox_abi::note;
use std::rc::Rc;

/// The most bytes of a chunk, so that a datagram holds it with all that it says beside.
pub(super) const CHUNK_BYTES_MAX: u64 = 64 * 1024;

impl Node {
    /// Writes down the machine as it is, with the log behind it.
    pub(super) fn take_snapshot<I: Imports>(&mut self, imports: &mut I, snapshot: Snapshot) {
        let (log, last) = (self.raft.log(), snapshot.last.index);
        // The entries since the last snapshot are all there.
        let (first, prefix) = self.last_snapshot();
        let prefix = self.hashes.chain(prefix, log, first, last);
        let tail = log.range(last + 1, log.last().index).map(|(index, entry)| (index, entry.clone()));
        let machine = &self.machine;
        let pieces = |put: &mut crate::storage::Put<'_>| machine.put_pieces(put);
        let written = self.storage.checkpoint(imports, (snapshot, prefix), pieces, tail);
        or_halt(imports, written);
    }

    /// The last index that the newest snapshot covers, and the hash of the log that it replaces.
    pub(super) fn last_snapshot(&self) -> (Index, u64) {
        self.storage.snapshot().map_or((0, 0), |(snapshot, image)| (snapshot.last.index, image.prefix))
    }

    /// Sends at most so many bytes of the newest snapshot.
    pub(super) fn send_chunk<I: Imports>(
        &mut self,
        imports: &mut I,
        (to, term): (NodeId, Term),
        offset: u64,
        most: u64,
    ) {
        let read = self.storage.read_snapshot(imports, offset, most);
        let data: Rc<[u8]> = or_halt(imports, read).into();
        let (snapshot, image) = self.storage.snapshot().expect("who sends a snapshot has one");
        let (snapshot, image, offset) = (snapshot.clone(), *image, offset.min(image.bytes));
        let body = Body::InstallSnapshot(Box::new(Chunk { snapshot, image, offset, data }));
        self.send(imports, to, &Message { term, body });
    }

    /// What was stored is the machine from now on.
    pub(super) fn install<I: Imports>(&mut self, imports: &mut I, snapshot: Snapshot, image: Image) {
        let mut machine = Machine::new(self.settings.bounds);
        let restored = self.storage.restore(imports, &image, &mut machine);
        or_halt(imports, restored);
        self.machine = machine;
        // What became of what clients wait for up to there, the snapshot does not tell.
        self.pending.forget(snapshot.last.index);
        let machine = &self.machine;
        let pieces = |put: &mut crate::storage::Put<'_>| machine.put_pieces(put);
        let written = self.storage.checkpoint(imports, (snapshot, image.prefix), pieces, std::iter::empty());
        let again = or_halt(imports, written);
        assert_eq!(again, image, "equal machines are written alike");
    }

    /// The note of the newest snapshot.
    pub(super) fn snapshot_note(&self) -> note::Body {
        let (snapshot, image) = self.storage.snapshot().expect("it was just taken");
        let (index, term) = (snapshot.last.index, snapshot.last.term);
        note::Body::Snapshot { index, term, prefix: image.prefix, state: image.state }
    }
}
