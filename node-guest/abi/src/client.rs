//! What clients ask of the replicated key/value machine, and what they are answered.
//!
//! A client is one process at a time. It first [registers](Operation::Register) and so gets a *session*; then it has at
//! most one operation outstanding, numbered in its session by a *sequence* from 1 upwards (thesis, 6.3). Every attempt
//! of an operation, at whichever node, carries the same session and sequence, so that it takes effect once.

use crate::codec::{Reader, Write};
use crate::note::ReadMode;

/// How often one operation may be tried at the most: an attempt's number is below this.
pub const ATTEMPTS_MAX: u64 = 1 << 16;

/// Names one attempt of one operation of a client, as the `operation` argument of `request` and `reply`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt {
    /// The number of the operation among its client's, from 0.
    pub operation: u64,
    /// The number of the attempt among the operation's, from 0, below [`ATTEMPTS_MAX`].
    pub attempt: u64,
}

impl Attempt {
    /// The attempt as one number. (Operations from 2⁴⁸ on, which no client gets to, share one.)
    #[must_use]
    pub fn pack(self) -> u64 {
        self.operation.saturating_mul(ATTEMPTS_MAX).saturating_add(self.attempt)
    }

    /// The attempt that [`pack`](Self::pack) made a number of.
    #[must_use]
    pub fn unpack(packed: u64) -> Self {
        Self { operation: packed / ATTEMPTS_MAX, attempt: packed % ATTEMPTS_MAX }
    }
}

/// The body of `request`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The session that the operation belongs to; 0 while registering.
    pub session: u64,
    /// The operation's number in its session, from 1; 0 while registering.
    pub sequence: u64,
    /// What is asked.
    pub operation: Operation<'a>,
}

