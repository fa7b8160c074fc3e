//! The loop: the agenda says what is next, the world does it, everybody looks at what came of it.
//!
//! [`Simulation`] is a live run; [`replay`] runs the causes of a recorded one again, without an agenda. Both hand every
//! event to the checkers and to the trace.

use crate::agenda::core::{core, members_change};
use crate::agenda::script::Remark;
use crate::agenda::{Action, Agenda};
use crate::check::{Checkers, Expected, Observed};
use crate::engine::{Abort, Engine};
use crate::event::{Cause, Decoder, Effect, Event, Micros};
use crate::expectation::{Expect, Expectation};
use crate::fact::Facts;
use crate::plan::{Header, Plan};
use crate::trace::{Keep, Trace};
use crate::world::decider::Decider;
use crate::world::turn::{LogLine, Turn};
use crate::world::{Image, World};
use raftbox_abi::Note;
use std::rc::Rc;

/// A live run.
pub struct Simulation<E: Engine<Turn>> {
    expect: Option<Expect>,
    world: World<E>,
    agenda: Agenda,
    record: Record,
}

/// What is written down of a run: its trace, and what the checkers made of it.
#[derive(Clone)]
pub struct Record {
    /// The events.
    pub trace: Trace,
    /// What they were judged by.
    pub checkers: Checkers,
    /// Lines that guests told, each with the number of the step's first event; in no digest.
    pub log: Vec<(u64, LogLine)>,
}

/// What is expected of a plan, once the faults' time is over.
fn expected(plan: &Plan) -> Expected {
    let Plan { scenario, interventions, .. } = plan;
    Expected {
        healed: scenario.duration.0,
        within: scenario.settle.0,
        core: core(plan),
        agree: scenario.faults.core && !members_change(plan),
        acted: !interventions.is_empty(),
        auditor: scenario.clients.count + 1,
        keys: 3 * u64::from(scenario.clients.keys),
    }
}

/// How many lines of log are kept: the first so many, since what went wrong first explains the rest.
const LOG_LINES_MAX: usize = 10_000;

impl Record {
    /// Nothing yet.
    #[must_use]
    pub fn new(header: &Header, keep: Keep) -> Self {
        let checkers = Checkers::new(header.plan.scenario.nodes, header.clients());
        let checkers = checkers.expecting(expected(&header.plan));
        Self { trace: Trace::new(&header.bytes(), keep), checkers, log: Vec::new() }
    }

    /// Takes down the world's last step, which `cause` began, and shows each of its events to the checkers and to `see`.
    fn take<E: Engine<Turn>>(
        &mut self,
        world: &World<E>,
        at: Micros,
        cause: Cause,
        mut see: impl FnMut(&Observed<'_>),
    ) {
        let step = world.step();
        let first = self.trace.events();
        let checkers = &mut self.checkers;
        let mut show = |index, event: &Event<'_>| {
            let note = match event {
                Event::Effect(Effect::Note { kind, body, .. }) => Note::decode(*kind, body),
                _ => None,
            };
            let observed = Observed { index, at, event, note: note.as_ref() };
            checkers.observe(&observed);
            see(&observed);
        };
        show(first, &Event::Cause(cause));
        for (index, event) in (first + 1..).zip(Decoder::new(step.effects(), at)) {
            let (_, event) = event.expect("what the world wrote can be read");
            show(index, &event);
        }
        let room = LOG_LINES_MAX.saturating_sub(self.log.len());
        self.log.extend(world.log().iter().take(room).map(|line| (first, line.clone())));
        self.trace.append(at, step);
    }
}

/// All of a live run at one moment.
#[derive(Clone)]
pub struct Moment<I> {
    world: Image<I>,
    agenda: Agenda,
    record: Record,
}

type NodeImage<E> = <<E as Engine<Turn>>::Node as crate::engine::Node<Turn>>::Image;

