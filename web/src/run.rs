//! Plans and runs, a few steps at a time: what the page's script calls.
//!
//! A [`Plan`] is read from a run file: one of somebody's, or one of the built-in scenarios, which the bundler leaves as run
//! files. A [`Run`] runs it. Whatever is wrong is thrown as an `Error` with a message for people; a run that is already
//! there is not touched by it.

use crate::built_in::built_in;
use crate::engine::{Browser, Image};
use crate::guest::Admitted;
use raftbox::check::Verdict;
use raftbox::fact::Fact;
use raftbox::plan::{Header, sha256};
use raftbox::runfile::RunFile;
use raftbox::simulation::{self, Simulation};
use raftbox::trace::Keep;
use raftbox_guest_bytes::BYTES;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

/// Runs once, when the page's module is ready: what is wrong with the page itself is told where its makers look.
#[wasm_bindgen(start)]
fn start() {
    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_namespace = console)]
        fn error(line: &str);
    }
    std::panic::set_hook(Box::new(|panic| error(&panic.to_string())));
}

/// Puts the page into the document.
#[wasm_bindgen]
pub fn mount() {
    crate::page::mount();
}

/// Whether somebody has reached a goal in the run that the page shows, which is to be one of that scenario: a property is
/// violated, or a fact is so.
#[wasm_bindgen]
#[must_use]
#[allow(clippy::needless_pass_by_value, reason = "what comes from JavaScript is owned")]
pub fn reached(scenario: &str, violates: Option<String>, fact: Option<String>) -> bool {
    crate::page::reached(scenario, violates.as_deref(), fact.as_deref())
}

/// The SHA-256 of the built-in guest, in hex: the command of the same build has the same.
#[wasm_bindgen]
#[must_use]
pub fn guest() -> String {
    sha256(BYTES)
}

/// What is run, and by which guest.
#[wasm_bindgen]
pub struct Plan {
    header: Header,
    digest: Option<String>,
}

#[wasm_bindgen]
impl Plan {
    /// The plan of a run file. What the file holds of events is checked, and not needed.
    ///
    /// # Errors
    /// If the file is none, or damaged.
    pub fn read(file: &[u8]) -> Result<Plan, JsError> {
        let head = RunFile::read(file)?.head;
        Ok(Self {
            digest: head.digest.filter(|_| head.events > 0).map(|digest| digest.to_string()),
            header: head.header,
        })
    }

    /// The same under another seed.
    #[must_use]
    pub fn with_seed(&self, seed: u64) -> Plan {
        let mut header = self.header.clone();
        header.plan.seed = seed;
        Self { header, digest: None }
    }

    /// The name of the scenario.
    #[must_use]
    pub fn scenario(&self) -> String {
        self.header.plan.scenario.name.clone()
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.header.plan.seed
    }

    /// How much memory each node has, in bytes.
    #[must_use]
    pub fn arena(&self) -> u64 {
        self.header.plan.scenario.arena.0
    }

    /// The digest of the run that the file was kept of, if it was run.
    #[must_use]
    pub fn digest(&self) -> Option<String> {
        self.digest.clone()
    }
}

/// The engine of a guest, by its hash, with so much memory for each node.
type Kept = (String, u64, Rc<Browser>);

thread_local! {
    /// The last run's engine: the next run's nodes are its instances again.
    static ENGINE: RefCell<Option<Kept>> = const { RefCell::new(None) };
}

/// The engine for a guest.
fn engine(sha256: &str, arena: u64, admitted: impl FnOnce() -> Admitted) -> Result<Rc<Browser>, JsError> {
    let kept = ENGINE.with_borrow(|kept| match kept {
        Some((guest, size, engine)) if guest == sha256 && *size == arena => Some(Rc::clone(engine)),
        _ => None,
    });
    if let Some(engine) = kept {
        return Ok(engine);
    }
    let engine = Rc::new(Browser::new(vec![admitted()])?);
    ENGINE.set(Some((sha256.to_owned(), arena, Rc::clone(&engine))));
    Ok(engine)
}

/// A moment of a run.
#[wasm_bindgen]
pub struct Moment(simulation::Moment<Image>);

