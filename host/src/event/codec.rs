//! The canonical binary form of events.
//!
//! An event is a tag byte and its fields in order: numbers as LEB128 varints (signed ones zigzag first), bytes after
//! their length. A cause, other than a decision within a turn, carries the time since the cause before it, and its
//! effects have its time: so a decoder keeps one number, [`Decoder::at`]. There is one way to write each event: a decoder
//! refuses longer varints, unknown tags and left-over values, so equal runs are equal bytes.

use super::{Alteration, Cause, Decision, DiskFault, Effect, Endpoint, Event, MessageName, Micros, Moot, Survivor};
use std::fmt;

mod tag {
    pub(super) const BOOT: u8 = 1;
    pub(super) const CRASH: u8 = 2;
    pub(super) const PAUSE: u8 = 3;
    pub(super) const RESUME: u8 = 4;
    pub(super) const DELIVER: u8 = 5;
    pub(super) const LOSE: u8 = 6;
    pub(super) const WAKE: u8 = 7;
    pub(super) const SYNCED: u8 = 8;
    pub(super) const REQUEST: u8 = 9;
    pub(super) const CLIENT_TIMEOUT: u8 = 10;
    pub(super) const CLOCK: u8 = 11;
    pub(super) const LINK: u8 = 12;
    pub(super) const DECIDE: u8 = 13;
    pub(super) const DISK: u8 = 14;
    pub(super) const SENT: u8 = 32;
    pub(super) const RECEIVED: u8 = 33;
    pub(super) const WAKE_AT: u8 = 34;
    pub(super) const WRITE: u8 = 35;
    pub(super) const TRUNCATE: u8 = 36;
    pub(super) const SYNC: u8 = 37;
    pub(super) const NOTE: u8 = 38;
    pub(super) const HALTED: u8 = 39;
    pub(super) const TRAPPED: u8 = 40;
    pub(super) const MOOT: u8 = 41;
}

/// Whether an event that begins with this tag is a cause.
const fn is_cause(tag: u8) -> bool {
    tag < tag::SENT
}

