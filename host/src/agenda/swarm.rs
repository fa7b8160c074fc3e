//! The mix of faults of a seed, where each seed is to have its own (swarm testing: Groce et al., 2012).
//!
//! A run in which everything happens all the time never gets to what takes a quiet hour. So some kinds are left out, and what
//! is there is more or less of it, as the seed draws it.

use crate::draw::{Concern, Draw, Range, Ratio};
use crate::scenario::Scenario;
use crate::units::Span;
use std::fmt::Write as _;

/// How many of the kinds are left out.
const LEFT_OUT: Ratio = Ratio { times: 1, of: 3 };

/// Where the members may change, neither may anybody be damaged for good nor a majority alone be healed; so mostly they do
/// not.
const MEMBERS_STAY: Ratio = Ratio { times: 3, of: 4 };

/// The scenario of a seed: as it is, unless each seed is to have its own mix.
#[must_use]
pub fn mix(scenario: &Scenario, seed: u64) -> Scenario {
    let mut mixed = scenario.clone();
    if !scenario.faults.swarm {
        return mixed;
    }
    let mut kinds = 0;
    let mut next = || {
        kinds += 1;
        Draw::new(seed, Concern::Swarm, [kinds, 0, 0])
    };
    let mut gone = Vec::new();
    for (kind, every) in mixed.faults.every() {
        let mut draw = next();
        if draw.happens(if kind == "members" { MEMBERS_STAY } else { LEFT_OUT }) {
            gone.push(kind);
        }
        // From twice as often to a third as often.
        let times = draw.within(Range { low: 3, high: 18 });
        *every = Span((every.0 * times / 6 / 1_000).max(1) * 1_000);
    }
    gone.into_iter().for_each(|kind| mixed.faults.leave_out(kind));
    let network = &mut mixed.network;
    for ratio in [
        &mut network.loss,
        &mut network.duplicate,
        &mut network.reorder,
        &mut network.late,
        &mut network.corrupt,
        &mut network.spike,
    ] {
        let mut draw = next();
        let gone = draw.happens(LEFT_OUT);
        // From a quarter as many to twice as many.
        let times =
            ratio.times.saturating_mul(u32::try_from(draw.within(Range { low: 1, high: 8 })).expect("it is small"));
        let of = ratio.of.saturating_mul(4);
        *ratio = if gone { Ratio::NEVER } else { Ratio { times: times.min(of), of }.reduced() };
    }
    let mut draw = next();
    match draw.below(4) {
        0 => mixed.disk.survive = Ratio::NEVER,
        1 => mixed.disk.survive = Ratio::ALWAYS,
        _ => {}
    }
    if let Some(sites) = &mut mixed.faults.sites
        && next().happens(LEFT_OUT)
    {
        sites.active = Ratio::NEVER;
    }
    mixed
}

/// The mix of a seed, in words; empty where all seeds have the same.
#[must_use]
pub fn told(scenario: &Scenario, seed: u64) -> String {
    let mut told = String::new();
    if !scenario.faults.swarm {
        return told;
    }
    let mut mixed = mix(scenario, seed);
    let mut tell = |what: std::fmt::Arguments<'_>| {
        let between = if told.is_empty() { "" } else { ", " };
        write!(told, "{between}{what}").expect("a string takes everything");
    };
    let network = &mixed.network;
    for (name, ratio) in [
        ("loss", network.loss),
        ("duplicate", network.duplicate),
        ("reorder", network.reorder),
        ("late", network.late),
        ("corrupt", network.corrupt),
        ("spike", network.spike),
        ("survive", mixed.disk.survive),
    ] {
        if ratio.times > 0 {
            tell(format_args!("{name} {ratio}"));
        }
    }
    for (kind, every) in mixed.faults.every() {
        tell(format_args!("{kind} every {every}"));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_seed_has_a_mix_of_its_own_and_all_kinds_come() {
        let mut scenario = Scenario::built_in("chaos", None).unwrap();
        scenario.faults.swarm = true;
        let all = scenario.faults.every().len();
        let mut seen = std::collections::BTreeMap::new();
        for seed in 0..200 {
            let mut mixed = mix(&scenario, seed);
            mixed.check().unwrap();
            assert_eq!(mixed, mix(&scenario, seed));
            mixed.faults.every().iter().for_each(|(kind, _)| *seen.entry(*kind).or_insert(0) += 1);
        }
        assert_eq!(seen.len(), all);
        let members = seen.remove("members");
        assert!(seen.values().all(|times| (100..170).contains(times)), "{seen:?}");
        assert!(members.is_some_and(|times| (30..70).contains(&times)), "{members:?}");
        scenario.faults.swarm = false;
        assert_eq!(mix(&scenario, 7), scenario);
        assert_eq!(told(&scenario, 7), "");
    }
}
