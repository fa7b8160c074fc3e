//! What is told when a run is over: the table of nodes, the verdicts, the numbers; or all of it as JSON.

use super::paint::{BAD, BOLD, DOUBT, FAINT, GOOD, grouped, term, wrap};
use super::{Problem, Surroundings};
use crate::agenda::script::Remark;
use crate::check::Verdict;
use crate::event::text::printable;
use crate::expectation::Expectation;
use crate::nodes::{Node, Nodes, State};
use crate::plan::Header;
use crate::timeline::{Tally, seconds};
use crate::trace::Digest;
use anstyle::Style;
use serde_json::{Map, Value, json};
use std::io::Write;

/// All that is told of a run.
pub(super) struct Report<'a> {
    pub(super) header: &'a Header,
    pub(super) digest: Digest,
    pub(super) events: u64,
    pub(super) turns: u64,
    pub(super) sim_us: u64,
    pub(super) wall_us: u64,
    pub(super) verdicts: Vec<(&'static str, Verdict)>,
    pub(super) nodes: &'a Nodes,
    pub(super) tally: Tally,
    /// What the authors of steps should know of them; `None` in a replay, which takes no steps.
    pub(super) remarks: Option<&'a [Remark]>,
    /// What the scenario and its steps expect; `None` in a replay.
    pub(super) expectations: Option<&'a [Expectation]>,
    /// What errors guests told, with whose they are.
    pub(super) errors: Vec<String>,
}

const HEADS: [&str; 11] =
    ["node", "role", "term", "vote", "leader", "log", "durable", "commit", "applied", "boots", "crashes"];

/// A node as a row of the table.
fn row((number, node): (u32, &Node)) -> [String; 11] {
    let name = |node: u32| if node == 0 { "-".to_owned() } else { format!("S{node}") };
    let role = node.role.map_or("-", raftbox_abi::note::Role::word);
    let log = match (node.log.first(), node.log.last()) {
        (first, last) if last < first => "empty".into(),
        (first, last) => format!("{first}..{last}"),
    };
    [
        name(number),
        match node.state {
            State::Up => role.into(),
            State::Paused => format!("{role}, paused"),
            State::Down | State::Halted | State::Trapped => node.state.word().into(),
        },
        node.term.to_string(),
        name(node.vote()),
        name(node.leader),
        log,
        node.durable.to_string(),
        node.commit.to_string(),
        node.applied.to_string(),
        node.boots.to_string(),
        node.crashes.to_string(),
    ]
}

/// What is told of steps, a line each, or one line for all of whom the same is to be said.
fn remarks(remarks: &[Remark]) -> Vec<String> {
    let same = |one: &Remark, other: &Remark| (one.origin, &one.why) == (other.origin, &other.why);
    let firsts =
        remarks.iter().enumerate().filter(|(place, remark)| !remarks[..*place].iter().any(|other| same(other, remark)));
    let line = |(_, first): (usize, &Remark)| {
        let numbers: Vec<String> =
            remarks.iter().filter(|other| same(first, other)).map(|other| other.number.to_string()).collect();
        match numbers.as_slice() {
            [] | [_] => first.to_string(),
            [others @ .., last] => format!("{}s {} and {last}: {}", first.origin.word(), others.join(", "), first.why),
        }
    };
    firsts.map(line).collect()
}

