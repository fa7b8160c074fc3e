//! `hunt`: many seeds of a scenario, and what breaks in which.

use super::guest::Guests;
use super::paint::{BAD, BOLD, DOUBT, FAINT, GOOD, grouped, wrap};
use super::plan::{command, flags, scenario};
use super::{EXIT_CODES, Problem, Surroundings, What, code, files, quantity, shrink, wrong};
use crate::engine::wasmtime::Wasmtime;
use crate::event::text::printable;
use crate::hunt::ledger::{self, Entry};
use crate::hunt::tally::{Counts, Tally};
use crate::hunt::{Broken, DETERMINISM, Hunt, Outcome, cores, judge, judge_twice};
use crate::plan::{Header, Plan};
use crate::scenario::Scenario;
use crate::timeline::seconds;
use crate::units::Span;
use crate::world::turn::Turn;
use clap::ValueHint;
use indicatif::{ProgressBar, ProgressStyle};
use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const EXAMPLES: &str = "\
Examples:
  raftbox hunt                                         a hundred seeds of chaos, on all cores
  raftbox hunt chaos --seeds 0..100000 --budget 10m    as many of them as ten minutes allow
  raftbox hunt chaos --seeds 0..5000 --ledger a.jsonl  what broke before comes first; what held is not run again
  raftbox hunt chaos --seeds 0..5000 --shard 2/4       the second of four machines
  raftbox hunt chaos --guest my-node.wasm --shrink     what breaks, with as little as possible
  raftbox hunt chaos --guest my-node.wasm --twice      is your node deterministic?

What is in a ledger is a line a seed; `cat a.jsonl b.jsonl` is both.";

#[derive(clap::Args, Debug)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    /// A built-in scenario (see `raftbox scenarios`), or the path of a .toml file
    #[arg(default_value = "chaos")]
    scenario: String,

    /// Which seeds: 0..1000 is a thousand of them, 7 is one
    #[arg(long, default_value = "0..100", value_name = "A..B", value_parser = seeds, help_heading = "What is run")]
    seeds: Range<u64>,
    #[command(flatten)]
    what: What,
    /// Run each seed twice at once, and compare every event and the memory of the guests
    #[arg(long, help_heading = "What is run")]
    twice: bool,

    /// Shrink the first run of each property that breaks, and print what is left of it
    #[arg(long, help_heading = "What is run")]
    shrink: bool,

    /// How many threads [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = jobs, help_heading = "How")]
    jobs: Option<usize>,
    /// Begin no seed after so long: 90s, 10m
    #[arg(long, value_name = "DURATION", value_parser = quantity::<Span>, help_heading = "How")]
    budget: Option<Span>,
    /// Run every N-th seed, from the I-th on
    #[arg(long, value_name = "I/N", default_value = "1/1", value_parser = shard, help_heading = "How")]
    shard: (u64, u64),
    /// Keep what came of each seed, a line each; run again first what broke, and not what held
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "What is kept")]
    ledger: Option<PathBuf>,
    /// Write a JUnit report, with a case for each property
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "What is kept")]
    junit: Option<PathBuf>,
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let range = match text.split_once("..") {
        None => number(text).and_then(|seed| Some(seed..seed.checked_add(1)?)),
        Some((from, to)) => match to.strip_prefix('=') {
            Some(to) => number(from).zip(number(to).and_then(|to| to.checked_add(1))).map(|(from, to)| from..to),
            None => number(from).zip(number(to)).map(|(from, to)| from..to),
        },
    };
    let range = range.ok_or("it should be two whole numbers, such as 0..1000, or one")?;
    if range.is_empty() { Err("there is no seed in it".into()) } else { Ok(range) }
}

fn jobs(text: &str) -> Result<usize, String> {
    let jobs = text.parse().ok().filter(|jobs| (1..=1024).contains(jobs));
    jobs.ok_or_else(|| "it should be a whole number from 1 to 1024".into())
}

fn shard(text: &str) -> Result<(u64, u64), String> {
    let parts = text.split_once('/').and_then(|(one, of)| Some((one.parse().ok()?, of.parse().ok()?)));
    parts
        .filter(|(one, of)| (1..=*of).contains(one))
        .ok_or_else(|| "it should be such as 2/4, the second of four".into())
}

/// What was found so far.
#[derive(Default)]
struct Found {
    /// What broke, by seed.
    broken: BTreeMap<u64, Vec<Broken>>,
    tally: Tally,
    ran: u64,
    events: u64,
    /// Seeds that broke before and hold now.
    mended: BTreeSet<u64>,
}

