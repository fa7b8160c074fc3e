//! `check`: whether histories are linearizable, whoever recorded them.

use super::paint::{self, BAD, DOUBT, FAINT, GOOD};
use super::{Problem, Surroundings, code, files, quantity, wrong};
use crate::event::text::printable;
use crate::history::{History, edn, recorder::Recorder, shown};
use crate::linearizability::{Options, Report, Verdict, check, explain};
use crate::runfile::{Body, MARK, RunFile};
use crate::timeline::seconds;
use crate::units::Size;
use clap::ValueHint;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

const EXAMPLES: &str = "\
Examples:
  raftbox check history.edn                what Jepsen recorded
  raftbox check jepsen.log                 the same, as its log has it
  raftbox run chaos --history 1.edn        the history of a run, in that form
  raftbox check my.run                     that of a run that was kept with its events

What is read: maps such as {:process 0, :type :invoke, :f :write, :key \"x\", :value 1}, one after the other or in a
vector, and log lines such as `INFO  jepsen.util - 0  :invoke  :write  1`, with tabs. :f is read or get, write or put,
cas, append, delete or increment. What was never answered, or answered by :info, may have happened at any later time,
or never.

Exit codes:
  0  every history is linearizable
  1  one is not
  2  the input is wrong; the message says where, and what to do
  3  for one it could not be found out in so much memory";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Histories: EDN, a Jepsen log, or run files
    #[arg(required = true, value_name = "HISTORY", value_hint = ValueHint::FilePath)]
    histories: Vec<PathBuf>,
    /// Look at all keys together, as if it were not enough to look at each
    #[arg(long)]
    together: bool,
    /// How much a search may remember before its verdict is unknown
    #[arg(long, default_value = "1GiB", value_name = "SIZE", value_parser = quantity::<Size>)]
    memory: Size,
    /// Say nothing of the histories that are linearizable
    #[arg(long, short)]
    quiet: bool,
}

/// A history, and what its places are called.
struct Source {
    history: History,
    place: Box<dyn Fn(u64) -> String>,
}

fn read(file: &Path) -> Result<Source, Problem> {
    let bytes = files::read(file, "history")?;
    if bytes.starts_with(MARK.as_bytes()) {
        let run = RunFile::read(&bytes).map_err(|broken| wrong(format!("{}: {broken}", file.display())))?;
        if run.head.body != Body::Events {
            let name = file.display();
            let what = "this run was kept without its effects";
            return Err(wrong(format!("{name}: {what}; run it with --out, and without --causes-only or --plan-only")));
        }
        let mut recorder = Recorder::default();
        for (index, (at, event)) in (0..).zip(run.events()) {
            recorder.observe(index, at, &event);
        }
        return Ok(Source { history: recorder.history(), place: Box::new(move |place| seconds(recorder.time(place))) });
    }
    let text = files::text(file, bytes, "history")?;
    let mut recorded = edn::parse(&text).map_err(|edn::Mistake { line, what }| {
        let place = format!("{}:{line}: {what}", file.display());
        wrong(format!("{place}; see `raftbox check --help` for what a history is"))
    })?;
    let history = std::mem::take(&mut recorded.history);
    Ok(Source { history, place: Box::new(move |place| recorded.place(place)) })
}

/// Looks at histories.
#[allow(clippy::disallowed_methods, reason = "wall time is told, and decides nothing")]
pub(super) fn run(args: &Args, surroundings: &Surroundings, out: &mut dyn Write) -> Result<u8, Problem> {
    let options = Options { by_key: !args.together, memory: args.memory.0 };
    let mut worst = code::WELL;
    let (mut counts, mut bytes, started) = ([0_u64; 3], 0, Instant::now());
    for file in &args.histories {
        let source = read(file)?;
        let report = check(&source.history, options);
        let place = match report.verdict {
            Verdict::Linearizable => 0,
            Verdict::Not(_) => 1,
            Verdict::Unknown(_) => 2,
        };
        counts[place] += 1;
        bytes = bytes.max(report.bytes);
        worst = match (place, worst) {
            (1, _) | (_, code::VIOLATED) => code::VIOLATED,
            (2, _) => code::ABORTED,
            _ => worst,
        };
        if place > 0 || !args.quiet {
            tell(file, &source, &report, surroundings, out)?;
        }
    }
    if args.histories.len() > 1 {
        let [well, not, unknown] = counts;
        writeln!(out, "{well} linearizable, {not} not, {unknown} unknown")?;
        let millis = started.elapsed().as_millis();
        writeln!(out, "{FAINT}speed       {FAINT:#}{millis} ms wall time, at most {} remembered", Size(bytes))?;
    }
    Ok(worst)
}

fn tell(
    file: &Path,
    source: &Source,
    report: &Report,
    surroundings: &Surroundings,
    out: &mut dyn Write,
) -> Result<(), Problem> {
    let name = file.display();
    let operations = source.history.operations.len();
    let open = source.history.operations.iter().filter(|operation| operation.answered.is_none()).count();
    let keys = if report.parts == 1 { "1 part".to_owned() } else { format!("{} keys", report.parts) };
    let size = format!("{operations} operations, {open} without an answer, {keys}");
    match &report.verdict {
        Verdict::Linearizable => writeln!(out, "{GOOD}✓{GOOD:#} {name}: linearizable {FAINT}({size}){FAINT:#}")?,
        Verdict::Unknown(key) => {
            let why = format!("the orders of what was asked of {} are too many to remember", shown(key));
            writeln!(out, "{DOUBT}?{DOUBT:#} {name}: unknown: {why}; give it more --memory {FAINT}({size}){FAINT:#}")?;
        }
        Verdict::Not(found) => {
            writeln!(out, "{BAD}✗{BAD:#} {name}: {BAD}not linearizable{BAD:#} {FAINT}({size}){FAINT:#}")?;
            for line in explain(&source.history, found, &source.place) {
                let indent = line.len() - line.trim_start().len();
                let line = paint::wrap(&printable(line.trim_start()), 4 + indent, surroundings.width);
                writeln!(out, "  {:indent$}{line}", "")?;
            }
        }
    }
    Ok(())
}
