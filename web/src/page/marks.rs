//! The marks of all messages on a ring.
//!
//! They come and go by the hundred and move at every frame. So they are drawn by hand: one effect for all of them, in which
//! nothing is touched that stays as it is. What a mark looks like is said in [`flight`](super::flight).

use super::flight::{HELD, LATE, Way, inscription, outline, shape_class};
use super::picture::{Flight, Picture};
use super::state::{Page, Selected};
use leptos::prelude::*;
use raftbox::event::{MessageName, Micros};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use web_sys::Element;

/// What is drawn of messages.
#[derive(Default)]
pub(super) struct Marks {
    drawn: BTreeMap<MessageName, Mark>,
    /// Counts the drawings: what the last one did not draw is gone.
    round: u64,
}

/// What is drawn of one message.
struct Mark {
    group: Element,
    round: u64,
    looks: Looks,
    /// Where it is, in tenths.
    at: (i64, i64),
    told: Option<String>,
}

/// All that a mark shows of its message, apart from where it is and what is told while it is dragged.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Looks {
    ends: Option<(Micros, bool)>,
    copies: (bool, bool),
    overtaken: bool,
    selected: bool,
    pointed: bool,
}

impl Looks {
    fn of(page: Page, flight: &Flight) -> Self {
        Self {
            ends: flight.ends,
            copies: (flight.again, flight.more),
            overtaken: flight.overtaken,
            selected: page.selected.get_untracked() == Some(Selected::Message(flight.name)),
            pointed: page.pointed.get_untracked() == Some(flight.name),
        }
    }

    fn class(self, flight: &Flight) -> String {
        let flag = |on: bool, class: &'static str| if on { class } else { "" };
        let lost = self.ends.is_some_and(|(_, lost)| lost);
        [
            "message ",
            shape_class(flight.shape),
            flag(lost, " lost"),
            flag(self.selected, " selected"),
            flag(self.pointed, " pointed"),
        ]
        .concat()
    }

    fn inside(self, flight: &Flight) -> String {
        let shape = outline(flight.shape);
        let (held, late) = (if self.ends.is_none() { HELD } else { "" }, if self.overtaken { LATE } else { "" });
        let copy = match self.copies {
            (false, false) => String::new(),
            _ => format!("<path class='copy' d='{shape}' transform='translate(4 -4)'/>"),
        };
        // Only what is written here is read as markup; words are set as text.
        format!(
            "<title></title><circle class='halo' r='12'/>{copy}<path d='{shape}{held}{late}'/><text y='3.5'></text><text class='arrival' y='-14'></text>"
        )
    }
}

fn set(element: &Element, name: &str, value: &str) {
    drop(element.set_attribute(name, value));
}

/// Sets the text of a part of a mark.
fn say(group: &Element, part: &str, text: &str) {
    if let Ok(Some(part)) = group.query_selector(part) {
        part.set_text_content(Some(text));
    }
}

impl Marks {
    /// Draws the messages in a layer of the ring as they are now.
    pub(super) fn draw(&mut self, layer: &Element, page: Page, picture: &Picture) {
        // What is looked at for each message is tracked once for all.
        let _ = (page.time.get(), page.selected.get(), page.pointed.get(), page.dragged.get());
        self.round += 1;
        let (round, count) = (self.round, (picture.nodes.len(), picture.clients.len()));
        // From the last to the first, so that each is put before the one that comes after it.
        let mut next: Option<Element> = None;
        for flight in picture.flights.iter().rev() {
            let looks = Looks::of(page, flight);
            let mark = match self.drawn.entry(flight.name) {
                Entry::Occupied(mark) => mark.into_mut(),
                Entry::Vacant(place) => {
                    let Some(group) = group(layer, flight, next.as_ref()) else { continue };
                    let mark = place.insert(Mark { group, round, looks, at: (i64::MAX, 0), told: None });
                    mark.dress(flight, looks);
                    mark
                }
            };
            mark.round = round;
            mark.draw(page, flight, looks, Way::of(flight, count));
            next = Some(mark.group.clone());
        }
        self.drawn.retain(|_, mark| {
            let stays = mark.round == round;
            if !stays {
                mark.group.remove();
            }
            stays
        });
    }
}

/// The group of a message, without what is in it, before that of the next one.
fn group(layer: &Element, flight: &Flight, next: Option<&Element>) -> Option<Element> {
    let group = document().create_element_ns(Some("http://www.w3.org/2000/svg"), "g").ok()?;
    set(&group, "tabindex", "-1");
    set(&group, "role", "button");
    set(&group, "data-message", &flight.name.to_string());
    layer.insert_before(&group, next.map(AsRef::as_ref)).ok()?;
    Some(group)
}

impl Mark {
    fn dress(&self, flight: &Flight, looks: Looks) {
        set(&self.group, "class", &looks.class(flight));
        self.group.set_inner_html(&looks.inside(flight));
        let words = flight.told();
        set(&self.group, "aria-label", &words);
        say(&self.group, "title", &words);
        say(&self.group, "text", &inscription(flight));
    }

    fn draw(&mut self, page: Page, flight: &Flight, looks: Looks, way: Way) {
        let only_class = Looks { selected: self.looks.selected, pointed: self.looks.pointed, ..looks } == self.looks;
        if looks != self.looks && only_class {
            set(&self.group, "class", &looks.class(flight));
        } else if looks != self.looks {
            self.dress(flight, looks);
            self.told = None;
        }
        self.looks = looks;
        let (x, y) = way.at(page);
        let at = ((x * 10.0) as i64, (y * 10.0) as i64);
        if at != self.at {
            set(&self.group, "transform", &super::place::moved_to(x, y));
            self.at = at;
        }
        let told = way.told(page);
        if told != self.told {
            say(&self.group, ".arrival", told.as_deref().unwrap_or_default());
            self.told = told;
        }
    }
}
