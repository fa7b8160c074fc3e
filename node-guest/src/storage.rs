//! The write-ahead log: term, vote, log entries and a snapshot, as a chain of records (`storage/record.rs`) in file 0 or
//! 1, in turn (`storage/checkpoint.rs`).
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

mod checkpoint;
#[cfg(test)]
pub(crate) mod disk;
mod record;
mod recovery;
#[cfg(test)]
mod tests;

use crate::fault::Fault;
use crate::raft::{HardState, Record, Restored, Snapshot, Ticket};
use checkpoint::Kept;
pub use checkpoint::{Put, Restore};
use raftbox_abi::{Imports, boundary};
use record::{Boot, Place, Stored};

/// The files that hold the log, in turn: one of them counts.
const LOGS: [u32; 2] = [0, 1];

/// The file in which a snapshot gathers that a leader sends.
const INCOMING: u32 = 2;

/// The file of a generation. The first one is in file 0.
fn file_of(generation: u64) -> u32 {
    LOGS[usize::from(generation.is_multiple_of(2))]
}

/// The most bytes of one disk operation.
const TRANSFER_BYTES_MAX: usize = boundary::TRANSFER_BYTES_MAX as usize;

/// The most bytes of a command that a record can hold, with room for what else an entry's record says.
pub const COMMAND_BYTES_MAX: u32 = record::PAYLOAD_BYTES_MAX - 64;

/// The ticket of the sync of a cut. The core counts its own from 1 upwards.
const CUT: Ticket = Ticket::MAX;

/// The write-ahead log of one node.
#[derive(Clone, Debug)]
pub struct Storage {
    /// What starts this boot's records.
    identity: Boot,
    /// The same; gone once it was put among them.
    boot: Option<Boot>,
    /// How many files were begun so far, with this one.
    generation: u64,
    /// The newest snapshot, which this file begins with.
    snapshot: Option<(Snapshot, Kept)>,
    /// Whether the file before still counts, since what this one was begun with is not durable yet.
    replacing: bool,
    /// Whether there is anything in the other file.
    stale: bool,
    /// Term and vote as they were put last.
    hard_state: HardState,
    /// Records that are not written yet. Emptied at each write, and never given back.
    buffer: Vec<u8>,
    /// How long the file is, and where the buffer will go.
    written: u64,
    /// The sum of the last record, written or in the buffer.
    last: u64,
    /// The file is durable up to here.
    durable: u64,
    /// The sync of the core's that is under way, and of which generation's file how much will be durable after it.
    syncing: Option<(Ticket, Place)>,
    cutting: bool,
}

