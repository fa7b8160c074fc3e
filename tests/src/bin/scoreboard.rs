//! Prints the scoreboard of broken nodes, as the documentation has it.
//!
//! `cargo run --release -p raftbox-tests --bin scoreboard` tries five campaigns of a thousand seeds each; other numbers may be
//! given, and names of mutants: `... -- 3 200 vote_forgotten`. `... -- known` tries each by the seed that is known to show it
//! alone, shrinks that run, and fails where forty steps or more are left.

use raftbox_mutants::{Mutant, all, build, here};
use raftbox_tests::scoreboard::{Broken, each};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// One line of the board.
struct Score {
    /// In each campaign, how many seeds it took.
    took: Vec<Option<u64>>,
    /// How long the campaigns took, together.
    time: Duration,
    /// What was broken first where the property was.
    first: BTreeSet<String>,
    /// What else was broken.
    others: BTreeSet<String>,
    /// Before and after: the steps of the run that was shrunk.
    steps: Option<(usize, usize, bool)>,
}

#[allow(clippy::disallowed_methods, reason = "how long it takes is what is to be told; no run depends on it")]
fn score(broken: &Broken<'_>, campaigns: u64, seeds: u64) -> Result<Score, String> {
    let (mut first, mut others) = (BTreeSet::new(), BTreeSet::new());
    let (mut took, mut any) = (Vec::new(), None);
    let begun = Instant::now();
    for campaign in 0..campaigns {
        let from = campaign * 1_000_000;
        let found = broken.find(from..from + seeds, &mut others)?;
        took.push(found.as_ref().map(|found| found.header.plan.seed - from + 1));
        first.extend(found.iter().map(|found| found.first.clone()));
        any = any.or(found);
    }
    let time = begun.elapsed();
    let shrunk = any.map(|found| broken.shrink(&found)).transpose()?;
    let steps = shrunk.map(|shrunk| (shrunk.before, shrunk.len(), shrunk.makes_up()));
    // It takes its time, so what is known is told.
    eprintln!(
        "{}: {took:?} {first:?} {others:?} {steps:?}, {time:.1?}, then {:.1?}",
        broken.mutant.name,
        begun.elapsed() - time
    );
    Ok(Score { took, time, first, others, steps })
}

/// The one in the middle; what was not found is later than all.
fn median(took: &[Option<u64>]) -> Option<u64> {
    let mut took: Vec<u64> = took.iter().map(|took| took.unwrap_or(u64::MAX)).collect();
    took.sort_unstable();
    Some(took[took.len() / 2]).filter(|median| *median < u64::MAX)
}

/// What is left of the runs that are known, in which a broken node shows.
fn small(mutants: &[Mutant], guests: &BTreeMap<String, Vec<u8>>) {
    let mut wrong = 0;
    for (name, steps) in each(mutants, guests, |broken: &Broken<'_>| broken.small()) {
        let is_small = steps.as_ref().is_ok_and(|steps| *steps < 40);
        wrong += usize::from(!is_small);
        match steps {
            Ok(steps) => println!("{name}: {steps} steps are left"),
            Err(why) => println!("{name}: {why}"),
        }
    }
    assert_eq!(wrong, 0, "so many do not show, or are not small");
}

#[allow(clippy::disallowed_methods, reason = "what is to be tried is the caller's choice; a run is not")]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<u64> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let (campaigns, seeds) = (numbers.first().copied().unwrap_or(5).max(1), numbers.get(1).copied().unwrap_or(1_000));
    let named: Vec<&String> = arguments.iter().filter(|argument| argument.parse::<u64>().is_err()).collect();
    let all = all(here()).unwrap_or_else(|wrong| panic!("a patch does not apply any more: {wrong}"));
    let known = named.iter().any(|name| *name == "known");
    let is_wanted = |name: &String| named.is_empty() || known || named.contains(&name);
    let mut mutants = all.clone();
    mutants.retain(|mutant| mutant.is_broken() && is_wanted(&mutant.name));
    let names: Vec<&str> = mutants.iter().map(|mutant| mutant.name.as_str()).collect();
    let guests = build(here(), &all, Some(&names)).unwrap_or_else(|wrong| panic!("{wrong}"));
    if known {
        return small(&mutants, &guests);
    }
    let scores = each(&mutants, &guests, |broken| score(broken, campaigns, seeds));
    println!("| mutant | what is wrong | seen in | scenario | breaks | noticed first by | seeds | time | steps left |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for mutant in &mutants {
        let Mutant { name, about, seen, scenario, property, .. } = mutant;
        match &scores[name] {
            Ok(Score { took, time, first, others, steps }) => {
                let list = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
                let median = median(took).map_or("not found".to_owned(), |median| median.to_string());
                let steps = steps.map_or("-".to_owned(), |(before, after, makes_up)| {
                    format!("{after} of {before}{}", if makes_up { ", clients ask on" } else { "" })
                });
                let by = if first.is_empty() { format!("({})", list(others)) } else { list(first) };
                let time = *time / u32::try_from(campaigns).unwrap_or(1);
                println!(
                    "| `{name}` | {about} | {seen} | {scenario} | {property} | {by} | {median} | {time:.1?} | {steps} |"
                );
            }
            Err(wrong) => println!("| `{name}` | {about} | {seen} | {scenario} | {property} | failed: {wrong} | | | |"),
        }
    }
}
