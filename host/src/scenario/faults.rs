//! Faults that happen at random: which kinds, how often, and how long each lasts.
//!
//! | key | what happens |
//! |---|---|
//! | `crash` | a node crashes, perhaps in the middle of a turn, and is booted again, perhaps to crash again at once |
//! | `pause` | a node takes no turns for a while |
//! | `slow` | all that a node hears and says takes longer |
//! | `partition` | nodes are split into groups |
//! | `one_way` | one direction between two nodes is cut |
//! | `deaf`, `mute` | a node hears nobody, or nobody hears it |
//! | `flap` | a link is cut and heals again and again |
//! | `jam` | what is sent between two groups waits, and arrives in one go |
//! | `clog` | what is sent between two nodes takes longer |
//! | `swizzle` | one node after the other is clogged, and freed in another order |
//! | `clock` | a clock jumps, and drifts |
//! | `stall` | a disk does not answer |
//! | `sync_fails`, `write_fails` | a disk fails a sync, or a write; the node is restarted after so long |
//! | `full` | a disk is full; the node is restarted when it is not |
//! | `rot` | a byte of what is durable changes |
//! | `sites` | fault sites of the guest fire |
//! | `transfer`, `members` | somebody asks that another node leads, or that nodes vote, learn without a vote, or go |
//! | `misdirect`, `lie`, `wipe`, `swap` | a write goes elsewhere; a disk says of syncs that they are done and keeps nothing; a disk is wiped, or exchanged for another node's |
//!
//! Raft does not promise to survive those of the last line, so `chaos` has none of them. `rot` damages a node for good, since
//! it stops itself: so it, and those of the last line, befall only as many nodes as `budget` says, at most, the same ones
//! all along. And where the members may change, nobody is: what a majority is, is not known beforehand.

use crate::draw::Ratio;
use crate::units::{Span, Spans};
use serde::{Deserialize, Serialize};
use std::ops::Not;

