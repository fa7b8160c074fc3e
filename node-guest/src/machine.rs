//! The replicated key/value machine, with client sessions (thesis, 6.3).
//!
//! A [`Machine`] is a function of the log: the same commands in the same order give the same state and the same replies
//! on every node. So it knows no clock, no node and no client, and what bounds it must be set alike on all nodes.
//!
//! A command is an encoded [`Request`]. Its session makes it take effect once, however often a client sends it and a
//! leader appends it: each session keeps the sequence of its last command and the reply to it. The same sequence
//! again is answered from there; an older one is an echo of the past; a gap upwards is a client that gave up on
//! something in between, and is none of our business. A session is named by the index of the entry that opened it,
//! which is unique and the same everywhere.
//!
//! The machine is bounded ([`Bounds`]): it counts what it keeps, and refuses what would pass the bound. A refusal is
//! not remembered, so that the same command may succeed later, when something was deleted. It reads `LogFull`: the
//! client protocol has that one word for a node without room.
//!
//! Sessions are bounded, too. One that was not used for long expires, by the time that the log tells with each command, so
//! that it does so everywhere at the same entry; and where there are as many as there may be, the one that was not used for
//! longest makes room for a new one. Whoever comes back to a session that is gone is told so, and never done anything
//! for: it cannot be known whether its command took effect before.

mod snapshot;

use raftbox_abi::client::{Operation, Outcome, Reason, Reply, Request};
use std::collections::BTreeMap;

/// What a key or a session costs beside its bytes: its share of a tree node that may be half full, and the allocator's
/// own words and rounding for up to two allocations.
const OVERHEAD: u64 = 128;

/// How large a machine may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The most bytes that keys, values, sessions and the replies kept in them may take, overhead included.
    pub machine: u64,
    /// The most bytes of one value.
    pub value: u64,
    /// The most sessions.
    pub sessions: u32,
    /// A session that was not used for so long, by the log's time, expires, µs; 0: never.
    pub expiry: u64,
}

/// The state that the log builds.
#[derive(Clone, Debug)]
pub struct Machine {
    bounds: Bounds,
    /// What `data` and `sessions` take, by the machine's own count.
    bytes: u64,
    data: BTreeMap<Box<[u8]>, Vec<u8>>,
    sessions: BTreeMap<u64, Session>,
    /// The log's time: the highest that any command came with.
    time: u64,
    /// No session was used before.
    oldest: u64,
}

/// What is kept of a client, so that none of its commands takes effect twice.
#[derive(Clone, Debug, Default)]
struct Session {
    /// The sequence of the last command that was applied; 0 before the first.
    sequence: u64,
    /// The encoded reply to it.
    reply: Vec<u8>,
    /// When it was used last, by the log's time.
    used: u64,
}

