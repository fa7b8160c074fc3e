//! Reading the write-ahead log back.
//!
//! The log is the longest chain of intact records from the start of the file. Where it ends before the file does, the
//! question is whether the next record was torn by a crash, which is normal, or was durable once and is damaged, which
//! must never be papered over: its term, vote or entries were promised to others. The records behind the break answer
//! it, since each says how far the file was durable when it was written. If any intact one says so of a place beyond
//! the break, the disk lost what it had promised to keep, and the node refuses to start.

use super::FILE;
use super::record::{Boot, HEADER_BYTES, Header, Stored};
use crate::fault::Fault;
use crate::raft::{Position, Record, Restored};
use raftbox_abi::Imports;

/// How much is read at once.
const CHUNK_BYTES: u64 = 64 * 1024;

/// What was found.
pub(super) struct Recovery {
    pub(super) restored: Restored,
    /// The last boot record.
    pub(super) boot: Option<Boot>,
    /// Where the chain ends.
    pub(super) end: u64,
    /// The sum of its last record.
    pub(super) last: u64,
    /// The length of the file; beyond `end` if the tail is torn.
    pub(super) file_len: u64,
}

/// Reads the file.
pub(super) fn recover<I: Imports>(imports: &mut I) -> Result<Recovery, Fault> {
    let file_len = imports.disk_len(FILE);
    let mut file = Window { imports, file_len, start: 0, bytes: Vec::new() };
    let restored = Restored::default();
    let mut found = Recovery { restored, boot: None, end: 0, last: 0, file_len };
    while found.end < file_len {
        let (header, record) = match file.record(found.end)? {
            Ok((header, record)) if header.previous == found.last => (header, record),
            Ok(_) => return file.torn(found, "the record there follows another one"),
            Err(why) => return file.torn(found, why),
        };
        let stored = header.payload(record).ok_or("its payload is none of its kind");
        if let Err(why) = stored.and_then(|stored| found.replay(stored)) {
            // The sum is right, so this is what was written there: damage does not look like that.
            let at = found.end;
            return Err(Fault::corrupt(format!("file {FILE}: the record at offset {at} is intact, but {why}")));
        }
        found.last = header.sum;
        found.end += header.record_bytes();
    }
    Ok(found)
}

impl Recovery {
    /// Does again what a record says was done.
    fn replay(&mut self, stored: Stored) -> Result<(), &'static str> {
        let require = |holds: bool, why| if holds { Ok(()) } else { Err(why) };
        require(self.boot.is_some() || matches!(stored, Stored::Boot(_)), "no boot precedes it")?;
        let restored = &mut self.restored;
        let Position { term, index: last } = restored.log.last();
        match stored {
            Stored::Boot(boot) => {
                let epoch = self.boot.map_or(0, |boot| boot.epoch);
                require(boot.epoch == epoch + 1, "its epoch is not the next")?;
                let node = self.boot.map_or(boot.node, |boot| boot.node);
                require(boot.node == node, "its node is another one's")?;
                self.boot = Some(boot);
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
        }
        Ok(())
    }
}

/// The file, of which one piece at a time is in memory.
struct Window<'a, I> {
    imports: &'a mut I,
    file_len: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl<I: Imports> Window<'_, I> {
    /// The bytes from `offset` on, `len` of them, all within the file.
    fn slice(&mut self, offset: u64, len: u64) -> Result<&[u8], Fault> {
        let end = self.start + self.bytes.len() as u64;
        if offset < self.start || offset + len > end {
            self.read(offset, len.max(CHUNK_BYTES).min(self.file_len - offset))?;
        }
        let from = usize::try_from(offset - self.start).expect("it lies within the window");
        Ok(&self.bytes[from..from + usize::try_from(len).expect("it lies within the window")])
    }

    fn read(&mut self, offset: u64, len: u64) -> Result<(), Fault> {
        self.start = offset;
        self.bytes.resize(usize::try_from(len).expect("a record fits into memory"), 0);
        let mut done = 0;
        while done < self.bytes.len() {
            let at = offset + done as u64;
            let into = &mut self.bytes[done..];
            let most = into.len().min(super::TRANSFER_BYTES_MAX);
            let failed = |status| Fault::disk(format_args!("cannot read file {FILE} at offset {at}"), status);
            match self.imports.disk_read(FILE, at, &mut into[..most]).map_err(failed)? {
                0 => {
                    let reason = format!("file {FILE} ends at offset {at}, but is {} bytes long", self.file_len);
                    return Err(Fault { code: crate::fault::code::DISK, reason });
                }
                count => done += count as usize,
            }
        }
        Ok(())
    }

    /// The record at `offset`, or why there is none.
    fn record(&mut self, offset: u64) -> Result<Result<(Header, &[u8]), &'static str>, Fault> {
        let file_len = self.file_len;
        if offset + HEADER_BYTES > file_len {
            return Ok(Err("the file ends within its header"));
        }
        let bytes = self.slice(offset, HEADER_BYTES)?;
        let Some(header) = Header::decode(bytes, offset, file_len) else {
            return Ok(Err("what is there is no header"));
        };
        let record = self.slice(offset, header.used_bytes())?;
        Ok(if header.is_sum_of(record, offset) { Ok((header, record)) } else { Err("its sum is wrong") })
    }

    /// Decides about a chain that breaks before the end of the file.
    fn torn(&mut self, found: Recovery, why: &str) -> Result<Recovery, Fault> {
        let broken = found.end;
        let mut offset = broken;
        while offset + HEADER_BYTES <= self.file_len {
            // Almost no place passes for a header that claims so much, so almost nothing is hashed.
            let file_len = self.file_len;
            let header = Header::decode(self.slice(offset, HEADER_BYTES)?, offset, file_len);
            if let Some(durable) = header.map(|header| header.durable).filter(|durable| *durable > broken)
                && self.record(offset)?.is_ok()
            {
                return Err(Fault::corrupt(format!(
                    "file {FILE} is corrupt at offset {broken}: expected an intact record that follows the one \
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
