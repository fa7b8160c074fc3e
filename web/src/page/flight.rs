//! A message on its way, on its link: how it is drawn, grabbed and moved.

use super::mail::{Dragged, arrival, arrive};
use super::picture::Flight;
use super::ring::{MIDDLE, NODE, SIZE, part, place};
use super::state::{Page, Selected};
use leptos::prelude::*;
use raftbox::event::{MessageName, Micros};
use raftbox::scenario::step::Message;
use raftbox::view::message::Shape;
use web_sys::wasm_bindgen::JsCast as _;

/// The outline of a message.
pub(super) fn outline(shape: Shape) -> &'static str {
    match shape {
        Shape::PreVote | Shape::Vote | Shape::PreVoteReply | Shape::VoteReply => "M0 -8L8 0L0 8L-8 0Z",
        Shape::Heartbeat => "M-3 0A3 3 0 1 0 3 0A3 3 0 1 0 -3 0Z",
        Shape::Append(_) => "M-9 -7H9V7H-9Z",
        Shape::AppendReply => "M0 -7L8 6H-8Z",
        Shape::Snapshot => "M-8 -3H3V8H-8ZM-3 -3V-8H8V3H3",
        Shape::TimeoutNow => "M2 -9L-6 2H0L-2 9L6 -2H0Z",
        Shape::Request | Shape::Reply => "M-8 0A8 8 0 1 0 8 0A8 8 0 1 0 -8 0Z",
        Shape::Other => "M-6 -6H6V6H-6Z",
    }
}

pub(super) fn shape_class(shape: Shape) -> &'static str {
    match shape {
        Shape::PreVote | Shape::PreVoteReply => "hollow",
        Shape::Request | Shape::Reply => "client-message",
        _ => "solid",
    }
}

/// What stands on a message: a number of entries, a letter, a tick or a cross.
pub(super) fn inscription(flight: &Flight) -> String {
    match (flight.shape, flight.grants) {
        (Shape::Append(entries), _) => entries.to_string(),
        (Shape::Request, _) => flight.words.chars().next().unwrap_or('?').to_uppercase().collect(),
        (Shape::Heartbeat, _) => String::new(),
        (_, Some(true)) => "✓".into(),
        (_, Some(false)) => "✗".into(),
        (_, None) => String::new(),
    }
}

/// Two hooks that point back: one that was sent later has come before it.
pub(super) const LATE: &str = "M-13 -6L-17 0L-13 6H-15L-19 0L-15 -6ZM-18 -6L-22 0L-18 6H-20L-24 0L-20 -6Z";
/// Brackets around it: it is held.
pub(super) const HELD: &str = "M-12 -7H-8V-5H-10V5H-8V7H-12ZM12 -7H8V-5H10V5H8V7H12Z";

/// A place on the ring.
type Point = (f64, f64);

/// The mark of a message that an event is about.
fn mark(event: &web_sys::Event) -> Option<web_sys::Element> {
    let target: web_sys::Element = event.target()?.dyn_into().ok()?;
    target.closest("[data-message]").ok()?
}

/// The message that an event on the ring is about, if it is about one.
pub(super) fn message(event: &web_sys::Event) -> Option<MessageName> {
    let Message(name) = mark(event)?.get_attribute("data-message")?.parse().ok()?;
    Some(name)
}

/// Where a pointer is, in the units of the ring.
fn on_ring(event: &web_sys::PointerEvent) -> Point {
    let Some(Ok(Some(ring))) = mark(event).map(|mark| mark.closest("svg")) else { return (0.0, 0.0) };
    let bounds = ring.get_bounding_client_rect();
    let scale = (bounds.width().min(bounds.height()) / SIZE).max(0.001);
    let x = f64::from(event.client_x()) - bounds.left() - bounds.width() / 2.0;
    let y = f64::from(event.client_y()) - bounds.top() - bounds.height() / 2.0;
    (x / scale, y / scale + MIDDLE)
}

/// What happens to the pointer is told to the mark that was grabbed, wherever the pointer goes.
fn hold(event: &web_sys::PointerEvent) {
    if let Some(mark) = mark(event) {
        drop(mark.set_pointer_capture(event.pointer_id()));
    }
}

/// The way of a message.
#[derive(Clone, Copy)]
pub(super) struct Way {
    name: MessageName,
    from: Point,
    to: Point,
    sent: Micros,
    /// When something becomes of it, if that is known.
    ends: Option<Micros>,
}

impl Way {
    pub(super) fn of(flight: &Flight, (nodes, clients): (usize, usize)) -> Self {
        let name = flight.name;
        let (from, to) = (place(name.from, nodes, clients), place(name.to, nodes, clients));
        Self { name, from, to, sent: flight.sent, ends: flight.ends.map(|(end, _)| end) }
    }

