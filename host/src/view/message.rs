//! Messages: what they say, when they leave, and what becomes of them.
//!
//! Since the whole run is known, so is the fate of a message while it is still on its way, and with it where on its link
//! it is at any time. What nodes say to each other is opaque; a describer puts it into words, by a custom that the
//! built-in guest follows: a word for the kind, then fields as `name=value`, then flags, as in `append-reply term=1 ok
//! match=43`. From the kind and the flags comes the [`Shape`] by which a picture shows it. A guest with words of its own is
//! shown with them, and as [`Shape::Other`].

use super::{Moment, Seen};
use crate::event::text::{operation, reply};
use crate::event::{Cause, Effect, Endpoint, Event, MessageName, Micros, Moot};
use raftbox_abi::client::{Reply, Request};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What can become of a message, or of a copy of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It arrives: which copy, from 0, and how many of its bytes were altered.
    Arrives {
        /// Which copy.
        copy: u32,
        /// How many bytes.
        altered: u32,
    },
    /// It is lost.
    Lost,
    /// It arrives where nobody takes it.
    Ignored(Moot),
}

/// One thing that becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    /// When.
    pub moment: Moment,
    /// What becomes of it.
    pub what: What,
    /// Whether more is to come of it.
    pub keep: bool,
}

/// How a picture shows a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// It asks whether a vote would be given.
    PreVote,
    /// The answer to that.
    PreVoteReply,
    /// It asks for a vote.
    Vote,
    /// The answer to that.
    VoteReply,
    /// An append without entries.
    Heartbeat,
    /// An append with so many entries.
    Append(u64),
    /// The answer to either.
    AppendReply,
    /// A snapshot, or a part of one.
    Snapshot,
    /// It asks the receiver to campaign at once.
    TimeoutNow,
    /// What a client asks.
    Request,
    /// What a client is answered.
    Reply,
    /// Anything else.
    Other,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its name.
    pub name: MessageName,
    /// For a request or a reply the attempt that it belongs to, packed; else 0.
    pub operation: u64,
    /// How many bytes it has.
    pub bytes: u64,
    /// What it says, in words.
    pub words: Arc<str>,
    /// Whether it grants or refuses something; `None` if it does neither.
    pub grants: Option<bool>,
    /// When it left.
    pub sent: Moment,
    /// What became of it so far, in order.
    pub fates: Vec<Fate>,
}

impl Message {
    /// Its kind: the first of its words.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.words.split(' ').next().unwrap_or_default()
    }

    /// Its fields, with their names.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.words.split(' ').filter_map(|word| word.split_once('='))
    }

    /// How a picture shows it.
    #[must_use]
    pub fn shape(&self) -> Shape {
        match (self.name.from, self.name.to) {
            (Endpoint::Client(_), _) => return Shape::Request,
            (_, Endpoint::Client(_)) => return Shape::Reply,
            (Endpoint::Node(_), Endpoint::Node(_)) => {}
        }
        match self.kind() {
            "pre-vote" => Shape::PreVote,
            "pre-vote-reply" => Shape::PreVoteReply,
            "vote" => Shape::Vote,
            "vote-reply" => Shape::VoteReply,
            "append" => match self.fields().find(|(name, _)| *name == "entries").map(|(_, count)| count.parse()) {
                Some(Ok(count)) if count > 0 => Shape::Append(count),
                _ => Shape::Heartbeat,
            },
            "append-reply" => Shape::AppendReply,
            "snapshot" | "snapshot-reply" => Shape::Snapshot,
            "timeout-now" => Shape::TimeoutNow,
            _ => Shape::Other,
        }
    }

    /// What becomes of it next, seen from after an event; `None` if that is not known yet, or if nothing more does.
    #[must_use]
    pub fn next(&self, event: u64) -> Option<&Fate> {
        let known = self.fates.iter().find(|fate| fate.moment.event > event);
        // What a paused node does not take waits at its door.
        known.filter(|_| self.is_held(event))
    }

    /// Whether a copy of it has arrived by an event.
    #[must_use]
    pub fn has_arrived(&self, event: u64) -> bool {
        self.fates.iter().any(|fate| fate.moment.event <= event && matches!(fate.what, What::Arrives { .. }))
    }

    /// Whether the network holds it after an event.
    #[must_use]
    pub fn is_held(&self, event: u64) -> bool {
        let gone = |fate: &Fate| !fate.keep && fate.what != What::Ignored(Moot::NodePaused);
        self.sent.event <= event && !self.fates.iter().any(|fate| fate.moment.event <= event && gone(fate))
    }

    /// Where on its link it is at `at`, seen from after an event: how far it is, and how far it is to go. `None` if it is not
    /// on its way, or if its arrival is not known yet.
    #[must_use]
    pub fn progress(&self, event: u64, at: Micros) -> Option<(Micros, Micros)> {
        let whole = self.next(event)?.moment.at.saturating_sub(self.sent.at).max(1);
        Some((at.saturating_sub(self.sent.at).min(whole), whole))
    }
}

