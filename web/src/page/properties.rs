//! What the checkers say of the run: each property, and the first event that broke it.

use super::session;
use super::state::page;
use leptos::prelude::*;
use raftbox::check::Verdict;
use raftbox::timeline::seconds;

#[component]
pub(crate) fn Properties() -> impl IntoView {
    let page = page();
    let verdicts = Memo::new(move |_| {
        page.run.track();
        page.over.track();
        let verdicts = session::with(|session| session.verdicts()).unwrap_or_default();
        let broken = |(_, verdict): &(&'static str, Verdict)| matches!(verdict, Verdict::Violated { .. });
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
    view! {
        <p class="faint">{move || if page.over.get() { "Of the whole run:" } else { "So far:" }}</p>
        <ul class="properties" id="properties">{move || verdicts.get().into_iter().map(row).collect_view()}</ul>
    }
}
