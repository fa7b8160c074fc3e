//! What goes another way, within a turn, than it does by default.
//!
//! Live, a decider has been *armed*: the next turn of a node that gets as far as a given effect ends there. In a replay it
//! has the decisions of the recorded run, by name. Whatever it decides is recorded as a cause.

use crate::event::{Decision, NodeId};
use std::collections::BTreeMap;

/// The place of a decision: node, boot, call of that boot, and effect or visit of that call.
pub type Site = (NodeId, u32, u64, u32);

/// Decides.
#[derive(Clone, Debug, Default)]
pub struct Decider {
    armed: BTreeMap<NodeId, u32>,
    recorded: BTreeMap<Site, Decision>,
}

impl Decider {
    /// One that decides as a recorded run did.
    #[must_use]
    pub fn recorded(recorded: BTreeMap<Site, Decision>) -> Self {
        Self { armed: BTreeMap::new(), recorded }
    }

    /// The first turn of `node` from now on that gets to its `effect`-th effect, from 0, crashes right after it.
    pub fn arm(&mut self, node: NodeId, effect: u32) {
        self.armed.insert(node, effect);
    }

    /// Takes that back.
    pub fn disarm(&mut self, node: NodeId) {
        self.armed.remove(&node);
    }

    /// Whether nothing is to be decided in a turn of `node`, which makes most turns quick.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.armed.is_empty() && self.recorded.is_empty()
    }

    /// Whether the node crashes after this effect.
    pub fn crashes(&mut self, site: Site) -> bool {
        if self.recorded.get(&site) == Some(&Decision::Crash) {
            return true;
        }
        let crashes = self.armed.get(&site.0) == Some(&site.3);
        if crashes {
            self.armed.remove(&site.0);
        }
        crashes
    }

    /// Whether the named fault happens at this visit.
    pub fn chance(&mut self, at: Site, name: u32) -> bool {
        self.recorded.get(&at) == Some(&Decision::Chance { site: name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_armed_crash_bites_once_and_only_in_a_turn_that_gets_so_far() {
        let mut decider = Decider::default();
        decider.arm(2, 1);
        assert!(!decider.crashes((1, 1, 0, 1)), "another node");
        assert!(!decider.crashes((2, 1, 0, 0)), "too early in the turn");
        assert!(decider.crashes((2, 1, 1, 1)));
        assert!(!decider.crashes((2, 1, 2, 1)), "once");
        assert!(decider.is_idle());
    }

    #[test]
    fn a_recorded_decision_is_taken_again_at_its_place() {
        let recorded = [((1, 1, 5, 0), Decision::Crash), ((1, 2, 0, 0), Decision::Chance { site: 9 })];
        let mut decider = Decider::recorded(recorded.into());
        assert!(!decider.crashes((1, 1, 4, 0)));
        assert!(decider.crashes((1, 1, 5, 0)));
        assert!(decider.chance((1, 2, 0, 0), 9));
        assert!(!decider.chance((1, 2, 0, 0), 8));
    }
}