impl<E: Engine<Turn>> Simulation<E> {
    /// A run of a header's plan, before its first event.
    ///
    /// # Errors
    /// If the engine has no room for its nodes.
    pub fn new(engine: Rc<E>, header: &Header, keep: Keep) -> Result<Self, Abort> {
        Ok(Self {
            // What is done to a run makes another one of it.
            expect: header.plan.scenario.expect.clone().filter(|_| header.plan.interventions.is_empty()),
            world: World::new(engine, Rc::new(header.setup()), Decider::default())?,
            agenda: Agenda::new(&header.plan),
            record: Record::new(header, keep),
        })
    }

    /// Takes the next step, and shows its events to `see`; `false` when the run is over.
    ///
    /// # Errors
    /// If the engine failed.
    pub fn step(&mut self, mut see: impl FnMut(&Observed<'_>)) -> Result<bool, Abort> {
        loop {
            match self.agenda.pop(self.record.trace.events()) {
                None => {
                    self.record.checkers.finish();
                    return Ok(false);
                }
                Some((_, Action::Order(order))) => self.world.decider().order(order),
                Some((at, Action::Apply(cause))) => {
                    self.world.apply(at, &cause)?;
                    let moot = self.world.was_moot();
                    let agenda = &mut self.agenda;
                    self.record.take(&self.world, at, cause, |observed| {
                        if !moot {
                            agenda.observe(observed);
                        }
                        see(observed);
                    });
                    return Ok(true);
                }
            }
        }
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// If the engine failed.
    pub fn run(&mut self) -> Result<(), Abort> {
        while self.step(|_| ())? {}
        Ok(())
    }

    /// What was written down so far.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// What the authors of steps should know of them: which did nothing, and why.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        self.agenda.remarks()
    }

    /// What is known of the run, if its scenario expects anything or a step asks for it.
    #[must_use]
    pub fn facts(&self) -> Option<&Facts> {
        self.agenda.facts()
    }

    /// What the scenario and its steps expect of the run, and whether it is so; all of it when the run is over.
    #[must_use]
    pub fn expectations(&self) -> Vec<Expectation> {
        let mut all = self.agenda.expectations().to_vec();
        if let (Some(expect), Some(facts)) = (&self.expect, self.agenda.facts()) {
            all.extend(expect.ask(facts, &self.record.checkers.verdicts()));
        }
        all
    }

    /// The world, to look at.
    pub fn world(&mut self) -> &mut World<E> {
        &mut self.world
    }

    /// All of it, now.
    pub fn save(&mut self) -> Moment<NodeImage<E>> {
        Moment { world: self.world.save(), agenda: self.agenda.clone(), record: self.record.clone() }
    }

    /// Goes back, or forward, to a moment of this run or of a branch of it.
    pub fn restore(&mut self, moment: &Moment<NodeImage<E>>) {
        self.world.restore(&moment.world);
        self.agenda.clone_from(&moment.agenda);
        self.record.clone_from(&moment.record);
    }
}

/// Runs recorded causes again, in a fresh world, with no agenda.
///
/// # Errors
/// If the engine failed.
pub fn replay<E: Engine<Turn>>(
    engine: Rc<E>,
    header: &Header,
    causes: &[(Micros, Cause)],
    keep: Keep,
    mut see: impl FnMut(&Observed<'_>),
) -> Result<(Record, u64), Abort> {
    let decisions = causes.iter().filter_map(|(_, cause)| match cause {
        Cause::Decide { node, boot, call, n, decision } => Some(((*node, *boot, *call, *n), *decision)),
        _ => None,
    });
    let mut world = World::new(engine, Rc::new(header.setup()), Decider::recorded(decisions))?;
    let mut record = Record::new(header, keep);
    for (at, cause) in causes {
        if !matches!(cause, Cause::Decide { .. }) {
            world.apply(*at, cause)?;
            record.take(&world, *at, cause.clone(), &mut see);
        }
    }
    record.checkers.finish();
    Ok((record, world.turns()))
}
