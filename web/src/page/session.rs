//! The run that the page shows: simulated a little at a time, recorded as it grows, and seen at any of its events.

use super::browser;
use crate::built_in::built_in;
use crate::engine::{Browser, BrowserNode};
use crate::guest::Admitted;
use raftbox::agenda::script::{Origin, Remark};
use raftbox::check::{Contradiction, LINEARIZABILITY, Verdict};
use raftbox::engine::{Engine as _, Node};
use raftbox::expectation::Expectation;
use raftbox::fact::Fact;
use raftbox::lesson::is_reached;
use raftbox::plan::{Header, Plan, sha256};
use raftbox::runfile::RunFile;
use raftbox::simulation::Simulation;
use raftbox::trace::{Digest, Keep, Trace};
use raftbox::view::{Recording, View};
use raftbox::world::turn::Turn;
use raftbox_guest_bytes::BYTES;
use std::cell::RefCell;
use std::rc::Rc;

/// An engine, with its guests and the memory of its nodes.
type Made = (Vec<String>, u64, Rc<Browser>);

thread_local! {
    /// The run that is shown. Nodes of an engine belong to this thread, and signals do not hold what does.
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
    /// The run that is shown beside it, for comparison.
    static BESIDE: RefCell<Option<Session>> = const { RefCell::new(None) };
    /// The hash of the guest in use, if it is one that somebody brought.
    static BROUGHT: RefCell<Option<String>> = const { RefCell::new(None) };
    /// The hashes of the broken nodes that are here, by their names.
    static BROKEN: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
    /// The last engine: its instances serve the next run too.
    static ENGINE: RefCell<Option<Made>> = const { RefCell::new(None) };
}

/// A run that is simulated and looked at.
pub(crate) struct Session {
    header: Header,
    simulation: Simulation<Browser>,
    /// Never booted; it puts datagrams into words.
    describer: BrowserNode,
    recording: Recording,
    /// The view that was last asked for: the next is mostly near.
    view: View,
    over: bool,
    /// The event of the first violation that was judged.
    judged: Option<u64>,
    /// Why what clients were answered is not linearizable; known in the end.
    contradiction: Option<Contradiction>,
}

/// The guest that somebody brought, by its hash, if it is in use.
pub(crate) fn brought() -> Option<String> {
    BROUGHT.with_borrow(Clone::clone)
}

/// From now on runs are run by this guest, which the gate has admitted; or by the built-in one.
pub(crate) fn bring(guest: Option<String>) {
    BROUGHT.set(guest);
}

/// The hash of a broken node, if it is here.
fn broken(name: &str) -> Option<String> {
    let of = |(known, _): &&(String, String)| known == name;
    BROKEN.with_borrow(|broken| broken.iter().find(of).map(|(_, hash)| hash.clone()))
}

/// The hash of the guest in use.
pub(crate) fn guest() -> String {
    brought().unwrap_or_else(|| sha256(BYTES))
}

/// The first guest that a plan names and that is not here yet.
pub(crate) fn missing(plan: &Plan) -> Option<String> {
    plan.scenario.guests().into_iter().flatten().find(|name| broken(name).is_none()).map(str::to_owned)
}

/// A guest that plans name, which the gate has admitted, is here.
pub(crate) fn came(name: String, sha256: String) {
    BROKEN.with_borrow_mut(|broken| broken.push((name, sha256)));
}

/// The hashes of the guests that run a plan, all of which are here.
pub(crate) fn guests(plan: &Plan) -> Vec<String> {
    let hash = |name: Option<&str>| name.and_then(broken).unwrap_or_else(guest);
    plan.scenario.guests().into_iter().map(hash).collect()
}

fn engine(guests: &[String], arena: u64) -> Result<Rc<Browser>, String> {
    let kept = ENGINE.with_borrow(|kept| match kept {
        Some((of, size, engine)) if of == guests && *size == arena => Some(Rc::clone(engine)),
        _ => None,
    });
    if let Some(engine) = kept {
        return Ok(engine);
    }
    let admitted = |hash: &String| {
        if *hash == sha256(BYTES) {
            return Ok(built_in(arena));
        }
        let admitted = browser::admitted(hash, arena).and_then(|bytes| Admitted::read(&bytes));
        admitted.ok_or("The guest in use cannot have as much memory as this run gives it.")
    };
    let admitted = guests.iter().map(admitted).collect::<Result<_, _>>()?;
    let engine = Rc::new(Browser::new(admitted).map_err(|abort| abort.to_string())?);
    ENGINE.set(Some((guests.to_vec(), arena, Rc::clone(&engine))));
    Ok(engine)
}

/// Makes the run of a plan, by the guest in use, the one that is shown, before its first event. What was shown stays if that
/// fails.
///
/// # Errors
/// If the browser has no room, or the guest in use cannot have as much memory as the plan gives it.
pub(crate) fn open(plan: Plan) -> Result<(), String> {
    SESSION.set(Some(begin(plan)?));
    Ok(())
}

/// Makes the run of a plan the one that is shown beside, before its first event.
///
/// # Errors
/// As [`open`] has them.
pub(crate) fn open_beside(plan: Plan) -> Result<(), String> {
    BESIDE.set(Some(begin(plan)?));
    Ok(())
}

/// Nothing is shown beside any more.
pub(crate) fn close_beside() {
    BESIDE.set(None);
}

