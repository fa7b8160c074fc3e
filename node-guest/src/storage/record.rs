//! The records of the write-ahead log, as bytes.
//!
//! A record starts at a multiple of 8 and fills up to the next one:
//!
//! | at | field | what it is |
//! |---|---|---|
//! | 0 | `sum: u64` | XXH64 of everything after it, seeded with the record's place |
//! | 8 | `previous: u64` | the `sum` of the record before; 0 in the first |
//! | 16 | `durable: u64` | the file was durable up to here when this was written |
//! | 24 | `len: u32` | the length of the payload |
//! | 28 | `kind: u8` | which of the payloads below follows |
//! | 29 | `generation: u24` | of the file, as much of it as fits |
//! | 32 | payload | and zeros up to a multiple of 8, which belong to nothing |
//!
//! The place is the offset and the generation of the file, so that a record is one only where it was written: neither a
//! misdirected write, nor a value that a client shaped like a record, nor what a file held before it was begun anew, is
//! taken for it. The first record of a file tells the generation in full, and is seeded without it; where that one is damaged,
//! the others can still be told for what they are, since each says its own.

use crate::raft::{HardState, Image, Record, Snapshot};
use crate::wire;
use raftbox_abi::codec::{Reader, Write};
use xxhash_rust::xxh64::xxh64;

/// The bytes before a payload.
pub(super) const HEADER_BYTES: u64 = 32;

/// The most bytes of a payload; more in a length field means that it is none.
pub(super) const PAYLOAD_BYTES_MAX: u32 = 1 << 20;

/// The version of this format, in every boot record.
const FORMAT: u32 = 3;

/// What precedes a payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) sum: u64,
    pub(super) previous: u64,
    pub(super) durable: u64,
    /// What the record says of the generation; see [`GENERATION`].
    pub(super) generation: u64,
    len: u32,
    kind: u32,
}

/// The bits of a generation that a record says, and is seeded with.
const GENERATION: u64 = (1 << 24) - 1;

/// A record, decoded.
pub(super) enum Stored<'a> {
    Boot(Boot),
    Raft(Record),
    /// A piece of a snapshot, with its length before it.
    Piece(&'a [u8]),
    /// All pieces of this one precede.
    Snapshot(Snapshot, Image),
    /// All that the file was begun with precedes.
    Seal,
}

/// Where a record is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) generation: u64,
    pub(super) offset: u64,
}

impl Place {
    fn seed(self) -> u64 {
        // A file is at most 1 GiB long.
        if self.offset == 0 { 0 } else { (self.generation & GENERATION) << 32 | self.offset }
    }
}

/// The first record that a boot writes. Epoch and nonce tell the boot from all others, so that the records of two boots
/// are never the same, even where they say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Boot {
    /// One more than that of the last boot that wrote anything.
    pub(super) epoch: u64,
    /// Drawn at the boot: two boots have one epoch if nothing survived of what the first wrote.
    pub(super) nonce: u64,
    /// Whose disk it is.
    pub(super) node: u32,
    /// Which of the files that were begun one after the other this is, from 1 on.
    pub(super) generation: u64,
    /// How far the file before was durable when this one was begun.
    pub(super) before: u64,
}

mod kind {
    pub(super) const BOOT: u32 = 1;
    pub(super) const HARD_STATE: u32 = 2;
    pub(super) const APPEND: u32 = 3;
    pub(super) const TRUNCATE: u32 = 4;
    pub(super) const PIECE: u32 = 5;
    pub(super) const SNAPSHOT: u32 = 6;
    pub(super) const SEAL: u32 = 7;
}

impl Header {
    /// Reads a header at `offset`, if what is there can be one, in a file of `file_len` bytes.
    pub(super) fn decode(bytes: &[u8], offset: u64, file_len: u64) -> Option<Self> {
        let mut from = Reader(bytes);
        let (sum, previous, durable) = (from.u64()?, from.u64()?, from.u64()?);
        let (len, word) = (from.u32()?, from.u32()?);
        let header = Self { sum, previous, durable, generation: (word >> 8).into(), len, kind: word & 0xFF };
        let possible = (kind::BOOT..=kind::SEAL).contains(&header.kind)
            && header.len <= PAYLOAD_BYTES_MAX
            && header.durable <= offset
            && offset + header.record_bytes() <= file_len;
        possible.then_some(header)
    }

    /// The length of the record without what fills it up.
    pub(super) fn used_bytes(&self) -> u64 {
        HEADER_BYTES + u64::from(self.len)
    }

