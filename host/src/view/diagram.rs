//! Rows and lines of a space-time diagram: who did what when, and which messages went between.
//!
//! Each node and each client has a lane; time runs along it. Of the many events only those are marked that change
//! something to look at; messages are lines. A picture has room for so much, so both are bounded, and what was left out
//! is counted.

use super::band::Band;
use super::client::Operation;
use super::message::{Message, What};
use super::{Moment, Seen, Tables, View, in_order, lane};
use crate::event::text::{Text, Tone};
use crate::event::{Cause, ClientId, Decision, Effect, Endpoint, Event, MessageName, Micros};
use raftbox_abi::note::Body;

/// The part of a run that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// From this time on.
    pub from: Micros,
    /// Up to this time.
    pub to: Micros,
    /// At the most so many marks, and so many lines.
    pub most: usize,
    /// Whether clients have lanes, and what they say has lines.
    pub clients: bool,
}

/// A mark in a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// In whose lane.
    pub lane: Endpoint,
    /// Which event.
    pub moment: Moment,
    /// The mark, as in [`event::text`](crate::event::text).
    pub mark: char,
    /// What happens, in a word or two.
    pub what: &'static str,
    /// What it is to the reader.
    pub tone: Tone,
    /// Whether it stays when there is no room for all.
    pub weighty: bool,
}

/// The marks of a run, in order.
#[derive(Clone, Debug, Default)]
pub struct Marks(Vec<Mark>);

impl Marks {
    /// Those between two times, both included.
    #[must_use]
    pub fn between(&self, from: Micros, to: Micros) -> &[Mark] {
        let start = self.0.partition_point(|mark| mark.moment.at < from);
        let end = self.0.partition_point(|mark| mark.moment.at <= to);
        &self.0[start..end.max(start)]
    }

    /// Takes the next event into account; `before` is the state before it.
    pub(super) fn observe(&mut self, seen: &Seen<'_>, before: &View) {
        let Some(weighty) = weight(seen, before) else { return };
        let Some(lane) = lane(seen.observed.event) else { return };
        let line = Text::new(|_: &[u8]| None).line(&seen.observed);
        let what = match seen.observed.note.map(|note| &note.body) {
            Some(Body::Role { role, .. }) => role.word(),
            _ => line.what,
        };
        let (mark, tone) = (line.mark, line.tone);
        self.0.push(Mark { lane, moment: seen.moment(), mark, what, tone, weighty });
    }
}

