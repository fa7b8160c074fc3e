//! What goes another way, within a turn, than it does by default.
//!
//! Live, a decider has been given [orders](Order): the next turn of a node that gets as far as a given effect ends there, a
//! write fails, a fault site fires. In a replay it has the decisions of the recorded run, by name. Whatever it decides is
//! recorded as a cause.

use crate::draw::{Concern, Draw, Ratio};
use crate::event::{Decision, NodeId};
use raftbox_abi::boundary::status;
use std::collections::{BTreeMap, BTreeSet};

/// The place of a decision: node, boot, call of that boot, and effect, visit or disk operation of that call.
pub type Site = (NodeId, u32, u64, u32);

/// What is to go another way from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The first turn of the node that gets to this effect, from 0, crashes right after it.
    Crash(NodeId, u32),
    /// That is taken back.
    NoCrash(NodeId),
    /// All that was ordered of the node's disk is taken back.
    Mend(NodeId),
    /// The node's next disk operation fails.
    FailWrite(NodeId),
    /// The node's next write goes so much further on in its file.
    Misdirect(NodeId, u64),
    /// Every disk operation of the node fails, since its disk is full; or none does any more.
    Full(NodeId, bool),
    /// Fault sites of guests fire.
    Sites(Sites),
}

/// Which fault sites of guests fire, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sites {
    /// Where their draws come from.
    pub seed: u64,
    /// How many of the sites are active in a run.
    pub active: Ratio,
    /// How many of the visits to an active site fire.
    pub fires: Ratio,
}

/// The kind of thing that a place counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Effect,
    Visit,
    Operation,
}

/// Decides.
#[derive(Clone, Debug, Default)]
pub struct Decider {
    crashes: BTreeMap<NodeId, u32>,
    fails: BTreeSet<NodeId>,
    full: BTreeSet<NodeId>,
    misdirects: BTreeMap<NodeId, u64>,
    sites: Option<Sites>,
    recorded: BTreeMap<(Kind, Site), Decision>,
}

impl Decider {
    /// One that decides as a recorded run did.
    #[must_use]
    pub fn recorded(decisions: impl IntoIterator<Item = (Site, Decision)>) -> Self {
        let kind = |decision| match decision {
            Decision::Crash => Kind::Effect,
            Decision::Chance { .. } => Kind::Visit,
            Decision::Failed { .. } | Decision::Misdirected { .. } => Kind::Operation,
        };
        let recorded = decisions.into_iter().map(|(site, decision)| ((kind(decision), site), decision));
        Self { recorded: recorded.collect(), ..Self::default() }
    }

    /// Takes an order.
    pub fn order(&mut self, order: Order) {
        match order {
            Order::Crash(node, effect) => drop(self.crashes.insert(node, effect)),
            Order::NoCrash(node) => drop(self.crashes.remove(&node)),
            Order::Mend(node) => {
                self.misdirects.remove(&node);
                self.fails.remove(&node);
                self.full.remove(&node);
            }
            Order::FailWrite(node) => drop(self.fails.insert(node)),
            Order::Misdirect(node, by) => drop(self.misdirects.insert(node, by)),
            Order::Full(node, true) => drop(self.full.insert(node)),
            Order::Full(node, false) => drop(self.full.remove(&node)),
            Order::Sites(sites) => self.sites = Some(sites),
        }
    }

