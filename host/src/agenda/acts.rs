//! Steps are taken: what each act does to nodes, clocks, links and clients.
//!
//! An act becomes causes, which are applied before anything else; or it changes what is to become of something later. If
//! there is nothing for it to act on, it says so, and its author is told. What acts do to messages, syncs and elections is
//! in files of their own.

use super::audit::Audit;
use super::queue::Item;
use super::script::{Number, Origin};
use super::{Action, Agenda};
use crate::event::{Cause, Endpoint, Micros, NodeId};
use crate::scenario::step::{Act, Ask, Name, Survive, Target};
use crate::world::decider::{Moment, Order};

/// What an act did, or why it did nothing.
pub(super) type Done = Result<(), String>;

/// How long a run goes on after what a person does when all faults are over.
const AFTERMATH: Micros = 2_000_000;

impl Agenda {
    /// Takes a step.
    pub(super) fn perform(&mut self, number: Number) {
        let act = self.script.take(number).act.clone();
        self.go_on_after(Some(number));
        if self.healed && self.script.origin(number) != Origin::Intervention {
            // What would break something again after all was healed comes too late.
            self.script.remark(number, "the faults' time was over, and nothing is broken after it");
            return;
        }
        if self.healed {
            self.goes_on();
        }
        self.performing = number;
        if let Err(why) = self.act(&act) {
            self.script.remark(number, why);
        }
        self.audit();
    }

    /// The step after this one has its turn, if it waited for that; the first, if there was none.
    pub(super) fn go_on_after(&mut self, taken: Option<Number>) {
        if let Some((wait, number, says)) = self.script.next(taken) {
            self.queue.push(self.now + wait, Item::Step(number, says));
        }
    }

    /// Somebody acts when all was healed: the run lasts longer, and the auditor has to read again.
    fn goes_on(&mut self) {
        self.lasts = self.lasts.max(self.now + AFTERMATH);
        self.ends = self.ends.max(self.now + self.settle);
        self.end_at(self.lasts);
        self.end_at(self.ends);
        self.audited = match self.audited {
            Audit::Running { .. } => Audit::Running { again: true },
            Audit::Due | Audit::Done => Audit::Due,
        };
    }

    fn act(&mut self, act: &Act) -> Done {
        match act {
            Act::Crash(target, moment) => self.crash(self.target(*target), *moment),
            Act::Restart(target, survive) => self.restart(self.target(*target), *survive),
            Act::Pause(target) => self.pause(self.target(*target)),
            Act::Resume(target) => self.go_on(self.target(*target)),
            Act::Cut(from, to) => changes(self.links(from, to, false), "these links are cut already"),
            Act::Heal(from, to) if from.is_empty() && to.is_empty() => {
                changes(self.heal_links(|_, _| true), "no link is cut")
            }
            Act::Heal(from, to) => changes(self.links(from, to, true), "none of these links is cut"),
            Act::Partition(groups) => self.partition(groups),
            Act::Isolate(target, with) => self.isolate(self.target(*target), *with),
            Act::Clock(target, jump, ppm) => {
                let node = self.target(*target);
                self.node(node).waits = None;
                self.apply(Cause::Clock { node, jump: jump.0, ppm: *ppm });
                Ok(())
            }
            Act::Timeout(target) => self.time_out(self.target(*target)),
            Act::Elect(target) => self.elect(self.target(*target)),
            Act::SplitVote(targets) => self.split_vote(targets),
            Act::Disk(target, damage) => self.damage(self.target(*target), *damage),
            Act::Expect(fact) => {
                self.script.expect(self.performing, fact);
                Ok(())
            }
            Act::Hold(mail) => self.hold(mail),
            Act::Release(from, to) => self.release(from, to),
            Act::Deliver(name) => self.deliver(*name),
            Act::Drop(name) => self.lose(*name),
            Act::Delay(mail, later) => self.delay(mail, *later),
            Act::Duplicate(name, later) => self.duplicate(*name, *later),
            Act::Alter(name, alteration) => self.alter(*name, *alteration),
            Act::Stall(syncs) => self.stall(*syncs),
            Act::Complete(syncs) => self.complete(*syncs),
            Act::Fail(syncs) => self.fail(*syncs),
            Act::Request(client, ask, target) => {
                if let Some(answer) = act.expects() {
                    self.script.awaits(self.performing, *client, answer);
                }
                self.request(*client, ask, target.map(|target| self.target(target)));
                Ok(())
            }
        }
    }

    pub(super) fn target(&self, target: Target) -> NodeId {
        match target {
            Target::Node(node) => node,
            Target::Leader => self.workload.leader().unwrap_or(1),
            Target::Crashed => self.crashed.unwrap_or(1),
        }
    }

    /// Each of these as a node.
    pub(super) fn targets(&self, targets: &[Target]) -> Vec<NodeId> {
        targets.iter().map(|target| self.target(*target)).collect()
    }

    /// That a node is up, or else why nothing can be done to it.
    pub(super) fn is_up(&mut self, node: NodeId) -> Done {
        if self.node(node).up { Ok(()) } else { Err(format!("S{node} is down")) }
    }

