//! Scripted steps: what happens at a given moment, as `[[step]]` tables; and what a person does to a run, which is the same.
//!
//! A step is taken `at` a time (`at = "1.5s"`) or `after` a number of events (`after = 1234`): as soon as the run has so
//! many, before its next cause. So what somebody does to a run that has stopped there is done at the very same place
//! whenever it is run again. Steps of one moment are taken in the order in which they stand, and each sees what came of
//! the one before. A step of a scenario can also wait for the one before it in the file: `then = "50ms"` is so long after
//! that one was taken, and `once = "winner of term 2 = S3"` as soon as that [fact](crate::fact) is so.
//!
//! | `do` | keys | what happens |
//! |---|---|---|
//! | `crash` | `node`, `effect` (optional) | the node crashes; with `effect = N`, after the N-th effect of a turn (from 0), in the first turn that gets so far |
//! | `restart` | `node`, `survive` (optional) | it boots again; of its unsynced writes there is what the scenario's disk leaves, or `"none"`, `"all"`, or `"torn"`: all but the last, which is torn in two |
//! | `pause`, `resume` | `node` | it takes no turns for a while, and loses nothing |
//! | `cut`, `heal` | `from`, `to` (lists; without both `heal` heals every link) | links in that one direction carry nothing, or carry again |
//! | `partition` | `groups` (lists) | nodes, and clients if named, reach only their own group; who is in no group reaches all |
//! | `isolate` | `node`, `with` (a number) | the node and the next so many others are cut off from the other nodes |
//! | `clock` | `node`, `jump` (a time, optional, `-` for back), `drift` (ppm, optional) | its clock is set |
//! | `timeout` | `node` | its clock jumps to its alarm, which so rings now: for a follower, an election |
//! | `elect` | `node` | it times out now; the others' clocks jump to just before their alarms, and nearly stop there until they set them again: so they wait, but believe no more in a leader that is gone |
//! | `split-vote` | `nodes` (a list) | these time out at the same instant, as `elect` does; each of the others hears one of them first, and the rest too late |
//! | `hold` | `message`, or `from` and `to` | the message waits, or all does that would arrive on these links from now on |
//! | `release` | `from`, `to` (without both: everything) | what waits on these links arrives, in order, and they carry as before |
//! | `deliver`, `drop` | `message` | it arrives, or is lost, now; or, if it is not sent yet, then |
//! | `delay` | `message`, or `from` and `to`; `by` or `until` (times) | the message arrives so much later than it would, or then; or whatever is sent on these links from now on does, until `release` |
//! | `duplicate` | `message`, `by` or `until` (optional) | one more copy of it arrives, now or then |
//! | `alter` | `message`, `offset`, `xor` | the byte there is changed in every copy that arrives from now on; past its end nothing is |
//! | `stall` | `sync`, or `node` | the sync is not answered, or no sync of the node is from now on; later ones wait behind it |
//! | `complete` | `sync`, or `node` | it is answered now; or the node's disk answers again |
//! | `fail` | `sync`, or `node` | it fails, at its time or, if it stalled, now; or the node's next answer does |
//! | `rot` | `node`; `file`, `offset`, `xor` (all or none) | that byte of what is durable changes; or one of those whose damage the node can tell from a torn tail |
//! | `wipe` | `node` | all that was on its disk is gone; it must be down |
//! | `swap` | `node`, `other` | the two have each other's disks; both must be down |
//! | `lie`, `honest` | `node` | its disk says of syncs that they are done, and keeps nothing; or it does no more |
//! | `fill`, `free` | `node` | its disk takes nothing more; or it does again |
//! | `fail-write` | `node` | the next write, or cut of a file, fails |
//! | `misdirect` | `node` | the next write goes to another place of its file, and is said to be done |
//! | `members` | `voters`, `learners`, `gone` (lists, at least one of them), `client`, `node` (both optional) | the client asks the leader, or this node first, that these vote, these learn without a vote, and these go, as soon as it has what it asked before |
//! | `compact` | `node`, `client` (optional) | the client asks that node for a snapshot, as soon as it has what it asked before |
//! | `transfer` | `node`, `client` (optional) | the client asks the leader to hand over to that node, as soon as it has what it asked before |
//! | `expect` | `that` | nothing happens, but whoever reads the report is told whether that [fact](crate::fact) is so now |
//! | `request` | `client`, `ask`, `key`, `node` (optional), and what it asks with | the client asks that after what it is asking, of this node first or of whom it likes |
//!
//! A node is a name, `"S1"`, or `"leader"`: the node that last answered a client with success, or `"crashed"`: the node
//! that crashed last. A message is `"S1->S2#7"`, the number, from 0, on its link; a sync is `"S1.2#7"`, that of the node's
//! second boot. Both may be named before they are there, and are then dealt with when they are. A client can `ask`:
//! `get`, perhaps with a `mode`: `"log"`, `"read-index"`, `"lease"` or `"local"`; `put` with a `value`; `delete`; `compare-and-set` with a `value` and perhaps an `expect`; `append` with a
//! `value`; `increment` with an `amount`. Keys `a0`, `c0` and so on are those that the auditor reads, and only take
//! appends and increments.
//!
//! When the faults' time is over all of it is undone: links heal, nodes boot and go on, clocks run true, what is held
//! arrives, what stalled is answered, disks are honest and have room. What rotted or was wiped stays so. Steps of a scenario that come later do nothing. What a person does later is done,
//! is not undone, and gives the run two more seconds, in which the auditor reads again. A step that does nothing is no
//! mistake, and is told as a [remark](crate::agenda::script::Remark).

use super::Scenario;
use super::table::Table;
use crate::fact::Fact;
use crate::units::Span;
use serde::{Deserialize, Serialize};
use std::fmt;

pub(crate) use super::act::READ_MODES;
pub use super::act::{Act, Ask, Damage, Later, Mail, Place, Question, Syncs};
pub use super::name::{Jump, Message, Name, Survive, Sync, Target};
pub use raftbox_abi::note::ReadMode;

/// Something that happens at a given moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Table", into = "Table")]
pub struct Step {
    /// When.
    pub when: When,
    /// What.
    pub act: Act,
}

/// When a step is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// At this time.
    At(Span),
    /// As soon as the run has so many events, before its next cause.
    After(u64),
    /// So long after the step before it in the file was taken; after the beginning, if it is the first.
    Then(Span),
    /// As soon as this is so, once the step before it in the file was taken.
    Once(Fact),
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => write!(f, "at {at}"),
            Self::After(events) => write!(f, "after {events} events"),
            Self::Then(span) => write!(f, "{span} later"),
            Self::Once(fact) => write!(f, "once {fact}"),
        }
    }
}

impl fmt::Display for Step {
    /// The verb, what it is about, and when: `crash S1 at 2s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Table::from(self.clone()).sentence(), self.when)
    }
}

impl Step {
    /// # Errors
    /// If it is about nodes, clients or keys that there are not.
    pub(super) fn check(&self, scenario: &Scenario) -> Result<(), String> {
        if let When::Once(fact) = &self.when {
            fact.check(scenario.nodes, scenario.clients.count)?;
        }
        self.act.check(scenario)
    }
}
