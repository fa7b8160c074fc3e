//! The list of events of a run: its bytes, its digest, and where two of them part.
//!
//! The digest is XXH3-128 over the header and every event. It is stored after every 1,024 events, so that two runs are
//! compared at a glance and bisected to their first difference. What is kept beside is a choice ([`Keep`]): everything,
//! the causes alone (enough to run it again), or nothing.
//!
//! Bytes are kept in segments that forks share, so that a fork copies little.

use crate::event::codec::Decoder;
use crate::event::{Cause, Encoder, Event, Micros};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// After how many events the digest is stored.
pub const CHECKPOINT_EVENTS: u64 = 1024;
/// How long a segment grows before the next is begun.
const SEGMENT_BYTES: usize = 64 << 10;

/// The digest of a run, or of its first part.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest(pub u128);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match u128::from_str_radix(text, 16) {
            Ok(digest) if text.len() == 32 => Ok(Self(digest)),
            _ => Err(format!("is {text:?}, and should be a digest of 32 hex digits")),
        }
    }
}

crate::units::as_text!(Digest);

/// What of the events is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Keep {
    /// All.
    #[default]
    All,
    /// The causes, from which the rest is computed again.
    Causes,
    /// Nothing but the digest.
    Nothing,
}

/// A number of events, and the digest of the run up to there.
pub type Checkpoint = (u64, Digest);

/// The events of a run, in order.
#[derive(Clone)]
pub struct Trace {
    keep: Keep,
    segments: Vec<Arc<Vec<u8>>>,
    /// The last segment, which still grows.
    open: Vec<u8>,
    hasher: Box<Xxh3>,
    events: u64,
    at: Micros,
    checkpoints: Vec<Checkpoint>,
}

impl Trace {
    /// An empty trace under a header.
    #[must_use]
    pub fn new(header: &[u8], keep: Keep) -> Self {
        let mut hasher = Box::new(Xxh3::new());
        hasher.update(header);
        Self { keep, segments: Vec::new(), open: Vec::new(), hasher, events: 0, at: 0, checkpoints: Vec::new() }
    }

    /// Appends the events of one step, a cause at `at` and what followed.
    pub fn append(&mut self, at: Micros, step: &Encoder) {
        self.at = at;
        let bytes = step.bytes();
        let first = self.events;
        self.events += step.ends().len() as u64;
        let mut hashed = 0;
        // Most steps end within one stretch of 1,024 events; a long one may cross several of its ends.
        while (self.checkpoints.len() as u64 + 1) * CHECKPOINT_EVENTS <= self.events {
            let end = (self.checkpoints.len() as u64 + 1) * CHECKPOINT_EVENTS;
            let place = step.ends()[usize::try_from(end - first - 1).expect("it is within the step")] as usize;
            self.hasher.update(&bytes[hashed..place]);
            hashed = place;
            self.checkpoints.push((end, Digest(self.hasher.digest128())));
        }
        self.hasher.update(&bytes[hashed..]);
        match self.keep {
            Keep::All => self.open.extend_from_slice(bytes),
            Keep::Causes => self.keep_causes(step),
            Keep::Nothing => {}
        }
        if self.open.len() >= SEGMENT_BYTES {
            let next = Vec::with_capacity(self.open.capacity());
            self.segments.push(Arc::new(std::mem::replace(&mut self.open, next)));
        }
    }

    fn keep_causes(&mut self, step: &Encoder) {
        let mut start = 0;
        for end in step.ends() {
            let event = &step.bytes()[start..*end as usize];
            if Decoder::new(event, 0).next_is_cause() == Some(true) {
                self.open.extend_from_slice(event);
            }
            start = *end as usize;
        }
    }

