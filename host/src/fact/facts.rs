//! What is known of a run so far: a fold over its events.

use super::{OfNode, Quantity, Value};
use crate::check::Observed;
use crate::event::{Cause, ClientId, Effect, Event, Micros, NodeId};
use crate::nodes::{Nodes, State};
use crate::units::Span;
use raftbox_abi::client::{Attempt, Operation, Outcome, Reply, Request};
use raftbox_abi::note::{Body, Refusal, Role};

/// What a node has done so far.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    votes_refused: u64,
    appends_refused: u64,
    requests_refused: u64,
    dropped: u64,
    installed: u64,
}

/// A client's last operation, and what it returned; registrations are none.
#[derive(Clone, Debug)]
struct Asked {
    operation: u64,
    answer: Option<String>,
}

/// The answer of a node that refuses.
const REFUSED: &str = "refused";

/// What is known of a run so far.
#[derive(Clone, Debug)]
pub struct Facts {
    nodes: Nodes,
    counts: Vec<Counts>,
    /// Who led a term first. Lists that are searched are enough for the few there are, and less code than trees.
    winners: Vec<(u64, NodeId)>,
    elections: u64,
    asked: Vec<(ClientId, Asked)>,
    /// Since when nobody leads, and how long nobody did before.
    leaderless: (Option<Micros>, Micros),
    at: Micros,
}

impl Facts {
    /// A run of so many nodes, before its first event.
    #[must_use]
    pub fn new(nodes: NodeId) -> Self {
        Self {
            nodes: Nodes::new(nodes),
            counts: vec![Counts::default(); nodes as usize],
            winners: Vec::new(),
            elections: 0,
            asked: Vec::new(),
            leaderless: (None, 0),
            at: 0,
        }
    }

    /// Takes the next event into account.
    pub fn observe(&mut self, observed: &Observed<'_>) {
        self.at = observed.at;
        match observed.event {
            Event::Cause(Cause::Request { client, operation, body, .. }) => self.asks(*client, *operation, body),
            Event::Cause(Cause::ClientTimeout { client, operation, last: true, .. }) => {
                self.answered(*client, *operation, || Some("unknown".into()));
            }
            Event::Effect(Effect::Received { client, operation, body }) => {
                let Attempt { operation, .. } = Attempt::unpack(*operation);
                self.answered(*client, operation, || answer(body));
            }
            Event::Effect(Effect::Note { node, .. }) => {
                if let Some(note) = observed.note.filter(|note| note.group == 0) {
                    self.note(*node, &note.body);
                }
            }
            _ => {}
        }
        self.nodes.observe(observed);
        let leads = self.nodes.iter().any(|(_, node)| node.role == Some(Role::Leader));
        match (self.leaderless.0, leads) {
            (None, false) if self.elections > 0 => self.leaderless.0 = Some(self.at),
            (Some(since), true) => self.leaderless = (None, self.leaderless.1 + (self.at - since)),
            _ => {}
        }
    }

    fn asks(&mut self, client: ClientId, operation: u64, body: &[u8]) {
        let registers = Request::decode(body).is_none_or(|request| request.operation == Operation::Register);
        if !registers {
            // Asked again, it has no answer again.
            self.asked.retain(|(id, _)| *id != client);
            self.asked.push((client, Asked { operation, answer: None }));
        }
    }

    fn answered(&mut self, client: ClientId, operation: u64, answer: impl FnOnce() -> Option<String>) {
        if let Some((_, asked)) = self.asked.iter_mut().find(|(id, _)| *id == client)
            && asked.operation == operation
            // An earlier attempt may be refused, and a later one yet succeed.
            && asked.answer.as_deref().is_none_or(|answer| answer == REFUSED)
        {
            asked.answer = answer().or_else(|| asked.answer.take());
        }
    }

