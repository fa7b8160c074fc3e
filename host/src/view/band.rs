//! Spans of time in which something is broken: a node that is down or paused, links that are cut or held up, clocks that run
//! wrong, disks that lie or do not answer.
//!
//! Links that are cut together are one span where they part the cluster into sides, and a span each where they do not.

use super::wait::Waits;
use super::{Moment, Seen, View};
use crate::cuts::{Cuts, Link};
use crate::event::text::clock;
use crate::event::{Cause, Decision, DiskFault, Effect, Event, Micros, NodeId};
use std::collections::BTreeMap;

/// What is broken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A node is down: it crashed, stopped itself or trapped.
    Down(NodeId),
    /// A node is paused.
    Paused(NodeId),
    /// A node's clock runs fast or slow, by so many parts per million.
    Clock(NodeId, i32),
    /// A node's disk says of syncs that they are done, and keeps nothing.
    Lies(NodeId),
    /// The network is split into sides, which it names.
    Split(String),
    /// A link is cut in one direction.
    Cut(Link),
    /// A node's disk does not answer a sync.
    Stalled(NodeId),
    /// Messages on a link take long.
    Late(Link),
}

impl Fault {
    /// Its name, for people.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Down(node) => format!("S{node} is down"),
            Self::Paused(node) => format!("S{node} is paused"),
            Self::Clock(node, ppm) => format!("S{node}'s clock {}", clock(0, *ppm)),
            Self::Lies(node) => format!("S{node}'s disk lies"),
            Self::Split(sides) => format!("the network is split: {sides}"),
            Self::Cut((from, to)) => format!("{from}→{to} is cut"),
            Self::Stalled(node) => format!("S{node}'s disk does not answer"),
            Self::Late((from, to)) => format!("{from}→{to} is held up"),
        }
    }

    /// The node that it is about, if it is one.
    #[must_use]
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Self::Down(node) | Self::Paused(node) | Self::Clock(node, _) | Self::Lies(node) | Self::Stalled(node) => {
                Some(*node)
            }
            Self::Split(_) | Self::Cut(_) | Self::Late(_) => None,
        }
    }
}

/// A span of time in which something is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// What.
    pub fault: Fault,
    /// Since when.
    pub from: Moment,
    /// Until when; `None` if it is still so.
    pub until: Option<Moment>,
}

/// All spans of a run, in the order in which they began.
#[derive(Clone, Debug, Default)]
pub struct Bands {
    all: Vec<Band>,
    /// Where in `all` those are that go on.
    open: BTreeMap<Fault, usize>,
    /// When the links changed whose change may not be complete yet.
    links: Option<Moment>,
    waits: Waits,
    /// Of each fault that is told when it is over, where its last span is in `all`.
    waited: BTreeMap<Fault, usize>,
    /// What goes on, as far as can be told now: what the last change of links comes to, and what waits.
    pending: Vec<Band>,
}

impl Bands {
    /// Each span.
    pub fn all(&self) -> impl Iterator<Item = &Band> {
        self.all.iter().chain(&self.pending)
    }

    /// The spans that go on after an event.
    pub fn at(&self, event: u64) -> impl Iterator<Item = &Band> {
        let begun = self.all.partition_point(|band| band.from.event <= event);
        let pending = self.pending.iter().filter(move |band| band.from.event <= event);
        self.all[..begun].iter().chain(pending).filter(move |band| band.until.is_none_or(|until| until.event > event))
    }

    /// The spans that have a part between two times.
    pub fn between(&self, from: Micros, to: Micros) -> impl Iterator<Item = &Band> {
        let begun = self.all.partition_point(|band| band.from.at <= to);
        let pending = self.pending.iter().filter(move |band| band.from.at <= to);
        self.all[..begun].iter().chain(pending).filter(move |band| band.until.is_none_or(|until| until.at >= from))
    }

    fn begin(&mut self, fault: Fault, from: Moment) {
        if !self.open.contains_key(&fault) {
            self.open.insert(fault.clone(), self.all.len());
            self.all.push(Band { fault, from, until: None });
        }
    }

    fn end(&mut self, moment: Moment, which: impl Fn(&Fault) -> bool) {
        let over: Vec<Fault> = self.open.keys().filter(|fault| which(fault)).cloned().collect();
        for fault in over {
            if let Some(band) = self.open.remove(&fault).and_then(|place| self.all.get_mut(place)) {
                band.until = Some(moment);
            }
        }
    }

