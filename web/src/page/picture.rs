//! What is drawn at an event, as plain values: taken from the view, and compared with what was drawn before, so that only
//! what differs is touched.

use super::session::Session;
use raftbox::event::{Endpoint, MessageName, Micros, NodeId};
use raftbox::nodes::State;
use raftbox::view::message::{Shape, What};
use raftbox::view::node::Vote;
use raftbox_abi::note::Role;
use std::sync::Arc;

/// One node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) state: State,
    pub(crate) role: Option<Role>,
    pub(crate) term: u64,
    pub(crate) vote: String,
    pub(crate) last: u64,
    pub(crate) durable: u64,
    pub(crate) commit: u64,
    pub(crate) applied: u64,
    /// When the alarm was set and when it rings.
    pub(crate) alarm: Option<(Micros, Micros)>,
    pub(crate) ppm: i32,
}

impl Node {
    /// Whether it is up and leads.
    pub(crate) fn leads(&self) -> bool {
        self.role == Some(Role::Leader) && self.state.is_up()
    }

    /// Its role as a word, or its state if it has none.
    pub(crate) fn word(&self) -> &'static str {
        match (self.state, self.role) {
            (State::Up, Some(role)) => role.word(),
            (state, _) => state.word(),
        }
    }
}

/// A message on its way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flight {
    pub(crate) name: MessageName,
    pub(crate) shape: Shape,
    /// Whether it grants or refuses something.
    pub(crate) grants: Option<bool>,
    pub(crate) words: Arc<str>,
    pub(crate) sent: Micros,
    /// When something becomes of it, if that is known; and whether that is its loss.
    pub(crate) ends: Option<(Micros, bool)>,
    /// Whether a copy of it has arrived already.
    pub(crate) again: bool,
    /// Whether a copy of it goes on after that.
    pub(crate) more: bool,
    /// Whether one that was sent later on its link has arrived.
    pub(crate) overtaken: bool,
}

impl Flight {
    /// What it is and what will become of it, in words.
    pub(crate) fn told(&self) -> String {
        let (name, words) = (self.name, &self.words);
        let lost = self.ends.is_some_and(|(_, lost)| lost);
        let besides = [
            (lost, "; it will be lost"),
            (self.again, "; a copy has arrived already"),
            (self.more, "; a further copy will come"),
        ];
        let besides: String = besides.iter().filter(|(is, _)| *is).map(|(_, words)| *words).collect();
        format!("{name}: {words}{besides}")
    }
}

/// A client.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Client {
    pub(crate) id: u32,
    /// What it waits for, or how the last thing that it asked ended.
    pub(crate) words: String,
    pub(crate) waits: bool,
}

/// All that is drawn of the cluster after an event.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Picture {
    pub(crate) events: u64,
    pub(crate) at: Micros,
    pub(crate) nodes: Vec<Node>,
    pub(crate) clients: Vec<Client>,
    pub(crate) cuts: Vec<(Endpoint, Endpoint)>,
    pub(crate) flights: Vec<Flight>,
}

/// How many clients are drawn.
const CLIENTS_SHOWN: u32 = 8;
/// How many messages are drawn at the most.
const FLIGHTS_SHOWN: usize = 400;

impl Picture {
    /// The picture when so many events had happened.
    pub(crate) fn of(session: &mut Session, events: u64) -> Self {
        let count = session.header().plan.scenario.clients.count.min(CLIENTS_SHOWN);
        let (view, recording) = session.seen(events);
        let tables = recording.tables();
        let last = events.saturating_sub(1);
        let nodes = view.nodes().map(|(id, node)| Node {
            id,
            state: node.noted.state,
            role: node.noted.role,
            term: node.noted.term,
            vote: match node.vote() {
                Vote::None => String::new(),
                Vote::Durable(voted) => format!("S{voted}"),
                Vote::Pending => "itself, not on disk".to_owned(),
            },
            last: node.noted.log.last(),
            durable: node.noted.durable,
            commit: node.noted.commit,
            applied: node.noted.applied,
            alarm: node.alarm.and_then(|alarm| Some((alarm.set, alarm.rings?))),
            ppm: node.clock.ppm(),
        });
        let flight = |name: &MessageName| {
            let message = tables.messages.get(*name)?;
            let next = if events == 0 { None } else { message.next(last) };
            let lost = |what: What| matches!(what, What::Lost | What::Ignored(_));
            Some(Flight {
                name: *name,
                shape: message.shape(),
                grants: message.grants,
                words: Arc::clone(&message.words),
                sent: message.sent.at,
                ends: next.map(|fate| (fate.moment.at, lost(fate.what))),
                again: events > 0 && message.has_arrived(last),
                more: next.is_some_and(|fate| fate.keep && !lost(fate.what)),
                overtaken: events > 0 && tables.messages.is_overtaken(*name, last),
            })
        };
        let client = |id| {
            let current = tables.operations.current(id, last).filter(|_| events > 0);
            let waits = current.is_some_and(|operation| operation.outcome(last).is_none());
            let words = current.map_or_else(
                || "has asked nothing".to_owned(),
                |operation| match operation.outcome(last) {
                    None => format!("waits for {}", operation.words),
                    Some((_, outcome)) => format!("{}: {}", operation.words, outcome_words(outcome)),
                },
            );
            Client { id, words, waits }
        };
        Self {
            events,
            at: view.at(),
            nodes: nodes.collect(),
            clients: (1..=count).map(client).collect(),
            cuts: view.cuts.iter().collect(),
            flights: view.mail.iter().filter_map(flight).take(FLIGHTS_SHOWN).collect(),
        }
    }
}

/// How an operation ended, in words.
pub(crate) fn outcome_words(outcome: &raftbox::view::client::Outcome) -> String {
    use raftbox::view::client::Outcome;
    match outcome {
        Outcome::Done(words) => words.to_string(),
        Outcome::Failed => "failed, without effect".to_owned(),
        Outcome::Unknown => "nobody knows whether it took effect".to_owned(),
    }
}
