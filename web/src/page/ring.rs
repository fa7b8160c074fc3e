//! The cluster: nodes on a ring, clients below, links, and messages on their way.
//!
//! Shape tells what a message is, a mark whether it grants or refuses; colour only adds the term.

use super::flight;
use super::marks::Marks;
use super::picture::{Client, Node, Picture};
use super::place::{Px, moved_to, px};
use super::state::{Selected, page};
use leptos::prelude::*;
use raftbox::event::{Endpoint, Micros, NodeId};
use raftbox::nodes::State;
use std::f64::consts::TAU;
use std::sync::Arc;

const RADIUS: f64 = 132.0;
pub(super) const NODE: f64 = 27.0;
/// How wide and high the ring is, and where its middle lies below its centre.
pub(super) const SIZE: f64 = 430.0;
pub(super) const MIDDLE: f64 = 37.0;
/// How far below the centre the clients stand.
const CLIENTS_AT: f64 = 222.0;

/// Where an endpoint stands.
pub(super) fn place(endpoint: Endpoint, nodes: usize, clients: usize) -> (f64, f64) {
    match endpoint {
        Endpoint::Node(node) => {
            let turn = f64::from(node - 1) / nodes.max(1) as f64;
            (RADIUS * sine(turn), -RADIUS * sine(turn + 0.25))
        }
        Endpoint::Client(client) => {
            // Clients that are not drawn stand at the edge.
            let spread = 300.0 / clients.max(1) as f64;
            let x = (f64::from(client) - (clients as f64 + 1.0) / 2.0) * spread;
            (x.clamp(-190.0, 190.0), CLIENTS_AT)
        }
    }
}

/// The sine of an angle in turns, closer than can be seen: the library's is exact, and weighs as much as a panel.
fn sine(turn: f64) -> f64 {
    let turn = turn - turn.floor();
    // Half a turn on it is the same below the line; within half a turn, the same from either end.
    let (sign, turn) = if turn < 0.5 { (1.0, turn) } else { (-1.0, turn - 0.5) };
    let angle = turn.min(0.5 - turn) * TAU;
    let square = angle * angle;
    sign * angle * (1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0)))
}

/// How much of a span has passed, 0 to 1.
pub(super) fn part(from: Micros, to: Micros, now: Micros) -> f64 {
    let whole = to.saturating_sub(from).max(1);
    now.saturating_sub(from).min(whole) as f64 / whole as f64
}

#[component]
pub(crate) fn Ring(
    picture: Memo<Arc<Picture>>,
    id: &'static str,
    /// Whether it is the run that is shown, to which things can be done.
    live: bool,
) -> impl IntoView {
    let page = page();
    let count = Memo::new(move |_| (picture.read().nodes.len(), picture.read().clients.len()));
    let node = move |id: NodeId| {
        let node = Memo::new(move |_| picture.read().nodes.get(id as usize - 1).cloned());
        view! { <NodeMark id=id node=node count=count /> }
    };
    let client = move |id: u32| {
        let client = Memo::new(move |_| picture.read().clients.get(id as usize - 1).cloned());
        view! { <ClientMark id=id client=client count=count /> }
    };
    let nodes = move || 1..=u32::try_from(count.get().0).unwrap_or(0);
    let clients = move || 1..=u32::try_from(count.get().1).unwrap_or(0);
    let links = Memo::new(move |_| cut_links(&picture.read(), count.get()));
    let layer = NodeRef::<leptos::svg::G>::new();
    let marks = StoredValue::new_local(Marks::default());
    Effect::new(move |_| {
        if let Some(layer) = layer.get() {
            marks.update_value(|marks| marks.draw(&layer, page, &picture.read()));
        }
    });
    // One listener for all messages: they come and go by the hundred.
    let hand = move |event: web_sys::PointerEvent| {
        if live {
            flight::hand(page, &event);
        }
    };
    view! {
        <svg id=id class="ring" viewBox="-215 -178 430 430" role="group" aria-label="The cluster"
            on:pointerover=move |event| page.pointed.set(flight::message(&event)) on:pointerleave=move |_| page.pointed.set(None)
            on:focusin=move |event| page.pointed.set(flight::message(&event)) on:focusout=move |_| page.pointed.set(None)
            // A finger on a message moves the message, and not the page.
            on:touchstart=move |event| if live && flight::message(&event).is_some() { event.prevent_default() }
            on:pointerdown=hand on:pointermove=hand on:pointerup=hand on:pointercancel=hand>
            <For each=move || pairs(count.get().0) key=|pair| *pair let:pair>
                {link_line(pair, count)}
            </For>
            <For each=move || links.get() key=Clone::clone let:cut>
                {cut_mark(&cut)}
            </For>
            <For each=nodes key=|id| *id children=node />
            <For each=clients key=|id| *id children=client />
            <g node_ref=layer></g>
        </svg>
    }
}

