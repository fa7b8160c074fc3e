//! What happens in a run, as a list of events.
//!
//! A [`Cause`] is something that somebody decided: the network delivers a message, a node crashes, an alarm rings. An
//! [`Effect`] is what a node, or the world, answers to it. A run is causes, each followed by its effects; feeding only the
//! causes into a fresh world reproduces the whole list, byte for byte.
//!
//! [`codec`] holds the canonical binary form, which is what a digest is over; [`text`] the form of one line for people.
//! Everything here is opaque to Raft: messages and notes are bytes.

pub mod codec;
pub mod text;

pub use codec::{Decoder, Encoder};
use std::fmt;

/// Virtual time, in microseconds since the start of the run.
pub type Micros = u64;

/// A node's number, from 1.
pub type NodeId = u32;

/// A client's number, from 1.
pub type ClientId = u32;

/// Who sends and receives messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// A Raft node; shown as `S1`.
    Node(NodeId),
    /// A client; shown as `C1`.
    Client(ClientId),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => write!(f, "S{node}"),
            Self::Client(client) => write!(f, "C{client}"),
        }
    }
}

/// The name of a message: the `n`-th (from 0) on its link. The count goes on across restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageName {
    /// Who sent it.
    pub from: Endpoint,
    /// To whom.
    pub to: Endpoint,
    /// Which on that link.
    pub n: u64,
}

impl fmt::Display for MessageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}→{}#{}", self.from, self.to, self.n)
    }
}

/// Something that somebody decided. The set is closed: with the header, the causes determine a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A node starts, with what of its unsynced disk operations survived the crash before.
    Boot {
        /// Which.
        node: NodeId,
        /// What survived; nothing else of the unsynced did.
        survivors: Vec<Survivor>,
    },
    /// A node loses all but its disk.
    Crash {
        /// Which.
        node: NodeId,
    },
    /// A node stops taking turns, and loses nothing. What falls due meanwhile waits.
    Pause {
        /// Which.
        node: NodeId,
    },
    /// A paused node goes on.
    Resume {
        /// Which.
        node: NodeId,
    },
    /// A copy of a message arrives.
    Deliver {
        /// Which message.
        message: MessageName,
        /// Which copy, from 0.
        copy: u32,
        /// Whether the network keeps the message, because more is to come of it.
        keep: bool,
        /// Bytes that the network changed.
        alterations: Vec<Alteration>,
    },
    /// A message is lost.
    Lose {
        /// Which message.
        message: MessageName,
        /// Whether the network keeps the message, because it is to come back later.
        keep: bool,
    },
    /// A node's alarm rings.
    Wake {
        /// Whose.
        node: NodeId,
        /// The boot that set it, from 1.
        boot: u32,
        /// Which of that boot's alarms, from 0.
        alarm: u64,
    },
    /// A node's disk answers a sync.
    Synced {
        /// Whose.
        node: NodeId,
        /// The boot that asked, from 1.
        boot: u32,
        /// Which of that boot's syncs, from 0.
        sync: u64,
        /// 0, or a status code below 0: then what it covered never becomes durable.
        status: i32,
    },
    /// A client sends an attempt of an operation.
    Request {
        /// Which client.
        client: ClientId,
        /// Which of its operations, from 0.
        operation: u64,
        /// Which attempt of that, from 0.
        attempt: u64,
        /// To which node.
        to: NodeId,
        /// What it asks.
        body: Vec<u8>,
    },
    /// A client gives up waiting for an answer to an attempt.
    ClientTimeout {
        /// Which client.
        client: ClientId,
        /// Which of its operations.
        operation: u64,
        /// Which attempt of that.
        attempt: u64,
        /// Whether it gives up the operation, whose outcome is then unknown.
        last: bool,
    },
    /// A node's clock is set.
    Clock {
        /// Whose.
        node: NodeId,
        /// By how much it jumps, µs.
        jump: i64,
        /// How much faster than the world it runs from now on, in parts per million.
        ppm: i32,
    },
    /// Something befalls a node's disk.
    Disk {
        /// Whose.
        node: NodeId,
        /// What.
        fault: DiskFault,
    },
    /// A link is cut, or heals, in one direction.
    Link {
        /// From whom.
        from: Endpoint,
        /// To whom.
        to: Endpoint,
        /// Whether it carries messages now.
        up: bool,
    },
    /// Something within a turn went another way than it does by default.
    Decide {
        /// In whose turn.
        node: NodeId,
        /// In which boot.
        boot: u32,
        /// In which call of that boot, from 0.
        call: u64,
        /// At which effect of that call, from 0, or at which visit or disk operation.
        n: u32,
        /// How it went.
        decision: Decision,
    },
}

