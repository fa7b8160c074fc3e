//! Moving in time: play and pause, one event on or back, jumps, and the timeline with its ticks and bands.

use super::session;
use super::state::{SPEEDS, page};
use leptos::prelude::*;
use raftbox::timeline::seconds;
use raftbox::view::band::{Band, Fault};
use raftbox::view::tick::Kind;

/// The timeline is so many units wide.
const WIDTH: u64 = 1000;

/// A span or a place on the timeline.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Mark {
    from: u64,
    to: u64,
    class: &'static str,
    words: String,
}

/// Where a time is on the timeline of a run that ends at `end`.
pub(super) fn x(at: u64, end: u64) -> u64 {
    at.min(end) * WIDTH / end.max(1)
}

/// What stands on the timeline. Of ticks that fall on one place the first is shown.
fn marks() -> Vec<Mark> {
    let marks = session::with(|session| {
        let recording = session.recording();
        let (tables, end) = (recording.tables(), recording.at());
        let band = |band: &Band| {
            let until = band.until.map_or(end, |moment| moment.at);
            let (from, to) = (x(band.from.at, end), x(until, end).max(x(band.from.at, end) + 2));
            Mark { from, to, class: "band", words: band.fault.name() }
        };
        // Clocks are wrong and links late nearly always, in bad times: all else would vanish behind that.
        let weighty = |band: &&Band| !matches!(band.fault, Fault::Clock(..) | Fault::Late(_));
        let mut marks: Vec<Mark> = tables.bands.all().filter(weighty).map(band).collect();
        for (kind, class) in [(Kind::Election, "election"), (Kind::Fault, "fault"), (Kind::Violation, "violation")] {
            let mut last = u64::MAX;
            for tick in tables.ticks.of(kind) {
                let at = x(tick.moment.at, end);
                if at != last {
                    let words = format!("{}: {}", seconds(tick.moment.at), tick.text);
                    marks.push(Mark { from: at, to: at, class, words });
                    last = at;
                }
            }
        }
        marks
    });
    marks.unwrap_or_default()
}

fn mark(mark: &Mark) -> AnyView {
    let Mark { from, to, class, words } = mark.clone();
    match class {
        "band" => view! { <rect class=class x=from y="8" width=to - from height="10"><title>{words}</title></rect> }.into_any(),
        "election" => view! { <path class=class d=format!("M{from} 2l4 5l-4 5l-4 -5z")><title>{words}</title></path> }.into_any(),
        "violation" => view! { <path class=class d=format!("M{} 1l10 16m0 -16l-10 16", from.saturating_sub(5))><title>{words}</title></path> }.into_any(),
        _ => view! { <path class=class d=format!("M{from} 14v10")><title>{words}</title></path> }.into_any(),
    }
}

#[component]
pub(crate) fn Transport() -> impl IntoView {
    view! {
        <section class="transport" aria-label="Time">
            <Line />
            <Buttons />
        </section>
    }
}

/// The timeline, with what happens when.
#[component]
fn Line() -> impl IntoView {
    let page = page();
    let ended = Memo::new(move |_| {
        page.run.track();
        page.known.track();
        session::with(|session| session.recording().at()).unwrap_or(0)
    });
    // Ticks move while the run is still being simulated; they are drawn when that is over, and now and then before.
    let shown = Memo::new(move |_| (page.run.get(), page.over.get(), page.known.get() / 20_000));
    let marks = Memo::new(move |_| {
        // A memo that nobody has read tracks nothing, so it is read.
        let _ = shown.get();
        marks()
    });
    let parting = super::beside::parting();
    let now = move || x(page.time.get(), ended.get());
    let scrub = move |event| {
        page.playing.set(false);
        if let Ok(at) = event_target_value(&event).parse::<u64>() {
            page.seek_time(at);
        }
    };
    view! {
        <div class="line">
            <svg viewBox="0 0 1000 26" preserveAspectRatio="none" aria-hidden="true">
                <For each=move || marks.get() key=Clone::clone let:item>{mark(&item)}</For>
                {move || parting.get().map(|parting| {
                    let at = x(parting.at, ended.get());
                    view! { <path class="parting" d=format!("M{at} 0v26M{at} 13l9 -7M{at} 13l9 7") /> }
                })}
                <line class="now" x1=now x2=now y1="0" y2="26" />
            </svg>
            <input type="range" id="scrub" min="0" max=move || ended.get() step="1" aria-label="Time in the run"
                aria-valuetext=move || seconds(page.time.get())
                prop:value=move || page.time.get().to_string() on:input=scrub />
        </div>
    }
}

/// What moves it.
#[component]
fn Buttons() -> impl IntoView {
    let page = page();
    let button = move |label: &'static str, glyph: &'static str, act: fn(super::state::Page)| {
        view! { <button type="button" aria-label=label title=label on:click=move |_| act(page)>{glyph}</button> }
    };
    let jumps = move |kind: Kind| {
        let word = kind.word();
        view! {
            <span class="jump" role="group" aria-label=format!("{word}s")>
                <button type="button" aria-label=format!("previous {word}") on:click=move |_| page.jump(kind, false)>"‹"</button>
                <span>{word}</span>
                <button type="button" aria-label=format!("next {word}") on:click=move |_| page.jump(kind, true)>"›"</button>
            </span>
        }
    };
    view! {
        <div class="buttons">
            {button("To the start", "|◀", |page| page.seek(0))}
            {button("One event back", "‹ event", |page| page.step(false))}
            <button type="button" id="play" class="play" aria-label=move || if page.playing.get() { "Pause" } else { "Play" }
                on:click=move |_| page.play()>
                {move || if page.playing.get() { "❚❚" } else { "▶" }}
            </button>
            {button("One event on", "event ›", |page| page.step(true))}
            {button("To the end", "▶|", |page| page.seek(page.known.get_untracked()))}
            <label class="speed">"speed "
                <select id="speed" on:change=move |event| {
                    if let Ok(speed) = event_target_value(&event).parse() { page.speed.set(speed); }
                }>
                    {SPEEDS.iter().enumerate().map(|(index, (_, words))| view! {
                        <option value=index.to_string() selected=move || page.speed.get() == index>{*words}"×"</option>
                    }).collect_view()}
                </select>
            </label>
            <output class="clock" id="clock">
                {move || format!("{} · event {} of {}", seconds(page.time.get()), page.cursor.get(), page.known.get())}
            </output>
            <a class="embed-only" href="index.html" target="_blank" rel="noopener"
                on:click=move |event| { event.prevent_default(); super::links::show(page); }>"open in the sandbox"</a>
            {[Kind::Election, Kind::Commit, Kind::Fault, Kind::Violation].map(jumps).collect_view()}
        </div>
    }
}
