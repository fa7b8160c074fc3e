//! Writes that were acknowledged are there in the end, once.
//!
//! This is judged from what clients asked and were answered, and from nothing that a node notes: a lying guest cannot
//! silence it. A key whose name begins with `a` gets only appends, of values that end with `;`; one that begins with `c`
//! gets only increments, by more than 0. At the end of a run an *auditor*, the client with the highest number, reads every
//! key through the log, and its last answer for a key is compared with what was asked of it:
//!
//! * an append that was acknowledged before that read was asked is there exactly once, any other append that was ever
//!   asked at most once, and nothing else is there;
//! * a counter is at least the sum of the increments that were acknowledged before, and exceeds it at most by all others
//!   that were ever asked.
//!
//! An operation is acknowledged by the first `Ok` to any of its attempts. As later reads replace earlier ones, only the
//! end of a run tells, so this property has no violation before [`verdict`](AcknowledgedWrites::verdict).

use super::Observed;
use super::verdict::Verdict;
use crate::event::{Cause, ClientId, Effect, Event, Micros};
use raftbox_abi::client::{Attempt, Operation, Outcome, Reply, Request};
use std::collections::BTreeMap;
use std::ops::Range;

/// Where a key is among [`AcknowledgedWrites::keys`].
type KeyId = usize;

/// Judges the end of a run by its clients' writes.
#[derive(Clone, Debug, Default)]
pub(super) struct AcknowledgedWrites {
    auditor: ClientId,
    /// Each client's operations, by number.
    clients: Vec<Vec<(u64, Asked)>>,
    /// How many operations each client had asked when the auditor began.
    before_audit: Vec<usize>,
    names: BTreeMap<Vec<u8>, KeyId>,
    keys: Vec<Key>,
    /// The tokens of all appends.
    tokens: Vec<u8>,
}

/// A key and what was asked of it.
#[derive(Clone, Debug, Default)]
struct Key {
    appends: Vec<(Range<usize>, Option<u64>)>,
    increments: Vec<(i64, Option<u64>)>,
    /// Why nothing can be said of it.
    foreign: Option<&'static str>,
    read: Option<Read>,
}

/// What the auditor read.
#[derive(Clone, Debug, Default)]
struct Read {
    asked: u64,
    event: u64,
    at: Micros,
    value: Vec<u8>,
}

/// What an operation asked for.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Append(KeyId, usize),
    Increment(KeyId, usize),
    /// A read of the auditor's, asked in that event.
    Read(KeyId, u64),
    Other,
}

impl AcknowledgedWrites {
    pub(super) fn new(clients: u32) -> Self {
        Self { auditor: clients, clients: (0..clients).map(|_| Vec::new()).collect(), ..Self::default() }
    }

    pub(super) fn observe(&mut self, observed: &Observed<'_>) {
        match observed.event {
            Event::Cause(Cause::Request { client, operation, body, .. }) => {
                self.request(observed.index, *client, *operation, body);
            }
            Event::Effect(Effect::Received { client, operation, body }) => {
                let operation = Attempt::unpack(*operation).operation;
                if let Some(Reply::Ok(outcome)) = Reply::decode(body) {
                    self.acknowledged(observed, *client, operation, outcome);
                }
            }
            _ => {}
        }
    }

    /// The place of an operation among its client's: where it is, or where it belongs.
    fn place(&self, client: ClientId, operation: u64) -> Option<(usize, Result<usize, usize>)> {
        let client = usize::try_from(client).ok()?.checked_sub(1)?;
        let operations = self.clients.get(client)?;
        let place = match operations.last() {
            Some((last, _)) if *last < operation => Err(operations.len()),
            _ => operations.binary_search_by_key(&operation, |(operation, _)| *operation),
        };
        Some((client, place))
    }

