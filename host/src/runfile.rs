//! Run files: a run to keep, send, replay and compare.
//!
//! A run file is one line of JSON, the [`Head`], and then the canonical binary of the trace. The body may hold every
//! event, the causes alone, or nothing: the plan alone is enough to make the run again, the causes replay it even under
//! another version of the policy, and every event lets two runs be compared without running either.
//!
//! A file is read as if an enemy had written it: its head is checked as a scenario file is, every event must be readable,
//! and counts and digests must be those that the head tells.

use crate::event::codec::Decoder;
use crate::event::{Event, Micros};
use crate::plan::Header;
use crate::trace::{Checkpoint, Digest, Keep, Trace};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

/// What a run file begins with.
pub const MARK: &str = "{\"raftbox_run\":";

/// The version of the format.
pub const FORMAT: u32 = 1;

/// The first line of a run file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// What kind of file it is, and in which version.
    pub raftbox_run: u32,
    /// What was run, and by what.
    pub header: Header,
    /// What of the events follows.
    pub body: Body,
    /// The digest of the whole run; `None` in a file of a plan that was not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// How many events the run had.
    #[serde(default)]
    pub events: u64,
    /// How many bytes of body follow.
    #[serde(default)]
    pub bytes: u64,
    /// The digest after every 1,024 events.
    #[serde(default)]
    pub checkpoints: Vec<Digest>,
}

/// What the first line of every version says.
#[derive(Deserialize)]
struct Mark {
    raftbox_run: u64,
}

/// What of the events a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Body {
    /// Every event.
    Events,
    /// The causes alone.
    Causes,
    /// Nothing: the file is its plan.
    Plan,
}