    /// Takes the next event into account; `before` is the state before it.
    pub(super) fn observe(&mut self, seen: &Seen<'_>, before: &View) {
        let moment = seen.moment();
        self.waits.observe(seen).into_iter().for_each(|band| self.waited(band));
        match seen.observed.event {
            Event::Cause(Cause::Link { .. }) => {
                if self.links.is_some_and(|links| links.at != moment.at) {
                    self.settle(&before.cuts);
                }
                self.links.get_or_insert(moment);
            }
            Event::Cause(cause) => {
                self.settle(&before.cuts);
                if seen.moot.is_none() {
                    self.cause(cause, moment);
                }
            }
            Event::Effect(Effect::Halted { node, .. } | Effect::Trapped { node }) => self.down(*node, moment),
            Event::Effect(_) => {}
        }
    }

    fn cause(&mut self, cause: &Cause, moment: Moment) {
        match *cause {
            Cause::Crash { node } | Cause::Decide { node, decision: Decision::Crash, .. } => self.down(node, moment),
            Cause::Boot { node, .. } => self.end(moment, |fault| *fault == Fault::Down(node)),
            Cause::Disk { node, fault: DiskFault::Lies { lies: true } } => self.begin(Fault::Lies(node), moment),
            Cause::Disk { node, fault: DiskFault::Lies { lies: false } } => {
                self.end(moment, |fault| *fault == Fault::Lies(node));
            }
            Cause::Pause { node } => self.begin(Fault::Paused(node), moment),
            Cause::Resume { node } => self.end(moment, |fault| *fault == Fault::Paused(node)),
            Cause::Clock { node, ppm, .. } => {
                let same = Fault::Clock(node, ppm);
                self.end(moment, |fault| matches!(fault, Fault::Clock(whose, _) if *whose == node) && *fault != same);
                if ppm != 0 {
                    self.begin(same, moment);
                }
            }
            _ => {}
        }
    }

    /// Puts in its place a span that is told when it is over. Those of one fault that overlap are one.
    fn waited(&mut self, band: Band) {
        let overlaps = |place: &&usize| self.all[**place].until.is_some_and(|until| until.event >= band.from.event);
        if let Some(place) = self.waited.get(&band.fault).filter(overlaps) {
            self.all[*place].until = self.all[*place].until.max(band.until);
            return;
        }
        let place = self.all.partition_point(|other| other.from.event <= band.from.event);
        for after in self.open.values_mut().chain(self.waited.values_mut()).filter(|after| **after >= place) {
            *after += 1;
        }
        self.waited.insert(band.fault.clone(), place);
        self.all.insert(place, band);
    }

    fn down(&mut self, node: NodeId, moment: Moment) {
        self.end(moment, |fault| *fault == Fault::Paused(node));
        self.begin(Fault::Down(node), moment);
    }

    /// Links that changed together have all changed: what they come to now is told.
    fn settle(&mut self, cuts: &Cuts) {
        let Some(moment) = self.links.take() else { return };
        let faults = faults(cuts);
        let of_links = |fault: &Fault| matches!(fault, Fault::Split(_) | Fault::Cut(_));
        self.end(moment, |fault| of_links(fault) && !faults.contains(fault));
        faults.into_iter().for_each(|fault| self.begin(fault, moment));
    }

    /// More may come later; until then, links that changed last are told as if all had, and what waits as what goes on.
    pub(super) fn pause(&mut self, now: &View) {
        self.pending.clear();
        if let Some(from) = self.links {
            let new = faults(&now.cuts).into_iter().filter(|fault| !self.open.contains_key(fault));
            self.pending.extend(new.map(|fault| Band { fault, from, until: None }));
        }
        let mut waiting: BTreeMap<Fault, Band> = BTreeMap::new();
        for band in self.waits.at(now.at()) {
            let first = waiting.get(&band.fault).is_none_or(|other| band.from < other.from);
            if first {
                waiting.insert(band.fault.clone(), band);
            }
        }
        self.pending.extend(waiting.into_values());
    }
}