/// All messages of a run, in the order in which they were sent.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    all: Vec<Message>,
    links: BTreeMap<(Endpoint, Endpoint), Link>,
}

/// What was sent from one to another.
#[derive(Clone, Debug, Default)]
struct Link {
    /// Where in `all` its messages are, in order.
    sent: Vec<u32>,
    /// The messages, by their numbers, that arrived when none that was sent later had, each with the event.
    newest: Vec<(u64, u64)>,
}

impl Messages {
    /// Each message.
    #[must_use]
    pub fn all(&self) -> &[Message] {
        &self.all
    }

    /// The message of a name.
    #[must_use]
    pub fn get(&self, name: MessageName) -> Option<&Message> {
        self.all.get(self.place(name)?)
    }

    fn place(&self, name: MessageName) -> Option<usize> {
        let link = self.links.get(&(name.from, name.to))?;
        // Numbers on a link have no gaps, unless an enemy wrote the run.
        let number = |place: &u32| self.all[*place as usize].name.n;
        let link = &link.sent;
        let guess = usize::try_from(name.n).ok().and_then(|n| link.get(n)).filter(|place| number(place) == name.n);
        let found = || link.iter().rev().find(|place| number(place) == name.n);
        guess.or_else(found).map(|place| *place as usize)
    }

    /// Whether one that was sent later on the same link has arrived before an event is over.
    #[must_use]
    pub fn is_overtaken(&self, name: MessageName, event: u64) -> bool {
        let Some(link) = self.links.get(&(name.from, name.to)) else { return false };
        let place = link.newest.partition_point(|(arrived, _)| *arrived <= event);
        place.checked_sub(1).is_some_and(|last| link.newest[last].1 > name.n)
    }

    /// The message that an event sends.
    #[must_use]
    pub fn sent_by(&self, event: u64) -> Option<&Message> {
        self.all.get(self.all.binary_search_by_key(&event, |message| message.sent.event).ok()?)
    }

    /// The messages that were sent between two times, the first included and the last not.
    #[must_use]
    pub fn sent_between(&self, from: Micros, to: Micros) -> &[Message] {
        let start = self.all.partition_point(|message| message.sent.at < from);
        let end = self.all.partition_point(|message| message.sent.at < to);
        &self.all[start..end.max(start)]
    }

    /// Takes the next event into account; `describe` puts what nodes say to each other into words.
    pub(super) fn observe(&mut self, seen: &Seen<'_>, describe: &mut dyn FnMut(&[u8]) -> Option<String>) {
        match seen.observed.event {
            Event::Effect(Effect::Sent { message, operation, bytes }) => {
                let (words, grants) = words(*message, bytes, describe);
                let Ok(place) = u32::try_from(self.all.len()) else { return };
                self.links.entry((message.from, message.to)).or_default().sent.push(place);
                self.all.push(Message {
                    name: *message,
                    operation: *operation,
                    bytes: bytes.len() as u64,
                    words: words.into(),
                    grants,
                    sent: seen.moment(),
                    fates: Vec::new(),
                });
            }
            Event::Cause(Cause::Deliver { message, copy, keep, alterations }) => {
                let altered = u32::try_from(alterations.len()).unwrap_or(u32::MAX);
                let what = seen.moot.map_or(What::Arrives { copy: *copy, altered }, What::Ignored);
                self.becomes(*message, seen, what, *keep);
            }
            Event::Cause(Cause::Lose { message, keep }) => {
                self.becomes(*message, seen, seen.moot.map_or(What::Lost, What::Ignored), *keep);
            }
            _ => {}
        }
    }

    fn becomes(&mut self, name: MessageName, seen: &Seen<'_>, what: What, keep: bool) {
        if matches!(what, What::Arrives { .. })
            && let Some(link) = self.links.get_mut(&(name.from, name.to))
            && link.newest.last().is_none_or(|(_, newest)| *newest < name.n)
        {
            link.newest.push((seen.moment().event, name.n));
        }
        if let Some(place) = self.place(name) {
            self.all[place].fates.push(Fate { moment: seen.moment(), what, keep });
        }
    }
}

