//! A recorded run: its events, and views of it at any of them.
//!
//! A [`Recording`] holds the bytes of all events and a place to start reading at every few of them. Beside them it keeps
//! some views; any other is a copy of the nearest before it and a short fold. How many are kept is bounded: when there are
//! too many, every other one goes, and they lie twice as far apart. So a step back costs what a step forward over that
//! distance costs, and what is kept beside the events and the [tables](super::tables) does not grow with the run.
//!
//! A recording grows in pieces, as a run does that goes on while it is watched.

use super::causality::Cone;
use super::diagram::{Diagram, Window};
use super::sentence::Scene;
use super::why::{self, Why};
use super::{Moment, Seen, Tables, View, lane};
use crate::check::{Observed, Verdict};
use crate::event::codec::Malformed;
use crate::event::{Cause, Decoder, Effect, Endpoint, Event, Micros};
use crate::scenario::Scenario;
use crate::timeline::{Entry, Timeline};
use crate::trace::{Keep, Trace};
use raftbox_abi::Note;

/// After so many events there is a place to start reading at.
const PLACE_EVENTS: u64 = 64;
/// At the most so many views are kept.
const VIEWS_MAX: usize = 256;

/// Where reading can start, and the time of the last cause before it.
#[derive(Clone, Copy, Debug)]
struct Place {
    bytes: usize,
    at: Micros,
}

/// A recorded run.
#[derive(Clone, Debug)]
pub struct Recording {
    bytes: Vec<u8>,
    places: Vec<Place>,
    events: u64,
    start: View,
    /// After the last event.
    last: View,
    /// Views, each with the number of events before it, in order.
    views: Vec<(u64, View)>,
    /// How many events lie between two of them.
    spacing: u64,
    tables: Tables,
    timeline: Timeline,
    story: Vec<Entry>,
}