/// The ledger of a hunt, and what was in it when it began.
struct Book {
    run: String,
    before: BTreeMap<u64, Entry>,
    file: Option<(PathBuf, fs::File)>,
}

impl Book {
    fn open(file: Option<&Path>, run: String) -> Result<Self, Problem> {
        let Some(file) = file else { return Ok(Self { run, before: BTreeMap::new(), file: None }) };
        let name = file.display();
        files::check_new("--ledger", file, ledger::MARK, "ledger")?;
        let text = if file.exists() { files::read_text(file, "ledger")? } else { String::new() };
        let before = ledger::read(&text, &run)
            .map_err(|line| wrong(format!("--ledger {name}:{line}: this is no line of a ledger; remove it")))?;
        let opened = OpenOptions::new().create(true).append(true).open(file);
        let mut opened = opened.map_err(|error| wrong(format!("--ledger {name}: it cannot be written: {error}")))?;
        if !text.is_empty() && !text.ends_with('\n') {
            // The last line was cut off.
            opened.write_all(b"\n")?;
        }
        Ok(Self { run, before, file: Some((file.to_owned(), opened)) })
    }

    fn write(&mut self, outcome: &Outcome) -> Result<(), Problem> {
        let Some((_, file)) = &mut self.file else { return Ok(()) };
        Ok(file.write_all(Entry::of(&self.run, outcome).line().as_bytes())?)
    }
}

/// The engines of a thread: the second is for `--twice`.
type Engines = [Rc<Wasmtime<Turn>>; 2];

/// Runs many seeds.
#[allow(clippy::disallowed_methods, reason = "wall time is told, and bounds a hunt that is to be bounded by it")]
pub(super) fn hunt(args: &Args, surroundings: &Surroundings, out: &mut dyn Write) -> Result<u8, Problem> {
    let scenario = scenario(&args.scenario, &args.what)?;
    if let Some(file) = &args.junit {
        files::check_new("--junit", file, "<?xml", "JUnit report")?;
    }
    let guests = Guests::read(&scenario, args.what.guest.as_deref(), surroundings)?;
    let compiled = guests.compiled(scenario.arena.0, surroundings)?;
    let header = |seed| {
        let plan = Plan { scenario: scenario.clone(), seed, interventions: Vec::new() };
        Header::by(plan, guests.sha256())
    };
    let mut book = Book::open(args.ledger.as_deref(), ledger::name(&header(0)))?;
    let again: Vec<u64> =
        book.before.values().filter(|entry| !entry.broken.is_empty()).map(|entry| entry.seed).collect();
    let known: BTreeSet<u64> = book.before.keys().copied().collect();
    let jobs = args.jobs.unwrap_or_else(cores);
    title(args, &scenario, jobs, &book, again.len(), out)?;
    out.flush()?;

    let (stop, started) = (AtomicBool::new(false), Instant::now());
    let hunt = |seeds: Range<u64>, (shard, shards): (u64, u64)| Hunt { seeds, shard, shards, jobs, stop: &stop };
    let all = hunt(args.seeds.clone(), (args.shard.0 - 1, args.shard.1));
    let bar = bar(surroundings.progress, all.count() + again.len() as u64);
    let begin =
        || -> Result<Engines, _> { Ok([Rc::new(Wasmtime::new(&compiled)?), Rc::new(Wasmtime::new(&compiled)?)]) };
    let one = |engines: &mut Engines, seed: u64| {
        let header = header(seed);
        let outcome = if args.twice { judge_twice(engines, &header) } else { judge(Rc::clone(&engines[0]), &header) };
        outcome.map(Some)
    };
    let (mut found, mut problem) = (Found::default(), None);
    let mut see = |outcome: Option<Outcome>| {
        bar.inc(1);
        if args.budget.is_some_and(|budget| started.elapsed() > Duration::from_micros(budget.0)) {
            stop.store(true, Ordering::Relaxed);
        }
        let Some(outcome) = outcome else { return };
        if let Err(error) = book.write(&outcome) {
            problem = problem.take().or(Some(error));
            stop.store(true, Ordering::Relaxed);
        }
        found.take(outcome, &again);
        bar.set_message(format!("{} broken", found.broken.len()));
    };
    let earlier = hunt(0..again.len() as u64, (0, 1));
    let place = |place: u64| again[usize::try_from(place).expect("it is the place of one of them")];
    earlier.run(begin, |engines, number| one(engines, place(number)), &mut see)?;
    all.run(begin, |engines, seed| if known.contains(&seed) { Ok(None) } else { one(engines, seed) }, &mut see)?;
    bar.finish_and_clear();
    if let Some(problem) = problem {
        return Err(problem);
    }
    let wall = started.elapsed();
    found.tell(args, surroundings, out)?;
    if args.shrink {
        let reference = guests.reference(scenario.arena.0, surroundings)?;
        let engines = (Rc::new(Wasmtime::new(&compiled)?), reference);
        found.shrink(&engines, &header, surroundings, out)?;
    }
    let stopped = stop.load(Ordering::Relaxed);
    found.numbers(&book, wall, stopped, out)?;
    if let Some(file) = &args.junit {
        let report = junit(&found, args, wall).to_string().expect("a report of texts can be written");
        files::write_new("--junit", file, report.as_bytes())?;
    }
    Ok(if found.broken.is_empty() { code::WELL } else { code::VIOLATED })
}

