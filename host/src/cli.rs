//! The command: arguments in, text and an exit code out.
//!
//! [`main_with`] is all of it, so that tests call it in their own process. It writes styled text; whoever gives it a
//! writer that is no terminal strips the styles (the binary leaves that, and `NO_COLOR`, to `anstream`).
//!
//! | file | what it does |
//! |---|---|
//! | `run` | `run`, and how a run is watched, live or again |
//! | `plan` | what is to be run: a scenario with what the arguments change in it, or a link |
//! | `replay` | `replay` and `diff` |
//! | `check` | `check`: histories |
//! | `shrink` | `shrink`: what is left of a violation |
//! | `hunt` | `hunt`: many seeds |
//! | `lesson` | `lesson`: a situation as a story |
//! | `html` | `run --html`: the page and a run as one document |
//! | `guest` | the built-in guest or another, admitted and compiled; `lint` |
//! | `files` | run files, read and written with care |
//! | `report` | the table of nodes, verdicts, the summary, and the same as JSON |
//! | `paint` | colours and line lengths |
//! | [`serve`] | `serve`: the page, on this machine alone |
//!
//! Wall time is read here and nowhere else; it is only told, and decides nothing.

mod check;
mod files;
mod guest;
mod html;
mod hunt;
mod lesson;
mod paint;
mod plan;
mod replay;
mod report;
mod run;
pub mod serve;
mod shrink;

use crate::engine::Abort;
use crate::scenario::{GUIDE, LIBRARY, PROFILES, Scenario, parted, text_of, variants};
use crate::units::Span;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use paint::{BOLD, ERROR};
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;

/// How the command ends.
mod code {
    pub(super) const WELL: u8 = 0;
    pub(super) const VIOLATED: u8 = 1;
    pub(super) const INPUT: u8 = 2;
    pub(super) const ABORTED: u8 = 3;
}

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::White.on_default().bold())
    .usage(AnsiColor::White.on_default().bold())
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(AnsiColor::Yellow.on_default());

const EXIT_CODES: &str = "\
Exit codes:
  0  all is well
  1  a property was violated or could not be judged, or two runs differ
  2  the input is wrong; the message says where, and what to do
  3  the run was aborted by its surroundings: no memory, a turn without end, no room to write";

const EXAMPLES: &str = "\
Examples:
  raftbox                                  watch the tour: elections, a partition, a crash
  raftbox run chaos --seed 7               every fault at random, the same ones each time
  raftbox hunt chaos --seeds 0..1000       a thousand seeds, and what breaks in which
  raftbox run chaos --seed 7 --out 7.run   keep the run
  raftbox replay 7.run                     run it again from its causes, and compare every event
  raftbox run tour --events | less         every event, a line each
  raftbox lesson figure-8                  a situation, what to watch for in it, and the run
  raftbox run figure-8:by-count            the same, with a node that does it wrong
  raftbox run calm --guest my-node.wasm    your own node instead of the built-in one";

const SERVE_EXAMPLES: &str = "\
Examples:
  raftbox serve                            the page, at http://127.0.0.1:8000/
  raftbox run chaos --seed 7 --out 7.run
  raftbox serve 7.run                      the page, with that run in it
  raftbox serve --port 0                   at any port that is free";

const SCENARIOS_EXAMPLES: &str = "\
Examples:
  raftbox scenarios                        what is built in
  raftbox scenarios figure-8 > mine.toml   one of them, as a start for your own
  raftbox scenarios --guide | less         how one is written: every step, with an example";

