//! `lesson`: a situation as a story, with questions that the run answers.

use super::guest::Guests;
use super::paint::{self, BAD, BOLD, FAINT, GOOD};
use super::run::Watch;
use super::{EXIT_CODES, Format, Problem, Show, Surroundings, code, wrong};
use crate::lesson::{LESSONS, Lesson, Question};
use crate::plan::{Header, Plan};
use crate::scenario::{Scenario, text_of, variants};
use crate::simulation::Simulation;
use crate::trace::Keep;
use std::collections::BTreeSet;
use std::io::Write;

const EXAMPLES: &str = "\
Examples:
  raftbox lesson                  the contents
  raftbox lesson split-vote       what to watch for, a question, the run, and the answer
  raftbox lesson prevote          the lessons that are about it
  raftbox run split-vote:fixed    a variant of it, by itself
  raftbox serve                   the same runs in a browser, to step through and to change";

#[derive(clap::Args, Debug)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    /// Which one, or what it is to be about; without a name, the contents
    name: Option<String>,
}

/// What the options of a question are called.
const LETTERS: [char; 4] = ['a', 'b', 'c', 'd'];

/// Tells a lesson, or lists them.
pub(super) fn lesson(args: &Args, surroundings: &Surroundings, out: &mut dyn Write) -> Result<u8, Problem> {
    let Some(name) = &args.name else { return contents(out) };
    if LESSONS.iter().all(|(known, _)| known != name) {
        return about(name, out);
    }
    let lesson = Lesson::built_in(name).map_err(|mistake| wrong(mistake.to_string()))?;
    let mut teller = Teller { name, surroundings, out };
    teller.before(&lesson)?;
    let as_asked = teller.run()?;
    teller.after(&lesson)?;
    Ok(if as_asked { code::WELL } else { code::VIOLATED })
}

/// Lists those that are about something.
fn about(word: &str, out: &mut dyn Write) -> Result<u8, Problem> {
    let (mut found, mut words) = (false, BTreeSet::new());
    for (name, _) in LESSONS {
        let lesson = Lesson::built_in(name).map_err(|mistake| wrong(mistake.to_string()))?;
        if lesson.about.iter().any(|about| about.to_lowercase().contains(&word.to_lowercase())) {
            found = true;
            writeln!(out, "{name:<25} {} {FAINT}({}){FAINT:#}", lesson.title, lesson.about.join(", "))?;
        }
        words.extend(lesson.about);
    }
    if found {
        return Ok(code::WELL);
    }
    let words = words.into_iter().collect::<Vec<_>>().join(", ");
    Err(wrong(format!(
        "there is no lesson called {word:?}, and none about that; `raftbox lesson` lists them, and they are about {words}"
    )))
}

/// Lists them by chapter.
fn contents(out: &mut dyn Write) -> Result<u8, Problem> {
    let mut topic = String::new();
    for (number, (name, _)) in (1..).zip(LESSONS) {
        let lesson = Lesson::built_in(name).map_err(|mistake| wrong(mistake.to_string()))?;
        if lesson.topic != topic {
            writeln!(out, "{}{BOLD}{}{BOLD:#}", if topic.is_empty() { "" } else { "\n" }, lesson.topic)?;
            topic = lesson.topic;
        }
        writeln!(out, "{FAINT}{number:>4}{FAINT:#}  {name:<25} {}", lesson.title)?;
    }
    writeln!(out, "\n`raftbox lesson NAME` tells one: why it matters, what to watch for, and the run.")?;
    writeln!(out, "`raftbox lesson prevote` names those that are about it.")?;
    Ok(code::WELL)
}

/// One that tells a lesson.
struct Teller<'a> {
    name: &'a str,
    surroundings: &'a Surroundings,
    out: &'a mut dyn Write,
}