/// Writes events, one behind the other, and remembers where each ends.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Encoder {
    /// The events written since the last [`clear`](Self::clear).
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All of them but the first.
    #[must_use]
    pub fn effects(&self) -> &[u8] {
        &self.bytes[self.ends.first().map_or(0, |end| *end as usize)..]
    }

    /// Where each of them ends.
    #[must_use]
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Forgets all events, and keeps the room.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn end(&mut self) {
        self.ends.push(u32::try_from(self.bytes.len()).expect("the events of one step stay below 4 GiB"));
    }

    /// Writes a cause that comes `later` than the one before it.
    pub fn cause(&mut self, later: Micros, cause: &Cause) {
        match cause {
            Cause::Boot { node, survivors } => {
                self.row(tag::BOOT, |row| row.numbers([later, u64::from(*node), survivors.len() as u64]));
                for Survivor { operation, sector, count } in survivors {
                    self.more(|row| row.numbers([*operation, *sector, *count].map(u64::from)));
                }
            }
            Cause::Crash { node } => self.row(tag::CRASH, |row| row.numbers([later, u64::from(*node)])),
            Cause::Pause { node } => self.row(tag::PAUSE, |row| row.numbers([later, u64::from(*node)])),
            Cause::Resume { node } => self.row(tag::RESUME, |row| row.numbers([later, u64::from(*node)])),
            Cause::Deliver { message, copy, keep, alterations } => {
                self.row(tag::DELIVER, |row| {
                    row.number(later);
                    row.message(*message);
                    row.numbers([u64::from(*copy), u64::from(*keep), alterations.len() as u64]);
                });
                for Alteration { offset, xor } in alterations {
                    self.more(|row| row.numbers([u64::from(*offset), u64::from(*xor)]));
                }
            }
            Cause::Lose { message, keep } => self.row(tag::LOSE, |row| {
                row.number(later);
                row.message(*message);
                row.number(u64::from(*keep));
            }),
            Cause::Wake { node, boot, alarm } => {
                self.row(tag::WAKE, |row| row.numbers([later, u64::from(*node), u64::from(*boot), *alarm]));
            }
            Cause::Synced { node, boot, sync, status } => {
                let numbers = [later, u64::from(*node), u64::from(*boot), *sync, zigzag(i64::from(*status))];
                self.row(tag::SYNCED, |row| row.numbers(numbers));
            }
            Cause::Request { client, operation, attempt, to, body } => {
                let len = body.len() as u64;
                let numbers = [later, u64::from(*client), *operation, *attempt, u64::from(*to), len];
                self.row(tag::REQUEST, |row| row.numbers(numbers));
                self.bytes.extend_from_slice(body);
            }
            Cause::ClientTimeout { client, operation, attempt, last } => {
                let numbers = [later, u64::from(*client), *operation, *attempt, u64::from(*last)];
                self.row(tag::CLIENT_TIMEOUT, |row| row.numbers(numbers));
            }
            Cause::Clock { node, jump, ppm } => {
                let numbers = [later, u64::from(*node), zigzag(*jump), zigzag(i64::from(*ppm))];
                self.row(tag::CLOCK, |row| row.numbers(numbers));
            }
            Cause::Link { from, to, up } => {
                self.row(tag::LINK, |row| row.numbers([later, endpoint(*from), endpoint(*to), u64::from(*up)]));
            }
            Cause::Disk { node, fault } => self.row(tag::DISK, |row| {
                row.numbers([later, u64::from(*node)]);
                match fault {
                    DiskFault::Rot { file, offset, xor } => {
                        row.numbers([0, u64::from(*file), *offset, u64::from(*xor)]);
                    }
                    DiskFault::Wiped => row.number(1),
                    DiskFault::Swapped { with } => row.numbers([2, u64::from(*with)]),
                    DiskFault::Lies { lies } => row.numbers([3, u64::from(*lies)]),
                }
            }),
            Cause::Decide { node, boot, call, n, decision } => self.row(tag::DECIDE, |row| {
                row.numbers([u64::from(*node), u64::from(*boot), *call, u64::from(*n)]);
                match decision {
                    Decision::Crash => row.number(0),
                    Decision::Chance { site } => row.numbers([1, u64::from(*site)]),
                    Decision::Failed { status } => row.numbers([2, zigzag(i64::from(*status))]),
                    Decision::Misdirected { to } => row.numbers([3, *to]),
                }
            }),
        }
        self.end();
    }

    /// Writes an effect.
    #[inline]
    pub fn effect(&mut self, effect: &Effect<'_>) {
        match *effect {
            Effect::Sent { message, operation, bytes } => {
                self.row(tag::SENT, |row| {
                    row.message(message);
                    row.numbers([operation, bytes.len() as u64]);
                });
                self.bytes.extend_from_slice(bytes);
            }
            Effect::Received { client, operation, body } => {
                self.row(tag::RECEIVED, |row| row.numbers([u64::from(client), operation, body.len() as u64]));
                self.bytes.extend_from_slice(body);
            }
            Effect::WakeAt { node, alarm, at } => {
                self.row(tag::WAKE_AT, |row| row.numbers([u64::from(node), alarm, at]));
            }
            Effect::Write { node, file, offset, len, hash } => {
                self.row(tag::WRITE, |row| row.numbers([u64::from(node), u64::from(file), offset, u64::from(len)]));
                self.bytes.extend_from_slice(&hash.to_le_bytes());
            }
            Effect::Truncate { node, file, len } => {
                self.row(tag::TRUNCATE, |row| row.numbers([u64::from(node), u64::from(file), len]));
            }
            Effect::Sync { node, sync, ticket } => {
                self.row(tag::SYNC, |row| row.numbers([u64::from(node), sync, ticket]));
            }
            Effect::Note { node, kind, body } => {
                self.row(tag::NOTE, |row| row.numbers([u64::from(node), u64::from(kind), body.len() as u64]));
                self.bytes.extend_from_slice(body);
            }
            Effect::Halted { node, code, reason } => {
                self.row(tag::HALTED, |row| row.numbers([u64::from(node), u64::from(code), reason.len() as u64]));
                self.bytes.extend_from_slice(reason);
            }
            Effect::Trapped { node } => self.row(tag::TRAPPED, |row| row.number(u64::from(node))),
            Effect::Moot { reason } => self.bytes.extend([tag::MOOT, reason as u8]),
        }
        self.end();
    }

    /// Writes a tag and numbers.
    #[inline]
    fn row(&mut self, tag: u8, fill: impl FnOnce(&mut Row<'_>)) {
        self.more(|row| {
            row.byte(tag);
            fill(row);
        });
    }

    /// Writes numbers, in room that is made for all of them at once: to ask for each byte would be slow.
    #[inline]
    fn more(&mut self, fill: impl FnOnce(&mut Row<'_>)) {
        let start = self.bytes.len();
        self.bytes.resize(start + ROW_BYTES, 0);
        let room = self.bytes[start..].first_chunk_mut().expect("it was made longer by so much");
        let mut row = Row { room, len: 0 };
        fill(&mut row);
        let end = start + row.len;
        self.bytes.truncate(end);
    }
}

/// More than any row of numbers takes: that of a delivery has a tag, seven numbers, and four of those below 2³³.
const ROW_BYTES: usize = 64;

/// Numbers that are being written.
struct Row<'a> {
    room: &'a mut [u8; ROW_BYTES],
    len: usize,
}