/// Raft clusters whose every node is a WebAssembly guest, run deterministically: one seed is one run, byte for byte.
///
/// Without a command it runs the tour, a scenario that is worth watching.
#[derive(Parser, Debug)]
#[command(name = "raftbox", version, styles = STYLES, max_term_width = 100)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run a scenario, and tell what happens
    #[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
    Run(Run),
    /// Run many seeds of a scenario, and tell of those in which something breaks
    Hunt(hunt::Args),
    /// Tell what a situation teaches: what to watch for, a question, and the run that answers it
    Lesson(lesson::Args),
    /// Find the same violation with as few steps, nodes and clients as possible
    Shrink(shrink::Args),
    /// Run a run file again, and compare every event
    #[command(after_help = EXIT_CODES)]
    Replay(Replay),
    /// Compare two run files, and name the first event that differs
    #[command(after_help = EXIT_CODES)]
    Diff(Diff),
    /// Say whether histories are linearizable: what clients asked of a key/value store, and what they were answered
    Check(check::Args),
    /// Say whether a module may run as a guest, and if not, all that keeps it out
    #[command(after_help = EXIT_CODES)]
    Lint(Lint),
    /// Serve the page, to watch runs in a browser
    #[command(after_help = format!("{SERVE_EXAMPLES}\n\n{EXIT_CODES}"))]
    Serve(Serve),
    /// List the built-in scenarios, print one as a start for your own, or tell how they are written
    #[command(after_help = format!("{SCENARIOS_EXAMPLES}\n\n{EXIT_CODES}"))]
    Scenarios(Scenarios),
}

#[derive(Args, Debug)]
struct Run {
    /// A built-in scenario (see `raftbox scenarios`), or the path of a .toml file; with :VARIANT, a variant of it
    #[arg(default_value = "tour")]
    scenario: String,

    /// Where all chance comes from: the same seed is the same run
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = seed, allow_negative_numbers = true, help_heading = "What is run")]
    seed: u64,
    #[command(flatten)]
    what: What,

    /// Run what somebody shared: the text of a link, or an address that ends with one
    #[arg(long, value_name = "LINK", conflicts_with_all = ["scenario", "seed", "nodes", "profile", "duration", "set"], help_heading = "What is run")]
    link: Option<String>,

    /// Keep the run in a file, for replay and diff
    #[arg(long, value_name = "RUN", value_hint = ValueHint::FilePath, help_heading = "What is kept")]
    out: Option<PathBuf>,
    /// Keep the causes alone; the effects are computed again
    #[arg(long, requires = "out", help_heading = "What is kept")]
    causes_only: bool,
    /// Keep the plan and the digest alone
    #[arg(long, requires = "out", conflicts_with = "causes_only", help_heading = "What is kept")]
    plan_only: bool,

    /// Write what clients asked and were answered, as Jepsen writes it (EDN), for `raftbox check` and others
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "What is kept")]
    history: Option<PathBuf>,
    /// Write a page that holds the run and all that shows it: one file, for any browser, without a network
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "What is kept")]
    html: Option<PathBuf>,

    /// Print a link, by which anybody can run the same
    #[arg(long, help_heading = "What is shown")]
    share: bool,
    #[command(flatten)]
    show: Show,
}

