//! The cluster: nodes on a ring, clients below, links, and messages on their way.
//!
//! Shape tells what a message is, a mark whether it grants or refuses; colour only adds the term.

use super::mail::{Dragged, arrival, arrive};
use super::picture::{Client, Flight, Node, Picture};
use super::state::{Selected, page};
use leptos::prelude::*;
use raftbox::event::{Endpoint, Micros, NodeId};
use raftbox::nodes::State;
use raftbox::view::message::Shape;
use raftbox_abi::note::Role;
use std::f64::consts::TAU;
use std::sync::Arc;
use web_sys::wasm_bindgen::JsCast as _;

const RADIUS: f64 = 132.0;
const NODE: f64 = 27.0;
/// How wide and high the ring is, and where its middle lies below its centre.
const SIZE: f64 = 430.0;
const MIDDLE: f64 = 37.0;
/// How far below the centre the clients stand.
const CLIENTS_AT: f64 = 222.0;

/// Where an endpoint stands.
fn place(endpoint: Endpoint, nodes: usize, clients: usize) -> (f64, f64) {
    match endpoint {
        Endpoint::Node(node) => {
            let turn = f64::from(node - 1) / nodes.max(1) as f64 - 0.25;
            (RADIUS * (turn * TAU).cos(), RADIUS * (turn * TAU).sin())
        }
        Endpoint::Client(client) => {
            // Clients that are not drawn stand at the edge.
            let spread = 300.0 / clients.max(1) as f64;
            let x = (f64::from(client) - (clients as f64 + 1.0) / 2.0) * spread;
            (x.clamp(-190.0, 190.0), CLIENTS_AT)
        }
    }
}

/// How much of a span has passed, 0 to 1.
fn part(from: Micros, to: Micros, now: Micros) -> f64 {
    let whole = to.saturating_sub(from).max(1);
    now.saturating_sub(from).min(whole) as f64 / whole as f64
}

