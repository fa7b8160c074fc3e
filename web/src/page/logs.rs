//! The logs of all nodes, side by side: a row an index, a column a node.
//!
//! Only as many rows are in the document as are looked at, however long the logs are.

use super::session;
use super::state::page;
use super::telling::explained;
use leptos::prelude::*;
use raftbox::event::NodeId;
use raftbox::view::entry::Cell;

/// How many rows are shown.
const ROWS: u64 = 16;

/// A cell of the table.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Shown {
    term: u64,
    words: String,
    class: String,
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
        term: cell.term,
        words: format!("{}; {said}", cell.words),
        class: format!("cell term-{} {disk}{known}{differs}", cell.term % 8),
    }
}

#[component]
pub(crate) fn Logs() -> impl IntoView {
    let page = page();
    // The first index that is shown; none while the end is followed.
    let from = RwSignal::new(None::<u64>);
    let asked = RwSignal::new(None::<u64>);
    let last = Memo::new(move |_| page.picture.read().nodes.iter().map(|node| node.last).max().unwrap_or(0));
    let first = Memo::new(move |_| from.get().unwrap_or_else(|| (last.get() + 1).saturating_sub(ROWS).max(1)));
    let nodes = Memo::new(move |_| u32::try_from(page.picture.read().nodes.len()).unwrap_or(0));
    let table = Memo::new(move |_| {
        let _ = page.picture.read();
        let (events, first) = (page.cursor.get_untracked(), first.get());
        let columns = session::with(|session| {
            let view = session.view(events).clone();
            let entries = &session.recording().tables().entries;
            let column = |id: NodeId| view.cells(id, entries, first..=first + ROWS - 1);
            (1..=nodes.get()).map(column).collect::<Vec<_>>()
        });
        let columns = columns.unwrap_or_default();
        let cell = |column: &Vec<Cell>, index: u64| column.iter().find(|cell| cell.index == index).map(shown);
        let row = |index: u64| (index, columns.iter().map(|column| cell(column, index)).collect::<Vec<_>>());
        (first..=last.get().min(first + ROWS - 1)).map(row).collect::<Vec<_>>()
    });
    let move_by = move |by: i64| {
        let end = (last.get_untracked() + 1).saturating_sub(ROWS).max(1);
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
                <button type="button" on:click=move |_| move_by(-16)>"earlier"</button>
                <button type="button" on:click=move |_| move_by(16)>"later"</button>
                <button type="button" on:click=move |_| from.set(None)>"follow the end"</button>
                <span class="faint">"solid: on disk · dashed: in memory · ✓ committed · ● applied"</span>
            </div>
            <table id="logs">
                <thead><tr><th scope="col">"index"</th>
                    {move || (1..=nodes.get()).map(|id| view! { <th scope="col">{format!("S{id}")}</th> }).collect_view()}
                </tr></thead>
                <tbody>
                    <For each=move || table.get() key=Clone::clone let:row>
                        <tr>
                            <th scope="row"><button type="button" title="why is it, or is it not, committed?" on:click=move |_| asked.set(Some(row.0))>{row.0}</button></th>
                            {row.1.iter().map(|cell| match cell {
                                None => view! { <td class="none"></td> }.into_any(),
                                Some(cell) => {
                                    let mark = if cell.class.contains("applied") { "●" } else if cell.class.contains("committed") { "✓" } else { "" };
                                    view! { <td class=cell.class.clone() title=cell.words.clone()>{cell.term}<span class="sign">{mark}</span></td> }.into_any()
                                }
                            }).collect_view()}
                        </tr>
                    </For>
                </tbody>
            </table>
            {move || (last.get() == 0).then(|| view! { <p class="faint">"All logs are empty."</p> })}
            {why}
        </div>
    }
}
