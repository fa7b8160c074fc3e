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
//! | [`swarm`] | the mix of faults of a seed |
//! | [`core`] | who may be damaged for good, and who is healed when faults end |
//! | `heal`, `audit` | the faults' time is over; every key is read, and the run ends |
//! | [`script`] | steps, and what is told of those that did nothing |
//! | `acts`, `post`, `syncs`, `election` | steps are taken: on nodes and links, on messages, on syncs, on elections |
//! | `damage` | steps are taken on disks |
//! | `custody`, `stalls` | messages and syncs that somebody has decided of |

mod acts;
mod alarms;
mod audit;
pub mod core;
mod custody;
mod damage;
pub mod disk;
mod election;
pub mod faults;
mod heal;
pub mod network;
mod post;
pub mod queue;
pub mod script;
mod stalls;
pub mod swarm;
mod syncs;
pub mod workload;

use crate::check::Observed;
use crate::clock::Clock;
use crate::draw::{Concern, Draw};
use crate::event::{Cause, Decision, Effect, Endpoint, Event, MessageName, Micros, NodeId};
use crate::expectation::Expectation;
use crate::fact::Facts;
use crate::plan::Plan;
use crate::scenario;
use crate::scenario::Sites;
use crate::scenario::step::{Survive, Sync};
use crate::world::decider::{self, Moment, Order};
use alarms::Alarms;
use audit::Audit;
use custody::Custody;
use disk::Unsynced;
use network::Network;
use queue::{Due, Item, Queue};
use script::{Number, Remark, Script};
use stalls::Stalls;
use std::collections::VecDeque;
use workload::Workload;

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Apply this cause.
    Apply(Cause),
    /// From now on something goes another way within turns.
    Order(Order),
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
    /// Whether its disk says of syncs that they are done, and keeps nothing.
    lies: bool,
    /// How many syncs this boot has asked.
    syncs: u64,
    /// What fell due while the node was paused.
    waiting: Vec<Due>,
    /// The crash that is to come within a turn: the step that wants it, and after which effect.
    armed: Option<(Number, Moment)>,
    /// While its clock nearly stands still for another's election: the drift that it had.
    waits: Option<i32>,
}

/// What is due next.
#[derive(Clone, Debug)]
pub struct Agenda {
    seed: u64,
    /// Who is healed when the faults' time is over.
    core: Vec<NodeId>,
    disk: scenario::Disk,
    nodes: Vec<Follow>,
    alarms: Alarms,
    network: Network,
    workload: Workload,
    script: Script,
    /// The step that is being taken.
    performing: Number,
    custody: Custody,
    stalls: Stalls,
    queue: Queue,
    /// What is to be done at `now`, before anything else.
    ready: VecDeque<Action>,
    /// What a step wants done that waited for a number of events: before even that.
    urgent: VecDeque<Action>,
    /// Steps that are taken at `now`, each when all is done that the one before wanted.
    due: VecDeque<Number>,
    now: Micros,
    crashed: Option<NodeId>,
    healed: bool,
    audited: Audit,
    /// How long it may take to settle, and until when it may.
    settle: Micros,
    ends: Micros,
    /// Until when the run lasts at least.
    lasts: Micros,
    over: bool,
    /// The longest that a message and a sync usually take.
    pace: Micros,
}

