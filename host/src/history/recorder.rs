//! The history of a run, from what its clients asked and were answered, and from nothing that a node notes.
//!
//! An operation is asked with its first attempt and answered by the first `Ok` to any of them. If every attempt was
//! definitely refused it had no effect, and is left out (unless the network delivered an attempt twice: then one copy may
//! have been taken and the other refused); so is a read for which its client took whatever a node has
//! ([`ReadMode::Local`]), since nobody claims that of it. What has no effect on keys is no part of a history.

use super::{Answer, Call, History, Operation};
use crate::event::{Cause, ClientId, Effect, Endpoint, Event, MessageName, Micros};
use raftbox_abi::client::{Attempt, Operation as Asked, Outcome, Reply, Request};
use raftbox_abi::note::ReadMode;
use std::collections::BTreeMap;

/// Follows the clients of a run.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    operations: Vec<Operation>,
    clients: Vec<Client>,
    /// The requests that are on their way, and which attempts they are.
    requests: BTreeMap<MessageName, u64>,
    /// When each place of the history was, in order.
    times: Vec<(u64, Micros)>,
}

/// A client.
#[derive(Clone, Debug, Default)]
struct Client {
    /// Its operations that may be answered yet, in order.
    open: Vec<Open>,
    /// The number of its last operation.
    last: u64,
    /// How many operations it has left without knowing their outcome: then it is another process.
    lives: u64,
}

/// An operation that may be answered.
#[derive(Clone, Debug, Default)]
struct Open {
    operation: u64,
    /// Where it stands among all.
    place: usize,
    /// How many attempts were sent, and which were refused.
    sent: u64,
    refused: Vec<u64>,
    /// The attempts that were delivered, and whether any was twice.
    delivered: Vec<u64>,
    doubled: bool,
    /// Whether it was answered with what cannot have had an effect.
    void: bool,
}

/// Whether a message is a client's.
fn is_request(message: &MessageName) -> bool {
    matches!(message.from, Endpoint::Client(_))
}

/// What an operation asks of which key, if it is about one and is to be linearizable.
fn call<'a>(operation: &Asked<'a>) -> Option<(&'a [u8], Call)> {
    Some(match *operation {
        Asked::Get(key) => (key, Call::Get),
        Asked::Read(mode, key) if mode != ReadMode::Local => (key, Call::Get),
        Asked::Put(key, value) => (key, Call::Put(value.to_vec())),
        Asked::Delete(key) => (key, Call::Delete),
        Asked::CompareAndSet(key, old, new) => (key, Call::CompareAndSet(old.map(<[u8]>::to_vec), new.to_vec())),
        Asked::Append(key, value) => (key, Call::Append(value.to_vec())),
        Asked::Increment(key, by) => (key, Call::Increment(by)),
        _ => return None,
    })
}

/// The answer, if it is one that the operation can have.
fn answer(call: &Call, outcome: Outcome<'_>) -> Option<Answer> {
    match (call, outcome) {
        (Call::Get, Outcome::Value(value)) => Some(Answer::Value(value.map(<[u8]>::to_vec))),
        (Call::Put(_) | Call::Delete, Outcome::Done) => Some(Answer::Done),
        (Call::CompareAndSet(..), Outcome::Swapped(swapped)) => Some(Answer::Swapped(swapped)),
        (Call::Append(_), Outcome::Length(length)) => Some(Answer::Length(length)),
        (Call::Increment(_), Outcome::Number(number)) => Some(Answer::Number(number)),
        _ => None,
    }
}

impl Recorder {
    /// Takes the event of that number, at that time, into account.
    pub fn observe(&mut self, index: u64, at: Micros, event: &Event<'_>) {
        let matters = match event {
            Event::Cause(Cause::Request { client, operation, attempt, body, .. }) => {
                self.request(index, *client, *operation, *attempt, body)
            }
            Event::Effect(Effect::Sent { message, operation, .. }) if is_request(message) => {
                self.requests.insert(*message, *operation);
                false
            }
            Event::Cause(Cause::Deliver { message, keep, .. }) if is_request(message) => {
                self.delivered(*message, *keep);
                false
            }
            Event::Cause(Cause::Lose { message, keep: false }) if is_request(message) => {
                self.requests.remove(message);
                false
            }
            Event::Effect(Effect::Received { client, operation, body }) => {
                self.received(index, *client, Attempt::unpack(*operation), body)
            }
            _ => false,
        };
        if matters {
            self.times.push((index, at));
        }
    }

    fn delivered(&mut self, message: MessageName, keep: bool) {
        let found = if keep { self.requests.get(&message).copied() } else { self.requests.remove(&message) };
        let (Some(operation), Endpoint::Client(client)) = (found, message.from) else { return };
        let attempt = Attempt::unpack(operation);
        let client = self.client(client);
        if let Ok(place) = client.place(attempt.operation) {
            let open = &mut client.open[place];
            open.doubled |= open.delivered.contains(&attempt.attempt);
            open.delivered.push(attempt.attempt);
        }
    }

    /// When a place of the history was.
    #[must_use]
    pub fn time(&self, place: u64) -> Micros {
        let found = self.times.binary_search_by_key(&place, |(place, _)| *place);
        found.map_or(0, |found| self.times[found].1)
    }

    fn client(&mut self, client: ClientId) -> &mut Client {
        let place = client as usize;
        if self.clients.len() <= place {
            self.clients.resize_with(place + 1, Client::default);
        }
        &mut self.clients[place]
    }

