//! What happened, in words: the sentence of the event that is shown, and why.

use super::session;
use super::state::page;
use leptos::prelude::*;
use raftbox::timeline::Entry;
use raftbox::view::why::Why;

#[component]
pub(crate) fn Telling() -> impl IntoView {
    let page = page();
    let entry = Memo::new(move |_| {
        page.run.track();
        let last = page.cursor.get().checked_sub(1)?;
        session::with(|session| session.recording().sentence(last)).flatten()
    });
    let why = Memo::new(move |_| {
        page.run.track();
        let last = page.cursor.get().checked_sub(1)?;
        session::with(|session| session.recording().why(last)).flatten()
    });
    view! {
        <section class="telling" aria-label="What happens">
            <p id="sentence" class="sentence">{move || entry.get().map_or_else(start, sentence)}</p>
            {move || why.get().map(explained)}
        </section>
    }
}

fn start() -> AnyView {
    view! { <span class="faint">"Before the first event. Press play, or step with the arrow keys."</span> }.into_any()
}

fn sentence(entry: Entry) -> AnyView {
    view! { <span class="sign" aria-hidden="true">{entry.mark.to_string()}</span>" "{entry.text} }.into_any()
}

/// The values that were compared, and the rule.
pub(crate) fn explained(why: Why) -> impl IntoView {
    let rule = format!("{} ({})", why.rule.text, why.rule.section);
    view! {
        <details class="why" id="why">
            <summary>"Why?"</summary>
            <p>{why.headline}</p>
            <dl>
                {why.rows.into_iter().map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> }).collect_view()}
            </dl>
            <p class="rule">{rule}</p>
        </details>
    }
}
