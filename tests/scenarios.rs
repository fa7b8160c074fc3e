//! Scenarios through wasmtime, as scripts: `scripts/scenarios/*.txt`. Each shows one kind of fault, or one thing that a
//! cluster must do, by the story or the events of a real run.
//!
//! | command | example | meaning |
//! |---|---|---|
//! | `scenario` | `scenario nodes=3 for=4s` | begins a scenario; keys of the top level |
//! | any section | `network loss=1/5 late=1` | keys of `[network]`, `[disk]`, `[clock]`, `[clients]`, `[node]`, `[faults]` |
//! | `step` | `step at=2s do=isolate node=leader` | a `[[step]]` |
//! | `run` | `run seed=7` | runs it, twice, and tells its story, unless `quiet` |
//! | `events` | `events S1 boots max=3` | the lines of those events that hold all the words, and how many more there are |
//! | `count` | `count loses` | how many lines hold all the words |
//! | `verdicts` | `verdicts` | the properties that do not pass, or that all do |
//! | `tally` | `tally` | what became of the clients' operations |

use goldenscript::{Command, Context};
use raftbox::check::Verdict;
use raftbox::engine::{Engine as _, Node as _};
use raftbox::event::text::Text;
use raftbox::plan::{Header, Plan, sha256};
use raftbox::scenario::Scenario;
use raftbox::simulation::Simulation;
use raftbox::timeline::{Timeline, seconds};
use raftbox::trace::Keep;
use raftbox_guest_bytes::BYTES;
use raftbox_tests::wasmtime_with;
use std::error::Error;
use std::fmt::Write as _;

#[test]
fn scripts() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/scenarios");
    let mut scripts: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    scripts.sort();
    assert!(scripts.len() >= 12);
    for script in scripts {
        goldenscript::run(&mut Runner::default(), &script)
            .unwrap_or_else(|error| panic!("{}: {error}", script.display()));
    }
}

/// What a script has said and run so far.
#[derive(Default)]
struct Runner {
    scenario: String,
    lines: Vec<String>,
    verdicts: Vec<(&'static str, Verdict)>,
    tally: String,
}

impl goldenscript::Runner for Runner {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &Context) -> Result<String, Box<dyn Error>> {
        match command.name.as_str() {
            "scenario" => {
                self.scenario.clear();
                self.keys(command);
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
            "tally" => Ok(self.tally.clone()),
            section => {
                let head = if section == "step" { "[[step]]".to_owned() } else { format!("[{section}]") };
                writeln!(self.scenario, "{head}")?;
                self.keys(command);
                Ok(String::new())
            }
        }
    }
}

/// The positional arguments of a command.
fn words(command: &Command) -> Vec<String> {
    let mut arguments = command.consume_args();
    std::iter::from_fn(|| arguments.next_pos().map(str::to_owned)).collect()
}

impl Runner {
    /// Writes a command's keys as TOML: what does not look like a number, a list, a table or a switch is a text.
    fn keys(&mut self, command: &Command) {
        let mut arguments = command.consume_args();
        while let Some((key, value)) = arguments.next_key() {
            let ratio = ["loss", "duplicate", "reorder", "late", "survive"].contains(&key);
            let bare = !ratio && value.parse::<i64>().is_ok()
                || value.starts_with(['[', '{'])
                || value == "true"
                || value == "false";
            let line = if bare { format!("{key} = {value}") } else { format!("{key} = {value:?}") };
            self.scenario.push_str(&line);
            self.scenario.push('\n');
        }
    }

    fn with(&self, words: &[String]) -> impl Iterator<Item = &String> {
        self.lines.iter().filter(move |line| words.iter().all(|word| line.contains(word.as_str())))
    }

    fn simulate(&mut self, command: &Command) -> Result<String, Box<dyn Error>> {
        let mut arguments = command.consume_args();
        let seed = arguments.take_key("seed").map_or(Ok(1), str::parse)?;
        let quiet = arguments.next_pos() == Some("quiet");
        let scenario = Scenario::read("script", &self.scenario, None)?;
        let engine = wasmtime_with(scenario.arena);
        let header = Header::new(Plan { scenario, seed, interventions: Vec::new() }, sha256(BYTES));
        let mut describer = engine.node(0)?;
        let mut text = Text::new(|datagram: &[u8]| describer.describe(datagram));
        let mut story = Timeline::new(&header.plan.scenario);
        let mut simulation = Simulation::new(std::rc::Rc::clone(&engine), &header, Keep::Nothing)?;
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
        let mut again = Simulation::new(engine, &header, Keep::Nothing)?;
        again.run()?;
        assert_eq!(digest, again.record().trace.digest(), "the same seed gives the same run");
        let told = story.take().into_iter();
        let told = told.map(|entry| format!("{:>9}  {} {}\n", seconds(entry.at), entry.mark, entry.text));
        Ok(if quiet { String::new() } else { told.collect() })
    }
}
