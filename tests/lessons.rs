//! Lessons hold: every situation has one, each question has one right answer, by several seeds, and all answers are told.

use raftbox::lesson::{LESSONS, Lesson};
use raftbox::scenario::step::Step;
use raftbox::scenario::{Scenario, parted};
use raftbox::simulation::Simulation;
use raftbox::trace::Keep;
use raftbox_tests::situations::{Ready, guests, told};
use std::collections::BTreeSet;
use std::rc::Rc;

#[test]
fn every_situation_has_a_lesson() {
    let told = told();
    let situations = told.iter().map(|(name, _)| parted(name).0);
    let situations: BTreeSet<&str> = situations.filter(|name| !name.starts_with("lab-")).collect();
    assert_eq!(situations, LESSONS.iter().map(|(name, _)| *name).collect());
    assert!(situations.len() >= 20);
}

#[test]
fn each_question_has_one_answer() {
    let told = told();
    let guests = guests(&told);
    for (name, _) in LESSONS {
        let lesson = Lesson::built_in(name).unwrap_or_else(|mistake| panic!("{mistake}"));
        assert!(!lesson.question.is_empty() && lesson.watch.len() >= 2 && lesson.about.len() >= 2, "{name}");
        for question in &lesson.question {
            let whole = question.scenario(name);
            let scenario = Scenario::built_in(&whole, None).unwrap();
            for (_, fact) in &question.options {
                fact.check(scenario.nodes, scenario.clients.count).unwrap_or_else(|what| panic!("{name}: {what}"));
            }
            let ready = Ready::new(&scenario, &guests);
            for seed in 1..4 {
                let mut simulation =
                    Simulation::new(Rc::clone(&ready.engine), &ready.header(seed), Keep::Nothing).unwrap();
                simulation.run().unwrap();
                let answer = question.answer(simulation.facts().unwrap());
                assert!(answer.is_some(), "{whole}, seed {seed}: {}", question.ask);
            }
        }
    }
}

#[test]
fn a_goal_is_reached_by_what_the_lesson_says_and_not_by_itself() {
    let told = told();
    let guests = guests(&told);
    let mut goals = 0;
    for (name, _) in LESSONS {
        let Some(goal) = Lesson::built_in(name).unwrap().goal else { continue };
        assert!(goal.violates.is_some() != goal.fact.is_some(), "{name}: a goal is noticed by one thing");
        let scenario = Scenario::built_in(&goal.scenario(name), None).unwrap();
        scenario.check_steps("by", &goal.by).unwrap_or_else(|(_, what)| panic!("{name}: {what}"));
        let ready = Ready::new(&scenario, &guests);
        for seed in 1..4 {
            let reached = |by: &[Step]| {
                let mut header = ready.header(seed);
                header.plan.interventions = by.to_vec();
                let mut simulation = Simulation::new(Rc::clone(&ready.engine), &header, Keep::Nothing).unwrap();
                simulation.run().unwrap();
                goal.is_reached(simulation.facts().unwrap(), || simulation.record().checkers.verdicts())
            };
            assert!(!reached(&[]), "{name}, seed {seed}: it is so without any doing");
            assert!(reached(&goal.by), "{name}, seed {seed}: that is no way to do it");
        }
        goals += 1;
    }
    assert!(goals >= 6);
}