/// What is run, beside the scenario and the seed.
#[derive(Args, Debug)]
struct What {
    /// How many nodes, 1 to 9 [default: as the scenario says]
    #[arg(long, value_name = "N", value_parser = whole, allow_negative_numbers = true, help_heading = "What is run")]
    nodes: Option<u32>,
    /// Where everything comes from that the scenario does not say: calm, lossy or chaos
    #[arg(long, value_name = "NAME", help_heading = "What is run")]
    profile: Option<String>,
    /// How long faults may happen and clients ask, in virtual time: 500ms, 20s, 5m
    #[arg(long = "for", value_name = "DURATION", value_parser = quantity::<Span>, help_heading = "What is run")]
    duration: Option<Span>,
    /// A setting of every node, such as election_min=300ms or pre_vote=false; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting, help_heading = "What is run")]
    set: Vec<(String, String)>,
    /// A Raft node of your own, compiled to WebAssembly
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "What is run")]
    guest: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct Show {
    /// Show every event, a line each, instead of the timeline
    #[arg(long, conflicts_with = "quiet", help_heading = "What is shown")]
    events: bool,
    /// Show neither timeline nor nodes, only the verdict
    #[arg(long, short, help_heading = "What is shown")]
    quiet: bool,
    /// Text for people, or one JSON object
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT", help_heading = "What is shown")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Args, Debug)]
struct Replay {
    /// A run file
    #[arg(value_name = "RUN", value_hint = ValueHint::FilePath)]
    run: PathBuf,
    /// The guest that it was made with, if that was not the built-in one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    guest: Option<PathBuf>,
    #[command(flatten)]
    show: Show,
}

#[derive(Args, Debug)]
struct Diff {
    /// A run file
    #[arg(value_name = "A", value_hint = ValueHint::FilePath)]
    first: PathBuf,
    /// Another
    #[arg(value_name = "B", value_hint = ValueHint::FilePath)]
    second: PathBuf,
    /// The guest of those that must be run again because they were kept without effects
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    guest: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct Lint {
    /// A module
    #[arg(value_name = "GUEST", value_hint = ValueHint::FilePath)]
    guest: PathBuf,
}

#[derive(Args, Debug)]
struct Serve {
    /// A run file, which the page then opens
    #[arg(value_name = "RUN", value_hint = ValueHint::FilePath)]
    run: Option<PathBuf>,
    /// Where to listen, on this machine alone; 0 is any port that is free
    #[arg(long, default_value_t = 8000, value_name = "N", value_parser = port, allow_negative_numbers = true)]
    port: u16,
}

#[derive(Args, Debug)]
struct Scenarios {
    /// The scenario to print
    name: Option<String>,
    /// Print how a scenario is written: every key, every step and every fact, with examples
    #[arg(long, conflicts_with = "name")]
    guide: bool,
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("a seed is a whole number from 0 to {}", u64::MAX))
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("a port is a whole number from 0 to {}", u16::MAX))
}

fn whole(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "it should be a whole number".into())
}

/// A time or a size.
fn quantity<T: FromStr<Err = String>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|wrong| format!("it {wrong}"))
}

fn setting(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
    pair.ok_or_else(|| "it should be a name, =, and a value, such as election_min=300ms".into())
}

/// What the command is run in.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// How many columns the terminal has; `None` where the output is no terminal, and lines may have any length.
    pub width: Option<usize>,
    /// Where compiled modules are kept.
    pub cache: Option<PathBuf>,
    /// The checkout whose page is served.
    pub checkout: Option<PathBuf>,
    /// Whether a bar may show on the error output how far something long has come.
    pub progress: bool,
}

impl Surroundings {
    /// The terminal and the cache folder of this process, and the checkout that it was started in or built in.
    #[must_use]
    pub fn of_this_process() -> Self {
        use etcetera::BaseStrategy as _;
        let width = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
        let cache = etcetera::choose_base_strategy().ok().map(|user| user.cache_dir().join("raftbox"));
        let folders = [std::env::current_dir(), std::env::current_exe()];
        let checkout = folders.iter().flatten().find_map(|folder| serve::checkout(folder));
        let progress = io::IsTerminal::is_terminal(&io::stderr());
        Self { width, cache, checkout, progress }
    }
}

/// Why the command ends early.
#[derive(Debug)]
enum Problem {
    /// What it was given is wrong.
    Input(String),
    /// The machine did not play along.
    Aborted(Abort),
    /// What it writes is not taken any more.
    Output(io::Error),
}