impl Agenda {
    /// The agenda of a plan: all nodes boot, clients begin, and steps are laid down.
    ///
    /// # Panics
    /// If there are 2³² steps or more.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let seed = plan.seed;
        let scenario = &swarm::mix(&plan.scenario, seed);
        let script = Script::new(scenario, plan);
        let mut queue = Queue::new(seed);
        (1..=scenario.nodes).for_each(|node| queue.push(0, Item::Boot(node)));
        script.times().into_iter().for_each(|(at, number, says)| queue.push(at, Item::Step(number, says)));
        let ends = scenario.duration.0 + scenario.settle.0;
        queue.push(scenario.duration.0, Item::Heal);
        queue.push(ends, Item::End);
        let workload = Workload::new(seed, &scenario.clients, scenario.nodes);
        workload.start(&mut queue);
        let links = scenario.network.link.iter().map(|link| link.latency);
        let latency = links.chain([scenario.network.latency]).map(|spans| spans.high.0).max().unwrap_or(0);
        let sites = scenario.faults.sites.as_ref().map(|spec| {
            let Sites { active, fires } = *spec;
            Action::Order(Order::Sites(decider::Sites { seed, active, fires }))
        });
        let mut agenda = Self {
            seed,
            core: core::core(plan),
            disk: scenario.disk.clone(),
            nodes: vec![Follow::default(); scenario.nodes as usize],
            alarms: Alarms::new(scenario.nodes),
            network: Network::new(seed, &scenario.network, scenario.nodes, scenario.clients.count + 1),
            workload,
            script,
            performing: 0,
            custody: Custody::default(),
            stalls: Stalls::default(),
            queue,
            ready: sites.into_iter().collect(),
            urgent: VecDeque::new(),
            due: VecDeque::new(),
            now: 0,
            crashed: None,
            healed: false,
            audited: Audit::Due,
            settle: scenario.settle.0,
            ends,
            lasts: 0,
            over: false,
            pace: latency + scenario.disk.sync.high.0,
        };
        agenda.go_on_after(None);
        agenda
    }

    /// Takes what is to be done next in a run of so many events, and says when; `None` when the run is over.
    pub fn pop(&mut self, events: u64) -> Option<(Micros, Action)> {
        loop {
            if let Some(action) = self.urgent.pop_front() {
                return Some((self.now, action));
            }
            if let Some(number) = self.script.after(events) {
                // What the step wants goes before what was ready, and the next such step sees what came of this one.
                let ready = std::mem::take(&mut self.ready);
                self.perform(number);
                self.urgent = std::mem::replace(&mut self.ready, ready);
                continue;
            }
            if let Some(action) = self.ready.pop_front() {
                return Some((self.now, action));
            }
            if let Some(number) = self.due.pop_front() {
                self.perform(number);
                continue;
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

    /// What the authors of steps should know of them, so far; of those that were never taken, when the run is over.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        self.script.remarks()
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
            Item::Boot(node) => self.boot(node, None),
            Item::Deliver(message, copy, keep) => self.arrive(due, message, copy, keep),
            Item::Release(message, _) => self.arrive(due, message, 0, false),
            Item::Lose(message, keep) => {
                if self.custody.is_idle() {
                    return Some(Cause::Lose { message, keep });
                }
                if self.custody.passes_over(message, due.item) {
                    return None;
                }
                let keep = self.custody.takes(message, due.item, 0, keep).keep;
                Some(Cause::Lose { message, keep })
            }
            Item::Synced(node, boot, sync) => {
                let current = self.node(node).up && self.node(node).boot == boot;
                if !current || self.put_off(node, due) {
                    return None;
                }
                if self.stalls.is_idle() {
                    return Some(Cause::Synced { node, boot, sync, status: 0 });
                }
                let sync = Sync { node, boot, n: sync };
                if self.stalls.was_early(sync) || self.stalls.parks(sync) { None } else { self.answer(sync) }
            }
            Item::Wake(node, boot, alarm) => Some(Cause::Wake { node, boot, alarm }),
            Item::Ask(client, operation) => self.workload.ask(client, operation),
            Item::Retry(client, operation, attempt) => self.workload.retry(client, operation, attempt),
            Item::Timeout(client, ..) => self.workload.timeout(self.now, client, &mut self.queue),
            Item::Step(number, _) => {
                self.due.extend(self.script.together(number));
                None
            }
            Item::Heal => {
                self.heal();
                None
            }
            Item::End => {
                let done = self.audited == Audit::Done && self.now >= self.lasts;
                if done || self.now >= self.ends {
                    self.over = true;
                    self.close();
                }
                None
            }
        }
    }

    /// A message is due at its addressee.
    fn arrive(&mut self, due: Due, message: MessageName, copy: u32, keep: bool) -> Option<Cause> {
        let watched = !self.custody.is_idle();
        if watched && self.custody.passes_over(message, due.item) {
            return None;
        }
        if let Endpoint::Node(node) = message.to
            && self.put_off(node, due)
        {
            return None;
        }
        let up = self.network.is_up(message.from, message.to);
        let (mut copy, mut keep, mut alterations) = (copy, keep, Vec::new());
        if watched {
            let held = matches!(due.item, Item::Deliver(..)) && self.custody.is_held((message.from, message.to));
            if up && held {
                let others = self.items(message);
                self.custody.park(message, &others);
                return None;
            }
            let arrival = self.custody.takes(message, due.item, copy, keep);
            (copy, keep, alterations) = (arrival.copy, arrival.keep, arrival.alterations);
        }
        Some(if up { Cause::Deliver { message, copy, keep, alterations } } else { Cause::Lose { message, keep } })
    }

    fn apply(&mut self, cause: Cause) {
        self.ready.push_back(Action::Apply(cause));
    }

    fn order(&mut self, order: Order) {
        self.ready.push_back(Action::Order(order));
    }

    fn boot(&mut self, node: NodeId, survive: Option<Survive>) -> Option<Cause> {
        let (seed, ratio) = (self.seed, self.disk.survive);
        let follow = self.node(node);
        if follow.up {
            return None;
        }
        let survivors = match survive {
            Some(survive) => follow.disk.chosen(survive),
            None => follow.disk.survivors(seed, node, follow.boot, ratio),
        };
        Some(Cause::Boot { node, survivors })
    }

    /// What steps expected so far, and whether it was so.
    #[must_use]
    pub fn expectations(&self) -> &[Expectation] {
        self.script.expectations()
    }

    /// What is known of the run, if the scenario or a step asks for it.
    #[must_use]
    pub fn facts(&self) -> Option<&Facts> {
        self.script.facts()
    }

    /// Looks at the events of a step, unless its cause was moot.
    pub fn observe(&mut self, observed: &Observed<'_>) {
        match observed.event {
            Event::Cause(cause) => self.observe_cause(observed.at, cause),
            Event::Effect(effect) => self.observe_effect(observed.at, effect),
        }
        self.script.observe(observed, self.healed);
        if let Event::Cause(Cause::Request { client, .. } | Cause::ClientTimeout { client, .. })
        | Event::Effect(Effect::Received { client, .. }) = observed.event
        {
            self.script.settle(*client, self.workload.step_of(*client));
        }
    }

    fn observe_cause(&mut self, at: Micros, cause: &Cause) {
        match *cause {
            Cause::Boot { node, .. } => {
                let follow = self.node(node);
                follow.boot += 1;
                (follow.up, follow.paused, follow.syncs) = (true, false, 0);
                follow.disk.boots();
                self.set_alarm(node, None);
            }
            Cause::Crash { node } => self.down(at, node),
            Cause::Decide { node, decision: Decision::Crash, .. } => {
                self.node(node).armed = None;
                self.down(at, node);
            }
            Cause::Pause { node } => {
                self.node(node).paused = true;
                self.alarms.set(node, None);
            }
            Cause::Resume { node } => self.resume(at, node),
            Cause::Synced { node, status: 0, .. } if self.node(node).lies => self.node(node).disk.answered(),
            Cause::Synced { node, status, .. } => self.node(node).disk.synced(status != 0),
            Cause::Disk { node, fault } => self.observe_damage(node, fault),
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
            Effect::Sent { message, bytes, .. } => {
                let bytes = u32::try_from(bytes.len()).expect("a message is at most 1 MiB");
                if let Some(alteration) = self.network.send(at, message, bytes, &mut self.queue) {
                    self.corrupt(message, alteration);
                }
                if !self.custody.is_idle() {
                    self.meddle(message);
                }
            }
            Effect::Received { client, operation, body } => {
                self.workload.observe_reply(at, client, operation, body, &mut self.queue);
                self.audit();
                if let Audit::Running { again } = self.audited
                    && self.workload.is_audited()
                {
                    self.audit_ends(again);
                }
            }
            Effect::WakeAt { node, alarm, at: local } => {
                let boot = self.node(node).boot;
                let rings = self.node(node).clock.rings(at, local);
                let due = rings.map(|rings| self.queue.due(rings, Item::Wake(node, boot, alarm)));
                self.set_alarm(node, due.map(|due| (local, due)));
                self.waited(node);
            }
            Effect::Write { node, .. } | Effect::Truncate { node, .. } => self.node(node).disk.observe(effect),
            Effect::Sync { node, sync, .. } => {
                let boot = self.node(node).boot;
                self.node(node).disk.observe(effect);
                self.node(node).syncs = sync + 1;
                let key = [u64::from(node), u64::from(boot), sync];
                let takes = Draw::new(self.seed, Concern::Sync, key).within(self.disk.sync.range());
                self.queue.push(at + takes, Item::Synced(node, boot, sync));
                if let Some(step) = self.stalls.asked(Sync { node, boot, n: sync }) {
                    self.perform(step);
                }
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
        self.waited(node);
        self.stalls.down(node);
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