impl Row<'_> {
    #[inline(always)]
    fn byte(&mut self, byte: u8) {
        self.room[self.len] = byte;
        self.len += 1;
    }

    #[inline(always)]
    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.byte(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.byte(value.to_le_bytes()[0]);
    }

    #[inline(always)]
    fn numbers<const N: usize>(&mut self, values: [u64; N]) {
        values.into_iter().for_each(|value| self.number(value));
    }

    #[inline(always)]
    fn message(&mut self, MessageName { from, to, n }: MessageName) {
        self.numbers([endpoint(from), endpoint(to), n]);
    }
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

/// An endpoint as a number: nodes are even, clients odd.
fn endpoint(endpoint: Endpoint) -> u64 {
    match endpoint {
        Endpoint::Node(node) => u64::from(node) << 1,
        Endpoint::Client(client) => u64::from(client) << 1 | 1,
    }
}

/// Bytes that are not events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Where the event starts that could not be read, counted in bytes from the start.
    pub offset: u64,
    /// What is wrong with it.
    pub what: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the event at byte {} of the trace cannot be read: {}", self.offset, self.what)
    }
}

impl std::error::Error for Malformed {}

/// Reads events, one behind the other; an iterator over them and their times.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
    place: usize,
    at: Micros,
}

impl<'a> Decoder<'a> {
    /// Reads `bytes`, where the last cause before them was at `at`.
    #[must_use]
    pub const fn new(bytes: &'a [u8], at: Micros) -> Self {
        Self { bytes, place: 0, at }
    }

    /// The time of the last cause that was read.
    #[must_use]
    pub const fn at(&self) -> Micros {
        self.at
    }

    /// How many bytes were read.
    #[must_use]
    pub const fn place(&self) -> usize {
        self.place
    }

    /// Whether the next event is a cause; `None` at the end.
    #[must_use]
    pub fn next_is_cause(&self) -> Option<bool> {
        self.bytes.get(self.place).map(|tag| is_cause(*tag))
    }

    /// Whether the next event says that its cause was moot.
    #[must_use]
    pub fn next_is_moot(&self) -> bool {
        self.bytes.get(self.place) == Some(&tag::MOOT)
    }