/// What is wrong with a run file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It is no run file at all.
    #[error("this is no run file: {0}")]
    Foreign(String),
    /// It is of another version.
    #[error(
        "this run file is of format {0}, and this raftbox reads format {FORMAT}; read it with the raftbox that wrote it"
    )]
    Version(u32),
    /// Its plan does not make sense.
    #[error("the head of this run file is wrong at {key}: {what}")]
    Plan {
        /// The key that is to blame.
        key: String,
        /// What is wrong with it.
        what: String,
    },
    /// Its body ends too early, or goes on too long.
    #[error("this run file is {0}: its head tells of {1} bytes of events, and {2} follow; copy it again")]
    Length(&'static str, u64, u64),
    /// An event cannot be read.
    #[error("this run file is damaged: {0}; copy it again")]
    Event(#[from] crate::event::codec::Malformed),
    /// The number of events is another than told.
    #[error("this run file is damaged: its head tells of {told} events, and there are {found}; copy it again")]
    Count {
        /// How many the head tells of.
        told: u64,
        /// How many there are.
        found: u64,
    },
    /// It tells of causes alone, and event number `.0` is an effect.
    #[error("this run file is damaged: its head tells of causes alone, and event {0} is an effect; copy it again")]
    Effect(u64),
    /// The events are not those that the digest is of.
    #[error("this run file was altered: among events {from} to {to} there are some that its digest is not of")]
    Altered {
        /// The first of the 1,024 events among which the alteration is.
        from: u64,
        /// The last of them.
        to: u64,
    },
}

/// A run file, read and checked.
#[derive(Clone, Debug)]
pub struct RunFile {
    /// Its head.
    pub head: Head,
    /// Its events.
    body: Vec<u8>,
}

impl RunFile {
    /// The file of a run, with as much of its events as the trace kept.
    #[must_use]
    pub fn of(header: Header, trace: &Trace) -> Self {
        let body = trace.segments().collect::<Vec<_>>().concat();
        let head = Head {
            raftbox_run: FORMAT,
            header,
            body: match trace.keep() {
                Keep::All => Body::Events,
                Keep::Causes => Body::Causes,
                Keep::Nothing => Body::Plan,
            },
            digest: Some(trace.digest()),
            events: trace.events(),
            bytes: body.len() as u64,
            checkpoints: trace.checkpoints().iter().map(|(_, digest)| *digest).collect(),
        };
        Self { head, body }
    }

    /// The bytes of the file.
    ///
    /// # Panics
    /// Never: every field of the head has a JSON form.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(&self.head).expect("every field has a JSON form");
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(bytes: &[u8]) -> Result<Self, Broken> {
        const HEAD_MAX: usize = 16 << 20;
        let foreign = |what: &str| Broken::Foreign(what.into());
        if bytes.is_empty() {
            return Err(foreign("it is empty; `raftbox run --out` writes one"));
        }
        if bytes[0] != b'{' {
            return Err(foreign("it does not begin with a line of JSON; `raftbox run --out` writes one"));
        }
        let end = bytes.iter().take(HEAD_MAX).position(|byte| *byte == b'\n');
        let end = end.ok_or_else(|| foreign("its first line does not end; perhaps it was cut short"))?;
        let head = Self::head(&bytes[..end])?;
        let body = bytes[end + 1..].to_vec();
        let found = body.len() as u64;
        if found != head.bytes {
            let how = if found < head.bytes { "cut short" } else { "longer than it should be" };
            return Err(Broken::Length(how, head.bytes, found));
        }
        let file = Self { head, body };
        file.check()?;
        Ok(file)
    }

    fn head(line: &[u8]) -> Result<Head, Broken> {
        // What it is, and in which version, comes first: a file of another version is not broken.
        let mark: Mark = serde_json::from_slice(line).map_err(|error| {
            let what = if error.is_data() { "tells of no \"raftbox_run\"" } else { "is no JSON" };
            Broken::Foreign(format!("its first line {what} ({error})"))
        })?;
        if mark.raftbox_run != u64::from(FORMAT) {
            return Err(Broken::Version(u32::try_from(mark.raftbox_run).unwrap_or(u32::MAX)));
        }
        let wrong = |what: String| Broken::Plan { key: "its first line".into(), what };
        let head: Head = serde_json::from_slice(line).map_err(|error| wrong(error.to_string()))?;
        if head.header.abi != raftbox_abi::VERSION {
            let (theirs, ours) = (head.header.abi, raftbox_abi::VERSION);
            return Err(Broken::Plan {
                key: "abi".into(),
                what: format!("its guests speak version {theirs} of the boundary, and this raftbox speaks {ours}"),
            });
        }
        let scenario = &head.header.plan.scenario;
        scenario.check().map_err(|(key, what)| Broken::Plan { key, what })?;
        scenario
            .check_steps("interventions", &head.header.plan.interventions)
            .map_err(|(key, what)| Broken::Plan { key, what })?;
        if head.header.guests.is_empty() {
            return Err(Broken::Plan { key: "guests".into(), what: "there is none".into() });
        }
        if head.body == Body::Plan && head.bytes > 0 {
            return Err(Broken::Plan { key: "body".into(), what: "it is a plan alone, and tells of events".into() });
        }
        Ok(head)
    }

    /// Whether the events are readable, as many as told, and those of the digest.
    fn check(&self) -> Result<(), Broken> {
        let head = &self.head;
        let mut hasher = Xxh3::new();
        hasher.update(&head.header.bytes());
        let (mut found, mut hashed) = (0_u64, 0);
        let mut decoder = Decoder::new(&self.body, 0);
        while let Some(event) = decoder.next() {
            let (_, event) = event?;
            found += 1;
            if head.body == Body::Causes && !matches!(event, Event::Cause(_)) {
                return Err(Broken::Effect(found - 1));
            }
            let checkpoint = usize::try_from(found / crate::trace::CHECKPOINT_EVENTS).unwrap_or(usize::MAX);
            if head.body == Body::Events && found.is_multiple_of(crate::trace::CHECKPOINT_EVENTS) {
                hasher.update(&self.body[hashed..decoder.place()]);
                hashed = decoder.place();
                if head.checkpoints.get(checkpoint - 1) != Some(&Digest(hasher.digest128())) {
                    return Err(Broken::Altered { from: found - crate::trace::CHECKPOINT_EVENTS, to: found - 1 });
                }
            }
        }
        if head.body != Body::Events {
            return Ok(());
        }
        if found != head.events {
            return Err(Broken::Count { told: head.events, found });
        }
        hasher.update(&self.body[hashed..]);
        if head.digest != Some(Digest(hasher.digest128())) {
            let from = found / crate::trace::CHECKPOINT_EVENTS * crate::trace::CHECKPOINT_EVENTS;
            return Err(Broken::Altered { from, to: found.saturating_sub(1) });
        }
        Ok(())
    }

    /// Each event that the file holds, with its time.
    pub fn events(&self) -> impl Iterator<Item = (Micros, Event<'_>)> {
        Decoder::new(&self.body, 0).map(|event| event.expect("it was checked when it was read"))
    }

    /// The events that the file holds, in their canonical form.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The digests after every 1,024 events.
    #[must_use]
    pub fn checkpoints(&self) -> Vec<Checkpoint> {
        (1..).zip(&self.head.checkpoints).map(|(n, digest)| (n * crate::trace::CHECKPOINT_EVENTS, *digest)).collect()
    }
}
