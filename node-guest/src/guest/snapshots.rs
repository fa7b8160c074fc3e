//! Snapshots: what the core wants done about them, done with machine and disk.

use super::{Node, or_halt};
use crate::fault::code;
use crate::machine::Machine;
use crate::raft::{Body, Chunk, Image, Index, Message, NodeId, Snapshot, Term};
use raftbox_abi::Imports;
use raftbox_abi::note;
use std::rc::Rc;

/// The most bytes of a chunk, so that a datagram holds it with all that it says beside.
pub(super) const CHUNK_BYTES_MAX: u64 = 64 * 1024;

impl Node {
    /// Takes a snapshot of the machine as it is.
    pub(super) fn take_snapshot<I: Imports>(&mut self, imports: &mut I, snapshot: Snapshot) {
        // The entries since the last snapshot are all there.
        let (first, prefix) = self.last_snapshot();
        let prefix = self.hashes.chain(prefix, self.raft.log(), first, snapshot.last.index);
        self.write_down(imports, snapshot, prefix);
    }

    /// Writes down the machine, with the log behind it.
    fn write_down<I: Imports>(&mut self, imports: &mut I, snapshot: Snapshot, prefix: u64) -> Image {
        let (log, machine) = (self.raft.log(), &self.machine);
        let behind = log.range(snapshot.last.index + 1, log.last().index);
        let behind = behind.map(|(index, entry)| (index, entry.clone()));
        let written = self.storage.checkpoint(imports, (snapshot, prefix), |put| machine.put_pieces(put), behind);
        or_halt(imports, written)
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
        let again = self.write_down(imports, snapshot, image.prefix);
        // Equal machines are written alike, so this one is none that a node of this kind wrote.
        if again != image {
            imports
                .halt(code::CORRUPT, "a snapshot that was sent holds a machine that this node would write otherwise");
        }
    }

    /// The note of the newest snapshot.
    pub(super) fn snapshot_note(&self) -> note::Body {
        let (snapshot, image) = self.storage.snapshot().expect("it was just taken");
        let (index, term) = (snapshot.last.index, snapshot.last.term);
        note::Body::Snapshot { index, term, prefix: image.prefix, state: image.state }
    }
}