    fn note(&mut self, node: NodeId, body: &Body) {
        let last = self.nodes.get(node).map_or(0, |node| node.log.last());
        let count = |node: NodeId| (node as usize).wrapping_sub(1);
        match *body {
            Body::Role { role: Role::Leader, term, .. } => {
                if self.winner(term).is_none() {
                    self.winners.push((term, node));
                }
                self.elections += 1;
            }
            Body::Refused { peer, refusal } => {
                use Refusal as R;
                let (whose, what): (_, fn(&mut Counts) -> &mut u64) = match refusal {
                    R::VoteStaleTerm { .. }
                    | R::VoteTaken { .. }
                    | R::VoteOlderLog { .. }
                    | R::VoteLeaderAlive { .. }
                    | R::VotePromised { .. } => (peer, |counts| &mut counts.votes_refused),
                    R::AppendStaleTerm { .. } | R::AppendGap { .. } | R::AppendMismatch { .. } => {
                        (node, |counts| &mut counts.appends_refused)
                    }
                    _ if peer == 0 => (node, |counts| &mut counts.requests_refused),
                    _ => return,
                };
                if let Some(counts) = self.counts.get_mut(count(whose)) {
                    *what(counts) += 1;
                }
            }
            Body::Truncate { from } => {
                if let Some(counts) = self.counts.get_mut(count(node)) {
                    counts.dropped += (last + 1).saturating_sub(from);
                }
            }
            Body::Install { .. } => {
                if let Some(counts) = self.counts.get_mut(count(node)) {
                    counts.installed += 1;
                }
            }
            _ => {}
        }
    }

    fn winner(&self, term: u64) -> Option<NodeId> {
        self.winners.iter().find(|(of, _)| *of == term).map(|(_, node)| *node)
    }

    /// What a quantity is now.
    #[must_use]
    pub fn value(&self, quantity: Quantity) -> Value {
        match quantity {
            Quantity::Winner(term) => Value::Node(self.winner(term)),
            Quantity::Elections => Value::Number(self.elections),
            Quantity::Node(what, node) => self.of_node(what, node),
            Quantity::Entry(index, node) => Value::Number(self.nodes.get(node).map_or(0, |node| node.log.term(index))),
            Quantity::Answer(client) => {
                let asked = self.asked.iter().find(|(id, _)| *id == client);
                let answer = asked.and_then(|(_, asked)| asked.answer.clone());
                Value::Text(answer.unwrap_or_else(|| "none".into()))
            }
            Quantity::Leaderless => {
                let (since, before) = self.leaderless;
                Value::Time(Span(before + since.map_or(0, |since| self.at - since)))
            }
        }
    }

    fn of_node(&self, what: OfNode, id: NodeId) -> Value {
        let (Some(node), Some(counts)) = (self.nodes.get(id), self.counts.get((id as usize).wrapping_sub(1))) else {
            return Value::Text("no such node".into());
        };
        Value::Number(match what {
            OfNode::Role => {
                let role = node.role.map_or("down", Role::word);
                let word = if node.state == State::Paused { "paused" } else { role };
                return Value::Text(word.into());
            }
            OfNode::Leader => return Value::Node(Some(node.leader).filter(|leader| *leader != 0)),
            OfNode::Term => node.term,
            OfNode::Log => node.log.last(),
            OfNode::Commit => node.commit,
            OfNode::Applied => node.applied,
            OfNode::VotesRefused => counts.votes_refused,
            OfNode::AppendsRefused => counts.appends_refused,
            OfNode::RequestsRefused => counts.requests_refused,
            OfNode::Dropped => counts.dropped,
            OfNode::Installed => counts.installed,
        })
    }
}

/// What a client is told, in words; `None` if that cannot be read.
fn answer(body: &[u8]) -> Option<String> {
    Some(match Reply::decode(body)? {
        Reply::Ok(outcome) => match outcome {
            Outcome::Done => "done".into(),
            Outcome::Session(_) => return None,
            Outcome::Value(None) => "nothing".into(),
            Outcome::Value(Some(value)) => String::from_utf8_lossy(value).into_owned(),
            Outcome::Swapped(swapped) => if swapped { "swapped" } else { "not swapped" }.into(),
            Outcome::Length(length) => length.to_string(),
            Outcome::Number(number) => number.to_string(),
            Outcome::Undefined => "undefined".into(),
        },
        Reply::Redirect(_) | Reply::Refused(_) => REFUSED.into(),
        Reply::SessionExpired => "unknown".into(),
    })
}
