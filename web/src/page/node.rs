//! One node, field by field, with what the last event changed; and what the guest tells of itself.

use super::session;
use super::state::{Selected, page};
use leptos::prelude::*;
use raftbox::event::NodeId;
use raftbox::view::diff::{Subject, diff, node_fields};

/// Of a value that is longer, head and tail are shown, and the whole on demand.
const SHORT: usize = 72;

/// A field: its name, its value, and what it was before the last event if that is another.
type Field = (String, String, Option<String>);

fn fields(id: NodeId, events: u64) -> Vec<Field> {
    let fields = session::with(|session| {
        let before = session.view(events.saturating_sub(1)).clone();
        let now = session.view(events);
        let rows = diff(&before, now);
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

/// Each key of the machine with its value, for people; `None` if they are not known.
fn values(id: NodeId, events: u64) -> Option<Vec<(String, String)>> {
    let values = session::with(|session| {
        let values = session.view(events).node(id)?.machine.values()?;
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        Some(values.map(|(key, value)| (text(key), text(value))).collect())
    });
    values.flatten()
}

/// A value. What was appended last stands at its end, so of a long one the end is shown.
fn value(text: String) -> AnyView {
    // It was escaped, so each character is one byte.
    if text.len() <= SHORT {
        return view! { <span>"\""{text}"\""</span> }.into_any();
    }
    let (head, tail) = (text[..16].to_owned(), text[text.len() - 40..].to_owned());
    let pieces = text.split_inclusive("; ").map(|piece| view! { {piece.to_owned()}<wbr /> }).collect_view();
    view! {
        <details class="value">
            <summary>"\""{head}"…"{tail}"\" "<span class="was">{text.len()}" characters"</span></summary>
            <p>{pieces}</p>
        </details>
    }
    .into_any()
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
        let mut fields = fields(id.get(), page.cursor.get_untracked());
        fields.retain(|(field, ..)| !field.starts_with("value"));
        fields
    });
    let held = Memo::new(move |_| {
        let _ = page.picture.read();
        values(id.get(), page.cursor.get_untracked())
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
        <h2>"What its machine holds"</h2>
        {move || match held.get() {
            None => view! { <p class="faint">"Not known: the events do not prove it."</p> }.into_any(),
            Some(values) if values.is_empty() => view! { <p class="faint">"Nothing yet."</p> }.into_any(),
            Some(_) => ().into_any(),
        }}
        <table class="fields" id="values"><tbody>
            {move || held.get().unwrap_or_default().into_iter().map(|(key, text)| view! {
                <tr><th scope="row">{key}</th><td>{value(text)}</td></tr>
            }).collect_view()}
        </tbody></table>
    }
}
