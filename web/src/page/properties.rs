//! What the checkers say of the run: each property, and the first event that broke it.

use super::session;
use super::state::page;
use leptos::prelude::*;
use raftbox::check::Verdict;
use raftbox::expectation::Expectation;
use raftbox::timeline::seconds;

#[component]
pub(crate) fn Properties() -> impl IntoView {
    let page = page();
    let verdicts = Memo::new(move |_| {
        page.run.track();
        page.over.track();
        let verdicts = session::with(|session| session.verdicts()).unwrap_or_default();
        let broken = |(_, verdict): &(&'static str, Verdict)| verdict.is_violated();
        // What is broken comes first; the others stay in their order.
        let (mut broken, mut others): (Vec<_>, Vec<_>) = verdicts.into_iter().partition(broken);
        broken.append(&mut others);
        broken
    });
    let row = move |(name, verdict): (&'static str, Verdict)| match verdict {
        Verdict::Pass => view! { <li class="holds"><span class="sign">"✓"</span>" "{name}" holds"</li> }.into_any(),
        Verdict::Violated { event, at, what } => view! {
            <li class="violated">
                <button type="button" on:click=move |_| page.seek(event + 1)>
                    <span class="sign">"✗"</span>" "{name}" is violated at "{seconds(at)}", event "{event}": "{what}
                </button>
            </li>
        }
        .into_any(),
        Verdict::Unobserved { missing } => {
            view! { <li><span class="sign">"·"</span>" "{name}" cannot be judged: there was not "{missing}</li> }
                .into_any()
        }
        Verdict::Unknown { .. } => view! { <li><span class="sign">"?"</span>" "{name}" is unknown"</li> }.into_any(),
    };
    let expectations = Memo::new(move |_| {
        page.run.track();
        if page.over.get() { session::with(|session| session.expectations()).unwrap_or_default() } else { Vec::new() }
    });
    let expected = move |expectation: Expectation| {
        let (class, sign) = if expectation.is_met() { ("holds", "✓") } else { ("violated", "✗") };
        view! { <li class=class><span class="sign">{sign}</span>" "{expectation.to_string()}</li> }
    };
    view! {
        {move || (!expectations.read().is_empty()).then(|| view! {
            <p class="faint">"What the scenario says is to be seen:"</p>
            <ul class="properties" id="expected">{expectations.get().into_iter().map(expected).collect_view()}</ul>
        })}
        <p class="faint">{move || if page.over.get() { "Of the whole run:" } else { "So far:" }}</p>
        <ul class="properties" id="properties">{move || verdicts.get().into_iter().map(row).collect_view()}</ul>
    }
}
