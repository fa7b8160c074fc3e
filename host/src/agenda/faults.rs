//! Faults at random, as steps: drawn from the seed before the run, so that each can be told, kept or taken away alone.

use super::core::damaged;
use super::swarm::mix;
use crate::draw::{Concern, Draw, Ratio};
use crate::event::{ClientId, Endpoint, Micros, NodeId};
use crate::plan::Plan;
use crate::scenario::step::{Act, Ask, Damage, Jump, Later, Mail, Moment, Name, Question, Step, Syncs, Target, When};
use crate::scenario::{Recurring, Scenario};
use crate::units::Span;
use std::collections::{BTreeMap, BTreeSet};

/// The kinds of faults, as the key of their draws.
#[derive(Clone, Copy)]
enum Kind {
    Crash = 1,
    Pause = 2,
    Partition = 3,
    OneWay = 4,
    Clock = 5,
    Start = 6,
    Deaf = 7,
    Mute = 8,
    Flap = 9,
    Jam = 10,
    Clog = 11,
    Swizzle = 12,
    Slow = 13,
    Stall = 14,
    SyncFails = 15,
    WriteFails = 16,
    Full = 17,
    Rot = 18,
    Misdirect = 19,
    Lie = 20,
    Wipe = 21,
    Swap = 22,
    Transfer = 23,
    Members = 24,
}

impl Kind {
    /// The key that it has in a scenario.
    fn word(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Pause => "pause",
            Self::Partition => "partition",
            Self::OneWay => "one_way",
            Self::Clock => "clock",
            Self::Start => "start",
            Self::Deaf => "deaf",
            Self::Mute => "mute",
            Self::Flap => "flap",
            Self::Jam => "jam",
            Self::Clog => "clog",
            Self::Swizzle => "swizzle",
            Self::Slow => "slow",
            Self::Stall => "stall",
            Self::SyncFails => "sync_fails",
            Self::WriteFails => "write_fails",
            Self::Full => "full",
            Self::Rot => "rot",
            Self::Misdirect => "misdirect",
            Self::Lie => "lie",
            Self::Wipe => "wipe",
            Self::Swap => "swap",
            Self::Transfer => "transfer",
            Self::Members => "members",
        }
    }
}

/// In a crash within a turn, the node gets at most so far: most turns have few effects.
const EFFECTS_MAX: u64 = 4;

/// A node that crashes again does so at most so long after its boot.
const AGAIN_MAX: u64 = 300_000;

/// All faults of a scenario for a seed, and the state in which its clocks start.
#[must_use]
pub fn draw(scenario: &Scenario, seed: u64) -> Vec<Step> {
    script(scenario, seed).steps
}

/// How often each kind of fault is drawn in a plan, by the key that it has in a scenario.
#[must_use]
pub fn count(plan: &Plan) -> BTreeMap<&'static str, u64> {
    let mut scenario = plan.scenario.clone();
    let every = scenario.faults.every().into_iter().map(|(kind, _)| (kind, 0));
    let mut counts: BTreeMap<_, _> = every.collect();
    let mixed = mix(&plan.scenario, plan.seed);
    counts.extend(script(&mixed, plan.seed).counts);
    counts
}

fn script(scenario: &Scenario, seed: u64) -> Script<'_> {
    let counts = BTreeMap::new();
    let mut script = Script { scenario, seed, damaged: damaged(scenario, seed), steps: Vec::new(), counts };
    script.clocks();
    script.nodes();
    script.cut_links();
    script.slow_links();
    script.disks();
    script.clock_faults();
    script.beyond();
    script.asks();
    script
}

/// A drift up to that many parts per million, forward or back.
fn drift(draw: &mut Draw, most: u32) -> i32 {
    let drawn = draw.below(2 * u64::from(most) + 1);
    i32::try_from(i64::try_from(drawn).expect("drift is small") - i64::from(most)).expect("drift is small")
}

struct Script<'a> {
    scenario: &'a Scenario,
    seed: u64,
    /// The nodes that may be damaged for good.
    damaged: Vec<NodeId>,
    steps: Vec<Step>,
    /// How often each kind was drawn.
    counts: BTreeMap<&'static str, u64>,
}

