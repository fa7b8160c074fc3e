//! One plain sentence for each event, in the present, with numbers.
//!
//! [`event::text`](crate::event::text) is a table for those who know what they look for; a sentence stands alone. It may use
//! the state before the event and what is known of the run, so it says whose write is lost and what an entry carries.

use super::{Seen, Tables, View};
use crate::event::text::{Text, Tone, read_mode};
use crate::event::text::{clock, milliseconds, names, operation, printable, refusal, reply, role};
use crate::event::{Cause, Decision, Effect, Endpoint, Event, MessageName, Micros, NodeId, Survivor};
use crate::timeline::{Entry, dropped, seconds};
use raftbox_abi::client::{Attempt, Request};
use raftbox_abi::note::{Body, PropertyKind, Role};

/// An event, with what is known around it.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// What is known of the run.
    pub tables: &'a Tables,
    /// The state before the event.
    pub before: &'a View,
    /// The event.
    pub seen: Seen<'a>,
}

impl Scene<'_> {
    /// The sentence of the event.
    #[must_use]
    pub fn sentence(&self) -> Entry {
        let observed = &self.seen.observed;
        let text = match (observed.event, self.seen.moot) {
            (Event::Cause(cause), Some(moot)) => format!("{} comes to nothing: {}", self.subject(cause), moot.words()),
            (Event::Cause(cause), None) => self.cause(cause),
            (Event::Effect(effect), _) => self.effect(effect),
        };
        let line = Text::new(|_: &[u8]| None).line(observed);
        let (mark, tone) = if self.seen.moot.is_some() { ('·', Tone::Faint) } else { (line.mark, line.tone) };
        Entry { event: observed.index, at: observed.at, mark, tone, text: printable(&text).into_owned() }
    }

    /// The name of a node, and that it leads if it does.
    fn named(&self, node: NodeId) -> String {
        let leads = self.before.node(node).is_some_and(|node| node.noted.role == Some(Role::Leader));
        if leads { format!("S{node}, the leader,") } else { format!("S{node}") }
    }

    fn unsynced(&self, node: NodeId) -> String {
        self.before.node(node).map_or_else(String::new, |node| format!("; {}", node.unsynced.words()))
    }

    /// How long a message was on its way, to follow a comma.
    fn travelled(&self, name: MessageName) -> String {
        let sent = self.tables.messages.get(name).map(|message| message.sent.at);
        sent.map_or_else(String::new, |sent| format!(", {} on its way", milliseconds(self.seen.observed.at - sent)))
    }

    /// What a message says.
    fn says(&self, name: MessageName) -> &str {
        self.tables.messages.get(name).map_or("a message that was never sent", |message| &message.words)
    }

    /// What a cause is about, where it came to nothing.
    fn subject(&self, cause: &Cause) -> String {
        match cause {
            Cause::Boot { node, .. } => format!("S{node}'s boot"),
            Cause::Crash { node } => format!("S{node}'s crash"),
            Cause::Pause { node } => format!("S{node}'s pause"),
            Cause::Resume { node } => format!("S{node}'s going on"),
            Cause::Deliver { message, .. } => format!("{message} ({})", self.says(*message)),
            Cause::Lose { message, .. } => format!("the loss of {message}"),
            Cause::Wake { node, alarm, .. } => format!("S{node}'s alarm {alarm}"),
            Cause::Synced { node, sync, .. } => format!("the answer to S{node}'s sync {sync}"),
            Cause::Request { client, to, .. } => format!("what C{client} asks S{to}"),
            Cause::ClientTimeout { client, .. } => format!("C{client}'s waiting"),
            Cause::Clock { node, .. } => format!("the setting of S{node}'s clock"),
            Cause::Link { from, to, .. } => format!("the change of link {from}→{to}"),
            Cause::Disk { node, .. } => format!("what befalls S{node}'s disk"),
            Cause::Decide { node, .. } => format!("what was decided in S{node}'s turn"),
        }
    }

    fn cause(&self, cause: &Cause) -> String {
        match cause {
            Cause::Boot { node, survivors } => self.boots(*node, survivors),
            Cause::Crash { node } => format!("{} crashes{}", self.named(*node), self.unsynced(*node)),
            Cause::Pause { node } => format!("{} pauses: it takes no turns, and loses nothing", self.named(*node)),
            Cause::Resume { node } => format!("S{node} goes on where it was"),
            Cause::Deliver { message, copy, alterations, .. } => self.arrives(*message, *copy, alterations.len()),
            Cause::Lose { message, keep } => {
                let why = if self.before.cuts.is_cut(message.from, message.to) { ", the link is cut" } else { "" };
                let now = if *keep { " for now" } else { "" };
                format!("{message} is lost{now}{why}: {}", self.says(*message))
            }
            Cause::Wake { node, .. } => {
                let set = self.before.node(*node).and_then(|node| node.alarm).map(|alarm| alarm.set);
                let after = set.map_or_else(String::new, |set| format!(", {} after it was set", self.since(set)));
                format!("S{node}'s alarm rings{after}")
            }
            Cause::Synced { node, sync, status, .. } => {
                let asked = self.before.node(*node).and_then(|node| node.syncs.front().map(|sync| sync.asked));
                let after =
                    asked.map_or_else(String::new, |at| format!(" after {}", milliseconds(self.seen.observed.at - at)));
                match status {
                    0 => format!("S{node}'s disk answers sync {sync}{after}: all that it covers is on the disk"),
                    status => format!("S{node}'s disk fails sync {sync}{after}, with status {status}"),
                }
            }
            Cause::Request { client, operation: number, attempt, to, body } => {
                let asks = Request::decode(body).map(|request| operation(&request.operation));
                let asks = asks.unwrap_or_else(|| format!("{} bytes that cannot be read", body.len()));
                format!("C{client} asks S{to}: {asks} (operation {number}, attempt {attempt})")
            }
            Cause::ClientTimeout { client, operation: number, attempt, last } => {
                let asked = self.tables.operations.get(*client, *number);
                let attempt = asked.and_then(|asked| asked.attempts.iter().find(|sent| sent.number == *attempt));
                let waited = attempt.map_or_else(
                    || "too long".to_owned(),
                    |attempt| format!("{} for S{}'s answer", self.since(attempt.asked.at), attempt.to),
                );
                let then = if *last {
                    format!("gives operation {number} up: whether it takes effect is not known")
                } else {
                    format!("tries operation {number} elsewhere")
                };
                format!("C{client} has waited {waited}, and {then}")
            }
            Cause::Clock { node, jump, ppm } => format!("S{node}'s clock {}", clock(*jump, *ppm)),
            Cause::Link { from, to, up: true } => format!("link {from}→{to} carries messages again"),
            Cause::Link { from, to, up: false } => format!("link {from}→{to} is cut"),
            Cause::Decide { node, n, decision: Decision::Crash, .. } => {
                let unsynced = self.unsynced(*node);
                format!("{} crashes in the middle of a turn, after its effect {n}{unsynced}", self.named(*node))
            }
            Cause::Decide { node, decision, .. } => format!("S{node} {}", decision.words()),
            Cause::Disk { node, fault } => format!("S{node}'s disk {}", fault.words()),
        }
    }

    /// How long ago that was.
    fn since(&self, at: Micros) -> String {
        seconds(self.seen.observed.at.saturating_sub(at))
    }

    fn boots(&self, node: NodeId, survivors: &[Survivor]) -> String {
        match self.before.node(node) {
            Some(before) if before.noted.boots > 0 => {
                let left = before.unsynced.after(survivors).map_or_else(String::new, |left| format!("; {left}"));
                format!("S{node} boots again, for the {}. time{left}", before.noted.boots.saturating_add(1))
            }
            _ => format!("S{node} boots, with an empty disk"),
        }
    }

    fn arrives(&self, name: MessageName, copy: u32, altered: usize) -> String {
        let MessageName { from, to, n } = name;
        let copy = if copy > 0 { format!(", copy {copy}") } else { String::new() };
        let altered = if altered > 0 { format!(", with {altered} bytes altered") } else { String::new() };
        let verb = match (from, to) {
            (Endpoint::Client(_), _) => "is asked by",
            (_, Endpoint::Client(_)) => "gets an answer from",
            (Endpoint::Node(_), Endpoint::Node(_)) => "hears from",
        };
        format!("{to} {verb} {from}: {} (#{n}{copy}{altered}{})", self.says(name), self.travelled(name))
    }

    fn effect(&self, effect: &Effect<'_>) -> String {
        match *effect {
            Effect::Sent { message: MessageName { from, to, n }, operation, .. } => {
                let words = self.tables.messages.sent_by(self.seen.observed.index).map_or("", |message| &message.words);
                match (from, to) {
                    (Endpoint::Node(_), Endpoint::Client(_)) => {
                        format!("{from} answers {to}: {words}{}", of_attempt(operation))
                    }
                    (Endpoint::Client(_), _) => format!("{from}'s request to {to} is on its way: {words} (#{n})"),
                    _ => format!("{from} tells {to}: {words} (#{n})"),
                }
            }
            Effect::Received { client, operation, body } => {
                let Attempt { operation: number, .. } = Attempt::unpack(operation);
                let asked = self.tables.operations.get(client, number).map(|asked| asked.asked.at);
                let after = asked.map_or_else(String::new, |at| format!(", {} after it asked first", self.since(at)));
                format!("C{client} is answered: {}{}{after}", reply(body), of_attempt(operation))
            }
            Effect::WakeAt { node, at: u64::MAX, .. } => format!("S{node} turns its alarm off"),
            Effect::WakeAt { node, at, .. } => {
                let rings = self.before.node(node).and_then(|node| node.clock.rings(self.seen.observed.at, at));
                match rings {
                    Some(rings) => {
                        format!("S{node} sets its alarm to ring in {}", seconds(rings - self.seen.observed.at))
                    }
                    None => format!("S{node} sets its alarm past the end of time"),
                }
            }
            Effect::Write { node, file, offset, len, .. } => {
                format!("S{node} writes {len} bytes at {offset} of file {file}, not on its disk before a sync")
            }
            Effect::Truncate { node, file, len } => format!("S{node} cuts file {file} to {len} bytes"),
            Effect::Sync { node, sync, .. } => {
                let unsynced = self.before.node(node).map(|node| (node.unsynced.operations(), node.unsynced.bytes()));
                let (count, bytes) = unsynced.unwrap_or_default();
                let writes = if count == 1 { "write" } else { "writes" };
                format!("S{node} asks its disk to keep its last {count} {writes}, of {bytes} bytes (sync {sync})")
            }
            Effect::Note { node, kind, body } => match self.seen.observed.note {
                Some(note) => self.note(node, &note.body),
                None => format!("S{node} notes something of its own: kind {kind:#x}, {} bytes", body.len()),
            },
            Effect::Halted { node, code, reason } => {
                format!("{} stops itself: {} (code {code})", self.named(node), String::from_utf8_lossy(reason))
            }
            Effect::Trapped { node } => {
                format!("{} traps: its guest did what no guest may do, and is down", self.named(node))
            }
            Effect::Moot { reason } => format!("nothing comes of it: {}", reason.words()),
        }
    }

    fn note(&self, node: NodeId, body: &Body) -> String {
        let who = format!("S{node}");
        let before = self.before.node(node).map(|node| &node.noted);
        let nodes = |ids: &[NodeId]| names(ids.iter().map(|id| Endpoint::Node(*id)));
        match body {
            Body::Recovered { term, vote, snapshot, last, .. } => {
                let vote = if *vote == 0 { "no vote".into() } else { format!("its vote for S{vote}") };
                let log = match (snapshot.0, last.0) {
                    (0, 0) => "an empty log".into(),
                    (0, last) => format!("log 1 to {last}"),
                    (base, last) => format!("a snapshot up to {base} and the log up to {last}"),
                };
                format!("{who} finds on its disk term {term}, {vote}, and {log}")
            }
            Body::Role { role: new, term, leader } => match before {
                Some(before) if before.role == Some(Role::Leader) && *new != Role::Leader => {
                    let follows = if *leader == 0 { String::new() } else { format!(" and follows S{leader}") };
                    format!("{who}, leader of term {}, hears of term {term}, steps down{follows}", before.term)
                }
                _ => role(node, *new, *term, *leader),
            },
            Body::HardState { term, vote: 0 } => format!("{who} has term {term} on its disk, and no vote in it yet"),
            Body::HardState { term, vote } => format!("{who} has term {term} and its vote for S{vote} on its disk"),
            Body::Append { index, term, .. } => {
                let carries = self.tables.entries.words(*index, *term);
                format!("{who} appends entry {index} of term {term}: {carries}")
            }
            Body::Truncate { from } => before
                .and_then(|before| dropped(node, *from, before))
                .unwrap_or_else(|| format!("{who} drops all entries from {from} on, and had none")),
            Body::Durable { last } => format!("{who} has its log up to entry {last} on its disk"),
            Body::Commit { index } => {
                let first = before.map_or(0, |before| before.commit).saturating_add(1);
                let entries =
                    if first < *index { format!("entries {first} to {index}") } else { format!("entry {index}") };
                format!("{who} knows {entries} to be committed")
            }
            Body::Apply { index, term, .. } => {
                format!("{who} applies entry {index}: {}", self.tables.entries.words(*index, *term))
            }
            Body::Config { voters, outgoing, learners, .. } => {
                let old = if outgoing.is_empty() { String::new() } else { format!(", and by {} too", nodes(outgoing)) };
                let learners = if learners.is_empty() { String::new() } else { format!("; {} learn", nodes(learners)) };
                format!("{who} goes by a majority of {}{old}{learners}", nodes(voters))
            }
            Body::Snapshot { index, term, .. } => {
                format!("{who} has a snapshot of its state up to {index}@{term} on its disk")
            }
            Body::Install { index, term, .. } => format!("{who} takes over a snapshot up to {index}@{term}"),
            Body::Read { client, mode, index, .. } => {
                format!("{who} answers C{client}'s read from what it has applied up to {index}, {}", read_mode(*mode))
            }
            Body::Lease { until: 0 } => format!("{who} gives up its lease"),
            Body::Lease { until } => format!("{who} may serve reads until {} on its clock", seconds(*until)),
            Body::Refused { peer, refusal: why } => refusal(node, *peer, why),
            Body::Property { kind, value, name } => match kind {
                PropertyKind::Always | PropertyKind::Sometimes => {
                    format!("{who} says that {name:?}, which holds {}, is {value} here", kind.word())
                }
                PropertyKind::Reachable | PropertyKind::Unreachable => {
                    format!("{who} passes {name:?}, which is {}", kind.word())
                }
            },
        }
    }
}

fn of_attempt(packed: u64) -> String {
    let Attempt { operation, attempt } = Attempt::unpack(packed);
    format!(" (operation {operation}, attempt {attempt})")
}
