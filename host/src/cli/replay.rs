//! `replay` and `diff`: a run against its record, and two records against each other.

use super::guest::{Guests, describer};
use super::paint::{BAD, BOLD, FAINT, GOOD, cut, grouped};
use super::run::{Watch, tell};
use super::{Diff, Format, Problem, Replay, Surroundings, code, files, wrong};
use crate::check::Observed;
use crate::engine::wasmtime::Wasmtime;
use crate::event::text::{Line, Text, seconds};
use crate::event::{Effect, Event, Micros};
use crate::plan::Header;
use crate::runfile::{Body, RunFile};
use crate::scenario::Scenario;
use crate::simulation::{self, Record};
use crate::trace::{self, CHECKPOINT_EVENTS, Keep};
use crate::world::turn::Turn;
use raftbox_abi::Note;
use serde_json::Value;
use std::collections::VecDeque;
use std::io::Write;
use std::path::Path;
use std::rc::Rc;

/// How many events before a difference are shown.
const CONTEXT: usize = 3;

/// Runs a run file again.
pub(super) fn replay(args: &Replay, surroundings: &Surroundings, out: &mut dyn Write) -> Result<u8, Problem> {
    let file = files::read_run(&args.run)?;
    let engine = engine(&args.run, &file, args.guest.as_deref(), surroundings)?;
    let header = &file.head.header;
    let mut watch = Watch::new(header, &args.show, surroundings, out);
    watch.title(header)?;
    let (record, turns) = again(&mut watch, Rc::clone(&engine), &file)?;
    let seen = watch.end()?;
    seen.refuses_settings()?;
    let report = seen.report(header, &record, turns);
    let recorded = file.head.digest;
    let same = recorded.is_none_or(|digest| digest == report.digest);
    let difference = if same { None } else { Some(first_difference(&file, &record, &engine)?) };
    if args.show.format == Format::Json {
        let mut json = report.json();
        json.insert("recorded_digest".into(), recorded.map(|digest| digest.to_string()).into());
        json.insert("same".into(), same.into());
        json.insert("first_difference".into(), difference.as_ref().map(Parting::json).into());
        json.insert("ok".into(), (same && report.is_well()).into());
        writeln!(out, "{:#}", Value::from(json))?;
    } else {
        tell(&report, &args.show, surroundings, out)?;
        let (verdict, style) = match recorded {
            Some(_) if same => ("✓ as recorded", GOOD),
            Some(_) => ("✗ not as recorded", BAD),
            None => ("(none was recorded)", FAINT),
        };
        writeln!(out, "{FAINT}digest      {FAINT:#}{}  {style}{verdict}{style:#}", report.digest)?;
        if let (Some(recorded), false) = (recorded, same) {
            writeln!(out, "{FAINT}recorded    {FAINT:#}{recorded}")?;
        }
        if let Some(difference) = difference {
            difference.tell(["recorded", "now"], surroundings, out)?;
        }
    }
    Ok(if same && report.is_well() { code::WELL } else { code::VIOLATED })
}

/// The engine for a run file, once its guest is known to be the one at hand.
fn engine(
    name: &Path,
    file: &RunFile,
    guest: Option<&Path>,
    surroundings: &Surroundings,
) -> Result<Rc<Wasmtime<Turn>>, Problem> {
    let header = &file.head.header;
    let at_hand = Guests::read(&header.plan.scenario, guest, surroundings)?;
    if at_hand.sha256() != header.guests {
        let remedy = match guest {
            None => "give the one it was made by with --guest FILE",
            Some(_) => "give another with --guest FILE, or none for the built-in one",
        };
        let (made_by, here) = (header.guests.join(", "), at_hand.sha256().join(", "));
        return Err(wrong(format!(
            "{}: this run was made by another guest, so it cannot be run again\n  made by    sha256 {made_by}\n  \
             at hand    sha256 {here} ({})\n  {remedy}",
            name.display(),
            at_hand.origins()
        )));
    }
    at_hand.engine(header.plan.scenario.arena.0, surroundings)
}

