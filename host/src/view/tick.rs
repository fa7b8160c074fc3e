//! The events that are worth a jump: elections, commits, faults, repairs, violations, and clients that get no answer.

use super::{Moment, Seen, View, in_order};
use crate::check::Verdict;
use crate::event::text::clock;
use crate::event::{Cause, Decision, Effect, Event};
use raftbox_abi::client::{Attempt, Reply};
use raftbox_abi::note::{Body, Role};
use std::collections::BTreeMap;

/// What kind of event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A node is elected leader.
    Election,
    /// The commit index of the cluster moves: each index is committed once.
    Commit,
    /// Something breaks.
    Fault,
    /// Something works again.
    Repair,
    /// A property does not hold.
    Violation,
    /// A client is refused for good, or gives up.
    Client,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Election, Self::Commit, Self::Fault, Self::Repair, Self::Violation, Self::Client];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Election => "election",
            Self::Commit => "commit",
            Self::Fault => "fault",
            Self::Repair => "repair",
            Self::Violation => "violation",
            Self::Client => "client",
        }
    }
}

/// An event that is worth a jump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Which event.
    pub moment: Moment,
    /// What it is, in a few words.
    pub text: Box<str>,
}

/// The ticks of a run, by kind, each in order.
#[derive(Clone, Debug, Default)]
pub struct Ticks {
    kinds: BTreeMap<Kind, Vec<Tick>>,
    /// The moment and the way of the last link that changed: those that change together are one tick.
    links: Option<(u64, bool)>,
}

impl Ticks {
    /// All of a kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> &[Tick] {
        self.kinds.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// The first of a kind after an event.
    #[must_use]
    pub fn next(&self, kind: Kind, event: u64) -> Option<&Tick> {
        let ticks = self.of(kind);
        ticks.get(ticks.partition_point(|tick| tick.moment.event <= event))
    }

    /// The last of a kind before an event.
    #[must_use]
    pub fn previous(&self, kind: Kind, event: u64) -> Option<&Tick> {
        let ticks = self.of(kind);
        ticks.get(ticks.partition_point(|tick| tick.moment.event < event).checked_sub(1)?)
    }

    fn tick(&mut self, kind: Kind, moment: Moment, text: impl Into<Box<str>>) {
        self.kinds.entry(kind).or_default().push(Tick { moment, text: text.into() });
    }

    /// What the checkers say of the run so far takes the place of what they said before.
    pub(super) fn judge(&mut self, verdicts: &[(&'static str, Verdict)]) {
        let violated = verdicts.iter().filter_map(|(property, verdict)| match verdict {
            Verdict::Violated { event, at, what } => {
                let text = format!("{property} is violated: {what}").into();
                Some(Tick { moment: Moment { event: *event, at: *at }, text })
            }
            _ => None,
        });
        self.kinds.insert(Kind::Violation, in_order(violated.collect(), |tick| tick.moment.event));
    }

    /// Takes the next event into account; `before` is the state before it.
    pub(super) fn observe(&mut self, seen: &Seen<'_>, before: &View) {
        let moment = seen.moment();
        match seen.observed.event {
            Event::Cause(cause) if seen.moot.is_none() => self.cause(cause, moment, before),
            Event::Cause(_) => {}
            Event::Effect(Effect::Halted { node, .. }) => {
                self.tick(Kind::Fault, moment, format!("S{node} stops itself"));
            }
            Event::Effect(Effect::Trapped { node }) => self.tick(Kind::Fault, moment, format!("S{node} traps")),
            Event::Effect(Effect::Received { client, operation, body }) => {
                if let Some(Reply::Refused(_) | Reply::SessionExpired) | None = Reply::decode(body) {
                    let Attempt { operation, .. } = Attempt::unpack(*operation);
                    self.tick(Kind::Client, moment, format!("C{client}'s operation {operation} is refused"));
                }
            }
            Event::Effect(Effect::Note { node, .. }) => match seen.observed.note.map(|note| &note.body) {
                Some(Body::Role { role: Role::Leader, term, .. }) => {
                    self.tick(Kind::Election, moment, format!("S{node} leads term {term}"));
                }
                Some(Body::Commit { index }) if *index > before.commit => {
                    let first = before.commit.saturating_add(1);
                    let text = if first == *index {
                        format!("entry {index} is committed")
                    } else {
                        format!("entries {first} to {index} are committed")
                    };
                    self.tick(Kind::Commit, moment, text);
                }
                _ => {}
            },
            Event::Effect(_) => {}
        }
    }

    fn cause(&mut self, cause: &Cause, moment: Moment, before: &View) {
        let (kind, text) = match cause {
            Cause::Boot { node, .. } if before.node(*node).is_some_and(|node| node.noted.boots > 0) => {
                (Kind::Repair, format!("S{node} boots again"))
            }
            Cause::Crash { node } => (Kind::Fault, format!("S{node} crashes")),
            Cause::Decide { node, decision: Decision::Crash, .. } => {
                (Kind::Fault, format!("S{node} crashes in the middle of a turn"))
            }
            Cause::Decide { node, decision, .. } => (Kind::Fault, format!("S{node} {}", decision.words())),
            Cause::Disk { node, fault } => {
                (if fault.mends() { Kind::Repair } else { Kind::Fault }, format!("S{node}'s disk {}", fault.words()))
            }
            Cause::Pause { node } => (Kind::Fault, format!("S{node} pauses")),
            Cause::Resume { node } => (Kind::Repair, format!("S{node} goes on")),
            Cause::Deliver { message, alterations, .. } if !alterations.is_empty() => {
                (Kind::Fault, format!("{message} arrives altered"))
            }
            Cause::Synced { node, sync, status, .. } if *status != 0 => {
                (Kind::Fault, format!("S{node}'s disk fails sync {sync}"))
            }
            Cause::Clock { node, jump: 0, ppm: 0 } => (Kind::Repair, format!("S{node}'s clock runs true")),
            Cause::Clock { node, jump, ppm } => (Kind::Fault, format!("S{node}'s clock {}", clock(*jump, *ppm))),
            Cause::ClientTimeout { client, operation, last: true, .. } => {
                (Kind::Client, format!("C{client} gives up operation {operation}"))
            }
            Cause::Link { up, .. } => {
                if self.links.replace((moment.at, *up)) == Some((moment.at, *up)) {
                    return;
                }
                if *up { (Kind::Repair, "links heal".into()) } else { (Kind::Fault, "links are cut".to_owned()) }
            }
            _ => return,
        };
        self.tick(kind, moment, text);
    }
}
