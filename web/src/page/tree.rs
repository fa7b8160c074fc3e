//! The branches above the timeline: a lane each, from where it left its parent to how far it is known.

use super::branches::{self, Listed};
use super::lanes::percent;
use super::state::{Goal, Page, page};
use super::transport::x;
use super::{beside, session};
use leptos::prelude::*;
use raftbox::branch::BranchId;

/// The branches, whenever there is something else to see of them.
fn listed() -> Memo<Vec<Listed>> {
    let page = page();
    Memo::new(move |_| {
        let _ = (page.run.get(), page.branched.get(), page.over.get());
        branches::list()
    })
}

#[component]
pub(crate) fn Lanes() -> impl IntoView {
    let page = page();
    let listed = listed();
    let end = Memo::new(move |_| {
        let _ = (page.run.get(), page.over.get());
        session::with(|session| session.recording().at()).unwrap_or(0)
    });
    let lane = move |branch: Listed| {
        let Listed { id, name, span: (from, to), shown, .. } = branch;
        // What is known of it beyond the end of the run that is shown is not drawn.
        let (start, stop) = (x(from, end.get_untracked()), x(to, end.get_untracked()));
        view! {
            <li><button type="button" class="lane-of-branch" title=name.clone() aria-label=name.clone() aria-current=shown.then_some("true")
                style:margin-left=percent(start) style:width=percent(stop.saturating_sub(start)) on:click=move |_| branches::switch(page, id)><span>{name.clone()}</span></button></li>
        }
    };
    let now = move || percent(x(page.time.get(), end.get()));
    move || {
        let _ = end.get();
        (listed.read().len() > 1).then(|| {
            view! {
            <div class="tree">
                <ol id="tree" aria-label="Branches">{listed.get().into_iter().map(lane).collect_view()}</ol>
                <i class="now" style:left=now></i>
            </div>
            }
        })
    }
}

/// What there is to know of what was done last, and the way back to what was there before it.
#[component]
pub(crate) fn Before() -> impl IntoView {
    let page = page();
    let listed = listed();
    let parent = move || {
        let listed = listed.read();
        let parent = listed.iter().find(|branch| branch.shown)?.parent?;
        listed.iter().find(|branch| branch.id == parent).map(|parent| (parent.id, parent.name.clone()))
    };
    let remark = Memo::new(move |_| {
        let _ = (page.run.get(), page.known.get());
        session::with(|session| session.remark()).flatten()
    });
    let way = move |(parent, name): (BranchId, String)| {
        let apart = move || page.beside.read().is_none();
        view! {
            <p class="before">"What was there before is kept as “"{name}"”. "
                {move || apart().then(|| view! { <button type="button" id="compare" on:click=move |_| beside::open(page, parent)>"compare"</button>" " })}
                <button type="button" id="take-back" on:click=move |_| branches::switch(page, parent)>"take it back"</button>
            </p>
        }
    };
    view! {
        {move || remark.get().map(|remark| view! { <p class="before" id="remark">{remark}</p> })}
        {move || parent().map(way)}
    }
}

/// What can be done to branches.
#[component]
pub(crate) fn Branches() -> impl IntoView {
    let page = page();
    let listed = listed();
    let row = move |Listed { id, name, parent, shown, .. }: Listed| {
        let label = format!("name of branch {id}");
        let compared = move || page.beside.read().as_ref().is_some_and(|beside| beside.branch == id);
        view! {
            <li>
                <input aria-label=label prop:value=name.clone() maxlength="80" aria-current=shown.then_some("true")
                    on:change=move |event| if !branches::rename(page, id, &event_target_value(&event)) {
                        event_target::<web_sys::HtmlInputElement>(&event).set_value(&name);
                    } />
                {(!shown).then(|| view! {
                    <button type="button" on:click=move |_| branches::switch(page, id)>"show"</button>
                    <button type="button" aria-pressed=move || compared().to_string()
                        on:click=move |_| if compared() { beside::close(page) } else { beside::open(page, id) }>"compare"</button>
                })}
                {parent.map(|parent| view! { <span class="faint">{format!("from branch {parent}")}</span> })}
            </li>
        }
    };
    move || {
        (listed.read().len() > 1).then(|| {
            view! {
                <h2>"Branches"</h2>
                <ol class="branches" id="branches" start="0">{listed.get().into_iter().map(row).collect_view()}</ol>
            }
        })
    }
}

/// Runs that were shown before and that something was done to: their branches are kept.
#[component]
pub(crate) fn Former() -> impl IntoView {
    let page = page();
    let former = Memo::new(move |_| {
        let _ = (page.run.get(), page.branched.get());
        branches::former()
    });
    let row = move |(name, plan): (String, raftbox::plan::Plan)| {
        view! { <li><button type="button" on:click=move |_| branches::load(page, plan.clone(), Goal::Events(0))>{name}</button></li> }
    };
    move || {
        (!former.read().is_empty()).then(|| {
            view! {
                <h2>"Before"</h2>
                <ol class="acts" id="former">{former.get().into_iter().map(row).collect_view()}</ol>
            }
        })
    }
}

/// Compares what is shown with the branch that it left, or stops comparing.
pub(crate) fn compare(page: Page) {
    if page.beside.with_untracked(Option::is_some) {
        return beside::close(page);
    }
    let parent = branches::list().into_iter().find(|branch| branch.shown).and_then(|branch| branch.parent);
    match parent {
        Some(parent) => beside::open(page, parent),
        None => {
            page.fail(
                "This comes from no other branch, so there is nothing to compare it with: do something to it first.",
            );
        }
    }
}