    /// The length of the record, up to where the next one starts.
    pub(super) fn record_bytes(&self) -> u64 {
        self.used_bytes().next_multiple_of(8)
    }

    /// Whether `record`, the used bytes of a record, is what was written there.
    pub(super) fn is_sum_of(&self, record: &[u8], place: Place) -> bool {
        xxh64(&record[8..], place.seed()) == self.sum
    }

    /// Reads the payload of `record`; `None` if it is no payload of its kind.
    pub(super) fn payload<'a>(&self, record: &'a [u8]) -> Option<Stored<'a>> {
        let payload = &record[32..];
        if self.kind == kind::PIECE {
            let piece = Reader(payload).bytes()?;
            return (piece.len() + 4 == payload.len()).then_some(Stored::Piece(payload));
        }
        let mut from = Reader(payload);
        let stored = match self.kind {
            kind::BOOT => {
                let (epoch, nonce, generation, before) = (from.u64()?, from.u64()?, from.u64()?, from.u64()?);
                let (node, FORMAT) = (from.u32()?, from.u32()?) else { return None };
                Stored::Boot(Boot { epoch, nonce, node, generation, before })
            }
            kind::HARD_STATE => {
                let (term, vote) = (from.u64()?, from.u32()?);
                let vote = (vote != 0).then_some(vote);
                Stored::Raft(Record::HardState(HardState { term, vote }))
            }
            kind::APPEND => {
                let (index, entry) = (from.u64()?, wire::take_entry(&mut from)?);
                Stored::Raft(Record::Append { index, entry })
            }
            kind::TRUNCATE => Stored::Raft(Record::Truncate { from: from.u64()? }),
            kind::SNAPSHOT => {
                let (snapshot, image) = wire::take_snapshot(&mut from)?;
                Stored::Snapshot(snapshot, image)
            }
            kind::SEAL => Stored::Seal,
            _ => return None,
        };
        from.end(stored)
    }
}

/// Appends a record to `out` that will lie at `place`, and returns its sum.
pub(super) fn encode(out: &mut Vec<u8>, place: Place, previous: u64, durable: u64, stored: &Stored<'_>) -> u64 {
    let offset = place.offset;
    assert!(offset.is_multiple_of(8), "a record starts at a multiple of 8, not at {offset}");
    assert!(durable <= offset, "{durable} bytes cannot be durable where {offset} are written");
    let start = out.len();
    out.put_u64(0);
    out.put_u64(previous);
    out.put_u64(durable);
    out.put_u64(0);
    let kind = put_payload(out, stored);
    let generation = u32::try_from(place.generation & GENERATION).expect("it has 24 bits");
    let used = out.len();
    let len = u32::try_from(used - start - 32).expect("a payload fits its length field");
    assert!(len <= PAYLOAD_BYTES_MAX, "a payload of {len} bytes would not be found again");
    out[start + 24..start + 28].copy_from_slice(&len.to_le_bytes());
    out[start + 28..start + 32].copy_from_slice(&(generation << 8 | kind).to_le_bytes());
    let sum = xxh64(&out[start + 8..], place.seed());
    out[start..start + 8].copy_from_slice(&sum.to_le_bytes());
    out.resize(start + (used - start).next_multiple_of(8), 0);
    sum
}

fn put_payload(out: &mut Vec<u8>, stored: &Stored<'_>) -> u32 {
    match stored {
        Stored::Boot(boot) => {
            out.put_u64(boot.epoch);
            out.put_u64(boot.nonce);
            out.put_u64(boot.generation);
            out.put_u64(boot.before);
            out.put_u32(boot.node);
            out.put_u32(FORMAT);
            kind::BOOT
        }
        Stored::Raft(Record::HardState(HardState { term, vote })) => {
            out.put_u64(*term);
            out.put_u32(vote.unwrap_or(0));
            kind::HARD_STATE
        }
        Stored::Raft(Record::Append { index, entry }) => {
            out.put_u64(*index);
            wire::put_entry(out, entry);
            kind::APPEND
        }
        Stored::Raft(Record::Truncate { from }) => {
            out.put_u64(*from);
            kind::TRUNCATE
        }
        Stored::Piece(payload) => {
            out.extend_from_slice(payload);
            kind::PIECE
        }
        Stored::Snapshot(snapshot, image) => {
            wire::put_snapshot(out, snapshot, image);
            kind::SNAPSHOT
        }
        Stored::Seal => kind::SEAL,
    }
}
