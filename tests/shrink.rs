//! Shrinking leaves the same violation, with nothing in it that could go.

use raftbox::hunt::judge;
use raftbox::plan::{Header, Plan};
use raftbox::scenario::{Recurring, Scenario, Setting};
use raftbox::shrink::{Failure, Shrunk, materialized, shrink, told};
use raftbox::trace::{Keep, difference};
use raftbox::units::{Span, Spans};
use raftbox_tests::{header, run, wasmtime};

/// Chaos, with disks that lie.
fn lies(seed: u64) -> Header {
    header("chaos", seed, |scenario| {
        scenario.duration = Span(30_000_000);
        scenario.faults.until = Span(28_000_000);
        let lasts = Spans::micros(500_000, 3_000_000);
        scenario.faults.lie = Some(Recurring { every: Span(3_000_000), lasts });
    })
}

fn of(header: &Header, shrunk: &Shrunk) -> Header {
    Header { plan: shrunk.plan.clone(), ..header.clone() }
}

/// The first seed that violates something, and what.
fn violating(header: impl Fn(u64) -> Header) -> (Header, String) {
    let found = (0..100).find_map(|seed| {
        let header = header(seed);
        let broken = judge(wasmtime(), &header).unwrap().broken;
        let first = broken.into_iter().find(|broken| broken.event.is_some())?;
        Some((header, first.property))
    });
    found.expect("one of a hundred seeds violates something")
}

fn violates(header: &Header, property: &str) -> bool {
    judge(wasmtime(), header).unwrap().broken.iter().any(|broken| broken.property == property && broken.event.is_some())
}

#[test]
fn what_is_left_violates_the_same_property_and_no_step_of_it_can_go() {
    let (header, property) = violating(lies);
    let mut runs = 0;
    let shrunk = shrink(wasmtime(), None, &header, None, &mut |count, _| runs = count).unwrap();
    assert_eq!((shrunk.property.as_str(), shrunk.runs), (property.as_str(), runs));
    assert!(shrunk.before > 20 && shrunk.len() <= 6, "{} of {} steps", shrunk.len(), shrunk.before);
    assert!(violates(&of(&header, &shrunk), &property));
    for gone in 0..shrunk.len() {
        let mut less = of(&header, &shrunk);
        less.plan.scenario.step.remove(gone);
        assert!(!violates(&less, &property), "step {} could go", gone + 1);
    }
}

#[test]
fn a_cluster_that_stands_still_is_shrunk_too() {
    let (header, property) = violating(|seed| {
        header("chaos", seed + 40, |scenario| {
            scenario.node.insert("check_quorum".into(), Setting::Switch(false));
        })
    });
    assert_eq!(property, "liveness");
    let shrunk = shrink(wasmtime(), None, &header, None, &mut |_, _| ()).unwrap();
    assert!(shrunk.len() <= 10 && shrunk.before > 40, "{} of {} steps", shrunk.len(), shrunk.before);
    assert!(violates(&of(&header, &shrunk), "liveness"));
}

#[test]
fn what_is_printed_is_a_scenario_that_is_what_is_left() {
    let (header, _) = violating(lies);
    let shrunk = shrink(wasmtime(), None, &header, None, &mut |_, _| ()).unwrap();
    let text = told(&shrunk, "What is left.");
    let read = Scenario::read("left.toml", &text, None).unwrap_or_else(|mistake| panic!("{mistake}\n{text}"));
    let expected = Scenario { profile: "calm".into(), about: "What is left.".into(), ..shrunk.plan.scenario.clone() };
    assert_eq!(read, expected, "{text}");
    assert_eq!(text.matches("[[step]]").count(), shrunk.len());
}

#[test]
fn what_the_reference_violates_too_is_shrunk_all_the_same_and_what_violates_nothing_is_told() {
    let (header, property) = violating(lies);
    let shrunk = shrink(wasmtime(), Some(wasmtime()), &header, Some(&property), &mut |_, _| ()).unwrap();
    assert_eq!(shrunk.property, property);
    let plan = Plan { seed: 1, ..header.plan.clone() };
    let calm = Header {
        plan: Plan { scenario: Scenario { duration: Span(1_000_000), ..Scenario::default() }, ..plan },
        ..header
    };
    assert!(matches!(shrink(wasmtime(), None, &calm, None, &mut |_, _| ()), Err(Failure::Nothing)));
}

#[test]
fn faults_as_steps_make_the_same_run() {
    for seed in 0..30 {
        let one = header("chaos", seed, |_| ());
        let other = Header { plan: materialized(&one.plan), ..one.clone() };
        let [one, other] = [one, other].map(|header| run(wasmtime(), &header, Keep::All).unwrap().0);
        let found = difference(one.trace.iter(), other.trace.iter());
        assert_eq!(found.map(|found| format!("{seed}: {found:?}")), None);
    }
}