pub(super) fn pairs(nodes: usize) -> Vec<(NodeId, NodeId, usize)> {
    let nodes = u32::try_from(nodes).unwrap_or(0);
    let all = (1..=nodes).flat_map(|a| (a + 1..=nodes).map(move |b| (a, b, nodes as usize)));
    all.collect()
}

fn link_line((a, b, _): (NodeId, NodeId, usize), count: Memo<(usize, usize)>) -> impl IntoView {
    let (nodes, clients) = count.get_untracked();
    let (from, to) = (place(Endpoint::Node(a), nodes, clients), place(Endpoint::Node(b), nodes, clients));
    let page = page();
    let ours = Some(Selected::Link(a, b));
    let class = move || if page.selected.get() == ours { "link selected" } else { "link" };
    view! {
        <g class=class role="button" tabindex="-1" data-link=format!("{a}-{b}") aria-label=format!("the link between S{a} and S{b}")
            on:click=move |_| page.selected.set(ours)>
            <line x1=px(from.0) y1=px(from.1) x2=px(to.0) y2=px(to.1) />
            <line class="target" x1=px(from.0) y1=px(from.1) x2=px(to.0) y2=px(to.1) />
        </g>
    }
}

/// A cut between two nodes: the two ends, and whether each direction is cut.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Cut {
    ends: [(i64, i64); 2],
    forward: bool,
    back: bool,
    words: String,
}

fn cut_links(picture: &Picture, (nodes, clients): (usize, usize)) -> Vec<Cut> {
    let cut = |a, b| picture.cuts.contains(&(Endpoint::Node(a), Endpoint::Node(b)));
    let between = |(a, b, _)| {
        let (forward, back) = (cut(a, b), cut(b, a));
        let at = |node| {
            let (x, y) = place(Endpoint::Node(node), nodes, clients);
            ((x * 16.0) as i64, (y * 16.0) as i64)
        };
        let words = match (forward, back) {
            (true, true) => format!("S{a} and S{b} are cut off from each other"),
            (true, false) => format!("nothing gets from S{a} to S{b}"),
            _ => format!("nothing gets from S{b} to S{a}"),
        };
        (forward || back).then(|| Cut { ends: [at(a), at(b)], forward, back, words })
    };
    pairs(nodes).into_iter().filter_map(between).collect()
}

/// The gap in a link, and in a link that is cut one way an arrow head for the way that is left.
fn cut_mark(cut: &Cut) -> impl IntoView + use<> {
    let [a, b] = cut.ends.map(|(x, y)| (x as f64 / 16.0, y as f64 / 16.0));
    let middle = ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0);
    let length = (b.0 - a.0).hypot(b.1 - a.1).max(1.0);
    let along = ((b.0 - a.0) / length, (b.1 - a.1) / length);
    let turned = [along.0, along.1, -along.1, along.0, middle.0, middle.1].map(|part| Px(part).to_string()).join(" ");
    // The arrow shows the direction that carries nothing.
    let head = |on: bool, way: &str| on.then(|| format!("M{way}9 -6L{way}16 0L{way}9 6"));
    let heads = [head(cut.forward, ""), head(cut.back, "-")];
    let class = if cut.forward && cut.back { "cut both" } else { "cut" };
    view! {
        <g class=class transform=format!("matrix({turned})")>
            <title>{cut.words.clone()}</title>
            <rect class="gap" x="-8" y="-4" width="16" height="8" />
            <path d="M-5 -6L-5 6M5 -6L5 6" />
            {heads.map(|head| head.map(|d| view! { <path d=d /> }))}
        </g>
    }
}

