//! The write-ahead log: term, vote and log entries in file 0, as a chain of records (`storage/record.rs`).
//!
//! What [`Raft`](crate::raft) wants written is appended, all records of a step in one write; nothing is ever
//! overwritten. A crash may leave any subset of the sectors that were not synced, so after it the file is: a durable
//! part, whole; then perhaps some whole records; then perhaps rubbish. Recovery follows the chain of sums up to the
//! rubbish, tells a torn tail from damage (see `storage/recovery.rs`), and cuts the tail off.
//!
//! Why each part of it is needed:
//!
//! * **The cut is synced before anything is written behind it.** Otherwise the rest of a torn record, whose other
//!   sectors happen to be written again with the same content, could come back whole, and with it a truncation of
//!   entries that this node has acknowledged since. Until the cut is durable, [`Storage::is_cutting`] holds, records
//!   wait in memory, and the node takes no messages: to the others it is still booting.
//! * **The chain** (`previous`) keeps a stale record from being read as the continuation of what was written later
//!   before it. It is the second line: on a disk that forgets the cut although it synced it, stale records remain.
//! * **The boot record** makes the chains of any two boots differ, even where they write the same.
//! * **A failed write or sync ends the node.** After a failed sync nobody knows what the disk holds, and a later one
//!   may succeed without the data.
//!
//! What recovery reads counts as durable at once: the host lets a booting node see only what survived.
//!
//! One kind of damage cannot be told from a crash: to the records behind the last sync that a later record knows of.
//! They look like a torn tail and are cut off, although they may have been durable. To close this gap takes a second
//! place to write to, before each acknowledgement.

#[cfg(test)]
pub(crate) mod disk;
mod record;
mod recovery;
#[cfg(test)]
mod tests;

use crate::fault::Fault;
use crate::raft::{Record, Restored, Ticket};
use raftbox_abi::{Imports, boundary};
use record::{Boot, Stored};

/// The file that holds the log.
const FILE: u32 = 0;

/// The most bytes of one disk operation.
const TRANSFER_BYTES_MAX: usize = boundary::TRANSFER_BYTES_MAX as usize;

/// The most bytes of a command that a record can hold, with room for what else an entry's record says.
pub const COMMAND_BYTES_MAX: u32 = record::PAYLOAD_BYTES_MAX - 64;

/// The ticket of the sync of a cut. The core counts its own from 1 upwards.
const CUT: Ticket = Ticket::MAX;

/// The write-ahead log of one node.
#[derive(Clone, Debug)]
pub struct Storage {
    /// What starts this boot's records; gone once it was put among them.
    boot: Option<Boot>,
    /// Records that are not written yet. Emptied at each write, and never given back.
    buffer: Vec<u8>,
    /// How long the file is, and where the buffer will go.
    written: u64,
    /// The sum of the last record, written or in the buffer.
    last: u64,
    /// The file is durable up to here.
    durable: u64,
    /// The sync of the core's that is under way, and how far the file will be durable after it.
    syncing: Option<(Ticket, u64)>,
    cutting: bool,
}

impl Storage {
    /// Opens the log of `node` and reads what it holds.
    ///
    /// # Errors
    /// If the disk cannot be read, is damaged, or belongs to another node.
    pub fn open<I: Imports>(imports: &mut I, node: u32) -> Result<(Self, Restored), Fault> {
        let found = recovery::recover(imports)?;
        if let Some(owner) = found.boot.map(|boot| boot.node).filter(|owner| *owner != node) {
            let reason = format!("file {FILE} belongs to node {owner}, and this is node {node}");
            return Err(Fault::corrupt(reason));
        }
        let epoch = found.boot.map_or(0, |boot| boot.epoch) + 1;
        let mut storage = Self {
            boot: Some(Boot { epoch, nonce: imports.random(), node }),
            buffer: Vec::new(),
            written: found.end,
            last: found.last,
            durable: found.end,
            syncing: None,
            cutting: false,
        };
        if found.file_len > found.end {
            storage.cut(imports, found.file_len)?;
        }
        Ok((storage, found.restored))
    }

