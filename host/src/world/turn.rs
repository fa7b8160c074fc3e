//! One turn of one node: the [`Host`] that serves its imports and writes down what it does.
//!
//! A [`Turn`] owns what all nodes share (the events of this step, the mail, the decider) and, while a node has its turn,
//! that node's [`Body`]: disk, random stream, counters. It moves into the engine with the call and comes back.

use crate::draw::{Concern, Draw};
use crate::engine::{Host, Stop};
use crate::event::{Cause, Decision, Effect, Encoder, Endpoint, NodeId};
use crate::world::decider::Decider;
use crate::world::disk::Disk;
use crate::world::mail::Mail;
use raftbox_abi::boundary::{
    FILE_BYTES_MAX, FILE_MAX, NOTE_BYTES_MAX, TRANSFER_BYTES_MAX, TURN_BYTES_MAX, TURN_EFFECTS_MAX, status,
};

/// All of a node but the guest itself.
#[derive(Clone, Debug)]
pub struct Body {
    /// Its number.
    pub node: NodeId,
    /// Which boot this is, from 1; 0 before the first.
    pub boot: u32,
    /// How many calls this boot had.
    pub calls: u64,
    /// Its disk, which outlives a boot.
    pub disk: Disk,
    /// Its random numbers in this boot.
    pub stream: Draw,
    /// How many alarms this boot has set.
    pub alarms: u64,
    /// Whether the last of them is to ring yet.
    pub alarm_set: bool,
}

impl Body {
    /// A node that was never booted.
    #[must_use]
    pub fn new(seed: u64, node: NodeId) -> Self {
        let stream = Draw::new(seed, Concern::Node, [u64::from(node), 0, 0]);
        Self { node, boot: 0, calls: 0, disk: Disk::default(), stream, alarms: 0, alarm_set: false }
    }

    /// The next boot begins: only disk and boot number stay.
    pub fn start(&mut self, seed: u64) {
        self.boot += 1;
        self.stream = Draw::new(seed, Concern::Node, [u64::from(self.node), u64::from(self.boot), 0]);
        (self.calls, self.alarms, self.alarm_set) = (0, 0, false);
    }
}

/// A line that a guest told, or why it trapped; for people alone, and in no digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Whose.
    pub node: NodeId,
    /// 1 (error) to 5 (trace).
    pub level: u32,
    /// What it says.
    pub line: String,
}

/// A node's turn, or the pause between two.
#[derive(Debug)]
pub struct Turn {
    /// The events of this step.
    pub step: Encoder,
    /// The messages on their way.
    pub mail: Mail,
    /// What goes another way than by default.
    pub decider: Decider,
    /// What was logged in this step.
    pub log: Vec<LogLine>,
    /// The node whose turn it is.
    body: Option<Box<Body>>,
    now: u64,
    effects: u32,
    notes: u32,
    visits: u32,
    operations: u32,
    bytes: u64,
}

impl Turn {
    /// Between two turns, at the start.
    #[must_use]
    pub fn new(decider: Decider) -> Self {
        Self {
            step: Encoder::default(),
            mail: Mail::default(),
            decider,
            log: Vec::new(),
            body: None,
            now: 0,
            effects: 0,
            notes: 0,
            visits: 0,
            operations: 0,
            bytes: 0,
        }
    }

    /// It is the node's turn now, and its clock reads `now`.
    pub fn begin(&mut self, body: Box<Body>, now: u64) {
        assert!(self.body.is_none(), "one turn ends before the next begins");
        self.body = Some(body);
        self.now = now;
        (self.effects, self.notes, self.visits, self.operations, self.bytes) = (0, 0, 0, 0, 0);
    }

    /// The turn is over.
    ///
    /// # Panics
    /// If there was none.
    pub fn end(&mut self) -> Box<Body> {
        let mut body = self.body.take().expect("a turn was begun");
        body.calls += 1;
        body
    }

    fn body(&mut self) -> &mut Body {
        self.body.as_mut().expect("imports are served within a turn only")
    }

    /// Counts bytes that the guest hands over against the limits.
    fn accept(&mut self, what: &str, len: usize, most: u32) -> Result<(), Stop> {
        if len as u64 > u64::from(most) {
            return Err(Stop::Forbidden(format!("{what} has {len} bytes; at most {most} are allowed")));
        }
        self.bytes += len as u64;
        if self.bytes > TURN_BYTES_MAX {
            return Err(Stop::Forbidden(format!("a turn handed over more than {TURN_BYTES_MAX} bytes")));
        }
        Ok(())
    }

    /// Writes down an effect; the node may crash right after it.
    fn effect(&mut self, effect: &Effect<'_>) -> Result<(), Stop> {
        let n = self.effects;
        self.effects += 1;
        if self.effects > TURN_EFFECTS_MAX {
            return Err(Stop::Forbidden(format!("a turn had more than {TURN_EFFECTS_MAX} effects")));
        }
        self.step.effect(effect);
        if self.decider.is_idle() {
            return Ok(());
        }
        let Body { node, boot, calls, .. } = *self.body();
        if self.decider.crashes((node, boot, calls, n), effect) {
            self.step.cause(0, &Cause::Decide { node, boot, call: calls, n, decision: Decision::Crash });
            return Err(Stop::Down);
        }
        Ok(())
    }

    /// How the next disk operation goes, if not as it should; `begins` is where a write does.
    fn operation(&mut self, begins: Option<u64>) -> Option<Decision> {
        let n = self.operations;
        self.operations = n.saturating_add(1);
        let Body { node, boot, calls, .. } = *self.body();
        let decision = self.decider.operation((node, boot, calls, n), begins)?;
        self.step.cause(0, &Cause::Decide { node, boot, call: calls, n, decision });
        Some(decision)
    }