fn begin(plan: Plan) -> Result<Session, String> {
    let guests = guests(&plan);
    let header = Header::by(plan, guests);
    let scenario = &header.plan.scenario;
    let engine = engine(&header.guests, scenario.arena.0)?;
    let recording = Recording::new(scenario);
    Ok(Session {
        describer: engine.node(0).map_err(|abort| abort.to_string())?,
        simulation: Simulation::new(engine, &header, Keep::All).map_err(|abort| abort.to_string())?,
        view: recording.start().clone(),
        recording,
        over: false,
        judged: None,
        contradiction: None,
        header,
    })
}

/// Does something with the run that is shown, if one is.
pub(crate) fn with<T>(what: impl FnOnce(&mut Session) -> T) -> Option<T> {
    SESSION.with_borrow_mut(|session| session.as_mut().map(what))
}

/// Does something with the run that is shown beside, if one is.
pub(crate) fn with_beside<T>(what: impl FnOnce(&mut Session) -> T) -> Option<T> {
    BESIDE.with_borrow_mut(|session| session.as_mut().map(what))
}

/// Does something with the run that is shown and the one beside it, if there are two.
pub(crate) fn with_both<T>(what: impl FnOnce(&mut Session, &mut Session) -> T) -> Option<T> {
    with(|shown| with_beside(|beside| what(shown, beside))).flatten()
}

impl Session {
    /// Takes so many steps, or as many as are left, and records them; `false` when the run is over.
    ///
    /// # Errors
    /// If the browser failed.
    pub(crate) fn advance(&mut self, steps: u32) -> Result<bool, String> {
        for _ in 0..steps {
            if !self.simulation.step(|_| ()).map_err(|abort| abort.to_string())? {
                self.over = true;
                break;
            }
        }
        let record = self.simulation.record();
        let describer = &mut self.describer;
        self.recording.follow(&record.trace, |datagram| Self::describe(describer, datagram));
        // To judge takes long, so it is done where there is something new to say.
        let first = record.checkers.first_violation().map(|(_, violation)| violation.event);
        if first != self.judged || self.over {
            let verdicts = record.checkers.verdicts();
            self.recording.judge(&verdicts);
            self.judged = first;
            let makes_no_sense =
                |(property, verdict): &(&str, Verdict)| *property == LINEARIZABILITY && verdict.is_violated();
            if self.over && verdicts.iter().any(makes_no_sense) {
                self.contradiction = record.checkers.contradiction();
            }
        }
        if self.over {
            self.recording.finish();
        }
        Ok(!self.over)
    }

    fn describe(describer: &mut BrowserNode, datagram: &[u8]) -> Option<String> {
        <BrowserNode as Node<Turn>>::describe(describer, datagram)
    }

    /// What is run.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// All that is recorded.
    pub(crate) fn recording(&self) -> &Recording {
        &self.recording
    }

    /// The digest so far.
    pub(crate) fn digest(&self) -> Digest {
        self.simulation.record().trace.digest()
    }

    /// What there is to know of what was done to the run last, so far.
    pub(crate) fn remark(&self) -> Option<String> {
        let last = u32::try_from(self.header.plan.interventions.len()).ok()?;
        let is_it = |remark: &&Remark| (remark.origin, remark.number) == (Origin::Intervention, last);
        let remark = self.simulation.remarks().iter().find(is_it)?;
        Some(format!("{}: {}.", remark.step, remark.why))
    }

    /// Why what clients were answered is not linearizable, if it is not, and the run is over.
    pub(crate) fn contradiction(&self) -> Option<&Contradiction> {
        self.contradiction.as_ref()
    }

    /// What the scenario and its steps expect, and whether it is so.
    pub(crate) fn expectations(&self) -> Vec<Expectation> {
        self.simulation.expectations()
    }

    /// Whether, when the run of that scenario was over in which somebody did something, a property was violated or a fact was so.
    pub(crate) fn reached(&self, scenario: &str, violates: Option<&str>, fact: Option<&str>) -> bool {
        let plan = &self.header.plan;
        if !self.over || plan.interventions.is_empty() || plan.scenario.name != scenario {
            return false;
        }
        let fact = fact.map(str::parse::<Fact>).transpose();
        let (Ok(fact), Some(facts)) = (fact, self.simulation.facts()) else { return false };
        is_reached(violates, fact.as_ref(), facts, || self.verdicts())
    }

    /// What became of each property so far.
    pub(crate) fn verdicts(&self) -> Vec<(&'static str, Verdict)> {
        self.simulation.record().checkers.verdicts()
    }

    /// The state when so many events had happened.
    pub(crate) fn view(&mut self, events: u64) -> &View {
        match events.checked_sub(1) {
            Some(last) => self.recording.seek(&mut self.view, last),
            None => self.view.clone_from(self.recording.start()),
        }
        &self.view
    }

    /// The state when so many events had happened, and all that is recorded.
    pub(crate) fn seen(&mut self, events: u64) -> (&View, &Recording) {
        self.view(events);
        (&self.view, &self.recording)
    }

    /// The plan of the run as a run file.
    pub(crate) fn plan(&self) -> Vec<u8> {
        RunFile::of(self.header.clone(), &Trace::new(&[], Keep::Nothing)).write()
    }

    /// The run so far as a run file.
    pub(crate) fn file(&self) -> Vec<u8> {
        RunFile::of(self.header.clone(), &self.simulation.record().trace).write()
    }
}
