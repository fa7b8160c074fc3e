//! The link between two nodes: what it carries, and what can be done to it.

use super::{button, later, names, number};
use crate::page::picture::Flight;
use crate::page::state::{Page, Selected};
use leptos::prelude::*;
use raftbox::event::{Endpoint, NodeId};
use raftbox::scenario::step::{Act, Mail};
use raftbox::timeline::seconds;

/// Links in these directions are cut.
pub(crate) fn cut(from: &[NodeId], to: &[NodeId]) -> Act {
    Act::Cut(names(from.iter().copied()), names(to.iter().copied()))
}

/// Links in these directions are healed.
pub(crate) fn heal(from: &[NodeId], to: &[NodeId]) -> Act {
    Act::Heal(names(from.iter().copied()), names(to.iter().copied()))
}

/// What the link carries one way: whether it does, and the messages that are on it.
fn carried(page: Page, from: NodeId, to: NodeId) -> impl IntoView {
    let way = (Endpoint::Node(from), Endpoint::Node(to));
    let cut = Memo::new(move |_| page.picture.read().cuts.contains(&way));
    let flights = Memo::new(move |_| {
        let picture = page.picture.read();
        let on_it = |flight: &&Flight| (flight.name.from, flight.name.to) == way;
        picture.flights.iter().filter(on_it).cloned().collect::<Vec<_>>()
    });
    let row = move |flight: Flight| {
        let name = flight.name;
        let ends = match flight.ends {
            None => "is held".to_owned(),
            Some((at, true)) => format!("is lost at {}", seconds(at)),
            Some((at, false)) => format!("arrives at {}", seconds(at)),
        };
        let late = if flight.overtaken { ", overtaken" } else { "" };
        let words = format!("{} {ends}{late}", flight.told());
        view! {
            <li><button type="button" on:click=move |_| page.selected.set(Some(Selected::Message(name)))
                on:pointerenter=move |_| page.pointed.set(Some(name)) on:pointerleave=move |_| page.pointed.set(None)>{words}</button></li>
        }
    };
    view! {
        <h3>{format!("S{from} to S{to}")}</h3>
        {move || cut.get().then(|| view! { <p class="cut-off">"It is cut: nothing gets there."</p> })}
        {move || flights.read().is_empty().then(|| view! { <p class="faint">"Nothing is on its way."</p> })}
        <ol class="acts carried">
            <For each=move || flights.get() key=|flight| (flight.name, flight.ends, flight.again, flight.overtaken) children=row />
        </ol>
    }
}

/// What can be done to the link between two nodes.
pub(super) fn link_acts(page: Page, a: NodeId, b: NodeId) -> AnyView {
    let act = |label: String, make: Act| button(page, label, move || make.clone());
    let both = move || names([a, b]);
    let slower = move |millis: i64| Act::Delay(Mail::Links(both(), both()), later(millis));
    view! {
        <h2>{format!("S{a} – S{b}")}</h2>
        <div class="acts">
            {act("cut both ways".to_owned(), cut(&[a, b], &[a, b]))}
            {act(format!("cut S{a} to S{b}"), cut(&[a], &[b]))}
            {act(format!("cut S{b} to S{a}"), cut(&[b], &[a]))}
            {act("heal both ways".to_owned(), heal(&[a, b], &[a, b]))}
            {act(format!("heal S{a} to S{b}"), heal(&[a], &[b]))}
            {act(format!("heal S{b} to S{a}"), heal(&[b], &[a]))}
            {act("hold all on it".to_owned(), Act::Hold(Mail::Links(both(), both())))}
            {act("deliver what it holds".to_owned(), Act::Release(both(), both()))}
            {number(page, "slower by, in ms", [50, 0, 60_000], "slow it", slower)}
        </div>
        <section class="carries" id="carries" aria-label="What it carries">
            {carried(page, a, b)}
            {carried(page, b, a)}
        </section>
    }
    .into_any()
}
