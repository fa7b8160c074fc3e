//! The logs of all nodes, side by side: a row an index, a column a node.
//!
//! Only as many rows are in the document as are looked at, however long the logs are. In the column of a follower each leader
//! has two ticks: `m1` at the last entry that S1 knows the follower to have, `n1` where its next append starts.

use super::session::{self, Session};
use super::state::{Selected, page};
use super::telling::explained;
use leptos::prelude::*;
use raftbox::event::NodeId;
use raftbox::view::entry::Cell;
use raftbox::view::replication::Progress;
use std::ops::RangeInclusive;

/// How many rows are shown.
const ROWS: u64 = 12;

/// What a node has at an index.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Held {
    Nothing,
    Entry(Cell),
    /// A snapshot took its place, and that of all up to this index.
    Folded(u64),
}

/// What a leader goes by at an index of a follower's log.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Tick {
    /// The last entry that it knows the follower to have.
    Match(NodeId),
    /// Where its next append starts.
    Next(NodeId),
}

/// A cell of the table: what the node has there, and the ticks of leaders.
type Filled = (Held, Vec<Tick>);

/// The ticks at an index of a follower's log.
fn ticks(known: &[Progress], follower: NodeId, index: u64) -> Vec<Tick> {
    let of = |known: &Progress| {
        let matched = (known.matched == index).then_some(Tick::Match(known.leader));
        matched.into_iter().chain((known.next == index).then_some(Tick::Next(known.leader)))
    };
    known.iter().filter(|known| known.follower == follower).flat_map(of).collect()
}

/// The class of an entry, the sign on it, and how far it has come, in words.
fn shown(cell: &Cell) -> (String, &'static str, &'static str) {
    let disk = if cell.durable { "durable" } else { "volatile" };
    let (known, sign, said) = match (cell.applied, cell.committed, cell.durable) {
        (true, _, _) => (" applied", "●", "applied"),
        (_, true, _) => (" committed", "✓", "committed, not applied"),
        (_, _, true) => ("", "", "on disk, not known to be committed"),
        _ => ("", "", "in memory only"),
    };
    let differs = if cell.differs { " differs" } else { "" };
    (format!("cell term-{} {disk}{known}{differs}", cell.term % 8), sign, said)
}

/// How leaders send to a node, in words.
fn modes(known: &[Progress], follower: NodeId) -> String {
    let each = known.iter().filter(|known| known.follower == follower);
    each.map(|known| format!("S{} {}", known.leader, known.mode)).collect::<Vec<_>>().join("; ")
}

/// A row of the table.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Row {
    /// Of which run it is: that of another can look the same, and carry something else.
    run: u64,
    index: u64,
    /// For each node.
    cells: Vec<Filled>,
}

/// What the table shows.
#[derive(Clone, PartialEq, Eq, Default)]
struct Filling {
    /// For each node how leaders send to it.
    modes: Vec<String>,
    rows: Vec<Row>,
}

/// What there is in a run after so many events.
fn filling(session: &mut Session, (run, events): (u64, u64), nodes: NodeId, range: RangeInclusive<u64>) -> Filling {
    let (view, recording) = session.seen(events);
    let tables = recording.tables();
    let columns: Vec<Vec<Cell>> = (1..=nodes).map(|id| view.cells(id, &tables.entries, range.clone())).collect();
    let known = tables.replications.at(view);
    let base = |id: NodeId| view.node(id).map_or(0, |node| node.noted.log.first() - 1);
    let cell = |id: NodeId, column: &[Cell], index: u64| {
        let held = match column.iter().find(|cell| cell.index == index) {
            Some(cell) => Held::Entry(*cell),
            None if index <= base(id) => Held::Folded(base(id)),
            None => Held::Nothing,
        };
        (held, ticks(&known, id, index))
    };
    let row = |index: u64| {
        let cells = (1..).zip(&columns).map(|(id, column)| cell(id, column, index)).collect();
        Row { run, index, cells }
    };
    Filling { modes: (1..=nodes).map(|id| modes(&known, id)).collect(), rows: range.map(row).collect() }
}

fn tick_view(tick: Tick, follower: NodeId, index: u64) -> impl IntoView {
    let (name, words) = match tick {
        Tick::Match(leader) => {
            (format!("m{leader}"), format!("S{leader} knows S{follower} to have its log up to {index}: match"))
        }
        Tick::Next(leader) => {
            (format!("n{leader}"), format!("S{leader}'s next append to S{follower} starts at {index}: next"))
        }
    };
    view! { <span class="tick" title=words>{name}</span> }
}

