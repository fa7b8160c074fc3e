//! Operations of clients: when each was asked, of whom, and when and how it was answered.
//!
//! An operation returns at the first success of any attempt. It failed only if every attempt was definitely refused; else
//! its outcome is unknown, since it may have taken effect, or may yet do so (thesis, 6.3).

use super::{Moment, Seen};
use crate::event::text::{operation, reply};
use crate::event::{Cause, ClientId, Effect, Event, Micros, NodeId};
use raftbox_abi::client::{Attempt as Name, Reply, Request};
use raftbox_abi::note::{Body, ReadMode};
use std::collections::BTreeMap;

/// An answer to an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// When it arrived.
    pub moment: Moment,
    /// What it says, in words.
    pub words: Box<str>,
    /// Whether it is a success.
    pub good: bool,
}

/// An attempt of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 0.
    pub number: u64,
    /// Which node was asked.
    pub to: NodeId,
    /// When.
    pub asked: Moment,
    /// What was answered; a message may come twice.
    pub answers: Vec<Answer>,
    /// When the client stopped waiting.
    pub timeout: Option<Moment>,
}

/// A node's answer to a read, from what it had applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// When it answered.
    pub moment: Moment,
    /// Which node.
    pub node: NodeId,
    /// How it was made safe, or not.
    pub mode: ReadMode,
    /// The last index that it had applied.
    pub index: u64,
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, and returned this.
    Done(Box<str>),
    /// It had no effect, and will have none.
    Failed,
    /// Whether it had or will have an effect is not known.
    Unknown,
}

/// An operation of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Which client asks.
    pub client: ClientId,
    /// Its number among the client's, from 0.
    pub number: u64,
    /// What is asked, in words.
    pub words: Box<str>,
    /// When it was asked first.
    pub asked: Moment,
    /// Its attempts, in order.
    pub attempts: Vec<Attempt>,
    /// How nodes answered it without the log, if it is a read.
    pub reads: Vec<Read>,
    /// When it ended and how, if it did.
    pub ended: Option<(Moment, Outcome)>,
}

impl Operation {
    /// How it ended, seen from after an event; `None` while the client waits.
    #[must_use]
    pub fn outcome(&self, event: u64) -> Option<&(Moment, Outcome)> {
        self.ended.as_ref().filter(|(moment, _)| moment.event <= event)
    }

    /// The attempts that were made up to an event.
    pub fn attempts(&self, event: u64) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().take_while(move |attempt| attempt.asked.event <= event)
    }

    /// The client gives up, at the last thing that it saw of the operation.
    fn give_up(&mut self) {
        if self.ended.is_some() {
            return;
        }
        let last = |attempt: &Attempt| attempt.timeout.max(attempt.answers.last().map(|answer| answer.moment));
        let moment = self.attempts.iter().filter_map(last).max().unwrap_or(self.asked);
        let refused = self.attempts.iter().all(|attempt| {
            let mut answers = attempt.answers.iter();
            answers.any(|answer| !answer.good) && attempt.timeout.is_none()
        });
        self.ended = Some((moment, if refused { Outcome::Failed } else { Outcome::Unknown }));
    }
}

/// The operations of all clients.
#[derive(Clone, Debug, Default)]
pub struct Operations {
    clients: BTreeMap<ClientId, Vec<Operation>>,
}

impl Operations {
    /// Each client that asked something, with its operations in order.
    pub fn clients(&self) -> impl Iterator<Item = (ClientId, &[Operation])> {
        self.clients.iter().map(|(client, operations)| (*client, operations.as_slice()))
    }

    /// An operation by its name.
    #[must_use]
    pub fn get(&self, client: ClientId, number: u64) -> Option<&Operation> {
        let operations = self.clients.get(&client)?;
        operations.get(operations.binary_search_by_key(&number, |operation| operation.number).ok()?)
    }

    /// The operation that a client asked last, seen from after an event; it may have ended.
    #[must_use]
    pub fn current(&self, client: ClientId, event: u64) -> Option<&Operation> {
        let operations = self.clients.get(&client)?;
        let asked = operations.partition_point(|operation| operation.asked.event <= event);
        operations.get(asked.checked_sub(1)?)
    }

    /// The operations of a client that were open at some time between two.
    #[must_use]
    pub fn between(&self, client: ClientId, from: Micros, to: Micros) -> &[Operation] {
        let Some(operations) = self.clients.get(&client) else { return &[] };
        // A client has one at a time, so they end in the order in which they were asked.
        let over = |operation: &Operation| operation.ended.as_ref().is_some_and(|(ended, _)| ended.at < from);
        let start = operations.partition_point(over);
        let end = operations.partition_point(|operation| operation.asked.at <= to);
        &operations[start..end.max(start)]
    }