/// What a message says, and whether it grants or refuses something.
fn words(name: MessageName, bytes: &[u8], describe: &mut dyn FnMut(&[u8]) -> Option<String>) -> (String, Option<bool>) {
    let unknown = || format!("{} bytes", bytes.len());
    match (name.from, name.to) {
        (Endpoint::Client(_), _) => {
            (Request::decode(bytes).map_or_else(unknown, |request| operation(&request.operation)), None)
        }
        (Endpoint::Node(_), Endpoint::Client(_)) => {
            (reply(bytes), Some(matches!(Reply::decode(bytes), Some(Reply::Ok(_)))))
        }
        (Endpoint::Node(_), Endpoint::Node(_)) => {
            let words = describe(bytes).unwrap_or_else(unknown);
            let says = |flags: &[&str]| words.split(' ').any(|word| flags.contains(&word));
            let grants = match (says(&["granted", "ok"]), says(&["refused", "short", "conflict", "stale"])) {
                (true, _) => Some(true),
                (false, refuses) => refuses.then_some(false),
            };
            (words, grants)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Observed;

    const NAME: MessageName = MessageName { from: Endpoint::Node(1), to: Endpoint::Node(2), n: 0 };

    fn observe(messages: &mut Messages, index: u64, event: &Event<'_>, moot: Option<Moot>) {
        let observed = Observed { index, at: index * 10, event, note: None };
        messages.observe(&Seen { observed, moot }, &mut |bytes| Some(String::from_utf8_lossy(bytes).into_owned()));
    }

    fn sent(words: &str) -> Messages {
        let mut messages = Messages::default();
        let event = Event::Effect(Effect::Sent { message: NAME, operation: 0, bytes: words.as_bytes() });
        observe(&mut messages, 1, &event, None);
        messages
    }

    #[test]
    fn a_message_is_where_its_arrival_says() {
        let mut messages = sent("append term=1 entries=2");
        assert_eq!(messages.get(NAME).unwrap().progress(1, 15), None, "its arrival is not known yet");
        let deliver = |keep| Event::Cause(Cause::Deliver { message: NAME, copy: 0, keep, alterations: Vec::new() });
        observe(&mut messages, 5, &deliver(true), None);
        observe(&mut messages, 9, &deliver(false), None);
        let message = messages.get(NAME).unwrap();
        assert_eq!([message.progress(1, 10), message.progress(4, 45)], [Some((0, 40)), Some((35, 40))]);
        assert_eq!(message.progress(5, 50), Some((40, 80)), "its second copy is half way");
        assert_eq!((message.is_held(8), message.is_held(9), message.progress(9, 90)), (true, false, None));
    }

    #[test]
    fn what_a_paused_node_does_not_take_is_still_on_its_way() {
        let mut messages = sent("append");
        let deliver = Event::Cause(Cause::Deliver { message: NAME, copy: 0, keep: false, alterations: Vec::new() });
        observe(&mut messages, 2, &deliver, Some(Moot::NodePaused));
        assert!(messages.get(NAME).unwrap().is_held(2));
        observe(&mut messages, 3, &deliver, Some(Moot::NodeDown));
        assert!(!messages.get(NAME).unwrap().is_held(3));
    }

    #[test]
    fn a_message_is_overtaken_by_one_that_was_sent_later_and_came_first() {
        let mut messages = Messages::default();
        let name = |n| MessageName { n, ..NAME };
        for n in 0..3 {
            observe(
                &mut messages,
                n,
                &Event::Effect(Effect::Sent { message: name(n), operation: 0, bytes: b"append" }),
                None,
            );
        }
        let deliver =
            |n, keep| Event::Cause(Cause::Deliver { message: name(n), copy: 0, keep, alterations: Vec::new() });
        observe(&mut messages, 3, &deliver(1, true), None);
        observe(&mut messages, 4, &deliver(0, false), None);
        let overtaken = |event| [0, 1, 2].map(|n| messages.is_overtaken(name(n), event));
        assert_eq!([overtaken(2), overtaken(3)], [[false; 3], [true, false, false]]);
        let arrived = |event| messages.get(name(1)).unwrap().has_arrived(event);
        assert_eq!([arrived(2), arrived(3)], [false, true]);
    }

    #[test]
    fn words_tell_shape_and_outcome() {
        let of = |words: &str| {
            let messages = sent(words);
            (messages.all()[0].shape(), messages.all()[0].grants)
        };
        assert_eq!(of("append term=1 prev=0@0 entries=3 commit=0"), (Shape::Append(3), None));
        assert_eq!(of("append term=1 prev=0@0 entries=0 commit=0"), (Shape::Heartbeat, None));
        assert_eq!(of("append-reply term=1 ok match=3"), (Shape::AppendReply, Some(true)));
        assert_eq!(of("append-reply term=1 short prev=3 last=2"), (Shape::AppendReply, Some(false)));
        assert_eq!(of("vote-reply term=1 refused"), (Shape::VoteReply, Some(false)));
        assert_eq!(of("gossip ok"), (Shape::Other, Some(true)));
    }
}
