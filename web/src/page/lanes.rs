//! Lanes of clients: what each asked, from when it asked until it was answered, and how that ended. Where no order explains
//! an answer, it is marked, with those that contradict it.

use super::picture::outcome_words;
use super::session::{self, Session};
use super::state::{Page, page};
use super::window::{LONGER, Window, Zoom, window};
use leptos::prelude::*;
use raftbox::check::Contradiction;
use raftbox::event::Micros;
use raftbox::event::text::read_mode;
use raftbox::timeline::seconds;
use raftbox::view::client::{self, Operation, Operations, Outcome};
use raftbox::view::in_order;

/// How many operations are shown at the most.
const MOST: usize = 60;

/// A span in a lane, in thousandths of the window.
#[derive(Clone, PartialEq, Eq)]
struct Bar {
    from: u64,
    to: u64,
    class: String,
    sign: String,
    words: String,
    title: String,
    /// Where later attempts began.
    attempts: Vec<u64>,
    event: u64,
    /// Which row of its lane it is in, from 0.
    row: usize,
}

/// How many rows a lane has at the most.
const ROWS_MAX: usize = 8;

/// Puts spans into rows in which none overlap; those that find no room are left out.
fn packed(bars: Vec<Bar>) -> Vec<Bar> {
    let mut ends = Vec::new();
    let place = |mut bar: Bar| {
        bar.row = ends.iter().position(|end| *end <= bar.from).unwrap_or(ends.len());
        if bar.row == ends.len() {
            ends.push(0);
        }
        ends[bar.row] = bar.to;
        (bar.row < ROWS_MAX).then_some(bar)
    };
    bars.into_iter().filter_map(place).collect()
}

/// An operation as a row of the table: words, attempts and outcome, and the events at which it began and ended.
#[derive(Clone, PartialEq, Eq)]
struct Row {
    client: u32,
    words: String,
    attempts: String,
    asked: (u64, Micros),
    ended: Option<(u64, Micros)>,
    sign: &'static str,
    outcome: String,
}

/// What the window shows.
#[derive(Clone, PartialEq, Eq, Default)]
struct Shown {
    lanes: Vec<(String, Vec<Bar>)>,
    rows: Vec<Row>,
    left_out: usize,
    impossible: Option<Impossible>,
}

/// An answer that no order explains: words, and the event in which its operation was asked; and the same of those that
/// contradict it.
#[derive(Clone, PartialEq, Eq)]
struct Impossible {
    culprit: (String, u64),
    instead: String,
    conflict: Vec<(String, u64)>,
    /// Whether those that wrote what these saw are marked.
    seen: bool,
}

/// How many of those that contradict an answer are listed; all of them are marked.
const CONFLICTS_SHOWN: usize = 8;

impl Impossible {
    fn of(found: &Contradiction, operations: &Operations) -> Option<Self> {
        let told = |asked: u64| {
            let mut all = operations.clients().flat_map(|(_, operations)| operations);
            let operation = all.find(|operation| operation.asked.event == asked)?;
            let (_, _, ends) = outcome(operation);
            let at = seconds(operation.asked.at);
            Some((format!("C{}'s {} → {ends}, asked at {at}", operation.client, operation.words), asked))
        };
        Some(Self {
            culprit: told(found.culprit)?,
            instead: found.instead.join(" or "),
            conflict: found.conflict.iter().filter_map(|asked| told(*asked)).collect(),
            seen: !found.seen.is_empty(),
        })
    }
}

/// How an operation stands to the answer that no order explains: a class, a sign and words.
fn stands(found: Option<&Contradiction>, asked: u64) -> Option<(&'static str, &'static str, &'static str)> {
    let found = found?;
    if found.culprit == asked {
        Some((" culprit", "‼ ", "; no order of what was asked explains this answer"))
    } else if found.conflict.contains(&asked) {
        Some((" conflict", "≠ ", "; it contradicts the answer that no order explains"))
    } else if found.seen.contains(&asked) {
        Some((" seen", "✎ ", "; it wrote what those saw that contradict each other"))
    } else {
        None
    }
}

/// Where a time is in a window, in thousandths.
fn place(window: Window, at: Micros) -> u64 {
    at.clamp(window.from, window.to).saturating_sub(window.from) * 1000 / window.span().max(1)
}

