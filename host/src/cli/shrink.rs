//! `shrink`: the same violation with as few steps, nodes and clients as possible.

use super::guest::Guests;
use super::paint::{self, BAD, BOLD, FAINT, quoted};
use super::{EXIT_CODES, Problem, Surroundings, code, files, wrong};
use crate::engine::wasmtime::Wasmtime;
use crate::event::text::printable;
use crate::plan::Header;
use crate::runfile::RunFile;
use crate::shrink::{Failure, Shrunk, shrink, told};
use crate::simulation::Simulation;
use crate::trace::Keep;
use crate::world::turn::Turn;
use clap::ValueHint;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write;
use std::path::PathBuf;
use std::rc::Rc;

const EXAMPLES: &str = "\
Examples:
  raftbox run chaos --seed 7 --guest my-node.wasm --out 7.run
  raftbox shrink 7.run --guest my-node.wasm --out small.run
  raftbox serve small.run                  watch what is left

What is left is printed as a scenario, with a sentence for each step; kept with --out it is a run file.";

#[derive(clap::Args, Debug)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    /// A run file of a run that violates a property
    #[arg(value_name = "RUN", value_hint = ValueHint::FilePath)]
    run: PathBuf,
    /// The guest that it was made with, if that was not the built-in one; then the built-in one must not violate the property
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    guest: Option<PathBuf>,
    /// Keep what is left as a run file
    #[arg(long, value_name = "RUN", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
}

/// Shrinks a run.
pub(super) fn run(args: &Args, surroundings: &Surroundings, out: &mut dyn Write) -> Result<u8, Problem> {
    let file = files::read_run(&args.run)?;
    if let Some(file) = &args.out {
        files::check_out(file)?;
    }
    let header = file.head.header.clone();
    let guests = Guests::read(&header.plan.scenario, args.guest.as_deref(), surroundings)?;
    if header.guests != guests.sha256() {
        let name = args.run.display();
        return Err(wrong(format!("{name}: this run was made with another guest; give it with --guest")));
    }
    let arena = header.plan.scenario.arena.0;
    let engine = guests.engine(arena, surroundings)?;
    let reference = guests.reference(arena, surroundings)?;
    let Some(shrunk) = tell(&engine, reference.as_ref(), &header, None, surroundings, out)? else {
        let name = args.run.display();
        return Err(wrong(format!("{name}: this run violates nothing, so there is nothing to shrink")));
    };
    if let Some(file) = &args.out {
        let header = Header { plan: shrunk.plan.clone(), ..header };
        let mut simulation = Simulation::new(engine, &header, Keep::All)?;
        simulation.run()?;
        files::write_run(file, &RunFile::of(header, &simulation.record().trace))?;
        writeln!(
            out,
            "{FAINT}kept        {FAINT:#}{}, for `raftbox serve {}`",
            file.display(),
            quoted(&file.to_string_lossy())
        )?;
    }
    Ok(code::VIOLATED)
}

/// Shrinks a run that violates a property, or that one, and prints what is left; `None` if it violates nothing.
pub(super) fn tell(
    engine: &Rc<Wasmtime<Turn>>,
    reference: Option<&Rc<Wasmtime<Turn>>>,
    header: &Header,
    property: Option<&str>,
    surroundings: &Surroundings,
    out: &mut dyn Write,
) -> Result<Option<Shrunk>, Problem> {
    let bar = if surroundings.progress { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{spinner} {pos} runs, {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let mut count = |runs, steps| {
        bar.set_position(runs);
        bar.set_message(format!("{steps} steps left"));
    };
    let shrunk = match shrink(Rc::clone(engine), reference.cloned(), header, property, &mut count) {
        Ok(shrunk) => shrunk,
        Err(Failure::Aborted(abort)) => return Err(abort.into()),
        Err(Failure::Nothing) => return Ok(None),
    };
    bar.finish_and_clear();
    let title = format!("What is left of {}, seed {}.", printable(&header.plan.scenario.name), header.plan.seed);
    writeln!(out, "{}", told(&shrunk, &title).trim_end())?;
    writeln!(out)?;
    let what = paint::wrap(&printable(&format!("{}: {}", shrunk.property, shrunk.what)), 2, surroundings.width);
    writeln!(out, "{BAD}✗{BAD:#} {what}")?;
    let (steps, nodes, clients) = (shrunk.len(), shrunk.plan.scenario.nodes, shrunk.plan.scenario.clients.count);
    let [steps, nodes, clients] =
        [(steps, "step"), (nodes as usize, "node"), (clients as usize, "client")].map(|(count, what)| {
            let plural = if count == 1 { "" } else { "s" };
            format!("{count} {what}{plural}")
        });
    let asking = if shrunk.makes_up() { " that ask on their own" } else { "" };
    writeln!(
        out,
        "{BOLD}{steps}{BOLD:#} of {}, {nodes}, {clients}{asking} {FAINT}({} runs){FAINT:#}",
        shrunk.before, shrunk.runs
    )?;
    Ok(Some(shrunk))
}
