//! What can be done to a run, now: to the node, the link or the message that is selected, to the network, to the next
//! election.
//!
//! Every act is a step of the plan, taken after the event that is shown; what had happened after it stays as the branch
//! that it was.

mod campaign;
mod groups;
pub(crate) mod link;
mod message;
mod node;

use super::state::{Page, Selected, page};
use super::{ask, branches, tree};
use leptos::prelude::*;
use raftbox::event::{Endpoint, NodeId};
use raftbox::scenario::step::{Act, Later, Name};
use raftbox::units::Span;

fn button(page: Page, label: String, act: impl Fn() -> Act + 'static) -> AnyView {
    view! { <button type="button" on:click=move |_| branches::act(page, act())>{label}</button> }.into_any()
}

fn names(nodes: impl IntoIterator<Item = NodeId>) -> Vec<Name> {
    nodes.into_iter().map(|node| Name(Endpoint::Node(node))).collect()
}

/// So many milliseconds later.
fn later(millis: i64) -> Later {
    Later::By(Span(millis.unsigned_abs() * 1000))
}

/// A number that somebody writes, in a field of that name; a button with it does something to the run.
fn number(
    page: Page,
    label: &'static str,
    range: [i64; 3],
    does: &'static str,
    act: impl Fn(i64) -> Act + Copy + 'static,
) -> AnyView {
    number_that(page, label, range, does, move |number| branches::act(page, act(number)))
}

/// A number that somebody writes, from the least to the most that there can be, and the first that stands there; a button
/// with it does something.
fn number_that(
    page: Page,
    label: &'static str,
    [first, least, most]: [i64; 3],
    does: &'static str,
    act: impl Fn(i64) + Copy + 'static,
) -> AnyView {
    let value = RwSignal::new(first.to_string());
    let go = move || match value.get_untracked().trim().parse::<i64>() {
        Ok(number) if (least..=most).contains(&number) => act(number),
        _ => page.fail(format!(
            "{label} is {:?}, and should be a whole number from {least} to {most}.",
            value.get_untracked()
        )),
    };
    view! {
        <form class="number" on:submit=move |event| { event.prevent_default(); go(); }>
            <label>{label}" "<input inputmode="numeric" size="7" prop:value=value.get_untracked()
                on:input=move |event| value.set(event_target_value(&event)) /></label>
            <button type="submit">{does}</button>
        </form>
    }
    .into_any()
}

/// What can be done to the cluster.
fn cluster_acts(page: Page, nodes: u32, clients: u32) -> AnyView {
    let act = |label: &str, make: Act| button(page, label.to_owned(), move || make.clone());
    view! {
        <h2>"The cluster"</h2>
        <div class="acts">
            {(nodes > 1).then(|| groups::groups(page, nodes))}
            {act("heal all links", Act::Heal(Vec::new(), Vec::new()))}
            {act("deliver all that is held", Act::Release(Vec::new(), Vec::new()))}
            {(nodes > 1).then(|| campaign::campaign(page, nodes))}
            <ask::Asking nodes=nodes clients=clients />
        </div>
    }
    .into_any()
}

#[component]
pub(crate) fn Acts() -> impl IntoView {
    let page = page();
    let nodes = Memo::new(move |_| u32::try_from(page.picture.read().nodes.len()).unwrap_or(0));
    let clients = Memo::new(move |_| u32::try_from(page.picture.read().clients.len()).unwrap_or(0));
    view! {
        <section class="do" aria-label="What to do to it">
            {move || match page.selected.get() {
                Some(Selected::Node(id)) if id <= nodes.get() => node::node_acts(page, id, nodes.get()),
                Some(Selected::Message(message)) => message::message_acts(page, message),
                Some(Selected::Link(a, b)) => link::link_acts(page, a, b),
                _ => cluster_acts(page, nodes.get(), clients.get()),
            }}
            <tree::Branches />
            <tree::Former />
        </section>
    }
}