impl Script<'_> {
    fn step(&mut self, at: Micros, act: Act) {
        self.steps.push(Step { when: When::At(Span(at)), act });
    }

    /// What ends a fault; none outlasts the faults' time.
    fn end(&mut self, at: Micros, act: Act) {
        self.ends(at, [act]);
    }

    /// What ends a fault, one act after the other, whatever else ends at the same time.
    fn ends<const N: usize>(&mut self, at: Micros, acts: [Act; N]) {
        let last = at.min(self.until());
        for (before, act) in (0..).zip(acts.into_iter().rev()) {
            self.step(last.saturating_sub(before), act);
        }
    }

    fn until(&self) -> Micros {
        match self.scenario.faults.until.0 {
            0 => self.scenario.duration.0,
            until => until,
        }
    }

    /// Draws one after the other, with gaps around the mean, until the faults' time is over.
    fn recur(&mut self, kind: Kind, every: Span, mut fault: impl FnMut(&mut Self, Micros, &mut Draw)) {
        let mut at = self.scenario.faults.from.0;
        for n in 0.. {
            let mut draw = Draw::new(self.seed, Concern::Fault, [kind as u64, n, 0]);
            at += every.0 / 2 + draw.below(every.0 + 1);
            if at >= self.until() {
                break;
            }
            *self.counts.entry(kind.word()).or_default() += 1;
            fault(self, at, &mut draw);
        }
    }

    /// What befalls nodes.
    fn nodes(&mut self) {
        let faults = &self.scenario.faults;
        if let Some(crash) = &faults.crash {
            self.recur(Kind::Crash, crash.every, |script, mut at, draw| {
                let (node, lasts) = (script.node(draw), draw.within(crash.lasts.range()));
                let within = draw.happens(crash.within_turn);
                let effect = u32::try_from(draw.below(EFFECTS_MAX)).expect("it is below the bound");
                script.step(at, Act::Crash(node, within.then_some(Moment::Nth(effect))));
                at += lasts;
                script.end(at, Act::Restart(node, None));
                while draw.happens(crash.again) {
                    at += draw.below(AGAIN_MAX);
                    if at >= script.until() {
                        break;
                    }
                    script.step(at, Act::Crash(node, None));
                    at += draw.below(AGAIN_MAX);
                    script.end(at, Act::Restart(node, None));
                }
            });
        }
        if let Some(pause) = &faults.pause {
            self.recur(Kind::Pause, pause.every, |script, at, draw| {
                let (node, lasts) = (script.node(draw), draw.within(pause.lasts.range()));
                script.step(at, Act::Pause(node));
                script.end(at + lasts, Act::Resume(node));
            });
        }
        if let Some(slow) = &faults.slow {
            self.recur(Kind::Slow, slow.every, |script, at, draw| {
                let (node, lasts) = (script.number(draw), draw.within(slow.lasts.range()));
                let by = Later::By(Span(draw.within(slow.by.range())));
                let (node, others) = script.one_and_others(node);
                for (from, to) in [(&node, &others), (&others, &node)] {
                    script.step(at, Act::Delay(Mail::Links(from.clone(), to.clone()), by));
                    script.end(at + lasts, Act::Release(from.clone(), to.clone()));
                }
            });
        }
    }

    /// What befalls links: they carry nothing.
    fn cut_links(&mut self) {
        let faults = &self.scenario.faults;
        if let Some(partition) = &faults.partition {
            self.recur(Kind::Partition, partition.every, |script, at, draw| {
                let lasts = draw.within(partition.lasts.range());
                let groups = script.split(draw, partition.groups);
                script.step(at, Act::Partition(groups.clone()));
                for (number, group) in groups.iter().enumerate() {
                    for other in &groups[number + 1..] {
                        script.end(at + lasts, Act::Heal(group.clone(), other.clone()));
                        script.end(at + lasts, Act::Heal(other.clone(), group.clone()));
                    }
                }
            });
        }
        let one_way = |script: &mut Script<'_>, draw: &mut Draw| script.pair(draw).map(|node| vec![node]);
        let deaf = |script: &mut Script<'_>, draw: &mut Draw| {
            let (node, others) = script.one_and_others(script.number(draw));
            [others, node]
        };
        let mute = |script: &mut Script<'_>, draw: &mut Draw| {
            let (node, others) = script.one_and_others(script.number(draw));
            [node, others]
        };
        self.cuts(Kind::OneWay, faults.one_way.as_ref(), one_way);
        self.cuts(Kind::Deaf, faults.deaf.as_ref(), deaf);
        self.cuts(Kind::Mute, faults.mute.as_ref(), mute);
        if let Some(flap) = &faults.flap {
            self.recur(Kind::Flap, flap.every, |script, mut at, draw| {
                let until = at + draw.within(flap.lasts.range());
                let [one, other] = script.pair(draw).map(|node| vec![node]);
                while at < until.min(script.until()) {
                    script.step(at, Act::Cut(one.clone(), other.clone()));
                    script.step(at, Act::Cut(other.clone(), one.clone()));
                    at += draw.within(flap.period.range());
                    script.end(at, Act::Heal(one.clone(), other.clone()));
                    script.end(at, Act::Heal(other.clone(), one.clone()));
                    at += draw.within(flap.period.range());
                }
            });
        }
    }

    /// What befalls links: what they carry is late.
    fn slow_links(&mut self) {
        let faults = &self.scenario.faults;
        if let Some(jam) = &faults.jam {
            self.recur(Kind::Jam, jam.every, |script, at, draw| {
                let lasts = draw.within(jam.lasts.range());
                let groups = script.split(draw, 2);
                let [one, other] = [0, 1].map(|side| groups.get(side).cloned().unwrap_or_default());
                for (from, to) in [(&one, &other), (&other, &one)] {
                    script.step(at, Act::Hold(Mail::Links(from.clone(), to.clone())));
                    script.end(at + lasts, Act::Release(from.clone(), to.clone()));
                }
            });
        }
        if let Some(clog) = &faults.clog {
            self.recur(Kind::Clog, clog.every, |script, at, draw| {
                let lasts = draw.within(clog.lasts.range());
                let by = Later::By(Span(draw.within(clog.by.range())));
                let [from, to] = script.pair(draw).map(|node| vec![node]);
                script.step(at, Act::Delay(Mail::Links(from.clone(), to.clone()), by));
                script.end(at + lasts, Act::Release(from, to));
            });
        }
        if let Some(swizzle) = &faults.swizzle {
            self.recur(Kind::Swizzle, swizzle.every, |script, at, draw| {
                let lasts = draw.within(swizzle.lasts.range());
                for node in 1..=script.scenario.nodes {
                    if draw.happens(Ratio { times: 1, of: 3 }) {
                        continue;
                    }
                    let by = Later::By(Span(draw.within(swizzle.by.range())));
                    let (begins, ends) = (draw.below(lasts / 2 + 1), lasts / 2 + draw.below(lasts / 2 + 1));
                    let (node, others) = script.one_and_others(node);
                    if at + begins >= script.until() {
                        continue;
                    }
                    script.step(at + begins, Act::Delay(Mail::Links(others.clone(), node.clone()), by));
                    script.end(at + ends, Act::Release(others, node));
                }
            });
        }
    }

    /// Links that are cut in one direction, and heal.
    fn cuts(
        &mut self,
        kind: Kind,
        faults: Option<&Recurring>,
        ends: impl Fn(&mut Script<'_>, &mut Draw) -> [Vec<Name>; 2],
    ) {
        let Some(faults) = faults else { return };
        self.recur(kind, faults.every, |script, at, draw| {
            let lasts = draw.within(faults.lasts.range());
            let [from, to] = ends(script, draw);
            script.step(at, Act::Cut(from.clone(), to.clone()));
            script.end(at + lasts, Act::Heal(from, to));
        });
    }

    /// What befalls disks, and what a node of Raft survives.
    fn disks(&mut self) {
        let faults = &self.scenario.faults;
        if let Some(stall) = &faults.stall {
            self.recur(Kind::Stall, stall.every, |script, at, draw| {
                let (node, lasts) = (script.node(draw), draw.within(stall.lasts.range()));
                script.step(at, Act::Stall(Syncs::Of(node)));
                script.end(at + lasts, Act::Complete(Syncs::Of(node)));
            });
        }
        let breaks = [
            (Kind::SyncFails, &faults.sync_fails, None),
            (Kind::WriteFails, &faults.write_fails, Some(Damage::FailWrite)),
            (Kind::Full, &faults.full, Some(Damage::Fill(true))),
        ];
        for (kind, fault, damage) in breaks {
            let Some(fault) = fault else { continue };
            self.recur(kind, fault.every, |script, at, draw| {
                let (node, lasts) = (script.node(draw), draw.within(fault.lasts.range()));
                script.step(at, damage.map_or(Act::Fail(Syncs::Of(node)), |damage| Act::Disk(node, damage)));
                // It stops itself when it finds out.
                script.ends(at + lasts, [Act::Disk(node, Damage::Fill(false)), Act::Restart(node, None)]);
            });
        }
        if let Some(rot) = &faults.rot {
            self.recur(Kind::Rot, rot.every, |script, at, draw| {
                if let Some(node) = script.victim(draw) {
                    script.step(at, Act::Disk(node, Damage::Rot(None)));
                }
            });
        }
    }

    fn clock_faults(&mut self) {
        let Some(clock) = &self.scenario.faults.clock else { return };
        self.recur(Kind::Clock, clock.every, |script, at, draw| {
            let node = script.node(draw);
            let jump = i64::try_from(draw.within(clock.jump.range())).expect("a span is at most a day");
            let jump = if draw.happens(Ratio { times: 1, of: 2 }) { jump } else { -jump };
            script.step(at, Act::Clock(node, Jump(jump), drift(draw, clock.drift)));
        });
    }

    /// What befalls disks, and what no node of Raft promises to survive.
    fn beyond(&mut self) {
        let faults = &self.scenario.faults;
        if let Some(misdirect) = &faults.misdirect {
            self.recur(Kind::Misdirect, misdirect.every, |script, at, draw| {
                if let Some(node) = script.victim(draw) {
                    script.step(at, Act::Disk(node, Damage::Misdirect));
                }
            });
        }
        if let Some(lie) = &faults.lie {
            self.recur(Kind::Lie, lie.every, |script, at, draw| {
                let lasts = draw.within(lie.lasts.range());
                if let Some(node) = script.victim(draw) {
                    script.step(at, Act::Disk(node, Damage::Lie(true)));
                    let honest = Act::Disk(node, Damage::Lie(false));
                    script.ends(at + lasts, [Act::Crash(node, None), honest, Act::Restart(node, None)]);
                }
            });
        }
        if let Some(wipe) = &faults.wipe {
            self.recur(Kind::Wipe, wipe.every, |script, at, draw| {
                let lasts = draw.within(wipe.lasts.range());
                if let Some(node) = script.victim(draw) {
                    script.step(at, Act::Crash(node, None));
                    script.ends(at + lasts, [Act::Disk(node, Damage::Wipe), Act::Restart(node, None)]);
                }
            });
        }
        if let Some(swap) = &faults.swap {
            self.recur(Kind::Swap, swap.every, |script, at, draw| {
                let lasts = draw.within(swap.lasts.range());
                let (Some(one), Some(other)) = (script.victim(draw), script.victim(draw)) else { return };
                if one != other {
                    [one, other].into_iter().for_each(|node| script.step(at, Act::Crash(node, None)));
                    let swap = Act::Disk(one, Damage::Swap(other));
                    script.ends(at + lasts, [swap, Act::Restart(one, None), Act::Restart(other, None)]);
                }
            });
        }
    }

    /// What people ask of a cluster, at a bad time: now this client, now that.
    fn asks(&mut self) {
        let faults = &self.scenario.faults;
        let clients = u64::from(self.scenario.clients.count);
        let ask = |draw: &mut Draw, what| {
            let client = 1 + ClientId::try_from(draw.below(clients)).expect("there are few clients");
            Act::Request(client, Ask::new("", what), None)
        };
        if let Some(transfer) = &faults.transfer {
            self.recur(Kind::Transfer, transfer.every, |script, at, draw| {
                let to = script.number(draw);
                script.step(at, ask(draw, Question::Transfer(to)));
            });
        }
        if let Some(members) = &faults.members {
            self.recur(Kind::Members, members.every, |script, at, draw| {
                let (mut voters, mut learners, mut gone) = (Vec::new(), Vec::new(), Vec::new());
                let [one, other] = [script.number(draw), script.number(draw)];
                for node in BTreeSet::from([one, other]) {
                    match draw.below(4) {
                        0 => learners.push(node),
                        1 => gone.push(node),
                        _ => voters.push(node),
                    }
                }
                script.step(at, ask(draw, Question::Members { voters, learners, gone }));
            });
        }
    }

    fn clocks(&mut self) {
        let spec = &self.scenario.clock;
        if spec.drift == 0 && spec.ahead.high.0 == 0 {
            return;
        }
        for node in 1..=self.scenario.nodes {
            let mut draw = Draw::new(self.seed, Concern::Clock, [Kind::Start as u64, u64::from(node), 0]);
            let ahead = i64::try_from(draw.within(spec.ahead.range())).expect("a span is at most a day");
            let act = Act::Clock(Target::Node(node), Jump(ahead), drift(&mut draw, spec.drift));
            self.steps.push(Step { when: When::At(Span(0)), act });
        }
    }

    fn number(&self, draw: &mut Draw) -> NodeId {
        let below = draw.below(u64::from(self.scenario.nodes));
        1 + u32::try_from(below).expect("there are few nodes")
    }

    fn node(&self, draw: &mut Draw) -> Target {
        Target::Node(self.number(draw))
    }

    /// Two different nodes; the same one twice in a cluster of one.
    fn pair(&self, draw: &mut Draw) -> [Name; 2] {
        let from = self.number(draw);
        let step = 1 + u32::try_from(draw.below(u64::from(self.scenario.nodes).max(2) - 1)).expect("few nodes");
        let to = (from - 1 + step) % self.scenario.nodes + 1;
        [from, to].map(|node| Name(Endpoint::Node(node)))
    }

    /// One of the nodes that may be damaged for good.
    fn victim(&self, draw: &mut Draw) -> Option<Target> {
        let place = draw.below(self.damaged.len() as u64);
        self.damaged.get(usize::try_from(place).expect("there are few nodes")).copied().map(Target::Node)
    }

    /// A node, and all others.
    fn one_and_others(&self, node: NodeId) -> (Vec<Name>, Vec<Name>) {
        let name = |node| Name(Endpoint::Node(node));
        (vec![name(node)], (1..=self.scenario.nodes).filter(|other| *other != node).map(name).collect())
    }

    /// All nodes in two groups or more, none of them empty; in one, if there is one node.
    fn split(&self, draw: &mut Draw, most: u32) -> Vec<Vec<Name>> {
        let nodes = self.scenario.nodes;
        let all = (1_u64 << nodes) - 1;
        let mask = 1 + draw.below(all.max(2) - 1);
        let group = |bit: u64| -> Vec<Name> {
            (0..nodes).filter(move |node| mask >> node & 1 == bit).map(|node| Name(Endpoint::Node(node + 1))).collect()
        };
        let mut groups: Vec<_> = [group(1), group(0)].into_iter().filter(|group| !group.is_empty()).collect();
        for _ in 2..most {
            let place = usize::try_from(draw.below(groups.len() as u64)).expect("there are few nodes");
            let cut = usize::try_from(draw.below(groups[place].len() as u64)).expect("there are few nodes");
            let rest = groups[place].split_off(cut);
            if groups[place].is_empty() {
                groups[place] = rest;
            } else {
                groups.push(rest);
            }
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chaos_has_every_kind_of_fault_and_ends_them_in_time() {
        let scenario = Scenario::built_in("chaos", None).unwrap();
        let mut kinds = BTreeMap::new();
        for seed in 0..20 {
            let steps = draw(&scenario, seed);
            assert_eq!(steps, draw(&scenario, seed));
            for step in steps {
                let When::At(at) = step.when else { panic!("{step} has no time") };
                assert!(at <= scenario.faults.until && (at >= scenario.faults.from || at.0 == 0));
                *kinds.entry(format!("{:?}", step.act).split('(').next().unwrap().to_owned()).or_insert(0) += 1;
            }
        }
        let expected =
            "Clock Complete Crash Cut Delay Disk Fail Heal Hold Partition Pause Release Request Restart Resume Stall";
        assert_eq!(kinds.keys().map(String::as_str).collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn a_split_has_two_sides_or_more() {
        for nodes in 2..=9 {
            let scenario = Scenario { nodes, ..Scenario::default() };
            let script = Script {
                scenario: &scenario,
                seed: 0,
                damaged: Vec::new(),
                steps: Vec::new(),
                counts: BTreeMap::new(),
            };
            let mut most = 0;
            for n in 0..200 {
                let mut draw = Draw::new(0, Concern::Fault, [0, n, 0]);
                let groups = script.split(&mut draw, 4);
                assert!(groups.len() >= 2 && groups.iter().all(|group| !group.is_empty()));
                assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), nodes as usize);
                most = most.max(groups.len());
                let [from, to] = script.pair(&mut draw);
                assert_ne!(from, to);
            }
            assert_eq!(most, nodes.min(4) as usize);
        }
    }
}
