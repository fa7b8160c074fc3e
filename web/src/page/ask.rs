//! What a client asks, by hand.

use super::branches;
use super::state::{Page, page};
use leptos::prelude::*;
use raftbox::scenario::step::{Act, Ask, Question, ReadMode, Target};

/// What stands in the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    client: u32,
    what: &'static str,
    key: String,
    value: String,
    expect: String,
    /// 0 for whom the client likes.
    node: u32,
}

impl Default for Form {
    fn default() -> Self {
        let [key, value, expect] = ["k", "1", ""].map(str::to_owned);
        Self { client: 1, what: QUESTIONS[1], key, value, expect, node: 0 }
    }
}

/// What can be asked.
const QUESTIONS: [&str; 9] = [
    "get",
    "put",
    "delete",
    "append",
    "increment",
    "compare-and-set",
    "get by read index",
    "get by lease",
    "get what it has",
];

/// What the form asks.
fn act(form: &Form) -> Result<Act, String> {
    let value = || form.value.clone();
    let what = match form.what {
        "get" => Question::Get(ReadMode::Log),
        "get by read index" => Question::Get(ReadMode::Index),
        "get by lease" => Question::Get(ReadMode::Lease),
        "get what it has" => Question::Get(ReadMode::Local),
        "delete" => Question::Delete,
        "append" => Question::Append(value()),
        "increment" => Question::Increment(
            form.value
                .trim()
                .parse()
                .map_err(|_| format!("To increment takes a whole number, and there is {:?}.", form.value))?,
        ),
        "compare-and-set" => {
            Question::CompareAndSet(Some(form.expect.clone()).filter(|expect| !expect.is_empty()), value())
        }
        _ => Question::Put(value()),
    };
    let node = (form.node > 0).then_some(Target::Node(form.node));
    Ok(Act::Request(form.client, Ask::new(&form.key, what), node))
}

/// Asks what the form says, or tells why that cannot be asked.
pub(crate) fn ask(page: Page) {
    match act(&page.form.get_untracked()) {
        Ok(act) => branches::act(page, act),
        Err(problem) => page.fail(problem),
    }
}

#[component]
pub(crate) fn Asking(nodes: u32, clients: u32) -> impl IntoView {
    let page = page();
    let form = page.form;
    let number = |event: &leptos::ev::Event| event_target_value(event).parse::<u32>().unwrap_or(0);
    let choice = |letter: &'static str, count: u32, chosen: u32| {
        (1..=count).map(move |id| view! { <option value=id.to_string() selected=id == chosen>{format!("{letter}{id}")}</option> }).collect_view()
    };
    let given = form.get_untracked();
    let text = move |label: &'static str, value: String, set: fn(&mut Form, String)| {
        view! {
            <label>{label}<input size="6" prop:value=value
                on:input=move |event| form.update(|form| set(form, event_target_value(&event))) /></label>
        }
    };
    view! {
        <form class="ask" id="ask" on:submit=move |event| { event.prevent_default(); ask(page); }>
            <select aria-label="who asks" on:change=move |event| form.update(|form| form.client = number(&event).max(1))>
                {choice("C", clients, given.client)}
            </select>
            <select aria-label="what it asks" id="question" on:change=move |event| {
                let name = event_target_value(&event);
                form.update(|form| form.what = QUESTIONS.into_iter().find(|what| *what == name).unwrap_or(QUESTIONS[0]));
            }>
                {QUESTIONS.map(|what| view! { <option value=what selected=what == given.what>{what}</option> }).collect_view()}
            </select>
            {text("key ", given.key, |form, key| form.key = key)}
            {move || (form.read().what != "delete" && !form.read().what.starts_with("get")).then(|| {
                text("value ", form.get_untracked().value, |form, value| form.value = value)
            })}
            {move || (form.read().what == "compare-and-set").then(|| {
                text("if it is ", form.get_untracked().expect, |form, expect| form.expect = expect)
            })}
            <label>"of "<select aria-label="of which node" on:change=move |event| form.update(|form| form.node = number(&event))>
                <option value="0">"any"</option>
                {choice("S", nodes, given.node)}
            </select></label>
            <button type="submit">"ask"</button>
        </form>
    }
}