/// Runs it again: from its causes, or, where there are none, from its plan.
fn again(watch: &mut Watch<'_>, engine: Rc<Wasmtime<Turn>>, file: &RunFile) -> Result<(Record, u64), Problem> {
    let header = &file.head.header;
    if file.head.body == Body::Plan {
        return watch.live(engine, header, Keep::Nothing);
    }
    let keep = if file.head.body == Body::Events { Keep::All } else { Keep::Nothing };
    let mut text = Text::new(describer(&engine)?);
    let causes = trace::causes(file.events());
    let done = simulation::replay(engine, header, &causes, keep, |observed| watch.see(observed, &mut text))?;
    watch.check()?;
    Ok(done)
}

/// Where two runs part.
struct Parting {
    /// The event, if it is known, or the first of those among which it is.
    event: u64,
    /// How many events it may be.
    among: u64,
    /// What they had in common just before.
    before: Vec<Line>,
    /// What each has there; `None` where it is over.
    there: Option<[Option<Line>; 2]>,
}

impl Parting {
    fn json(&self) -> Value {
        let line = |line: &Option<Line>| line.as_ref().map(|line| line.to_string().trim_start().to_owned());
        let there = self.there.as_ref().map(|there| there.iter().map(line).collect::<Vec<_>>());
        serde_json::json!({ "event": self.event, "among": self.among, "there": there })
    }

    fn tell(&self, names: [&str; 2], surroundings: &Surroundings, out: &mut dyn Write) -> Result<(), Problem> {
        let Some(there) = &self.there else {
            let (from, to) = (self.event, self.event + self.among - 1);
            return Ok(writeln!(
                out,
                "the first difference is among events {from} to {to}; the file has no effects, so there is no more to tell"
            )?);
        };
        let at = there.iter().flatten().map(|line| line.at).min().unwrap_or(0);
        writeln!(out, "the first difference is event {}, at {} s:", grouped(self.event), seconds(at).trim())?;
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let room = surroundings.width.map(|columns| columns.saturating_sub(width + 2));
        for line in &self.before {
            writeln!(out, "{FAINT}{:width$}  {}{FAINT:#}", "", cut(&line.to_string(), room))?;
        }
        for (name, line) in names.iter().zip(there) {
            let line = line.as_ref().map_or_else(|| "     (the run is over)".into(), Line::to_string);
            writeln!(out, "{BOLD}{name:<width$}{BOLD:#}  {}", cut(&line, room))?;
        }
        Ok(())
    }
}

/// The lines of the events around number `event`: a few before it, and itself.
fn lines<'a>(
    events: impl Iterator<Item = (Micros, Event<'a>)>,
    event: u64,
    engine: &Wasmtime<Turn>,
) -> Result<(Vec<Line>, Option<Line>), Problem> {
    let mut text = Text::new(describer(engine)?);
    let mut before = VecDeque::new();
    for (index, (at, found)) in (0..).zip(events) {
        let note = match &found {
            Event::Effect(Effect::Note { kind, body, .. }) => Note::decode(*kind, body),
            _ => None,
        };
        let line = text.line(&Observed { index, at, event: &found, note: note.as_ref() });
        if index == event {
            return Ok((before.into(), Some(line)));
        }
        before.push_back(line);
        if before.len() > CONTEXT {
            before.pop_front();
        }
    }
    Ok((before.into(), None))
}

/// Where a record parts from the file that it was made from.
fn first_difference(file: &RunFile, record: &Record, engine: &Wasmtime<Turn>) -> Result<Parting, Problem> {
    let trace = &record.trace;
    if file.head.body == Body::Events {
        let difference = trace::difference(file.events(), trace.iter());
        let event = difference.map_or(0, |difference| difference.event);
        let (before, recorded) = lines(file.events(), event, engine)?;
        let (_, now) = lines(trace.iter(), event, engine)?;
        return Ok(Parting { event, among: 1, before, there: Some([recorded, now]) });
    }
    let (recorded, now) = (file.checkpoints(), trace.checkpoints());
    let common = recorded.iter().zip(now).take_while(|(recorded, now)| recorded == now).count() as u64;
    let event = common * CHECKPOINT_EVENTS;
    let among = CHECKPOINT_EVENTS.min(file.head.events.max(trace.events()).saturating_sub(event)).max(1);
    Ok(Parting { event, among, before: Vec::new(), there: None })
}

