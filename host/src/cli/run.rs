//! `run`, and how a run is watched: the timeline or every event while it goes on, and the report in the end.

use super::guest::{Guests, describer};
use super::paint::{self, BOLD, FAINT};
use super::plan::{self, Opened, Source, reproduce};
use super::report::Report;
use super::{Format, Problem, Run, Show, Surroundings, code, files, html, serve, wrong};
use crate::agenda::script::Remark;
use crate::agenda::swarm;
use crate::check::Observed;
use crate::engine::wasmtime::Wasmtime;
use crate::event::text::{Text, Tone, printable};
use crate::event::{Effect, Event};
use crate::expectation::Expectation;
use crate::history::edn;
use crate::nodes::State;
use crate::plan::{Header, Plan};
use crate::runfile::RunFile;
use crate::simulation::{Record, Simulation};
use crate::timeline::{Entry, Timeline, seconds};
use crate::trace::Keep;
use crate::world::turn::Turn;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

/// How many of the errors that guests log are shown.
const ERRORS_SHOWN: usize = 5;

/// Runs a scenario.
pub(super) fn run(args: &Run, surroundings: &Surroundings, out: &mut dyn Write) -> Result<u8, Problem> {
    let source = Source::of(args)?;
    let page = prepare(args, surroundings)?;
    let guests = Guests::read(&source.plan.scenario, args.what.guest.as_deref(), surroundings)?;
    let engine = guests.engine(source.plan.scenario.arena.0, surroundings)?;
    let header = Header::by(source.plan.clone(), guests.sha256());
    let keep = match (&args.out, args.causes_only) {
        (Some(_), true) => Keep::Causes,
        (Some(_), false) if !args.plan_only => Keep::All,
        _ => Keep::Nothing,
    };
    let mut watch = Watch::new(&header, &args.show, surroundings, out);
    watch.title(&header)?;
    let (record, turns) = watch.live(engine, &header, keep)?;
    let seen = watch.end()?;
    seen.refuses_settings()?;
    let report = seen.report(&header, &record, turns);
    let opened = source.link.as_ref().map(|link| Opened::of(link, &header, report.digest));
    let well = report.is_well() && opened.as_ref().is_none_or(Opened::is_well);
    let shared = args.share.then(|| plan::share(&header, report.digest, source.link.as_ref()));
    let kept = match &args.out {
        Some(file) => Some((file, files::write_run(file, &RunFile::of(header.clone(), &record.trace))?)),
        None => None,
    };
    if let Some(file) = &args.history {
        let recorder = record.checkers.recorder();
        let text = edn::write(&recorder.history(), |place| recorder.time(place) * 1_000);
        files::write_new("--history", file, text.as_bytes())?;
    }
    if let (Some(file), Some(page)) = (&args.html, &page) {
        files::write_new("--html", file, html::document(page, &header, &guests)?.as_bytes())?;
    }
    if args.show.format == Format::Json {
        let mut json = report.json();
        json.insert("reproduce".into(), reproduce(args).into());
        json.extend(shared.map(|link| ("link".into(), link.into())));
        if let Some(opened) = opened {
            json.insert("opened".into(), opened.json());
            json.insert("ok".into(), well.into());
        }
        writeln!(out, "{:#}", serde_json::Value::from(json))?;
    } else {
        let show = &args.show;
        tell(&report, show, surroundings, out)?;
        writeln!(out, "{FAINT}digest      {FAINT:#}{}", report.digest)?;
        if let Some((file, bytes)) = kept {
            let bytes = paint::grouped(bytes);
            writeln!(out, "{FAINT}kept        {FAINT:#}{bytes} bytes in {}", file.display())?;
        }
        if let Some(opened) = opened {
            opened.tell(out)?;
        }
        writeln!(out, "{FAINT}reproduce   {FAINT:#}{}", reproduce(args))?;
        if let Some(link) = shared {
            writeln!(out, "{FAINT}link        {FAINT:#}{link}")?;
        }
    }
    Ok(if well { code::WELL } else { code::VIOLATED })
}

