//! The agenda: what is due next, in a live run.
//!
//! The agenda is all of chance and policy. It hands out the earliest [`Action`]; the world applies it; the agenda looks at
//! the events that came of it ([`Agenda::observe`]) and schedules what follows: a sent message arrives or is lost, an
//! asked sync is answered, an alarm rings. Feedback has that one door. It never looks into the world, and never decodes
//! what nodes say to each other.
//!
//! | file | concept |
//! |---|---|
//! | [`queue`] | what is due, in order |
//! | `alarms` | which node's alarm rings first |
//! | [`network`] | what becomes of a message |
//! | [`disk`] | what survives a crash |
//! | [`workload`] | what clients ask |
//! | [`faults`] | what goes wrong, at random |

mod alarms;
pub mod disk;
pub mod faults;
pub mod network;
pub mod queue;
pub mod workload;

use crate::clock::Clock;
use crate::draw::{Concern, Draw};
use crate::event::{Cause, Decision, Effect, Endpoint, Event, Micros, NodeId};
use crate::plan::Plan;
use crate::scenario;
use crate::scenario::step::{Act, Jump, Name, Step, Target};
use alarms::Alarms;
use disk::Unsynced;
use network::Network;
use queue::{Due, Item, Queue};
use std::collections::VecDeque;
use workload::Workload;

/// How long a run goes on after the last read, so that followers learn what was committed.
const LINGER: Micros = 500_000;

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Apply this cause.
    Apply(Cause),
    /// From now on, the first turn of this node that gets to this effect crashes right after it.
    Arm(NodeId, u32),
    /// Take that back.
    Disarm(NodeId),
}

/// A node as the agenda follows it.
#[derive(Clone, Debug, Default)]
struct Follow {
    up: bool,
    paused: bool,
    boot: u32,
    clock: Clock,
    ppm: i32,
    /// The alarm: what it is set to on the node's clock, and when it rings.
    alarm: Option<(u64, Due)>,
    disk: Unsynced,
    /// What fell due while the node was paused.
    waiting: Vec<Due>,
}

/// What is due next.
#[derive(Clone, Debug)]
pub struct Agenda {
    seed: u64,
    disk: scenario::Disk,
    nodes: Vec<Follow>,
    alarms: Alarms,
    network: Network,
    workload: Workload,
    steps: Vec<Step>,
    queue: Queue,
    /// What is to be done at `now`, before anything else.
    ready: VecDeque<Action>,
    now: Micros,
    crashed: Option<NodeId>,
    healed: bool,
    audits: bool,
    over: bool,
}

