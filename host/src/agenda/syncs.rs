//! Acts on syncs: not answered, answered at once, answered with a failure.
//!
//! A sync is named, perhaps before it is asked; what is to become of it is kept in [`stalls`](super::stalls). A disk answers
//! in order, so what is asked for against the order is refused.

use super::acts::Done;
use super::queue::{Due, Item};
use super::{Action, Agenda};
use crate::event::{Cause, NodeId};
use crate::scenario::step::{Sync, Syncs, Target};
use raftbox_abi::boundary::status;

/// What has become of a sync.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is not asked yet.
    Ahead,
    /// It is asked, and not due.
    Asked,
    /// It is due, and stalls or waits behind one that does.
    Parked,
}

impl Agenda {
    /// What has become of a sync, or why nothing can.
    fn standing(&mut self, sync: Sync) -> Result<Standing, String> {
        let Sync { node, boot, n } = sync;
        let follow = self.node(node);
        let (up, now, asked) = (follow.up, follow.boot, follow.syncs);
        if boot < now || boot == now && !up {
            return Err(format!("boot {boot} of S{node} is over"));
        }
        if boot > now || n >= asked {
            return Ok(Standing::Ahead);
        }
        if self.stalls.is_parked(sync) {
            return Ok(Standing::Parked);
        }
        let waits = self.pending().any(|due| due.item == Item::Synced(node, boot, n));
        if waits && !self.stalls.is_early(sync) { Ok(Standing::Asked) } else { Err("that sync is answered".into()) }
    }

    pub(super) fn stall(&mut self, syncs: Syncs) -> Done {
        let step = self.performing;
        match syncs {
            Syncs::One(sync) => {
                let standing = self.standing(sync)?;
                self.stalls.stall(sync, step, standing != Standing::Ahead);
            }
            Syncs::Of(target) => {
                let node = self.one(target);
                if !self.stalls.stall_node(node, step) {
                    return Err(format!("the disk of S{node} stalls already"));
                }
            }
        }
        Ok(())
    }

    pub(super) fn complete(&mut self, syncs: Syncs) -> Done {
        match syncs {
            Syncs::One(sync) => match self.standing(sync)? {
                Standing::Ahead => self.stalls.put_ahead(sync, self.performing),
                Standing::Parked => self.answer_parked(sync)?,
                Standing::Asked => {
                    self.stalls.let_go(sync);
                    let earlier = |due: &Due| match due.item {
                        Item::Synced(node, boot, n) => (node, boot) == (sync.node, sync.boot) && n < sync.n,
                        _ => false,
                    };
                    if self.stalls.oldest(sync.node).is_some() || self.pending().any(earlier) {
                        return Err("a disk answers in order, and an earlier sync is not answered yet".into());
                    }
                    let cause = self.answer(sync);
                    if cause.is_some() {
                        self.stalls.answer_early(sync);
                    }
                    self.ready.extend(cause.map(Action::Apply));
                }
            },
            Syncs::Of(target) => {
                let node = self.one(target);
                let stalled = self.stalls.let_node_go(node);
                if !stalled && self.stalls.oldest(node).is_none() {
                    return Err(format!("no sync of S{node} stalls"));
                }
                self.drain(node);
            }
        }
        Ok(())
    }

    pub(super) fn fail(&mut self, syncs: Syncs) -> Done {
        let step = self.performing;
        match syncs {
            Syncs::One(sync) => {
                let standing = self.standing(sync)?;
                self.stalls.fail(sync, step, standing != Standing::Ahead);
                if standing == Standing::Parked {
                    self.answer_parked(sync)?;
                }
            }
            Syncs::Of(target) => {
                let node = self.one(target);
                self.is_up(node)?;
                match self.stalls.oldest(node) {
                    Some(sync) => {
                        self.stalls.fail(sync, step, true);
                        self.answer_parked(sync)?;
                    }
                    None => self.stalls.fail_next(node, step),
                }
            }
        }
        Ok(())
    }

    fn one(&self, target: Target) -> NodeId {
        self.targets(&[target])[0]
    }

    /// Answers a sync that is due, and what waited behind it.
    fn answer_parked(&mut self, sync: Sync) -> Done {
        if self.stalls.oldest(sync.node) != Some(sync) {
            return Err("a disk answers in order, and an earlier sync is not answered yet".into());
        }
        self.stalls.unpark(sync.node);
        let cause = self.answer(sync);
        self.ready.extend(cause.map(Action::Apply));
        self.drain(sync.node);
        Ok(())
    }

    /// Answers what does not stall any more, in order.
    pub(super) fn drain(&mut self, node: NodeId) {
        while let Some(sync) = self.stalls.next(node) {
            let cause = self.answer(sync);
            self.ready.extend(cause.map(Action::Apply));
        }
    }

    /// The answer to a sync, unless its node is paused; then it waits.
    pub(super) fn answer(&mut self, sync: Sync) -> Option<Cause> {
        let Sync { node, boot, n } = sync;
        let due = self.queue.due(self.now, Item::Synced(node, boot, n));
        if self.put_off(node, due) {
            return None;
        }
        let status = if self.stalls.fails(sync) { status::IO } else { status::OK };
        Some(Cause::Synced { node, boot, sync: n, status })
    }
}