/// Looks whether all that is to be kept can be, and returns the folder of the page if that is wanted: what takes minutes, or
/// cannot be, is told before the run.
fn prepare(args: &Run, surroundings: &Surroundings) -> Result<Option<PathBuf>, Problem> {
    if let Some(file) = &args.out {
        files::check_out(file)?;
    }
    if let Some(file) = &args.history {
        files::check_new("--history", file, edn::MARK, "history")?;
    }
    let Some(file) = &args.html else { return Ok(None) };
    files::check_new("--html", file, html::MARK, "page that raftbox wrote")?;
    Ok(Some(serve::page(surroundings.checkout.as_deref(), &mut io::stderr())?))
}

/// The report as text, up to the numbers.
pub(super) fn tell(
    report: &Report<'_>,
    show: &Show,
    surroundings: &Surroundings,
    out: &mut dyn Write,
) -> Result<(), Problem> {
    if !show.quiet {
        report.table(surroundings, out)?;
    }
    report.verdicts(surroundings, out)?;
    writeln!(out)?;
    report.numbers(out)
}

/// Watches a run: shows it as it goes on, and keeps what the report needs.
pub(super) struct Watch<'a> {
    show: &'a Show,
    surroundings: &'a Surroundings,
    out: &'a mut dyn Write,
    timeline: Timeline,
    started: Instant,
    violated: bool,
    halted: Option<String>,
    /// What is told of steps; a replay takes none.
    remarks: Option<Vec<Remark>>,
    expectations: Option<Vec<Expectation>>,
    /// That the output is not taken any more.
    failed: Option<io::Error>,
}

impl<'a> Watch<'a> {
    #[allow(clippy::disallowed_methods, reason = "the command tells how fast a run was")]
    pub(super) fn new(header: &Header, show: &'a Show, surroundings: &'a Surroundings, out: &'a mut dyn Write) -> Self {
        let timeline = Timeline::new(&header.plan.scenario);
        Self {
            show,
            surroundings,
            out,
            timeline,
            started: Instant::now(),
            violated: false,
            halted: None,
            remarks: None,
            expectations: None,
            failed: None,
        }
    }

    fn tells(&self) -> bool {
        self.show.format == Format::Text && !self.show.quiet
    }

    /// What is about to be run.
    pub(super) fn title(&mut self, header: &Header) -> Result<(), Problem> {
        if !self.tells() {
            return Ok(());
        }
        let Plan { scenario, seed, interventions } = &header.plan;
        let (name, profile) = (printable(&scenario.name), printable(&scenario.profile));
        let nodes = if scenario.nodes == 1 { "1 node".into() } else { format!("{} nodes", scenario.nodes) };
        let more =
            if interventions.is_empty() { String::new() } else { format!(", {} interventions", interventions.len()) };
        writeln!(
            self.out,
            "{BOLD}{name}{BOLD:#}: {nodes}, seed {seed}, profile {profile}, for {}{more}",
            scenario.duration
        )?;
        if !scenario.about.is_empty() {
            writeln!(self.out, "{}", paint::wrap(&printable(&scenario.about), 0, self.surroundings.width))?;
        }
        let mix = swarm::told(scenario, *seed);
        if !mix.is_empty() {
            writeln!(self.out, "{FAINT}{}{FAINT:#}", paint::wrap(&format!("mix: {mix}"), 5, self.surroundings.width))?;
        }
        Ok(writeln!(self.out)?)
    }

    /// Runs a plan to its end.
    pub(super) fn live(
        &mut self,
        engine: std::rc::Rc<Wasmtime<Turn>>,
        header: &Header,
        keep: Keep,
    ) -> Result<(Record, u64), Problem> {
        let mut text = Text::new(describer(&engine)?);
        let mut simulation = Simulation::new(engine, header, keep)?;
        while simulation.step(|observed| self.see(observed, &mut text))? {
            if let Some((name, violation)) = simulation.record().checkers.first_violation().filter(|_| !self.violated) {
                self.violated = true;
                let text = format!("{name} is violated: {}", violation.what);
                let (event, at) = (violation.event, violation.at);
                self.entry(&Entry { event, at, mark: '✗', tone: Tone::Bad, text });
            }
            self.check()?;
        }
        let turns = simulation.world().turns();
        self.remarks = Some(simulation.remarks().to_vec());
        self.expectations = Some(simulation.expectations());
        Ok((simulation.record().clone(), turns))
    }

