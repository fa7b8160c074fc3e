//! What can be done to a message on its way.

use super::{button, later, number_that};
use crate::page::state::Page;
use crate::page::{mail, session};
use leptos::prelude::*;
use raftbox::event::MessageName;
use raftbox::scenario::step::{Act, Mail};
use raftbox::timeline::seconds;

/// What becomes of it, in words; `None` if it is not on its way.
fn fate(page: Page, message: MessageName) -> Option<String> {
    let picture = page.picture.read();
    let flight = picture.flights.iter().find(|flight| flight.name == message)?;
    let ends = match flight.ends {
        None => "it is held, or nobody knows yet when it arrives.".to_owned(),
        Some((at, true)) => format!("it will be lost at {}.", seconds(at)),
        Some((at, false)) => format!("it arrives at {}.", seconds(at)),
    };
    let besides = [
        (flight.again, " A copy of it has arrived already."),
        (flight.more, " A further copy of it will come."),
        (flight.overtaken, " One that was sent later has come before it."),
    ];
    let besides: String = besides.iter().filter(|(is, _)| *is).map(|(_, words)| *words).collect();
    Some(format!("Sent at {}; {ends}{besides}", seconds(flight.sent)))
}

/// What can be done to a message.
pub(super) fn message_acts(page: Page, message: MessageName) -> AnyView {
    let words = session::with(|session| {
        session.recording().tables().messages.get(message).map(|message| message.words.to_string())
    });
    let act = |label: &str, make: Act| button(page, label.to_owned(), move || make.clone());
    let arrive = move |millis: i64| {
        mail::arrive(page, message, page.time.get_untracked().saturating_add(millis.unsigned_abs() * 1000));
    };
    view! {
        <h2>{message.to_string()}</h2>
        <p class="words">{words.flatten()}</p>
        <p class="faint" id="fate">{move || fate(page, message)}</p>
        <div class="acts">
            {act("deliver now", Act::Deliver(message))}
            {act("drop", Act::Drop(message))}
            {act("hold", Act::Hold(Mail::One(message)))}
            {number_that(page, "arrives in, in ms", [10, 1, 60_000], "let it", arrive)}
            {act("twice", Act::Duplicate(message, later(5)))}
        </div>
    }
    .into_any()
}