    /// Whether nothing is to be decided at effects, which makes most turns quick.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.crashes.is_empty() && self.recorded.is_empty()
    }

    /// Whether the node crashes after this effect.
    pub fn crashes(&mut self, site: Site) -> bool {
        if self.recorded.contains_key(&(Kind::Effect, site)) {
            return true;
        }
        let crashes = self.crashes.get(&site.0) == Some(&site.3);
        if crashes {
            self.crashes.remove(&site.0);
        }
        crashes
    }

    /// Whether the named fault happens at this visit.
    pub fn chance(&mut self, at: Site, name: u32) -> bool {
        if self.recorded.get(&(Kind::Visit, at)) == Some(&Decision::Chance { site: name }) {
            return true;
        }
        let Some(Sites { seed, active, fires }) = self.sites else { return false };
        let (node, boot, call, n) = at;
        let is_active = Draw::new(seed, Concern::Site, [u64::from(name), 0, 0]).happens(active);
        let key = [u64::from(node) << 32 | u64::from(boot), call, u64::from(name) << 32 | u64::from(n)];
        is_active && Draw::new(seed, Concern::Site, key).happens(fires)
    }

    /// How a disk operation goes, if not as it should; `begins` is where a write would, and `None` for what
    /// is no write.
    pub fn operation(&mut self, site: Site, begins: Option<u64>) -> Option<Decision> {
        if let Some(decision) = self.recorded.get(&(Kind::Operation, site)) {
            return Some(*decision);
        }
        if self.full.contains(&site.0) {
            return Some(Decision::Failed { status: status::FULL });
        }
        if self.fails.remove(&site.0) {
            return Some(Decision::Failed { status: status::IO });
        }
        let begins = begins?;
        let by = self.misdirects.remove(&site.0)?;
        Some(Decision::Misdirected { to: begins.saturating_add(by) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_armed_crash_bites_once_and_only_in_a_turn_that_gets_so_far() {
        let mut decider = Decider::default();
        decider.order(Order::Crash(2, 1));
        assert!(!decider.crashes((1, 1, 0, 1)), "another node");
        assert!(!decider.crashes((2, 1, 0, 0)), "too early in the turn");
        assert!(decider.crashes((2, 1, 1, 1)));
        assert!(!decider.crashes((2, 1, 2, 1)), "once");
        assert!(decider.is_idle());
    }

    #[test]
    fn a_recorded_decision_is_taken_again_at_its_place_and_kinds_do_not_get_in_each_other_s_way() {
        let failed = Decision::Failed { status: -1 };
        let site = (1, 2, 0, 0);
        let mut decider =
            Decider::recorded([((1, 1, 5, 0), Decision::Crash), (site, Decision::Chance { site: 9 }), (site, failed)]);
        assert!(!decider.crashes((1, 1, 4, 0)));
        assert!(decider.crashes((1, 1, 5, 0)));
        assert!(decider.chance(site, 9));
        assert!(!decider.chance(site, 8) && !decider.crashes(site));
        assert_eq!(decider.operation(site, None), Some(failed));
        assert_eq!(decider.operation((1, 2, 0, 1), None), None);
    }

    #[test]
    fn a_disk_fails_once_or_for_as_long_as_it_is_full() {
        let mut decider = Decider::default();
        decider.order(Order::FailWrite(1));
        assert_eq!(decider.operation((1, 1, 0, 0), None), Some(Decision::Failed { status: status::IO }));
        assert_eq!(decider.operation((1, 1, 0, 1), Some(0)), None);
        decider.order(Order::Full(1, true));
        let full = Some(Decision::Failed { status: status::FULL });
        assert_eq!([decider.operation((1, 1, 1, 0), None), decider.operation((1, 1, 2, 0), Some(7))], [full, full]);
        decider.order(Order::Full(1, false));
        decider.order(Order::Misdirect(1, 512));
        assert_eq!(decider.operation((1, 1, 3, 0), None), None, "no write");
        assert_eq!(decider.operation((1, 1, 3, 1), Some(7)), Some(Decision::Misdirected { to: 519 }));
    }

    #[test]
    fn some_sites_are_active_in_a_run_and_fire_now_and_then() {
        let half = Ratio { times: 1, of: 2 };
        let fires = |seed, name| {
            let mut decider = Decider::default();
            decider.order(Order::Sites(Sites { seed, active: half, fires: half }));
            (0..200).filter(|n| decider.chance((1, 1, *n, 0), name)).count()
        };
        let counts: Vec<usize> = (0..40).map(|name| fires(1, name)).collect();
        assert!((10..30).contains(&counts.iter().filter(|count| **count > 0).count()), "{counts:?}");
        assert!(counts.iter().all(|count| *count == 0 || (60..140).contains(count)), "{counts:?}");
        assert_ne!(counts, (0..40).map(|name| fires(2, name)).collect::<Vec<_>>());
    }
}