/// A run.
#[wasm_bindgen]
pub struct Run {
    header: Header,
    simulation: Simulation<Browser>,
}

#[wasm_bindgen]
impl Run {
    /// A run of a plan, before its first event. Its guest is the built-in one, or another as the gate's `admit` gives it.
    ///
    /// # Errors
    /// If the plan is for another guest, or the browser has no room.
    #[wasm_bindgen(constructor)]
    pub fn new(plan: &Plan, guest: Option<Vec<u8>>) -> Result<Run, JsError> {
        let arena = plan.arena();
        let brought = match guest {
            Some(guest) => {
                Some(Admitted::read(&guest).ok_or_else(|| JsError::new("this is nothing that the gate gave"))?)
            }
            None => None,
        };
        let ours = brought.as_ref().map_or_else(self::guest, |guest| guest.sha256.clone());
        if let Some(theirs) = plan.header.guests.iter().find(|theirs| **theirs != ours) {
            let told = format!("this run was made with another guest: {theirs}, and the one here is {ours}");
            return Err(JsError::new(&told));
        }
        let engine = engine(&ours, arena, || brought.unwrap_or_else(|| built_in(arena)))?;
        let simulation = Simulation::new(engine, &plan.header, Keep::All)?;
        Ok(Self { header: plan.header.clone(), simulation })
    }

    /// Takes so many steps, or as many as are left; `false` when the run is over.
    ///
    /// # Errors
    /// If the browser failed, which says nothing about the run. It is then of no more use.
    pub fn step(&mut self, steps: u32) -> Result<bool, JsError> {
        for _ in 0..steps {
            if !self.simulation.step(|_| ())? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The digest so far.
    #[must_use]
    pub fn digest(&self) -> String {
        self.simulation.record().trace.digest().to_string()
    }

    /// How many events there were so far.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.simulation.record().trace.events()
    }

    /// How many turns nodes had so far.
    #[must_use]
    pub fn turns(&mut self) -> u64 {
        self.simulation.world().turns()
    }

    /// The virtual time, in microseconds.
    #[must_use]
    pub fn time(&self) -> u64 {
        self.simulation.record().trace.at()
    }

    /// What is known of each property so far, a line each.
    #[must_use]
    pub fn verdicts(&self) -> Vec<String> {
        let word = |verdict: &Verdict| match verdict {
            Verdict::Pass => "holds".to_owned(),
            Verdict::Violated { event, .. } => format!("violated at event {event}"),
            Verdict::Unobserved { .. } => "not observed".to_owned(),
            Verdict::Unknown { .. } => "unknown".to_owned(),
        };
        let verdicts = self.simulation.record().checkers.verdicts();
        verdicts.iter().map(|(property, verdict)| format!("{property}: {}", word(verdict))).collect()
    }

    /// Whether a fact is so; when the run is over, whether it was when the faults' time was.
    ///
    /// # Errors
    /// If that is no fact, or nobody keeps facts of this run, since its scenario expects nothing.
    pub fn ask(&self, fact: &str) -> Result<bool, JsError> {
        let fact: Fact = fact.parse().map_err(|what: String| JsError::new(&format!("the fact {what}")))?;
        let facts = self.simulation.facts().ok_or_else(|| JsError::new("nothing is expected of this run"))?;
        Ok(fact.ask(facts).1)
    }

    /// What guests told, a line each, and why they trapped; in no digest.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.simulation.record().log.iter().map(|(_, line)| line.line.clone()).collect()
    }

    /// The run so far as a run file, with every event.
    #[must_use]
    pub fn file(&self) -> Vec<u8> {
        RunFile::of(self.header.clone(), &self.simulation.record().trace).write()
    }

    /// All of the run now, to come back to.
    pub fn save(&mut self) -> Moment {
        Moment(self.simulation.save())
    }

    /// Goes back, or forward, to a moment of this run.
    pub fn restore(&mut self, moment: &Moment) {
        self.simulation.restore(&moment.0);
    }

    /// What a node tells of itself; nothing while it is down.
    #[must_use]
    pub fn inspect(&mut self, node: u32) -> Option<String> {
        self.simulation.world().inspect(node)
    }
}