fn title(
    args: &Args,
    scenario: &Scenario,
    jobs: usize,
    book: &Book,
    again: usize,
    out: &mut dyn Write,
) -> Result<(), Problem> {
    let Range { start, end } = args.seeds;
    let (name, nodes) = (printable(&scenario.name), scenario.nodes);
    let shard = if args.shard.1 > 1 { format!(", shard {} of {}", args.shard.0, args.shard.1) } else { String::new() };
    let threads = if jobs == 1 { "1 thread".into() } else { format!("{jobs} threads") };
    writeln!(out, "{BOLD}{name}{BOLD:#}: {nodes} nodes, seeds {start} to {}{shard}, on {threads}", end - 1)?;
    if !book.before.is_empty() {
        let held = book.before.len() - again;
        writeln!(
            out,
            "{FAINT}ledger      {FAINT:#}{held} seeds held before, and are not run again; {again} broke, and come first"
        )?;
    }
    Ok(())
}

fn bar(shown: bool, count: u64) -> ProgressBar {
    if !shown {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} seeds, {msg}, {eta} to go");
    let bar = ProgressBar::new(count).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message("0 broken");
    bar
}

impl Found {
    /// Shrinks the first run of each property that is violated, and prints what is left.
    fn shrink(
        &self,
        (engine, reference): &(Rc<Wasmtime<Turn>>, Option<Rc<Wasmtime<Turn>>>),
        header: &dyn Fn(u64) -> Header,
        surroundings: &Surroundings,
        out: &mut dyn Write,
    ) -> Result<(), Problem> {
        for (property, seed) in self.firsts() {
            writeln!(out)?;
            shrink::tell(engine, reference.as_ref(), &header(seed), Some(&property), surroundings, out)?;
        }
        Ok(())
    }

    /// The first seed of each property that is violated.
    fn firsts(&self) -> BTreeMap<String, u64> {
        let mut firsts = BTreeMap::new();
        for (seed, broken) in &self.broken {
            // The run violates its first property before the others, which may follow from that.
            if let Some(first) =
                broken.first().filter(|broken| broken.event.is_some() && broken.property != DETERMINISM)
            {
                firsts.entry(first.property.clone()).or_insert(*seed);
            }
        }
        firsts
    }

    fn take(&mut self, outcome: Outcome, again: &[u64]) {
        self.ran += 1;
        self.events += outcome.events;
        self.tally.merge(&outcome.tally);
        if !outcome.broken.is_empty() {
            self.broken.insert(outcome.seed, outcome.broken);
        } else if again.contains(&outcome.seed) {
            self.mended.insert(outcome.seed);
        }
    }