    fn request(&mut self, event: u64, client: ClientId, operation: u64, body: &[u8]) {
        let Some((place, Err(slot))) = self.place(client, operation) else {
            return;
        };
        if client == self.auditor && self.before_audit.is_empty() {
            self.before_audit = self.clients.iter().map(Vec::len).collect();
            // Its own are no others'.
            self.before_audit[place] = 0;
        }
        let asked = match Request::decode(body).map(|request| request.operation) {
            Some(Operation::Append(key, value)) if key.starts_with(b"a") => self.append(key, value),
            Some(Operation::Increment(key, by)) if key.starts_with(b"c") => self.increment(key, by),
            Some(Operation::Get(key)) if client == self.auditor && is_judged(key) => Asked::Read(self.key(key), event),
            Some(
                Operation::Put(key, _)
                | Operation::Delete(key)
                | Operation::CompareAndSet(key, ..)
                | Operation::Append(key, _)
                | Operation::Increment(key, _),
            ) if is_judged(key) => {
                let key = self.key(key);
                self.keys[key].foreign = Some("was written by other operations too");
                Asked::Other
            }
            _ => Asked::Other,
        };
        self.clients[place].insert(slot, (operation, asked));
    }

    fn append(&mut self, name: &[u8], value: &[u8]) -> Asked {
        let key = self.key(name);
        match value.split_last() {
            Some((b';', token)) if !token.contains(&b';') => {
                let start = self.tokens.len();
                self.tokens.extend_from_slice(token);
                self.keys[key].appends.push((start..self.tokens.len(), None));
                Asked::Append(key, self.keys[key].appends.len() - 1)
            }
            _ => {
                self.keys[key].foreign = Some("got an append that is not one value and one `;`");
                Asked::Other
            }
        }
    }

    fn increment(&mut self, name: &[u8], by: i64) -> Asked {
        let key = self.key(name);
        if by <= 0 {
            self.keys[key].foreign = Some("got an increment that is not positive");
            return Asked::Other;
        }
        self.keys[key].increments.push((by, None));
        Asked::Increment(key, self.keys[key].increments.len() - 1)
    }

    fn key(&mut self, name: &[u8]) -> KeyId {
        if let Some(key) = self.names.get(name) {
            return *key;
        }
        self.names.insert(name.to_vec(), self.keys.len());
        self.keys.push(Key::default());
        self.keys.len() - 1
    }

