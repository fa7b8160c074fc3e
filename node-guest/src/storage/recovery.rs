//! Reading the write-ahead log back.
//!
//! The log is the longest chain of intact records from the start of the file. Where it ends before the file does, the
//! question is whether the next record was torn by a crash, which is normal, or was durable once and is damaged, which
//! must never be papered over: its term, vote or entries were promised to others. The records behind the break answer
//! it, since each says how far the file was durable when it was written. If any intact one says so of a place beyond
//! the break, the disk lost what it had promised to keep, and the node refuses to start.
//!
//! Of the two files the one of the later generation counts, if what it was begun with is all there, up to its seal. If not,
//! it was being written when the power went, and the file before it still counts: it is emptied only once the later one is
//! durable and a record in it says so. If neither is whole, nothing was ever durable, or the disk is damaged; the later one
//! tells which.

use super::record::{Boot, HEADER_BYTES, Header, Place, Stored};
use super::{Kept, LOGS, Restore, file_of};
use crate::fault::Fault;
use crate::raft::{Position, Record, Restored};
use raftbox_abi::Imports;

/// How much is read at once.
const CHUNK_BYTES: u64 = 64 * 1024;

/// What was found.
#[derive(Default)]
pub(super) struct Recovery {
    pub(super) restored: Restored,
    /// The snapshot, as it lies in the file.
    pub(super) kept: Option<Kept>,
    /// The last boot record.
    pub(super) boot: Option<Boot>,
    pub(super) generation: u64,
    /// Where the chain ends.
    pub(super) end: u64,
    /// The sum of its last record.
    pub(super) last: u64,
    /// The length of the file; beyond `end` if the tail is torn.
    pub(super) file_len: u64,
    /// Whether the other file holds anything, which counts no more.
    pub(super) stale: bool,
    /// Whether all is there that the file was begun with.
    sealed: bool,
    /// The pieces of a snapshot that were read so far.
    pieces: Kept,
}

/// Reads the files, and gives the pieces of the snapshot to `state`.
pub(super) fn recover<I: Imports>(imports: &mut I, state: &mut dyn Restore) -> Result<Recovery, Fault> {
    let mut heads = [None; 2];
    for (head, file) in heads.iter_mut().zip(LOGS) {
        *head = Window::new(imports, file, None).head()?;
    }
    let generations = heads.map(|head| head.map(|boot| boot.generation));
    let lens = LOGS.map(|file| imports.disk_len(file));
    let newest = usize::from(generations[1] > generations[0]);
    for at in [newest, 1 - newest] {
        let (file, other) = (LOGS[at], generations[1 - at]);
        // One whose first record is gone was the next to be written, or else it is damaged. If the other's is gone as well,
        // what follows says by itself of which generation it is.
        let generation = generations[at].or(other.map(|other| other + 1));
        state.restart();
        let found = follow(imports, file, generation, state)?;
        if found.sealed {
            return Ok(Recovery { stale: lens[1 - at] > 0, ..found });
        }
    }
    // What was torn was written before anything was durable, unless it says otherwise.
    if let Some(Boot { generation, before, .. }) = heads.into_iter().flatten().find(|boot| boot.before > 0) {
        let (file, other) = (file_of(generation), file_of(generation + 1));
        return Err(Fault::corrupt(format!(
            "file {other} is corrupt: {before} bytes of it were durable when file {file} was begun, which is not whole; but \
             what it was begun with itself is not all there"
        )));
    }
    state.restart();
    Ok(Recovery { generation: 1, file_len: lens[0], stale: lens[1] > 0, ..Recovery::default() })
}

/// Follows the chain of records through a file.
fn follow<I: Imports>(
    imports: &mut I,
    file: u32,
    generation: Option<u64>,
    state: &mut dyn Restore,
) -> Result<Recovery, Fault> {
    let mut window = Window::new(imports, file, generation);
    let file_len = window.file_len;
    let mut found = Recovery { generation: generation.unwrap_or(1), file_len, ..Recovery::default() };
    while found.end < file_len {
        let (header, record) = match window.record(found.end)? {
            Ok((header, record)) if header.previous == found.last => (header, record),
            Ok(_) => return window.torn(found, "the record there follows another one"),
            Err(why) => return window.torn(found, why),
        };
        let stored = header.payload(record).ok_or("its payload is none of its kind");
        if let Err(why) = stored.and_then(|stored| found.replay(stored, state)) {
            // The sum is right, so this is what was written there: damage does not look like that.
            let at = found.end;
            return Err(Fault::corrupt(format!("file {file}: the record at offset {at} is intact, but {why}")));
        }
        found.last = header.sum;
        found.end += header.record_bytes();
    }
    Ok(found)
}

fn require(holds: bool, why: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(why) }
}

