//! Scenarios through wasmtime, as scripts: `scripts/scenarios/*.txt`. Each shows one kind of fault, or one thing that a
//! cluster must do, by the story or the events of a real run.
//!
//! | command | example | meaning |
//! |---|---|---|
//! | `scenario` | `scenario nodes=3 for=4s` | begins a scenario; keys of the top level |
//! | any section | `network loss=1/5 late=1` | keys of `[network]`, `[disk]`, `[clock]`, `[clients]`, `[node]`, `[faults]` |
//! | `step` | `step at=2s do=isolate node=leader` | a `[[step]]` |
//! | `act` | `act after=500 do=pause node=S1` | the same as an intervention, as a person makes it |
//! | `run` | `run seed=7` | runs it, twice, and again from its causes, and tells its story, unless `quiet` |
//! | `events` | `events S1 boots max=3` | the lines of those events that hold all the words, and how many more there are |
//! | `between` | `between 1 1.01 S1` | the lines from the one time to the other, in seconds, that hold all the words |
//! | `expectations` | `expectations` | what was expected, and what is instead where it is not so |
//! | `remarks` | `remarks` | what is told of steps that did nothing |
//! | `count` | `count loses` | how many lines hold all the words |
//! | `verdicts` | `verdicts` | the properties that do not pass, or that all do |
//! | `tally` | `tally` | what became of the clients' operations |

#[path = "support/script.rs"]
mod script;

use goldenscript::{Command, Context};
use raftbox::check::Verdict;
use raftbox::engine::{Engine as _, Node as _};
use raftbox::event::text::Text;
use raftbox::expectation::Expectation;
use raftbox::plan::{Header, Plan, sha256};
use raftbox::scenario::Scenario;
use raftbox::simulation::{Simulation, replay};
use raftbox::timeline::{Timeline, seconds};
use raftbox::trace::{Keep, causes};
use raftbox_guest_bytes::BYTES;
use raftbox_tests::{on_all_cores, wasmtime_with};
use script::{keys, words};
use std::error::Error;
use std::fmt::Write as _;
use std::rc::Rc;

#[test]
fn scripts() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/scenarios");
    let mut scripts: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    scripts.sort();
    assert!(scripts.len() >= 12);
    on_all_cores(&scripts, |script| {
        goldenscript::run(&mut Runner::default(), script)
            .unwrap_or_else(|error| panic!("{}: {error}", script.display()));
    });
}

/// What a script has said and run so far.
#[derive(Default)]
struct Runner {
    scenario: String,
    acts: String,
    lines: Vec<String>,
    verdicts: Vec<(&'static str, Verdict)>,
    tally: String,
    remarks: String,
    expectations: String,
}

impl goldenscript::Runner for Runner {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &Context) -> Result<String, Box<dyn Error>> {
        match command.name.as_str() {
            "scenario" => {
                self.scenario = keys(command);
                self.acts.clear();
                Ok(String::new())
            }
            "run" => self.simulate(command),
            "events" => {
                let most = command.consume_args().take_key("max").map_or(Ok(10), str::parse)?;
                let words = words(command);
                let found: Vec<_> = self.with(&words).collect();
                let mut told = found.iter().take(most).map(|line| format!("{line}\n")).collect::<String>();
                if found.len() > most {
                    writeln!(told, "... and {} more", found.len() - most)?;
                }
                Ok(told)
            }
            "count" => Ok(format!("{}\n", self.with(&words(command)).count())),
            "verdicts" => {
                let others = self.verdicts.iter().filter(|(_, verdict)| *verdict != Verdict::Pass);
                let told: String = others.map(|(property, verdict)| format!("{property}: {verdict:?}\n")).collect();
                Ok(if told.is_empty() { "every property passes\n".into() } else { told })
            }
            "between" => {
                let words = words(command);
                let [from, to, words @ ..] = words.as_slice() else { return Err("between needs two times".into()) };
                let [from, to]: [f64; 2] = [from.parse()?, to.parse()?];
                let time = |line: &str| line.split_whitespace().next().and_then(|time| time.parse::<f64>().ok());
                let within = |line: &&String| time(line).is_some_and(|time| from <= time && time <= to);
                Ok(self.with(words).filter(within).map(|line| format!("{line}\n")).collect())
            }
            "tally" => Ok(self.tally.clone()),
            "remarks" => Ok(self.remarks.clone()),
            "expectations" => Ok(self.expectations.clone()),
            "act" => {
                self.acts += &format!("[[step]]\n{}", keys(command));
                Ok(String::new())
            }
            section => {
                let head = if ["step", "version"].contains(&section) {
                    format!("[[{section}]]")
                } else {
                    format!("[{section}]")
                };
                writeln!(self.scenario, "{head}")?;
                self.scenario += &keys(command);
                Ok(String::new())
            }
        }
    }
}

impl Runner {
    fn with(&self, words: &[String]) -> impl Iterator<Item = &String> {
        self.lines.iter().filter(move |line| words.iter().all(|word| line.contains(word.as_str())))
    }

    fn simulate(&mut self, command: &Command) -> Result<String, Box<dyn Error>> {
        let mut arguments = command.consume_args();
        let seed = arguments.take_key("seed").map_or(Ok(1), str::parse)?;
        let quiet = arguments.next_pos() == Some("quiet");
        let scenario = Scenario::read("script", &self.scenario, None)?;
        let interventions = Scenario::read("acts", &format!("nodes = 9\n{}", self.acts), None)?.step;
        scenario.check_steps("act", &interventions).map_err(|(_, what)| what)?;
        let engine = wasmtime_with(scenario.arena);
        let header = Header::new(Plan { scenario, seed, interventions }, sha256(BYTES));
        let mut describer = engine.node(0)?;
        let mut text = Text::new(|datagram: &[u8]| describer.describe(datagram));
        let mut story = Timeline::new(&header.plan.scenario);
        let mut simulation = Simulation::new(Rc::clone(&engine), &header, Keep::Causes)?;
        self.lines.clear();
        let lines = &mut self.lines;
        let mut see = |observed: &raftbox::check::Observed<'_>| {
            lines.push(text.line(observed).to_string());
            story.observe(observed);
        };
        while simulation.step(&mut see)? {}
        story.finish();
        self.verdicts = simulation.record().checkers.verdicts();
        self.tally = format!("{:?}\n", story.tally());
        let digest = simulation.record().trace.digest();
        let remarks = simulation.remarks().iter();
        self.remarks = remarks.map(|remark| format!("{remark}\n")).collect();
        let mark = |expectation: &Expectation| if expectation.is_met() { '✓' } else { '✗' };
        let told = |expectation: &Expectation| format!("{} {expectation}\n", mark(expectation));
        self.expectations = simulation.expectations().iter().map(told).collect();
        let mut again = Simulation::new(Rc::clone(&engine), &header, Keep::Nothing)?;
        again.run()?;
        assert_eq!(digest, again.record().trace.digest(), "the same seed gives the same run");
        let causes = causes(simulation.record().trace.iter());
        let (replayed, _) = replay(engine, &header, &causes, Keep::Nothing, |_| ())?;
        assert_eq!(digest, replayed.trace.digest(), "the same causes give the same run");
        let told = story.take().into_iter();
        let told = told.map(|entry| format!("{:>9}  {} {}\n", seconds(entry.at), entry.mark, entry.text));
        Ok(if quiet { String::new() } else { told.collect() })
    }
}