    fn cut<I: Imports>(&mut self, imports: &mut I, file_len: u64) -> Result<(), Fault> {
        let end = self.written;
        imports.log(3, &format!("file {FILE}: cutting a torn tail, {file_len} bytes, to {end}"));
        imports
            .disk_truncate(FILE, end)
            .map_err(|status| Fault::disk(format_args!("cannot truncate file {FILE} to {end}"), status))?;
        imports.disk_sync(CUT);
        self.cutting = true;
        Ok(())
    }

    /// Whether a torn tail is still being cut off.
    #[must_use]
    pub fn is_cutting(&self) -> bool {
        self.cutting
    }

    /// How long the file is, with what waits to be written.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// How far the file is durable.
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// Puts a record at the end. It is written by the next [`write`](Self::write).
    pub fn persist(&mut self, record: Record) {
        if let Some(boot) = self.boot.take() {
            self.put(&Stored::Boot(boot));
        }
        self.put(&Stored::Raft(record));
    }

    fn put(&mut self, stored: &Stored) {
        let offset = self.end();
        self.last = record::encode(&mut self.buffer, offset, self.last, self.durable, stored);
    }

    /// Writes the records that wait, in as few writes as the boundary allows: mostly one.
    ///
    /// # Errors
    /// If the disk fails or is full.
    pub fn write<I: Imports>(&mut self, imports: &mut I) -> Result<(), Fault> {
        if self.cutting || self.buffer.is_empty() {
            return Ok(());
        }
        if self.end() > boundary::FILE_BYTES_MAX {
            let what = format_args!("file {FILE} would grow to {} bytes", self.end());
            return Err(Fault::disk(what, boundary::status::FULL));
        }
        for chunk in self.buffer.chunks(TRANSFER_BYTES_MAX) {
            let (at, len) = (self.written, chunk.len());
            imports.disk_write(FILE, at, chunk).map_err(|status| {
                Fault::disk(format_args!("cannot write {len} bytes to file {FILE} at {at}"), status)
            })?;
            self.written += len as u64;
        }
        self.buffer.clear();
        Ok(())
    }

    /// Asks that all records so far become durable. The answer comes to [`synced`](Self::synced).
    ///
    /// # Errors
    /// If what waits cannot be written.
    pub fn sync<I: Imports>(&mut self, imports: &mut I, ticket: Ticket) -> Result<(), Fault> {
        assert!(self.syncing.is_none(), "one sync at a time");
        assert!(ticket != CUT, "this ticket is the cut's");
        self.syncing = Some((ticket, self.end()));
        self.write(imports)?;
        if !self.cutting {
            imports.disk_sync(ticket);
        }
        Ok(())
    }

    /// A sync was answered. Returns its ticket, if the core asked for it.
    ///
    /// # Errors
    /// If it failed, or what waited for it cannot be written.
    pub fn synced<I: Imports>(
        &mut self,
        imports: &mut I,
        ticket: Ticket,
        status: i32,
    ) -> Result<Option<Ticket>, Fault> {
        if status != boundary::status::OK {
            let what = format_args!("file {FILE} cannot be made durable beyond {}", self.durable);
            return Err(Fault::disk(what, status));
        }
        if ticket == CUT {
            assert!(self.cutting, "a cut is synced once");
            self.cutting = false;
            self.write(imports)?;
            if let Some((waiting, _)) = self.syncing {
                imports.disk_sync(waiting);
            }
            return Ok(None);
        }
        let Some((_, end)) = self.syncing.take_if(|(awaited, _)| *awaited == ticket) else {
            panic!("sync {ticket} is answered, but was not asked for");
        };
        self.durable = end;
        Ok(Some(ticket))
    }
}
