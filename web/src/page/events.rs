//! Every event, a sentence each: those around the one that is shown. And the same for who listens: when a person steps,
//! the sentence of the event is told aloud.

use super::session::{self, Session};
use super::state::{Page, page};
use leptos::prelude::*;
use raftbox::event::Endpoint;
use raftbox::timeline::{Entry, seconds};
use raftbox::view::lane;
use std::time::Duration;

/// So many events before the one that is shown, and so many after it.
const BEFORE: usize = 4;
const AFTER: usize = 10;
/// How far those of one lane are looked for.
const REACH: u64 = 1500;
/// How long a person must have stayed at an event before it is told aloud.
const PAUSE: Duration = Duration::from_millis(400);

/// The sentences around the last of so many events, of all lanes or of one.
fn around(session: &Session, events: u64, of: Option<Endpoint>) -> Vec<Entry> {
    let recording = session.recording();
    let current = events.saturating_sub(1);
    let Some(of) = of else {
        return recording.sentences(current.saturating_sub(BEFORE as u64), BEFORE + AFTER + 1);
    };
    let near = recording.iter(current.saturating_sub(REACH)).take_while(|(moment, _)| moment.event <= current + REACH);
    let found: Vec<u64> = near.filter(|(_, event)| lane(event) == Some(of)).map(|(moment, _)| moment.event).collect();
    let split = found.partition_point(|event| *event <= current);
    let found = &found[split.saturating_sub(BEFORE + 1)..(split + AFTER).min(found.len())];
    let (Some(first), Some(last)) = (found.first(), found.last()) else { return Vec::new() };
    let most = usize::try_from(last - first + 1).unwrap_or(usize::MAX);
    let mut entries = recording.sentences(*first, most);
    entries.retain(|entry| found.binary_search(&entry.event).is_ok());
    entries
}

fn item(page: Page, entry: Entry) -> impl IntoView {
    let event = entry.event;
    let state = move || match page.cursor.get() {
        cursor if cursor == event + 1 => "now",
        cursor if cursor > event => "past",
        _ => "future",
    };
    view! {
        <li class=state aria-current=move || (state() == "now").then_some("true")>
            <button type="button" on:click=move |_| { page.playing.set(false); page.seek(event + 1); }>
                <span class="when">{seconds(entry.at)}</span>
                <span class="sign" aria-hidden="true">{entry.mark.to_string()}</span>
                <span>{entry.text}</span>
            </button>
        </li>
    }
}

#[component]
pub(crate) fn Events() -> impl IntoView {
    let page = page();
    let of = RwSignal::new(None::<Endpoint>);
    let rows = Memo::new(move |_| {
        let run = page.run.get();
        // There may be more to tell once more of the run is known.
        page.over.track();
        let (events, of) = (page.cursor.get(), of.get());
        let entries = session::with(|session| around(session, events, of)).unwrap_or_default();
        entries.into_iter().map(|entry| (run, entry)).collect::<Vec<_>>()
    });
    let lanes = Memo::new(move |_| {
        let picture = page.picture.read();
        let nodes = picture.nodes.iter().map(|node| Endpoint::Node(node.id));
        nodes.chain(picture.clients.iter().map(|client| Endpoint::Client(client.id))).collect::<Vec<_>>()
    });
    let choose = move |event| {
        let name = event_target_value(&event);
        of.set(lanes.get_untracked().into_iter().find(|lane| lane.to_string() == name));
    };
    view! {
        <div class="pager">
            <label>"events of "
                <select id="events-of" on:change=choose>
                    <option value="">"everybody"</option>
                    {move || lanes.get().into_iter().map(|lane| view! {
                        <option value=lane.to_string() selected=of.get_untracked() == Some(lane)>{lane.to_string()}</option>
                    }).collect_view()}
                </select>
            </label>
        </div>
        <ol class="story events" id="events">
            <For each=move || rows.get() key=|(run, entry)| (*run, entry.event, entry.text.clone()) let:row>
                {item(page, row.1)}
            </For>
        </ol>
        {move || rows.read().is_empty().then(|| view! { <p class="faint">"Nothing of this kind is near."</p> })}
    }
}

/// Tells aloud where a person has stepped to; while the run plays it is silent.
#[component]
pub(crate) fn Aloud() -> impl IntoView {
    let page = page();
    let told = RwSignal::new(String::new());
    let mut tell = debounce(PAUSE, move |(run, cursor): (u64, u64)| {
        let same = page.run.get_untracked() == run && page.cursor.get_untracked() == cursor;
        let Some(last) = cursor.checked_sub(1).filter(|_| same && !page.playing.get_untracked()) else { return };
        if let Some(Some(entry)) = session::with(|session| session.recording().sentence(last)) {
            told.set(format!("{}: {}", seconds(entry.at), entry.text));
        }
    });
    Effect::new(move |_| {
        let (playing, at) = (page.playing.get(), (page.run.get(), page.cursor.get()));
        if !playing {
            tell(at);
        }
    });
    view! { <div class="aloud" id="aloud" role="log" aria-live="polite" aria-label="The event that is shown">{move || told.get()}</div> }
}