    /// Takes the next event into account.
    pub(super) fn observe(&mut self, seen: &Seen<'_>) {
        match seen.observed.event {
            Event::Cause(Cause::Request { client, operation, attempt, to, body }) if seen.moot.is_none() => {
                let attempt =
                    Attempt { number: *attempt, to: *to, asked: seen.moment(), answers: Vec::new(), timeout: None };
                self.asks(*client, *operation, attempt, body);
            }
            Event::Cause(Cause::ClientTimeout { client, operation, attempt, last }) => {
                let Some(open) = self.find(*client, *operation) else { return };
                let attempt = open.attempts.iter_mut().find(|waiting| waiting.number == *attempt);
                if let Some(attempt) = attempt {
                    attempt.timeout = Some(seen.moment());
                }
                if *last {
                    open.give_up();
                }
            }
            Event::Effect(Effect::Note { node, .. }) => {
                if let Some(Body::Read { client, operation, mode, index }) = seen.observed.note.map(|note| &note.body)
                    && let Some(open) = self.find(*client, Name::unpack(*operation).operation)
                {
                    open.reads.push(Read { moment: seen.moment(), node: *node, mode: *mode, index: *index });
                }
            }
            Event::Effect(Effect::Received { client, operation, body }) => {
                self.answered(*client, Name::unpack(*operation), body, seen.moment());
            }
            _ => {}
        }
    }

    fn find(&mut self, client: ClientId, number: u64) -> Option<&mut Operation> {
        let operations = self.clients.get_mut(&client)?;
        let place = operations.binary_search_by_key(&number, |operation| operation.number).ok()?;
        operations.get_mut(place)
    }

    fn asks(&mut self, client: ClientId, number: u64, attempt: Attempt, body: &[u8]) {
        let operations = self.clients.entry(client).or_default();
        match operations.last_mut() {
            Some(open) if open.number == number => return open.attempts.push(attempt),
            // Numbers go up, unless an enemy wrote the run.
            Some(before) if before.number > number => return,
            Some(before) => before.give_up(),
            None => {}
        }
        let words = Request::decode(body).map(|request| operation(&request.operation));
        let words = words.unwrap_or_else(|| format!("malformed, {} bytes", body.len())).into();
        let asked = attempt.asked;
        operations.push(Operation {
            client,
            number,
            words,
            asked,
            attempts: vec![attempt],
            reads: Vec::new(),
            ended: None,
        });
    }

    fn answered(&mut self, client: ClientId, name: Name, body: &[u8], moment: Moment) {
        let Some(operation) = self.find(client, name.operation) else { return };
        let decoded = Reply::decode(body);
        let good = matches!(decoded, Some(Reply::Ok(_)));
        let words: Box<str> = reply(body).into();
        if let Some(attempt) = operation.attempts.iter_mut().find(|attempt| attempt.number == name.attempt) {
            attempt.answers.push(Answer { moment, words: words.clone(), good });
        }
        if operation.ended.is_none() && good {
            operation.ended = Some((moment, Outcome::Done(words)));
        } else if operation.ended.is_none() && decoded == Some(Reply::SessionExpired) {
            operation.ended = Some((moment, Outcome::Unknown));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Observed;
    use raftbox_abi::client::{Operation as Asked, Reason};

    fn observe(operations: &mut Operations, index: u64, event: &Event<'_>) {
        let observed = Observed { index, at: index * 10, event, note: None };
        operations.observe(&Seen { observed, moot: None });
    }

    fn ask(operations: &mut Operations, index: u64, operation: u64, attempt: u64) {
        let mut body = Vec::new();
        Request { session: 1, sequence: operation, operation: Asked::Get(b"k") }.encode(&mut body);
        observe(operations, index, &Event::Cause(Cause::Request { client: 1, operation, attempt, to: 2, body }));
    }

    fn answer(operations: &mut Operations, index: u64, operation: u64, attempt: u64, reply: Reply<'_>) {
        let mut body = Vec::new();
        reply.encode(&mut body);
        let operation = Name { operation, attempt }.pack();
        observe(operations, index, &Event::Effect(Effect::Received { client: 1, operation, body: &body }));
    }

    #[test]
    fn an_operation_returns_at_the_first_success() {
        let mut operations = Operations::default();
        ask(&mut operations, 1, 0, 0);
        answer(&mut operations, 2, 0, 0, Reply::Redirect(3));
        ask(&mut operations, 3, 0, 1);
        answer(&mut operations, 5, 0, 1, Reply::Ok(raftbox_abi::client::Outcome::Done));
        let operation = operations.current(1, 4).unwrap();
        assert_eq!((operation.outcome(4), operation.attempts(2).count(), operation.attempts(3).count()), (None, 1, 2));
        assert_eq!(operation.outcome(5).unwrap(), &(Moment { event: 5, at: 50 }, Outcome::Done("done".into())));
        assert_eq!(operations.between(1, 51, 90).len(), 0);
        assert_eq!(operations.between(1, 20, 30).len(), 1);
    }

    #[test]
    fn what_was_refused_each_time_failed_and_anything_else_is_unknown() {
        let mut operations = Operations::default();
        ask(&mut operations, 1, 0, 0);
        answer(&mut operations, 2, 0, 0, Reply::Refused(Reason::LogFull));
        ask(&mut operations, 4, 1, 0);
        let timeout = |last| Event::Cause(Cause::ClientTimeout { client: 1, operation: 1, attempt: 0, last });
        observe(&mut operations, 6, &timeout(true));
        assert_eq!(operations.get(1, 0).unwrap().ended, Some((Moment { event: 2, at: 20 }, Outcome::Failed)));
        assert_eq!(operations.get(1, 1).unwrap().ended, Some((Moment { event: 6, at: 60 }, Outcome::Unknown)));
    }
}