/// An operation of the key/value machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation<'a> {
    /// Opens a session; answered by [`Outcome::Session`].
    Register,
    /// Reads a key, through the log; answered by [`Outcome::Value`].
    Get(&'a [u8]),
    /// Reads a key without the log, in another mode than [`ReadMode::Log`]; answered by [`Outcome::Value`] (thesis, 6.4). It
    /// belongs to no session.
    Read(ReadMode, &'a [u8]),
    /// Sets a key to a value; answered by [`Outcome::Done`].
    Put(&'a [u8], &'a [u8]),
    /// Removes a key; answered by [`Outcome::Done`].
    Delete(&'a [u8]),
    /// Sets a key to the second value if it holds the first (`None`: if it is absent); answered by
    /// [`Outcome::Swapped`].
    CompareAndSet(&'a [u8], Option<&'a [u8]>, &'a [u8]),
    /// Appends to a key's value, which is empty if absent; answered by [`Outcome::Length`].
    Append(&'a [u8], &'a [u8]),
    /// Adds to a key's value, a decimal number that is 0 if absent; answered by [`Outcome::Number`].
    Increment(&'a [u8], i64),
    /// Asks for other members, in one step: who is to vote, who is to learn without a vote, and who is to go, each node a
    /// byte; answered by [`Outcome::Done`] when that is committed (thesis, 4). If more than one vote comes or goes, the way is
    /// through a joint configuration, which is left by itself.
    Members {
        /// Who is to vote.
        voters: &'a [u8],
        /// Who is to learn, without a vote.
        learners: &'a [u8],
        /// Who is to go.
        gone: &'a [u8],
    },
    /// Asks the leader to hand over to a node; answered by [`Outcome::Done`] when it begins to, which may come to nothing
    /// (thesis, 3.10). It is in no log.
    Transfer(u32),
    /// Asks the node, whatever its role, for a snapshot of what it has applied; answered by [`Outcome::Done`] when it begins
    /// to, or has one of that already (thesis, 5). It is in no log.
    Compact,
}

/// What a node answers. [`Reply::Ok`] says what the operation returned, the others what the client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// The operation took effect, once, and returned this.
    Ok(Outcome<'a>),
    /// This attempt had no effect, and can have none: this node does not lead. Perhaps the named one does (0: nobody
    /// that it knows of).
    Redirect(u32),
    /// This attempt had no effect, and can have none, for the given reason.
    Refused(Reason),
    /// The session is gone; whether the operation took effect in it cannot be told any more.
    SessionExpired,
}

/// What an operation returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// It is done.
    Done,
    /// The session that was opened.
    Session(u64),
    /// The key's value, `None` if the key is absent.
    Value(Option<&'a [u8]>),
    /// Whether the value was set.
    Swapped(bool),
    /// The length of the value now, in bytes.
    Length(u64),
    /// The number now.
    Number(i64),
    /// The operation is not defined on the value there (an increment of what is no number, or past its range); it had
    /// no effect.
    Undefined,
}

/// Why an attempt was refused for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// The log has reached its bound.
    LogFull = 1,
    /// The body could not be read.
    Malformed = 2,
    /// A later operation of the session has been applied already: this is an echo of the past.
    Stale = 3,
    /// Who is to lead is no voter.
    NoVoter = 4,
    /// The members cannot be changed so, or not now; the node notes why.
    Members = 5,
}

impl Request<'_> {
    /// Appends the body of `request` to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64(self.session);
        out.put_u64(self.sequence);
        match self.operation {
            Operation::Register => out.push(0),
            Operation::Get(key) => {
                out.push(1);
                out.put_bytes(key);
            }
            Operation::Put(key, value) => {
                out.push(2);
                out.put_bytes(key);
                out.put_bytes(value);
            }
            Operation::Delete(key) => {
                out.push(3);
                out.put_bytes(key);
            }
            Operation::CompareAndSet(key, old, new) => {
                out.push(4);
                out.put_bytes(key);
                put_option(out, old);
                out.put_bytes(new);
            }
            Operation::Append(key, value) => {
                out.push(5);
                out.put_bytes(key);
                out.put_bytes(value);
            }
            Operation::Increment(key, by) => {
                out.push(6);
                out.put_bytes(key);
                out.put_u64(by.cast_unsigned());
            }
            Operation::Members { voters, learners, gone } => {
                out.push(8);
                [voters, learners, gone].into_iter().for_each(|nodes| out.put_bytes(nodes));
            }
            Operation::Transfer(to) => {
                out.push(7);
                out.put_u32(to);
            }
            Operation::Compact => out.push(9),
            Operation::Read(mode, key) => {
                out.extend([10, mode as u8]);
                out.put_bytes(key);
            }
        }
    }
}

impl<'a> Request<'a> {
    /// Reads what [`encode`](Self::encode) wrote; `None` if it did not.
    #[must_use]
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let mut from = Reader(bytes);
        let (session, sequence) = (from.u64()?, from.u64()?);
        let operation = match from.u8()? {
            0 => Operation::Register,
            1 => Operation::Get(from.bytes()?),
            2 => Operation::Put(from.bytes()?, from.bytes()?),
            3 => Operation::Delete(from.bytes()?),
            4 => Operation::CompareAndSet(from.bytes()?, take_option(&mut from)?, from.bytes()?),
            5 => Operation::Append(from.bytes()?, from.bytes()?),
            6 => Operation::Increment(from.bytes()?, from.u64()?.cast_signed()),
            7 => Operation::Transfer(from.u32()?),
            8 => Operation::Members { voters: from.bytes()?, learners: from.bytes()?, gone: from.bytes()? },
            9 => Operation::Compact,
            10 => {
                let mode = ReadMode::decode(from.u8()?).filter(|mode| *mode != ReadMode::Log)?;
                Operation::Read(mode, from.bytes()?)
            }
            _ => return None,
        };
        from.end(Self { session, sequence, operation })
    }
}

impl Reply<'_> {
    /// Appends the body of `reply` to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Reply::Ok(outcome) => {
                out.push(0);
                outcome.encode(out);
            }
            Reply::Redirect(hint) => {
                out.push(1);
                out.put_u32(*hint);
            }
            Reply::Refused(reason) => out.extend([2, *reason as u8]),
            Reply::SessionExpired => out.push(3),
        }
    }
}

impl<'a> Reply<'a> {
    /// Reads what [`encode`](Self::encode) wrote; `None` if it did not.
    #[must_use]
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let mut from = Reader(bytes);
        let reply = match from.u8()? {
            0 => return Outcome::decode(from.0).map(Reply::Ok),
            1 => Reply::Redirect(from.u32()?),
            2 => Reply::Refused(match from.u8()? {
                1 => Reason::LogFull,
                2 => Reason::Malformed,
                3 => Reason::Stale,
                4 => Reason::NoVoter,
                5 => Reason::Members,
                _ => return None,
            }),
            3 => Reply::SessionExpired,
            _ => return None,
        };
        from.end(reply)
    }
}

