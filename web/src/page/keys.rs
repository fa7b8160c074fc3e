//! The keyboard: everything that the page can do, it can do without a mouse.

use super::acts::link;
use super::state::{Page, SPEEDS, Selected, around};
use super::window::SPANS;
use super::{ask, branches, browser, links, mail, ring, tree};
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use raftbox::event::NodeId;
use raftbox::nodes::State;
use raftbox::scenario::step::{Act, Target};
use raftbox::view::tick::Kind;
use wasm_bindgen::JsCast as _;

/// The keys, and what they do.
const KEYS: &[(&str, &str)] = &[
    ("Space", "play, or pause"),
    ("← →", "one event back, or on"),
    ("Shift ← →", "to the previous, or next, election"),
    ("Alt ← →", "to the previous, or next, fault"),
    ("Home End", "to the start, or the end"),
    ("[ ]", "slower, or faster"),
    ("+ -", "less, or more, time in the diagram and the lanes"),
    ("1 to 9", "select a node"),
    ("Esc", "select nothing"),
    ("C", "crash the selected node, or restart it"),
    ("Z", "pause the selected node, or let it go on"),
    ("P", "cut the selected node off from the others"),
    ("T", "let the selected node time out"),
    ("R", "a client asks, as the form says"),
    ("M, Shift M", "select the next message on its way, or the one before"),
    ("D X H U", "of the selected message: deliver it now, drop it, hold it, a further copy of it"),
    (", ;", "the selected message arrives 10 ms sooner, or later; it can also be dragged"),
    ("L, Shift L", "select the next link, or the one before"),
    ("X H", "cut the selected link both ways, heal it"),
    ("Page Down or ., Page Up", "to the next thing that the story tells, or the one before"),
    ("F", "for an audience: the cluster alone, and large"),
    ("B, Shift B", "next or previous branch"),
    ("V", "compare with the branch that this one left, or stop"),
    ("S", "share"),
    ("?", "this help"),
];

/// Whether a key is meant for what has the focus. The slider is moved by events, as the page is: a step of its own would be a
/// microsecond.
fn is_typing(event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|element| {
        ["INPUT", "SELECT", "TEXTAREA"].contains(&element.tag_name().as_str())
            && element.get_attribute("type").as_deref() != Some("range")
    })
}

fn selected(page: Page) -> Option<(NodeId, State)> {
    match page.selected.get_untracked() {
        Some(Selected::Node(id)) => {
            page.picture.with_untracked(|picture| Some((id, picture.nodes.get(id as usize - 1)?.state)))
        }
        _ => None,
    }
}

/// Does what a key says; `false` if it says nothing.
fn press(page: Page, event: &KeyboardEvent) -> bool {
    let jump = |forward| match (event.shift_key(), event.alt_key()) {
        (true, _) => page.jump(Kind::Election, forward),
        (_, true) => page.jump(Kind::Fault, forward),
        _ => page.step(forward),
    };
    match event.key().as_str() {
        " " => page.play(),
        "ArrowRight" => jump(true),
        "ArrowLeft" => jump(false),
        "Home" => page.seek(0),
        "End" => page.seek(page.known.get_untracked()),
        "[" => page.speed.update(|speed| *speed = speed.saturating_sub(1)),
        "]" => page.speed.update(|speed| *speed = (*speed + 1).min(SPEEDS.len() - 1)),
        "+" => page.zoom.update(|zoom| *zoom = zoom.saturating_sub(1)),
        "-" => page.zoom.update(|zoom| *zoom = (*zoom + 1).min(SPANS.len() - 1)),
        "Escape" => escape(page),
        "PageDown" | "." => page.tell(true),
        "PageUp" => page.tell(false),
        "m" => mail::choose(page, true),
        "M" => mail::choose(page, false),
        "," => return mail::shift(page, false),
        ";" => return mail::shift(page, true),
        "l" => choose_link(page, true),
        "L" => choose_link(page, false),
        "f" | "F" => browser::present(),
        "r" | "R" => ask::ask(page),
        "s" | "S" => links::share(page),
        "b" => branches::turn(page, true),
        "B" => branches::turn(page, false),
        "v" | "V" => tree::compare(page),
        key => {
            if let Ok(id @ 1..=9) = key.parse::<NodeId>() {
                let exists = page.picture.with_untracked(|picture| picture.nodes.len() >= id as usize);
                page.selected.set(exists.then_some(Selected::Node(id)));
                return true;
            }
            if let Some(act) = on_selected(page, key) {
                branches::act(page, act);
                return true;
            }
            let Some((id, state)) = selected(page) else { return false };
            let target = Target::Node(id);
            let act = match key {
                "c" | "C" if state.is_up() => Act::Crash(target, None),
                "c" | "C" => Act::Restart(target, None),
                "z" | "Z" if state == State::Paused => Act::Resume(target),
                "z" | "Z" => Act::Pause(target),
                "p" | "P" => Act::Isolate(target, 0),
                "t" | "T" => Act::Timeout(target),
                _ => return false,
            };
            branches::act(page, act);
        }
    }
    true
}

/// What a key does to the message or the link that is selected.
fn on_selected(page: Page, key: &str) -> Option<Act> {
    match (page.selected.get_untracked(), key) {
        (Some(Selected::Message(name)), key) => mail::act(name, key),
        (Some(Selected::Link(a, b)), "x" | "X") => Some(link::cut(&[a, b], &[a, b])),
        (Some(Selected::Link(a, b)), "h" | "H") => Some(link::heal(&[a, b], &[a, b])),
        _ => None,
    }
}

/// What is begun is given up, one thing at a time.
fn escape(page: Page) {
    page.grabbed.set(None);
    if page.dragged.get_untracked().is_some() {
        page.dragged.set(None);
    } else if !browser::presented() {
        page.selected.set(None);
    }
}

/// Selects the next link, or the one before.
fn choose_link(page: Page, forward: bool) {
    let links = ring::pairs(page.picture.with_untracked(|picture| picture.nodes.len()));
    let place = match page.selected.get_untracked() {
        Some(Selected::Link(a, b)) => links.iter().position(|(one, other, _)| (*one, *other) == (a, b)),
        _ => None,
    };
    let count = links.len();
    if count > 0 {
        let at = place.map_or(0, |at| around(count, at, forward));
        page.selected.set(Some(Selected::Link(links[at].0, links[at].1)));
    }
}

/// Listens to the keyboard.
pub(crate) fn listen(page: Page) {
    let handle = window_event_listener(leptos::ev::keydown, move |event| {
        let button = event.key() == " "
            && event.target().is_some_and(|target| {
                target
                    .dyn_into::<web_sys::Element>()
                    .is_ok_and(|element| element.tag_name() == "BUTTON" || element.tag_name() == "SUMMARY")
            });
        if !event.ctrl_key() && !event.meta_key() && !is_typing(&event) && !button && press(page, &event) {
            event.prevent_default();
        }
    });
    on_cleanup(move || handle.remove());
}

#[component]
pub(crate) fn Help() -> impl IntoView {
    view! {
        <details class="help" id="help">
            <summary>"Keys"</summary>
            <dl>{KEYS.iter().copied().map(|(key, does)| view! { <div><dt><kbd>{key}</kbd></dt><dd>{does}</dd></div> }).collect_view()}</dl>
        </details>
    }
}
