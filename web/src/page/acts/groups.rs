//! Which nodes are split from which: groups that reach nobody outside, chosen node by node or as one of the ways in which
//! networks break.

use super::names;
use crate::page::branches;
use crate::page::picture::Node;
use crate::page::state::Page;
use leptos::prelude::*;
use raftbox::event::NodeId;
use raftbox::scenario::step::Act;

/// The group of each node, from 0; `None` for one that reaches all.
type Groups = Vec<Option<usize>>;

/// Makes the groups of so many nodes of which that one leads, from 0.
type Make = fn(usize, usize) -> Groups;

/// Ways in which a network breaks.
const WAYS: [(&str, Make); 4] = [
    ("leader in the minority", minority),
    ("no majority anywhere", no_majority),
    ("each alone", |nodes, _| (0..nodes).map(Some).collect()),
    ("two halves, one node sees both", bridge),
];

/// The node that is so many places after the leader.
fn after(nodes: usize, leader: usize) -> impl Iterator<Item = usize> {
    (0..nodes).map(move |place| (leader + place) % nodes)
}

/// Gives each node its group, the leader's first.
fn grouped(nodes: usize, leader: usize, group: impl Fn(usize) -> Option<usize>) -> Groups {
    let mut groups = vec![None; nodes];
    for (place, node) in after(nodes, leader).enumerate() {
        groups[node] = group(place);
    }
    groups
}

fn minority(nodes: usize, leader: usize) -> Groups {
    let few = (nodes - 1) / 2;
    grouped(nodes, leader, |place| Some(usize::from(place >= few.max(1))))
}

fn no_majority(nodes: usize, leader: usize) -> Groups {
    let few = (nodes / 2).max(1);
    grouped(nodes, leader, |place| Some(place / few))
}

/// The leader's half, the other half, and between them a node that reaches all.
fn bridge(nodes: usize, leader: usize) -> Groups {
    let half = nodes / 2;
    grouped(nodes, leader, |place| (place != half).then_some(usize::from(place > half)))
}

fn letter(group: Option<usize>) -> String {
    group.map_or("all".to_owned(), |group| char::from(b'A' + group.min(25) as u8).to_string())
}

/// The next group that a node can be in: those that others are in, one more, and then none.
fn next(groups: &Groups, node: usize) -> Option<usize> {
    let others = groups.iter().enumerate().filter(|(other, _)| *other != node).filter_map(|(_, group)| *group);
    let most = others.max().map_or(0, |most| most + 1);
    match groups[node] {
        None => Some(0),
        Some(group) if group < most => Some(group + 1),
        Some(_) => None,
    }
}

/// The step that the groups make; `None` if they split nobody.
fn partition(groups: &Groups) -> Option<Act> {
    let members =
        |group: usize| (1..).zip(groups).filter(move |(_, of)| **of == Some(group)).map(|(id, _)| id as NodeId);
    let all: Vec<_> = (0..groups.len()).map(|group| names(members(group))).filter(|group| !group.is_empty()).collect();
    (all.len() > 1).then_some(Act::Partition(all))
}

/// Which nodes are to be split from which.
pub(super) fn groups(page: Page, nodes: u32) -> AnyView {
    let nodes = nodes as usize;
    let leader = move || page.picture.read().nodes.iter().position(Node::leads).unwrap_or(0);
    let by_hand = RwSignal::new(None::<Groups>);
    let groups = Memo::new(move |_| by_hand.get().unwrap_or_else(|| minority(nodes, leader())));
    let split = move |_| match partition(&groups.read_untracked()) {
        Some(act) => branches::act(page, act),
        None => page.fail("A split has at least two groups: put some nodes into A and others into B."),
    };
    let node = move |node: usize| {
        let told = move || format!("S{} {}", node + 1, letter(groups.read()[node]));
        // Whoever speaks to the page says what is to be read there, so the name begins with that.
        let label = move || {
            let group = groups.read()[node];
            let word = group.map_or("reaches all".to_owned(), |_| format!("is in group {}", letter(group)));
            format!("{}: {word}", told())
        };
        let turn = move |_| {
            let mut groups = groups.get_untracked();
            groups[node] = next(&groups, node);
            by_hand.set(Some(groups));
        };
        view! { <button type="button" aria-label=label on:click=turn>{told}</button> }
    };
    let way = move |(words, make): (&'static str, Make)| {
        view! { <button type="button" class="way" on:click=move |_| by_hand.set(Some(make(nodes, untrack(leader))))>{words}</button> }
    };
    view! {
        <fieldset class="choice" id="split">
            <legend>"split the network"</legend>
            {(0..nodes).map(node).collect_view()}
            <button type="button" class="go" on:click=split>"split so"</button>
            <details>
                <summary>"as networks break"</summary>
                {WAYS.map(way)}
            </details>
        </fieldset>
    }
    .into_any()
}