    fn tell(&mut self, what: &str, len: usize) -> Result<(), Stop> {
        self.accept(what, len, NOTE_BYTES_MAX)?;
        self.notes += 1;
        if self.notes > TURN_EFFECTS_MAX {
            return Err(Stop::Forbidden(format!("a turn had more than {TURN_EFFECTS_MAX} notes and log lines")));
        }
        Ok(())
    }

    fn post(&mut self, to: Endpoint, operation: u64, bytes: &[u8]) -> Result<(), Stop> {
        let from = Endpoint::Node(self.body().node);
        let message = self.mail.post(from, to, operation, bytes);
        self.effect(&Effect::Sent { message, operation, bytes })
    }
}

/// Refuses a file or a place in it that no disk has.
fn check_file(file: u32, end: Option<u64>) -> Result<(), Stop> {
    if file > FILE_MAX {
        return Err(Stop::Forbidden(format!("there is no file {file}; the highest is {FILE_MAX}")));
    }
    match end {
        Some(end) if end <= FILE_BYTES_MAX => Ok(()),
        _ => Err(Stop::Forbidden(format!("file {file} would exceed {FILE_BYTES_MAX} bytes"))),
    }
}

impl Host for Turn {
    fn now(&mut self) -> u64 {
        self.now
    }

    fn random(&mut self) -> u64 {
        self.body().stream.number()
    }

    fn send(&mut self, to: u32, datagram: &[u8]) -> Result<(), Stop> {
        self.accept("a datagram", datagram.len(), TRANSFER_BYTES_MAX)?;
        self.post(Endpoint::Node(to), 0, datagram)
    }

    fn wake_at(&mut self, at: u64) -> Result<(), Stop> {
        let body = self.body();
        let (node, alarm) = (body.node, body.alarms);
        body.alarms += 1;
        body.alarm_set = at != u64::MAX;
        self.effect(&Effect::WakeAt { node, alarm, at })
    }

    fn disk_len(&mut self, file: u32) -> Result<u64, Stop> {
        check_file(file, Some(0))?;
        Ok(self.body().disk.len(file))
    }

    fn disk_read(&mut self, file: u32, offset: u64, into: &mut [u8]) -> Result<i32, Stop> {
        self.accept("a disk read", into.len(), TRANSFER_BYTES_MAX)?;
        check_file(file, Some(0))?;
        let read = self.body().disk.read(file, offset, into);
        Ok(i32::try_from(read).expect("a transfer is at most 1 MiB"))
    }

    fn disk_write(&mut self, file: u32, offset: u64, bytes: &[u8]) -> Result<i32, Stop> {
        self.accept("a disk write", bytes.len(), TRANSFER_BYTES_MAX)?;
        check_file(file, offset.checked_add(bytes.len() as u64))?;
        let at = match self.operation(Some(offset)) {
            Some(Decision::Failed { status }) => return Ok(status),
            // What would lie past the end of every disk stays where it should be.
            Some(Decision::Misdirected { to }) if check_file(file, to.checked_add(bytes.len() as u64)).is_ok() => to,
            _ => offset,
        };
        let body = self.body();
        let node = body.node;
        body.disk.write(file, at, bytes);
        let len = u32::try_from(bytes.len()).expect("a transfer is at most 1 MiB");
        self.effect(&Effect::Write { node, file, offset, len, hash: raftbox_abi::hash(bytes) })?;
        Ok(status::OK)
    }

    fn disk_truncate(&mut self, file: u32, len: u64) -> Result<i32, Stop> {
        check_file(file, Some(len))?;
        if let Some(Decision::Failed { status }) = self.operation(None) {
            return Ok(status);
        }
        let body = self.body();
        let node = body.node;
        body.disk.truncate(file, len);
        self.effect(&Effect::Truncate { node, file, len })?;
        Ok(status::OK)
    }

    fn disk_sync(&mut self, ticket: u64) -> Result<(), Stop> {
        let body = self.body();
        let node = body.node;
        let sync = body.disk.sync(ticket);
        self.effect(&Effect::Sync { node, sync, ticket })
    }

    fn reply(&mut self, client: u32, operation: u64, body: &[u8]) -> Result<(), Stop> {
        self.accept("a reply", body.len(), TRANSFER_BYTES_MAX)?;
        self.post(Endpoint::Client(client), operation, body)
    }

    fn note(&mut self, kind: u32, body: &[u8]) -> Result<(), Stop> {
        self.tell("a note", body.len())?;
        let node = self.body().node;
        self.step.effect(&Effect::Note { node, kind, body });
        Ok(())
    }

    fn chance(&mut self, site: u32) -> bool {
        let n = self.visits;
        self.visits = n.saturating_add(1);
        let Body { node, boot, calls, .. } = *self.body();
        let happens = self.decider.chance((node, boot, calls, n), site);
        if happens {
            let decision = Decision::Chance { site };
            self.step.cause(0, &Cause::Decide { node, boot, call: calls, n, decision });
        }
        happens
    }

    fn halt(&mut self, code: u32, reason: &[u8]) -> Stop {
        if let Err(stop) = self.tell("the reason of a halt", reason.len()) {
            return stop;
        }
        let node = self.body().node;
        self.step.effect(&Effect::Halted { node, code, reason });
        Stop::Down
    }

    fn log(&mut self, level: u32, line: &[u8]) -> Result<(), Stop> {
        self.tell("a log line", line.len())?;
        let node = self.body().node;
        self.log.push(LogLine { node, level, line: String::from_utf8_lossy(line).into_owned() });
        Ok(())
    }
}