/// Makes the table of kinds.
macro_rules! faults {
    ($($(#[$about:meta])* $kind:ident: $type:ty,)*) => {
        /// Faults at random. Each kind comes about once in `every`, and each time lasts as drawn.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Faults {
            /// From when on.
            pub from: Span,
            /// Until when; 0 for the whole of `for`.
            pub until: Span,
            /// Whether each seed has its own mix: some kinds are left out, and what is there is more or less of it.
            #[serde(skip_serializing_if = "Not::not")]
            pub swarm: bool,
            /// Whether, when the faults' time is over, only a majority is healed, and whatever befell the others stays.
            #[serde(skip_serializing_if = "Not::not")]
            pub core: bool,
            /// How many nodes may be damaged for good; else as many as leave a majority.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub budget: Option<u32>,
            $($(#[$about])* #[serde(skip_serializing_if = "Option::is_none")] pub $kind: Option<$type>,)*
        }

        impl Faults {
            /// The kinds that happen, each with the mean time between two.
            pub(crate) fn every(&mut self) -> Vec<(&'static str, &mut Span)> {
                let mut every = Vec::new();
                $(every.extend(self.$kind.as_mut().and_then(Kind::every).map(|every| (stringify!($kind), every)));)*
                every
            }

            /// Leaves out a kind.
            pub(crate) fn leave_out(&mut self, kind: &str) {
                $(if kind == stringify!($kind) { self.$kind = None; })*
            }
        }
    };
}

faults! {
    /// A node crashes, and is booted again.
    crash: Crashes,
    /// A node pauses, and goes on.
    pause: Recurring,
    /// The nodes are split, and heal.
    partition: Partitions,
    /// One direction between two nodes is cut, and heals.
    one_way: Recurring,
    /// A clock jumps, and drifts.
    clock: ClockFaults,
    /// A node hears nobody.
    deaf: Recurring,
    /// Nobody hears a node.
    mute: Recurring,
    /// A link is cut and heals again and again.
    flap: Flaps,
    /// What is sent between two groups waits.
    jam: Recurring,
    /// What is sent between two nodes takes longer.
    clog: Slows,
    /// Nodes are clogged one after the other, and freed in another order.
    swizzle: Slows,
    /// All that a node hears and says takes longer.
    slow: Slows,
    /// A disk does not answer.
    stall: Recurring,
    /// A disk fails a sync.
    sync_fails: Recurring,
    /// A disk fails a write.
    write_fails: Recurring,
    /// A disk is full.
    full: Recurring,
    /// A byte of what is durable changes.
    rot: Rare,
    /// A write goes elsewhere.
    misdirect: Rare,
    /// A disk keeps nothing, and says that it does.
    lie: Recurring,
    /// A node crashes, and its disk is wiped.
    wipe: Recurring,
    /// Two nodes crash, and get each other's disks.
    swap: Recurring,
    /// Fault sites of the guest fire.
    sites: Sites,
    /// Somebody asks that another node leads.
    transfer: Rare,
    /// Somebody asks for other members.
    members: Rare,
}

/// A kind of fault, as it stands in a file.
trait Kind {
    /// The mean time between two.
    fn every(&mut self) -> Option<&mut Span>;
}

/// Makes the table of a kind that comes `every` so often.
macro_rules! kinds {
    ($($(#[$about:meta])* $name:ident { $($(#[$key_about:meta])* $key:ident: $type:ty,)* })*) => {$(
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// The mean time between two of the kind.
            pub every: Span,
            $($(#[$key_about])* pub $key: $type,)*
        }

        impl Kind for $name {
            fn every(&mut self) -> Option<&mut Span> {
                Some(&mut self.every)
            }
        }
    )*};
}

kinds! {
    /// How often something happens.
    Rare {}
    /// How often something happens, and how long it lasts.
    Recurring {
        /// How long one lasts.
        lasts: Spans,
    }
    /// How often nodes crash.
    Crashes {
        /// How long the node is down.
        lasts: Spans,
        /// How many of them are in the middle of a turn, after one of its effects.
        #[serde(default = "never")]
        within_turn: Ratio,
        /// How many of them are followed by another, soon after the node has booted.
        #[serde(default = "never", skip_serializing_if = "Ratio::is_never")]
        again: Ratio,
    }
    /// How often nodes are split.
    Partitions {
        /// How long they are.
        lasts: Spans,
        /// Into how many groups, at the most.
        #[serde(default = "two", skip_serializing_if = "is_two")]
        groups: u32,
    }
    /// How often a link begins to flap.
    Flaps {
        /// For how long it does.
        lasts: Spans,
        /// How long it is cut, or carries, each time.
        period: Spans,
    }
    /// How often something is slow.
    Slows {
        /// For how long it is.
        lasts: Spans,
        /// By how much.
        by: Spans,
    }
    /// How often clocks go wrong.
    ClockFaults {
        /// How far a clock jumps, forward or back.
        jump: Spans,
        /// How much faster or slower it runs from then on, at the most, in parts per million.
        drift: u32,
    }
}

/// Which fault sites of guests fire. A guest asks at each visit to one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sites {
    /// How many of them are active in a run.
    pub active: Ratio,
    /// How many of the visits to an active one fire.
    pub fires: Ratio,
}

impl Kind for Sites {
    fn every(&mut self) -> Option<&mut Span> {
        None
    }
}

const fn never() -> Ratio {
    Ratio::NEVER
}

const fn two() -> u32 {
    2
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_two(groups: &u32) -> bool {
    *groups == 2
}

/// What a drift may be at the most, in parts per million.
pub(super) const DRIFT_MAX: u32 = 900_000;

impl Faults {
    /// Whether what is said fits a cluster of so many nodes.
    ///
    /// # Errors
    /// The key that is to blame, and what is wrong.
    pub(super) fn check(&self, nodes: u32) -> Result<(), (String, String)> {
        let no = |key: &str, what: String| Err((format!("faults.{key}"), what));
        let Self { from, until, .. } = self;
        if until.0 != 0 && until < from {
            return no("until", format!("until is {until}, which is before from, {from}"));
        }
        for (kind, every) in self.clone().every() {
            if *every < Span(1_000) {
                return no(kind, format!("every is below 1ms for {kind}"));
            }
        }
        if let Some(drift) = self.clock.as_ref().map(|clock| clock.drift).filter(|drift| *drift > DRIFT_MAX) {
            return no("clock", format!("drift is {drift}, and should be at most {DRIFT_MAX} ppm"));
        }
        if let Some(groups) = self.partition.as_ref().map(|split| split.groups).filter(|groups| *groups < 2) {
            return no("partition", format!("groups is {groups}, and should be 2 or more"));
        }
        if let Some(flap) = self.flap.as_ref().filter(|flap| flap.period.low < Span(1_000)) {
            return no("flap", format!("period begins with {}, and should with 1ms or more", flap.period.low));
        }
        if let Some(budget) = self.budget.filter(|budget| *budget > nodes) {
            return no("budget", format!("budget is {budget}, and there are {nodes} nodes"));
        }
        Ok(())
    }
}