impl Machine {
    /// An empty machine.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, bytes: 0, data: BTreeMap::new(), sessions: BTreeMap::new(), time: 0, oldest: 0 }
    }

    /// How many keys there are.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.data.len()
    }

    /// How many sessions are open.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// What the state takes, in bytes, by the machine's own count.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What a key holds.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.data.get(key).map(Vec::as_slice)
    }

    /// Applies the command at `index`, which the log says was given at `at`, and puts the encoded reply into `reply`, in
    /// place of what was there.
    pub fn apply(&mut self, index: u64, at: u64, command: &[u8], reply: &mut Vec<u8>) {
        reply.clear();
        self.time = self.time.max(at);
        self.expire();
        let Some(request) = Request::decode(command) else {
            return Reply::Refused(Reason::Malformed).encode(reply);
        };
        if request.operation == Operation::Register {
            return self.register(index).encode(reply);
        }
        if request.sequence == 0 {
            return Reply::Refused(Reason::Malformed).encode(reply);
        }
        let time = self.time;
        let Some(session) = self.sessions.get_mut(&request.session) else {
            return Reply::SessionExpired.encode(reply);
        };
        session.used = time;
        if request.sequence < session.sequence {
            return Reply::Refused(Reason::Stale).encode(reply);
        }
        if request.sequence == session.sequence {
            return reply.extend_from_slice(&session.reply);
        }
        self.perform(&request, reply);
    }

    /// Forgets the sessions that were not used for too long.
    fn expire(&mut self) {
        let expiry = self.bounds.expiry;
        // Almost always nothing is old enough, and that is known without looking.
        if expiry == 0 || self.time.saturating_sub(self.oldest) <= expiry {
            return;
        }
        let (time, mut gone) = (self.time, 0);
        self.sessions.retain(|_, session| {
            let stays = time.saturating_sub(session.used) <= expiry;
            gone += if stays { 0 } else { OVERHEAD + session.reply.len() as u64 };
            stays
        });
        self.bytes -= gone;
        self.oldest = self.sessions.values().map(|session| session.used).min().unwrap_or(time);
    }

    /// Forgets the sessions, but for one, that were not used for longest, until so many bytes more have room.
    ///
    /// What clients were answered must not keep a full machine from being read and emptied.
    fn make_room(&mut self, needed: u64, but: u64) {
        while self.bytes + needed > self.bounds.machine && self.forget_one(but) {}
    }

    /// Forgets the session, but for one, that was not used for longest; `false` if there is none.
    fn forget_one(&mut self, but: u64) -> bool {
        let others = self.sessions.iter().filter(|(id, _)| **id != but);
        let longest = others.min_by_key(|(id, session)| (session.used, **id)).map(|(id, _)| *id);
        let forgotten = longest.and_then(|id| self.sessions.remove(&id));
        self.bytes -= forgotten.as_ref().map_or(0, |session| OVERHEAD + session.reply.len() as u64);
        forgotten.is_some()
    }

    /// Opens the session that is named by the index of its entry.
    fn register(&mut self, index: u64) -> Reply<'static> {
        if self.sessions.len() >= self.bounds.sessions as usize {
            self.forget_one(0);
        }
        self.make_room(OVERHEAD, 0);
        if self.bytes + OVERHEAD > self.bounds.machine {
            return Reply::Refused(Reason::LogFull);
        }
        let before = self.sessions.insert(index, Session { used: self.time, ..Session::default() });
        assert!(before.is_none(), "index {index} was applied before");
        self.bytes += OVERHEAD;
        Reply::Ok(Outcome::Session(index))
    }

    /// Lets a command take effect that is new to its session, if there is room for what it leaves behind.
    fn perform(&mut self, request: &Request<'_>, reply: &mut Vec<u8>) {
        let (outcome, effect) = self.plan(&request.operation);
        Reply::Ok(outcome).encode(reply);
        if let Effect::Nothing = effect {
            self.make_room(reply.len() as u64, request.session);
        }
        let after = self.bytes_after(&effect, request.session, reply.len());
        // What shrinks the machine is let through even beyond the bound, or a full one could never be emptied.
        if after > self.bounds.machine && after > self.bytes {
            reply.clear();
            return Reply::Refused(Reason::LogFull).encode(reply);
        }
        match effect {
            Effect::Nothing => {}
            Effect::Remove(key) => drop(self.data.remove(key)),
            Effect::Set(key, bytes) => self.change(key, |value| refill(value, bytes)),
            Effect::Number(key, decimal) => self.change(key, |value| refill(value, decimal.as_bytes())),
            Effect::Extend(key, bytes) => self.change(key, |value| {
                value.reserve_exact(bytes.len());
                value.extend_from_slice(bytes);
            }),
        }
        self.bytes = after;
        let session = self.sessions.get_mut(&request.session).expect("apply looked it up");
        assert!(request.sequence > session.sequence, "a command takes effect once");
        session.sequence = request.sequence;
        refill(&mut session.reply, reply);
    }

    /// What an operation returns and does, in the state as it is.
    fn plan<'c>(&self, operation: &Operation<'c>) -> (Outcome<'_>, Effect<'c>) {
        let held = |key: &[u8]| self.data.get(key).map(Vec::as_slice);
        let fits = |len: usize| len as u64 <= self.bounds.value;
        match *operation {
            Operation::Register => unreachable!("registering is not done in a session"),
            // It is nothing for a log, and there if somebody else put it there.
            Operation::Transfer(_) | Operation::Members { .. } | Operation::Compact | Operation::Read(..) => {
                (Outcome::Undefined, Effect::Nothing)
            }
            Operation::Get(key) => (Outcome::Value(held(key)), Effect::Nothing),
            Operation::Put(key, value) if fits(value.len()) => (Outcome::Done, Effect::Set(key, value)),
            Operation::Delete(key) => (Outcome::Done, Effect::Remove(key)),
            Operation::CompareAndSet(key, old, new) if fits(new.len()) => {
                let swap = held(key) == old;
                let effect = if swap { Effect::Set(key, new) } else { Effect::Nothing };
                (Outcome::Swapped(swap), effect)
            }
            Operation::Append(key, suffix) => {
                let len = held(key).map_or(0, <[u8]>::len) + suffix.len();
                if !fits(len) {
                    return (Outcome::Undefined, Effect::Nothing);
                }
                (Outcome::Length(len as u64), Effect::Extend(key, suffix))
            }
            Operation::Increment(key, by) => {
                let number = held(key).map_or(Some(0), number);
                match number.and_then(|number| number.checked_add(by)) {
                    Some(sum) => (Outcome::Number(sum), Effect::Number(key, sum.to_string())),
                    None => (Outcome::Undefined, Effect::Nothing),
                }
            }
            // The value is longer than any may be.
            Operation::Put(..) | Operation::CompareAndSet(..) => (Outcome::Undefined, Effect::Nothing),
        }
    }

    /// What the state takes after an effect, when the session keeps a reply of `reply` bytes.
    fn bytes_after(&self, effect: &Effect<'_>, session: u64, reply: usize) -> u64 {
        let value = |key: &[u8]| self.data.get(key).map_or(0, Vec::len);
        let held = |key: &[u8]| self.data.get(key).map_or(0, |value| OVERHEAD + (key.len() + value.len()) as u64);
        let taken = |key: &[u8], len: usize| OVERHEAD + (key.len() + len) as u64;
        let (before, after) = match effect {
            Effect::Nothing => (0, 0),
            Effect::Remove(key) => (held(key), 0),
            Effect::Set(key, bytes) => (held(key), taken(key, bytes.len())),
            Effect::Number(key, decimal) => (held(key), taken(key, decimal.len())),
            Effect::Extend(key, bytes) => (held(key), taken(key, value(key) + bytes.len())),
        };
        let kept = self.sessions.get(&session).map_or(0, |session| session.reply.len());
        self.bytes + after + reply as u64 - before - kept as u64
    }

    /// Changes the value of a key, which begins as empty if there is none.
    fn change(&mut self, key: &[u8], change: impl FnOnce(&mut Vec<u8>)) {
        match self.data.get_mut(key) {
            Some(value) => change(value),
            None => {
                let mut value = Vec::new();
                change(&mut value);
                self.data.insert(key.into(), value);
            }
        }
    }
}