    /// The digest of the run up to here.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest(self.hasher.digest128())
    }

    /// The digests after every 1,024 events.
    #[must_use]
    pub fn checkpoints(&self) -> &[Checkpoint] {
        &self.checkpoints
    }

    /// How many events there were, kept or not.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The time of the last cause.
    #[must_use]
    pub fn at(&self) -> Micros {
        self.at
    }

    /// What of the events is kept.
    #[must_use]
    pub fn keep(&self) -> Keep {
        self.keep
    }

    /// How many bytes are kept.
    #[must_use]
    pub fn kept_bytes(&self) -> u64 {
        self.segments().map(|segment| segment.len() as u64).sum()
    }

    /// What is kept, in pieces that each begin and end between two events.
    pub fn segments(&self) -> impl Iterator<Item = &[u8]> {
        self.segments.iter().map(|segment| segment.as_slice()).chain([self.open.as_slice()])
    }

    /// What was kept after the first `place` bytes, where an event ends, in pieces like [`segments`](Self::segments).
    pub fn since(&self, place: u64) -> impl Iterator<Item = &[u8]> {
        let mut before = place;
        self.segments().filter_map(move |segment| {
            let skip = before.min(segment.len() as u64);
            before -= skip;
            usize::try_from(skip).ok().map(|skip| &segment[skip..]).filter(|rest| !rest.is_empty())
        })
    }

    /// Each event that is kept, with its time.
    pub fn iter(&self) -> impl Iterator<Item = (Micros, Event<'_>)> {
        let mut at = 0;
        self.segments().flat_map(move |segment| {
            let mut decoder = Decoder::new(segment, at);
            let events: Vec<_> = decoder.by_ref().map(|event| event.expect("what we wrote can be read")).collect();
            at = decoder.at();
            events
        })
    }
}

/// The first event at which two runs differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference<'a> {
    /// Its number, from 0.
    pub event: u64,
    /// What the first run has there, and when; `None` if it is over.
    pub first: Option<(Micros, Event<'a>)>,
    /// What the second has.
    pub second: Option<(Micros, Event<'a>)>,
}

/// The first difference between two lists of events; `None` if they are the same.
#[must_use]
pub fn difference<'a>(
    first: impl IntoIterator<Item = (Micros, Event<'a>)>,
    second: impl IntoIterator<Item = (Micros, Event<'a>)>,
) -> Option<Difference<'a>> {
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    for event in 0.. {
        match (first.next(), second.next()) {
            (None, None) => return None,
            (first, second) if first != second => return Some(Difference { event, first, second }),
            _ => {}
        }
    }
    None
}

/// The causes among events, split as a replay needs them: those that are applied in order, and the decisions within
/// turns, which are looked up.
#[must_use]
pub fn causes<'a>(events: impl IntoIterator<Item = (Micros, Event<'a>)>) -> Vec<(Micros, Cause)> {
    let cause = |(at, event)| match event {
        Event::Cause(cause) => Some((at, cause)),
        Event::Effect(_) => None,
    };
    events.into_iter().filter_map(cause).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Effect;

    fn step(count: u32) -> Encoder {
        let mut step = Encoder::default();
        step.cause(1, &Cause::Crash { node: 1 });
        (1..count).for_each(|node| step.effect(&Effect::Trapped { node }));
        step
    }

    #[test]
    fn the_digest_depends_on_header_and_events_and_not_on_how_they_came_or_what_is_kept() {
        let digest = |header: &[u8], keep, steps: &[u32]| {
            let mut trace = Trace::new(header, keep);
            steps.iter().zip(1..).for_each(|(count, at)| trace.append(at, &step(*count)));
            (trace.digest(), trace.checkpoints().to_vec())
        };
        let base = digest(b"h", Keep::All, &[700, 700, 3000]);
        assert_eq!(base, digest(b"h", Keep::Causes, &[700, 700, 3000]));
        assert_eq!(base, digest(b"h", Keep::Nothing, &[700, 700, 3000]));
        assert_ne!(base.0, digest(b"i", Keep::All, &[700, 700, 3000]).0);
        assert_ne!(base.0, digest(b"h", Keep::All, &[700, 700, 2999]).0);
        assert_eq!(base.1.iter().map(|(events, _)| *events).collect::<Vec<_>>(), [1024, 2048, 3072, 4096]);
    }

    #[test]
    fn what_is_kept_is_read_again_across_segments() {
        let mut trace = Trace::new(b"", Keep::All);
        let mut causes_only = Trace::new(b"", Keep::Causes);
        for at in 1..=100 {
            trace.append(at, &step(1000));
            causes_only.append(at, &step(1000));
        }
        assert!(trace.segments().count() > 2);
        assert_eq!(trace.iter().count(), 100_000);
        assert_eq!(trace.iter().last().map(|(at, _)| at), Some(100));
        assert_eq!(causes(trace.iter()), causes(causes_only.iter()));
        assert_eq!(difference(trace.iter(), trace.clone().iter()), None);
    }

    #[test]
    fn the_first_difference_is_named() {
        let mut first = Trace::new(b"", Keep::All);
        let mut second = first.clone();
        first.append(1, &step(3));
        second.append(1, &step(3));
        first.append(2, &step(2));
        let difference = difference(first.iter(), second.iter()).unwrap();
        assert_eq!(difference.event, 3);
        assert_eq!((difference.first.is_some(), difference.second.is_some()), (true, false));
    }
}
