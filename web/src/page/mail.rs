//! Messages on their way, moved by hand: one is chosen after the other by a key, and dragged along its link, or moved by keys,
//! to arrive sooner or later.

use super::branches;
use super::picture::Flight;
use super::state::{Page, Selected, around};
use leptos::prelude::*;
use raftbox::event::{MessageName, Micros};
use raftbox::scenario::step::{Act, Later, Mail};
use raftbox::units::Span;

/// How much sooner or later a message arrives by one press of a key.
const STEP: Micros = 10_000;
/// Whoever drags a message so far has brought it there.
const THERE: f64 = 0.95;
/// The longest way that is dragged: a message that is put back to its sender arrives so much later than it was sent.
const LONGEST: Micros = 10_000_000;

/// A message that is being dragged, and how far along its way it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Dragged {
    pub(crate) name: MessageName,
    pub(crate) way: f64,
    /// When it will arrive if it is left there.
    pub(crate) arrives: Micros,
}

/// When a message arrives that was sent then and is so far along its way now.
pub(crate) fn arrival(sent: Micros, now: Micros, way: f64) -> Micros {
    if way >= THERE {
        return now;
    }
    let travelled = now.saturating_sub(sent).max(1) as f64;
    let arrives = sent.saturating_add((travelled / way.max(0.001)) as u64);
    arrives.clamp(now, sent.saturating_add(LONGEST).max(now))
}

/// Has a message arrive at that time of the run.
pub(crate) fn arrive(page: Page, name: MessageName, at: Micros) {
    let act = if at <= page.time.get_untracked() {
        Act::Deliver(name)
    } else {
        Act::Delay(Mail::One(name), Later::Until(Span(at)))
    };
    branches::act(page, act);
}

fn flight(page: Page, name: MessageName) -> Option<Flight> {
    page.picture.with_untracked(|picture| picture.flights.iter().find(|flight| flight.name == name).cloned())
}

/// Has the selected message arrive a little later, or sooner; `false` if none is selected.
pub(crate) fn shift(page: Page, later: bool) -> bool {
    let Some(Selected::Message(name)) = page.selected.get_untracked() else { return false };
    match flight(page, name).map(|flight| flight.ends) {
        Some(Some((at, false))) => {
            arrive(page, name, if later { at.saturating_add(STEP) } else { at.saturating_sub(STEP) });
        }
        Some(Some((_, true))) => page.fail("That message will be lost; deliver it now, or let another copy arrive."),
        _ => page.fail("That message has no time at which it arrives; deliver it now."),
    }
    true
}

/// Selects the message on its way that was sent next after the selected one, or before it.
pub(crate) fn choose(page: Page, forward: bool) {
    let mut names: Vec<(Micros, MessageName)> = page
        .picture
        .with_untracked(|picture| picture.flights.iter().map(|flight| (flight.sent, flight.name)).collect());
    names.sort_unstable();
    let selected = match page.selected.get_untracked() {
        Some(Selected::Message(name)) => names.iter().position(|(_, other)| *other == name),
        _ => None,
    };
    let count = names.len();
    if count == 0 {
        return page.fail("No message is on its way here.");
    }
    let at = selected.map_or(if forward { 0 } else { count - 1 }, |at| around(count, at, forward));
    page.problem.set(None);
    page.selected.set(Some(Selected::Message(names[at].1)));
}

/// What a key does to the selected message; `None` if it means nothing there.
pub(crate) fn act(name: MessageName, key: &str) -> Option<Act> {
    Some(match key {
        "d" | "D" => Act::Deliver(name),
        "x" | "X" => Act::Drop(name),
        "h" | "H" => Act::Hold(Mail::One(name)),
        "u" | "U" => Act::Duplicate(name, Later::By(Span(5_000))),
        _ => return None,
    })
}
