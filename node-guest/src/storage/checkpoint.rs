//! Beginning the log anew, with a snapshot in place of what came before (thesis 5.1).
//!
//! There is no way to replace a file, so there are two, used in turn. A checkpoint is written to the one that is not in use:
//! the machine in pieces, what the snapshot is of, term and vote, the entries behind it, and a seal; whatever is to be
//! written from then on follows there. Until a sync covers that, the file before it is left as it is. So a crash at any
//! moment finds one of the two whole: with the seal, all that was written since the checkpoint may follow, torn or not;
//! without it, nothing of that was promised to anybody, and the file before counts. The old one is emptied once a record in
//! the new one tells that it was durable, so that damage to it can be told from a crash.
//!
//! A snapshot that a leader sends gathers in a third file, which survives no boot, and becomes a checkpoint when it is whole.

use super::record::{Boot, HEADER_BYTES, Stored};
use super::{INCOMING, Storage, TRANSFER_BYTES_MAX, file_of, read};
use crate::fault::Fault;
use crate::raft::{Entry, Image, Index, Record, Snapshot};
use raftbox_abi::Imports;
use raftbox_abi::codec::Write;
use xxhash_rust::xxh64::Xxh64;

/// How much of a checkpoint is put together before it is written.
const WRITE_BYTES: usize = 64 * 1024;

/// Takes a snapshot in, piece by piece.
pub trait Restore {
    /// Begins anew, with nothing.
    fn restart(&mut self);

    /// Takes the next piece.
    ///
    /// # Errors
    /// If it is none; with a reason.
    fn piece(&mut self, piece: &[u8]) -> Result<(), &'static str>;
}

/// Takes pieces that are to be written, one after the other.
pub type Put<'a> = dyn FnMut(&[u8]) -> Result<(), Fault> + 'a;

/// A snapshot as it lies in a file: the pieces, each with its length before it, make one row of bytes.
#[derive(Clone, Default)]
pub(super) struct Kept {
    pub(super) image: Image,
    /// Of each piece, where it ends in the row, and where its bytes are in the file.
    pieces: Vec<(u64, u64)>,
    hash: Option<Xxh64>,
}

impl Kept {
    /// Another piece, with its length before it, whose bytes are at `at` in the file.
    pub(super) fn put(&mut self, payload: &[u8], at: u64) {
        self.pieces.push((self.bytes() + payload.len() as u64, at));
        self.hash.get_or_insert_with(|| Xxh64::new(0)).update(payload);
    }

    fn bytes(&self) -> u64 {
        self.pieces.last().map_or(0, |(end, _)| *end)
    }

    /// How many bytes there are, and their hash.
    pub(super) fn sum(&mut self) -> (u64, u64) {
        let hash = self.hash.take().unwrap_or_else(|| Xxh64::new(0));
        (self.bytes(), hash.digest())
    }

    /// Where in the file the byte at `offset` of the row is, and how many follow it there in its piece.
    fn find(&self, offset: u64) -> Option<(u64, u64)> {
        let at = self.pieces.partition_point(|(end, _)| *end <= offset);
        let (end, place) = self.pieces.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.pieces[before].0);
        Some((place + (offset - start), end - offset))
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} in {} pieces", self.image, self.pieces.len())
    }
}

impl Storage {
    /// The newest snapshot, written or durable.
    #[must_use]
    pub fn snapshot(&self) -> Option<(&Snapshot, &Image)> {
        self.snapshot.as_ref().map(|(snapshot, kept)| (snapshot, &kept.image))
    }

