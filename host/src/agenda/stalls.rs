//! Syncs that are answered otherwise than the disk would: later, at once, or with a failure.
//!
//! A disk answers in order. So what comes after a sync that stalls waits behind it, and is answered when that is.

use super::script::Number;
use crate::event::NodeId;
use crate::scenario::step::Sync;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What is to happen to a sync of a given name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wish {
    step: Number,
    /// Whether there was such a sync.
    met: bool,
}

/// The syncs of all nodes that are answered otherwise.
#[derive(Clone, Debug, Default)]
pub(super) struct Stalls {
    /// Those that are not answered, whether they are asked yet or not.
    stalled: BTreeMap<Sync, Wish>,
    /// Those that fail.
    failing: BTreeMap<Sync, Wish>,
    /// Nodes whose syncs all stall.
    nodes: BTreeMap<NodeId, Number>,
    /// Nodes whose next answer is a failure.
    next_fails: BTreeMap<NodeId, Number>,
    /// What is due and not answered, by node, in order.
    parked: BTreeMap<NodeId, VecDeque<Sync>>,
    /// What was answered before it was due.
    early: BTreeSet<Sync>,
    /// Steps about syncs that are not asked yet, and are to be answered at once.
    ahead: BTreeMap<Sync, Number>,
}

impl Stalls {
    /// Whether there is nothing to look up.
    pub(super) fn is_idle(&self) -> bool {
        self.stalled.is_empty()
            && self.failing.is_empty()
            && self.nodes.is_empty()
            && self.next_fails.is_empty()
            && self.parked.is_empty()
            && self.early.is_empty()
            && self.ahead.is_empty()
    }

    pub(super) fn stall(&mut self, sync: Sync, step: Number, met: bool) {
        self.stalled.insert(sync, Wish { step, met });
    }

    pub(super) fn stall_node(&mut self, node: NodeId, step: Number) -> bool {
        self.nodes.insert(node, step).is_none()
    }

    /// The sync fails; it does not stall any more.
    pub(super) fn fail(&mut self, sync: Sync, step: Number, met: bool) {
        self.stalled.remove(&sync);
        self.failing.insert(sync, Wish { step, met });
    }

    pub(super) fn fail_next(&mut self, node: NodeId, step: Number) {
        self.next_fails.insert(node, step);
    }

    /// Takes back that syncs of a node are to fail; the steps that wanted it.
    pub(super) fn forgive(&mut self, node: NodeId) -> Vec<Number> {
        let named = self.failing.extract_if(.., |sync, _| sync.node == node).map(|(_, wish)| wish.step);
        named.chain(self.next_fails.remove(&node)).collect()
    }

    /// Takes back that a sync stalls; whether it did.
    pub(super) fn let_go(&mut self, sync: Sync) -> bool {
        self.stalled.remove(&sync).is_some()
    }

    /// Takes back that a node's syncs stall; whether any did.
    pub(super) fn let_node_go(&mut self, node: NodeId) -> bool {
        let named = self.stalled.len();
        self.stalled.retain(|sync, wish| sync.node != node || !wish.met);
        self.nodes.remove(&node).is_some() || self.stalled.len() != named
    }

    /// It is answered before it is due.
    pub(super) fn answer_early(&mut self, sync: Sync) {
        self.early.insert(sync);
    }

    pub(super) fn put_ahead(&mut self, sync: Sync, step: Number) {
        self.ahead.insert(sync, step);
    }

    /// A sync is asked now; the step that wants it answered at once.
    pub(super) fn asked(&mut self, sync: Sync) -> Option<Number> {
        for wishes in [&mut self.stalled, &mut self.failing] {
            if let Some(wish) = wishes.get_mut(&sync) {
                wish.met = true;
            }
        }
        self.ahead.remove(&sync)
    }

    /// Whether a sync was answered and is not due yet.
    pub(super) fn is_early(&self, sync: Sync) -> bool {
        self.early.contains(&sync)
    }

    /// Whether a sync that is due was answered before.
    pub(super) fn was_early(&mut self, sync: Sync) -> bool {
        self.early.remove(&sync)
    }

    /// Whether a sync that is due is not answered; then it is parked.
    pub(super) fn parks(&mut self, sync: Sync) -> bool {
        let behind = self.parked.contains_key(&sync.node);
        let stalls = behind || self.nodes.contains_key(&sync.node) || self.stalled.contains_key(&sync);
        if stalls {
            self.parked.entry(sync.node).or_default().push_back(sync);
        }
        stalls
    }

    /// Whether a sync is due and not answered.
    pub(super) fn is_parked(&self, sync: Sync) -> bool {
        self.parked.get(&sync.node).is_some_and(|parked| parked.contains(&sync))
    }

    /// The oldest sync of a node that is due and not answered.
    pub(super) fn oldest(&self, node: NodeId) -> Option<Sync> {
        self.parked.get(&node)?.front().copied()
    }

    /// Takes the oldest parked sync of a node, unless it stalls still.
    pub(super) fn next(&mut self, node: NodeId) -> Option<Sync> {
        if self.nodes.contains_key(&node) {
            return None;
        }
        let sync = self.oldest(node)?;
        if self.stalled.contains_key(&sync) {
            return None;
        }
        self.unpark(node);
        Some(sync)
    }

    /// Takes the oldest parked sync of a node.
    pub(super) fn unpark(&mut self, node: NodeId) {
        if let Some(parked) = self.parked.get_mut(&node) {
            parked.pop_front();
        }
        self.parked.retain(|_, parked| !parked.is_empty());
    }

    /// Whether a sync that is answered now fails.
    pub(super) fn fails(&mut self, sync: Sync) -> bool {
        self.stalled.remove(&sync);
        self.failing.remove(&sync).is_some() || self.next_fails.remove(&sync.node).is_some()
    }

    /// A node is down: what it asked is answered to nobody.
    pub(super) fn down(&mut self, node: NodeId) {
        self.parked.remove(&node);
        self.early.retain(|sync| sync.node != node);
        for wishes in [&mut self.stalled, &mut self.failing] {
            wishes.retain(|sync, wish| sync.node != node || !wish.met);
        }
    }

    /// The steps that stall something now.
    pub(super) fn holders(&self) -> BTreeSet<Number> {
        let named = self.stalled.values().filter(|wish| wish.met).map(|wish| wish.step);
        named.chain(self.nodes.values().copied()).collect()
    }

    /// The nodes whose syncs stall, or that have one that does.
    pub(super) fn nodes(&self) -> BTreeSet<NodeId> {
        let named = self.stalled.keys().map(|sync| sync.node);
        self.nodes.keys().copied().chain(named).chain(self.parked.keys().copied()).collect()
    }

    /// The steps about syncs that were never asked, or answers that never came.
    pub(super) fn unmet(&self) -> BTreeSet<Number> {
        let named = self.stalled.values().chain(self.failing.values()).filter(|wish| !wish.met);
        let next = self.next_fails.values().chain(self.ahead.values()).copied();
        named.map(|wish| wish.step).chain(next).collect()
    }
}
