//! The disk of a node: files whose writes are durable only after a sync, and what a crash leaves of the others.
//!
//! A [`Disk`] holds what is on the platter, and the queue of operations that are not durable yet. A sync covers the
//! operations that were issued before it; when it is answered with success they move to the platter; when it fails they
//! never do. At a crash the rest is in doubt, and the next boot says which sectors of it survived.
//!
//! What the node reads is the platter with its own unsynced operations on top (*current*). Few nodes read what they just
//! wrote, so that is put together only when it is asked for, and kept up from then on until it is the platter again.
//!
//! Files are rows of blocks behind `Rc`, so that a fork of the world shares them until one side writes.

use crate::event::Survivor;
use raftbox_abi::boundary::SECTOR;
use std::collections::VecDeque;
use std::rc::Rc;

const BLOCK: usize = 4096;

/// The bytes of a file, in blocks that forks share; beyond its length all is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct File {
    len: u64,
    blocks: Vec<Rc<[u8; BLOCK]>>,
}

/// Where in the row of blocks a byte is.
fn place(offset: u64) -> (usize, usize) {
    let offset = usize::try_from(offset).expect("a file stays below 1 GiB");
    (offset / BLOCK, offset % BLOCK)
}

impl File {
    fn write(&mut self, offset: u64, bytes: &[u8]) {
        self.len = self.len.max(offset + bytes.len() as u64);
        let (mut block, mut start) = place(offset);
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.blocks.len() <= block {
                self.blocks.resize_with(block + 1, || Rc::new([0; BLOCK]));
            }
            let (now, later) = rest.split_at(rest.len().min(BLOCK - start));
            Rc::make_mut(&mut self.blocks[block])[start..start + now.len()].copy_from_slice(now);
            (block, start, rest) = (block + 1, 0, later);
        }
    }

    fn truncate(&mut self, len: u64) {
        self.len = len;
        let (block, start) = place(len);
        self.blocks.truncate(block + usize::from(start > 0));
        // What is cut off reads as zero if the file grows again.
        if let Some(last) = self.blocks.get_mut(block) {
            Rc::make_mut(last)[start..].fill(0);
        }
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> u32 {
        let there = self.len.saturating_sub(offset).min(into.len() as u64);
        let count = usize::try_from(there).expect("it is at most the length of a slice");
        let (mut block, mut start) = place(offset.min(self.len));
        let mut rest = &mut into[..count];
        while !rest.is_empty() {
            let chunk = rest.len().min(BLOCK - start);
            let (now, later) = rest.split_at_mut(chunk);
            match self.blocks.get(block) {
                Some(bytes) => now.copy_from_slice(&bytes[start..start + chunk]),
                None => now.fill(0),
            }
            (block, start, rest) = (block + 1, 0, later);
        }
        u32::try_from(count).expect("a transfer is at most 1 MiB")
    }
}

/// Files by number; those that are not there are empty.
#[derive(Clone, Debug, Default)]
struct Files(Vec<File>);

impl Files {
    fn get(&self, file: u32) -> Option<&File> {
        self.0.get(file as usize)
    }

    fn get_mut(&mut self, file: u32) -> &mut File {
        let place = file as usize;
        if self.0.len() <= place {
            self.0.resize_with(place + 1, File::default);
        }
        &mut self.0[place]
    }

    /// Does an operation; `bytes` are those of a write.
    fn apply(&mut self, operation: Operation, bytes: &[u8]) {
        match operation {
            Operation::Write { file, offset, .. } => self.get_mut(file).write(offset, bytes),
            Operation::Truncate { file, len } => self.get_mut(file).truncate(len),
        }
    }
}

/// An operation that is not durable yet.
#[derive(Clone, Copy, Debug)]
enum Operation {
    /// A write of `len` bytes, which wait in [`Disk::waiting`].
    Write {
        file: u32,
        offset: u64,
        len: usize,
    },
    Truncate {
        file: u32,
        len: u64,
    },
}

impl Operation {
    /// How many bytes of [`Disk::waiting`] are its own.
    fn len(self) -> usize {
        match self {
            Self::Write { len, .. } => len,
            Self::Truncate { .. } => 0,
        }
    }
}

/// A sync that is not answered yet.
#[derive(Clone, Copy, Debug)]
struct PendingSync {
    number: u64,
    ticket: u64,
    /// How many operations had ever been issued when it was asked.
    covers: u64,
}

