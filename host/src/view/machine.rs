//! The values of a node's state machine, as far as events prove them.
//!
//! A node notes of an applied entry the hash of its command and of what it returned; the bytes of the command are in the
//! client's request. So the operations of the [client protocol](raftbox_abi::client) are applied here once more, and each
//! outcome is held against the noted hash. What fits is proven. At the first that does not (another kind of machine, a
//! command that nobody asked for) the values are no longer known, and say so. What a snapshot holds no event tells; but it
//! equals the log that it replaces, and what somebody applied of that is known.

use super::entry::Entries;
use raftbox_abi::client::{Operation, Outcome, Reason, Reply, Request};
use raftbox_abi::hash;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a state machine holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    values: BTreeMap<Arc<[u8]>, Arc<[u8]>>,
    /// The last sequence of each session, and the hash of the reply to it.
    sessions: BTreeMap<u64, (u64, u64)>,
    /// The index at which the values were lost from sight.
    lost: Option<u64>,
}

/// What an operation does to a value.
enum Change {
    Nothing,
    Set(Vec<u8>),
    Remove,
}

impl Machine {
    /// Each key with its value, if they are known.
    #[must_use]
    pub fn values(&self) -> Option<impl Iterator<Item = (&[u8], &[u8])>> {
        self.lost.is_none().then(|| self.values.iter().map(|(key, value)| (&**key, &**value)))
    }

    /// The index from which on the values are not known; `None` if they are.
    #[must_use]
    pub fn lost(&self) -> Option<u64> {
        self.lost
    }

    /// How many sessions are open.
    #[must_use]
    pub fn sessions(&self) -> u64 {
        self.sessions.len() as u64
    }

    /// The state is now that of a snapshot: what the log made of it up to there, as others applied it.
    pub(super) fn jump(&mut self, index: u64, entries: &Entries) {
        *self = Self::default();
        match entries.applied(index) {
            Some(applied) => applied.for_each(|(index, command, result)| self.apply(index, command, result)),
            None => self.lose(index),
        }
    }

    fn lose(&mut self, index: u64) {
        *self = Self { lost: Some(index), ..Self::default() };
    }

    /// An entry was applied, with this command, if it is known, and a result of this hash.
    pub(super) fn apply(&mut self, index: u64, command: Option<&[u8]>, result: u64) {
        // What is no command returns nothing.
        if self.lost.is_some() || result == hash(b"") {
            return;
        }
        let proven = command.and_then(Request::decode).is_some_and(|request| self.perform(index, &request, result));
        if !proven {
            self.lose(index);
        }
    }

    /// Applies a request; `false` if it cannot have returned what it did.
    fn perform(&mut self, index: u64, request: &Request<'_>, result: u64) -> bool {
        let Request { session, sequence, operation } = *request;
        if operation == Operation::Register {
            let opened = result == hash_of(&Reply::Ok(Outcome::Session(index)));
            if opened {
                self.sessions.insert(index, (0, 0));
            }
            return opened || refused(result);
        }
        match self.sessions.get(&session) {
            // The same once more is answered as the first time, and takes no effect.
            Some((last, reply)) if *last == sequence && *reply == result => return true,
            _ if refused(result) => return true,
            None => return false,
            Some(_) => {}
        }
        let (key, outcome, change) = self.plan(&operation);
        if result == hash_of(&Reply::Ok(outcome)) {
            match change {
                Change::Nothing => {}
                Change::Set(value) => drop(self.values.insert(key.into(), value.into())),
                Change::Remove => drop(self.values.remove(key)),
            }
        } else if result != hash_of(&Reply::Ok(Outcome::Undefined)) {
            return false;
        }
        self.sessions.insert(session, (sequence, result));
        true
    }

