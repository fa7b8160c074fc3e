//! Shrinking: the same violation with as little as possible.
//!
//! A run that violates a property is a scenario, a seed and steps. [`shrink`] makes chance's faults into steps like any other,
//! and then takes away whatever can go: it ends the run right after the violation, leaves out steps (half of them, a quarter,
//! ... one by one, until none can go: so what is left is 1-minimal), nodes and clients, and makes network, disks and clocks good.
//! What clients made up becomes steps as well, of which those stay that are needed. What is tried is always run again, from its
//! edited plan; it counts if the same property is violated. What a reference does not violate at first (the unmodified guest,
//! where a broken one is looked at) it must not violate in the end, or what is shown would be something else.

mod asked;

use crate::agenda::{faults, swarm};
use crate::check::Verdict;
use crate::draw::Ratio;
use crate::engine::{Abort, Engine};
use crate::plan::{Header, Plan};
use crate::scenario::step::{Act, Step, When};
use crate::scenario::{Clocks, Faults, Network, Scenario};
use crate::simulation::Simulation;
use crate::trace::Keep;
use crate::units::{Size, Span, Spans};
use crate::world::turn::Turn;
use std::rc::Rc;

/// What a shrunk run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// What is left.
    pub plan: Plan,
    /// The property that it violates.
    pub property: String,
    /// What is wrong, in a sentence.
    pub what: String,
    /// How many steps there were, chance's faults and what clients made up among them.
    pub before: usize,
    /// How many runs it took.
    pub runs: u64,
}

impl Shrunk {
    /// How many steps are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.plan.scenario.step.len()
    }

    /// Whether clients still make up what they ask, since the violation is gone if only some of it is asked.
    #[must_use]
    pub fn makes_up(&self) -> bool {
        self.plan.scenario.clients.operations != 1
    }

    /// Whether no step is: clients and the network alone violate the property.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Why a run cannot be shrunk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing is wrong with it.
    #[error("the run violates nothing")]
    Nothing,
    /// The engine failed.
    #[error(transparent)]
    Aborted(#[from] Abort),
}

/// Where a property is violated.
struct Found {
    property: &'static str,
    what: String,
    at: u64,
}

/// One that shrinks a plan.
struct Shrinker<'a, E> {
    engine: Rc<E>,
    /// What must not be violated by this one.
    reference: Option<Rc<E>>,
    header: &'a Header,
    property: &'static str,
    runs: u64,
    /// Told after each run: how many there were, and how many steps are left.
    told: &'a mut dyn FnMut(u64, usize),
}

/// Runs a plan until the property is violated, or any; what was found first.
fn find<E: Engine<Turn>>(
    engine: Rc<E>,
    header: &Header,
    plan: &Plan,
    property: Option<&str>,
) -> Result<Option<Found>, Abort> {
    let header = Header { plan: plan.clone(), ..header.clone() };
    let mut simulation = Simulation::new(engine, &header, Keep::Nothing)?;
    while simulation.step(|_| ())? {
        // What is told at once need not wait for the end.
        if let Some((name, violation)) = simulation.record().checkers.first_violation()
            && property.is_some_and(|property| property == name)
        {
            return Ok(Some(Found { property: name, what: violation.what.clone(), at: violation.at }));
        }
    }
    let verdicts = simulation.record().checkers.verdicts().into_iter();
    let found = verdicts.filter_map(|(name, verdict)| match verdict {
        Verdict::Violated { at, what, .. } => Some(Found { property: name, what, at }),
        _ => None,
    });
    Ok(found.filter(|found| property.is_none_or(|property| property == found.property)).min_by_key(|found| found.at))
}

/// Shrinks the plan of a header, run by `engine`, to what violates that property, or that which it violates first. `told` is called after each run with how many there were, and how many steps
/// are left.
///
/// # Errors
/// If the plan violates nothing, or an engine failed.
pub fn shrink<E: Engine<Turn>>(
    engine: Rc<E>,
    reference: Option<Rc<E>>,
    header: &Header,
    property: Option<&str>,
    told: &mut dyn FnMut(u64, usize),
) -> Result<Shrunk, Failure> {
    let plan = &header.plan;
    let first = find(Rc::clone(&engine), header, plan, property)?.ok_or(Failure::Nothing)?;
    let reference = match reference {
        Some(reference) if find(Rc::clone(&reference), header, plan, Some(first.property))?.is_none() => {
            Some(reference)
        }
        _ => None,
    };
    let asked = asked::requests(Rc::clone(&engine), header)?.len();
    let mut shrinker = Shrinker { engine, reference, header, property: first.property, runs: 0, told };
    let mut best = materialized(plan);
    let before = best.scenario.step.len() + asked;
    if !shrinker.fails(&best)? {
        // Something depends on the order of what happens at the very same time; then the faults stay chance's.
        best = plan.clone();
    }
    let at = shrinker.find(&best)?.map_or(first.at, |found| found.at);
    shrinker.end_at(&mut best, at)?;
    shrinker.simplify(&mut best)?;
    shrinker.reduce(&mut best)?;
    if shrinker.ask(&mut best)? {
        shrinker.reduce(&mut best)?;
    }
    shrinker.try_out(&mut best, in_time)?;
    let last = shrinker.find(&best)?.ok_or(Failure::Nothing)?;
    let runs = shrinker.runs;
    Ok(Shrunk { plan: best, property: last.property.to_owned(), what: last.what, before, runs })
}

