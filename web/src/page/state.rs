//! What the page is about now: which run, which event, whether it plays, and what is pointed at.
//!
//! Everything that is shown is computed from these signals and the run; a component reads them and asks for changes by the
//! methods of [`Page`]. Model time goes on in microseconds of the run, however often the screen is drawn: a frame says how
//! much real time has passed, and nothing else.

use super::ask::Form;
use super::mail::Dragged;
use super::picture::Picture;
use super::window::SPAN_FIRST;
use super::{browser, session};
use leptos::prelude::*;
use raftbox::branch::BranchId;
use raftbox::event::{Event, MessageName, Micros, NodeId};
use raftbox::plan::Plan;
use raftbox::view::tick::Kind;
use std::sync::Arc;
use std::time::Duration;

/// How many steps are simulated between two looks at what else there is to do: some milliseconds' worth.
pub(super) const STEPS: u32 = 1500;

/// The speeds that can be chosen, as real microseconds that one thousand microseconds of the run take.
pub(crate) const SPEEDS: [(u64, &str); 9] = [
    (100_000, "0.01"),
    (30_000, "0.03"),
    (10_000, "0.1"),
    (3_000, "0.3"),
    (1_000, "1"),
    (300, "3"),
    (100, "10"),
    (30, "30"),
    (10, "100"),
];

/// What is pointed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Selected {
    Node(NodeId),
    Message(MessageName),
    /// The link between two nodes, both ways.
    Link(NodeId, NodeId),
}

/// The branch that is shown beside the other one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Beside {
    pub(crate) branch: BranchId,
    /// Counts what was shown beside, so that what grows knows when it is no longer wanted.
    pub(crate) opened: u64,
    /// How many of its events are known.
    pub(crate) known: u64,
    /// Whether it is known to its end.
    pub(crate) over: bool,
}

/// Where a run is shown when it is opened, as soon as it has come so far.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// When so many events have happened.
    Events(u64),
    /// What somebody has done after so many events: it waits for the end of the turn that these may be in the midst of, so
    /// it is the first cause from there on.
    Act(u64),
    /// At the first violation, if there is one, or else before the first event.
    Violation,
}

impl Goal {
    /// How many events have happened there; nothing as long as the run has not come so far.
    fn reached(self, session: &session::Session, over: bool) -> Option<u64> {
        match self {
            Self::Events(events) => (over || session.recording().events() >= events).then_some(events),
            Self::Act(events) => {
                let mut later = session.recording().iter(events);
                let cause = later.find(|(_, event)| matches!(event, Event::Cause(_)));
                cause.map(|(moment, _)| moment.event + 1).or(over.then_some(events))
            }
            Self::Violation => {
                let first = session.recording().tables().ticks.of(Kind::Violation).first();
                first.map(|tick| tick.moment.event + 1).or(over.then_some(0))
            }
        }
    }
}

/// The state of the page.
#[derive(Clone, Copy)]
pub(crate) struct Page {
    /// Counts the runs that were opened.
    pub(crate) run: RwSignal<u64>,
    /// How many events of the run are known.
    pub(crate) known: RwSignal<u64>,
    /// Whether the run is known to its end.
    pub(crate) over: RwSignal<bool>,
    /// How many events have happened in what is shown.
    pub(crate) cursor: RwSignal<u64>,
    /// The time that is shown; not before the last event that has happened, and not after the next.
    pub(crate) time: RwSignal<Micros>,
    pub(crate) playing: RwSignal<bool>,
    /// Which of [`SPEEDS`].
    pub(crate) speed: RwSignal<usize>,
    /// Whether somebody wants nothing to move: messages then stand on their links until they arrive.
    pub(crate) still: bool,
    pub(crate) selected: RwSignal<Option<Selected>>,
    /// The message under the mouse, or with the focus: it is marked wherever it is drawn.
    pub(crate) pointed: RwSignal<Option<MessageName>>,
    /// How much time the diagram and the lanes show: which of [`SPANS`](super::window::SPANS).
    pub(crate) zoom: RwSignal<usize>,
    /// What a client would ask next.
    pub(crate) form: RwSignal<Form>,
    /// The message that a pointer holds, and where it took it; it is dragged once it has moved.
    pub(crate) grabbed: RwSignal<Option<(MessageName, (f64, f64))>>,
    /// The message that is being dragged.
    pub(crate) dragged: RwSignal<Option<Dragged>>,
    /// What is shown beside, if anything is.
    pub(crate) beside: RwSignal<Option<Beside>>,
    /// Counts the changes of the branches.
    pub(crate) branched: RwSignal<u64>,
    /// What went wrong last, for people.
    pub(crate) problem: RwSignal<Option<String>>,
    /// What was done last, for people.
    pub(crate) told: RwSignal<Option<String>>,
    /// The first digits of the digest that the link tells by which the run was opened.
    pub(crate) linked: RwSignal<Option<String>>,
    /// What is drawn.
    pub(crate) picture: Memo<Arc<Picture>>,
}