/// Whether and how it ended: a class, a sign and words.
fn outcome(operation: &Operation) -> (&'static str, &'static str, String) {
    match &operation.ended {
        None => ("bar open", "…", "no answer yet".to_owned()),
        Some((_, outcome)) => {
            let (class, sign) = match outcome {
                Outcome::Done(_) => ("bar done", "✓"),
                Outcome::Failed => ("bar failed", "✗"),
                Outcome::Unknown => ("bar unknown", "?"),
            };
            (class, sign, outcome_words(outcome))
        }
    }
}

fn attempts(operation: &Operation) -> String {
    let nodes: Vec<_> = operation.attempts.iter().map(|attempt| format!("S{}", attempt.to)).collect();
    nodes.join(" → ") + &reads(operation)
}

/// Which nodes answered a read that is in no log, from which index, and how that was made safe.
fn reads(operation: &Operation) -> String {
    let one = |read: &client::Read| format!(", read at {} on S{} ({})", read.index, read.node, read_mode(read.mode));
    operation.reads.iter().map(one).collect()
}

fn bar(operation: &Operation, window: Window, found: Option<&Contradiction>) -> Bar {
    let (class, sign, ends) = outcome(operation);
    let (marked, mark, why) = stands(found, operation.asked.event).unwrap_or_default();
    let from = place(window, operation.asked.at);
    // What nobody knows the end of goes on.
    let known = operation.ended.as_ref().filter(|(_, outcome)| *outcome != Outcome::Unknown);
    let to = known.map_or(1000, |(moment, _)| place(window, moment.at)).max(from + 6);
    let later = operation.attempts.iter().skip(1).filter(|attempt| attempt.asked.at >= window.from);
    Bar {
        from,
        to,
        class: format!("{class}{marked}"),
        sign: format!("{mark}{sign}"),
        words: operation.words.to_string(),
        title: format!(
            "{}, asked at {} of {}: {ends}{why}",
            operation.words,
            seconds(operation.asked.at),
            attempts(operation)
        ),
        attempts: later.map(|attempt| place(window, attempt.asked.at)).collect(),
        event: operation.asked.event,
        row: 0,
    }
}

fn row(operation: &Operation) -> Row {
    let (_, sign, outcome) = outcome(operation);
    Row {
        client: operation.client,
        words: operation.words.to_string(),
        attempts: attempts(operation),
        asked: (operation.asked.event, operation.asked.at),
        ended: operation.ended.as_ref().map(|(moment, _)| (moment.event, moment.at)),
        sign,
        outcome,
    }
}

fn shown(session: &Session, window: Window) -> Shown {
    let tables = session.recording().tables();
    let fault = |band: &raftbox::view::band::Band| {
        let from = place(window, band.from.at);
        let to = band.until.map_or(1000, |until| place(window, until.at)).max(from + 6);
        let (words, event) = (band.fault.name(), band.from.event);
        Bar {
            from,
            to,
            class: "bar fault".to_owned(),
            sign: String::new(),
            title: words.clone(),
            words,
            attempts: Vec::new(),
            event,
            row: 0,
        }
    };
    let faults: Vec<Bar> = tables.bands.between(window.from, window.to).take(MOST).map(fault).collect();
    let all = faults.len();
    let faults = packed(faults);
    let name = if faults.len() < all { format!("faults +{}", all - faults.len()) } else { "faults".to_owned() };
    let mut lanes = vec![(name, faults)];
    let mut rows = Vec::new();
    let found = session.contradiction();
    for (client, _) in tables.operations.clients() {
        let operations = tables.operations.between(client, window.from, window.to);
        lanes.push((format!("C{client}"), operations.iter().take(MOST).map(|one| bar(one, window, found)).collect()));
        rows.extend(operations);
    }
    let left_out = rows.len().saturating_sub(MOST);
    let rows = in_order(rows, |operation| operation.asked.event);
    let impossible = found.and_then(|found| Impossible::of(found, &tables.operations));
    Shown { lanes, rows: rows.into_iter().take(MOST).map(row).collect(), left_out, impossible }
}

/// How high a row is.
const ROW_PX: usize = 30;

pub(super) fn percent(thousandths: u64) -> String {
    format!("{}.{}%", thousandths / 10, thousandths % 10)
}