    fn crash(&mut self, node: NodeId, moment: Option<Moment>) -> Done {
        // A node that was never booted may yet crash in its first turn.
        if moment.is_none() || self.node(node).boot > 0 {
            self.is_up(node)?;
        }
        match moment {
            Some(moment) => {
                self.disarmed(node);
                self.node(node).armed = Some((self.performing, moment));
                self.order(Order::Crash(node, moment));
            }
            None => self.apply(Cause::Crash { node }),
        }
        Ok(())
    }

    /// A crash that was to come within a turn, and did not come in time, does not come any more.
    pub(super) fn disarm(&mut self, node: NodeId) {
        self.disarmed(node);
        self.order(Order::NoCrash(node));
    }

    fn disarmed(&mut self, node: NodeId) {
        if let Some((step, moment)) = self.node(node).armed.take() {
            self.script.remark(step, format!("no turn of S{node} got as far as {}", moment.in_words()));
        }
    }

    fn restart(&mut self, node: NodeId, survive: Option<Survive>) -> Done {
        self.disarm(node);
        let Some(cause) = self.boot(node, survive) else { return Err(format!("S{node} is up")) };
        self.apply(cause);
        Ok(())
    }

    fn pause(&mut self, node: NodeId) -> Done {
        self.is_up(node)?;
        if self.node(node).paused {
            return Err(format!("S{node} is paused already"));
        }
        self.apply(Cause::Pause { node });
        Ok(())
    }

    fn go_on(&mut self, node: NodeId) -> Done {
        if !self.node(node).paused {
            return Err(format!("S{node} is not paused"));
        }
        self.apply(Cause::Resume { node });
        Ok(())
    }

    /// Sets links of that direction; whether any was otherwise.
    pub(super) fn links(&mut self, from: &[Name], to: &[Name], up: bool) -> bool {
        let mut changed = false;
        for from in from {
            for to in to {
                if from != to && self.network.is_up(from.0, to.0) != up {
                    self.apply(Cause::Link { from: from.0, to: to.0, up });
                    changed = true;
                }
            }
        }
        changed
    }

    /// Heals the links that are cut and `heals` says so of; whether there was any.
    pub(super) fn heal_links(&mut self, heals: impl Fn(Endpoint, Endpoint) -> bool) -> bool {
        let mut cuts = self.network.cuts();
        cuts.retain(|(from, to)| heals(*from, *to));
        for (from, to) in &cuts {
            self.apply(Cause::Link { from: *from, to: *to, up: true });
        }
        !cuts.is_empty()
    }

    fn partition(&mut self, groups: &[Vec<Name>]) -> Done {
        let mut changed = false;
        for (number, group) in groups.iter().enumerate() {
            for other in groups[..number].iter().chain(&groups[number + 1..]) {
                changed |= self.links(group, other, false);
            }
        }
        changes(changed, "these groups do not reach each other already")
    }

    fn isolate(&mut self, first: NodeId, with: u32) -> Done {
        let nodes = self.count();
        let inside = |node: NodeId| (node + nodes - first) % nodes <= with;
        let name = |node| Name(Endpoint::Node(node));
        let (one, other): (Vec<_>, Vec<_>) = (1..=nodes).partition(|node| inside(*node));
        let [one, other] = [one, other].map(|group| group.into_iter().map(name).collect::<Vec<_>>());
        let (out, back) = (self.links(&one, &other, false), self.links(&other, &one, false));
        changes(out || back, "they do not reach each other already")
    }

    /// A node's clock jumps to its alarm.
    pub(super) fn time_out(&mut self, node: NodeId) -> Done {
        let now = self.now;
        let follow = self.node(node);
        let Some((alarm, _)) = follow.alarm else {
            self.is_up(node)?;
            return Err(format!("S{node} has set no alarm"));
        };
        let ahead = i128::from(alarm) - i128::from(follow.clock.local(now));
        let (jump, ppm) = (i64::try_from(ahead).unwrap_or(0), follow.ppm);
        self.apply(Cause::Clock { node, jump, ppm });
        Ok(())
    }

    fn request(&mut self, client: u32, ask: &Ask, node: Option<NodeId>) {
        self.workload.want(client, self.performing, ask.clone(), node);
        let cause = self.workload.ask_now(client);
        self.ready.extend(cause.map(Action::Apply));
    }

    /// The run is over: tells what was never done, or never undone.
    pub(super) fn close(&mut self) {
        for step in self.script.untaken() {
            let why = self.script.waited_for(step);
            self.script.remark(step, why);
        }
        (1..=self.count()).for_each(|node| self.disarmed(node));
        for step in self.custody.ahead() {
            self.script.remark(step, "no such message was sent");
        }
        for step in self.stalls.unmet() {
            self.script.remark(step, "no such sync was asked for");
        }
        for step in self.workload.unasked() {
            self.script.remark(step, "the client got no answer to what it asked before, and so never asked this");
        }
        for step in self.custody.holders().into_iter().chain(self.stalls.holders()) {
            self.script.remark(step, "what it holds was held until the run ended");
        }
    }
}

/// What an act did, if it changed anything.
fn changes(changed: bool, otherwise: &str) -> Done {
    if changed { Ok(()) } else { Err(otherwise.into()) }
}
