//! The space-time diagram: a lane for each node, time downwards, messages as lines between lanes.
//!
//! What is marked and what is left out is [`Recording::diagram`](raftbox::view::Recording::diagram)'s to say. Around the event
//! that is shown, bars beside the lanes tell what may have moved it, and what it may have moved: the past is a solid bar,
//! the future a dashed one. Places are counted from an origin that seldom moves, so when the window moves on only what is
//! new in it is drawn.

mod letter;

use super::place::{Px, moved_to, px};
use super::session::{self, Session};
use super::state::{Page, Selected, page};
use super::window::{Window, Zoom, window};
use leptos::prelude::*;
use letter::{Letter, letter_view};
use raftbox::event::text::Tone;
use raftbox::event::{Endpoint, Micros};
use raftbox::view::band::Band;
use raftbox::view::causality::Cone;
use raftbox::view::{diagram, lane};
use std::collections::BTreeMap;
use std::sync::Arc;

/// From one lane to the next.
const LANE: f64 = 76.0;
/// Left of the lanes the times stand.
const LEFT: f64 = 60.0;
const HEIGHT: f64 = 300.0;
const HEAD: f64 = 22.0;
/// At the most so many marks, and so many lines.
const MOST: usize = 220;
/// Words of a mark need so much room below the words before.
const LINE: f64 = 12.0;

/// How places follow from times: the origin, and how long the window is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Scale {
    origin: Micros,
    span: Micros,
}

impl Scale {
    fn of(window: Window) -> Self {
        let span = window.span().max(1);
        let far = span.saturating_mul(64);
        Self { origin: window.from / far * far, span }
    }

    fn y(self, at: Micros) -> f64 {
        (at as f64 - self.origin as f64) * HEIGHT / self.span as f64
    }
}

/// A mark as it is drawn: with its words, if there is room for them.
#[derive(Clone, Debug, PartialEq)]
struct Marked {
    mark: diagram::Mark,
    worded: bool,
}

/// What is drawn of a window.
#[derive(Clone, Debug, Default, PartialEq)]
struct Drawn {
    run: u64,
    window: Window,
    scale: Scale,
    lanes: Vec<Endpoint>,
    marks: Vec<Marked>,
    letters: Vec<Letter>,
    bands: Vec<Band>,
    left_out: u64,
}

impl Drawn {
    fn of(session: &Session, run: u64, window: Window, clients: bool) -> Self {
        let recording = session.recording();
        let wanted = diagram::Window { from: window.from, to: window.to, most: MOST, clients };
        let drawn = recording.diagram(&wanted);
        let scale = Scale::of(window);
        let mut last = BTreeMap::<Endpoint, f64>::new();
        let word = |mark: diagram::Mark| {
            let y = scale.y(mark.moment.at);
            let worded = last.get(&mark.lane).is_none_or(|last| y - last >= LINE);
            if worded {
                last.insert(mark.lane, y);
            }
            Marked { mark, worded }
        };
        let letter = |line: diagram::Line| Letter::of(&line, &recording.tables().messages);
        Self {
            run,
            window,
            scale,
            lanes: drawn.lanes,
            marks: drawn.marks.into_iter().map(word).collect(),
            letters: drawn.lines.into_iter().filter_map(letter).collect(),
            bands: drawn.bands,
            left_out: drawn.left_out[0] + drawn.left_out[1],
        }
    }

    fn width(&self) -> f64 {
        LEFT + self.lanes.len() as f64 * LANE + 34.0
    }

    /// Where a lane is.
    fn x(&self, lane: Endpoint) -> Option<f64> {
        self.lanes.iter().position(|one| *one == lane).map(|place| LEFT + 16.0 + place as f64 * LANE)
    }
}

/// The event that is shown: where it stands, what it comes after, and what comes after it.
#[derive(Clone, Debug, PartialEq)]
struct Current {
    lane: Endpoint,
    at: Micros,
    cone: Cone,
    /// Until when the past lasts in each lane, and since when the future.
    past: Vec<(Endpoint, Micros)>,
    future: Vec<(Endpoint, Micros)>,
}

impl Current {
    fn of(session: &Session, events: u64) -> Option<Self> {
        let recording = session.recording();
        let last = events.checked_sub(1)?;
        let (at, event) = recording.event(last)?;
        let cone = recording.cone(last)?;
        let times = |bounds: &BTreeMap<Endpoint, u64>| {
            let time = |(lane, event): (&Endpoint, &u64)| Some((*lane, recording.event(*event)?.0));
            bounds.iter().filter_map(time).collect()
        };
        Some(Self { lane: lane(&event)?, at, past: times(&cone.past), future: times(&cone.future), cone })
    }
}

/// A time as the axis tells it: as fine as its step.
fn time(at: Micros, step: Micros) -> String {
    let (whole, part) = (at / 1_000_000, at % 1_000_000);
    if step >= 1000 { format!("{whole}.{:03}", part / 1000) } else { format!("{whole}.{part:06}") }
}