    /// Writes a snapshot and the log behind it, in place of all that was written. `prefix` is the hash of the log that it
    /// replaces; `pieces` puts the state, piece by piece. The next sync covers it.
    ///
    /// # Errors
    /// If the disk fails or is full.
    pub fn checkpoint<I: Imports>(
        &mut self,
        imports: &mut I,
        (snapshot, prefix): (Snapshot, u64),
        pieces: impl FnOnce(&mut Put<'_>) -> Result<(), Fault>,
        log: impl Iterator<Item = (Index, Entry)>,
    ) -> Result<Image, Fault> {
        assert!(!self.cutting, "a node that cuts a torn tail has nothing new to take a snapshot of");
        assert!(!self.replacing, "one checkpoint at a time");
        self.write(imports)?;
        self.begin_anew(imports)?;
        let mut kept = Kept::default();
        pieces(&mut |piece| {
            let mut payload = Vec::with_capacity(piece.len() + 4);
            payload.put_bytes(piece);
            kept.put(&payload, self.end() + HEADER_BYTES);
            self.put(&Stored::Piece(&payload));
            self.write_if_much(imports)
        })?;
        let (bytes, state) = kept.sum();
        let image = Image { bytes, state, prefix };
        kept.image = image;
        self.put(&Stored::Snapshot(snapshot.clone(), image));
        self.put(&Stored::Raft(Record::HardState(self.hard_state)));
        for (index, entry) in log {
            self.put(&Stored::Raft(Record::Append { index, entry }));
            self.write_if_much(imports)?;
        }
        self.put(&Stored::Seal);
        self.write(imports)?;
        self.snapshot = Some((snapshot, kept));
        Ok(image)
    }

    /// Goes on in the other file, from its start.
    fn begin_anew<I: Imports>(&mut self, imports: &mut I) -> Result<(), Fault> {
        let before = self.durable;
        self.generation += 1;
        (self.replacing, self.stale) = (true, true);
        (self.written, self.last, self.durable) = (0, 0, 0);
        super::empty(imports, file_of(self.generation))?;
        // If nothing was written in this boot, this is the first that is.
        self.boot = None;
        let generation = self.generation;
        self.put(&Stored::Boot(Boot { generation, before, ..self.identity }));
        Ok(())
    }

    fn write_if_much<I: Imports>(&mut self, imports: &mut I) -> Result<(), Fault> {
        if self.buffer.len() < WRITE_BYTES { Ok(()) } else { self.write(imports) }
    }

    /// Reads bytes of the newest snapshot from `offset` on: as many as fit into `most` and are together; none at its end.
    ///
    /// # Errors
    /// If the disk cannot be read.
    pub fn read_snapshot<I: Imports>(&self, imports: &mut I, offset: u64, most: u64) -> Result<Vec<u8>, Fault> {
        let found = self.snapshot.as_ref().and_then(|(_, kept)| kept.find(offset));
        let Some((place, left)) = found else { return Ok(Vec::new()) };
        let mut bytes = vec![0; usize::try_from(left.min(most)).expect("a piece fits into memory")];
        read(imports, file_of(self.generation), place, &mut bytes)?;
        Ok(bytes)
    }

    /// Keeps a part of a snapshot that a leader sends; one at 0 begins anew.
    ///
    /// # Errors
    /// If the disk fails or is full.
    pub fn store<I: Imports>(&self, imports: &mut I, offset: u64, data: &[u8]) -> Result<(), Fault> {
        if offset == 0 {
            super::empty(imports, INCOMING)?;
        }
        super::write(imports, INCOMING, offset, data)
    }

    /// Gives the pieces of what was stored to `state`, if it is all of `image`; and then it is stored no more.
    ///
    /// # Errors
    /// If it is not, or the disk cannot be read.
    pub fn restore<I: Imports>(&self, imports: &mut I, image: &Image, state: &mut dyn Restore) -> Result<(), Fault> {
        let corrupt = |why: &str| Fault::corrupt(format!("file {INCOMING}: the snapshot that was sent is none: {why}"));
        let mut hash = Xxh64::new(0);
        let mut offset = 0;
        let mut piece = Vec::new();
        while offset < image.bytes {
            let mut len = [0; 4];
            if offset + 4 > image.bytes {
                return Err(corrupt("it ends within a length"));
            }
            read(imports, INCOMING, offset, &mut len)?;
            let bytes = u64::from(u32::from_le_bytes(len));
            if bytes > TRANSFER_BYTES_MAX as u64 || offset + 4 + bytes > image.bytes {
                return Err(corrupt("a piece is longer than it"));
            }
            piece.resize(usize::try_from(bytes).expect("it is below a transfer"), 0);
            read(imports, INCOMING, offset + 4, &mut piece)?;
            hash.update(&len);
            hash.update(&piece);
            state.piece(&piece).map_err(corrupt)?;
            offset += 4 + bytes;
        }
        if hash.digest() != image.state {
            return Err(corrupt("its hash is another one"));
        }
        super::empty(imports, INCOMING)
    }
}