/// What befalls a disk, outside of any turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFault {
    /// A byte of what is durable changes.
    Rot {
        /// Of which file.
        file: u32,
        /// Its place in the file.
        offset: u64,
        /// What it is combined with, by exclusive or.
        xor: u8,
    },
    /// All that was on it is gone. The node is down.
    Wiped,
    /// It is another node's, and that node has this one's. Both are down.
    Swapped {
        /// Whose.
        with: NodeId,
    },
    /// From now on it says of syncs that they are done, and keeps nothing; or it does no more, and the next sync keeps all.
    Lies {
        /// Whether it does.
        lies: bool,
    },
}

impl DiskFault {
    /// Whether the disk is better for it.
    #[must_use]
    pub fn mends(self) -> bool {
        self == Self::Lies { lies: false }
    }

    /// What becomes of the disk, in words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Rot { file, offset, .. } => format!("rots: byte {offset} of file {file} is another now"),
            Self::Wiped => "is wiped: all that was on it is gone".into(),
            Self::Swapped { with } => format!("is exchanged for that of S{with}"),
            Self::Lies { lies: true } => "lies: it says of syncs that they are done, and keeps nothing".into(),
            Self::Lies { lies: false } => "lies no more: the next sync keeps all that was written".into(),
        }
    }
}

/// How something within a turn went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The node crashes right after this effect.
    Crash,
    /// The named fault site answered 1.
    Chance {
        /// Its name.
        site: u32,
    },
    /// A disk operation, by its number in the call, failed and did nothing.
    Failed {
        /// With which status, below 0.
        status: i32,
    },
    /// A write, by the number of the disk operation in the call, went elsewhere.
    Misdirected {
        /// To which place in its file.
        to: u64,
    },
}

impl Decision {
    /// How it went, in words that follow the node's name; a crash is told by those who know what is lost with it.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Crash => "crashes in the middle of a turn".into(),
            Self::Chance { site } => format!("takes the way less travelled, at its fault site {site}"),
            Self::Failed { status: raftbox_abi::boundary::status::FULL } => "finds its disk full".into(),
            Self::Failed { status } => format!("is told by its disk that a write failed (status {status})"),
            Self::Misdirected { to } => {
                format!("is told by its disk that a write is done, which went to {to} of the file instead")
            }
        }
    }
}

/// A range of sectors of one unsynced disk operation that survives a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// Which of the unsynced operations, from 0, in the order in which they were issued.
    pub operation: u32,
    /// The first of the surviving sectors, counted within the operation from 0; 0 for a truncate.
    pub sector: u32,
    /// How many; 1 for a truncate.
    pub count: u32,
}

/// A byte that the network changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alteration {
    /// Its place in the message.
    pub offset: u32,
    /// What it was combined with, by exclusive or.
    pub xor: u8,
}

