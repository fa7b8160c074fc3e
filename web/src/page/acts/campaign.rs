//! How the next election goes: split among several that campaign at once, or won by one that campaigns alone.

use crate::page::branches;
use crate::page::picture::{Node, Picture};
use crate::page::state::Page;
use leptos::prelude::*;
use raftbox::event::NodeId;
use raftbox::scenario::step::{Act, Target};

/// Those who campaign as long as nobody has chosen others: two that are up and do not lead.
fn first(picture: &Picture) -> Vec<bool> {
    let fits = |node: &Node| node.state.is_up() && !node.leads();
    let two: Vec<NodeId> = picture.nodes.iter().filter(|node| fits(node)).map(|node| node.id).take(2).collect();
    picture.nodes.iter().map(|node| two.contains(&node.id)).collect()
}

/// Who campaigns next.
pub(super) fn campaign(page: Page, nodes: u32) -> AnyView {
    let by_hand = RwSignal::new(None::<Vec<bool>>);
    let chosen = Memo::new(move |_| by_hand.get().unwrap_or_else(|| first(&page.picture.read())));
    let who = move || (1..).zip(chosen.get()).filter(|(_, is)| *is).map(|(id, _)| Target::Node(id)).collect::<Vec<_>>();
    let does = move || match who()[..] {
        [] => "choose who campaigns".to_owned(),
        [only] => format!("no split: {only} campaigns alone"),
        _ => "split the vote among these".to_owned(),
    };
    let go = move |_| match who()[..] {
        [] => page.fail("Nobody is chosen to campaign."),
        [only] => branches::act(page, Act::Elect(only)),
        ref several => branches::act(page, Act::SplitVote(several.to_vec())),
    };
    let node = move |place: usize| {
        let is_chosen = move || chosen.read().get(place) == Some(&true);
        let flip = move |_| {
            let others = chosen.get_untracked().into_iter().enumerate();
            by_hand.set(Some(others.map(|(other, is)| is != (other == place)).collect()));
        };
        view! {
            <button type="button" aria-pressed=move || is_chosen().to_string() on:click=flip>{format!("S{}", place + 1)}</button>
        }
    };
    view! {
        <fieldset class="choice" id="campaign">
            <legend>"the next election"</legend>
            {(0..nodes as usize).map(node).collect_view()}
            <button type="button" class="go" on:click=go>{does}</button>
        </fieldset>
    }
    .into_any()
}
