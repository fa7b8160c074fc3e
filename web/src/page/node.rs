//! One node, field by field, with what the last event changed; and what the guest tells of itself.

use super::session;
use super::state::{Selected, page};
use leptos::prelude::*;
use raftbox::event::NodeId;
use raftbox::view::diff::{Subject, diff, node_fields};

/// A field: its name, its value, and what it was before the last event if that is another.
type Field = (String, String, Option<String>);

fn fields(id: NodeId, events: u64) -> Vec<Field> {
    let fields = session::with(|session| {
        let now = session.view(events).clone();
        let before = session.view(events.saturating_sub(1)).clone();
        let rows = diff(&before, &now);
        let was = |field: &str| {
            let row = rows.iter().find(|row| row.of == Subject::Node(id) && row.field == field);
            row.map(|row| if row.before.is_empty() { "nothing".to_owned() } else { row.before.clone() })
        };
        let fields = now.node(id).map(node_fields).unwrap_or_default();
        fields
            .into_iter()
            .map(|(field, value)| (was(&field), field, value))
            .map(|(was, field, value)| (field, value, was))
            .collect()
    });
    fields.unwrap_or_default()
}

#[component]
pub(crate) fn NodePanel() -> impl IntoView {
    let page = page();
    let id = Memo::new(move |_| match page.selected.get() {
        Some(Selected::Node(id)) => id,
        _ => 1,
    });
    let fields = Memo::new(move |_| {
        let _ = page.picture.read();
        fields(id.get(), page.cursor.get_untracked())
    });
    view! {
        <h2>{move || format!("S{}", id.get())}</h2>
        <p class="faint">"Select a node to see it here. What the last event changed is marked."</p>
        <table class="fields" id="fields"><tbody>
            <For each=move || fields.get() key=Clone::clone let:field>
                <tr class:changed=field.2.is_some()>
                    <th scope="row">{field.0}</th>
                    <td>{field.1}{field.2.clone().map(|was| view! { <span class="was">" (was "{was}")"</span> })}</td>
                </tr>
            </For>
        </tbody></table>
    }
}