/// What the links that are cut come to.
fn faults(cuts: &Cuts) -> Vec<Fault> {
    match cuts.sides() {
        Some(sides) => vec![Fault::Split(sides)],
        None => cuts.iter().map(Fault::Cut).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Observed;
    use crate::event::{Endpoint, MessageName};
    use crate::view::entry::Entries;

    fn bands(causes: &[(Micros, Cause)]) -> Vec<(String, Micros, Option<Micros>)> {
        let events: Vec<_> = causes.iter().map(|(at, cause)| (*at, Event::Cause(cause.clone()))).collect();
        spans(&events)
    }

    fn spans(events: &[(Micros, Event<'_>)]) -> Vec<(String, Micros, Option<Micros>)> {
        let (mut bands, mut view) = (Bands::default(), View::new(3));
        for (index, (at, event)) in (0..).zip(events) {
            let seen = Seen { observed: Observed { index, at: *at, event, note: None }, moot: None };
            bands.observe(&seen, &view);
            view.observe(&seen, &Entries::default());
        }
        bands.pause(&view);
        let told = |band: &Band| (band.fault.name(), band.from.at, band.until.map(|until| until.at));
        bands.all().map(told).collect()
    }

    fn link(from: u32, to: u32, up: bool) -> Cause {
        Cause::Link { from: Endpoint::Node(from), to: Endpoint::Node(to), up }
    }

    #[test]
    fn links_that_are_cut_together_are_one_partition() {
        let cut = [(5, link(1, 2, false)), (5, link(2, 1, false)), (5, link(1, 3, false)), (5, link(3, 1, false))];
        let healed = [(9, link(1, 2, true)), (9, link(2, 1, true)), (9, link(1, 3, true)), (9, link(3, 1, true))];
        let all: Vec<_> = cut.into_iter().chain(healed).collect();
        let all: Vec<_> = all.into_iter().chain([(10, Cause::Pause { node: 4 })]).collect();
        assert_eq!(bands(&all)[0], ("the network is split: S1 | S2 S3".to_owned(), 5, Some(9)));
        assert_eq!(bands(&[(5, link(1, 2, false))]), [("S1→S2 is cut".to_owned(), 5, None)]);
    }

    #[test]
    fn what_takes_long_is_a_span_and_stands_where_it_began() {
        let message = |id| MessageName { from: Endpoint::Node(1), to: Endpoint::Node(2), n: id };
        let sent = |id| Event::Effect(Effect::Sent { message: message(id), operation: 0, bytes: &[] });
        let sync = |sync| Event::Effect(Effect::Sync { node: 3, sync, ticket: sync });
        let arrives =
            |id| Event::Cause(Cause::Deliver { message: message(id), copy: 0, keep: false, alterations: Vec::new() });
        let synced = |sync| Event::Cause(Cause::Synced { node: 3, boot: 1, sync, status: 0 });
        let events = [
            (0, sent(0)),
            (10, sync(0)),
            (20_000, sent(1)),
            (30_000, Event::Cause(Cause::Pause { node: 2 })),
            (40_000, synced(0)),
            (120_000, arrives(0)),
            (130_000, arrives(1)),
            (140_000, sync(1)),
            (150_000, sent(2)),
            (190_000, synced(1)),
            (191_000, sync(2)),
            (250_000, Event::Cause(Cause::Resume { node: 2 })),
        ];
        let told = |events: &[(Micros, Event<'_>)]| {
            let all = spans(events);
            all.iter().map(|(name, from, until)| format!("{name} {from} {until:?}")).collect::<Vec<_>>().join("\n")
        };
        // Neither a sync of 40 ms nor a message that waits for 100 ms yet is told; overlapping ones are one.
        assert_eq!(
            told(&events),
            "S1→S2 is held up 0 Some(130000)\nS2 is paused 30000 Some(250000)\nS3's disk does not answer 140000 \
             Some(190000)\nS3's disk does not answer 191000 None\nS1→S2 is held up 150000 None"
        );
    }

    #[test]
    fn a_crash_ends_a_pause_and_a_boot_ends_a_crash() {
        let causes = [
            (1, Cause::Pause { node: 1 }),
            (2, Cause::Crash { node: 1 }),
            (4, Cause::Boot { node: 1, survivors: Vec::new() }),
        ];
        assert_eq!(bands(&causes), [("S1 is paused".to_owned(), 1, Some(2)), ("S1 is down".to_owned(), 2, Some(4))]);
    }

    #[test]
    fn a_clock_that_is_set_anew_is_another_span() {
        let clock = |ppm| Cause::Clock { node: 2, jump: 0, ppm };
        assert_eq!(
            bands(&[(1, clock(20_000)), (2, clock(20_000)), (3, clock(-10_000)), (4, clock(0))]),
            [
                ("S2's clock runs 2.00 % fast".to_owned(), 1, Some(3)),
                ("S2's clock runs 1.00 % slow".to_owned(), 3, Some(4))
            ]
        );
    }
}