fn cell_view((held, ticks): &Filled, id: NodeId, index: u64) -> AnyView {
    let ticks = ticks.iter().map(|tick| tick_view(*tick, id, index)).collect_view();
    let (class, words, text, sign) = match held {
        Held::Nothing => return view! { <td class="none">{ticks}</td> }.into_any(),
        Held::Folded(base) => {
            let words = format!("in the snapshot up to {base}, which took the place of the log");
            ("cell folded".to_owned(), words, "▤".to_owned(), "")
        }
        Held::Entry(cell) => {
            let (class, sign, said) = shown(cell);
            let carries = session::with(|session| session.recording().tables().entries.words(index, cell.term));
            (class, format!("{}; {said}", carries.unwrap_or_default()), cell.term.to_string(), sign)
        }
    };
    view! { <td class=class title=words>{text}<span class="sign">{sign}</span>{ticks}</td> }.into_any()
}

/// The head of a node's column; it selects the node.
fn head(id: NodeId) -> impl IntoView {
    let page = page();
    let selected = move || page.selected.get() == Some(Selected::Node(id));
    view! {
        <th scope="col" class:selected=selected>
            <button type="button" aria-pressed=move || selected().to_string()
                on:click=move |_| page.selected.set(Some(Selected::Node(id)))>{format!("S{id}")}</button>
        </th>
    }
}

#[component]
pub(crate) fn Logs() -> impl IntoView {
    let page = page();
    // The first index that is shown; none while the end is followed.
    let from = RwSignal::new(None::<u64>);
    let asked = RwSignal::new(None::<u64>);
    let last = Memo::new(move |_| page.picture.read().nodes.iter().map(|node| node.last).max().unwrap_or(0));
    let first = Memo::new(move |_| from.get().unwrap_or_else(|| (last.get() + 2).saturating_sub(ROWS).max(1)));
    let nodes = Memo::new(move |_| u32::try_from(page.picture.read().nodes.len()).unwrap_or(0));
    let table = Memo::new(move |_| {
        let _ = page.picture.read();
        let (at, first, nodes) = ((page.run.get(), page.cursor.get_untracked()), first.get(), nodes.get());
        // One more than there are entries, where the next one goes.
        let range = first..=(last.get() + 1).min(first + ROWS - 1);
        session::with(|session| filling(session, at, nodes, range)).unwrap_or_default()
    });
    let sends = Memo::new(move |_| table.read().modes.clone());
    let move_by = move |by: i64| {
        let end = (last.get_untracked() + 2).saturating_sub(ROWS).max(1);
        let to = first.get_untracked().saturating_add_signed(by).clamp(1, end);
        from.set(if to >= end { None } else { Some(to) });
    };
    let why = move || {
        let _ = page.picture.read();
        let (index, events) = (asked.get()?, page.cursor.get_untracked());
        session::with(|session| session.recording().why_committed(events.saturating_sub(1), index)).map(explained)
    };
    view! {
        <div class="logs">
            <div class="pager">
                <button type="button" on:click=move |_| from.set(Some(1))>"first"</button>
                <button type="button" on:click=move |_| move_by(-(ROWS as i64))>"earlier"</button>
                <button type="button" on:click=move |_| move_by(ROWS as i64)>"later"</button>
                <button type="button" on:click=move |_| from.set(None)>"follow the end"</button>
                <span class="legend">"solid: on disk · dashed: in memory · ✓ committed · ● applied · ▤ in a snapshot · m, n with a number: what that leader knows to match, and sends next"</span>
            </div>
            <table id="logs">
                <colgroup><col />{move || (1..=nodes.get()).map(|id| view! {
                    <col class:selected=move || page.selected.get() == Some(Selected::Node(id)) />
                }).collect_view()}</colgroup>
                <thead><tr><th scope="col">"index"</th>
                    {move || (1..=nodes.get()).map(head).collect_view()}
                </tr><tr class="modes"><th scope="row">"leader"</th>
                    {move || sends.get().into_iter().map(|words| view! { <td>{words}</td> }).collect_view()}
                </tr></thead>
                <tbody>
                    <For each=move || table.get().rows key=Clone::clone let:row>
                        <tr>
                            <th scope="row"><button type="button" title="why is it, or is it not, committed?" on:click=move |_| asked.set(Some(row.index))>{row.index}</button></th>
                            {(1..).zip(&row.cells).map(|(id, cell)| cell_view(cell, id, row.index)).collect_view()}
                        </tr>
                    </For>
                </tbody>
            </table>
            {move || (last.get() == 0).then(|| view! { <p class="faint">"All logs are empty."</p> })}
            {why}
        </div>
    }
}
