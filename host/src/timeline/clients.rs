//! Tells how the clients fare: how many operations are acknowledged, when clients wait, and the last reads.

use super::{Story, seconds};
use crate::check::Observed;
use crate::event::text::Tone;
use crate::event::{Cause, ClientId, Effect, Event, Micros};
use crate::nodes::Nodes;
use crate::scenario::Scenario;
use raftbox_abi::client::{Attempt, Operation, Outcome, Reply, Request};
use std::collections::BTreeMap;

/// How long no client gets an answer before that is worth a sentence.
const STALL: Micros = 250_000;
/// How many progress lines a run has at the most, about.
const LINES: Micros = 15;
const SECOND: Micros = 1_000_000;

/// What became of the clients' operations; sessions and the last reads are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// They were answered with success.
    pub acknowledged: u64,
    /// Every attempt was refused for good.
    pub failed: u64,
    /// Whether they took effect is not known.
    pub unknown: u64,
}

/// What a client is waiting for.
#[derive(Clone, Copy, Debug)]
struct Asked {
    operation: u64,
    since: Micros,
    attempts: u64,
    refused: u64,
    counts: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Clients {
    auditor: ClientId,
    keys: u64,
    heals: Micros,
    every: Micros,
    /// When the next progress line is due.
    due: Micros,
    asked: BTreeMap<ClientId, Asked>,
    tally: Tally,
    /// The tally at the last progress line.
    told: Tally,
    timeouts: u64,
    longest: Micros,
    answered: Option<Micros>,
    read: u64,
}

impl Clients {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let every = (scenario.duration.0 / LINES).max(SECOND).next_multiple_of(SECOND);
        Self {
            auditor: scenario.clients.count + 1,
            keys: u64::from(scenario.clients.keys) * 3,
            heals: scenario.duration.0,
            every,
            due: every,
            asked: BTreeMap::new(),
            tally: Tally::default(),
            told: Tally::default(),
            timeouts: 0,
            longest: 0,
            answered: None,
            read: 0,
        }
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// Time goes on to `at`: tells of what progress there was up to each whole second.
    pub(super) fn pass(&mut self, at: Micros, nodes: &Nodes, story: &mut Story) {
        while self.due <= at && self.due <= self.heals {
            let commit = nodes.iter().map(|(_, node)| node.commit).max().unwrap_or(0);
            let done = self.tally.acknowledged - self.told.acknowledged;
            let mut text = match done {
                0 => "no operation acknowledged".to_owned(),
                1 => "1 operation acknowledged".to_owned(),
                done => format!("{done} operations acknowledged"),
            };
            if self.every > SECOND {
                text += &format!(" in {} s", self.every / SECOND);
            }
            text += &format!(", {} in all; committed up to {commit}", self.tally.acknowledged);
            if self.longest >= STALL {
                text += &format!("; the slowest took {}", seconds(self.longest));
            }
            match self.timeouts {
                0 => {}
                1 => text += "; 1 timeout",
                count => text += &format!("; {count} timeouts"),
            }
            let (mark, tone) = if done > 0 { ('✓', Tone::Faint) } else { ('✗', Tone::Bad) };
            story.tell_of((story.event, self.due), mark, tone, text);
            (self.told, self.timeouts, self.longest) = (self.tally, 0, 0);
            self.due += self.every;
        }
    }

    pub(super) fn observe(&mut self, observed: &Observed<'_>, story: &mut Story) {
        match observed.event {
            Event::Cause(Cause::Request { client, operation, body, .. }) => {
                self.asks(*client, *operation, body, observed.at);
            }
            Event::Cause(Cause::ClientTimeout { .. }) => self.timeouts += 1,
            Event::Effect(Effect::Received { client, operation, body }) => {
                self.answers(*client, *operation, body, observed.at, story);
            }
            _ => {}
        }
    }

    fn asks(&mut self, client: ClientId, operation: u64, body: &[u8], at: Micros) {
        match self.asked.get_mut(&client) {
            Some(asked) if asked.operation == operation => asked.attempts += 1,
            _ => {
                let registers = Request::decode(body).is_some_and(|request| request.operation == Operation::Register);
                let counts = !registers && client != self.auditor;
                let asked = Asked { operation, since: at, attempts: 1, refused: 0, counts };
                if let Some(open) = self.asked.insert(client, asked) {
                    self.close(open);
                }
            }
        }
    }

    /// An operation ends without an acknowledgement.
    fn close(&mut self, asked: Asked) {
        if asked.counts && asked.refused >= asked.attempts {
            self.tally.failed += 1;
        } else if asked.counts {
            self.tally.unknown += 1;
        }
    }

    fn answers(&mut self, client: ClientId, packed: u64, body: &[u8], at: Micros, story: &mut Story) {
        let Some(asked) = self.asked.get_mut(&client) else { return };
        if Attempt::unpack(packed).operation != asked.operation {
            return;
        }
        let outcome = match Reply::decode(body) {
            Some(Reply::Ok(outcome)) => outcome,
            Some(Reply::Redirect(_) | Reply::Refused(_)) => return asked.refused += 1,
            _ => return,
        };
        let waited = at.saturating_sub(asked.since);
        if asked.counts {
            self.tally.acknowledged += 1;
        }
        self.asked.remove(&client);
        self.longest = self.longest.max(waited);
        let silent = at.saturating_sub(self.answered.unwrap_or(0));
        match self.answered.replace(at) {
            None => story.tell('✓', Tone::Good, format!("C{client} gets the first answer, after {}", seconds(waited))),
            Some(_) if silent >= STALL && waited >= STALL => {
                story.tell('✓', Tone::Good, format!("clients are answered again, after {} without", seconds(silent)));
            }
            Some(_) => {}
        }
        if client == self.auditor && matches!(outcome, Outcome::Value(_)) {
            self.read += 1;
            if self.read == self.keys {
                let text = format!("C{client} has read all {} keys, for the checkers to judge", self.keys);
                story.tell('✓', Tone::Good, text);
            }
        }
    }

    /// The run is over: what is still open stays unknown.
    pub(super) fn finish(&mut self) {
        for open in std::mem::take(&mut self.asked).into_values() {
            self.close(open);
        }
    }
}