impl Teller<'_> {
    fn paragraph(&mut self, text: &str) -> Result<(), Problem> {
        Ok(writeln!(self.out, "{}", paint::wrap(text, 0, self.surroundings.width))?)
    }

    fn point(&mut self, mark: &str, text: &str) -> Result<(), Problem> {
        let indent = mark.chars().count() + 1;
        Ok(writeln!(self.out, "{mark} {}", paint::wrap(text, indent, self.surroundings.width))?)
    }

    fn head(&mut self, text: &str) -> Result<(), Problem> {
        Ok(writeln!(self.out, "\n{BOLD}{text}{BOLD:#}")?)
    }

    /// What is told before the run: why, what to watch for, and the questions.
    fn before(&mut self, lesson: &Lesson) -> Result<(), Problem> {
        let number = LESSONS.iter().position(|(name, _)| *name == self.name).unwrap_or(0) + 1;
        writeln!(self.out, "{FAINT}{number} of {}: {}{FAINT:#}", LESSONS.len(), lesson.topic)?;
        writeln!(self.out, "{BOLD}{}{BOLD:#}\n", lesson.title)?;
        self.paragraph(&lesson.why)?;
        self.head("Watch for this")?;
        lesson.watch.iter().try_for_each(|what| self.point("  ·", what))?;
        if !lesson.question.is_empty() {
            self.head("What do you expect?")?;
        }
        for (number, Question { ask, options, .. }) in (1..).zip(&lesson.question) {
            self.point(&format!("{number:>3}"), ask)?;
            for (letter, (option, _)) in LETTERS.iter().zip(options) {
                self.point(&format!("      {letter}"), option)?;
            }
        }
        self.head("The run")?;
        Ok(())
    }

    /// The run, as a timeline; whether it shows what it should.
    fn run(&mut self) -> Result<bool, Problem> {
        let (guests, header) = self.ready(self.name)?;
        let engine = guests.engine(header.plan.scenario.arena.0, self.surroundings)?;
        let show = Show { events: false, quiet: false, format: Format::Text };
        let mut watch = Watch::new(&header, &show, self.surroundings, self.out);
        let (record, turns) = watch.live(engine, &header, Keep::Nothing)?;
        let seen = watch.end()?;
        Ok(seen.report(&header, &record, turns).is_well())
    }

    /// The scenario or a variant of it under seed 1, and what runs it.
    fn ready(&self, scenario: &str) -> Result<(Guests, Header), Problem> {
        let scenario = Scenario::built_in(scenario, None).map_err(|mistake| wrong(mistake.to_string()))?;
        let guests = Guests::read(&scenario, None, self.surroundings)?;
        let header = Header::by(Plan { scenario, seed: 1, interventions: Vec::new() }, guests.sha256());
        Ok((guests, header))
    }

    /// What is told after the run: the answers, what else there is, and what to do by hand.
    fn after(&mut self, lesson: &Lesson) -> Result<(), Problem> {
        if !lesson.question.is_empty() {
            self.head("What the runs say")?;
        }
        for (number, question) in (1..).zip(&lesson.question) {
            let (guests, header) = self.ready(&question.scenario(self.name))?;
            let engine = guests.engine(header.plan.scenario.arena.0, self.surroundings)?;
            let mut simulation = Simulation::new(engine, &header, Keep::Nothing)?;
            simulation.run()?;
            let right = simulation.facts().and_then(|facts| question.answer(facts));
            match right.and_then(|place| LETTERS.get(place).zip(question.options.get(place))) {
                Some((letter, (option, fact))) => {
                    self.point(&format!("{number:>3}"), &format!("{letter}: {option} ({fact})"))?;
                    self.point("      ", &question.told)?;
                }
                None => writeln!(self.out, "{BAD}{number:>3} the run says something else{BAD:#}")?,
            }
        }
        let variants = variants(self.name, text_of(self.name).unwrap_or_default());
        if !variants.is_empty() {
            self.head("Otherwise")?;
        }
        for variant in variants {
            writeln!(self.out, "    raftbox run {}", variant.whole)?;
            self.point("      ", &variant.about)?;
        }
        self.head("By hand")?;
        if let Some(goal) = &lesson.goal {
            self.point("  ◆", &goal.what)?;
        }
        writeln!(self.out, "    raftbox serve{FAINT}, and scenario {} there{FAINT:#}", self.name)?;
        let place = LESSONS.iter().position(|(name, _)| *name == self.name);
        if let Some((next, _)) = place.and_then(|place| LESSONS.get(place + 1)) {
            writeln!(self.out, "\n{GOOD}next{GOOD:#}  raftbox lesson {next}")?;
        }
        Ok(())
    }
}