impl Outcome<'_> {
    /// Appends the outcome to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Outcome::Done => out.push(0),
            Outcome::Session(session) => {
                out.push(1);
                out.put_u64(*session);
            }
            Outcome::Value(value) => {
                out.push(2);
                put_option(out, *value);
            }
            Outcome::Swapped(swapped) => out.extend([3, u8::from(*swapped)]),
            Outcome::Length(length) => {
                out.push(4);
                out.put_u64(*length);
            }
            Outcome::Number(number) => {
                out.push(5);
                out.put_u64(number.cast_unsigned());
            }
            Outcome::Undefined => out.push(6),
        }
    }
}

impl<'a> Outcome<'a> {
    /// Reads what [`encode`](Self::encode) wrote; `None` if it did not.
    #[must_use]
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let mut from = Reader(bytes);
        let outcome = match from.u8()? {
            0 => Outcome::Done,
            1 => Outcome::Session(from.u64()?),
            2 => Outcome::Value(take_option(&mut from)?),
            3 => Outcome::Swapped(take_bool(&mut from)?),
            4 => Outcome::Length(from.u64()?),
            5 => Outcome::Number(from.u64()?.cast_signed()),
            6 => Outcome::Undefined,
            _ => return None,
        };
        from.end(outcome)
    }
}

fn put_option(out: &mut Vec<u8>, value: Option<&[u8]>) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        out.put_bytes(value);
    }
}

fn take_bool(from: &mut Reader<'_>) -> Option<bool> {
    match from.u8()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

fn take_option<'a>(from: &mut Reader<'a>) -> Option<Option<&'a [u8]>> {
    Some(if take_bool(from)? { Some(from.bytes()?) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_survives_its_encoding() {
        let operations = [
            Operation::Register,
            Operation::Get(b"k"),
            Operation::Put(b"k", b""),
            Operation::Delete(b""),
            Operation::CompareAndSet(b"k", None, b"new"),
            Operation::CompareAndSet(b"k", Some(b""), b"new"),
            Operation::Append(b"k", b"v"),
            Operation::Increment(b"k", i64::MIN),
            Operation::Transfer(3),
            Operation::Members { voters: &[4], learners: &[], gone: &[1, 2] },
        ];
        for operation in operations {
            let request = Request { session: u64::MAX, sequence: 7, operation };
            let mut bytes = Vec::new();
            request.encode(&mut bytes);
            assert_eq!(Request::decode(&bytes), Some(request));
            for cut in 0..bytes.len() {
                assert_eq!(Request::decode(&bytes[..cut]), None, "{request:?} cut at {cut}");
            }
            bytes.push(0);
            assert_eq!(Request::decode(&bytes), None, "{request:?} with a byte left over");
        }
    }

    #[test]
    fn every_reply_survives_its_encoding() {
        let replies = [
            Reply::Ok(Outcome::Done),
            Reply::Ok(Outcome::Session(9)),
            Reply::Ok(Outcome::Value(None)),
            Reply::Ok(Outcome::Value(Some(b"v"))),
            Reply::Ok(Outcome::Swapped(true)),
            Reply::Ok(Outcome::Length(3)),
            Reply::Ok(Outcome::Number(-3)),
            Reply::Ok(Outcome::Undefined),
            Reply::Redirect(0),
            Reply::Refused(Reason::LogFull),
            Reply::Refused(Reason::Malformed),
            Reply::Refused(Reason::Stale),
            Reply::Refused(Reason::NoVoter),
            Reply::Refused(Reason::Members),
            Reply::SessionExpired,
        ];
        for reply in replies {
            let mut bytes = Vec::new();
            reply.encode(&mut bytes);
            assert_eq!(Reply::decode(&bytes), Some(reply));
            for cut in 0..bytes.len() {
                assert_eq!(Reply::decode(&bytes[..cut]), None, "{reply:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn an_attempt_is_one_number() {
        let attempt = Attempt { operation: 1 << 40, attempt: ATTEMPTS_MAX - 1 };
        assert_eq!(Attempt::unpack(attempt.pack()), attempt);
    }
}