fn bar_view(page: Page, bar: Bar) -> impl IntoView {
    let (from, width) = (bar.from, bar.to.min(1000).saturating_sub(bar.from).max(1));
    let ticks = bar.attempts.into_iter().filter(move |at| *at > from && *at < from + width);
    let tick = move |at: u64| view! { <i class="again" title="asks again" style:left=percent((at - from) * 1000 / width)></i> };
    view! {
        <button type="button" class=bar.class title=bar.title.clone() aria-label=bar.title style:left=percent(from) style:width=percent(width)
            style:top=format!("{}px", 5 + bar.row * ROW_PX)
            on:click=move |_| go(page, bar.event)>
            {bar.sign}" "{bar.words}{ticks.map(tick).collect_view()}
        </button>
    }
}

fn go(page: Page, event: u64) {
    page.playing.set(false);
    page.seek(event + 1);
}

fn impossible_view(page: Page, Impossible { culprit, instead, conflict, seen }: Impossible) -> impl IntoView {
    let to = move |(words, event): (String, u64)| {
        view! { <button type="button" class="linked" on:click=move |_| go(page, event)>{words}</button> }
    };
    let more = conflict.len().saturating_sub(CONFLICTS_SHOWN);
    let listed = conflict.into_iter().take(CONFLICTS_SHOWN).map(|one| view! { <li>"≠ "{to(one)}</li> });
    view! {
        <div class="impossible" id="impossible">
            <p>"‼ "{to(culprit)}": no order of what was asked explains this answer."
                {(!instead.is_empty()).then(|| format!(" It could have been {instead}."))}" It contradicts, all together:"</p>
            <ul>{listed.collect_view()}</ul>
            {(more > 0).then(|| view! { <p>{format!("and {more} more, marked ≠ in the lanes.")}</p> })}
            {seen.then(|| view! { <p>"What they saw was written by those that are marked ✎."</p> })}
        </div>
    }
}

fn row_view(page: Page, row: Row) -> impl IntoView {
    let to = move |(event, at): (u64, Micros)| {
        view! { <button type="button" on:click=move |_| go(page, event)>{seconds(at)}</button> }
    };
    view! {
        <tr>
            <th scope="row">{format!("C{}", row.client)}</th>
            <td>{row.words}</td>
            <td>{row.attempts}</td>
            <td>{to(row.asked)}</td>
            <td>{row.ended.map(to)}</td>
            <td><span class="sign">{row.sign}</span>" "{row.outcome}</td>
        </tr>
    }
}

#[component]
pub(crate) fn Lanes() -> impl IntoView {
    let page = page();
    let window = window(LONGER);
    let shown = Memo::new(move |_| {
        let (_, window) = window.get();
        page.over.track();
        session::with(|session| shown(session, window)).unwrap_or_default()
    });
    let now = move || percent(place(window.get().1, page.time.get()));
    let lane = move |(name, bars): (String, Vec<Bar>)| {
        let class = if name.starts_with("faults") { "track faults" } else { "track" };
        let rows = bars.iter().map(|bar| bar.row + 1).max().unwrap_or(1);
        view! {
            <div class="lane">
                <span class="name">{name}</span>
                <div class=class style:height=format!("{}px", 6 + rows * ROW_PX)>
                    {bars.into_iter().map(|bar| bar_view(page, bar)).collect_view()}
                    <i class="now" style:left=now></i>
                </div>
            </div>
        }
    };
    view! {
        <div class="pager"><Zoom longer=LONGER />
            <span class="legend">"✓ done · ✗ refused, without effect · ? nobody knows · | asks again"</span>
        </div>
        {move || shown.get().impossible.map(|found| impossible_view(page, found))}
        <div class="lanes" id="lanes">
            <div class="lane axis" aria-hidden="true"><span></span><div class="ends">
                <span>{move || seconds(window.get().1.from)}</span><span>{move || seconds(window.get().1.to)}</span>
            </div></div>
            {move || shown.get().lanes.into_iter().map(lane).collect_view()}
        </div>
        <table class="operations" id="operations">
            <thead><tr><th scope="col">"who"</th><th scope="col">"asks"</th><th scope="col">"whom"</th>
                <th scope="col">"asked"</th><th scope="col">"ended"</th><th scope="col">"outcome"</th></tr></thead>
            <tbody>{move || shown.get().rows.into_iter().map(|one| row_view(page, one)).collect_view()}</tbody>
        </table>
        {move || (shown.read().left_out > 0).then(|| view! { <p class="faint">{format!("and {} more", shown.read().left_out)}</p> })}
        {move || shown.read().rows.is_empty().then(|| view! { <p class="faint">"No client asks anything here."</p> })}
    }
}