/// The disk of one node.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    durable: Files,
    /// What the node reads, if that is known and not just `durable`.
    current: Option<Files>,
    /// Whether a sync failed in this boot: then the node reads what will never be durable.
    failed: bool,
    operations: VecDeque<Operation>,
    /// The bytes of the writes among `operations`, in order, from `taken` on.
    waiting: Vec<u8>,
    taken: usize,
    /// How many operations were ever taken off the front of `operations`.
    settled: u64,
    syncs: VecDeque<PendingSync>,
    syncs_asked: u64,
    /// Whether it says of syncs that they are done, and keeps nothing.
    lies: bool,
}

impl Disk {
    /// Changes a byte of what is durable; whether there was one.
    pub fn rot(&mut self, file: u32, offset: u64, xor: u8) -> bool {
        let mut byte = [0];
        if self.durable.get(file).map_or(0, |file| file.read(offset, &mut byte)) == 0 {
            return false;
        }
        self.durable.get_mut(file).write(offset, &[byte[0] ^ xor]);
        match &mut self.current {
            // What the node reads is put together anew, or, if it cannot be, changes alike.
            Some(current) if self.failed => {
                current.get(file).map(|file| file.read(offset, &mut byte));
                current.get_mut(file).write(offset, &[byte[0] ^ xor]);
            }
            _ => self.current = None,
        }
        true
    }

    /// All that is on it is gone.
    pub fn wipe(&mut self) {
        *self = Self { lies: self.lies, ..Self::default() };
    }

    /// From now on it says of syncs that they are done, and keeps nothing; or it does so no more.
    pub fn set_lies(&mut self, lies: bool) {
        self.lies = lies;
    }

    /// The files as the node sees them.
    fn current(&mut self) -> &Files {
        if self.operations.is_empty() && !self.failed {
            return &self.durable;
        }
        if self.current.is_none() {
            let mut files = self.durable.clone();
            let mut start = self.taken;
            for operation in &self.operations {
                files.apply(*operation, &self.waiting[start..start + operation.len()]);
                start += operation.len();
            }
            self.current = Some(files);
        }
        self.current.as_ref().expect("it was just put together")
    }

    /// The length of a file as the node sees it, in bytes.
    pub fn len(&mut self, file: u32) -> u64 {
        self.current().get(file).map_or(0, |file| file.len)
    }

    /// Reads from `offset` on; returns how many bytes there were.
    pub fn read(&mut self, file: u32, offset: u64, into: &mut [u8]) -> u32 {
        self.current().get(file).map_or(0, |file| file.read(offset, into))
    }

    /// Writes, not yet durably.
    pub fn write(&mut self, file: u32, offset: u64, bytes: &[u8]) {
        self.issue(Operation::Write { file, offset, len: bytes.len() }, bytes);
    }

    /// Sets the length of a file, not yet durably.
    pub fn truncate(&mut self, file: u32, len: u64) {
        self.issue(Operation::Truncate { file, len }, &[]);
    }

    fn issue(&mut self, operation: Operation, bytes: &[u8]) {
        if let Some(current) = &mut self.current {
            current.apply(operation, bytes);
        }
        self.operations.push_back(operation);
        self.waiting.extend_from_slice(bytes);
    }

    /// Asks that all of that become durable; returns the number of the sync in this boot, from 0.
    pub fn sync(&mut self, ticket: u64) -> u64 {
        let number = self.syncs_asked;
        self.syncs_asked += 1;
        let covers = self.settled + self.operations.len() as u64;
        self.syncs.push_back(PendingSync { number, ticket, covers });
        number
    }

    /// Answers the sync with that number, which must be the next in order; returns its ticket, or `None` if it is not.
    pub fn synced(&mut self, number: u64, ok: bool) -> Option<u64> {
        let sync = *self.syncs.front().filter(|sync| sync.number == number)?;
        self.syncs.pop_front();
        if !ok {
            // What the node reads is put together now, while everything that it wrote is known.
            self.failed = true;
            self.current();
        }
        if ok && self.lies {
            return Some(sync.ticket);
        }
        while self.settled < sync.covers {
            self.settle(ok);
        }
        if self.operations.is_empty() && !self.failed {
            self.current = None;
        }
        Some(sync.ticket)
    }

    /// Takes the oldest operation off the queue, and brings it to the platter if `ok`.
    fn settle(&mut self, ok: bool) {
        let operation = self.operations.pop_front().expect("a sync covers only operations that were issued");
        self.settled += 1;
        let bytes = &self.waiting[self.taken..self.taken + operation.len()];
        if ok {
            self.durable.apply(operation, bytes);
        }
        self.taken += operation.len();
        // The front is given back in one go: when nothing waits, or when half of the room is of no use.
        if self.operations.is_empty() || self.taken > self.waiting.len() / 2 {
            self.waiting.drain(..self.taken);
            self.taken = 0;
        }
    }

