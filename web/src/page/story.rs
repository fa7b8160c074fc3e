//! The run as a story: what matters of it, a sentence each; a click goes there.

use super::session;
use super::state::page;
use leptos::prelude::*;
use raftbox::timeline::{Entry, seconds};

/// How many sentences are in the document at the most.
const SHOWN: usize = 200;

#[component]
pub(crate) fn Story() -> impl IntoView {
    let page = page();
    let story = Memo::new(move |_| {
        page.run.track();
        page.over.track();
        session::with(|session| session.recording().story().to_vec()).unwrap_or_default()
    });
    let passed = Memo::new(move |_| {
        let cursor = page.cursor.get();
        story.read().partition_point(|entry| entry.event < cursor)
    });
    let item = move |(place, entry): (usize, Entry)| {
        let event = entry.event;
        let class = move || match passed.get() {
            passed if passed == place + 1 => "now",
            passed if place < passed => "past",
            _ => "future",
        };
        view! {
            <li class=class>
                <button type="button" on:click=move |_| page.seek(event + 1)>
                    <span class="when">{seconds(entry.at)}</span>
                    <span class="sign" aria-hidden="true">{entry.mark.to_string()}</span>
                    <span>{entry.text}</span>
                </button>
            </li>
        }
    };
    // Around what is shown.
    let window = Memo::new(move |_| passed.get() / (SHOWN / 2));
    let rows = move || {
        let start = window.get().saturating_sub(1) * (SHOWN / 2);
        story.get().into_iter().enumerate().skip(start).take(2 * SHOWN).collect::<Vec<_>>()
    };
    view! {
        <ol class="story" id="story">
            <For each=rows key=|(place, entry)| (*place, entry.event) children=item />
        </ol>
    }
}