    /// Whether it is the first attempt of an operation that matters.
    fn request(&mut self, index: u64, id: ClientId, operation: u64, attempt: u64, body: &[u8]) -> bool {
        let place = self.operations.len();
        let client = self.client(id);
        if let Ok(open) = client.place(operation) {
            let open = &mut client.open[open];
            open.sent = open.sent.max(attempt + 1);
            return false;
        }
        if attempt > 0 {
            // It was answered already.
            return false;
        }
        let Some((key, call)) = Request::decode(body).and_then(|request| call(&request.operation)) else {
            return false;
        };
        // What it gave up on may take effect even now; so it is somebody else from here on.
        let left = client.open.last().is_some_and(|open| open.operation == client.last && !open.is_refused());
        client.lives += u64::from(left);
        client.last = operation;
        client.open.push(Open { operation, place, sent: 1, ..Open::default() });
        let process = u64::from(id) + client.lives * PROCESSES;
        self.operations.push(Operation { process, key: key.to_vec(), call, asked: index, answered: None });
        true
    }

    /// Whether it is the answer to an operation that matters.
    fn received(&mut self, index: u64, client: ClientId, attempt: Attempt, body: &[u8]) -> bool {
        let Some(client) = self.clients.get_mut(client as usize) else { return false };
        let Ok(place) = client.place(attempt.operation) else { return false };
        let open = &mut client.open[place];
        match Reply::decode(body) {
            Some(Reply::Ok(outcome)) => {
                let operation = &mut self.operations[open.place];
                match answer(&operation.call, outcome) {
                    Some(answer) => {
                        operation.answered = Some((index, answer));
                        client.open.remove(place);
                        return true;
                    }
                    None if outcome == Outcome::Undefined => open.void = true,
                    // Nothing can be made of it, so the outcome stays open.
                    None => {}
                }
            }
            Some(Reply::Redirect(_) | Reply::Refused(_)) if !open.refused.contains(&attempt.attempt) => {
                open.refused.push(attempt.attempt);
            }
            _ => {}
        }
        false
    }

    /// The history so far.
    #[must_use]
    pub fn history(&self) -> History {
        let open = self.clients.iter().flat_map(|client| &client.open);
        let mut refused: Vec<usize> = open.filter(|open| open.is_refused()).map(|open| open.place).collect();
        refused.sort_unstable();
        let there = |(place, _): &(usize, &Operation)| refused.binary_search(place).is_err();
        let operations = self.operations.iter().enumerate().filter(there).map(|(_, operation)| operation.clone());
        History { operations: operations.collect(), empty_is_absent: false }
    }
}

/// Clients are numbered below this, and a client that is another process counts on by it.
const PROCESSES: u64 = 100;

impl Client {
    /// Where an operation stands among those that may be answered, or would.
    fn place(&self, operation: u64) -> Result<usize, usize> {
        self.open.binary_search_by_key(&operation, |open| open.operation)
    }
}

impl Open {
    /// Whether it certainly had no effect.
    fn is_refused(&self) -> bool {
        self.void || self.refused.len() as u64 == self.sent && !self.doubled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client's operations, one after the other, each with the replies to its attempts.
    fn history(operations: &[(Asked<'_>, &[Option<Reply<'_>>])]) -> History {
        let (mut recorder, mut index) = (Recorder::default(), 0);
        for (number, (operation, replies)) in (0..).zip(operations) {
            for (attempt, reply) in (0..).zip(*replies) {
                let mut body = Vec::new();
                Request { session: 1, sequence: 1, operation: *operation }.encode(&mut body);
                let asked = Cause::Request { client: 1, operation: number, attempt, to: 1, body };
                recorder.observe(index, 0, &Event::Cause(asked));
                if let Some(reply) = reply {
                    let mut body = Vec::new();
                    reply.encode(&mut body);
                    let operation = Attempt { operation: number, attempt }.pack();
                    recorder.observe(
                        index + 1,
                        0,
                        &Event::Effect(Effect::Received { client: 1, operation, body: &body }),
                    );
                }
                index += 2;
            }
        }
        recorder.history()
    }

    #[test]
    fn an_operation_is_answered_by_the_first_success_and_asked_by_its_first_attempt() {
        let done = Reply::Ok(Outcome::Done);
        let history = history(&[(Asked::Delete(b"k"), &[Some(Reply::Redirect(2)), Some(done), Some(done)])]);
        let [operation] = history.operations.as_slice() else { panic!("{history:?}") };
        assert_eq!((operation.asked, operation.answered.clone()), (0, Some((3, Answer::Done))));
    }

    #[test]
    fn what_was_refused_each_time_is_not_there_and_what_was_once_not_answered_is_open() {
        let no = Some(Reply::Redirect(0));
        let undefined = Some(Reply::Ok(Outcome::Undefined));
        let history = history(&[
            (Asked::Delete(b"refused"), &[no, no]),
            (Asked::Delete(b"undefined"), &[undefined]),
            (Asked::Delete(b"open"), &[no, None]),
            (Asked::Delete(b"next"), &[Some(Reply::Ok(Outcome::Done))]),
        ]);
        let keys: Vec<_> = history.operations.iter().map(|one| (one.key.as_slice(), one.process)).collect();
        assert_eq!(keys, [(&b"open"[..], 1), (b"next", 101)]);
        assert_eq!(history.operations[0].answered, None);
    }

    #[test]
    fn a_read_of_whatever_is_there_claims_nothing() {
        let value = Some(Reply::Ok(Outcome::Value(None)));
        let history =
            history(&[(Asked::Read(ReadMode::Local, b"k"), &[value]), (Asked::Read(ReadMode::Lease, b"k"), &[value])]);
        assert_eq!(history.operations.len(), 1);
    }
}
