//! The view, as scripts: `scripts/view/*.txt`. Each shows one claim about what is to be seen of a run, and why.
//!
//! A run is either a real one, by the native engine since its events are the same, or written by hand where a real cluster would not do what is to be shown.
//!
//! | command | example | meaning |
//! |---|---|---|
//! | `scenario`, any section, `step`, `run` | `run seed=7` | a run of a scenario, as in `scenarios.rs` |
//! | `run` | `run tour seed=1` | a run of a built-in scenario |
//! | `hand` | `hand 3` | begins a run by hand, of so many nodes |
//! | `S1`, `C1`, `link`, `tick`, `message` | `S1 append 1@1` | an event of a run by hand; see `view/hand.rs` |
//! | `at` | `at "becomes leader" nth=2` | goes to the event whose sentence holds all the words; `time=2s`: to the last one then; `first`, `last` |
//! | `on`, `back` | `on 3` | goes so many events on, or back |
//! | `show` | `show nodes` | `nodes`, `messages`, `links`, `clients`, `bands`, `values`, `syncs`, `progress` |
//! | `log` | `log S1 from=3 to=9` | entries of a node |
//! | `sentences` | `sentences 5` | of the event and of those after it |
//! | `why` | `why`, `why 3` | of the event, or of an entry |
//! | `ticks` | `ticks election` | all of a kind, and the next and the one before |
//! | `cone` | `cone` | past and future of the event |
//! | `diff` | `diff` | what the event changed; `time=2s`: what changed since then |
//! | `diagram` | `diagram from=1s to=2s most=5` | what a diagram of that window shows |
//! | `story` | `story max=3` | the story |
//! | `judge` | `judge` | checkers look at a run by hand |

#[path = "view/hand.rs"]
mod hand;
#[path = "support/script.rs"]
mod script;
#[path = "view/show.rs"]
mod show;

use goldenscript::{Command, Context};
use hand::Hand;
use raftbox::engine::{Engine, Node};
use raftbox::plan::{Header, Plan, sha256};
use raftbox::scenario::Scenario;
use raftbox::simulation::Simulation;
use raftbox::trace::Keep;
use raftbox::units::Span;
use raftbox::view::Recording;
use raftbox::view::diagram::Window;
use raftbox::view::diff::diff;
use raftbox::view::tick::Kind;
use raftbox::world::turn::Turn;
use raftbox_guest_bytes::BYTES;
use raftbox_tests::native;
use script::{keys, words};
use std::error::Error;
use std::rc::Rc;

type Failure = Box<dyn Error>;

#[test]
fn scripts() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/view");
    let mut scripts: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    scripts.sort();
    assert!(scripts.len() >= 25);
    for script in scripts {
        goldenscript::run(&mut Runner::default(), &script)
            .unwrap_or_else(|error| panic!("{}: {error}", script.display()));
    }
}

/// What a script has said, run and looked at so far.
#[derive(Default)]
struct Runner {
    scenario: String,
    hand: Option<Hand>,
    recording: Option<Recording>,
    /// The sentence of each event.
    sentences: Vec<String>,
    event: u64,
}

impl goldenscript::Runner for Runner {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &Context) -> Result<String, Failure> {
        let name = command.name.as_str();
        match name {
            "scenario" => {
                self.scenario = keys(command);
                Ok(String::new())
            }
            "run" => self.simulate(command),
            "hand" => {
                let nodes = words(command).first().ok_or("of how many nodes?")?.parse()?;
                self.hand = Some(Hand::new(nodes));
                Ok(String::new())
            }
            "judge" => {
                let verdicts = self.hand.as_ref().ok_or("no run was begun by hand")?.verdicts();
                self.recording.as_mut().ok_or("nothing was run")?.judge(&verdicts);
                Ok(String::new())
            }
            "at" | "on" | "back" => self.go(command),
            "show" | "log" | "sentences" | "why" | "ticks" | "cone" | "diff" | "diagram" | "story" => {
                self.look(command)
            }
            _ if name.starts_with(['S', 'C']) || ["link", "tick", "message"].contains(&name) => {
                let hand = self.hand.as_mut().ok_or("no run was begun by hand")?;
                hand.event(command)?;
                let recording = hand.recording();
                self.take(recording);
                Ok(String::new())
            }
            section => {
                let head = if section == "step" { "[[step]]".to_owned() } else { format!("[{section}]") };
                self.scenario += &format!("{head}\n{}", keys(command));
                Ok(String::new())
            }
        }
    }
}

impl Runner {
    fn take(&mut self, recording: Recording) {
        self.sentences = recording.sentences(0, usize::MAX).into_iter().map(|sentence| sentence.text).collect();
        self.event = recording.events().saturating_sub(1);
        self.recording = Some(recording);
    }

