//! The steps of a run, and what their authors should know of them: those that did nothing, and why.
//!
//! A step names nodes, messages and syncs, and a run may not have them by then: it was changed by an earlier step, or by
//! another guest. Such a step is no mistake, and does nothing; but whoever wrote it is told.

use super::faults;
use crate::event::Micros;
use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::scenario::step::{Step, When};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;
use xxhash_rust::xxh3::xxh3_64;

/// Whose a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The scenario's.
    Scenario,
    /// Chance's: a fault that was drawn.
    Chance,
    /// A person's.
    Intervention,
}

impl Origin {
    /// What a step of theirs is called.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Scenario => "step",
            Self::Chance => "fault",
            Self::Intervention => "intervention",
        }
    }
}

/// What the author of a step should know of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// Whose it is.
    pub origin: Origin,
    /// Which of theirs, from 1.
    pub number: u32,
    /// The step itself.
    pub step: Step,
    /// What came of it, or why nothing did.
    pub why: String,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, number, step, why } = self;
        write!(f, "{} {number} ({step}): {why}", origin.word())
    }
}

/// The number of a step among all of a run.
pub(super) type Number = u32;

/// The steps of a run.
#[derive(Clone, Debug)]
pub(super) struct Script {
    steps: Vec<Step>,
    /// From which number on they are chance's, and then a person's.
    drawn: Number,
    interventions: Number,
    /// Those that wait for a number of events.
    waiting: BTreeSet<(u64, Number)>,
    /// Those that were not taken yet.
    untaken: BTreeSet<Number>,
    remarks: Vec<Remark>,
}

impl Script {
    /// The steps of a plan, with the faults of its scenario as the seed mixes them.
    pub(super) fn new(mixed: &Scenario, plan: &Plan) -> Self {
        let count = |steps: &[Step]| Number::try_from(steps.len()).expect("there are fewer than 2³² steps");
        let mut steps = plan.scenario.step.clone();
        let drawn = count(&steps);
        steps.extend(faults::draw(mixed, plan.seed));
        let interventions = count(&steps);
        steps.extend_from_slice(&plan.interventions);
        let all = count(&steps);
        let after = |(number, step): (Number, &Step)| match step.when {
            When::After(events) => Some((events, number)),
            When::At(_) => None,
        };
        let waiting = (0..).zip(&steps).filter_map(after).collect();
        Self { steps, drawn, interventions, waiting, untaken: (0..all).collect(), remarks: Vec::new() }
    }

    /// The times at which steps are taken, each with the first of them, and with a hash of what that says: those of one
    /// author and one time are taken one after the other.
    pub(super) fn times(&self) -> Vec<(Micros, Number, u64)> {
        let mut firsts = BTreeSet::new();
        let mut times = Vec::new();
        for (number, step) in (0..).zip(&self.steps) {
            let origin = self.origin(number);
            if let When::At(at) = step.when
                && firsts.insert((origin, at))
            {
                times.push((at.0, number, xxh3_64(step.to_string().as_bytes())));
            }
        }
        times
    }

    /// The steps that are taken with this one, itself first.
    pub(super) fn together(&self, first: Number) -> Vec<Number> {
        let (origin, when) = (self.origin(first), self.step(first).when);
        let same = |number: &Number| self.origin(*number) == origin && self.step(*number).when == when;
        (0..).take(self.steps.len()).filter(same).collect()
    }

    fn step(&self, number: Number) -> &Step {
        &self.steps[number as usize]
    }

    pub(super) fn origin(&self, number: Number) -> Origin {
        match number {
            number if number < self.drawn => Origin::Scenario,
            number if number < self.interventions => Origin::Chance,
            _ => Origin::Intervention,
        }
    }

    /// The next step that waited for so many events, if there is one.
    pub(super) fn after(&mut self, events: u64) -> Option<Number> {
        let (due, number) = *self.waiting.first()?;
        if due > events {
            return None;
        }
        self.waiting.pop_first();
        Some(number)
    }

    /// A step is taken now.
    pub(super) fn take(&mut self, number: Number) -> &Step {
        self.untaken.remove(&number);
        self.step(number)
    }

    /// The steps that were never taken.
    pub(super) fn untaken(&mut self) -> impl Iterator<Item = Number> + use<> {
        std::mem::take(&mut self.untaken).into_iter()
    }

    /// Writes down what the author of a step should know. That a drawn fault finds nothing to break is chance too, and
    /// not told.
    pub(super) fn remark(&mut self, number: Number, why: impl Into<String>) {
        let origin = self.origin(number);
        let first = match origin {
            Origin::Scenario => 0,
            Origin::Chance => return,
            Origin::Intervention => self.interventions,
        };
        let step = self.step(number).clone();
        self.remarks.push(Remark { origin, number: number - first + 1, step, why: why.into() });
    }

    pub(super) fn remarks(&self) -> &[Remark] {
        &self.remarks
    }
}
