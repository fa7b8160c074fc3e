//! The machine's state, in pieces.
//!
//! A piece is a row of items: the log's time, keys with their values, then sessions with the last reply (thesis 6.3: what a
//! client was answered must survive with what it did). All are in order, so equal machines give equal pieces. A piece holds whole items
//! and ends once it is long enough, so neither writing nor reading ever holds more than a piece in memory.

use super::{Machine, OVERHEAD, Session};
use crate::fault::Fault;
use crate::storage::{Put, Restore};
use raftbox_abi::codec::{Reader, Write};

/// How long a piece is at least, but for the last.
const PIECE_BYTES: usize = 16 * 1024;

mod item {
    pub(super) const KEY: u8 = 0;
    pub(super) const SESSION: u8 = 1;
    pub(super) const TIME: u8 = 2;
}

impl Machine {
    /// Puts the state, piece by piece.
    ///
    /// # Errors
    /// The first that `put` returns.
    pub fn put_pieces(&self, put: &mut Put<'_>) -> Result<(), Fault> {
        let mut piece = Vec::new();
        let mut full = |piece: &mut Vec<u8>, least: usize| {
            if piece.len() < least {
                return Ok(());
            }
            let done = put(piece);
            piece.clear();
            done
        };
        if self.time > 0 {
            piece.push(item::TIME);
            piece.put_u64(self.time);
        }
        for (key, value) in &self.data {
            piece.push(item::KEY);
            piece.put_bytes(key);
            piece.put_bytes(value);
            full(&mut piece, PIECE_BYTES)?;
        }
        for (id, session) in &self.sessions {
            piece.push(item::SESSION);
            piece.put_u64(*id);
            piece.put_u64(session.sequence);
            piece.put_u64(session.used);
            piece.put_bytes(&session.reply);
            full(&mut piece, PIECE_BYTES)?;
        }
        full(&mut piece, 1)
    }

    fn take_item(&mut self, from: &mut Reader<'_>) -> Option<()> {
        match from.u8()? {
            item::KEY => {
                let (key, value) = (from.bytes()?, from.bytes()?);
                self.bytes += OVERHEAD + (key.len() + value.len()) as u64;
                self.data.insert(key.into(), value.to_vec()).is_none().then_some(())
            }
            item::SESSION => {
                let (id, sequence, used, reply) = (from.u64()?, from.u64()?, from.u64()?, from.bytes()?.to_vec());
                self.bytes += OVERHEAD + reply.len() as u64;
                self.sessions.insert(id, Session { sequence, reply, used }).is_none().then_some(())
            }
            item::TIME => {
                self.time = from.u64()?;
                Some(())
            }
            _ => None,
        }
    }
}

impl Restore for Machine {
    fn restart(&mut self) {
        *self = Self::new(self.bounds);
    }

    fn piece(&mut self, piece: &[u8]) -> Result<(), &'static str> {
        let mut from = Reader(piece);
        while !from.0.is_empty() {
            self.take_item(&mut from).ok_or("a piece of the machine cannot be read")?;
            if self.bytes > self.bounds.machine {
                return Err("the machine is larger than this node's may be");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Bounds;
    use super::*;
    use raftbox_abi::client::{Operation, Request};

    const BOUNDS: Bounds = Bounds { machine: 1 << 20, value: 32 * 1024, sessions: 100, expiry: 0 };

    fn apply(machine: &mut Machine, index: u64, session: u64, operation: Operation<'_>) -> Vec<u8> {
        let (mut command, mut reply) = (Vec::new(), Vec::new());
        let sequence = if session == 0 { 0 } else { index };
        Request { session, sequence, operation }.encode(&mut command);
        machine.apply(index, index * 10, &command, &mut reply);
        reply
    }

    fn pieces(machine: &Machine) -> Vec<Vec<u8>> {
        let mut pieces = Vec::new();
        let mut put = |piece: &[u8]| {
            pieces.push(piece.to_vec());
            Ok(())
        };
        machine.put_pieces(&mut put).unwrap();
        pieces
    }

    fn filled() -> Machine {
        let mut machine = Machine::new(BOUNDS);
        apply(&mut machine, 1, 0, Operation::Register);
        apply(&mut machine, 2, 0, Operation::Register);
        for index in 3..60 {
            let value = vec![b'v'; usize::try_from(index).unwrap() * 100];
            apply(&mut machine, index, 1, Operation::Put(&index.to_le_bytes(), &value));
        }
        machine
    }

    #[test]
    fn a_restored_machine_goes_on_as_the_one_before() {
        let mut machine = filled();
        let pieces = pieces(&machine);
        assert!(pieces.len() > 3, "{}", pieces.len());
        let mut other = Machine::new(BOUNDS);
        apply(&mut other, 1, 0, Operation::Register);
        other.restart();
        pieces.iter().for_each(|piece| other.piece(piece).unwrap());
        assert_eq!((other.bytes(), other.keys(), other.sessions()), (machine.bytes(), machine.keys(), 2));
        // What was answered is answered again, and takes no effect again.
        let (mut command, mut reply, mut again) = (Vec::new(), Vec::new(), Vec::new());
        Request { session: 1, sequence: 59, operation: Operation::Increment(b"n", 1) }.encode(&mut command);
        machine.apply(60, 600, &command, &mut reply);
        other.apply(60, 600, &command, &mut again);
        assert_eq!(reply, again);
        for operation in [Operation::Increment(b"n", 1), Operation::Get(b"n"), Operation::Delete(b"n")] {
            assert_eq!(apply(&mut machine, 61, 2, operation), apply(&mut other, 61, 2, operation));
        }
        assert_eq!(self::pieces(&machine), self::pieces(&other));
    }

    #[test]
    fn what_is_no_piece_is_refused() {
        let whole = pieces(&filled());
        let mut machine = Machine::new(BOUNDS);
        for cut in 1..20 {
            machine.restart();
            assert!(machine.piece(&whole[0][..whole[0].len() - cut]).is_err());
        }
        machine.restart();
        machine.piece(&whole[0]).unwrap();
        assert!(machine.piece(&whole[0]).is_err(), "each key is there once");
        let mut small = Machine::new(Bounds { machine: 2000, ..BOUNDS });
        assert_eq!(small.piece(&whole[0]), Err("the machine is larger than this node's may be"));
    }
}
