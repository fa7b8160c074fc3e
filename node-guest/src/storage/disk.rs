//! A disk for tests, which keeps through a crash any subset of what was not synced.

use crate::raft::Ticket;
use raftbox_abi::Imports;
use raftbox_abi::boundary::SECTOR;
use std::collections::VecDeque;

const SECTOR_BYTES: usize = 512;
const _: () = assert!(SECTOR_BYTES as u64 == SECTOR);

/// The files of a disk.
pub(crate) type Files = [Vec<u8>; 3];

/// A disk, as the host has it.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    /// What a crash leaves for sure.
    pub(crate) stable: Files,
    /// What reads see.
    pub(crate) now: Files,
    pub(crate) unsynced: Vec<Operation>,
    /// Syncs under way, each with the number of operations that it covers.
    pub(crate) syncs: VecDeque<(Ticket, usize)>,
    pub(crate) draws: u64,
    /// What every read and write answers instead of working.
    pub(crate) broken: Option<i32>,
}

#[derive(Clone)]
pub(crate) enum Operation {
    Write(u32, usize, Vec<u8>),
    Truncate(u32, usize),
}

impl Operation {
    /// Does to `file` what survives: asked once for a change of length, and once for each sector.
    fn apply(&self, files: &mut Files, survives: &mut dyn FnMut() -> bool) {
        let (Operation::Write(file, ..) | Operation::Truncate(file, _)) = self;
        let file = &mut files[*file as usize];
        match self {
            Operation::Truncate(_, len) => {
                if survives() {
                    file.resize(*len, 0);
                }
            }
            Operation::Write(_, offset, bytes) => {
                let end = offset + bytes.len();
                if end > file.len() && survives() {
                    file.resize(end, 0);
                }
                let mut from = *offset;
                while from < end {
                    let to = (from / SECTOR_BYTES + 1) * SECTOR_BYTES;
                    let to = to.min(end);
                    if survives() {
                        file.resize(file.len().max(to), 0);
                        file[from..to].copy_from_slice(&bytes[from - offset..to - offset]);
                    }
                    from = to;
                }
            }
        }
    }
}

impl Disk {
    fn does(&mut self, operation: Operation) -> Result<(), i32> {
        if let Some(status) = self.broken {
            return Err(status);
        }
        operation.apply(&mut self.now, &mut || true);
        self.unsynced.push(operation);
        Ok(())
    }

    /// Completes the oldest sync.
    pub(crate) fn complete(&mut self) -> Option<Ticket> {
        let (ticket, covered) = self.syncs.pop_front()?;
        for operation in self.unsynced.drain(..covered) {
            operation.apply(&mut self.stable, &mut || true);
        }
        self.syncs.iter_mut().for_each(|(_, later)| *later -= covered);
        Some(ticket)
    }

    /// Loses power: what was not synced survives as `survives` says.
    pub(crate) fn crash(&mut self, survives: &mut dyn FnMut() -> bool) {
        for operation in self.unsynced.drain(..) {
            operation.apply(&mut self.stable, survives);
        }
        self.syncs.clear();
        self.now.clone_from(&self.stable);
    }
}

impl Imports for Disk {
    fn random(&mut self) -> u64 {
        self.draws += 1;
        self.draws
    }
    fn disk_len(&mut self, file: u32) -> u64 {
        self.now[file as usize].len() as u64
    }
    fn disk_read(&mut self, file: u32, offset: u64, into: &mut [u8]) -> Result<u32, i32> {
        if let Some(status) = self.broken {
            return Err(status);
        }
        let tail = &self.now[file as usize][usize::try_from(offset).unwrap()..];
        let len = tail.len().min(into.len());
        into[..len].copy_from_slice(&tail[..len]);
        Ok(u32::try_from(len).unwrap())
    }
    fn disk_write(&mut self, file: u32, offset: u64, bytes: &[u8]) -> Result<(), i32> {
        self.does(Operation::Write(file, usize::try_from(offset).unwrap(), bytes.to_vec()))
    }
    fn disk_truncate(&mut self, file: u32, len: u64) -> Result<(), i32> {
        self.does(Operation::Truncate(file, usize::try_from(len).unwrap()))
    }
    fn disk_sync(&mut self, ticket: u64) {
        self.syncs.push_back((ticket, self.unsynced.len()));
    }
    fn log(&mut self, _: u32, _: &str) {}
    fn now(&mut self) -> u64 {
        unreachable!("a log has no clock")
    }
    fn send(&mut self, _: u32, _: &[u8]) {
        unreachable!("a log sends nothing")
    }
    fn wake_at(&mut self, _: u64) {
        unreachable!("a log sets no alarm")
    }
    fn reply(&mut self, _: u32, _: u64, _: &[u8]) {
        unreachable!("a log has no clients")
    }
    fn note(&mut self, _: u32, _: &[u8]) {
        unreachable!("a log notes nothing")
    }
    fn chance(&mut self, _: u32) -> bool {
        unreachable!("a log has no faults of its own")
    }
    fn halt(&mut self, _: u32, reason: &str) -> ! {
        unreachable!("a log returns its faults: {reason}")
    }
}

/// A generator of numbers: splitmix64.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