impl From<Abort> for Problem {
    fn from(abort: Abort) -> Self {
        Self::Aborted(abort)
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

fn wrong(what: impl Into<String>) -> Problem {
    Problem::Input(what.into())
}

/// Runs the command with these arguments, the first of which is its own name, and returns its exit code.
pub fn main_with(
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    surroundings: &Surroundings,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let text = error.render();
            if error.use_stderr() {
                drop(write!(err, "{}", text.ansi()));
                return code::INPUT;
            }
            drop(write!(out, "{}", text.ansi()).and_then(|()| out.flush()));
            return code::WELL;
        }
    };
    let done = cli.execute(surroundings, out).and_then(|code| Ok(out.flush().map(|()| code)?));
    match done {
        Ok(code) => code,
        Err(Problem::Input(what)) => {
            drop(writeln!(err, "{ERROR}error{ERROR:#}: {what}"));
            code::INPUT
        }
        Err(Problem::Aborted(abort)) => {
            drop(writeln!(err, "{ERROR}error{ERROR:#}: {abort}"));
            code::ABORTED
        }
        // The reader has seen enough.
        Err(Problem::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => code::WELL,
        Err(Problem::Output(error)) => {
            drop(writeln!(err, "{ERROR}error{ERROR:#}: the output cannot be written: {error}"));
            code::ABORTED
        }
    }
}

impl Cli {
    fn execute(self, surroundings: &Surroundings, out: &mut dyn Write) -> Result<u8, Problem> {
        match self.command {
            None => match Self::parse_from(["raftbox", "run"]).command {
                Some(Command::Run(run)) => run::run(&run, surroundings, out),
                _ => unreachable!("`raftbox run` is the command run"),
            },
            Some(Command::Run(run)) => run::run(&run, surroundings, out),
            Some(Command::Replay(replay)) => replay::replay(&replay, surroundings, out),
            Some(Command::Diff(diff)) => replay::diff(&diff, surroundings, out),
            Some(Command::Hunt(args)) => hunt::hunt(&args, surroundings, out),
            Some(Command::Shrink(args)) => shrink::run(&args, surroundings, out),
            Some(Command::Check(args)) => check::run(&args, surroundings, out),
            Some(Command::Lint(lint)) => guest::lint(&lint.guest, out),
            Some(Command::Lesson(args)) => lesson::lesson(&args, surroundings, out),
            Some(Command::Serve(args)) => serve::serve(&args, surroundings, out),
            Some(Command::Scenarios(Scenarios { guide: true, .. })) => {
                out.write_all(GUIDE.as_bytes())?;
                Ok(code::WELL)
            }
            Some(Command::Scenarios(Scenarios { name, .. })) => scenarios(name.as_deref(), surroundings, out),
        }
    }
}

fn scenarios(name: Option<&str>, surroundings: &Surroundings, out: &mut dyn Write) -> Result<u8, Problem> {
    if let Some(name) = name {
        Scenario::built_in(name, None).map_err(|mistake| wrong(mistake.to_string()))?;
        out.write_all(text_of(parted(name).0).unwrap_or_default().as_bytes())?;
        return Ok(code::WELL);
    }
    let wide = LIBRARY.iter().map(|(name, _)| name.len() + 2).max().unwrap_or(0);
    for (name, text) in LIBRARY {
        let scenario = Scenario::built_in(name, None).map_err(|mistake| wrong(mistake.to_string()))?;
        let first = format!("{BOLD}{name:<wide$}{BOLD:#}");
        writeln!(out, "{first}{}", paint::wrap(&scenario.about, wide, surroundings.width))?;
        let variants: Vec<String> = variants(name, text).into_iter().map(|variant| variant.whole).collect();
        if !variants.is_empty() {
            writeln!(out, "{:wide$}{}", "", paint::wrap(&variants.join(", "), wide, surroundings.width))?;
        }
    }
    let profiles: Vec<&str> = PROFILES.iter().map(|(name, _)| *name).collect();
    writeln!(out, "\nEach has a profile, for all that it does not say: {}.", profiles.join(", "))?;
    writeln!(out, "`raftbox scenarios NAME` prints one; change the file, and run it by its path.")?;
    writeln!(out, "`raftbox scenarios --guide` tells how one is written, with an example of every step.")?;
    Ok(code::WELL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