    fn byte(&mut self) -> Result<u8, &'static str> {
        let byte = *self.bytes.get(self.place).ok_or("the trace ends within it")?;
        self.place += 1;
        Ok(byte)
    }

    #[inline]
    fn number(&mut self) -> Result<u64, &'static str> {
        // Most numbers are one byte.
        match self.bytes.get(self.place) {
            Some(byte) if *byte < 0x80 => {
                self.place += 1;
                Ok(u64::from(*byte))
            }
            _ => self.long_number(),
        }
    }

    fn long_number(&mut self) -> Result<u64, &'static str> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part {
                return Err("a number is larger than 64 bits");
            }
            value |= part << shift;
            if byte < 0x80 {
                return if byte == 0 && shift > 0 { Err("a number is longer than it need be") } else { Ok(value) };
            }
        }
        Err("a number is larger than 64 bits")
    }

    fn small<T: TryFrom<u64>>(&mut self) -> Result<T, &'static str> {
        T::try_from(self.number()?).map_err(|_| "a number is larger than its field")
    }

    fn signed<T: TryFrom<i64>>(&mut self) -> Result<T, &'static str> {
        T::try_from(unzigzag(self.number()?)).map_err(|_| "a number is larger than its field")
    }

    fn flag(&mut self) -> Result<bool, &'static str> {
        match self.number()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err("a yes or no is neither"),
        }
    }

    fn bytes(&mut self) -> Result<&'a [u8], &'static str> {
        let len: usize = self.small()?;
        let bytes = self.bytes[self.place..].get(..len).ok_or("the trace ends within it")?;
        self.place += len;
        Ok(bytes)
    }

    fn endpoint(&mut self) -> Result<Endpoint, &'static str> {
        let number = self.number()?;
        let id = u32::try_from(number >> 1).map_err(|_| "a node or client has too large a number")?;
        Ok(if number & 1 == 0 { Endpoint::Node(id) } else { Endpoint::Client(id) })
    }

    fn message(&mut self) -> Result<MessageName, &'static str> {
        Ok(MessageName { from: self.endpoint()?, to: self.endpoint()?, n: self.number()? })
    }

    /// A list, each of whose items takes at least one byte, which bounds what a forged count can ask for.
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T, &'static str>) -> Result<Vec<T>, &'static str> {
        let count: usize = self.small()?;
        if count > self.bytes.len() - self.place {
            return Err("the trace ends within it");
        }
        (0..count).map(|_| item(self)).collect()
    }

    fn cause(&mut self, tag: u8) -> Result<Cause, &'static str> {
        if tag != tag::DECIDE {
            self.at = self.at.checked_add(self.number()?).ok_or("its time is past the end of time")?;
        }
        Ok(match tag {
            tag::BOOT => Cause::Boot {
                node: self.small()?,
                survivors: self.list(|from| {
                    Ok(Survivor { operation: from.small()?, sector: from.small()?, count: from.small()? })
                })?,
            },
            tag::CRASH => Cause::Crash { node: self.small()? },
            tag::PAUSE => Cause::Pause { node: self.small()? },
            tag::RESUME => Cause::Resume { node: self.small()? },
            tag::DELIVER => Cause::Deliver {
                message: self.message()?,
                copy: self.small()?,
                keep: self.flag()?,
                alterations: self.list(|from| Ok(Alteration { offset: from.small()?, xor: from.small()? }))?,
            },
            tag::LOSE => Cause::Lose { message: self.message()?, keep: self.flag()? },
            tag::WAKE => Cause::Wake { node: self.small()?, boot: self.small()?, alarm: self.number()? },
            tag::SYNCED => {
                Cause::Synced { node: self.small()?, boot: self.small()?, sync: self.number()?, status: self.signed()? }
            }
            tag::REQUEST => Cause::Request {
                client: self.small()?,
                operation: self.number()?,
                attempt: self.number()?,
                to: self.small()?,
                body: self.bytes()?.to_vec(),
            },
            tag::CLIENT_TIMEOUT => Cause::ClientTimeout {
                client: self.small()?,
                operation: self.number()?,
                attempt: self.number()?,
                last: self.flag()?,
            },
            tag::CLOCK => Cause::Clock { node: self.small()?, jump: self.signed()?, ppm: self.signed()? },
            tag::LINK => Cause::Link { from: self.endpoint()?, to: self.endpoint()?, up: self.flag()? },
            tag::DISK => Cause::Disk {
                node: self.small()?,
                fault: match self.number()? {
                    0 => DiskFault::Rot { file: self.small()?, offset: self.number()?, xor: self.small()? },
                    1 => DiskFault::Wiped,
                    2 => DiskFault::Swapped { with: self.small()? },
                    3 => DiskFault::Lies { lies: self.flag()? },
                    _ => return Err("it is a fault of a disk of an unknown kind"),
                },
            },
            tag::DECIDE => Cause::Decide {
                node: self.small()?,
                boot: self.small()?,
                call: self.number()?,
                n: self.small()?,
                decision: match self.number()? {
                    0 => Decision::Crash,
                    1 => Decision::Chance { site: self.small()? },
                    2 => Decision::Failed { status: self.signed()? },
                    3 => Decision::Misdirected { to: self.number()? },
                    _ => return Err("it is a decision of an unknown kind"),
                },
            },
            _ => return Err("it is of an unknown kind"),
        })
    }

    fn effect(&mut self, tag: u8) -> Result<Effect<'a>, &'static str> {
        Ok(match tag {
            tag::SENT => Effect::Sent { message: self.message()?, operation: self.number()?, bytes: self.bytes()? },
            tag::RECEIVED => Effect::Received { client: self.small()?, operation: self.number()?, body: self.bytes()? },
            tag::WAKE_AT => Effect::WakeAt { node: self.small()?, alarm: self.number()?, at: self.number()? },
            tag::WRITE => Effect::Write {
                node: self.small()?,
                file: self.small()?,
                offset: self.number()?,
                len: self.small()?,
                hash: {
                    let hash = self.bytes[self.place..].first_chunk().ok_or("the trace ends within it")?;
                    self.place += hash.len();
                    u64::from_le_bytes(*hash)
                },
            },
            tag::TRUNCATE => Effect::Truncate { node: self.small()?, file: self.small()?, len: self.number()? },
            tag::SYNC => Effect::Sync { node: self.small()?, sync: self.number()?, ticket: self.number()? },
            tag::NOTE => Effect::Note { node: self.small()?, kind: self.small()?, body: self.bytes()? },
            tag::HALTED => Effect::Halted { node: self.small()?, code: self.small()?, reason: self.bytes()? },
            tag::TRAPPED => Effect::Trapped { node: self.small()? },
            tag::MOOT => Effect::Moot {
                reason: match self.byte()? {
                    0 => Moot::NodeDown,
                    1 => Moot::NodeUp,
                    2 => Moot::NodePaused,
                    3 => Moot::NodeRunning,
                    4 => Moot::BootOver,
                    5 => Moot::AlarmReplaced,
                    6 => Moot::NoSuchSync,
                    7 => Moot::NoSuchMessage,
                    8 => Moot::NoSuchEndpoint,
                    9 => Moot::TooLarge,
                    10 => Moot::NothingThere,
                    _ => return Err("it is moot for an unknown reason"),
                },
            },
            _ => return Err("it is of an unknown kind"),
        })
    }
}

