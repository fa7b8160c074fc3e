//! What goes another way, within a turn, than it does by default.
//!
//! Live, a decider has been given [orders](Order): the next turn of a node that gets as far as a given effect ends there, a
//! write fails, a fault site fires. In a replay it has the decisions of the recorded run, by name. Whatever it decides is
//! recorded as a cause.

use crate::draw::{Concern, Draw, Ratio};
use crate::event::{ClientId, Decision, Effect, Endpoint, NodeId};
use raftbox_abi::boundary::status;
use std::collections::{BTreeMap, BTreeSet};

/// The place of a decision: node, boot, call of that boot, and effect, visit or disk operation of that call.
pub type Site = (NodeId, u32, u64, u32);

/// The moment within a turn at which a node is to crash: right after an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The effect of that number, from 0.
    Nth(u32),
    /// The first message that it sends to a node: to this one, or to any.
    Send(Option<NodeId>),
    /// The first answer that it sends to a client: to this one, or to any.
    Reply(Option<ClientId>),
    /// The first write.
    Write,
    /// The first cut of a file.
    Truncate,
    /// The first time that it asks for a sync.
    Sync,
    /// The first time that it sets its alarm.
    Alarm,
}

impl Moment {
    /// Whether it is this effect, the `n`-th of a turn, from 0.
    fn is(self, n: u32, effect: &Effect<'_>) -> bool {
        match (self, effect) {
            (Self::Nth(nth), _) => nth == n,
            (Self::Send(to), Effect::Sent { message, .. }) => {
                matches!(message.to, Endpoint::Node(node) if to.is_none_or(|to| to == node))
            }
            (Self::Reply(to), Effect::Sent { message, .. }) => {
                matches!(message.to, Endpoint::Client(client) if to.is_none_or(|to| to == client))
            }
            (Self::Write, Effect::Write { .. })
            | (Self::Truncate, Effect::Truncate { .. })
            | (Self::Sync, Effect::Sync { .. })
            | (Self::Alarm, Effect::WakeAt { .. }) => true,
            _ => false,
        }
    }
}

/// What is to go another way from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The first turn of the node that gets to this effect crashes right after it.
    Crash(NodeId, Moment),
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
    crashes: BTreeMap<NodeId, Moment>,
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
            Order::Crash(node, moment) => drop(self.crashes.insert(node, moment)),
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
    pub fn crashes(&mut self, site: Site, effect: &Effect<'_>) -> bool {
        if self.recorded.contains_key(&(Kind::Effect, site)) {
            return true;
        }
        let crashes = self.crashes.get(&site.0).is_some_and(|moment| moment.is(site.3, effect));
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
    use crate::event::MessageName;

    const ALARM: Effect<'_> = Effect::WakeAt { node: 2, alarm: 0, at: 0 };

    #[test]
    fn an_armed_crash_bites_once_and_only_in_a_turn_that_gets_so_far() {
        let mut decider = Decider::default();
        decider.order(Order::Crash(2, Moment::Nth(1)));
        assert!(!decider.crashes((1, 1, 0, 1), &ALARM), "another node");
        assert!(!decider.crashes((2, 1, 0, 0), &ALARM), "too early in the turn");
        assert!(decider.crashes((2, 1, 1, 1), &ALARM));
        assert!(!decider.crashes((2, 1, 2, 1), &ALARM), "once");
        assert!(decider.is_idle());
    }

    #[test]
    fn a_moment_is_named_by_its_effect() {
        let sent = |to| {
            let message = MessageName { from: Endpoint::Node(1), to, n: 0 };
            Effect::Sent { message, operation: 0, bytes: b"" }
        };
        let effects = [
            sent(Endpoint::Node(2)),
            sent(Endpoint::Node(3)),
            sent(Endpoint::Client(2)),
            Effect::Write { node: 1, file: 0, offset: 0, len: 1, hash: 0 },
            Effect::Truncate { node: 1, file: 0, len: 0 },
            Effect::Sync { node: 1, sync: 0, ticket: 0 },
            ALARM,
        ];
        let which = |moment: Moment| {
            let is = |(n, effect): &(u32, &Effect<'_>)| moment.is(*n, effect);
            (0..).zip(&effects).filter(is).map(|(n, _)| n).collect::<Vec<_>>()
        };
        assert_eq!(which(Moment::Nth(4)), [4]);
        assert_eq!(which(Moment::Send(None)), [0, 1]);
        assert_eq!(which(Moment::Send(Some(3))), [1]);
        assert_eq!((which(Moment::Reply(None)), which(Moment::Reply(Some(1)))), (vec![2], vec![]));
        let others = [Moment::Write, Moment::Truncate, Moment::Sync, Moment::Alarm];
        assert_eq!(others.map(which), [[3], [4], [5], [6]]);
    }

    #[test]
    fn a_recorded_decision_is_taken_again_at_its_place_and_kinds_do_not_get_in_each_other_s_way() {
        let failed = Decision::Failed { status: -1 };
        let site = (1, 2, 0, 0);
        let mut decider =
            Decider::recorded([((1, 1, 5, 0), Decision::Crash), (site, Decision::Chance { site: 9 }), (site, failed)]);
        assert!(!decider.crashes((1, 1, 4, 0), &ALARM));
        assert!(decider.crashes((1, 1, 5, 0), &ALARM));
        assert!(decider.chance(site, 9));
        assert!(!decider.chance(site, 8) && !decider.crashes(site, &ALARM));
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