impl Agenda {
    /// The agenda of a plan: all nodes boot, clients begin, and steps are laid down.
    ///
    /// # Panics
    /// If there are 2³² steps or more.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let (scenario, seed) = (&plan.scenario, plan.seed);
        let mut steps = scenario.step.clone();
        steps.extend(faults::draw(scenario, seed));
        steps.extend_from_slice(&plan.interventions);
        let mut queue = Queue::new(seed);
        (1..=scenario.nodes).for_each(|node| queue.push(0, Item::Boot(node)));
        for (number, step) in (0..).zip(&steps) {
            queue.push(step.at.0, Item::Step(number));
        }
        queue.push(scenario.duration.0, Item::Heal);
        queue.push(scenario.duration.0 + scenario.settle.0, Item::End);
        let workload = Workload::new(seed, &scenario.clients, scenario.nodes);
        workload.start(&mut queue);
        Self {
            seed,
            disk: scenario.disk.clone(),
            nodes: vec![Follow::default(); scenario.nodes as usize],
            alarms: Alarms::new(scenario.nodes),
            network: Network::new(seed, &scenario.network, scenario.nodes, scenario.clients.count + 1),
            workload,
            steps,
            queue,
            ready: VecDeque::new(),
            now: 0,
            crashed: None,
            healed: false,
            audits: false,
            over: false,
        }
    }

    /// Takes what is to be done next, and says when; `None` when the run is over.
    pub fn pop(&mut self) -> Option<(Micros, Action)> {
        loop {
            if let Some(action) = self.ready.pop_front() {
                return Some((self.now, action));
            }
            if self.over {
                return None;
            }
            let due = self.earliest()?;
            self.now = due.at;
            if let Some(cause) = self.take(due) {
                return Some((self.now, Action::Apply(cause)));
            }
        }
    }

    /// Takes what is due first, from the queue or from the alarms.
    fn earliest(&mut self) -> Option<Due> {
        let alarm = self.alarms.first().copied();
        match (alarm, self.queue.first()) {
            (Some(due), first) if first.is_none_or(|first| due < *first) => {
                if let Item::Wake(node, ..) = due.item {
                    self.set_alarm(node, None);
                }
                Some(due)
            }
            _ => self.queue.pop(),
        }
    }

    fn node(&mut self, node: NodeId) -> &mut Follow {
        &mut self.nodes[node as usize - 1]
    }

    /// Sets the alarm of a node; it rings only while the node takes turns.
    fn set_alarm(&mut self, node: NodeId, alarm: Option<(u64, Due)>) {
        let follow = self.node(node);
        follow.alarm = alarm;
        let rings = alarm.filter(|_| follow.up && !follow.paused).map(|(_, due)| due);
        self.alarms.set(node, rings);
    }

    fn count(&self) -> u32 {
        u32::try_from(self.nodes.len()).expect("there are few nodes")
    }

    /// Puts off what is due for a node that is paused.
    fn put_off(&mut self, node: NodeId, due: Due) -> bool {
        match self.nodes.get_mut((node as usize).wrapping_sub(1)).filter(|node| node.paused) {
            Some(follow) => {
                follow.waiting.push(due);
                true
            }
            None => false,
        }
    }

    /// What an item means now: a cause, or actions that are made ready, or nothing any more.
    fn take(&mut self, due: Due) -> Option<Cause> {
        match due.item {
            Item::Boot(node) => self.boot(node),
            Item::Deliver(message, copy, keep) => {
                if let Endpoint::Node(node) = message.to
                    && self.put_off(node, due)
                {
                    return None;
                }
                Some(if self.network.is_up(message.from, message.to) {
                    Cause::Deliver { message, copy, keep, alterations: Vec::new() }
                } else {
                    Cause::Lose { message, keep }
                })
            }
            Item::Lose(message, keep) => Some(Cause::Lose { message, keep }),
            Item::Synced(node, boot, sync) => {
                let current = self.node(node).up && self.node(node).boot == boot;
                if !current || self.put_off(node, due) {
                    return None;
                }
                Some(Cause::Synced { node, boot, sync, status: 0 })
            }
            Item::Wake(node, boot, alarm) => Some(Cause::Wake { node, boot, alarm }),
            Item::Ask(client, operation) => self.workload.ask(client, operation),
            Item::Retry(client, operation, attempt) => self.workload.retry(client, operation, attempt),
            Item::Timeout(client, ..) => self.workload.timeout(self.now, client, &mut self.queue),
            Item::Step(number) => {
                let act = self.steps[number as usize].act.clone();
                // What would break something again after all was healed comes too late.
                if !self.healed {
                    self.perform(&act);
                }
                None
            }
            Item::Heal => {
                self.heal();
                None
            }
            Item::End => {
                self.over = true;
                None
            }
        }
    }

    fn apply(&mut self, cause: Cause) {
        self.ready.push_back(Action::Apply(cause));
    }

    fn boot(&mut self, node: NodeId) -> Option<Cause> {
        let (seed, survive) = (self.seed, self.disk.survive);
        let follow = self.node(node);
        if follow.up {
            return None;
        }
        let boot = follow.boot;
        Some(Cause::Boot { node, survivors: follow.disk.survivors(seed, node, boot, survive) })
    }

    fn target(&self, target: Target) -> NodeId {
        match target {
            Target::Node(node) => node,
            Target::Leader => self.workload.leader().unwrap_or(1),
            Target::Crashed => self.crashed.unwrap_or(1),
        }
    }

    fn perform(&mut self, act: &Act) {
        match act {
            Act::Crash(target, Some(effect)) => {
                let node = self.target(*target);
                self.ready.push_back(Action::Arm(node, *effect));
            }
            Act::Crash(target, None) => {
                let node = self.target(*target);
                if self.node(node).up {
                    self.apply(Cause::Crash { node });
                }
            }
            Act::Restart(target) => {
                let node = self.target(*target);
                // A crash that was to come within a turn, and did not come in time, does not come any more.
                self.ready.push_back(Action::Disarm(node));
                let cause = self.boot(node);
                self.ready.extend(cause.map(Action::Apply));
            }
            Act::Pause(target) => {
                let node = self.target(*target);
                if self.node(node).up && !self.node(node).paused {
                    self.apply(Cause::Pause { node });
                }
            }
            Act::Resume(target) => {
                let node = self.target(*target);
                if self.node(node).paused {
                    self.apply(Cause::Resume { node });
                }
            }
            Act::Cut(from, to) => self.links(from, to, false),
            Act::Heal(from, to) if from.is_empty() && to.is_empty() => self.heal_links(),
            Act::Heal(from, to) => self.links(from, to, true),
            Act::Partition(groups) => {
                for (number, group) in groups.iter().enumerate() {
                    for other in groups[..number].iter().chain(&groups[number + 1..]) {
                        self.links(group, other, false);
                    }
                }
            }
            Act::Isolate(target, with) => self.isolate(*target, *with),
            Act::Clock(target, Jump(jump), ppm) => {
                let node = self.target(*target);
                self.apply(Cause::Clock { node, jump: *jump, ppm: *ppm });
            }
            Act::Timeout(target) => {
                let (node, now) = (self.target(*target), self.now);
                let follow = self.node(node);
                if let Some((alarm, _)) = follow.alarm {
                    let ahead = i128::from(alarm) - i128::from(follow.clock.local(now));
                    let (jump, ppm) = (i64::try_from(ahead).unwrap_or(0), follow.ppm);
                    self.apply(Cause::Clock { node, jump, ppm });
                }
            }
        }
    }

    fn links(&mut self, from: &[Name], to: &[Name], up: bool) {
        for from in from {
            for to in to {
                if from != to && self.network.is_up(from.0, to.0) != up {
                    self.apply(Cause::Link { from: from.0, to: to.0, up });
                }
            }
        }
    }

    fn heal_links(&mut self) {
        for (from, to) in self.network.cuts() {
            self.apply(Cause::Link { from, to, up: true });
        }
    }

    fn isolate(&mut self, target: Target, with: u32) {
        let (first, nodes) = (self.target(target), self.count());
        let inside = |node: NodeId| (node + nodes - first) % nodes <= with;
        let name = |node| Name(Endpoint::Node(node));
        let (one, other): (Vec<_>, Vec<_>) = (1..=nodes).partition(|node| inside(*node));
        let [one, other] = [one, other].map(|group| group.into_iter().map(name).collect::<Vec<_>>());
        self.links(&one, &other, false);
        self.links(&other, &one, false);
    }

    /// Ends all faults, so that what the cluster still owes can be asked of it.
    fn heal(&mut self) {
        self.healed = true;
        self.network.calm();
        self.workload.stop();
        self.heal_links();
        for node in 1..=self.count() {
            self.ready.push_back(Action::Disarm(node));
            let (paused, ppm) = (self.node(node).paused, self.node(node).ppm);
            if ppm != 0 {
                self.apply(Cause::Clock { node, jump: 0, ppm: 0 });
            }
            if paused {
                self.apply(Cause::Resume { node });
            }
            let boot = self.boot(node);
            self.ready.extend(boot.map(Action::Apply));
        }
        self.audit();
    }

    /// Lets the auditor begin, once all is healed and every client has its answers.
    fn audit(&mut self) {
        if self.healed && !self.audits && self.workload.is_idle() {
            self.audits = true;
            self.workload.audit(self.now, &mut self.queue);
        }
    }

    /// Looks at the events of a step, unless its cause was moot.
    pub fn observe(&mut self, at: Micros, event: &Event<'_>) {
        match event {
            Event::Cause(cause) => self.observe_cause(at, cause),
            Event::Effect(effect) => self.observe_effect(at, effect),
        }
    }

    fn observe_cause(&mut self, at: Micros, cause: &Cause) {
        match *cause {
            Cause::Boot { node, .. } => {
                let follow = self.node(node);
                follow.boot += 1;
                (follow.up, follow.paused) = (true, false);
                follow.disk = Unsynced::default();
                self.set_alarm(node, None);
            }
            Cause::Crash { node } | Cause::Decide { node, decision: Decision::Crash, .. } => self.down(at, node),
            Cause::Pause { node } => {
                self.node(node).paused = true;
                self.alarms.set(node, None);
            }
            Cause::Resume { node } => self.resume(at, node),
            Cause::Synced { node, .. } => self.node(node).disk.synced(),
            Cause::Clock { node, jump, ppm } => {
                let follow = self.node(node);
                follow.clock.set(at, jump, ppm);
                follow.ppm = ppm;
                // The alarm rings at another time now, or never.
                let (clock, alarm) = (follow.clock, follow.alarm);
                self.set_alarm(node, alarm.and_then(|(alarm, due)| Some((alarm, due.moved(clock.rings(at, alarm)?)))));
            }
            Cause::Link { from, to, up } => self.network.set(from, to, up),
            Cause::Request { client, operation, attempt, .. } => {
                self.workload.observe_request(at, client, operation, attempt, &mut self.queue);
            }
            Cause::ClientTimeout { client, last, .. } => {
                self.workload.observe_timeout(at, client, last, &mut self.queue);
                self.audit();
            }
            _ => {}
        }
    }

    fn observe_effect(&mut self, at: Micros, effect: &Effect<'_>) {
        match *effect {
            Effect::Sent { message, .. } => self.network.send(at, message, &mut self.queue),
            Effect::Received { client, operation, body } => {
                self.workload.observe_reply(at, client, operation, body, &mut self.queue);
                self.audit();
                if self.audits && self.workload.is_audited() {
                    self.audits = false;
                    self.healed = true;
                    self.queue.push(at + LINGER, Item::End);
                }
            }
            Effect::WakeAt { node, alarm, at: local } => {
                let boot = self.node(node).boot;
                let rings = self.node(node).clock.rings(at, local);
                let due = rings.map(|rings| self.queue.due(rings, Item::Wake(node, boot, alarm)));
                self.set_alarm(node, due.map(|due| (local, due)));
            }
            Effect::Write { node, .. } | Effect::Truncate { node, .. } => self.node(node).disk.observe(effect),
            Effect::Sync { node, sync, .. } => {
                let boot = self.node(node).boot;
                self.node(node).disk.observe(effect);
                let key = [u64::from(node), u64::from(boot), sync];
                let takes = Draw::new(self.seed, Concern::Sync, key).within(self.disk.sync.range());
                self.queue.push(at + takes, Item::Synced(node, boot, sync));
            }
            Effect::Halted { node, .. } | Effect::Trapped { node } => self.down(at, node),
            Effect::Note { .. } | Effect::Moot { .. } => {}
        }
    }

    fn down(&mut self, at: Micros, node: NodeId) {
        self.crashed = Some(node);
        self.node(node).up = false;
        self.set_alarm(node, None);
        if std::mem::take(&mut self.node(node).paused) {
            self.resume(at, node);
        }
    }

    /// What waited for a paused node falls due now.
    fn resume(&mut self, at: Micros, node: NodeId) {
        let follow = self.node(node);
        follow.paused = false;
        let (alarm, waiting) = (follow.alarm, std::mem::take(&mut follow.waiting));
        self.set_alarm(node, alarm.map(|(alarm, due)| (alarm, due.moved(due.at.max(at)))));
        waiting.into_iter().for_each(|due| self.queue.defer(at, due));
    }
}