/// Every event of a run file, run again if the file has not got them.
enum Events {
    Kept(Box<RunFile>),
    Made(Box<Record>),
}

impl Events {
    fn of(name: &Path, file: RunFile, guest: Option<&Path>, surroundings: &Surroundings) -> Result<Self, Problem> {
        if file.head.body == Body::Events {
            return Ok(Self::Kept(Box::new(file)));
        }
        let engine = engine(name, &file, guest, surroundings)?;
        let header = &file.head.header;
        let record = if file.head.body == Body::Causes {
            simulation::replay(engine, header, &trace::causes(file.events()), Keep::All, |_| ())?.0
        } else {
            let mut simulation = simulation::Simulation::new(engine, header, Keep::All)?;
            simulation.run()?;
            simulation.record().clone()
        };
        match file.head.digest {
            Some(digest) if digest != record.trace.digest() => Err(wrong(format!(
                "{}: run again, this run is another one than was recorded; see `raftbox replay {}`",
                name.display(),
                super::paint::quoted(&name.to_string_lossy())
            ))),
            _ => Ok(Self::Made(Box::new(record))),
        }
    }

    fn iter(&self) -> Box<dyn Iterator<Item = (Micros, Event<'_>)> + '_> {
        match self {
            Self::Kept(file) => Box::new(file.events()),
            Self::Made(record) => Box::new(record.trace.iter()),
        }
    }
}

/// Compares two run files.
pub(super) fn diff(args: &Diff, surroundings: &Surroundings, out: &mut dyn Write) -> Result<u8, Problem> {
    let [first, second] = [files::read_run(&args.first)?, files::read_run(&args.second)?];
    let names = [&args.first, &args.second].map(|name| name.display().to_string());
    let plans = plans(&first.head.header, &second.head.header);
    let [one, other] = [(&args.first, first), (&args.second, second)]
        .map(|(name, file)| Events::of(name, file, args.guest.as_deref(), surroundings));
    let (one, other) = (one?, other?);
    let difference = trace::difference(one.iter(), other.iter()).map(|difference| difference.event);
    if plans.is_empty() && difference.is_none() {
        writeln!(out, "{GOOD}✓{GOOD:#} the runs are the same: {} events", grouped(one.iter().count() as u64))?;
        return Ok(code::WELL);
    }
    if !plans.is_empty() {
        writeln!(out, "{BOLD}the runs were made from different plans{BOLD:#}")?;
        for [key, one, other] in &plans {
            writeln!(out, "  {key}: {one} in {}, {other} in {}", names[0], names[1])?;
        }
    }
    let Some(event) = difference else {
        writeln!(out, "every event is the same: {} of them", grouped(one.iter().count() as u64))?;
        return Ok(code::VIOLATED);
    };
    // Any guest describes its own messages; ours is at hand, and one that cannot read them says so.
    let engine =
        Guests::read(&Scenario::default(), args.guest.as_deref(), surroundings)?.engine(4 << 20, surroundings)?;
    let (before, first) = lines(one.iter(), event, &engine)?;
    let (_, second) = lines(other.iter(), event, &engine)?;
    let parting = Parting { event, among: 1, before, there: Some([first, second]) };
    parting.tell([&names[0], &names[1]], surroundings, out)?;
    Ok(code::VIOLATED)
}

/// The values in which two headers differ, each as key, first and second.
fn plans(first: &Header, second: &Header) -> Vec<[String; 3]> {
    let value = |header: &Header| serde_json::to_value(header).expect("every field has a JSON form");
    let mut found = Vec::new();
    compare("", &value(first), &value(second), &mut found);
    found
}

fn compare(key: &str, first: &Value, second: &Value, found: &mut Vec<[String; 3]>) {
    match (first, second) {
        _ if first == second => {}
        (Value::Object(one), Value::Object(other)) => {
            let keys: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for name in keys {
                let path = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                compare(&path, one.get(name).unwrap_or(&Value::Null), other.get(name).unwrap_or(&Value::Null), found);
            }
        }
        _ => {
            let key = key.strip_prefix("plan.").unwrap_or(key);
            found.push([key.to_owned(), first.to_string(), second.to_string()]);
        }
    }
}