    /// That of the message that a pointer holds, or of the one that it is on.
    fn pointed(page: Page, name: Option<MessageName>) -> Option<Self> {
        let name = page.grabbed.get_untracked().map(|(grabbed, _)| grabbed).or(name)?;
        page.picture.with_untracked(|picture| {
            let flight = picture.flights.iter().find(|flight| flight.name == name)?;
            Some(Self::of(flight, (picture.nodes.len(), picture.clients.len())))
        })
    }

    /// Where the message is: beside the middle of its link, so that both directions are told apart.
    pub(super) fn at(&self, page: Page) -> Point {
        let way = self.dragged(page).map_or_else(
            || match self.ends {
                Some(end) if !page.still => part(self.sent, end, page.time.get_untracked()),
                Some(_) => self.stands(),
                None => 0.5,
            },
            |dragged| dragged.way,
        );
        let (dx, dy, length, inset) = self.line();
        let aside = 5.0;
        let way = inset + way * (1.0 - 2.0 * inset);
        (self.from.0 + dx * way - dy / length * aside, self.from.1 + dy * way + dx / length * aside)
    }

    /// Where it stands for who wants nothing to move: those that are sent one after the other stand side by side.
    fn stands(&self) -> f64 {
        0.35 + 0.1 * (self.name.n % 4) as f64
    }

    /// The link: how far it goes right and down, its length, and which part of that lies within a node.
    fn line(&self) -> (f64, f64, f64, f64) {
        let (dx, dy) = (self.to.0 - self.from.0, self.to.1 - self.from.1);
        let length = dx.hypot(dy).max(1.0);
        (dx, dy, length, NODE / length)
    }

    /// How far along the way a point is, 0 to 1.
    fn along(&self, point: Point) -> f64 {
        let (dx, dy, length, inset) = self.line();
        let way = ((point.0 - self.from.0) * dx + (point.1 - self.from.1) * dy) / (length * length);
        ((way - inset) / (1.0 - 2.0 * inset)).clamp(0.0, 1.0)
    }

    fn dragged(&self, page: Page) -> Option<Dragged> {
        page.dragged.get_untracked().filter(|dragged| dragged.name == self.name)
    }

    /// A pointer takes the message.
    fn grab(&self, page: Page, event: &web_sys::PointerEvent) {
        // Of a mouse the left button, of fingers the first.
        if event.button() != 0 || !event.is_primary() {
            return;
        }
        hold(event);
        page.playing.set(false);
        page.grabbed.set(Some((self.name, on_ring(event))));
    }

    /// The pointer moves; the message goes along once it is clear that it is not only touched.
    fn drag(&self, page: Page, event: &web_sys::PointerEvent) {
        let Some((_, start)) = page.grabbed.get_untracked().filter(|(grabbed, _)| *grabbed == self.name) else {
            return;
        };
        let point = on_ring(event);
        if page.dragged.get_untracked().is_some() || (start.0 - point.0).hypot(start.1 - point.1) > 6.0 {
            let way = self.along(point);
            let arrives = arrival(self.sent, page.time.get_untracked(), way);
            page.dragged.set(Some(Dragged { name: self.name, way, arrives }));
        }
    }

    /// The pointer lets go: the message arrives when that says, or is selected if it was only touched.
    fn leave(&self, page: Page) {
        page.grabbed.set(None);
        match page.dragged.get_untracked().filter(|dragged| dragged.name == self.name) {
            Some(dragged) => {
                page.dragged.set(None);
                arrive(page, self.name, dragged.arrives);
            }
            None => page.selected.set(Some(Selected::Message(self.name))),
        }
    }

    /// When it arrives if it is left where it is dragged.
    pub(super) fn told(&self, page: Page) -> Option<String> {
        let dragged = self.dragged(page)?;
        let now = page.time.get_untracked();
        Some(if dragged.arrives <= now { "now".into() } else { format!("in {} ms", (dragged.arrives - now) / 1000) })
    }
}

/// What a pointer does on the ring of the run that is shown.
pub(super) fn hand(page: Page, event: &web_sys::PointerEvent) {
    let held = page.grabbed.get_untracked().is_some();
    match (event.type_().as_str(), Way::pointed(page, message(event))) {
        ("pointerdown", Some(way)) => way.grab(page, event),
        ("pointermove", Some(way)) if held => way.drag(page, event),
        ("pointerup", Some(way)) if held => way.leave(page),
        // It is gone, or the browser takes the pointer for itself.
        ("pointerup" | "pointercancel", _) => {
            page.grabbed.set(None);
            page.dragged.set(None);
        }
        _ => {}
    }
}