#[component]
pub(crate) fn Ring(picture: Memo<Arc<Picture>>, id: &'static str) -> impl IntoView {
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
    let flights = Memo::new(move |_| picture.read().flights.clone());
    view! {
        <svg id=id class="ring" viewBox="-215 -178 430 430" role="group" aria-label="The cluster">
            <For each=move || pairs(count.get().0) key=|pair| *pair let:pair>
                {link_line(pair, count)}
            </For>
            <For each=move || links.get() key=Clone::clone let:cut>
                {cut_mark(&cut)}
            </For>
            <For each=nodes key=|id| *id children=node />
            <For each=clients key=|id| *id children=client />
            <For each=move || flights.get() key=|flight| (flight.name, flight.ends) let:flight>
                <FlightMark flight=Arc::new(flight) count=count />
            </For>
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
            <line x1=from.0 y1=from.1 x2=to.0 y2=to.1 />
            <line class="target" x1=from.0 y1=from.1 x2=to.0 y2=to.1 />
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
    let angle = (b.1 - a.1).atan2(b.0 - a.0).to_degrees();
    // The arrow shows the direction that carries nothing.
    let head = |on: bool, way: &str| on.then(|| format!("M{way}9 -6L{way}16 0L{way}9 6"));
    let heads = [head(cut.forward, ""), head(cut.back, "-")];
    let class = if cut.forward && cut.back { "cut both" } else { "cut" };
    view! {
        <g class=class transform=format!("translate({:.1} {:.1}) rotate({angle:.1})", middle.0, middle.1)>
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
        format!("translate({x:.1} {y:.1})")
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
        format!("{:.1} 100", left.unwrap_or(0.0) * 100.0)
    };
    let label = text(|node| {
        let disk = if node.durable < node.last {
            format!("{} of {} on disk", node.durable, node.last)
        } else {
            "all on disk".into()
        };
        let vote = if node.vote.is_empty() { "no vote".to_owned() } else { format!("vote for {}", node.vote) };
        format!(
            "S{}, {}, term {}, {vote}, commit {}, applied {}, log to {}, {disk}",
            node.id,
            node.word(),
            node.term,
            node.commit,
            node.applied,
            node.last
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
                <circle class="body" r=NODE />
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
    format!("translate({dx} {dy})")
}

fn disk(node: &Node) -> String {
    if node.durable < node.last { format!("on disk {}", node.durable) } else { "all on disk".to_owned() }
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
    let leads = node.is_some_and(|node| node.role == Some(Role::Leader) && node.state.is_up());
    leads.then(|| view! { <path class="crown" d="M-9 -30L-11 -41L-4 -36L0 -44L4 -36L11 -41L9 -30Z" /> })
}

#[component]
fn ClientMark(id: u32, client: Memo<Option<Client>>, count: Memo<(usize, usize)>) -> impl IntoView {
    let at = move || {
        let (nodes, clients) = count.get();
        let (x, y) = place(Endpoint::Client(id), nodes, clients);
        format!("translate({x:.1} {y:.1})")
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

/// The outline of a message.
pub(super) fn outline(shape: Shape) -> &'static str {
    match shape {
        Shape::PreVote | Shape::Vote | Shape::PreVoteReply | Shape::VoteReply => "M0 -8L8 0L0 8L-8 0Z",
        Shape::Heartbeat => "M-3 0A3 3 0 1 0 3 0A3 3 0 1 0 -3 0Z",
        Shape::Append(_) => "M-9 -7H9V7H-9Z",
        Shape::AppendReply => "M0 -7L8 6H-8Z",
        Shape::Snapshot => "M-8 -3H3V8H-8ZM-3 -3V-8H8V3H3",
        Shape::TimeoutNow => "M2 -9L-6 2H0L-2 9L6 -2H0Z",
        Shape::Request | Shape::Reply => "M-8 0A8 8 0 1 0 8 0A8 8 0 1 0 -8 0Z",
        Shape::Other => "M-6 -6H6V6H-6Z",
    }
}

pub(super) fn shape_class(shape: Shape) -> &'static str {
    match shape {
        Shape::PreVote | Shape::PreVoteReply => "hollow",
        Shape::Request | Shape::Reply => "client-message",
        _ => "solid",
    }
}

/// What stands on a message: a number of entries, a letter, a tick or a cross.
fn inscription(flight: &Flight) -> String {
    match (flight.shape, flight.grants) {
        (Shape::Append(entries), _) => entries.to_string(),
        (Shape::Request, _) => flight.words.chars().next().unwrap_or('?').to_uppercase().collect(),
        (Shape::Heartbeat, _) => String::new(),
        (_, Some(true)) => "✓".into(),
        (_, Some(false)) => "✗".into(),
        (_, None) => String::new(),
    }
}

/// Where a pointer is, in the units of the ring.
fn on_ring(event: &web_sys::PointerEvent) -> (f64, f64) {
    let target = event.current_target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let Some(Ok(Some(ring))) = target.map(|target| target.closest("svg")) else { return (0.0, 0.0) };
    let bounds = ring.get_bounding_client_rect();
    let scale = (bounds.width().min(bounds.height()) / SIZE).max(0.001);
    let x = f64::from(event.client_x()) - bounds.left() - bounds.width() / 2.0;
    let y = f64::from(event.client_y()) - bounds.top() - bounds.height() / 2.0;
    (x / scale, y / scale + MIDDLE)
}

/// What happens to the pointer is told to the message that was grabbed, wherever the pointer goes.
fn hold(event: &web_sys::PointerEvent) {
    let target = event.current_target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    if let Some(target) = target {
        drop(target.set_pointer_capture(event.pointer_id()));
    }
}

/// How far along the way between two places a point is, 0 to 1.
fn along(from: (f64, f64), to: (f64, f64), point: (f64, f64)) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy).max(1.0);
    let inset = NODE / length;
    let way = ((point.0 - from.0) * dx + (point.1 - from.1) * dy) / (length * length);
    ((way - inset) / (1.0 - 2.0 * inset)).clamp(0.0, 1.0)
}

#[component]
fn FlightMark(flight: Arc<Flight>, count: Memo<(usize, usize)>) -> impl IntoView {
    let page = page();
    let name = flight.name;
    let (nodes, clients) = count.get_untracked();
    let (from, to) = (place(name.from, nodes, clients), place(name.to, nodes, clients));
    let (sent, ends, shape) = (flight.sent, flight.ends, shape_class(flight.shape));
    let at = move || {
        // Beside the middle of its link, so that both directions are told apart.
        let dragged = page.dragged.get().filter(|dragged| dragged.name == name);
        let way = dragged
            .map_or_else(|| ends.map_or(0.5, |(end, _)| part(sent, end, page.time.get())), |dragged| dragged.way);
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy).max(1.0);
        let aside = 5.0;
        let inset = NODE / length;
        let way = inset + way * (1.0 - 2.0 * inset);
        let (x, y) = (from.0 + dx * way - dy / length * aside, from.1 + dy * way + dx / length * aside);
        format!("translate({x:.1} {y:.1})")
    };
    let lost = ends.is_some_and(|(_, lost)| lost);
    let class = move || {
        let selected = page.selected.get() == Some(Selected::Message(name));
        let pointed = page.pointed.get() == Some(name);
        let flag = |on: bool, class: &'static str| if on { class } else { "" };
        let held = if ends.is_none() { " held" } else { "" };
        format!(
            "message {shape}{held}{}{}{}",
            flag(lost, " lost"),
            flag(selected, " selected"),
            flag(pointed, " pointed")
        )
    };
    let drag = move |event: web_sys::PointerEvent, begins: bool| {
        let point = on_ring(&event);
        let way = along(from, to, point);
        let arrives = arrival(sent, page.time.get_untracked(), way);
        if begins {
            page.playing.set(false);
            page.grabbed.set(Some((name, point)));
        } else if page.grabbed.get_untracked().is_some_and(|(grabbed, at)| {
            grabbed == name && (page.dragged.get_untracked().is_some() || (at.0 - point.0).hypot(at.1 - point.1) > 6.0)
        }) {
            page.dragged.set(Some(Dragged { name, way, arrives }));
        }
    };
    let leave = move || {
        page.grabbed.set(None);
        if let Some(dragged) = page.dragged.get_untracked().filter(|dragged| dragged.name == name) {
            page.dragged.set(None);
            arrive(page, name, dragged.arrives);
        } else {
            page.selected.set(Some(Selected::Message(name)));
        }
    };
    let told = move || {
        let dragged = page.dragged.get().filter(|dragged| dragged.name == name)?;
        let now = page.time.get();
        Some(if dragged.arrives <= now {
            "now".to_owned()
        } else {
            format!("in {} ms", (dragged.arrives - now) / 1000)
        })
    };
    let words = format!("{name}: {}{}", flight.words, if lost { "; it will be lost" } else { "" });
    let inscribed = inscription(&flight);
    let d = outline(flight.shape);
    view! {
        <g class=class transform=at tabindex="-1" role="button" aria-label=words.clone()
            on:pointerenter=move |_| page.pointed.set(Some(name)) on:pointerleave=move |_| page.pointed.set(None)
            on:focus=move |_| page.pointed.set(Some(name)) on:blur=move |_| page.pointed.set(None)
            data-message=name.to_string()
            // A finger on a message moves the message, and not the page.
            on:touchstart=|event| event.prevent_default()
            on:pointerdown=move |event| { hold(&event); drag(event, true); }
            on:pointermove=move |event| drag(event, false)
            on:pointerup=move |_| leave() on:pointercancel=move |_| { page.grabbed.set(None); page.dragged.set(None); }>
            <title>{words.clone()}</title>
            <circle class="halo" r="12" />
            <path d=d />
            <text y="3.5">{inscribed}</text>
            {ends.is_none().then(|| view! { <path class="brackets" d="M-10 -6V6M10 -6V6" /> })}
            <text class="arrival" y="-14">{told}</text>
        </g>
    }
}