/// What an operation does to the data.
enum Effect<'a> {
    Nothing,
    Remove(&'a [u8]),
    Set(&'a [u8], &'a [u8]),
    Extend(&'a [u8], &'a [u8]),
    Number(&'a [u8], String),
}

/// The number that a value is, if it is one.
fn number(value: &[u8]) -> Option<i64> {
    str::from_utf8(value).ok()?.parse().ok()
}

/// Makes `kept` hold `bytes`. Its allocation is used again where it is not much too large: a bound on lengths is a
/// bound on memory only if capacities follow them.
fn refill(kept: &mut Vec<u8>, bytes: &[u8]) {
    kept.clear();
    if kept.capacity() > bytes.len() + 64 {
        *kept = Vec::new();
    }
    kept.reserve_exact(bytes.len());
    kept.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { machine: 4096, value: 1024, sessions: 100, expiry: 0 };

    /// A machine whose log is written by the test: each command gets the next index.
    struct Log {
        machine: Machine,
        index: u64,
        time: u64,
    }

    impl Log {
        fn new() -> Self {
            Self::with(BOUNDS)
        }

        fn with(bounds: Bounds) -> Self {
            Self { machine: Machine::new(bounds), index: 0, time: 0 }
        }

        fn apply(&mut self, session: u64, sequence: u64, operation: Operation<'_>) -> String {
            let mut command = Vec::new();
            Request { session, sequence, operation }.encode(&mut command);
            self.apply_bytes(&command)
        }

        fn apply_bytes(&mut self, command: &[u8]) -> String {
            self.index += 1;
            let mut reply = b"what was there before".to_vec();
            self.machine.apply(self.index, self.time, command, &mut reply);
            assert_eq!(self.machine.bytes, recount(&self.machine), "the count is exact");
            format!("{:?}", Reply::decode(&reply).expect("the machine encodes what it replies"))
        }
    }

    fn recount(machine: &Machine) -> u64 {
        let data = machine.data.iter().map(|(key, value)| key.len() + value.len());
        let kept = machine.sessions.values().map(|session| session.reply.len());
        let items = (machine.keys() + machine.sessions()) as u64;
        items * OVERHEAD + (data.sum::<usize>() + kept.sum::<usize>()) as u64
    }

    #[test]
    fn each_operation_does_what_it_says() {
        let mut log = Log::new();
        assert_eq!(log.apply(0, 0, Operation::Register), "Ok(Session(1))");
        let steps: [(Operation<'_>, &str); 16] = [
            (Operation::Get(b"k"), "Ok(Value(None))"),
            (Operation::Put(b"k", b"7"), "Ok(Done)"),
            (Operation::Get(b"k"), "Ok(Value(Some([55])))"),
            (Operation::Increment(b"k", -9), "Ok(Number(-2))"),
            (Operation::Increment(b"n", 5), "Ok(Number(5))"),
            (Operation::Increment(b"n", i64::MAX), "Ok(Undefined)"),
            (Operation::Append(b"k", b"x"), "Ok(Length(3))"),
            (Operation::Increment(b"k", 1), "Ok(Undefined)"),
            (Operation::CompareAndSet(b"k", None, b"no"), "Ok(Swapped(false))"),
            (Operation::CompareAndSet(b"k", Some(b"-2x"), b"yes"), "Ok(Swapped(true))"),
            (Operation::CompareAndSet(b"new", None, b""), "Ok(Swapped(true))"),
            (Operation::Get(b"new"), "Ok(Value(Some([])))"),
            (Operation::Delete(b"k"), "Ok(Done)"),
            (Operation::Delete(b"k"), "Ok(Done)"),
            (Operation::Get(b"k"), "Ok(Value(None))"),
            (Operation::Append(b"k", b"x"), "Ok(Length(1))"),
        ];
        for (sequence, (operation, reply)) in (1..).zip(steps) {
            assert_eq!(log.apply(1, sequence, operation), reply, "{operation:?}");
        }
        assert_eq!((log.machine.keys(), log.machine.sessions()), (3, 1));
    }

    #[test]
    fn a_command_takes_effect_once() {
        let mut log = Log::new();
        log.apply(0, 0, Operation::Register);
        let increment = Operation::Increment(b"n", 1);
        assert_eq!(log.apply(1, 1, increment), "Ok(Number(1))");
        assert_eq!(log.apply(1, 1, increment), "Ok(Number(1))");
        assert_eq!(log.apply(1, 2, increment), "Ok(Number(2))");
        assert_eq!(log.apply(1, 1, increment), "Refused(Stale)");
        assert_eq!(log.apply(1, 2, increment), "Ok(Number(2))");
        // A read is remembered as well: both attempts of it saw the same.
        assert_eq!(log.apply(1, 3, Operation::Get(b"n")), "Ok(Value(Some([50])))");
        log.apply(0, 0, Operation::Register);
        assert_eq!(log.apply(8, 1, increment), "Ok(Number(3))");
        assert_eq!(log.apply(1, 3, Operation::Get(b"n")), "Ok(Value(Some([50])))");
    }

    #[test]
    fn a_gap_upwards_is_applied() {
        let mut log = Log::new();
        log.apply(0, 0, Operation::Register);
        assert_eq!(log.apply(1, 9, Operation::Increment(b"n", 1)), "Ok(Number(1))");
        assert_eq!(log.apply(1, 8, Operation::Increment(b"n", 1)), "Refused(Stale)");
    }

    #[test]
    fn without_a_session_nothing_happens() {
        let mut log = Log::new();
        assert_eq!(log.apply(1, 1, Operation::Put(b"k", b"v")), "SessionExpired");
        log.apply(0, 0, Operation::Register);
        assert_eq!(log.apply(2, 0, Operation::Put(b"k", b"v")), "Refused(Malformed)");
        assert_eq!(log.apply_bytes(b"no request"), "Refused(Malformed)");
        assert_eq!(log.machine.keys(), 0);
    }

    #[test]
    fn a_session_that_is_not_used_for_long_expires() {
        let mut log = Log::with(Bounds { expiry: 100, ..BOUNDS });
        log.apply(0, 0, Operation::Register);
        log.apply(0, 0, Operation::Register);
        let increment = Operation::Increment(b"n", 1);
        assert_eq!(log.apply(1, 1, increment), "Ok(Number(1))");
        log.time = 60;
        assert_eq!(log.apply(2, 1, increment), "Ok(Number(2))");
        log.time = 100;
        assert_eq!(log.apply(1, 1, increment), "Ok(Number(1))", "it is not over");
        log.time = 161;
        assert_eq!(log.apply(2, 1, increment), "SessionExpired", "and not asked again what it did");
        assert_eq!(log.apply(1, 2, increment), "Ok(Number(3))", "an echo is a use");
        // A clock that is set back brings nothing back.
        log.time = 10;
        assert_eq!(log.apply(2, 2, increment), "SessionExpired");
        assert_eq!((log.machine.sessions(), log.machine.time), (1, 161));
    }

    #[test]
    fn the_session_that_is_not_used_for_longest_makes_room() {
        let mut log = Log::with(Bounds { sessions: 2, ..BOUNDS });
        let increment = Operation::Increment(b"n", 1);
        assert_eq!(log.apply(0, 0, Operation::Register), "Ok(Session(1))");
        assert_eq!(log.apply(0, 0, Operation::Register), "Ok(Session(2))");
        log.time = 5;
        assert_eq!(log.apply(1, 1, increment), "Ok(Number(1))");
        assert_eq!(log.apply(0, 0, Operation::Register), "Ok(Session(4))");
        assert_eq!(log.apply(2, 1, increment), "SessionExpired");
        assert_eq!(log.apply(1, 1, increment), "Ok(Number(1))");
        // Of two that were used at the same time, the older.
        assert_eq!(log.apply(0, 0, Operation::Register), "Ok(Session(7))");
        assert_eq!(log.apply(1, 2, increment), "SessionExpired");
        assert_eq!(log.apply(4, 1, increment), "Ok(Number(2))");
    }

    #[test]
    fn a_full_machine_refuses_and_goes_on_when_emptied() {
        let mut log = Log::new();
        log.apply(0, 0, Operation::Register);
        let value = [b'v'; 1024];
        for (sequence, key) in (1..).zip([b"1", b"2", b"3"]) {
            assert_eq!(log.apply(1, sequence, Operation::Put(key, &value)), "Ok(Done)");
        }
        let put = Operation::Put(b"4", &value);
        assert_eq!(log.apply(1, 4, put), "Refused(LogFull)");
        // To remember what was read would not fit either, and there is no other session that could make room for that.
        assert_eq!(log.apply(1, 4, Operation::Get(b"1")), "Refused(LogFull)");
        assert_eq!(log.apply(1, 4, Operation::Delete(b"1")), "Ok(Done)");
        assert_eq!(log.apply(1, 5, put), "Ok(Done)");
        assert!(log.machine.bytes() <= BOUNDS.machine);
        // A full machine takes new clients in all the same: whoever was silent for longest makes room.
        for _ in 0..20 {
            assert!(log.apply(0, 0, Operation::Register).starts_with("Ok"));
            assert!(log.machine.bytes() <= BOUNDS.machine);
        }
        let session = log.index;
        assert_eq!(log.apply(session, 1, Operation::Get(b"2")), "Refused(LogFull)");
        assert_eq!(log.apply(session, 1, Operation::Delete(b"2")), "Ok(Done)");
        assert!(log.apply(session, 2, Operation::Get(b"3")).starts_with("Ok"));
    }

    #[test]
    fn a_value_stays_within_its_bound() {
        let mut log = Log::new();
        log.apply(0, 0, Operation::Register);
        let long = [b'v'; 1025];
        assert_eq!(log.apply(1, 1, Operation::Put(b"k", &long)), "Ok(Undefined)");
        assert_eq!(log.apply(1, 2, Operation::CompareAndSet(b"k", None, &long)), "Ok(Undefined)");
        assert_eq!(log.apply(1, 3, Operation::Append(b"k", &long[1..])), "Ok(Length(1024))");
        assert_eq!(log.apply(1, 4, Operation::Append(b"k", b"v")), "Ok(Undefined)");
    }

    #[test]
    fn the_same_log_gives_the_same_machine() {
        let run = || {
            let mut log = Log::new();
            log.apply(0, 0, Operation::Register);
            (1..200)
                .map(|n: u64| log.apply(1, n / 2, Operation::Append(&(n % 5).to_le_bytes(), b"ab")))
                .collect::<Vec<_>>()
        };
        assert_eq!(run(), run());
    }
}