    fn tell(&self, args: &Args, surroundings: &Surroundings, out: &mut dyn Write) -> Result<(), Problem> {
        writeln!(out)?;
        for (seed, broken) in &self.broken {
            for broken in broken {
                let (mark, style) = if broken.event.is_some() { ('✗', BAD) } else { ('?', DOUBT) };
                let text = wrap(&printable(&format!("seed {seed}: {broken}")), 2, surroundings.width);
                writeln!(out, "{style}{mark}{style:#} {text}")?;
            }
            writeln!(out, "  {FAINT}{}{FAINT:#}", command(&args.scenario, *seed, &args.what))?;
        }
        for seed in &self.mended {
            writeln!(out, "{GOOD}✓{GOOD:#} seed {seed} broke before, and holds now")?;
        }
        let (broken, ran) = (self.broken.len(), grouped(self.ran));
        if broken == 0 {
            let seeds = if self.ran == 1 { "1 seed".into() } else { format!("{ran} seeds") };
            writeln!(out, "{GOOD}✓ {seeds}, and every property held in each{GOOD:#}")?;
        } else {
            writeln!(out, "{BAD}✗ {broken} of {ran} seeds{BAD:#}")?;
        }
        for (kind, name) in self.tally.never() {
            let text = format!("{name:?} is {kind}, says the guest, and was not once");
            writeln!(out, "{DOUBT}·{DOUBT:#} {}", wrap(&printable(&text), 2, surroundings.width))?;
        }
        writeln!(out)?;
        let list = |counts: &Counts| {
            let each = counts.iter().map(|(name, count)| format!("{name} {}", grouped(*count)));
            wrap(&each.collect::<Vec<_>>().join(", "), 12, surroundings.width)
        };
        let Tally { drawn, befell, reached, properties, .. } = &self.tally;
        let mut never = Vec::new();
        for (name, counts) in [("faults", drawn), ("befell", befell), ("reached", reached)] {
            let (none, some): (Counts, Counts) = counts.clone().into_iter().partition(|(_, count)| *count == 0);
            never.extend(none.into_keys());
            if !some.is_empty() {
                writeln!(out, "{FAINT}{name:<12}{FAINT:#}{}", list(&some))?;
            }
        }
        if !never.is_empty() {
            let never = wrap(&never.join(", "), 12, surroundings.width);
            writeln!(out, "{FAINT}not once    {FAINT:#}{never}")?;
        }
        for ((kind, name), [told, so]) in properties {
            let (told, so) = (grouped(*told), grouped(*so));
            writeln!(out, "{FAINT}{kind:<12}{FAINT:#}{}: so {so} of {told} times", printable(name))?;
        }
        Ok(())
    }

    fn numbers(&self, book: &Book, wall: Duration, stopped: bool, out: &mut dyn Write) -> Result<(), Problem> {
        let micros = u64::try_from(wall.as_micros()).unwrap_or(u64::MAX).max(1);
        let rate = |count: u64| u64::try_from(u128::from(count) * 1_000_000 / u128::from(micros)).unwrap_or(u64::MAX);
        writeln!(
            out,
            "{FAINT}speed       {FAINT:#}{} wall time, {} seeds a minute, {} events a second",
            seconds(micros),
            grouped(rate(self.ran * 60)),
            grouped(rate(self.events))
        )?;
        if stopped {
            writeln!(out, "{FAINT}budget      {FAINT:#}it is used up; the seeds that were run are the first ones")?;
        }
        if let Some((file, _)) = &book.file {
            writeln!(out, "{FAINT}ledger      {FAINT:#}{}", file.display())?;
        }
        Ok(())
    }
}

/// A case for each property that broke in some seed, and one for all seeds.
fn junit(found: &Found, args: &Args, wall: Duration) -> Junit {
    let mut report = Junit::new("raftbox hunt");
    let name = format!("{}{}", args.scenario, flags(&args.what));
    let mut suite = TestSuite::new(name);
    suite.set_time(wall);
    let mut properties: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (seed, broken) in &found.broken {
        for Broken { property, what, .. } in broken {
            let line = format!("seed {seed}: {what}\n{}", command(&args.scenario, *seed, &args.what));
            properties.entry(property).or_default().push(line);
        }
    }
    let Range { start, end } = args.seeds;
    let mut all = TestCase::new(format!("seeds {start}..{end}"), TestCaseStatus::success());
    all.set_system_out(format!("{} seeds were run, and {} broke", found.ran, found.broken.len()));
    suite.add_test_case(all);
    for (property, lines) in properties {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(format!("{property} breaks in {} seeds", lines.len()));
        status.set_description(lines.join("\n"));
        suite.add_test_case(TestCase::new(property, status));
    }
    report.add_test_suite(suite);
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_and_shards_are_read() {
        assert_eq!([seeds("3..5"), seeds("7"), seeds("0..=9")].map(Result::unwrap), [3..5, 7..8, 0..10]);
        assert!(["", "5..3", "5..5", "a..b", "-1"].into_iter().all(|text| seeds(text).is_err()));
        assert_eq!(shard("2/4"), Ok((2, 4)));
        assert!(["0/4", "5/4", "2", "/"].into_iter().all(|text| shard(text).is_err()));
    }
}
