//! What a node is given: inputs, chance, and what it finds on its disk.

use std::rc::Rc;

use super::change::Step;
use super::log::Log;
use super::message::Message;
use super::snapshot::Snapshot;
use super::{NodeId, Term, Ticket};

/// What happens to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A message arrived.
    Message {
        /// Who sent it.
        from: NodeId,
        /// The message.
        message: Message,
    },
    /// The alarm went off. It is believed whatever the clock says, so that a host can force a timeout.
    Alarm,
    /// Somebody wants a command in the log. Answered at once by an [`super::Output::Proposal`].
    Propose {
        /// Names the proposal in the answer; means nothing to the core.
        token: u64,
        /// The command.
        command: Rc<[u8]>,
    },
    /// Somebody wants other members. Answered at once by an [`super::Output::Proposal`].
    Reconfigure {
        /// Names the proposal in the answer; means nothing to the core.
        token: u64,
        /// The step.
        step: Step,
    },
    /// Somebody wants that node to lead. Answered at once by an [`super::Output::Proposal`], long before it does.
    Transfer {
        /// Names the wish in the answer; means nothing to the core.
        token: u64,
        /// Who is to lead.
        to: NodeId,
    },
    /// Somebody wants to read what is committed by now. Answered by an [`super::Output::Read`], sooner or later.
    Read {
        /// Names the read in the answer; means nothing to the core, and is not used twice in a boot.
        token: u64,
        /// Whether the leader's lease is enough; without one it is as if this was not said.
        lease: bool,
    },
    /// Somebody wants a snapshot now, whatever was applied since the last. Answered at once by an
    /// [`super::Output::Proposal`], which says that it has begun, or that there is nothing to take.
    Compact {
        /// Names the wish in the answer; means nothing to the core.
        token: u64,
    },
    /// A sync ended. They end in the order in which they were asked for.
    Synced {
        /// Which one.
        ticket: Ticket,
        /// Whether everything written before it was asked for is now safe.
        result: Result<(), ()>,
    },
}

/// Chance. Asked when an election timeout is chosen, at boot and at the start of each campaign, and once at boot for the
/// names of questions.
pub trait Entropy {
    /// The next draw, uniform over all values.
    fn draw(&mut self) -> u64;
}

/// What recovery read from the disk. The default is an empty disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// The term.
    pub term: Term,
    /// The vote in that term.
    pub vote: Option<NodeId>,
    /// The newest snapshot; its state is the machine's.
    pub snapshot: Option<Snapshot>,
    /// The log behind the snapshot.
    pub log: Log,
}