/// The plan with chance's faults, and what people did, as steps of the scenario: the same run, unless a step of the scenario
/// falls on the very time of one of the others. How clocks start stays as it is. What was to be seen in it is left out: less of it
/// shows less.
#[must_use]
pub fn materialized(plan: &Plan) -> Plan {
    let mut scenario = swarm::mix(&plan.scenario, plan.seed);
    let clock = std::mem::take(&mut scenario.clock);
    scenario.step.extend(faults::draw(&scenario, plan.seed));
    scenario.step.extend(plan.interventions.iter().cloned());
    scenario.clock = clock;
    scenario.expect = None;
    for step in &mut scenario.step {
        if let Act::Request(_, ask, _) = &mut step.act {
            ask.answer = None;
        }
    }
    let Faults { from, until, core, sites, budget, .. } = scenario.faults;
    scenario.faults = Faults { from, until, core, sites, budget, ..Faults::default() };
    Plan { scenario, seed: plan.seed, interventions: Vec::new() }
}

/// Steps in the order in which they are taken; but where some wait for those before them, they stand in their order already.
fn in_time(scenario: &mut Scenario) {
    if scenario.step.iter().any(|step| matches!(step.when, When::Then(_) | When::Once(_))) {
        return;
    }
    scenario.step.sort_by_key(|step| match step.when {
        When::At(at) => at.0,
        _ => 0,
    });
}