    fn simulate(&mut self, command: &Command) -> Result<String, Failure> {
        let mut arguments = command.consume_args();
        let seed = arguments.take_key("seed").map_or(Ok(1), str::parse)?;
        let mut scenario = match arguments.next_pos() {
            Some(name) => Scenario::built_in(name, None)?,
            None => Scenario::read("script", &self.scenario, None)?,
        };
        if let Some(duration) = arguments.take_key("for") {
            scenario.duration = duration.parse::<Span>()?;
        }
        let engine = native();
        let header = Header::new(Plan { scenario, seed, interventions: Vec::new() }, sha256(BYTES));
        let mut describer = Engine::<Turn>::node(&*engine, 0)?;
        let mut recording = Recording::new(&header.plan.scenario);
        let mut simulation = Simulation::new(Rc::clone(&engine), &header, Keep::All)?;
        // In pieces, as a page that goes on running while it shows.
        let mut steps: u64 = 0;
        while simulation.step(|_| ())? {
            steps += 1;
            if steps.is_multiple_of(997) {
                recording
                    .follow(&simulation.record().trace, |datagram| Node::<Turn>::describe(&mut describer, datagram));
            }
        }
        recording.follow(&simulation.record().trace, |datagram| Node::<Turn>::describe(&mut describer, datagram));
        recording.finish();
        recording.judge(&simulation.record().checkers.verdicts());
        self.take(recording);
        Ok(String::new())
    }

    fn recording(&self) -> Result<&Recording, Failure> {
        self.recording.as_ref().ok_or_else(|| "nothing was run".into())
    }

    fn go(&mut self, command: &Command) -> Result<String, Failure> {
        let mut arguments = command.consume_args();
        let (nth, time) = (arguments.take_key("nth").map_or(Ok(1), str::parse::<usize>)?, arguments.take_key("time"));
        let words = words(command);
        let last = self.recording()?.events().saturating_sub(1);
        self.event = match (command.name.as_str(), time, words.first().map(String::as_str)) {
            ("on", _, count) => (self.event + count.unwrap_or("1").parse::<u64>()?).min(last),
            ("back", _, count) => self.event.saturating_sub(count.unwrap_or("1").parse()?),
            (_, Some(time), _) => {
                self.recording()?.event_at(time.parse::<Span>()?.0).ok_or("nothing has happened then")?
            }
            (_, None, Some("first")) => 0,
            (_, None, Some("last")) => last,
            _ => {
                let found = (0..)
                    .zip(&self.sentences)
                    .filter(|(_, sentence)| words.iter().all(|word| sentence.contains(word.as_str())));
                found.map(|(event, _)| event).nth(nth - 1).ok_or("there is no such event")?
            }
        };
        let moment = self.recording()?.iter(self.event).next().ok_or("there are no events")?.0;
        let sentence = &self.sentences[usize::try_from(self.event)?];
        Ok(format!("{} {sentence}\n", show::time(moment.at)))
    }

    fn look(&mut self, command: &Command) -> Result<String, Failure> {
        let recording = self.recording()?;
        let event = self.event;
        let mut arguments = command.consume_args();
        let span =
            |text: Option<&str>, default| text.map_or(Ok(default), |text| text.parse::<Span>().map(|span| span.0));
        Ok(match command.name.as_str() {
            "show" => show::state(recording, event, arguments.next_pos().ok_or("show what?")?)?,
            "log" => {
                let node =
                    arguments.next_pos().and_then(|node| node.strip_prefix('S')).ok_or("of which node?")?.parse()?;
                let from = arguments.take_key("from").map_or(Ok(1), str::parse)?;
                let to = arguments.take_key("to").map_or(Ok(u64::MAX), str::parse)?;
                show::log(recording, event, node, from..=to)?
            }
            "sentences" => {
                let most = arguments.next_pos().unwrap_or("1").parse()?;
                let told = recording.sentences(event, most).into_iter();
                told.map(|told| format!("{} {} {}\n", show::time(told.at), told.mark, told.text)).collect()
            }
            "why" => {
                let why = match arguments.next_pos() {
                    Some(index) => Some(recording.why_committed(event, index.parse()?)),
                    None => recording.why(event),
                };
                show::why(why.as_ref())
            }
            "ticks" => {
                let word = arguments.next_pos().ok_or("of which kind?")?;
                let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word).ok_or("there is no such kind")?;
                show::ticks(recording, event, kind)
            }
            "cone" => show::cone(recording, event)?,
            "diff" => {
                let before = match arguments.take_key("time") {
                    Some(time) => recording.event_at(time.parse::<Span>()?.0).map(|event| recording.view(event)),
                    None => Some(recording.before(event)),
                };
                show::rows(&diff(&before.ok_or("nothing has happened then")?, &recording.view(event)))
            }
            "diagram" => {
                let from = span(arguments.take_key("from"), 0)?;
                let to = span(arguments.take_key("to"), recording.at())?;
                let most = arguments.take_key("most").map_or(Ok(1000), str::parse)?;
                let clients = arguments.next_pos() == Some("clients");
                show::diagram(&recording.diagram(&Window { from, to, most, clients }))
            }
            _ => {
                let most = arguments.take_key("max").map_or(Ok(usize::MAX), str::parse)?;
                let told = recording.story().iter().take(most);
                told.map(|told| format!("{} {} {}\n", show::time(told.at), told.mark, told.text)).collect()
            }
        })
    }
}