    /// After a crash: the surviving sectors of the unsynced operations, in order of issue, go to the platter; the rest is
    /// gone; and what is on the platter is what the node will read.
    pub fn recover(&mut self, survivors: &[Survivor]) {
        let mut operation = 0;
        while let Some(next) = self.operations.pop_front() {
            let mine = survivors.iter().filter(|survivor| survivor.operation == operation);
            match next {
                Operation::Write { file, offset, len } => {
                    let bytes = &self.waiting[self.taken..self.taken + len];
                    self.taken += len;
                    for survivor in mine {
                        let (from, to) = sectors(offset, len as u64, survivor.sector, survivor.count);
                        if from < to {
                            self.durable.get_mut(file).write(offset + from as u64, &bytes[from..to]);
                        }
                    }
                }
                Operation::Truncate { file, len } => {
                    if mine.count() > 0 {
                        self.durable.get_mut(file).truncate(len);
                    }
                }
            }
            operation += 1;
        }
        (self.current, self.failed) = (None, false);
        self.syncs.clear();
        self.waiting.clear();
        (self.taken, self.settled, self.syncs_asked) = (0, 0, 0);
    }
}

/// How many sectors a write of `len` bytes at `offset` touches.
#[must_use]
pub fn sectors_of(offset: u64, len: u64) -> u32 {
    let touched = (offset + len).div_ceil(SECTOR) - offset / SECTOR;
    u32::try_from(touched).expect("a write is at most 1 MiB")
}