impl Recording {
    /// A recording of a run of this scenario, before its first event.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let start = View::new(scenario.nodes);
        Self {
            bytes: Vec::new(),
            places: Vec::new(),
            events: 0,
            last: start.clone(),
            start,
            views: Vec::new(),
            spacing: PLACE_EVENTS,
            tables: Tables::default(),
            timeline: Timeline::new(scenario),
            story: Vec::new(),
        }
    }

    /// Takes in what a trace holds beyond what was taken in before. `describe` puts what nodes say to each other into words,
    /// on one line.
    ///
    /// # Panics
    /// If the trace does not keep every event, or is not one that goes on where the recording ends.
    pub fn follow(&mut self, trace: &Trace, mut describe: impl FnMut(&[u8]) -> Option<String>) {
        assert!(trace.keep() == Keep::All, "a recording needs every event");
        for piece in trace.since(self.bytes.len() as u64) {
            self.extend(piece, &mut describe).expect("what a trace holds can be read");
        }
        assert!(trace.events() == self.events, "the trace is that of another run");
    }

    /// Takes in the events of whole steps that follow, in their canonical form, as a run file holds them.
    ///
    /// # Errors
    /// The first event that cannot be read; those before it are taken in.
    pub fn extend(&mut self, steps: &[u8], mut describe: impl FnMut(&[u8]) -> Option<String>) -> Result<(), Malformed> {
        let (base, mut bytes) = (self.bytes.len(), std::mem::take(&mut self.bytes));
        bytes.extend_from_slice(steps);
        let read = self.read(base, &bytes, &mut describe);
        bytes.truncate(read.as_ref().map_or_else(|(place, _)| *place, |()| bytes.len()));
        self.bytes = bytes;
        self.tables.bands.pause(&self.last);
        self.tell();
        read.map_err(|(_, malformed)| malformed)
    }

    fn read(
        &mut self,
        base: usize,
        bytes: &[u8],
        describe: &mut dyn FnMut(&[u8]) -> Option<String>,
    ) -> Result<(), (usize, Malformed)> {
        let mut decoder = Decoder::new(&bytes[base..], self.last.at());
        loop {
            let place = base + decoder.place();
            let before = decoder.at();
            let (at, event) = match decoder.next() {
                None => return Ok(()),
                Some(Ok(event)) => event,
                Some(Err(Malformed { what, .. })) => {
                    return Err((place, Malformed { offset: place as u64, what }));
                }
            };
            if self.events.is_multiple_of(PLACE_EVENTS) {
                self.places.push(Place { bytes: place, at: before });
            }
            let moot = match (&event, decoder.next_is_moot()) {
                (Event::Cause(_), true) => match decoder.clone().next() {
                    Some(Ok((_, Event::Effect(Effect::Moot { reason })))) => Some(reason),
                    _ => None,
                },
                _ => None,
            };
            let note = note(&event);
            let observed = Observed { index: self.events, at, event: &event, note: note.as_ref() };
            let seen = Seen { observed, moot };
            self.tables.observe(&seen, &self.last, describe);
            self.last.observe(&seen, &self.tables.entries);
            self.timeline.observe(&observed);
            self.events += 1;
            if self.events.is_multiple_of(self.spacing) {
                self.keep();
            }
        }
    }

    /// Keeps the last view, and thins those out that are kept.
    fn keep(&mut self) {
        self.views.push((self.events, self.last.clone()));
        if self.views.len() >= VIEWS_MAX {
            self.spacing *= 2;
            let spacing = self.spacing;
            self.views.retain(|(events, _)| events.is_multiple_of(spacing));
        }
    }

    /// The run is over: what is still to be told of it is told. To be called once, in the end.
    pub fn finish(&mut self) {
        self.timeline.finish();
        self.tell();
    }

    fn tell(&mut self) {
        self.story.extend(self.timeline.take());
        // What was put together over several events is told of the first of them.
        self.story.sort_by_key(|entry| entry.event);
    }

    /// Checkers have judged the run so far: each property that does not hold becomes a tick.
    pub fn judge(&mut self, verdicts: &[(&'static str, Verdict)]) {
        self.tables.ticks.judge(verdicts);
    }

    /// How many events there are.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The time of the last event.
    #[must_use]
    pub fn at(&self) -> Micros {
        self.last.at()
    }

    /// What is known of the run by its whole length.
    #[must_use]
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The run as a story: what matters of it, a sentence each.
    #[must_use]
    pub fn story(&self) -> &[Entry] {
        &self.story
    }

    /// How many bytes the events take.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Each event from that number on, with its number and time.
    pub fn iter(&self, from: u64) -> impl Iterator<Item = (Moment, Event<'_>)> {
        let place = usize::try_from(from / PLACE_EVENTS).ok().and_then(|index| self.places.get(index));
        let (bytes, at) = place.map_or((self.bytes.len(), 0), |place| (place.bytes, place.at));
        let first = from / PLACE_EVENTS * PLACE_EVENTS;
        let events = Decoder::new(&self.bytes[bytes..], at).map(|event| event.expect("it was read before"));
        let numbered = (first..).zip(events).map(|(event, (at, body))| (Moment { event, at }, body));
        numbered.skip_while(move |(moment, _)| moment.event < from)
    }

    /// An event, and when it was; `None` if there are not so many.
    #[must_use]
    pub fn event(&self, event: u64) -> Option<(Micros, Event<'_>)> {
        self.iter(event).next().map(|(moment, event)| (moment.at, event))
    }

    /// The last event that is not after `at`; `None` if the first is.
    #[must_use]
    pub fn event_at(&self, at: Micros) -> Option<u64> {
        let place = self.places.partition_point(|place| place.at <= at).saturating_sub(1) as u64;
        let later = self.iter(place * PLACE_EVENTS).find(|(moment, _)| moment.at > at);
        later.map_or(self.events, |(moment, _)| moment.event).checked_sub(1)
    }

    /// The state before the first event.
    #[must_use]
    pub fn start(&self) -> &View {
        &self.start
    }

    /// The state after the last event.
    #[must_use]
    pub fn last(&self) -> &View {
        &self.last
    }

    /// The state after an event, or after the last one if there are not so many.
    #[must_use]
    pub fn view(&self, event: u64) -> View {
        let mut view = self.nearest(event.saturating_add(1)).1.clone();
        self.seek(&mut view, event);
        view
    }

    /// The state before an event.
    #[must_use]
    pub fn before(&self, event: u64) -> View {
        event.checked_sub(1).map_or_else(|| self.start.clone(), |before| self.view(before))
    }

    /// The last view that is kept of those with at most so many events before them.
    fn nearest(&self, events: u64) -> (u64, &View) {
        if events >= self.events {
            return (self.events, &self.last);
        }
        let place = self.views.partition_point(|(before, _)| *before <= events);
        let kept = place.checked_sub(1).and_then(|place| self.views.get(place));
        kept.map_or((0, &self.start), |(before, view)| (*before, view))
    }

    /// Brings a view of this recording to an event: on from where it is if that is near, else from a view that is kept.
    pub fn seek(&self, view: &mut View, event: u64) {
        let goal = event.saturating_add(1).min(self.events);
        let mut done = view.after.map_or(0, |moment| moment.event.saturating_add(1));
        let (before, kept) = self.nearest(goal);
        if done > goal || done < before {
            view.clone_from(kept);
            done = before;
        }
        if done == goal {
            return;
        }
        for (moment, body) in self.iter(done) {
            if moment.event >= goal {
                break;
            }
            self.seen(moment, &body, |seen| view.observe(seen, &self.tables.entries));
        }
    }

    fn seen<T>(&self, moment: Moment, event: &Event<'_>, then: impl FnOnce(&Seen<'_>) -> T) -> T {
        let note = note(event);
        let observed = Observed { index: moment.event, at: moment.at, event, note: note.as_ref() };
        then(&Seen { observed, moot: self.tables.moot(moment.event) })
    }

    /// One plain sentence for an event; `None` if there are not so many.
    #[must_use]
    pub fn sentence(&self, event: u64) -> Option<Entry> {
        self.sentences(event, 1).pop()
    }

    /// A sentence for each of so many events, from that number on.
    #[must_use]
    pub fn sentences(&self, from: u64, most: usize) -> Vec<Entry> {
        let mut view = self.before(from);
        let tell = |(moment, body): (Moment, Event<'_>)| {
            self.seen(moment, &body, |seen| {
                let sentence = Scene { tables: &self.tables, before: &view, seen: *seen }.sentence();
                view.observe(seen, &self.tables.entries);
                sentence
            })
        };
        self.iter(from).take(most).map(tell).collect()
    }

    /// The rule behind an event, with what was compared; `None` if there are not so many, or if nothing was decided. Of a
    /// message that refuses something it tells why its sender did.
    #[must_use]
    pub fn why(&self, event: u64) -> Option<Why> {
        let (moment, body) = self.iter(event).next()?;
        let event = self.refusal(event, &body).unwrap_or(event);
        let (moment, body) = if event == moment.event { (moment, body) } else { self.iter(event).next()? };
        let before = self.before(event);
        self.seen(moment, &body, |seen| why::of(&Scene { tables: &self.tables, before: &before, seen: *seen }))
    }

    /// Where the sender of a message between nodes that refuses something noted why.
    fn refusal(&self, event: u64, body: &Event<'_>) -> Option<u64> {
        let name = match body {
            Event::Cause(Cause::Deliver { message, .. }) if self.tables.moot(event).is_none() => *message,
            Event::Effect(Effect::Sent { message, .. }) => *message,
            _ => return None,
        };
        let message = self.tables.messages.get(name).filter(|message| message.grants == Some(false))?;
        match (name.from, name.to) {
            (Endpoint::Node(node), Endpoint::Node(peer)) => self.tables.refusal(node, peer, message.sent.event),
            _ => None,
        }
    }

    /// Why an entry is, or is not, committed after an event.
    #[must_use]
    pub fn why_committed(&self, event: u64, index: u64) -> Why {
        why::commit::of(&self.tables, &self.view(event), index)
    }

    /// What an event can have been moved by, and what it can have moved; `None` if it is in nobody's lane.
    #[must_use]
    pub fn cone(&self, event: u64) -> Option<Cone> {
        let (_, body) = self.event(event)?;
        Some(self.tables.arrivals.cone(lane(&body)?, event))
    }

    /// What a space-time diagram of a window shows.
    #[must_use]
    pub fn diagram(&self, window: &Window) -> Diagram {
        let before = self.event_at(window.from).map_or_else(|| self.start.clone(), |event| self.view(event));
        Diagram::new(&self.tables, &before, window)
    }

    /// The first event at which two runs differ; `None` if they are the same, or if one is only longer than the other.
    #[must_use]
    pub fn parts_from(&self, other: &Self) -> Option<u64> {
        let ours = self.bytes.chunks(4096);
        let same = ours.zip(other.bytes.chunks(4096)).take_while(|(one, two)| one == two).count() * 4096;
        let place = self.places.partition_point(|place| place.bytes <= same).saturating_sub(1) as u64;
        let from = place * PLACE_EVENTS;
        let both = self.iter(from).zip(other.iter(from));
        both.into_iter().find(|(one, two)| one != two).map(|(one, _)| one.0.event)
    }
}

/// The note that an event is, if it can be read.
fn note(event: &Event<'_>) -> Option<Note> {
    match event {
        Event::Effect(Effect::Note { kind, body, .. }) => Note::decode(*kind, body),
        _ => None,
    }
}