/// Whether an event is marked, and if so, whether it must be.
fn weight(seen: &Seen<'_>, before: &View) -> Option<bool> {
    if seen.moot.is_some() {
        return None;
    }
    match seen.observed.event {
        Event::Cause(
            Cause::Boot { .. }
            | Cause::Crash { .. }
            | Cause::Pause { .. }
            | Cause::Resume { .. }
            | Cause::Clock { .. }
            | Cause::Disk { .. }
            | Cause::Decide {
                decision: Decision::Crash | Decision::Failed { .. } | Decision::Misdirected { .. }, ..
            },
        )
        | Event::Effect(Effect::Halted { .. } | Effect::Trapped { .. }) => Some(true),
        Event::Cause(Cause::Request { .. } | Cause::ClientTimeout { .. } | Cause::Decide { .. })
        | Event::Effect(Effect::Received { .. }) => Some(false),
        Event::Cause(Cause::Synced { status, .. }) => (*status != 0).then_some(true),
        Event::Effect(Effect::Note { .. }) => match &seen.observed.note?.body {
            Body::Role { .. } | Body::Truncate { .. } | Body::Install { .. } | Body::Snapshot { .. } => Some(true),
            Body::Recovered { .. } | Body::HardState { .. } | Body::Refused { .. } | Body::Config { .. } => Some(false),
            Body::Commit { index } => (*index > before.commit).then_some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A message in a diagram: where its line begins and ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which message.
    pub message: MessageName,
    /// When it left.
    pub sent: Moment,
    /// Where the line ends; `None` if that is not known yet.
    pub ends: Option<Moment>,
    /// What becomes of it there; `None` if that is not known yet.
    pub what: Option<What>,
}

/// What a diagram shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagram {
    /// Its lanes, top down.
    pub lanes: Vec<Endpoint>,
    /// Marks, in order.
    pub marks: Vec<Mark>,
    /// Lines, in the order in which they begin; a message that comes twice has two.
    pub lines: Vec<Line>,
    /// What is broken meanwhile.
    pub bands: Vec<Band>,
    /// Operations of clients, in their order.
    pub operations: Vec<(ClientId, Operation)>,
    /// How many marks, lines and operations there was no room for.
    pub left_out: [u64; 3],
}

impl Diagram {
    /// What a window shows; `before` is the state where it begins.
    pub(super) fn new(tables: &Tables, before: &View, window: &Window) -> Self {
        let Window { from, to, most, clients } = *window;
        let shown = |endpoint: Endpoint| clients || matches!(endpoint, Endpoint::Node(_));
        let asking: Vec<ClientId> = tables.operations.clients().map(|(client, _)| client).filter(|_| clients).collect();
        let nodes = before.nodes().map(|(node, _)| Endpoint::Node(node));
        let lanes = nodes.chain(asking.iter().copied().map(Endpoint::Client)).collect();
        let marks = tables.marks.between(from, to).iter().filter(|mark| shown(mark.lane)).collect();
        let (marks, no_mark) = thin_marks(marks, most);

        // What was under way when the window begins, and what left within it.
        let under_way = before.mail.iter().filter_map(|name| tables.messages.get(*name));
        let since = before.after.map_or(0, |moment| moment.at.saturating_add(1)).max(from);
        let mut letters: Vec<&Message> =
            under_way.chain(tables.messages.sent_between(since, to.saturating_add(1))).collect();
        letters.retain(|message| shown(message.name.from) && shown(message.name.to));
        let letters = in_order(letters, |message| message.sent.event);
        let lines: Vec<Line> = letters.into_iter().flat_map(|message| lines(message, from)).collect();
        let (lines, no_line) = thin(lines, most);

        let operations = asking.into_iter().flat_map(|client| {
            tables.operations.between(client, from, to).iter().map(move |operation| (client, operation))
        });
        let (operations, no_operation) = thin(operations.collect(), most);
        Self {
            lanes,
            marks: marks.into_iter().cloned().collect(),
            lines,
            bands: tables.bands.between(from, to).cloned().collect(),
            operations: operations.into_iter().map(|(client, operation)| (client, operation.clone())).collect(),
            left_out: [no_mark, no_line, no_operation],
        }
    }
}

/// At the most so many marks: first those that must be there, then the others.
fn thin_marks(marks: Vec<&Mark>, most: usize) -> (Vec<&Mark>, u64) {
    if marks.len() <= most {
        return (marks, 0);
    }
    let all = marks.len();
    let (must, may): (Vec<_>, Vec<_>) = marks.into_iter().partition(|mark| mark.weighty);
    let (mut kept, _) = thin(must, most);
    let room = most.saturating_sub(kept.len());
    kept.extend(thin(may, room).0);
    let kept = in_order(kept, |mark| mark.moment.event);
    let gone = (all - kept.len()) as u64;
    (kept, gone)
}

/// The lines of a message that have a part after `from`.
fn lines(message: &Message, from: Micros) -> Vec<Line> {
    let line = |ends, what| Line { message: message.name, sent: message.sent, ends, what };
    let fates = message.fates.iter().filter(|fate| fate.moment.at >= from);
    let lines: Vec<Line> = fates.map(|fate| line(Some(fate.moment), Some(fate.what))).collect();
    if message.fates.is_empty() { vec![line(None, None)] } else { lines }
}

/// At the most so many of a list, evenly chosen, and how many there was no room for.
fn thin<T>(list: Vec<T>, most: usize) -> (Vec<T>, u64) {
    let (all, step) = (list.len(), list.len().div_ceil(most.max(1)).max(1));
    if all <= most {
        return (list, 0);
    }
    let kept: Vec<T> = list.into_iter().step_by(step).take(most).collect();
    let gone = (all - kept.len()) as u64;
    (kept, gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_thinned_evenly() {
        assert_eq!(thin((0..10).collect(), 4), (vec![0, 3, 6, 9], 6));
        assert_eq!(thin((0..4).collect(), 4), (vec![0, 1, 2, 3], 0));
        assert_eq!(thin((0..4).collect::<Vec<_>>(), 0), (vec![], 4));
    }
}
