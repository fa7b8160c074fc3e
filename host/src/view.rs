//! What there is to see of a run at any of its events: nodes, messages on their way, links, clients, faults, and why.
//!
//! A page, a report and a test show the same things, so what is shown is decided here and nowhere else. All of it is a
//! function of a run's events: the view knows no world, no engine and no agenda, and so it shows a recorded run as well as
//! one that goes on.
//!
//! [`Recording`] is the run: its bytes, and what is known of it by its whole length (where each message went, what
//! became of each operation, when a fault began and ended). It grows as the run does. [`View`] is the state after one event,
//! a fold of the events up to there; a recording keeps some of them, so that any other is a few steps away. Both
//! directions cost the same.
//!
//! | file | concept |
//! |---|---|
//! | [`recording`] | the run: bytes, kept views, seeking |
//! | [`tables`] | what is known of a run by its whole length |
//! | [`frame`] | the state after one event |
//! | [`node`] | one node: what it noted, its clock, alarm, disk and members |
//! | [`machine`] | the values of a node's state machine, as far as events prove them |
//! | [`message`] | messages: what they say, when they leave, what becomes of them |
//! | [`client`] | operations of clients: when asked, when and how answered |
//! | [`entry`] | entries of logs: what they carry, who asked for it, when they were committed |
//! | [`band`] | spans of time in which something is broken |
//! | `wait` | what takes long |
//! | [`tick`] | the events that are worth a jump |
//! | [`sentence`] | one plain sentence for each event |
//! | [`why`] | the rule behind an event, with the values that were compared |
//! | [`causality`] | what an event can have been moved by, and what it can have moved |
//! | [`diagram`] | rows and lines of a space-time diagram |
//! | [`replication`] | match and next index of every leader, as far as messages prove them |
//! | [`diff`] | how two states differ |
//!
//! ```
//! use raftbox::event::{Cause, Encoder};
//! use raftbox::scenario::Scenario;
//! use raftbox::trace::{Keep, Trace};
//! use raftbox::view::Recording;
//!
//! let mut trace = Trace::new(b"header", Keep::All);
//! for (at, cause) in [
//!     (0, Cause::Boot { node: 1, survivors: vec![] }),
//!     (500, Cause::Pause { node: 1 }),
//! ] {
//!     let mut step = Encoder::default();
//!     step.cause(at - trace.at(), &cause);
//!     trace.append(at, &step);
//! }
//!
//! let mut recording = Recording::new(&Scenario { nodes: 3, ..Scenario::default() });
//! recording.follow(&trace, |_| None);
//! assert_eq!(recording.events(), 2);
//! assert_eq!(recording.view(0).node(1).unwrap().noted.state.word(), "up");
//! assert_eq!(recording.view(1).node(1).unwrap().noted.state.word(), "paused");
//! assert_eq!(recording.sentence(1).unwrap().text, "S1 pauses: it takes no turns, and loses nothing");
//! ```
//!
//! Left out, because no event tells it: a vote that is not on the disk yet, and what a snapshot holds. What two nodes say to each other is opaque; whoever fills a recording brings
//! a describer for it, as for [`event::text`](crate::event::text).

pub mod band;
pub mod causality;
pub mod client;
pub mod diagram;
pub mod diff;
pub mod entry;
pub mod frame;
pub mod machine;
pub mod message;
pub mod node;
pub mod recording;
pub mod replication;
pub mod sentence;
pub mod tables;
pub mod tick;
mod wait;
pub mod why;

use crate::check::Observed;
use crate::event::{Cause, Effect, Endpoint, Event, Micros, Moot};
pub use frame::View;
pub use recording::Recording;
pub use tables::Tables;

/// An event's number, from 0, and when it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Its number.
    pub event: u64,
    /// Its time.
    pub at: Micros,
}

/// An event as the folds of the view are shown it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The event.
    pub observed: Observed<'a>,
    /// Why it had nothing to act on, if it is a cause that had not.
    pub moot: Option<Moot>,
}

impl Seen<'_> {
    /// Which event it is, and when it was.
    #[must_use]
    pub fn moment(&self) -> Moment {
        Moment { event: self.observed.index, at: self.observed.at }
    }
}

/// Puts things into the order of their events; those of one event stay as they are. (It sorts numbers, whatever the things
/// are: the page would carry a sort of its own for each kind.)
#[must_use]
pub fn in_order<T>(things: Vec<T>, event: impl Fn(&T) -> u64) -> Vec<T> {
    let mut order: Vec<(u64, usize)> = things.iter().map(event).zip(0..).collect();
    order.sort_unstable();
    let mut things: Vec<Option<T>> = things.into_iter().map(Some).collect();
    order.into_iter().filter_map(|(_, place)| things[place].take()).collect()
}

/// In whose lane of a space-time diagram an event stands; `None` if it is nobody's, as a cut of a link is.
#[must_use]
pub fn lane(event: &Event<'_>) -> Option<Endpoint> {
    match event {
        Event::Cause(Cause::Request { client, .. } | Cause::ClientTimeout { client, .. })
        | Event::Effect(Effect::Received { client, .. }) => Some(Endpoint::Client(*client)),
        Event::Cause(Cause::Deliver { message, .. }) => Some(message.to),
        Event::Effect(Effect::Sent { message, .. }) => Some(message.from),
        _ => event.node().map(Endpoint::Node),
    }
}