    fn acknowledged(&mut self, observed: &Observed<'_>, client: ClientId, operation: u64, outcome: Outcome<'_>) {
        let Some((place, Ok(slot))) = self.place(client, operation) else {
            return;
        };
        // An operation that is not defined on what is there took no effect, and its attempts are as if lost. One that is
        // answered when the auditor reads, and was asked before, is one that its client had given up.
        let given_up = self.before_audit.get(place).is_some_and(|count| slot < *count);
        let event = (outcome != Outcome::Undefined && !given_up).then_some(observed.index);
        match self.clients[place][slot].1 {
            Asked::Append(key, place) => {
                let acknowledged = &mut self.keys[key].appends[place].1;
                *acknowledged = acknowledged.or(event);
            }
            Asked::Increment(key, place) => {
                let acknowledged = &mut self.keys[key].increments[place].1;
                *acknowledged = acknowledged.or(event);
            }
            Asked::Read(key, asked) => {
                if let Outcome::Value(value) = outcome {
                    let read = self.keys[key].read.get_or_insert_default();
                    (read.asked, read.event, read.at) = (asked, observed.index, observed.at);
                    read.value.clear();
                    read.value.extend_from_slice(value.unwrap_or_default());
                }
            }
            Asked::Other => {}
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        let mut worst = None;
        let mut acknowledged = false;
        for (name, key) in &self.names {
            let key = &self.keys[*key];
            acknowledged |= key.last_acknowledged().is_some();
            let name = String::from_utf8_lossy(name);
            let verdict = self.judge(&name, key);
            // The gravest verdict counts; among violations, the earliest.
            if rank(&verdict) < worst.as_ref().map_or(rank(&Verdict::Pass), rank) {
                worst = Some(verdict);
            }
        }
        match worst {
            Some(verdict) => verdict,
            None if acknowledged => Verdict::Pass,
            None => Verdict::Unobserved { missing: "an acknowledged append or increment".into() },
        }
    }

    fn judge(&self, name: &str, key: &Key) -> Verdict {
        if let Some(why) = key.foreign {
            return Verdict::Unknown { why: format!("key {name} {why}") };
        }
        let last = key.last_acknowledged();
        let Some(read) = &key.read else {
            return match last {
                None => Verdict::Pass,
                Some(_) => unread(name),
            };
        };
        let wrong = if name.starts_with('a') { self.wrong_tokens(key, read) } else { wrong_number(key, read) };
        match wrong {
            Some(wrong) => Verdict::Violated {
                event: read.event,
                at: read.at,
                what: format!("the last read of key {name} {wrong}"),
            },
            None if last.is_some_and(|last| last > read.asked) => unread(name),
            None => Verdict::Pass,
        }
    }

    fn wrong_tokens(&self, key: &Key, read: &Read) -> Option<String> {
        // For each token: how often it is there, how often it must be, how often it may be.
        let mut counts: BTreeMap<&[u8], (u64, u64, u64)> = BTreeMap::new();
        for (range, acknowledged) in &key.appends {
            let count = counts.entry(&self.tokens[range.clone()]).or_default();
            count.1 += u64::from(acknowledged.is_some_and(|event| event < read.asked));
            count.2 += 1;
        }
        let mut there = read.value.split(|byte| *byte == b';').peekable();
        while let Some(token) = there.next() {
            if there.peek().is_none() {
                if token.is_empty() {
                    break;
                }
                let token = token.escape_ascii();
                return Some(format!("ends with \"{token}\", which is not a whole value"));
            }
            match counts.get_mut(token) {
                Some(count) => count.0 += 1,
                None => {
                    let token = token.escape_ascii();
                    return Some(format!("shows \"{token};\", which nobody ever appended"));
                }
            }
        }
        counts.into_iter().find_map(|(token, (there, least, most))| {
            let token = token.escape_ascii();
            if there < least {
                Some(format!("lacks \"{token};\", an append that was acknowledged"))
            } else if there > most {
                let (there, most) = (times(there), times(most));
                Some(format!("shows \"{token};\" {there}, but it was asked for only {most}"))
            } else {
                None
            }
        })
    }
}

impl Key {
    /// The event of the last acknowledgement of a write.
    fn last_acknowledged(&self) -> Option<u64> {
        let appends = self.appends.iter().filter_map(|(_, event)| *event);
        let increments = self.increments.iter().filter_map(|(_, event)| *event);
        appends.chain(increments).max()
    }
}

fn wrong_number(key: &Key, read: &Read) -> Option<String> {
    let number: Option<i64> = match &read.value[..] {
        b"" => Some(0),
        value => str::from_utf8(value).ok().and_then(|value| value.parse().ok()),
    };
    let Some(number) = number.map(i128::from) else {
        return Some(format!("shows \"{}\", which is no number", read.value.escape_ascii()));
    };
    let (mut least, mut most) = (0_i128, 0_i128);
    for (by, acknowledged) in &key.increments {
        most += i128::from(*by);
        if acknowledged.is_some_and(|event| event < read.asked) {
            least += i128::from(*by);
        }
    }
    if number < least {
        Some(format!("shows {number}, but increments by {least} in all were acknowledged"))
    } else if number > most {
        Some(format!("shows {number}, but increments by only {most} in all were ever asked"))
    } else {
        None
    }
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{count} times"),
    }
}

fn unread(name: &str) -> Verdict {
    let missing = format!("a read of key {name} by the auditor after the last acknowledged write to it");
    Verdict::Unobserved { missing }
}

/// The lower, the graver.
fn rank(verdict: &Verdict) -> (u8, u64) {
    match verdict {
        Verdict::Violated { event, .. } => (0, *event),
        Verdict::Unknown { .. } => (1, 0),
        Verdict::Unobserved { .. } => (2, 0),
        Verdict::Pass => (3, 0),
    }
}

/// Whether the key is one of those that are judged.
fn is_judged(key: &[u8]) -> bool {
    matches!(key.first(), Some(b'a' | b'c'))
}