impl Recovery {
    /// Does again what a record says was done.
    fn replay(&mut self, stored: Stored<'_>, state: &mut dyn Restore) -> Result<(), &'static str> {
        require(self.boot.is_some() || matches!(stored, Stored::Boot(_)), "no boot precedes it")?;
        let restored = &mut self.restored;
        let Position { term, index: last } = restored.log.last();
        match stored {
            Stored::Boot(boot) => {
                let epoch = self.boot.map_or(boot.epoch, |boot| boot.epoch + 1);
                require(boot.epoch == epoch, "its epoch is not the next")?;
                let node = self.boot.map_or(boot.node, |boot| boot.node);
                require(boot.node == node, "its node is another one's")?;
                require(boot.generation == self.generation, "its generation is another file's")?;
                self.boot = Some(boot);
                self.sealed |= self.generation == 1;
            }
            Stored::Raft(Record::HardState(new)) => {
                require(new.term >= restored.term, "its term is lower than the one before")?;
                (restored.term, restored.vote) = (new.term, new.vote);
            }
            Stored::Raft(Record::Append { index, entry }) => {
                require(index == last + 1, "its entry leaves a gap in the log")?;
                require(entry.term >= term, "its entry's term is lower than the one before")?;
                require(entry.term <= restored.term, "its entry's term is above the node's")?;
                restored.log.append(entry);
            }
            Stored::Raft(Record::Truncate { from }) => {
                require(from <= last && from > restored.log.base().index, "it cuts what is not there")?;
                restored.log.truncate(from);
            }
            Stored::Piece(payload) => {
                require(!self.sealed && self.kept.is_none(), "no piece of a snapshot belongs there")?;
                self.pieces.put(payload, self.end + HEADER_BYTES);
                state.piece(&payload[4..])?;
            }
            Stored::Snapshot(snapshot, image) => {
                require(!self.sealed && self.kept.is_none(), "no snapshot belongs there")?;
                let mut kept = std::mem::take(&mut self.pieces);
                let (bytes, hash) = kept.sum();
                require((bytes, hash) == (image.bytes, image.state), "its pieces are not all there")?;
                restored.log = crate::raft::Log::new(snapshot.last);
                restored.snapshot = Some(snapshot);
                kept.image = image;
                self.kept = Some(kept);
            }
            Stored::Seal => {
                require(!self.sealed && self.kept.is_some(), "no seal belongs there")?;
                self.sealed = true;
            }
        }
        Ok(())
    }
}

/// The file, of which one piece at a time is in memory.
struct Window<'a, I> {
    imports: &'a mut I,
    file: u32,
    /// The file's, if it is known.
    generation: Option<u64>,
    file_len: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl<'a, I: Imports> Window<'a, I> {
    fn new(imports: &'a mut I, file: u32, generation: Option<u64>) -> Self {
        let file_len = imports.disk_len(file);
        Self { imports, file, generation, file_len, start: 0, bytes: Vec::new() }
    }

    /// The bytes from `offset` on, `len` of them, all within the file.
    fn slice(&mut self, offset: u64, len: u64) -> Result<&[u8], Fault> {
        let end = self.start + self.bytes.len() as u64;
        if offset < self.start || offset + len > end {
            self.start = offset;
            let most = len.max(CHUNK_BYTES).min(self.file_len - offset);
            self.bytes.resize(usize::try_from(most).expect("a record fits into memory"), 0);
            super::read(self.imports, self.file, offset, &mut self.bytes)?;
        }
        let from = usize::try_from(offset - self.start).expect("it lies within the window");
        Ok(&self.bytes[from..from + usize::try_from(len).expect("it lies within the window")])
    }

    /// The first record, if there is an intact one.
    fn head(&mut self) -> Result<Option<Boot>, Fault> {
        let file = self.file;
        let Ok((header, record)) = self.record(0)? else { return Ok(None) };
        match header.payload(record) {
            Some(Stored::Boot(boot)) if file_of(boot.generation) == file => Ok(Some(boot)),
            _ => Err(Fault::corrupt(format!("file {file}: the record at offset 0 is intact, but begins no such file"))),
        }
    }

    /// The record at `offset`, or why there is none.
    fn record(&mut self, offset: u64) -> Result<Result<(Header, &[u8]), &'static str>, Fault> {
        let (file_len, known) = (self.file_len, self.generation);
        if offset + HEADER_BYTES > file_len {
            return Ok(Err("the file ends within its header"));
        }
        let bytes = self.slice(offset, HEADER_BYTES)?;
        let Some(header) = Header::decode(bytes, offset, file_len) else {
            return Ok(Err("what is there is no header"));
        };
        let record = self.slice(offset, header.used_bytes())?;
        let place = Place { generation: known.unwrap_or(header.generation), offset };
        Ok(if header.is_sum_of(record, place) { Ok((header, record)) } else { Err("its sum is wrong") })
    }

    /// Decides about a chain that breaks before the end of the file.
    fn torn(&mut self, found: Recovery, why: &str) -> Result<Recovery, Fault> {
        let (file, broken) = (self.file, found.end);
        let mut offset = broken;
        while offset + HEADER_BYTES <= self.file_len {
            // Almost no place passes for a header that claims so much, so almost nothing is hashed.
            let file_len = self.file_len;
            let header = Header::decode(self.slice(offset, HEADER_BYTES)?, offset, file_len);
            if let Some(durable) = header.map(|header| header.durable).filter(|durable| *durable > broken)
                && self.record(offset)?.is_ok()
            {
                return Err(Fault::corrupt(format!(
                    "file {file} is corrupt at offset {broken}: expected an intact record that follows the one \
                     with sum {:#018x}, since the intact record at offset {offset} says that all up to {durable} was \
                     durable; but {why}",
                    found.last,
                )));
            }
            offset += 8;
        }
        Ok(found)
    }
}