impl Report<'_> {
    /// Whether the run is as it should be: as its scenario expects, or, where that does not say, with every property held.
    pub(super) fn is_well(&self) -> bool {
        let holds = || self.verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Pass);
        let expectations = self.expectations.unwrap_or_default();
        let says = self.header.plan.scenario.expect.is_some() && !expectations.is_empty();
        expectations.iter().all(Expectation::is_met) && (says || holds())
    }

    /// Of a second number per second of wall time.
    fn rate(&self, count: u64) -> u64 {
        u64::try_from(u128::from(count) * 1_000_000 / u128::from(self.wall_us.max(1))).unwrap_or(u64::MAX)
    }

    pub(super) fn json(&self) -> Map<String, Value> {
        let verdicts = self.verdicts.iter().map(|(name, verdict)| ((*name).to_owned(), json!(verdict)));
        let Tally { acknowledged, failed, unknown } = self.tally;
        let whole = json!({
            "ok": self.is_well(),
            "scenario": self.header.plan.scenario.name,
            "seed": self.header.plan.seed,
            "nodes": self.header.plan.scenario.nodes,
            "digest": self.digest.to_string(),
            "events": self.events,
            "turns": self.turns,
            "sim_us": self.sim_us,
            "wall_us": self.wall_us,
            "operations": { "acknowledged": acknowledged, "failed": failed, "unknown": unknown },
            "verdicts": verdicts.collect::<Map<_, _>>(),
            "remarks": self.remarks,
            "expectations": self.expectations,
            "guest_sha256": self.header.guests.first(),
        });
        match whole {
            Value::Object(map) => map,
            _ => unreachable!("it was written as one"),
        }
    }

    pub(super) fn table(&self, surroundings: &Surroundings, out: &mut dyn Write) -> Result<(), Problem> {
        let rows: Vec<_> = self.nodes.iter().map(row).collect();
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].len());
            cells.chain([HEADS[column].len()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..HEADS.len()).map(width).collect();
        let total = widths.iter().sum::<usize>() + 2 * (widths.len() - 1);
        let gap = if surroundings.width.is_some_and(|width| width < total) { " " } else { "  " };
        let line = |cells: &[String]| {
            let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            padded.collect::<Vec<_>>().join(gap).trim_end().to_owned()
        };
        writeln!(out, "\n{BOLD}{}{BOLD:#}", line(&HEADS.map(String::from)))?;
        for ((_, node), row) in self.nodes.iter().zip(&rows) {
            let style = if node.state.is_up() { term(node.term) } else { BAD };
            writeln!(out, "{style}{}{style:#}", line(row))?;
        }
        Ok(())
    }

    pub(super) fn verdicts(&self, surroundings: &Surroundings, out: &mut dyn Write) -> Result<(), Problem> {
        let (passed, others): (Vec<_>, Vec<_>) =
            self.verdicts.iter().partition(|(_, verdict)| *verdict == Verdict::Pass);
        writeln!(out)?;
        for (name, verdict) in others {
            let (mark, style, sentence): (char, Style, String) = match verdict {
                Verdict::Pass => ('✓', GOOD, String::new()),
                Verdict::Violated { event, at, what } => {
                    ('✗', BAD, format!("violated at {} by event {event}: {what}", seconds(*at)))
                }
                Verdict::Unobserved { missing } => ('?', DOUBT, format!("cannot be judged, for want of {missing}")),
                Verdict::Unknown { why } => ('?', DOUBT, format!("cannot be judged: {why}")),
            };
            let sentence = wrap(&printable(&sentence), 29, surroundings.width);
            writeln!(out, "{style}{mark} {name:<25}{style:#}  {sentence}")?;
        }
        if !passed.is_empty() {
            let names: Vec<&str> = passed.iter().map(|(name, _)| *name).collect();
            let count = match passed.len() {
                1 => "1 property held: ".to_owned(),
                count => format!("{count} properties held: "),
            };
            let names = wrap(&format!("{count}{}", names.join(", ")), 2, surroundings.width);
            writeln!(out, "{GOOD}✓{GOOD:#} {names}")?;
        }
        let (met, unmet): (Vec<_>, Vec<_>) =
            self.expectations.unwrap_or_default().iter().partition(|expectation| expectation.is_met());
        if !met.is_empty() {
            let met = met.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            writeln!(
                out,
                "{GOOD}✓{GOOD:#} {}",
                wrap(&printable(&format!("as expected: {met}")), 2, surroundings.width)
            )?;
        }
        for expectation in unmet {
            let told = format!("not as expected: {expectation}");
            writeln!(out, "{BAD}✗{BAD:#} {}", wrap(&printable(&told), 2, surroundings.width))?;
        }
        for remark in remarks(self.remarks.unwrap_or_default()) {
            writeln!(out, "{DOUBT}·{DOUBT:#} {}", wrap(&printable(&remark), 2, surroundings.width))?;
        }
        for error in &self.errors {
            writeln!(out, "{BAD}!{BAD:#} {}", wrap(&printable(error), 2, surroundings.width))?;
        }
        Ok(())
    }

    pub(super) fn numbers(&self, out: &mut dyn Write) -> Result<(), Problem> {
        let Tally { acknowledged, failed, unknown } = self.tally;
        let mut label = |name: &str, text: String| writeln!(out, "{FAINT}{name:<12}{FAINT:#}{text}");
        let unknown_why = if unknown > 0 { " (no answer in time: they may have taken effect, or not)" } else { "" };
        label(
            "operations",
            format!("{} acknowledged, {failed} failed, {unknown} unknown{unknown_why}", grouped(acknowledged)),
        )?;
        label(
            "run",
            format!(
                "{} turns, {} events, {} simulated",
                grouped(self.turns),
                grouped(self.events),
                seconds(self.sim_us)
            ),
        )?;
        label(
            "speed",
            format!(
                "{} wall time, {} turns/s, {} simulated seconds per second",
                seconds(self.wall_us),
                grouped(self.rate(self.turns)),
                grouped(self.rate(self.sim_us) / 1_000_000)
            ),
        )?;
        Ok(())
    }
}