impl<E: Engine<Turn>> Shrinker<'_, E> {
    fn find(&mut self, plan: &Plan) -> Result<Option<Found>, Abort> {
        self.runs += 1;
        let found = find(Rc::clone(&self.engine), self.header, plan, Some(self.property))?;
        (self.told)(self.runs, plan.scenario.step.len());
        Ok(found)
    }

    /// Whether the plan makes sense and violates the property, and does not with the reference.
    fn fails(&mut self, plan: &Plan) -> Result<bool, Abort> {
        if plan.scenario.check().is_err() || self.find(plan)?.is_none() {
            return Ok(false);
        }
        match &self.reference {
            Some(reference) => Ok(find(Rc::clone(reference), self.header, plan, Some(self.property))?.is_none()),
            None => Ok(true),
        }
    }

    /// Takes the change if the plan violates the property with it.
    fn try_out(&mut self, best: &mut Plan, change: impl FnOnce(&mut Scenario)) -> Result<bool, Abort> {
        let mut changed = best.clone();
        change(&mut changed.scenario);
        let fails = changed != *best && self.fails(&changed)?;
        if fails {
            *best = changed;
        }
        Ok(fails)
    }

    /// Ends the run soon after the violation, if that is all that it needs.
    fn end_at(&mut self, best: &mut Plan, at: u64) -> Result<(), Abort> {
        for slack in [1_000, 100_000, 1_000_000] {
            let ends = Span((at + slack).next_multiple_of(1_000));
            let end = |scenario: &mut Scenario| {
                scenario.duration = scenario.duration.min(ends);
                scenario.faults.until = scenario.faults.until.min(ends);
                let before = |step: &Step| !matches!(step.when, When::At(at) if at >= ends);
                scenario.step.retain(before);
            };
            if self.try_out(best, end)? {
                break;
            }
        }
        Ok(())
    }

    /// Leaves out steps and simplifies, in turn: what can go depends on what has gone.
    fn reduce(&mut self, best: &mut Plan) -> Result<(), Abort> {
        loop {
            self.steps(best)?;
            if !self.simplify(best)? {
                return Ok(());
            }
        }
    }

    /// Makes all but steps simpler, one thing at a time; whether any could be.
    fn simplify(&mut self, best: &mut Plan) -> Result<bool, Abort> {
        let good = Network::default();
        let changes: [&dyn Fn(&mut Scenario); 22] = [
            &|scenario| scenario.network = Network { latency: scenario.network.latency, ..Network::default() },
            &|scenario| scenario.network.latency = good.latency,
            &|scenario| scenario.network.loss = Ratio::NEVER,
            &|scenario| scenario.network.duplicate = Ratio::NEVER,
            &|scenario| scenario.network.reorder = Ratio::NEVER,
            &|scenario| scenario.network.late = Ratio::NEVER,
            &|scenario| scenario.network.corrupt = Ratio::NEVER,
            &|scenario| scenario.network.spike = Ratio::NEVER,
            &|scenario| (scenario.network.bandwidth, scenario.network.queue) = (Size(0), Size(0)),
            &|scenario| scenario.disk.survive = Ratio::NEVER,
            &|scenario| scenario.disk.sync = Spans::micros(200, 800),
            &|scenario| scenario.clock = Clocks::default(),
            &|scenario| scenario.faults.sites = None,
            &|scenario| scenario.faults.core = false,
            &|scenario| scenario.faults = Faults { from: Span(0), until: Span(0), ..scenario.faults.clone() },
            &|scenario| scenario.version.clear(),
            &|scenario| scenario.clients.count = (scenario.clients.count / 2).max(1),
            &|scenario| scenario.clients.count = (scenario.clients.count - 1).max(1),
            &|scenario| scenario.clients.keys = 1,
            &|scenario| scenario.nodes = (scenario.nodes - 1).max(1),
            &|scenario| {
                scenario.clients.operations = match scenario.clients.operations {
                    0 => 64,
                    operations => (operations / 2).max(1),
                }
            },
            &|scenario| scenario.clients.operations = scenario.clients.operations.saturating_sub(1).max(1),
        ];
        let mut any = false;
        for change in changes {
            while self.try_out(best, change)? {
                any = true;
            }
        }
        Ok(any)
    }

    /// Makes what clients ask steps; whether it could be.
    fn ask(&mut self, best: &mut Plan) -> Result<bool, Abort> {
        let header = Header { plan: best.clone(), ..self.header.clone() };
        match asked::asked(Rc::clone(&self.engine), &header)? {
            Some(explicit) => self.try_out(best, |scenario| *scenario = explicit),
            None => Ok(false),
        }
    }

    /// Leaves out steps, many at a time and then one by one, until none can go.
    fn steps(&mut self, best: &mut Plan) -> Result<(), Abort> {
        let mut chunk = best.scenario.step.len().div_ceil(2);
        while chunk > 0 {
            let (mut place, mut any) = (best.scenario.step.len(), false);
            while place > 0 {
                let from = place.saturating_sub(chunk);
                let gone = self.try_out(best, |scenario| drop(scenario.step.drain(from..place)))?;
                any |= gone;
                place = from;
            }
            if chunk > 1 {
                chunk /= 2;
            } else if !any {
                chunk = 0;
            }
        }
        Ok(())
    }
}

/// The scenario as a file that a person can read: what differs from a calm one, and a sentence for each step.
///
/// # Panics
/// Never: every field has a TOML form.
#[must_use]
pub fn told(shrunk: &Shrunk, title: &str) -> String {
    let table = |scenario: &Scenario| toml::Table::try_from(scenario).expect("every field has a TOML form");
    let calm = Scenario { name: String::new(), ..Scenario::default() };
    let mut whole =
        table(&Scenario { profile: "calm".into(), about: title.to_owned(), ..shrunk.plan.scenario.clone() });
    let steps = whole.remove("step");
    subtract(&mut whole, &table(&calm));
    let mut text = format!(
        "# {} is violated with seed {}: {}\n\n{}",
        shrunk.property,
        shrunk.plan.seed,
        shrunk.what.replace('\n', " "),
        toml::to_string(&whole).expect("a table has a TOML form")
    );
    let steps = steps.and_then(|steps| if let toml::Value::Array(steps) = steps { Some(steps) } else { None });
    for (step, value) in shrunk.plan.scenario.step.iter().zip(steps.unwrap_or_default()) {
        let table = toml::to_string(&value).expect("a step has a TOML form");
        text += &format!("\n# {step}\n[[step]]\n{table}");
    }
    text
}

/// Takes out of a table what another has too.
fn subtract(table: &mut toml::Table, other: &toml::Table) {
    table.retain(|key, value| match (value, other.get(key)) {
        (toml::Value::Table(inner), Some(toml::Value::Table(theirs))) => {
            subtract(inner, theirs);
            !inner.is_empty()
        }
        (value, theirs) => Some(&*value) != theirs,
    });
}