/// The part of a write that lies in `count` of its sectors from `sector` on, as a range within its bytes.
fn sectors(offset: u64, len: u64, sector: u32, count: u32) -> (usize, usize) {
    let first = offset / SECTOR + u64::from(sector);
    let within = |sector: u64| (sector * SECTOR).clamp(offset, offset + len) - offset;
    let index = |offset: u64| usize::try_from(offset).expect("a write is at most 1 MiB");
    (index(within(first)), index(within(first + u64::from(count))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(disk: &mut Disk, file: u32) -> Vec<u8> {
        let mut bytes = vec![0xee; 10_000];
        let read = disk.read(file, 0, &mut bytes);
        bytes.truncate(read as usize);
        assert_eq!(u64::from(read), disk.len(file));
        bytes
    }

    #[test]
    fn a_disk_that_lies_keeps_nothing_until_it_is_honest_again() {
        let mut disk = Disk::default();
        disk.set_lies(true);
        disk.write(0, 0, b"lost");
        disk.sync(1);
        assert_eq!(disk.synced(0, true), Some(1));
        assert_eq!(contents(&mut disk, 0), b"lost");
        disk.recover(&[]);
        assert_eq!(contents(&mut disk, 0), b"");
        disk.write(0, 0, b"kept");
        disk.sync(2);
        disk.synced(0, true);
        disk.set_lies(false);
        disk.sync(3);
        assert_eq!(disk.synced(1, true), Some(3));
        disk.recover(&[]);
        assert_eq!(contents(&mut disk, 0), b"kept");
    }

    #[test]
    fn what_rots_is_another_byte_for_whoever_reads_it_and_nothing_where_there_is_none() {
        let mut disk = Disk::default();
        disk.write(0, 0, b"abc");
        assert!(!disk.rot(0, 1, 1), "it is not durable yet");
        disk.sync(1);
        disk.synced(0, true);
        disk.write(0, 2, b"d");
        assert_eq!(contents(&mut disk, 0), b"abd");
        assert!(disk.rot(0, 1, 1) && !disk.rot(0, 3, 1) && !disk.rot(1, 0, 1));
        assert_eq!(contents(&mut disk, 0), b"acd");
        disk.wipe();
        assert_eq!(contents(&mut disk, 0), b"");
    }

    #[test]
    fn a_node_reads_its_own_unsynced_writes_and_a_crash_loses_them() {
        let mut disk = Disk::default();
        disk.write(0, 0, b"durable");
        assert_eq!(disk.sync(70), 0);
        assert_eq!(disk.synced(0, true), Some(70));
        disk.write(0, 0, b"DOUBT");
        assert_eq!(contents(&mut disk, 0), b"DOUBTle");
        disk.recover(&[]);
        assert_eq!(contents(&mut disk, 0), b"durable");
    }

    #[test]
    fn a_node_reads_all_that_it_wrote_whenever_it_reads_and_whatever_became_of_its_syncs() {
        use crate::draw::{Concern, Draw};
        for seed in 0..200 {
            let (mut disk, mut plain) = (Disk::default(), Vec::new());
            let mut answered = 0;
            for n in 0..60 {
                let mut draw = Draw::new(seed, Concern::Tie, [n, 0, 0]);
                let (act, at) = (draw.below(8), draw.below(40));
                let place = usize::try_from(at).unwrap();
                match act {
                    0..3 => {
                        let bytes = n.to_le_bytes();
                        disk.write(3, at, &bytes);
                        plain.resize(plain.len().max(place + bytes.len()), 0);
                        plain[place..place + bytes.len()].copy_from_slice(&bytes);
                    }
                    3 => {
                        disk.truncate(3, at);
                        plain.resize(place, 0);
                    }
                    4 => drop(disk.sync(n)),
                    5 => answered += u64::from(disk.synced(answered, draw.below(3) > 0).is_some()),
                    6 => assert_eq!(contents(&mut disk, 3), plain),
                    _ => {}
                }
            }
            assert_eq!(contents(&mut disk, 3), plain);
        }
    }

    #[test]
    fn a_sync_covers_only_what_was_issued_before_it() {
        let mut disk = Disk::default();
        disk.write(0, 0, b"a");
        disk.sync(1);
        disk.write(0, 1, b"b");
        disk.synced(0, true);
        disk.recover(&[]);
        assert_eq!(contents(&mut disk, 0), b"a");
    }

    #[test]
    fn what_a_failed_sync_covered_never_becomes_durable() {
        let mut disk = Disk::default();
        disk.write(0, 0, b"a");
        disk.sync(1);
        disk.synced(0, false);
        disk.write(0, 1, b"b");
        disk.sync(2);
        disk.synced(1, true);
        assert_eq!(contents(&mut disk, 0), b"ab", "the node still reads what it wrote");
        disk.recover(&[]);
        assert_eq!(contents(&mut disk, 0), b"\0b");
    }

    #[test]
    fn syncs_are_answered_in_order() {
        let mut disk = Disk::default();
        disk.sync(1);
        disk.sync(2);
        assert_eq!(disk.synced(1, true), None);
        assert_eq!(disk.synced(0, true), Some(1));
        assert_eq!(disk.synced(0, true), None);
        assert_eq!(disk.synced(1, true), Some(2));
    }

    #[test]
    fn a_torn_write_survives_sector_by_sector() {
        let mut disk = Disk::default();
        disk.write(0, 500, &[7; 1000]);
        assert_eq!(sectors_of(500, 1000), 3);
        disk.recover(&[Survivor { operation: 0, sector: 0, count: 1 }, Survivor { operation: 0, sector: 2, count: 1 }]);
        let bytes = contents(&mut disk, 0);
        assert_eq!(bytes.len(), 1500);
        assert!(bytes[..500].iter().all(|&byte| byte == 0));
        assert!(bytes[500..512].iter().all(|&byte| byte == 7));
        assert!(bytes[512..1024].iter().all(|&byte| byte == 0), "the middle sector is lost");
        assert!(bytes[1024..].iter().all(|&byte| byte == 7));
    }

    #[test]
    fn a_truncate_may_be_lost_while_a_later_write_survives() {
        let mut disk = Disk::default();
        disk.write(0, 0, b"long old tail");
        disk.sync(1);
        disk.synced(0, true);
        disk.truncate(0, 4);
        disk.write(0, 4, b"!");
        assert_eq!(contents(&mut disk, 0), b"long!");
        let mut other = disk.clone();
        disk.recover(&[Survivor { operation: 1, sector: 0, count: 1 }]);
        assert_eq!(contents(&mut disk, 0), b"long!old tail");
        other.recover(&[Survivor { operation: 0, sector: 0, count: 1 }]);
        assert_eq!(contents(&mut other, 0), b"long");
    }

    #[test]
    fn what_was_cut_off_and_grows_again_reads_as_zero() {
        let mut disk = Disk::default();
        disk.write(0, 0, &[1; 5000]);
        disk.truncate(0, 4100);
        disk.truncate(0, 4105);
        assert_eq!(contents(&mut disk, 0)[4095..], [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_fork_keeps_what_the_other_overwrites() {
        let mut disk = Disk::default();
        disk.write(0, 0, &[1; 5000]);
        let mut fork = disk.clone();
        disk.write(0, 4090, &[2; 10]);
        assert_eq!(contents(&mut fork, 0), [1; 5000]);
        assert_eq!(contents(&mut disk, 0)[4089..4101], [1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1]);
    }
}
