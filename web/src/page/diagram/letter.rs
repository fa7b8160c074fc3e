//! A message in the diagram: a line from where it left to where it arrived, with its shape there, or a cross where it was
//! lost.

use super::{Current, Drawn, LANE};
use crate::page::flight::{outline, shape_class};
use crate::page::place::{Px, moved_to};
use crate::page::state::{Page, Selected};
use leptos::prelude::*;
use raftbox::event::{MessageName, Micros};
use raftbox::view::diagram::Line;
use raftbox::view::message::{Messages, Shape, What};

/// What becomes of it at the end of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum End {
    Arrives,
    Lost,
    Ignored,
    NotKnown,
}

/// A message as a line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Letter {
    name: MessageName,
    shape: Shape,
    grants: Option<bool>,
    words: String,
    sent: (u64, Micros),
    ends: (u64, Micros),
    end: End,
    again: bool,
}

impl Letter {
    pub(super) fn of(line: &Line, messages: &Messages) -> Option<Self> {
        let message = messages.get(line.message)?;
        let (end, becomes, again) = match line.what {
            None => (End::NotKnown, "it is on its way".to_owned(), false),
            Some(What::Lost) => (End::Lost, "it is lost".to_owned(), false),
            Some(What::Ignored(moot)) => (End::Ignored, format!("nobody takes it: {}", moot.words()), false),
            Some(What::Arrives { copy, altered }) => {
                let copy_words = if copy > 0 { format!(", its copy {copy}") } else { String::new() };
                let altered = if altered > 0 { format!(", {altered} bytes altered") } else { String::new() };
                (End::Arrives, format!("it arrives{copy_words}{altered}"), copy > 0)
            }
        };
        let sent = (line.sent.event, line.sent.at);
        Some(Self {
            name: line.message,
            shape: message.shape(),
            grants: message.grants,
            words: format!("{}: {}; {becomes}", line.message, message.words),
            sent,
            ends: line.ends.map_or(sent, |ends| (ends.event, ends.at)),
            end,
            again,
        })
    }

    /// What it is drawn by.
    pub(super) fn key(&self) -> (MessageName, u64, bool) {
        (self.name, self.ends.0, self.end == End::NotKnown)
    }

    /// Where its line begins and ends.
    fn line(&self, drawn: &Drawn) -> Option<[(f64, f64); 2]> {
        let (from, to) = (drawn.x(self.name.from)?, drawn.x(self.name.to)?);
        let start = (from, drawn.scale.y(self.sent.1));
        let end = drawn.scale.y(self.ends.1);
        Some(match self.end {
            End::Lost => [start, ((from + to) / 2.0, end)],
            End::NotKnown => [start, (from + (to - from).signum() * LANE / 3.0, end + 6.0)],
            End::Arrives | End::Ignored => [start, (to, end)],
        })
    }

    /// How it belongs to the event that is shown.
    fn relation(&self, current: Option<&Current>) -> &'static str {
        let Some(current) = current.filter(|_| self.end == End::Arrives) else { return "" };
        let (from, to) = (self.name.from, self.name.to);
        if current.cone.is_past(to, self.ends.0) && current.cone.is_past(from, self.sent.0) {
            " past"
        } else if current.cone.is_future(from, self.sent.0) && current.cone.is_future(to, self.ends.0) {
            " future"
        } else {
            ""
        }
    }

    fn kind(&self) -> &'static str {
        match self.shape {
            Shape::PreVote | Shape::PreVoteReply | Shape::Vote | Shape::VoteReply | Shape::TimeoutNow => " vote",
            Shape::Heartbeat => " heartbeat",
            Shape::Request | Shape::Reply => " client",
            _ => "",
        }
    }

    /// What stands beside its shape.
    fn inscription(&self) -> String {
        match (self.shape, self.grants) {
            (Shape::Append(entries), _) => entries.to_string(),
            (_, Some(true)) => "✓".into(),
            (_, Some(false)) => "✗".into(),
            _ => String::new(),
        }
    }
}

/// The line, its shape near its end, and a cross where nobody gets it.
pub(super) fn letter_view(
    page: Page,
    letter: Letter,
    drawn: &Drawn,
    current: Memo<Option<Current>>,
) -> Option<impl IntoView + use<>> {
    let [start, end] = letter.line(drawn)?;
    let (dx, dy) = (end.0 - start.0, end.1 - start.1);
    let length = dx.hypot(dy).max(1.0);
    let back = 14.0_f64.min(length / 2.0) / length;
    let at = (end.0 - dx * back, end.1 - dy * back);
    let d = format!("M{} {}L{} {}", Px(start.0), Px(start.1), Px(end.0), Px(end.1));
    let cross = matches!(letter.end, End::Lost | End::Ignored)
        .then(|| format!("M{} {}l8 8m0 -8l-8 8", Px(end.0 - 4.0), Px(end.1 - 4.0)));
    let arrives = letter.end == End::Arrives;
    let (name, words, inscription) = (letter.name, letter.words.clone(), letter.inscription());
    let label = words.clone();
    let fixed = format!(
        "letter{}{}{}",
        letter.kind(),
        if letter.again { " again" } else { "" },
        if arrives { "" } else { " lost" }
    );
    let outlined = (outline(letter.shape), shape_class(letter.shape));
    let class = move || {
        let pointed = if page.pointed.get() == Some(name) { " pointed" } else { "" };
        let selected = if page.selected.get() == Some(Selected::Message(name)) { " selected" } else { "" };
        let relation = current.with(|current| letter.relation(current.as_ref()));
        format!("{fixed}{relation}{pointed}{selected}")
    };
    Some(view! {
        <g class=class role="button" tabindex="-1" aria-label=label
            on:pointerenter=move |_| page.pointed.set(Some(name)) on:pointerleave=move |_| page.pointed.set(None)
            on:focus=move |_| page.pointed.set(Some(name)) on:blur=move |_| page.pointed.set(None)
            on:click=move |_| page.selected.set(Some(Selected::Message(name)))>
            <title>{words}</title>
            <path class="target" d=d.clone() />
            <path class="way" d=d />
            {arrives.then(|| view! {
                <g transform=moved_to(at.0, at.1)>
                    <path class=format!("shape {}", outlined.1) d=outlined.0 transform="scale(0.55)" />
                    <text x="7" y="-3">{inscription}</text>
                </g>
            })}
            {cross.map(|d| view! { <path class="cross" d=d /> })}
        </g>
    })
}
