//! The steps of a run, and what their authors should know of them: those that did nothing, and why.
//!
//! A step names nodes, messages and syncs, and a run may not have them by then: it was changed by an earlier step, or by
//! another guest. Such a step is no mistake, and does nothing; but whoever wrote it is told.

use super::faults;
use crate::check::Observed;
use crate::event::{ClientId, Micros};
use crate::expectation::Expectation;
use crate::fact::{Fact, Facts};
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
    /// Those that wait for a fact, and whose turn it is.
    hopeful: Vec<Number>,
    /// Those that were not taken yet.
    untaken: BTreeSet<Number>,
    remarks: Vec<Remark>,
    /// What is known of the run, if any step asks for it.
    facts: Option<Box<Facts>>,
    /// The answers that are yet to come to what steps had clients ask.
    awaited: Vec<Awaited>,
    expectations: Vec<Expectation>,
}

/// An answer that a step says a client is to be told.
#[derive(Clone, Debug)]
struct Awaited {
    step: Number,
    client: ClientId,
    answer: Fact,
    /// Whether the client has asked.
    asked: bool,
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
            When::At(_) | When::Then(_) | When::Once(_) => None,
        };
        let waiting = (0..).zip(&steps).filter_map(after).collect();
        let asks = |step: &Step| matches!(step.when, When::Once(_)) || step.act.expects().is_some();
        let asks = plan.scenario.expect.is_some() || steps.iter().any(asks);
        Self {
            drawn,
            interventions,
            waiting,
            hopeful: Vec::new(),
            untaken: (0..all).collect(),
            remarks: Vec::new(),
            facts: asks.then(|| Box::new(Facts::new(mixed.nodes))),
            awaited: Vec::new(),
            expectations: Vec::new(),
            steps,
        }
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
        let (origin, when) = (self.origin(first), &self.step(first).when);
        if !matches!(when, When::At(_)) {
            return vec![first];
        }
        let same = |number: &Number| self.origin(*number) == origin && self.step(*number).when == *when;
        (0..).take(self.steps.len()).filter(same).collect()
    }

    /// The first step of the scenario, or the one after this, is the one whose turn it is now, if it waits for that: how long
    /// it waits yet, and a hash of what it says. If it waits for a fact, that is looked after from now on.
    pub(super) fn next(&mut self, taken: Option<Number>) -> Option<(Micros, Number, u64)> {
        let next = taken.map_or(0, |number| number + 1);
        if next >= self.drawn || taken.is_some_and(|number| number >= self.drawn) {
            return None;
        }
        let step = self.step(next);
        match step.when {
            When::Then(span) => Some((span.0, next, xxh3_64(step.to_string().as_bytes()))),
            When::Once(_) => {
                self.hopeful.push(next);
                None
            }
            When::At(_) | When::After(_) => None,
        }
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

    /// The next step that waited for so many events, or for what is so now, if there is one.
    pub(super) fn after(&mut self, events: u64) -> Option<Number> {
        if let Some((due, number)) = self.waiting.first().copied()
            && due <= events
        {
            self.waiting.pop_first();
            return Some(number);
        }
        let is_so = |number: &Number| match &self.step(*number).when {
            When::Once(fact) => fact.ask(self.known()).1,
            _ => false,
        };
        let place = self.hopeful.iter().position(is_so)?;
        Some(self.hopeful.remove(place))
    }

    /// Takes an event into account, unless the faults' time is over: what healing brings is no part of what is told.
    pub(super) fn observe(&mut self, observed: &Observed<'_>, healed: bool) {
        if let Some(facts) = self.facts.as_mut().filter(|_| !healed) {
            facts.observe(observed);
        }
    }

    /// The client is to be told this, in answer to what the step has it ask.
    pub(super) fn awaits(&mut self, step: Number, client: ClientId, answer: Fact) {
        self.awaited.push(Awaited { step, client, answer, asked: false });
    }

    /// Writes down whether a client was told what it was to be, if it no longer asks what a step wanted.
    pub(super) fn settle(&mut self, client: ClientId, asks: Option<Number>) {
        for awaited in self.awaited.iter_mut().filter(|awaited| awaited.client == client) {
            awaited.asked |= asks == Some(awaited.step);
        }
        let answered = |awaited: &mut Awaited| awaited.client == client && awaited.asked && asks != Some(awaited.step);
        let answered: Vec<_> = self.awaited.extract_if(.., answered).collect();
        answered.into_iter().for_each(|awaited| self.expect(awaited.step, &awaited.answer));
    }

    /// The faults' time is over: who has no answer now was told none.
    pub(super) fn settle_all(&mut self) {
        for Awaited { step, answer, asked, .. } in std::mem::take(&mut self.awaited) {
            if asked {
                self.expect(step, &answer);
            } else {
                self.expected(step, &answer, Some("not asked yet".into()));
            }
        }
    }

    fn known(&self) -> &Facts {
        self.facts().expect("a step asks for facts")
    }

    /// Writes down whether a fact is so that a step expects now.
    pub(super) fn expect(&mut self, number: Number, fact: &Fact) {
        let (value, is_so) = fact.ask(self.known());
        self.expected(number, fact, (!is_so).then(|| value.to_string()));
    }

    /// Writes down what is instead of what a step expects, if it is not that.
    fn expected(&mut self, number: Number, fact: &Fact, is: Option<String>) {
        let what = format!("{} {} expects {fact}", self.origin(number).word(), self.own(number));
        self.expectations.push(Expectation { what, is });
    }

    /// What steps expected so far.
    pub(super) fn expectations(&self) -> &[Expectation] {
        &self.expectations
    }

    /// What is known of the run, if anybody asks for it.
    pub(super) fn facts(&self) -> Option<&Facts> {
        self.facts.as_deref()
    }

    /// A step is taken now.
    pub(super) fn take(&mut self, number: Number) -> &Step {
        self.untaken.remove(&number);
        self.step(number)
    }

    /// The steps that were never taken; what they expect is not so.
    pub(super) fn untaken(&mut self) -> impl Iterator<Item = Number> + use<> {
        let untaken = std::mem::take(&mut self.untaken);
        for number in &untaken {
            if let Some(fact) = self.step(*number).act.expects() {
                self.expected(*number, &fact, Some("not known: the step was never taken".into()));
            }
        }
        untaken.into_iter()
    }

    /// Writes down what the author of a step should know. That a drawn fault finds nothing to break is chance too, and
    /// not told.
    pub(super) fn remark(&mut self, number: Number, why: impl Into<String>) {
        let origin = self.origin(number);
        if origin != Origin::Chance {
            let step = self.step(number).clone();
            self.remarks.push(Remark { origin, number: self.own(number), step, why: why.into() });
        }
    }

    /// Which of its author's a step is, from 1.
    fn own(&self, number: Number) -> u32 {
        let first = match self.origin(number) {
            Origin::Scenario => 0,
            Origin::Chance => self.drawn,
            Origin::Intervention => self.interventions,
        };
        number - first + 1
    }

    /// Why a step was never taken.
    pub(super) fn waited_for(&self, number: Number) -> String {
        match &self.step(number).when {
            When::Once(fact) if self.hopeful.contains(&number) => {
                format!("the run ended before; in the end it was {}", fact.ask(self.known()).0)
            }
            When::Once(_) | When::Then(_) => "the run ended before the step that it waits for was taken".into(),
            When::At(_) | When::After(_) => "the run ended before".into(),
        }
    }

    pub(super) fn remarks(&self) -> &[Remark] {
        &self.remarks
    }
}
