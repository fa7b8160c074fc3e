//! The faults' time is over: all is healed, or a majority is, so that what the cluster still owes can be asked of it.

use super::core::{Fate, fate};
use super::{Action, Agenda};
use crate::draw::Ratio;
use crate::event::{Cause, DiskFault, Endpoint, NodeId};
use crate::scenario::step::Name;
use crate::world::decider::{Order, Sites};

impl Agenda {
    /// Ends all faults, but for those of the nodes that are not to be healed.
    pub(super) fn heal(&mut self) {
        self.healed = true;
        self.script.settle_all();
        let core = std::mem::take(&mut self.core);
        let heals = |end: Endpoint| match end {
            Endpoint::Node(node) => core.contains(&node),
            Endpoint::Client(_) => true,
        };
        let both = |from, to| heals(from) && heals(to);
        self.network.calm(both);
        self.workload.stop();
        let (seed, never) = (self.seed, Ratio::NEVER);
        self.order(Order::Sites(Sites { seed, active: never, fires: never }));
        self.heal_links(both);
        for node in 1..=self.count() {
            self.disarm(node);
            self.node(node).waits = None;
            if core.contains(&node) { self.mend(node) } else { self.leave(node, &core) }
        }
        self.release_all();
        self.core = core;
        self.audit();
    }

    /// A node has a whole disk, as far as a disk can be mended, a true clock, and takes turns.
    fn mend(&mut self, node: NodeId) {
        self.order(Order::Mend(node));
        for step in self.stalls.forgive(node) {
            self.script.remark(step, "the faults' time was over before there was a sync to fail");
        }
        let (paused, ppm, lies) = (self.node(node).paused, self.node(node).ppm, self.node(node).lies);
        if lies {
            self.apply(Cause::Disk { node, fault: DiskFault::Lies { lies: false } });
        }
        if ppm != 0 {
            self.apply(Cause::Clock { node, jump: 0, ppm: 0 });
        }
        if paused {
            self.apply(Cause::Resume { node });
        }
        let boot = self.boot(node, None);
        self.ready.extend(boot.map(Action::Apply));
    }

    /// A node is not healed, and may fare worse.
    fn leave(&mut self, node: NodeId, core: &[NodeId]) {
        let (up, paused) = (self.node(node).up, self.node(node).paused);
        let name = |node| Name(Endpoint::Node(node));
        let (me, core) = ([name(node)], core.iter().copied().map(name).collect::<Vec<_>>());
        let fate = fate(self.seed, node);
        if matches!(fate, Fate::Deaf | Fate::Isolated) {
            self.links(&core, &me, false);
        }
        if matches!(fate, Fate::Mute | Fate::Isolated) {
            self.links(&me, &core, false);
        }
        match fate {
            Fate::Down if up => self.apply(Cause::Crash { node }),
            Fate::Paused if up && !paused => self.apply(Cause::Pause { node }),
            _ => {}
        }
    }
}
