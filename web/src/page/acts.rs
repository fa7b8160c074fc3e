//! What can be done to a run, now: to the node or the message that is selected, to the network, to the next election.
//!
//! Every act is a step of the plan, taken after the event that is shown; what had happened after it stays as the branch
//! that it was.

use super::state::{Page, Selected, page};
use super::{branches, session};
use leptos::prelude::*;
use raftbox::event::{Endpoint, MessageName, NodeId};
use raftbox::nodes::State;
use raftbox::scenario::step::{Act, Ask, Jump, Later, Mail, Name, Question, Survive, Target};
use raftbox::units::Span;

fn button(page: Page, label: String, act: impl Fn() -> Act + 'static) -> impl IntoView {
    view! { <button type="button" on:click=move |_| branches::act(page, act())>{label}</button> }
}

fn name(node: NodeId) -> Name {
    Name(Endpoint::Node(node))
}

/// What can be done to a node.
fn node_acts(page: Page, id: NodeId, state: State, nodes: u32) -> AnyView {
    let target = Target::Node(id);
    let others = move || (1..=nodes).filter(|other| *other != id).map(name).collect::<Vec<_>>();
    let act = |label: &str, make: Act| button(page, label.to_owned(), move || make.clone());
    let up = state.is_up();
    view! {
        <h2>{format!("S{id}")}</h2>
        <div class="acts">
            {up.then(|| view! {
                {act("crash", Act::Crash(target, None))}
                {act("crash in its next turn, after the first effect", Act::Crash(target, Some(0)))}
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
            {act("clock 100 ms on", Act::Clock(target, Jump(100_000), 0))}
            {act("clock at half speed", Act::Clock(target, Jump(0), -500_000))}
        </div>
    }
    .into_any()
}

/// What can be done to a message.
fn message_acts(page: Page, message: MessageName) -> AnyView {
    let words = session::with(|session| {
        session.recording().tables().messages.get(message).map(|message| message.words.to_string())
    });
    let act = |label: &str, make: Act| button(page, label.to_owned(), move || make.clone());
    let later = |millis: u64| Later::By(Span(millis * 1000));
    view! {
        <h2>{message.to_string()}</h2>
        <p class="words">{words.flatten()}</p>
        <div class="acts">
            {act("deliver now", Act::Deliver(message))}
            {act("drop", Act::Drop(message))}
            {act("hold", Act::Hold(Mail::One(message)))}
            {act("10 ms later", Act::Delay(Mail::One(message), later(10)))}
            {act("100 ms later", Act::Delay(Mail::One(message), later(100)))}
            {act("twice", Act::Duplicate(message, later(5)))}
        </div>
    }
    .into_any()
}

/// What can be done to the cluster.
fn cluster_acts(page: Page, nodes: u32) -> AnyView {
    let act = |label: String, make: Act| button(page, label, move || make.clone());
    let group = |from: u32, to: u32| (from..=to).map(name).collect::<Vec<_>>();
    let half = nodes / 2;
    let ask = || Act::Request(1, Ask { what: Question::Put("by hand".into()), key: "k".into() }, None);
    view! {
        <h2>"The cluster"</h2>
        <div class="acts">
            {(half > 0).then(|| act(format!("split S1 to S{half} from the others"), Act::Partition(vec![group(1, half), group(half + 1, nodes)])))}
            {act("heal all links".to_owned(), Act::Heal(Vec::new(), Vec::new()))}
            {act("deliver all that is held".to_owned(), Act::Release(Vec::new(), Vec::new()))}
            {(nodes > 2).then(|| act("split the next vote".to_owned(), Act::SplitVote(vec![Target::Node(1), Target::Node(2)])))}
            {act("C1 puts k".to_owned(), ask())}
        </div>
    }
    .into_any()
}

#[component]
pub(crate) fn Acts() -> impl IntoView {
    let page = page();
    let nodes = Memo::new(move |_| u32::try_from(page.picture.read().nodes.len()).unwrap_or(0));
    let state = Memo::new(move |_| match page.selected.get() {
        Some(Selected::Node(id)) => page.picture.read().nodes.get(id as usize - 1).map(|node| node.state),
        _ => None,
    });
    let tree = Memo::new(move |_| {
        page.run.track();
        branches::list()
    });
    view! {
        <section class="do" aria-label="What to do to it">
            {move || match (page.selected.get(), state.get()) {
                (Some(Selected::Node(id)), Some(state)) => node_acts(page, id, state, nodes.get()),
                (Some(Selected::Message(message)), _) => message_acts(page, message),
                _ => cluster_acts(page, nodes.get()),
            }}
            {move || (tree.read().len() > 1).then(|| view! {
                <h2>"Branches"</h2>
                <ul class="branches">
                    {tree.get().into_iter().map(|(id, name, parent, shown)| view! {
                        <li>
                            <button type="button" aria-current=shown.then_some("true") on:click=move |_| branches::switch(page, id)>{name}</button>
                            {parent.map(|(branch, event)| format!(" from branch {branch}, after {event} events"))}
                        </li>
                    }).collect_view()}
                </ul>
            })}
        </section>
    }
}
