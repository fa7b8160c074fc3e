//! What can be done to a node.

use super::{button, names, number};
use crate::page::state::Page;
use leptos::prelude::*;
use raftbox::event::NodeId;
use raftbox::nodes::State;
use raftbox::scenario::step::{Act, Ask, Jump, Moment, Question, Survive, Syncs, Target};

/// What a client asks of no key.
fn asked(what: Question) -> Act {
    Act::Request(1, Ask::new("", what), None)
}

/// A client asks for other members.
fn members(voters: Vec<NodeId>, learners: Vec<NodeId>, gone: Vec<NodeId>) -> Act {
    asked(Question::Members { voters, learners, gone })
}

/// What can be done to a node in a state; only that is drawn anew when it is in another.
fn by_state(page: Page, id: NodeId, state: State) -> AnyView {
    let target = Target::Node(id);
    let act = |label: &str, make: Act| button(page, label.to_owned(), move || make.clone());
    if !state.is_up() {
        return view! {
            {act("restart", Act::Restart(target, None))}
            {act("restart, unsynced writes lost", Act::Restart(target, Some(Survive::None)))}
            {act("restart, last write torn", Act::Restart(target, Some(Survive::Torn)))}
            {act("restart, only the last write kept", Act::Restart(target, Some(Survive::Last)))}
        }
        .into_any();
    }
    view! {
        {act("crash", Act::Crash(target, None))}
        {act("time out", Act::Timeout(target))}
        {act("elect", Act::Elect(target))}
        {act("the leader hands over to it", asked(Question::Transfer(id)))}
        {act("take a snapshot", Act::Request(1, Ask::new("", Question::Compact), Some(target)))}
        {act("it is to vote", members(vec![id], vec![], vec![]))}
        {act("it is to learn, without a vote", members(vec![], vec![id], vec![]))}
        {act("it is to go", members(vec![], vec![], vec![id]))}
        {if state == State::Paused { act("go on", Act::Resume(target)) } else { act("pause", Act::Pause(target)) }}
    }
    .into_any()
}

/// What can be done to a node.
pub(super) fn node_acts(page: Page, id: NodeId, nodes: u32) -> AnyView {
    let target = Target::Node(id);
    let name = || names([id]);
    let others = move || names((1..=nodes).filter(|other| *other != id));
    let act = |label: &str, make: Act| button(page, label.to_owned(), move || make.clone());
    let state = Memo::new(move |_| page.picture.read().nodes.get(id as usize - 1).map(|node| node.state));
    view! {
        <h2>{format!("S{id}")}</h2>
        <div class="acts">
            {move || state.get().map(|state| by_state(page, id, state))}
            {number(page, "crash in its next turn, after effect", [1, 1, 65_536], "crash so", move |n| {
                Act::Crash(target, Some(Moment::Nth(u32::try_from(n - 1).unwrap_or(0))))
            })}
            {act("cut off", Act::Isolate(target, 0))}
            {act("deaf: hears nobody", Act::Cut(others(), name()))}
            {act("mute: heard by nobody", Act::Cut(name(), others()))}
            {act("heal its links", Act::Heal(name(), others()))}
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