    /// Shows an event.
    pub(super) fn see<D: FnMut(&[u8]) -> Option<String>>(&mut self, observed: &Observed<'_>, text: &mut Text<D>) {
        self.timeline.observe(observed);
        if let (Event::Effect(Effect::Halted { reason, .. }), None) = (observed.event, &self.halted) {
            self.halted = Some(String::from_utf8_lossy(reason).into_owned());
        }
        let entries = self.timeline.take();
        if !self.tells() {
            return;
        }
        if self.show.events {
            let line = text.line(observed);
            let (style, line) = (paint::tone(line.tone), paint::cut(&line.to_string(), self.surroundings.width));
            let written = writeln!(self.out, "{style}{line}{style:#}");
            self.failed = self.failed.take().or(written.err());
        } else {
            entries.iter().for_each(|entry| self.entry(entry));
        }
    }

    fn entry(&mut self, entry: &Entry) {
        if !self.tells() || self.show.events {
            return;
        }
        let Entry { at, mark, tone, text, .. } = entry;
        let style = paint::tone(*tone);
        let text = paint::wrap(&printable(text), 14, self.surroundings.width);
        let written = writeln!(self.out, "{FAINT}{:>10}{FAINT:#}  {style}{mark} {text}{style:#}", seconds(*at));
        self.failed = self.failed.take().or(written.err());
    }

    /// Whether the output is still taken.
    pub(super) fn check(&mut self) -> Result<(), Problem> {
        self.failed.take().map_or(Ok(()), |error| Err(error.into()))
    }

    /// The run is over.
    pub(super) fn end(mut self) -> Result<Seen, Problem> {
        let wall_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.timeline.finish();
        let entries = self.timeline.take();
        entries.iter().for_each(|entry| self.entry(entry));
        self.check()?;
        Ok(Seen {
            timeline: self.timeline,
            wall_us,
            halted: self.halted,
            remarks: self.remarks,
            expectations: self.expectations,
        })
    }
}

/// What was seen of a run.
pub(super) struct Seen {
    timeline: Timeline,
    wall_us: u64,
    /// The reason of the first node that stopped itself.
    halted: Option<String>,
    remarks: Option<Vec<Remark>>,
    expectations: Option<Vec<Expectation>>,
}

impl Seen {
    /// A guest that halts in the first boot of every node was given settings that it does not take.
    pub(super) fn refuses_settings(&self) -> Result<(), Problem> {
        let refuses = |node: &crate::nodes::Node| node.state == State::Halted && node.durable == 0 && node.term == 0;
        match &self.halted {
            Some(reason) if self.timeline.nodes().iter().all(|(_, node)| refuses(node)) => {
                let reason = printable(reason);
                Err(wrong(format!(
                    "every node stopped itself at its boot: {reason}; see --set, and [node] in the scenario"
                )))
            }
            _ => Ok(()),
        }
    }

    /// What is told in the end.
    pub(super) fn report<'b>(&'b self, header: &'b Header, record: &Record, turns: u64) -> Report<'b> {
        let errors = record.log.iter().filter(|(_, line)| line.level == 1).take(ERRORS_SHOWN);
        Report {
            header,
            digest: record.trace.digest(),
            events: record.trace.events(),
            turns,
            sim_us: record.trace.at(),
            wall_us: self.wall_us,
            verdicts: record.checkers.verdicts(),
            nodes: self.timeline.nodes(),
            tally: self.timeline.tally(),
            remarks: self.remarks.as_deref(),
            expectations: self.expectations.as_deref(),
            errors: errors.map(|(event, line)| format!("S{} at event {event}: {}", line.node, line.line)).collect(),
        }
    }
}
