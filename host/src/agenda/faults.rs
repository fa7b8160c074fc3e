//! Faults at random, as steps: drawn from the seed before the run, so that each can be told, kept or taken away alone.

use crate::draw::{Concern, Draw, Ratio};
use crate::event::{Endpoint, Micros, NodeId};
use crate::scenario::Scenario;
use crate::scenario::step::{Act, Jump, Name, Step, Target, When};
use crate::units::Span;

/// The kinds of faults, as the key of their draws.
#[derive(Clone, Copy)]
enum Kind {
    Crash = 1,
    Pause = 2,
    Partition = 3,
    OneWay = 4,
    Clock = 5,
    Start = 6,
}

/// In a crash within a turn, the node gets at most so far: most turns have few effects.
const EFFECTS_MAX: u64 = 4;

/// All faults of a scenario for a seed, and the state in which its clocks start.
#[must_use]
pub fn draw(scenario: &Scenario, seed: u64) -> Vec<Step> {
    let mut script = Script { scenario, seed, steps: Vec::new() };
    script.clocks();
    let faults = &scenario.faults;
    if let Some(crash) = &faults.crash {
        script.recur(Kind::Crash, crash.every, |script, at, draw| {
            let (node, lasts) = (script.node(draw), draw.within(crash.lasts.range()));
            let within = draw.happens(crash.within_turn);
            let effect = u32::try_from(draw.below(EFFECTS_MAX)).expect("it is below the bound");
            script.step(at, Act::Crash(node, within.then_some(effect)));
            script.end(at + lasts, Act::Restart(node, None));
        });
    }
    if let Some(pause) = &faults.pause {
        script.recur(Kind::Pause, pause.every, |script, at, draw| {
            let (node, lasts) = (script.node(draw), draw.within(pause.lasts.range()));
            script.step(at, Act::Pause(node));
            script.end(at + lasts, Act::Resume(node));
        });
    }
    if let Some(partition) = &faults.partition {
        script.recur(Kind::Partition, partition.every, |script, at, draw| {
            let lasts = draw.within(partition.lasts.range());
            let [one, other] = script.split(draw);
            script.step(at, Act::Partition(vec![one.clone(), other.clone()]));
            script.end(at + lasts, Act::Heal(one.clone(), other.clone()));
            script.end(at + lasts, Act::Heal(other, one));
        });
    }
    if let Some(one_way) = &faults.one_way {
        script.recur(Kind::OneWay, one_way.every, |script, at, draw| {
            let lasts = draw.within(one_way.lasts.range());
            let [from, to] = script.pair(draw).map(|node| vec![node]);
            script.step(at, Act::Cut(from.clone(), to.clone()));
            script.end(at + lasts, Act::Heal(from, to));
        });
    }
    if let Some(clock) = &faults.clock {
        script.recur(Kind::Clock, clock.every, |script, at, draw| {
            let node = script.node(draw);
            let jump = i64::try_from(draw.within(clock.jump.range())).expect("a span is at most a day");
            let jump = if draw.happens(Ratio { times: 1, of: 2 }) { jump } else { -jump };
            script.step(at, Act::Clock(node, Jump(jump), drift(draw, clock.drift)));
        });
    }
    script.steps
}

/// A drift up to that many parts per million, forward or back.
fn drift(draw: &mut Draw, most: u32) -> i32 {
    let drawn = draw.below(2 * u64::from(most) + 1);
    i32::try_from(i64::try_from(drawn).expect("drift is small") - i64::from(most)).expect("drift is small")
}

struct Script<'a> {
    scenario: &'a Scenario,
    seed: u64,
    steps: Vec<Step>,
}

impl Script<'_> {
    fn step(&mut self, at: Micros, act: Act) {
        self.steps.push(Step { when: When::At(Span(at)), act });
    }

    /// What ends a fault; none outlasts the faults' time.
    fn end(&mut self, at: Micros, act: Act) {
        self.step(at.min(self.until()), act);
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
            fault(self, at, &mut draw);
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

    /// All nodes in two groups, neither of them empty if there are two nodes or more.
    fn split(&self, draw: &mut Draw) -> [Vec<Name>; 2] {
        let nodes = self.scenario.nodes;
        let all = (1_u64 << nodes) - 1;
        let mask = 1 + draw.below(all.max(2) - 1);
        let group = |bit: u64| {
            (0..nodes).filter(move |node| mask >> node & 1 == bit).map(|node| Name(Endpoint::Node(node + 1))).collect()
        };
        [group(1), group(0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chaos_has_every_kind_of_fault_and_ends_them_in_time() {
        let scenario = Scenario::built_in("chaos", None).unwrap();
        let mut kinds = std::collections::BTreeMap::new();
        for seed in 0..20 {
            let steps = draw(&scenario, seed);
            assert_eq!(steps, draw(&scenario, seed));
            for step in steps {
                let When::At(at) = step.when else { panic!("{step} has no time") };
                assert!(at <= scenario.faults.until && (at >= scenario.faults.from || at.0 == 0));
                *kinds.entry(format!("{:?}", step.act).split('(').next().unwrap().to_owned()).or_insert(0) += 1;
            }
        }
        let expected = ["Clock", "Crash", "Cut", "Heal", "Partition", "Pause", "Restart", "Resume"];
        assert_eq!(kinds.keys().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_split_has_two_sides() {
        for nodes in 2..=9 {
            let scenario = Scenario { nodes, ..Scenario::default() };
            let script = Script { scenario: &scenario, seed: 0, steps: Vec::new() };
            for n in 0..200 {
                let mut draw = Draw::new(0, Concern::Fault, [0, n, 0]);
                let [one, other] = script.split(&mut draw);
                assert!(!one.is_empty() && !other.is_empty());
                assert_eq!(one.len() + other.len(), nodes as usize);
                let [from, to] = script.pair(&mut draw);
                assert_ne!(from, to);
            }
        }
    }
}