fn axis(window: Window) -> Vec<Micros> {
    let step = (window.span() / 8).max(1);
    (1..8).map(|place| window.from + place * step).collect()
}

fn head(page: Page, lane: Endpoint, x: f64) -> AnyView {
    let Endpoint::Node(id) = lane else {
        return view! { <text class="name" x=px(x) y="14">{lane.to_string()}</text> }.into_any();
    };
    let pick = move || page.selected.set(Some(Selected::Node(id)));
    let class = move || if page.selected.get() == Some(Selected::Node(id)) { "head selected" } else { "head" };
    view! {
        <g class=class role="button" tabindex="0" aria-label=format!("select S{id}") on:click=move |_| pick()
            on:keydown=move |key| if key.key() == "Enter" { pick(); }>
            <rect x=px(x - 20.0) y="1" width="40" height="19" rx="4" />
            <text class="name" x=px(x) y="15">{lane.to_string()}</text>
        </g>
    }
    .into_any()
}

fn band(band: &Band, drawn: &Drawn) -> impl IntoView + use<> {
    let (window, words) = (drawn.window, band.fault.name());
    let from = drawn.scale.y(band.from.at.max(window.from));
    let to = drawn.scale.y(band.until.map_or(window.to, |until| until.at.min(window.to)));
    let lane = band.fault.node().and_then(|node| drawn.x(Endpoint::Node(node)));
    let (x, width) = lane.map_or((LEFT, drawn.width() - LEFT), |x| (x - 10.0, 20.0));
    view! {
        <g class="band">
            <title>{words}</title>
            <rect x=px(x) y=px(from) width=px(width) height=px((to - from).max(2.0)) />
        </g>
    }
}

/// The name of a band, where it begins or the window does.
fn band_name(band: &Band, drawn: &Drawn) -> impl IntoView + use<> {
    let words = band.fault.name();
    let y = drawn.scale.y(band.from.at.max(drawn.window.from)) + 11.0;
    let (x, words) = match band.fault.node().and_then(|node| drawn.x(Endpoint::Node(node))) {
        Some(x) => (x + 9.0, words.split_once(' ').map_or("", |(_, what)| what).to_owned()),
        None => (LEFT + 2.0, words),
    };
    view! { <text class="fault-name" x=px(x) y=px(y)>{words}</text> }
}

fn mark(page: Page, marked: Marked, drawn: &Drawn) -> impl IntoView + use<> {
    let Marked { mark, worded } = marked;
    let x = drawn.x(mark.lane).unwrap_or(0.0);
    let y = drawn.scale.y(mark.moment.at);
    let event = mark.moment.event;
    let class = match mark.tone {
        Tone::Bad => "event bad",
        Tone::Good => "event good",
        _ if mark.weighty => "event weighty",
        _ => "event",
    };
    let words = format!("{} {}, event {event}", mark.lane, mark.what);
    let label = words.clone();
    view! {
        <g class=class role="button" tabindex="-1" aria-label=label
            transform=moved_to(x, y)
            on:click=move |_| { page.playing.set(false); page.seek(event + 1); }>
            <title>{words}</title>
            <circle class="target" r="9" />
            <text class="sign" y="4">{mark.mark.to_string()}</text>
            {worded.then(|| view! { <text class="what" x="9" y="3.5">{mark.what}</text> })}
        </g>
    }
}

/// The bars beside the lanes: the past of the event, and its future.
fn bars(current: &Current, drawn: &Drawn) -> impl IntoView + use<> {
    let (top, bottom) = (drawn.scale.y(drawn.window.from), drawn.scale.y(drawn.window.to));
    let bar = |class: &'static str, lane: Endpoint, from: f64, to: f64| {
        let x = drawn.x(lane)? - 6.0;
        (to > from).then(|| view! { <line class=class x1=px(x) x2=px(x) y1=px(from) y2=px(to) /> })
    };
    let y = |at: Micros| drawn.scale.y(at).clamp(top, bottom);
    let past: Vec<_> = current.past.iter().map(|(lane, at)| bar("cone past", *lane, top, y(*at))).collect();
    let future: Vec<_> = current.future.iter().map(|(lane, at)| bar("cone future", *lane, y(*at), bottom)).collect();
    let ring = drawn
        .x(current.lane)
        .map(|x| view! { <circle class="current" cx=px(x) cy=px(drawn.scale.y(current.at)) r="9" /> });
    view! { <g>{past}{future}{ring}</g> }
}

