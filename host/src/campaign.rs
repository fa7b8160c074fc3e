//! Campaigns in `cargo test`: a guest, a scenario, seeds; and if something breaks, a message with all that it takes to see it
//! again.
//!
//! ```no_run
//! use raftbox::campaign::Campaign;
//! # fn guest() -> Vec<u8> { Vec::new() }
//!
//! // My node, compiled to WebAssembly, survives chaos.
//! Campaign::wasm(&guest()).scenario("chaos").nodes(5).run_for("20s").seeds(0..50).check();
//! ```
//!
//! A guest in Rust may also run as native code, with no wasm to build: `Campaign::native::<MyNode>()`. Then
//! the host cannot know that the guest reads nothing of its surroundings, so each seed is run twice and compared.
//!
//! | variable | meaning |
//! |---|---|
//! | `RAFTBOX_SEED=17` | that seed alone, with its story |
//! | `RAFTBOX_SEEDS=5000` | so many seeds instead, from the first on |
//! | `RAFTBOX_JOBS=4` | on so many threads |

use crate::check::Verdict;
use crate::engine::wasmtime::{Compiled, Options, Wasmtime};
use crate::engine::{Abort, Engine};
use crate::gate;
use crate::hunt::tally::Tally;
use crate::hunt::{Broken, Hunt, Outcome, cores, judge, judge_twice};
use crate::plan::{Header, Plan, sha256};
use crate::scenario::step::Step;
use crate::scenario::{Scenario, Setting};
use crate::simulation::Simulation;
use crate::timeline::{Timeline, seconds};
use crate::trace::Keep;
use crate::units::Span;
use crate::world::turn::Turn;
use std::fmt::Write as _;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What makes an engine, on each thread.
type Make<E> = Arc<dyn Fn() -> Result<Rc<E>, Abort> + Send + Sync>;

/// A guest, a scenario, and seeds.
#[must_use = "a campaign is run by `check` or `run`"]
pub struct Campaign<E> {
    make: Make<E>,
    sha256: String,
    scenario: Scenario,
    seeds: Range<u64>,
    twice: bool,
}

/// What came of a campaign.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many seeds were run.
    pub seeds: u64,
    /// Those in which something broke, each with what did.
    pub broken: Vec<(u64, Vec<Broken>)>,
    /// What happened in all of them.
    pub tally: Tally,
}

/// How long a turn may take, in wall time.
const TURN_MAX: Duration = Duration::from_secs(10);

#[allow(clippy::disallowed_methods, reason = "which seeds are run is the caller's choice; a seed's run is not")]
fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, and should be a whole number")))
}

impl Campaign<Wasmtime<Turn>> {
    /// Of a guest that is compiled to WebAssembly.
    ///
    /// # Panics
    /// If the gate does not admit it; the message says all that keeps it out.
    pub fn wasm(guest: &[u8]) -> Self {
        let arena = Scenario::default().arena.0;
        let admitted = gate::admit(guest, Some(arena)).unwrap_or_else(|refusal| panic!("{refusal}"));
        // A guest that never ends its turn is to end the test, with a message.
        let options = Options { cache: None, watchdog: Some(TURN_MAX) };
        let compiled = Compiled::new(vec![admitted], &options).unwrap_or_else(|abort| panic!("{abort}"));
        let make = move || Ok(Rc::new(Wasmtime::new(&compiled)?));
        Self::of(Arc::new(make), sha256(guest), false)
    }
}

#[cfg(feature = "native")]
impl<G: raftbox_abi::Guest + 'static> Campaign<crate::engine::native::Native<G>> {
    /// Of a guest as native code.
    pub fn native() -> Self {
        let name = std::any::type_name::<G>();
        Self::of(Arc::new(|| Ok(Rc::new(crate::engine::native::Native::new()))), format!("native {name}"), true)
    }
}

impl<E: Engine<Turn>> Campaign<E> {
    fn of(make: Make<E>, sha256: String, twice: bool) -> Self {
        let scenario = Scenario::built_in("chaos", None).unwrap_or_else(|mistake| panic!("{mistake}"));
        Self { make, sha256, scenario, seeds: 0..20, twice }
    }

    /// In a built-in scenario; else it is `chaos`.
    ///
    /// # Panics
    /// If there is none of that name.
    pub fn scenario(mut self, name: &str) -> Self {
        self.scenario = Scenario::built_in(name, None).unwrap_or_else(|mistake| panic!("{mistake}"));
        self
    }

    /// In a scenario that is written down, as in a file.
    ///
    /// # Panics
    /// With the place of the first mistake, if there is one.
    pub fn scenario_text(mut self, text: &str) -> Self {
        self.scenario = Scenario::read("the scenario", text, None).unwrap_or_else(|mistake| panic!("{mistake}"));
        self
    }

    /// With so many nodes.
    pub fn nodes(mut self, nodes: u32) -> Self {
        self.scenario.nodes = nodes;
        self
    }

    /// For so long, in virtual time: `"20s"`. Faults end in time for the cluster to settle.
    ///
    /// # Panics
    /// If that is no time.
    pub fn run_for(mut self, duration: &str) -> Self {
        let duration: Span = duration.parse().unwrap_or_else(|wrong| panic!("the time {wrong}"));
        let faults = &mut self.scenario.faults;
        (faults.from, faults.until) = (Span(faults.from.0.min(duration.0 / 6)), Span(duration.0 * 5 / 6));
        self.scenario.duration = duration;
        self
    }