/// What a node, or the world, answers to a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect<'a> {
    /// A message is on its way.
    Sent {
        /// Its name.
        message: MessageName,
        /// For a request or a reply the attempt that it belongs to, packed; else 0.
        operation: u64,
        /// Its bytes.
        bytes: &'a [u8],
    },
    /// A client has an answer.
    Received {
        /// Which client.
        client: ClientId,
        /// The attempt that it belongs to, packed.
        operation: u64,
        /// Its bytes.
        body: &'a [u8],
    },
    /// A node set its alarm.
    WakeAt {
        /// Which node.
        node: NodeId,
        /// Which of its boot's alarms, from 0.
        alarm: u64,
        /// When, on its own clock; `u64::MAX` cancels.
        at: u64,
    },
    /// A node wrote to its disk.
    Write {
        /// Which node.
        node: NodeId,
        /// To which file.
        file: u32,
        /// At which place.
        offset: u64,
        /// How many bytes.
        len: u32,
        /// Their hash.
        hash: u64,
    },
    /// A node set the length of a file.
    Truncate {
        /// Which node.
        node: NodeId,
        /// Which file.
        file: u32,
        /// Its length now.
        len: u64,
    },
    /// A node asked for durability.
    Sync {
        /// Which node.
        node: NodeId,
        /// Which of its boot's syncs, from 0.
        sync: u64,
        /// The node's own name for it.
        ticket: u64,
    },
    /// A node told what just changed.
    Note {
        /// Which node.
        node: NodeId,
        /// The kind, as in [`raftbox_abi::note::kind`].
        kind: u32,
        /// Its body.
        body: &'a [u8],
    },
    /// A node stopped itself, on purpose.
    Halted {
        /// Which node.
        node: NodeId,
        /// Its own code.
        code: u32,
        /// Its reason, for people.
        reason: &'a [u8],
    },
    /// A node did what no guest may do (a panic, a bad pointer, an exceeded limit), and is down. What exactly differs
    /// between engines, so it is told in the log and not here.
    Trapped {
        /// Which node.
        node: NodeId,
    },
    /// The cause had nothing to act on.
    Moot {
        /// Why.
        reason: Moot,
    },
}

/// Why a cause had nothing to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Moot {
    /// The node is down.
    NodeDown = 0,
    /// The node is up, and was to be booted.
    NodeUp = 1,
    /// The node is paused.
    NodePaused = 2,
    /// The node is not paused, and was to be resumed.
    NodeRunning = 3,
    /// That boot is over.
    BootOver = 4,
    /// That alarm was replaced or has rung.
    AlarmReplaced = 5,
    /// That sync was answered, or never asked, or is not the next in order.
    NoSuchSync = 6,
    /// The network does not hold that message.
    NoSuchMessage = 7,
    /// There is no such node or client.
    NoSuchEndpoint = 8,
    /// The request is larger than any message may be.
    TooLarge = 9,
    /// There is nothing at that place of the disk.
    NothingThere = 10,
}

impl Moot {
    /// Why, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NodeDown => "the node is down",
            Self::NodeUp => "the node is up already",
            Self::NodePaused => "the node is paused",
            Self::NodeRunning => "the node is not paused",
            Self::BootOver => "that boot is over",
            Self::AlarmReplaced => "that alarm was replaced or has rung",
            Self::NoSuchSync => "no such sync is due",
            Self::NoSuchMessage => "the network holds no such message",
            Self::NoSuchEndpoint => "there is no such node or client",
            Self::TooLarge => "the request is larger than a message may be",
            Self::NothingThere => "there is nothing at that place of the disk",
        }
    }
}

/// One event of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// Somebody decided this.
    Cause(Cause),
    /// This was the answer.
    Effect(Effect<'a>),
}

impl Event<'_> {
    /// The node whose event this is, if it is one node's.
    #[must_use]
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Self::Cause(
                Cause::Boot { node, .. }
                | Cause::Crash { node }
                | Cause::Pause { node }
                | Cause::Resume { node }
                | Cause::Wake { node, .. }
                | Cause::Synced { node, .. }
                | Cause::Clock { node, .. }
                | Cause::Disk { node, .. }
                | Cause::Decide { node, .. },
            )
            | Self::Effect(
                Effect::WakeAt { node, .. }
                | Effect::Write { node, .. }
                | Effect::Truncate { node, .. }
                | Effect::Sync { node, .. }
                | Effect::Note { node, .. }
                | Effect::Halted { node, .. }
                | Effect::Trapped { node },
            ) => Some(*node),
            Self::Cause(Cause::Deliver { message: MessageName { to: Endpoint::Node(node), .. }, .. })
            | Self::Effect(Effect::Sent { message: MessageName { from: Endpoint::Node(node), .. }, .. }) => Some(*node),
            _ => None,
        }
    }
}
