//! What the shapes and the marks of the ring mean.

use super::flight::{HELD, LATE, outline, shape_class};
use leptos::prelude::*;
use raftbox::view::message::Shape;

/// A message: its shape, what stands on it, and what it is.
const MESSAGES: [(Shape, &str, &str); 9] = [
    (Shape::PreVote, "", "would you vote for me?"),
    (Shape::Vote, "", "vote for me"),
    (Shape::VoteReply, "✓", "an answer: ✓ granted, ✗ refused"),
    (Shape::Heartbeat, "", "a heartbeat: an append without entries"),
    (Shape::Append(3), "3", "an append with so many entries"),
    (Shape::AppendReply, "✓", "the answer to it"),
    (Shape::Snapshot, "", "a part of a snapshot"),
    (Shape::TimeoutNow, "", "campaign at once"),
    (Shape::Request, "P", "a client's request, by its first letter, or the answer"),
];

/// What is drawn beside a message: its class, the path, and what it means.
const MARKS: [(&str, &str, &str); 4] = [
    ("message solid", HELD, "held: nobody knows when it arrives"),
    ("message solid lost", "", "it will be lost"),
    ("message solid copies", "", "there are copies of it"),
    ("message solid", LATE, "one that was sent later has come before it"),
];

/// What else the ring says, in words.
const WORDS: [(&str, &str); 6] = [
    ("crown", "leads"),
    ("dashed circle", "campaigns; thin dashes: down"),
    ("ring around a node", "the time that is left until its alarm"),
    ("T3 →S2", "its term, and for whom it voted in it"),
    ("hue", "the term: the same one has the same hue"),
    ("gap in a link", "cut; an arrow head points where nothing gets"),
];

fn drawn(class: String, shape: Shape, text: &'static str, mark: &'static str) -> AnyView {
    let copy =
        class.ends_with("copies").then(|| view! { <path class="copy" d=outline(shape) transform="translate(4 -4)" /> });
    view! {
        <svg viewBox="-26 -14 52 28" width="52" height="28" aria-hidden="true">
            <g class=class>{copy}<path d=[outline(shape), mark].concat() /><text y="3.5">{text}</text></g>
        </svg>
    }
    .into_any()
}

#[component]
pub(crate) fn Legend() -> impl IntoView {
    let message = |(shape, text, words): (Shape, &'static str, &'static str)| {
        let class = format!("message {}", shape_class(shape));
        view! { <div><dt>{drawn(class, shape, text, "")}</dt><dd>{words}</dd></div> }
    };
    let mark = |(class, path, words): (&'static str, &'static str, &'static str)| {
        view! { <div><dt>{drawn(class.to_owned(), Shape::Append(1), "1", path)}</dt><dd>{words}</dd></div> }
    };
    view! {
        <details class="help" id="legend">
            <summary>"What the shapes mean"</summary>
            <dl>
                {MESSAGES.map(message)}
                {MARKS.map(mark)}
                {WORDS.map(|(sign, words)| view! { <div><dt>{sign}</dt><dd>{words}</dd></div> })}
            </dl>
        </details>
    }
}