impl Storage {
    /// Opens the log of `node` and reads what it holds; the pieces of its snapshot go to `state`.
    ///
    /// # Errors
    /// If the disk cannot be read, is damaged, or belongs to another node.
    pub fn open<I: Imports>(imports: &mut I, node: u32, state: &mut dyn Restore) -> Result<(Self, Restored), Fault> {
        let found = recovery::recover(imports, state)?;
        let generation = found.generation;
        if let Some(owner) = found.boot.map(|boot| boot.node).filter(|owner| *owner != node) {
            let file = file_of(generation);
            let reason = format!("file {file} belongs to node {owner}, and this is node {node}");
            return Err(Fault::corrupt(reason));
        }
        let epoch = found.boot.map_or(0, |boot| boot.epoch) + 1;
        let identity = Boot { epoch, nonce: imports.random(), node, generation, before: 0 };
        let restored = found.restored;
        let mut storage = Self {
            identity,
            boot: Some(identity),
            generation,
            snapshot: restored.snapshot.clone().zip(found.kept),
            replacing: false,
            stale: found.stale,
            hard_state: HardState { term: restored.term, vote: restored.vote },
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
        Ok((storage, restored))
    }

    fn cut<I: Imports>(&mut self, imports: &mut I, file_len: u64) -> Result<(), Fault> {
        let (file, end) = (self.file(), self.written);
        imports.log(3, &format!("file {file}: cutting a torn tail, {file_len} bytes, to {end}"));
        truncate(imports, file, end)?;
        imports.disk_sync(CUT);
        self.cutting = true;
        Ok(())
    }

    /// Whether a torn tail is still being cut off.
    #[must_use]
    pub fn is_cutting(&self) -> bool {
        self.cutting
    }

    /// The file that the log is in.
    #[must_use]
    pub fn file(&self) -> u32 {
        file_of(self.generation)
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
        if let Record::HardState(hard_state) = record {
            self.hard_state = hard_state;
        }
        self.put(&Stored::Raft(record));
    }

    fn put(&mut self, stored: &Stored<'_>) {
        let place = self.place();
        self.last = record::encode(&mut self.buffer, place, self.last, self.durable, stored);
    }

    /// Where the next record goes.
    fn place(&self) -> Place {
        Place { generation: self.generation, offset: self.end() }
    }

    /// Writes the records that wait, in as few writes as the boundary allows: mostly one.
    ///
    /// # Errors
    /// If the disk fails or is full.
    pub fn write<I: Imports>(&mut self, imports: &mut I) -> Result<(), Fault> {
        if self.cutting || self.buffer.is_empty() {
            return Ok(());
        }
        let file = self.file();
        if self.end() > boundary::FILE_BYTES_MAX {
            let what = format_args!("file {file} would grow to {} bytes", self.end());
            return Err(Fault::disk(what, boundary::status::FULL));
        }
        write(imports, file, self.written, &self.buffer)?;
        self.written = self.end();
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
        self.syncing = Some((ticket, self.place()));
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
            let what = format_args!("file {} cannot be made durable beyond {}", self.file(), self.durable);
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
        let Some((_, covered)) = self.syncing.take_if(|(awaited, _)| *awaited == ticket) else {
            panic!("sync {ticket} is answered, but was not asked for");
        };
        // A sync of the file before says nothing about this one.
        if covered.generation == self.generation {
            let witnessed = self.durable > 0 && covered.offset > self.durable;
            (self.durable, self.replacing) = (covered.offset, false);
            if witnessed && std::mem::take(&mut self.stale) {
                empty(imports, file_of(self.generation + 1))?;
            }
        }
        Ok(Some(ticket))
    }
}

/// Reads as much as `into` holds; the file must be so long.
fn read<I: Imports>(imports: &mut I, file: u32, offset: u64, into: &mut [u8]) -> Result<(), Fault> {
    let mut done = 0;
    while done < into.len() {
        let at = offset + done as u64;
        let rest = &mut into[done..];
        let most = rest.len().min(TRANSFER_BYTES_MAX);
        let failed = |status| Fault::disk(format_args!("cannot read file {file} at offset {at}"), status);
        match imports.disk_read(file, at, &mut rest[..most]).map_err(failed)? {
            0 => {
                let reason = format!("file {file} ends at offset {at}, before what was written to it does");
                return Err(Fault { code: crate::fault::code::DISK, reason });
            }
            count => done += count as usize,
        }
    }
    Ok(())
}

fn write<I: Imports>(imports: &mut I, file: u32, mut at: u64, bytes: &[u8]) -> Result<(), Fault> {
    for chunk in bytes.chunks(TRANSFER_BYTES_MAX) {
        let len = chunk.len();
        let failed = |status| Fault::disk(format_args!("cannot write {len} bytes to file {file} at {at}"), status);
        imports.disk_write(file, at, chunk).map_err(failed)?;
        at += len as u64;
    }
    Ok(())
}

fn truncate<I: Imports>(imports: &mut I, file: u32, len: u64) -> Result<(), Fault> {
    let failed = |status| Fault::disk(format_args!("cannot truncate file {file} to {len}"), status);
    imports.disk_truncate(file, len).map_err(failed)
}

/// Empties a file, if there is anything in it.
fn empty<I: Imports>(imports: &mut I, file: u32) -> Result<(), Fault> {
    if imports.disk_len(file) == 0 { Ok(()) } else { truncate(imports, file, 0) }
}