    /// With a setting of every node.
    pub fn set(mut self, name: &str, setting: Setting) -> Self {
        self.scenario.node.insert(name.to_owned(), setting);
        self
    }

    /// With a step beside those of the scenario.
    pub fn step(mut self, step: Step) -> Self {
        self.scenario.step.push(step);
        self
    }

    /// With these seeds; else they are the first twenty.
    pub fn seeds(mut self, seeds: Range<u64>) -> Self {
        self.seeds = seeds;
        self
    }

    /// With each seed run twice and compared.
    pub fn twice(mut self) -> Self {
        self.twice = true;
        self
    }

    fn header(&self, seed: u64) -> Header {
        let plan = Plan { scenario: self.scenario.clone(), seed, interventions: Vec::new() };
        Header::new(plan, self.sha256.clone())
    }

    fn judge(&self, engines: &[Rc<E>; 2], seed: u64) -> Result<Outcome, Abort> {
        let header = self.header(seed);
        if self.twice { judge_twice(engines, &header) } else { judge(Rc::clone(&engines[0]), &header) }
    }

    /// Runs all seeds, and says what came of them.
    ///
    /// # Errors
    /// If the engine failed.
    ///
    /// # Panics
    /// If the scenario makes no sense.
    pub fn run(&self) -> Result<Report, Abort> {
        if let Err((_, what)) = self.scenario.check() {
            panic!("the scenario makes no sense: {what}");
        }
        let start = self.seeds.start;
        let seeds = match (variable("RAFTBOX_SEED"), variable("RAFTBOX_SEEDS")) {
            (Some(seed), _) => seed..seed + 1,
            (None, Some(count)) => start..start + count,
            (None, None) => self.seeds.clone(),
        };
        let jobs = variable("RAFTBOX_JOBS").and_then(|jobs| usize::try_from(jobs).ok());
        let jobs = jobs.unwrap_or_else(cores);
        let stop = AtomicBool::new(false);
        let hunt = Hunt { seeds, shard: 0, shards: 1, jobs, stop: &stop };
        let mut report = Report { seeds: hunt.count(), ..Report::default() };
        let begin = || Ok([(self.make)()?, (self.make)()?]);
        hunt.run(
            begin,
            |engines, seed| self.judge(engines, seed),
            |outcome| {
                report.tally.merge(&outcome.tally);
                if !outcome.broken.is_empty() {
                    report.broken.push((outcome.seed, outcome.broken));
                }
            },
        )?;
        report.broken.sort_by_key(|(seed, _)| *seed);
        Ok(report)
    }

    /// Runs all seeds, and panics if anything broke, or if something never was that the guest says to be sometimes.
    ///
    /// # Panics
    /// With what broke, in which seeds, and how to see it again.
    pub fn check(&self) {
        let report = self.run().unwrap_or_else(|abort| panic!("{abort}"));
        if let Some(seed) = variable("RAFTBOX_SEED") {
            println!("{}", self.story(seed).unwrap_or_else(|abort| panic!("{abort}")));
        }
        if let Some(message) = self.message(&report) {
            panic!("{message}");
        }
    }

    /// What is told of a report in which something broke.
    #[must_use]
    pub fn message(&self, report: &Report) -> Option<String> {
        const SHOWN: usize = 5;
        let mut message = String::new();
        if let Some((first, _)) = report.broken.first() {
            let (name, count) = (&self.scenario.name, report.broken.len());
            let wrong = "a string takes everything";
            writeln!(message, "something breaks in {count} of {} seeds of {name}:", report.seeds).expect(wrong);
            for (seed, broken) in report.broken.iter().take(SHOWN) {
                for broken in broken {
                    writeln!(message, "  seed {seed}: {broken}").expect(wrong);
                }
            }
            if count > SHOWN {
                writeln!(message, "  and {} seeds more", count - SHOWN).expect(wrong);
            }
            write!(message, "to see it again: RAFTBOX_SEED={first} and the same test, with --nocapture").expect(wrong);
        }
        for (kind, name) in report.tally.never().into_iter().filter(|_| variable("RAFTBOX_SEED").is_none()) {
            message += &format!("{name:?} is {kind}, says the guest, and was not once in {} seeds\n", report.seeds);
        }
        Some(message.trim_end().to_owned()).filter(|message| !message.is_empty())
    }

    /// The story of a seed, as `raftbox run` tells it.
    ///
    /// # Errors
    /// If the engine failed.
    pub fn story(&self, seed: u64) -> Result<String, Abort> {
        let mut simulation = Simulation::new((self.make)()?, &self.header(seed), Keep::Nothing)?;
        let mut timeline = Timeline::new(&self.scenario);
        while simulation.step(|observed| timeline.observe(observed))? {}
        timeline.finish();
        let told = timeline.take().into_iter().map(|entry| {
            let (at, mark) = (seconds(entry.at), entry.mark);
            format!("{at:>10}  {mark} {}\n", entry.text)
        });
        let mut story: String = told.collect();
        for (name, verdict) in simulation.record().checkers.verdicts() {
            if verdict != Verdict::Pass {
                writeln!(story, "{name}: {verdict:?}").expect("a string takes everything");
            }
        }
        Ok(story)
    }
}