impl Page {
    /// Before any run.
    pub(crate) fn new() -> Self {
        let (run, cursor, known) = (RwSignal::new(0), RwSignal::new(0), RwSignal::new(0));
        let picture = Memo::new(move |_| {
            run.track();
            // What becomes of messages is known when the run has come so far.
            known.track();
            let events = cursor.get();
            Arc::new(session::with(|session| Picture::of(session, events)).unwrap_or_default())
        });
        Self {
            run,
            known,
            over: RwSignal::new(false),
            cursor,
            time: RwSignal::new(0),
            playing: RwSignal::new(false),
            speed: RwSignal::new(2),
            still: browser::still(),
            selected: RwSignal::new(None),
            pointed: RwSignal::new(None),
            zoom: RwSignal::new(SPAN_FIRST),
            form: RwSignal::new(Form::default()),
            grabbed: RwSignal::new(None),
            dragged: RwSignal::new(None),
            beside: RwSignal::new(None),
            branched: RwSignal::new(0),
            problem: RwSignal::new(None),
            told: RwSignal::new(None),
            linked: RwSignal::new(None),
            picture,
        }
    }

    /// Tells of something that went wrong; what is shown stays.
    pub(crate) fn fail(self, problem: impl Into<String>) {
        self.problem.set(Some(problem.into()));
    }

    /// Shows the run of a plan in place of the one that is shown; `false` if it cannot be opened, and nothing changed.
    pub(crate) fn show(self, plan: Plan, goal: Goal) -> bool {
        if let Err(problem) = session::open(plan) {
            self.fail(problem);
            return false;
        }
        self.playing.set(false);
        self.problem.set(None);
        self.told.set(None);
        self.linked.set(None);
        self.over.set(false);
        self.selected.set(None);
        self.pointed.set(None);
        self.dragged.set(None);
        self.known.set(0);
        self.run.update(|run| *run += 1);
        self.seek(0);
        self.grow(self.run.get_untracked(), Some(goal));
        true
    }

    /// Simulates on, a little at a time, until the run is over or another is shown; goes to an event as soon as it is there.
    fn grow(self, run: u64, mut goal: Option<Goal>) {
        if self.run.get_untracked() != run {
            return;
        }
        let grown = session::with(|session| {
            let more = session.advance(STEPS)?;
            let reached = goal.and_then(|goal| goal.reached(session, !more));
            Ok::<_, String>((more, session.recording().events(), reached))
        });
        match grown {
            Some(Ok((more, events, reached))) => {
                self.known.set(events);
                if let Some(reached) = reached {
                    goal = None;
                    // Whoever has already gone elsewhere stays there.
                    if self.cursor.get_untracked() == 0 {
                        self.seek(reached);
                    }
                }
                self.over.set(!more);
                if more {
                    set_timeout(move || self.grow(run, goal), Duration::ZERO);
                }
            }
            Some(Err(problem)) => self.fail(problem),
            None => {}
        }
    }

    /// Shows the run when so many events have happened.
    pub(crate) fn seek(self, events: u64) {
        let events = events.min(self.known.get_untracked());
        self.cursor.set(events);
        let at = session::with(|session| session.view(events).at()).unwrap_or(0);
        self.time.set(at);
    }

    /// One event on, or back.
    pub(crate) fn step(self, forward: bool) {
        self.playing.set(false);
        let cursor = self.cursor.get_untracked();
        self.seek(if forward { cursor + 1 } else { cursor.saturating_sub(1) });
    }

    /// To the next event of a kind, or the one before.
    pub(crate) fn jump(self, kind: Kind, forward: bool) {
        self.playing.set(false);
        let cursor = self.cursor.get_untracked();
        let found = session::with(|session| {
            let ticks = &session.recording().tables().ticks;
            let last = cursor.saturating_sub(1);
            let tick = if forward { ticks.next(kind, last) } else { ticks.previous(kind, last) };
            tick.map(|tick| tick.moment.event + 1)
        });
        if let Some(Some(events)) = found {
            self.seek(events);
        }
    }

    /// To the next thing that the story tells, or the one before.
    pub(crate) fn tell(self, forward: bool) {
        self.playing.set(false);
        let cursor = self.cursor.get_untracked();
        let found = session::with(|session| {
            let story = session.recording().story();
            let place = story.partition_point(|entry| entry.event < cursor);
            let entry = if forward {
                story.get(place)
            } else {
                story[..place].iter().rev().find(|entry| entry.event + 1 < cursor)
            };
            entry.map(|entry| entry.event + 1)
        });
        if let Some(Some(events)) = found {
            self.seek(events);
        }
    }

    /// To the last event that is not after a time.
    pub(crate) fn seek_time(self, at: Micros) {
        let event = session::with(|session| session.recording().event_at(at)).flatten();
        self.cursor.set(event.map_or(0, |event| event + 1));
        self.time.set(at);
    }

    /// Begins to play, or stops; from the end it begins anew.
    pub(crate) fn play(self) {
        let plays = !self.playing.get_untracked();
        if plays && self.over.get_untracked() && self.cursor.get_untracked() == self.known.get_untracked() {
            self.seek(0);
        }
        self.playing.set(plays);
    }

    /// Plays on: so many microseconds of real time have passed.
    pub(crate) fn pass(self, real: u64) {
        let (slow, _) = SPEEDS[self.speed.get_untracked()];
        let now = self.time.get_untracked().saturating_add(real.saturating_mul(1000) / slow);
        let end = session::with(|session| session.recording().at()).unwrap_or(0);
        if now >= end && self.over.get_untracked() {
            self.seek(self.known.get_untracked());
            self.playing.set(false);
        } else {
            self.seek_time(now.min(end));
        }
    }
}

/// The place after another among so many, or before it, round and round.
pub(crate) fn around(count: usize, place: usize, forward: bool) -> usize {
    (place + if forward { 1 } else { count - 1 }) % count
}

/// The page of the component that asks.
pub(crate) fn page() -> Page {
    expect_context::<Page>()
}