#[component]
fn NodeMark(id: NodeId, node: Memo<Option<Node>>, count: Memo<(usize, usize)>) -> impl IntoView {
    let page = page();
    let at = move || {
        let (nodes, clients) = count.get();
        let (x, y) = place(Endpoint::Node(id), nodes, clients);
        moved_to(x, y)
    };
    let class = move || {
        let selected = page.selected.get() == Some(Selected::Node(id));
        let kind =
            node.read().as_ref().map_or_else(String::new, |node| format!("{} term-{}", node.word(), node.term % 8));
        format!("node {kind}{}", if selected { " selected" } else { "" })
    };
    let text = move |what: fn(&Node) -> String| move || node.read().as_ref().map(what).unwrap_or_default();
    let arc = move || {
        let left = node
            .read()
            .as_ref()
            .and_then(|node| node.alarm)
            .map(|(set, rings)| 1.0 - part(set, rings, page.time.get()));
        format!("{} 100", Px(left.unwrap_or(0.0) * 100.0))
    };
    let label = text(|node| {
        let disk = if node.durable < node.last {
            format!("{} of {} on disk", node.durable, node.last)
        } else {
            "all on disk".into()
        };
        let behind = Some(behind(node)).filter(|behind| !behind.is_empty()).map(|behind| format!(", {behind}"));
        let vote = if node.vote.is_empty() { "no vote".to_owned() } else { format!("vote for {}", node.vote) };
        format!(
            "S{}, {}, term {}, {vote}, commit {}, applied {}, log to {}, {disk}{}",
            node.id,
            node.word(),
            node.term,
            node.commit,
            node.applied,
            node.last,
            behind.unwrap_or_default()
        )
    });
    let ours = Some(Selected::Node(id));
    let pick = move || page.selected.update(|selected| *selected = if *selected == ours { None } else { ours });
    view! {
        <g class=class transform=at on:click=move |_| pick()>
            <g tabindex="0" role="button" aria-label=label data-node=id
                aria-pressed=move || (page.selected.get() == Some(Selected::Node(id))).to_string()
                on:keydown=move |key| if ["Enter", " "].contains(&key.key().as_str()) {
                    // Space would also play.
                    key.prevent_default();
                    key.stop_propagation();
                    pick();
                }>
                <circle class="target" r="36" />
                <circle class="body" r=px(NODE) />
                <circle class="alarm" r="32" pathLength="100" stroke-dasharray=arc transform="rotate(-90)" />
                {move || crown(node.read().as_ref())}
                <text class="name" y="-5">{format!("S{id}")}</text>
            </g>
            // The label says all of this.
            <text class="term" y="8" aria-hidden="true">{text(|node| format!("T{}", node.term))}</text>
            <text class="mark" y="19" aria-hidden="true">{text(marks)}</text>
            <g aria-hidden="true" class=move || facts_class(id, count.get()) transform=move || facts_at(id, count.get())>
                <text>{text(|node| node.word().to_owned())}</text>
                <text y="11">{text(|node| format!("log {} · commit {}", node.last, node.commit))}</text>
                <text y="22">{text(disk)}</text>
                <text y="33">{text(behind)}</text>
            </g>
        </g>
    }
}

/// How the facts are set: at the top beside the node, and so to one side.
fn facts_class(id: NodeId, (nodes, clients): (usize, usize)) -> &'static str {
    match place(Endpoint::Node(id), nodes, clients) {
        (x, y) if y < -RADIUS * 0.8 => {
            if x < -1.0 {
                "facts before"
            } else {
                "facts beside"
            }
        }
        _ => "facts",
    }
}

/// Beside its node, on the outer side.
fn facts_at(id: NodeId, (nodes, clients): (usize, usize)) -> String {
    let (x, y) = place(Endpoint::Node(id), nodes, clients);
    let (dx, dy) = if y < -RADIUS * 0.8 { (if x < -1.0 { -40.0 } else { 40.0 }, -8.0) } else { (0.0, 46.0) };
    moved_to(dx, dy)
}

fn disk(node: &Node) -> String {
    if node.durable < node.last { format!("on disk {}", node.durable) } else { "all on disk".to_owned() }
}

/// What is not as it mostly is: a machine that has not applied all that is committed, and a clock that runs at another rate.
fn behind(node: &Node) -> String {
    let applied = (node.applied < node.commit).then(|| format!("applied {}", node.applied));
    let rate = 1_000_000 + i64::from(node.ppm);
    let clock = (node.ppm != 0).then(|| format!("clock at {}.{:02} %", rate / 10_000, rate % 10_000 / 100));
    applied.into_iter().chain(clock).collect::<Vec<_>>().join(" · ")
}

/// Two bars for a pause, a cross for a node that is down.
fn marks(node: &Node) -> String {
    match node.state {
        State::Up => {
            if node.vote.is_empty() {
                String::new()
            } else {
                format!("→{}", node.vote.split(',').next().unwrap_or_default())
            }
        }
        State::Paused => "‖".into(),
        State::Down | State::Halted | State::Trapped => "✗".into(),
    }
}

fn crown(node: Option<&Node>) -> Option<impl IntoView + use<>> {
    node.is_some_and(Node::leads)
        .then(|| view! { <path class="crown" d="M-9 -30L-11 -41L-4 -36L0 -44L4 -36L11 -41L9 -30Z" /> })
}

#[component]
fn ClientMark(id: u32, client: Memo<Option<Client>>, count: Memo<(usize, usize)>) -> impl IntoView {
    let at = move || {
        let (nodes, clients) = count.get();
        let (x, y) = place(Endpoint::Client(id), nodes, clients);
        moved_to(x, y)
    };
    let class =
        move || if client.read().as_ref().is_some_and(|client| client.waits) { "client waits" } else { "client" };
    let words = move || client.read().as_ref().map(|client| format!("C{id} {}", client.words)).unwrap_or_default();
    view! {
        <g class=class transform=at role="img" aria-label=words>
            <title>{words}</title>
            <circle r="12" />
            <text y="4">{format!("C{id}")}</text>
        </g>
    }
}
