//! Who may be damaged for good, and who is left alone when the faults' time is over.
//!
//! What a damaged disk has lost does not come back, so only so few nodes are ever damaged that a majority is not. When the
//! faults' time is over, either everybody is healed, or (`core`) a majority alone: whatever befell the others stays, or
//! gets worse. Such a majority must elect a leader and serve clients all the same.

use super::swarm::mix;
use crate::draw::{Concern, Draw};
use crate::event::NodeId;
use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::scenario::step::{Act, Question, Step};

/// The voters of a scenario, in an order that is drawn.
fn shuffled(scenario: &Scenario, seed: u64) -> Vec<NodeId> {
    let voters = scenario.voters.unwrap_or(scenario.nodes);
    let key = |node: NodeId| Draw::new(seed, Concern::Core, [u64::from(node), 0, 0]).number();
    let mut nodes: Vec<NodeId> = (1..=voters).collect();
    nodes.sort_by_key(|node| (key(*node), *node));
    nodes
}

/// The nodes that may be damaged for good: none where chance changes the members, as nobody knows beforehand what a majority
/// is.
#[must_use]
pub fn damaged(scenario: &Scenario, seed: u64) -> Vec<NodeId> {
    if scenario.faults.members.is_some() {
        return Vec::new();
    }
    let nodes = shuffled(scenario, seed);
    let minority = (nodes.len() - 1) / 2;
    let count = scenario.faults.budget.map_or(minority, |budget| budget as usize);
    nodes.into_iter().take(count).collect()
}

/// Whether anybody asks for other members.
#[must_use]
pub fn members_change(plan: &Plan) -> bool {
    let changes = |step: &Step| match &step.act {
        Act::Request(_, ask, _) => matches!(ask.what, Question::Members { .. }),
        _ => false,
    };
    let chance = mix(&plan.scenario, plan.seed).faults.members.is_some();
    chance || plan.scenario.step.iter().chain(&plan.interventions).any(changes)
}

/// The nodes that are healed when the faults' time is over: all, unless only a majority is to be. Where the members change,
/// nobody knows beforehand what a majority is, so all are.
#[must_use]
pub fn core(plan: &Plan) -> Vec<NodeId> {
    let (scenario, seed) = (&mix(&plan.scenario, plan.seed), &plan.seed);
    if !scenario.faults.core || members_change(plan) {
        return (1..=scenario.nodes).collect();
    }
    let mut nodes = shuffled(scenario, *seed);
    nodes.reverse();
    let majority = nodes.len() / 2 + 1;
    let whole = nodes.len() - damaged(scenario, *seed).len().min(nodes.len() - majority);
    let more = Draw::new(*seed, Concern::Core, [0, 1, 0]).below((whole - majority) as u64 + 1);
    nodes.truncate(majority + usize::try_from(more).expect("there are few nodes"));
    nodes.sort_unstable();
    nodes
}

/// What becomes of a node that is not healed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// As it is.
    Left,
    /// It is down.
    Down,
    /// It takes no turns.
    Paused,
    /// It hears nobody.
    Deaf,
    /// Nobody hears it.
    Mute,
    /// Neither.
    Isolated,
}

/// What becomes of a node that is not healed.
#[must_use]
pub fn fate(seed: u64, node: NodeId) -> Fate {
    let fates = [Fate::Left, Fate::Down, Fate::Paused, Fate::Deaf, Fate::Mute, Fate::Isolated];
    let place = Draw::new(seed, Concern::Core, [u64::from(node), 2, 0]).below(fates.len() as u64);
    fates[usize::try_from(place).expect("there are few fates")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_is_a_majority_that_was_never_damaged_and_any_may_be_one() {
        let mut scenario = Scenario::built_in("chaos", None).unwrap();
        scenario.faults.members = None;
        let mut cores = std::collections::BTreeSet::new();
        for seed in 0..300 {
            let plan = Plan { scenario: scenario.clone(), seed, interventions: Vec::new() };
            let (core, damaged) = (core(&plan), damaged(&scenario, seed));
            assert!(core.len() >= 3 && damaged.len() == 2);
            assert!(damaged.iter().all(|node| !core.contains(node)), "{core:?} {damaged:?}");
            cores.insert(core);
        }
        assert_eq!(cores.len(), 10, "all triples, and what is not damaged of five is three");
    }

    #[test]
    fn where_the_members_change_nobody_is_damaged_and_all_are_healed() {
        let scenario = Scenario::built_in("chaos", None).unwrap();
        let changing = |seed: &u64| mix(&scenario, *seed).faults.members.is_some();
        let seeds: Vec<u64> = (0..100).filter(changing).collect();
        assert!((10..40).contains(&seeds.len()), "{seeds:?}");
        for seed in seeds {
            let plan = Plan { scenario: scenario.clone(), seed, interventions: Vec::new() };
            assert_eq!(core(&plan), [1, 2, 3, 4, 5]);
            assert_eq!(damaged(&mix(&scenario, seed), seed), [0; 0]);
        }
    }
}