    /// What an operation returns and does, by the meaning that the boundary gives it.
    fn plan<'c>(&self, operation: &Operation<'c>) -> (&'c [u8], Outcome<'_>, Change) {
        let held = |key: &[u8]| self.values.get(key).map(|value| &**value);
        match *operation {
            Operation::Register => (b"", Outcome::Done, Change::Nothing),
            Operation::Transfer(_) | Operation::Members { .. } | Operation::Compact | Operation::Read(..) => {
                (b"", Outcome::Undefined, Change::Nothing)
            }
            Operation::Get(key) => (key, Outcome::Value(held(key)), Change::Nothing),
            Operation::Put(key, value) => (key, Outcome::Done, Change::Set(value.to_vec())),
            Operation::Delete(key) => (key, Outcome::Done, Change::Remove),
            Operation::CompareAndSet(key, old, new) => {
                let swaps = held(key) == old;
                let change = if swaps { Change::Set(new.to_vec()) } else { Change::Nothing };
                (key, Outcome::Swapped(swaps), change)
            }
            Operation::Append(key, suffix) => {
                let value = [held(key).unwrap_or_default(), suffix].concat();
                (key, Outcome::Length(value.len() as u64), Change::Set(value))
            }
            Operation::Increment(key, by) => {
                let number = held(key).map_or(Some(0), |value| std::str::from_utf8(value).ok()?.parse::<i64>().ok());
                match number.and_then(|number| number.checked_add(by)) {
                    Some(sum) => (key, Outcome::Number(sum), Change::Set(sum.to_string().into_bytes())),
                    None => (key, Outcome::Undefined, Change::Nothing),
                }
            }
        }
    }
}

fn hash_of(reply: &Reply<'_>) -> u64 {
    let mut bytes = Vec::new();
    reply.encode(&mut bytes);
    hash(&bytes)
}

/// Whether a result says that there was no effect.
fn refused(result: u64) -> bool {
    let reasons = [Reason::LogFull, Reason::Malformed, Reason::Stale, Reason::NoVoter, Reason::Members];
    reasons.into_iter().map(Reply::Refused).chain([Reply::SessionExpired]).any(|reply| hash_of(&reply) == result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(session: u64, sequence: u64, operation: Operation<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        Request { session, sequence, operation }.encode(&mut bytes);
        bytes
    }

    fn apply(machine: &mut Machine, index: u64, command: &[u8], reply: Reply<'_>) {
        machine.apply(index, Some(command), hash_of(&reply));
    }

    fn values(machine: &Machine) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        machine.values().unwrap().map(|(key, value)| (text(key), text(value))).collect()
    }

    fn registered() -> Machine {
        let mut machine = Machine::default();
        apply(&mut machine, 1, &command(0, 0, Operation::Register), Reply::Ok(Outcome::Session(1)));
        machine
    }

    #[test]
    fn what_operations_return_proves_the_values() {
        let mut machine = registered();
        apply(&mut machine, 2, &command(1, 1, Operation::Append(b"a", b"x;")), Reply::Ok(Outcome::Length(2)));
        apply(&mut machine, 3, &command(1, 2, Operation::Append(b"a", b"y;")), Reply::Ok(Outcome::Length(4)));
        apply(&mut machine, 4, &command(1, 3, Operation::Increment(b"c", 7)), Reply::Ok(Outcome::Number(7)));
        apply(&mut machine, 5, &command(1, 4, Operation::Put(b"r", b"v")), Reply::Ok(Outcome::Done));
        let swap = Operation::CompareAndSet(b"r", None, b"w");
        apply(&mut machine, 6, &command(1, 5, swap), Reply::Ok(Outcome::Swapped(false)));
        apply(&mut machine, 7, &command(1, 6, Operation::Increment(b"a", 1)), Reply::Ok(Outcome::Undefined));
        machine.apply(8, None, hash(b""));
        let expected = [("a", "x;y;"), ("c", "7"), ("r", "v")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(values(&machine), expected);
    }

    #[test]
    fn the_same_command_once_more_takes_no_effect() {
        let mut machine = registered();
        for index in 2..4 {
            apply(&mut machine, index, &command(1, 1, Operation::Append(b"a", b"x")), Reply::Ok(Outcome::Length(1)));
        }
        apply(&mut machine, 4, &command(1, 0, Operation::Put(b"a", b"")), Reply::Refused(Reason::Stale));
        assert_eq!(values(&machine), [("a".to_owned(), "x".to_owned())]);
    }

    #[test]
    fn what_cannot_be_proven_is_not_shown() {
        let mut machine = registered();
        apply(&mut machine, 2, &command(1, 1, Operation::Append(b"a", b"x")), Reply::Ok(Outcome::Length(9)));
        assert_eq!((machine.lost(), machine.values().is_some()), (Some(2), false), "another machine than ours");
        let mut machine = registered();
        machine.apply(2, None, hash(b"?"));
        assert_eq!(machine.lost(), Some(2), "a command that nobody asked for");
        let mut machine = registered();
        machine.jump(9, &Entries::default());
        assert_eq!(machine.lost(), Some(9), "a snapshot of a log that nobody applied");
    }
}
