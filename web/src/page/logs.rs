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

/// An entry in the table.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Shown {
    /// Its term; or, if it is gone into a snapshot, a sign for that.
    term: String,
    words: String,
    class: String,
    mark: &'static str,
}

/// A cell of the table: an entry, if the node has one there, and the ticks of leaders, each a name and what it means.
type Filled = (Option<Shown>, Vec<(String, String)>);

/// The ticks at an index of a follower's log.
fn ticks(known: &[Progress], follower: NodeId, index: u64) -> Vec<(String, String)> {
    let mut ticks = Vec::new();
    for Progress { leader, matched, next, .. } in known.iter().filter(|known| known.follower == follower) {
        if *matched == index {
            ticks.push((
                format!("m{leader}"),
                format!("S{leader} knows S{follower} to have its log up to {index}: match"),
            ));
        }
        if *next == index {
            ticks.push((
                format!("n{leader}"),
                format!("S{leader}'s next append to S{follower} starts at {index}: next"),
            ));
        }
    }
    ticks
}

fn shown(cell: &Cell) -> Shown {
    let disk = if cell.durable { "durable" } else { "volatile" };
    let known = match (cell.applied, cell.committed) {
        (true, _) => " applied",
        (false, true) => " committed",
        _ => "",
    };
    let differs = if cell.differs { " differs" } else { "" };
    let said = match (cell.applied, cell.committed, cell.durable) {
        (true, _, _) => "applied",
        (_, true, _) => "committed, not applied",
        (_, _, true) => "on disk, not known to be committed",
        _ => "in memory only",
    };
    Shown {
        mark: if cell.applied {
            "●"
        } else if cell.committed {
            "✓"
        } else {
            ""
        },
        term: cell.term.to_string(),
        words: format!("{}; {said}", cell.words),
        class: format!("cell term-{} {disk}{known}{differs}", cell.term % 8),
    }
}

/// What stands for an entry that a snapshot took the place of.
fn folded(base: u64) -> Shown {
    let words = format!("in the snapshot up to {base}, which took the place of the log");
    Shown { term: "▤".to_owned(), words, class: "cell folded".to_owned(), mark: "" }
}

/// How leaders send to a node, in words.
fn modes(known: &[Progress], follower: NodeId) -> String {
    let each = known.iter().filter(|known| known.follower == follower);
    each.map(|known| format!("S{} {}", known.leader, known.mode)).collect::<Vec<_>>().join("; ")
}

/// What the table shows.
#[derive(Clone, PartialEq, Eq, Default)]
struct Filling {
    /// For each node how leaders send to it.
    modes: Vec<String>,
    /// An index each, and a cell for each node.
    rows: Vec<(u64, Vec<Filled>)>,
}

/// What there is from an index on.
fn filling(session: &mut Session, events: u64, nodes: NodeId, range: RangeInclusive<u64>) -> Filling {
    let view = session.view(events).clone();
    let tables = session.recording().tables();
    let columns: Vec<Vec<Cell>> = (1..=nodes).map(|id| view.cells(id, &tables.entries, range.clone())).collect();
    let known = tables.replications.at(&view);
    let folds = |id: NodeId, index: u64| {
        let base = view.node(id)?.noted.log.first() - 1;
        (index <= base).then(|| folded(base))
    };
    let cell = |id: NodeId, column: &Vec<Cell>, index: u64| {
        let entry = column.iter().find(|cell| cell.index == index).map(shown).or_else(|| folds(id, index));
        (entry, ticks(&known, id, index))
    };
    let row = |index: u64| (index, (1..).zip(&columns).map(|(id, column)| cell(id, column, index)).collect());
    Filling { modes: (1..=nodes).map(|id| modes(&known, id)).collect(), rows: range.map(row).collect() }
}

fn cell_view((entry, ticks): &Filled) -> AnyView {
    let ticks =
        ticks.iter().map(|(name, words)| view! { <span class="tick" title=words.clone()>{name.clone()}</span> });
    let ticks = ticks.collect_view();
    match entry {
        None => view! { <td class="none">{ticks}</td> }.into_any(),
        Some(Shown { term, words, class, mark }) => {
            view! { <td class=class.clone() title=words.clone()>{term.clone()}<span class="sign">{*mark}</span>{ticks}</td> }
                .into_any()
        }
    }
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
        let (events, first, nodes) = (page.cursor.get_untracked(), first.get(), nodes.get());
        // One more than there are entries, where the next one goes.
        let range = first..=(last.get() + 1).min(first + ROWS - 1);
        session::with(|session| filling(session, events, nodes, range)).unwrap_or_default()
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
                            <th scope="row"><button type="button" title="why is it, or is it not, committed?" on:click=move |_| asked.set(Some(row.0))>{row.0}</button></th>
                            {row.1.iter().map(cell_view).collect_view()}
                        </tr>
                    </For>
                </tbody>
            </table>
            {move || (last.get() == 0).then(|| view! { <p class="faint">"All logs are empty."</p> })}
            {why}
        </div>
    }
}