impl<'a> Iterator for Decoder<'a> {
    type Item = Result<(Micros, Event<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.place;
        let tag = *self.bytes.get(start)?;
        self.place += 1;
        let event = if is_cause(tag) { self.cause(tag).map(Event::Cause) } else { self.effect(tag).map(Event::Effect) };
        Some(match event {
            Ok(event) => Ok((self.at, event)),
            Err(what) => {
                self.place = self.bytes.len();
                Err(Malformed { offset: start as u64, what })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: MessageName = MessageName { from: Endpoint::Node(1), to: Endpoint::Client(2), n: 300 };

    fn causes() -> Vec<Cause> {
        vec![
            Cause::Boot { node: 1, survivors: vec![Survivor { operation: 0, sector: 2, count: 1 }] },
            Cause::Crash { node: 1 },
            Cause::Pause { node: 1 },
            Cause::Resume { node: 1 },
            Cause::Deliver {
                message: MESSAGE,
                copy: 1,
                keep: true,
                alterations: vec![Alteration { offset: 9, xor: 255 }],
            },
            Cause::Lose { message: MESSAGE, keep: false },
            Cause::Wake { node: 1, boot: 2, alarm: 3 },
            Cause::Synced { node: 1, boot: 2, sync: 3, status: -1 },
            Cause::Request { client: 1, operation: 2, attempt: 3, to: 4, body: b"body".to_vec() },
            Cause::ClientTimeout { client: 1, operation: 2, attempt: 3, last: true },
            Cause::Clock { node: 1, jump: i64::MIN, ppm: i32::MAX },
            Cause::Link { from: Endpoint::Client(1), to: Endpoint::Node(1), up: false },
            Cause::Decide { node: 1, boot: 2, call: 3, n: 4, decision: Decision::Crash },
            Cause::Decide { node: 1, boot: 2, call: 3, n: 4, decision: Decision::Chance { site: 5 } },
            Cause::Decide { node: 1, boot: 2, call: 3, n: 4, decision: Decision::Failed { status: -2 } },
            Cause::Decide { node: 1, boot: 2, call: 3, n: 4, decision: Decision::Misdirected { to: 1 << 20 } },
            Cause::Disk { node: 1, fault: DiskFault::Rot { file: 2, offset: 1 << 20, xor: 0x80 } },
            Cause::Disk { node: 1, fault: DiskFault::Wiped },
            Cause::Disk { node: 1, fault: DiskFault::Swapped { with: 2 } },
            Cause::Disk { node: 1, fault: DiskFault::Lies { lies: true } },
        ]
    }

    fn effects() -> Vec<Effect<'static>> {
        vec![
            Effect::Sent { message: MESSAGE, operation: u64::MAX, bytes: b"bytes" },
            Effect::Received { client: 1, operation: 2, body: b"" },
            Effect::WakeAt { node: 1, alarm: 2, at: u64::MAX },
            Effect::Write { node: 1, file: 255, offset: 1 << 30, len: 1 << 20, hash: u64::MAX },
            Effect::Truncate { node: 1, file: 2, len: 3 },
            Effect::Sync { node: 1, sync: 2, ticket: 3 },
            Effect::Note { node: 1, kind: 0x8000_0000, body: b"note" },
            Effect::Halted { node: 1, code: 2, reason: b"why" },
            Effect::Trapped { node: 1 },
            Effect::Moot { reason: Moot::NoSuchEndpoint },
        ]
    }

    /// All of the above in one trace, and the same as events.
    fn trace() -> (Encoder, Vec<Event<'static>>) {
        let mut encoder = Encoder::default();
        causes().iter().for_each(|cause| encoder.cause(1000, cause));
        effects().iter().for_each(|effect| encoder.effect(effect));
        let events = causes().into_iter().map(Event::Cause).chain(effects().into_iter().map(Event::Effect));
        (encoder, events.collect())
    }

    #[test]
    fn every_event_survives_its_encoding() {
        let (encoder, expected) = trace();
        let mut decoder = Decoder::new(encoder.bytes(), 0);
        let mut ends = Vec::new();
        let mut events = Vec::new();
        while let Some(event) = decoder.next() {
            events.push(event.unwrap().1);
            ends.push(u32::try_from(decoder.place()).unwrap());
        }
        assert_eq!(events, expected);
        assert_eq!(ends, encoder.ends());
        assert_eq!(decoder.at(), 16_000, "all but the decisions moved time");
    }

    #[test]
    fn no_part_of_an_event_is_read_as_one() {
        let (encoder, _) = trace();
        for cut in 0..encoder.bytes().len() {
            let whole = encoder.ends().iter().filter(|&&end| end as usize <= cut).count();
            let mut decoder = Decoder::new(&encoder.bytes()[..cut], 0);
            assert_eq!(decoder.by_ref().take_while(Result::is_ok).count(), whole);
        }
    }

    #[test]
    fn a_number_longer_than_need_be_is_refused() {
        let read = |bytes: &[u8]| Decoder::new(bytes, 0).next().unwrap().map(drop).map_err(|error| error.what);
        assert_eq!(read(&[tag::TRAPPED, 0x81, 0x00]), Err("a number is longer than it need be"));
        assert_eq!(read(&[tag::CRASH, 0, 0xff, 0xff, 0xff, 0xff, 0x7f]), Err("a number is larger than its field"));
        assert_eq!(read(&[31]), Err("the trace ends within it"));
        assert_eq!(read(&[99]), Err("it is of an unknown kind"));
    }

    #[test]
    fn signed_numbers_survive_their_encoding() {
        for value in [0, 1, -1, i64::MIN, i64::MAX] {
            assert_eq!(unzigzag(zigzag(value)), value);
        }
    }
}
