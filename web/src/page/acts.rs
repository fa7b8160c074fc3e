//! What can be done to a run, now: to the node or the message that is selected, to the network, to the next election.
//!
//! Every act is a step of the plan, taken after the event that is shown; what had happened after it stays as the branch
//! that it was.

use super::state::{Page, Selected, page};
use super::{ask, branches, session, tree};
use leptos::prelude::*;
use raftbox::event::{Endpoint, MessageName, NodeId};
use raftbox::nodes::State;
use raftbox::scenario::step::{Act, Jump, Later, Mail, Name, Survive, Syncs, Target};
use raftbox::timeline::seconds;
use raftbox::units::Span;

fn button(page: Page, label: String, act: impl Fn() -> Act + 'static) -> impl IntoView {
    view! { <button type="button" on:click=move |_| branches::act(page, act())>{label}</button> }
}

fn name(node: NodeId) -> Name {
    Name(Endpoint::Node(node))
}

fn names(nodes: impl IntoIterator<Item = NodeId>) -> Vec<Name> {
    nodes.into_iter().map(name).collect()
}

/// So many milliseconds later.
fn later(millis: i64) -> Later {
    Later::By(Span(millis.unsigned_abs() * 1000))
}

/// A number that somebody writes, in a field of that name; a button with it does something.
fn number(
    page: Page,
    label: &'static str,
    [first, least, most]: [i64; 3],
    does: &'static str,
    act: impl Fn(i64) -> Act + Copy + 'static,
) -> AnyView {
    let value = RwSignal::new(first.to_string());
    let go = move || match value.get_untracked().trim().parse::<i64>() {
        Ok(number) if (least..=most).contains(&number) => branches::act(page, act(number)),
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

/// Links in these directions are cut.
pub(super) fn cut(from: &[NodeId], to: &[NodeId]) -> Act {
    Act::Cut(names(from.iter().copied()), names(to.iter().copied()))
}

/// Both directions between two nodes are healed.
pub(super) fn heal(a: NodeId, b: NodeId) -> Act {
    Act::Heal(names([a, b]), names([a, b]))
}

/// What can be done to the link between two nodes.
fn link_acts(page: Page, a: NodeId, b: NodeId) -> AnyView {
    let act = |label: String, make: Act| button(page, label, move || make.clone());
    let both = move || names([a, b]);
    let slower = move |millis: i64| Act::Delay(Mail::Links(both(), both()), later(millis));
    view! {
        <h2>{format!("S{a} – S{b}")}</h2>
        <div class="acts">
            {act("cut both ways".to_owned(), cut(&[a, b], &[a, b]))}
            {act(format!("cut S{a} to S{b}"), cut(&[a], &[b]))}
            {act(format!("cut S{b} to S{a}"), cut(&[b], &[a]))}
            {act("heal".to_owned(), heal(a, b))}
            {act("hold all on it".to_owned(), Act::Hold(Mail::Links(both(), both())))}
            {act("deliver what it holds".to_owned(), Act::Release(both(), both()))}
            {number(page, "slower by, in ms", [50, 0, 60_000], "slow it", slower)}
        </div>
    }
    .into_any()
}

/// Which nodes are to be split from the others.
fn split(page: Page, nodes: u32) -> AnyView {
    let inside = RwSignal::new(vec![true]);
    let is_in = move |id: NodeId| inside.read().get(id as usize - 1).copied().unwrap_or(false);
    let go = move |_| {
        let (these, those): (Vec<NodeId>, Vec<NodeId>) = (1..=nodes).partition(|id| is_in(*id));
        if these.is_empty() || those.is_empty() {
            return page.fail("A split has two sides: choose some of the nodes, and not all.");
        }
        branches::act(page, Act::Partition(vec![names(these), names(those)]));
    };
    let flip = move |id: NodeId| {
        inside.update(|inside| {
            inside.resize(nodes as usize, false);
            inside[id as usize - 1] = !inside[id as usize - 1];
        });
    };
    view! {
        <fieldset class="split" id="split">
            <legend>"split these from the others"</legend>
            {(1..=nodes).map(|id| view! {
                <button type="button" aria-pressed=move || is_in(id).to_string() on:click=move |_| flip(id)>{format!("S{id}")}</button>
            }).collect_view()}
            <button type="button" on:click=go>"split"</button>
        </fieldset>
    }
    .into_any()
}

/// What can be done to a node.
fn node_acts(page: Page, id: NodeId, state: State, nodes: u32) -> AnyView {
    let target = Target::Node(id);
    let others = move || names((1..=nodes).filter(|other| *other != id));
    let act = |label: &str, make: Act| button(page, label.to_owned(), move || make.clone());
    let up = state.is_up();
    view! {
        <h2>{format!("S{id}")}</h2>
        <div class="acts">
            {up.then(|| view! {
                {act("crash", Act::Crash(target, None))}
                {number(page, "crash in its next turn, after effect", [1, 1, 65_536], "crash so", move |n| {
                    Act::Crash(target, Some(u32::try_from(n - 1).unwrap_or(0)))
                })}
                {act("time out", Act::Timeout(target))}
                {act("elect", Act::Elect(target))}
                {if state == State::Paused { act("go on", Act::Resume(target)) } else { act("pause", Act::Pause(target)) }}
            })}
            {(!up).then(|| view! {
                {act("restart", Act::Restart(target, None))}
                {act("restart, unsynced writes lost", Act::Restart(target, Some(Survive::None)))}
                {act("restart, last write torn", Act::Restart(target, Some(Survive::Torn)))}
            })}
            {act("cut off", Act::Isolate(target, 0))}
            {act("deaf: hears nobody", Act::Cut(others(), vec![name(id)]))}
            {act("mute: heard by nobody", Act::Cut(vec![name(id)], others()))}
            {act("stall its disk", Act::Stall(Syncs::Of(target)))}
            {act("its disk answers again", Act::Complete(Syncs::Of(target)))}
            {act("its next sync fails", Act::Fail(Syncs::Of(target)))}
            {number(page, "clock on by, in ms", [100, -3_600_000, 3_600_000], "set it", move |millis| Act::Clock(target, Jump(millis * 1000), 0))}
            {number(page, "clock faster by, in ppm", [-500_000, -900_000, 1_000_000], "let it drift", move |ppm| {
                Act::Clock(target, Jump(0), i32::try_from(ppm).unwrap_or(0))
            })}
        </div>
    }
    .into_any()
}

/// What can be done to a message.
fn message_acts(page: Page, message: MessageName) -> AnyView {
    let words = session::with(|session| {
        session.recording().tables().messages.get(message).map(|message| message.words.to_string())
    });
    let fate = move || {
        let picture = page.picture.read();
        let flight = picture.flights.iter().find(|flight| flight.name == message)?;
        let sent = format!("Sent at {}; ", seconds(flight.sent));
        Some(
            sent + &match flight.ends {
                None => "it is held, or nobody knows yet when it arrives.".to_owned(),
                Some((at, true)) => format!("it will be lost at {}.", seconds(at)),
                Some((at, false)) => format!("it arrives at {}.", seconds(at)),
            },
        )
    };
    let act = |label: &str, make: Act| button(page, label.to_owned(), move || make.clone());
    view! {
        <h2>{message.to_string()}</h2>
        <p class="words">{words.flatten()}</p>
        <p class="faint" id="fate">{fate}</p>
        <div class="acts">
            {act("deliver now", Act::Deliver(message))}
            {act("drop", Act::Drop(message))}
            {act("hold", Act::Hold(Mail::One(message)))}
            {number(page, "later by, in ms", [10, 0, 60_000], "delay it", move |millis| {
                Act::Delay(Mail::One(message), later(millis))
            })}
            {act("twice", Act::Duplicate(message, later(5)))}
        </div>
    }
    .into_any()
}

/// What can be done to the cluster.
fn cluster_acts(page: Page, nodes: u32, clients: u32) -> AnyView {
    let act = |label: &str, make: Act| button(page, label.to_owned(), move || make.clone());
    view! {
        <h2>"The cluster"</h2>
        <div class="acts">
            {(nodes > 1).then(|| split(page, nodes))}
            {act("heal all links", Act::Heal(Vec::new(), Vec::new()))}
            {act("deliver all that is held", Act::Release(Vec::new(), Vec::new()))}
            {(nodes > 2).then(|| act("split the next vote", Act::SplitVote(vec![Target::Node(1), Target::Node(2)])))}
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
    let state = Memo::new(move |_| match page.selected.get() {
        Some(Selected::Node(id)) => page.picture.read().nodes.get(id as usize - 1).map(|node| node.state),
        _ => None,
    });
    view! {
        <section class="do" aria-label="What to do to it">
            {move || match (page.selected.get(), state.get()) {
                (Some(Selected::Node(id)), Some(state)) => node_acts(page, id, state, nodes.get()),
                (Some(Selected::Message(message)), _) => message_acts(page, message),
                (Some(Selected::Link(a, b)), _) => link_acts(page, a, b),
                _ => cluster_acts(page, nodes.get(), clients.get()),
            }}
            <tree::Branches />
            <tree::Former />
        </section>
    }
}