/// What stands still while the window moves: lanes, and the one that is selected.
fn ground(page: Page, drawn: &Drawn) -> impl IntoView + use<> {
    let lanes: Vec<(Endpoint, f64)> = drawn.lanes.iter().filter_map(|lane| Some((*lane, drawn.x(*lane)?))).collect();
    let class = move |lane| match lane {
        Endpoint::Node(id) if page.selected.get() == Some(Selected::Node(id)) => "lane-of selected",
        _ => "lane-of",
    };
    let line = move |(lane, x): (Endpoint, f64)| {
        view! {
            <g class=move || class(lane)>
                <rect x=px(x - 14.0) y="0" width="28" height=px(HEIGHT) />
                <line x1=px(x) x2=px(x) y1="0" y2=px(HEIGHT) />
            </g>
        }
    };
    lanes.into_iter().map(line).collect_view()
}

#[component]
pub(crate) fn Diagram() -> impl IntoView {
    let page = page();
    let clients = RwSignal::new(false);
    let window = window(0);
    let drawn = Memo::new(move |_| {
        let (run, window) = window.get();
        let clients = clients.get();
        session::with(|session| Arc::new(Drawn::of(session, run, window, clients))).unwrap_or_default()
    });
    // While it plays the past and the future of each event would only flicker.
    let current = Memo::new(move |_| {
        page.run.track();
        page.over.track();
        let cursor = page.cursor.get();
        if page.playing.get() { None } else { session::with(|session| Current::of(session, cursor)).flatten() }
    });
    view! {
        <div class="pager">
            <Zoom longer=0 />
            <label><input type="checkbox" id="with-clients" on:change=move |event| clients.set(event_target_checked(&event)) />" clients"</label>
        </div>
        <Frame drawn=drawn current=current />
        <p class="legend">"Solid bar: what may have led to the event that is shown. Dashed bar: what may follow from it. ✗: nobody gets it. A click on a mark goes there."</p>
        {move || (drawn.read().left_out > 0).then(|| view! {
            <p class="faint">{format!("{} more marks and lines have no room here.", drawn.read().left_out)}</p>
        })}
    }
}

/// The picture of a window. What stays in the window stays in the document.
#[component]
fn Frame(drawn: Memo<Arc<Drawn>>, current: Memo<Option<Current>>) -> impl IntoView {
    let page = page();
    // Whatever changes this changes where everything stands.
    let basis = move || (drawn.read().run, drawn.read().scale, drawn.read().lanes.len());
    let lanes = Memo::new(move |_| (drawn.read().lanes.clone(), drawn.read().scale.span));
    let marks = move || {
        let basis = basis();
        drawn.read().marks.iter().map(|mark| (basis, mark.clone())).collect::<Vec<_>>()
    };
    let letters = move || {
        let basis = basis();
        drawn.read().letters.iter().map(|letter| (basis, letter.clone())).collect::<Vec<_>>()
    };
    let times = move || {
        let drawn = drawn.read();
        let step = drawn.window.span() / 8;
        let text = |at: Micros| view! { <text class="time" x=px(LEFT - 6.0) y=px(drawn.scale.y(at) + 3.0)>{time(at, step)}</text> };
        axis(drawn.window).into_iter().map(text).collect_view()
    };
    let now = move || px(drawn.read().scale.y(page.time.get()));
    let size = move || format!("0 0 {} {}", Px(drawn.read().width()), Px(HEAD + HEIGHT));
    // Narrower than that nobody can read it; the panel scrolls.
    let least = move || format!("{}px", Px(drawn.read().width() * 0.75));
    let moved = move || moved_to(0.0, -drawn.read().scale.y(drawn.read().window.from));
    view! {
        <svg id="diagram" class="diagram" viewBox=size style:min-width=least role="group" aria-label="Space-time diagram">
            <svg y=px(HEAD) width=move || px(drawn.read().width()) height=px(HEIGHT)>
                {move || { let _ = lanes.read(); ground(page, &drawn.get_untracked()) }}
                <g transform=moved>
                    {times}
                    {move || { let drawn = drawn.get(); drawn.bands.iter().map(|one| band(one, &drawn)).collect_view() }}
                    {move || current.get().map(|current| bars(&current, &drawn.get()))}
                    <For each=letters key=|(basis, letter)| (*basis, letter.key()) let:one>
                        {letter_view(page, one.1, &drawn.get_untracked(), current)}
                    </For>
                    <For each=marks key=|(basis, marked)| (*basis, marked.mark.moment.event, marked.worded) let:one>
                        {mark(page, one.1, &drawn.get_untracked())}
                    </For>
                    {move || { let drawn = drawn.get(); drawn.bands.iter().map(|one| band_name(one, &drawn)).collect_view() }}
                    <rect class="later" x=px(LEFT) y=now width=move || px(drawn.read().width()) height=px(HEIGHT) />
                    <line class="now" x1="0" x2=move || px(drawn.read().width()) y1=now y2=now />
                </g>
            </svg>
            {move || {
                let _ = lanes.read();
                let drawn = drawn.get_untracked();
                drawn.lanes.iter().filter_map(|lane| Some(head(page, *lane, drawn.x(*lane)?))).collect_view()
            }}
        </svg>
    }
}
