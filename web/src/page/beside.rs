//! Another branch beside the one that is shown: both at the same time of the run, and how they differ.

use super::branches::{self, Listed};
use super::picture::Picture;
use super::ring::Ring;
use super::session::{self, Session};
use super::state::{Beside, Page, STEPS, page};
use leptos::prelude::*;
use raftbox::branch::BranchId;
use raftbox::event::Micros;
use raftbox::timeline::seconds;
use raftbox::view::diff::{Row, diff};
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

thread_local! {
    /// How often something was shown beside. It never goes back, so that what still grows of an earlier one knows that it is over.
    static OPENED: Cell<u64> = const { Cell::new(0) };
}

/// How many fields that differ are listed at the most.
const ROWS: usize = 40;

/// Shows a branch beside the one that is shown.
pub(crate) fn open(page: Page, branch: BranchId) {
    let Some(plan) = branches::plan(branch) else { return };
    if let Err(problem) = session::open_beside(plan) {
        return page.fail(problem);
    }
    let opened = OPENED.with(|opened| opened.replace(opened.get() + 1));
    page.beside.set(Some(Beside { branch, opened, known: 0, over: false }));
    grow(page, opened);
}

/// Shows one branch alone again.
pub(crate) fn close(page: Page) {
    session::close_beside();
    if page.beside.with_untracked(Option::is_some) {
        page.beside.set(None);
    }
}

/// Simulates on, a little at a time, until the run is over or something else is shown.
fn grow(page: Page, opened: u64) {
    let wanted = |beside: &Option<Beside>| beside.as_ref().is_some_and(|beside| beside.opened == opened);
    if !page.beside.with_untracked(wanted) {
        return;
    }
    match session::with_beside(|session| session.advance(STEPS).map(|more| (more, session.recording().events()))) {
        Some(Ok((more, known))) => {
            page.beside.update(|beside| {
                if let Some(beside) = beside {
                    (beside.known, beside.over) = (known, !more);
                }
            });
            if more {
                set_timeout(move || grow(page, opened), Duration::ZERO);
            }
        }
        Some(Err(problem)) => page.fail(problem),
        None => {}
    }
}

/// How many events of the other run are shown along with so many of the one that is shown: as many, as long as the two are
/// the same; from there on, those that have happened by then.
fn along(beside: &Session, parting: Option<&Parting>, events: u64, at: Micros) -> u64 {
    match parting {
        Some(parting) if events > parting.event => beside.recording().event_at(at).map_or(0, |event| event + 1),
        _ => events,
    }
}

/// Where two runs part: the event, when it is, and what it is in each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parting {
    event: u64,
    pub(crate) at: Micros,
    here: String,
    beside: String,
}

/// Makes known to all components where the two runs part; there is nothing to know as long as they do not, or there is one.
pub(crate) fn provide(page: Page) {
    let known = Memo::new(move |_| page.beside.read().as_ref().map(|beside| (beside.opened, beside.known)));
    let parting = Memo::new(move |_| {
        known.get()?;
        let _ = (page.run.get(), page.known.get());
        find()
    });
    provide_context(parting);
}

/// Where the run that is shown and the one beside it part.
pub(crate) fn parting() -> Memo<Option<Parting>> {
    expect_context()
}

fn find() -> Option<Parting> {
    let parting = session::with_both(|shown, beside| {
        let (shown, beside) = (shown.recording(), beside.recording());
        let event = shown.parts_from(beside)?;
        let told = |sentence: Option<raftbox::timeline::Entry>| sentence.map(|entry| entry.text).unwrap_or_default();
        let (here, beside) = (told(shown.sentence(event)), told(beside.sentence(event)));
        Some(Parting { event, at: shown.event(event)?.0, here, beside })
    });
    parting.flatten()
}

/// What differs at the time that is shown.
fn differences(events: u64, others: u64) -> Vec<Row> {
    session::with_both(|shown, beside| diff(beside.view(others), shown.view(events))).unwrap_or_default()
}

/// What a branch is called.
fn name(which: impl Fn(&Listed) -> bool) -> Option<String> {
    branches::list().into_iter().find(which).map(|branch| branch.name)
}

/// What is shown, by its name, where it is compared with something.
#[component]
pub(crate) fn Own() -> impl IntoView {
    let page = page();
    let called = Memo::new(move |_| {
        let _ = (page.run.get(), page.branched.get());
        page.beside.read().as_ref()?;
        name(|listed| listed.shown)
    });
    move || called.get().map(|name| view! { <h2>{name}</h2> })
}

#[component]
pub(crate) fn Compared() -> impl IntoView {
    let page = page();
    let is_open = Memo::new(move |_| page.beside.read().is_some());
    move || is_open.get().then(|| view! { <Other /> })
}

#[component]
fn Other() -> impl IntoView {
    let page = page();
    let known = Memo::new(move |_| page.beside.read().as_ref().map(|beside| (beside.opened, beside.known)));
    let parting = parting();
    let events = Memo::new(move |_| {
        // How far the other run is by then may be known only later.
        let _ = known.get();
        let (parting, events, at) = (parting.get(), page.cursor.get(), page.time.get());
        session::with_beside(|beside| along(beside, parting.as_ref(), events, at)).unwrap_or(0)
    });
    let picture = Memo::new(move |_| {
        let _ = known.get();
        let events = events.get();
        Arc::new(session::with_beside(|session| Picture::of(session, events)).unwrap_or_default())
    });
    let called = move || {
        page.branched.track();
        let branch = page.beside.read().as_ref()?.branch;
        name(|listed| listed.id == branch)
    };
    view! {
        <section class="beside" aria-label="Another branch">
            <h2>{called}" "<button type="button" id="close-beside" on:click=move |_| close(page)>"close"</button></h2>
            <Ring picture=picture id="ring-beside" live=false />
        </section>
        <section class="differences" aria-label="How they differ"><Differences parting=parting others=events /></section>
    }
}

#[component]
fn Differences(parting: Memo<Option<Parting>>, others: Memo<u64>) -> impl IntoView {
    let page = page();
    let over = Memo::new(move |_| page.over.get() && page.beside.read().as_ref().is_some_and(|beside| beside.over));
    // While it plays the table would only flicker.
    let rows = Memo::new(move |_| {
        let _ = (page.run.get(), parting.get(), page.beside.read().as_ref().map(|beside| beside.known));
        let (events, others) = (page.cursor.get(), others.get());
        if page.playing.get() { Vec::new() } else { differences(events, others) }
    });
    let told = move || {
        match (parting.get(), over.get()) {
        (Some(Parting { event, at, here, beside }), _) => view! {
            <p id="parting">"They part at event "{event}", "{seconds(at)}" "
                <button type="button" id="go-parting" on:click=move |_| { page.playing.set(false); page.seek(event + 1); }>"go there"</button>
            </p>
            <dl>
                <div><dt>"here"</dt><dd>{here}</dd></div>
                <div><dt>"beside"</dt><dd>{beside}</dd></div>
            </dl>
        }
        .into_any(),
        (None, true) => view! { <p id="parting">"They do not differ, as far as both go."</p> }.into_any(),
        (None, false) => view! { <p id="parting" class="faint">"Both are still being simulated; so far they are the same."</p> }.into_any(),
    }
    };
    let row = |row: Row| {
        let value = |value: String| if value.is_empty() { "nothing".to_owned() } else { value };
        view! {
            <tr><th scope="row">{row.of.to_string()}" "{row.field}</th><td>{value(row.after)}</td><td>{value(row.before)}</td></tr>
        }
    };
    view! {
        {told}
        <table class="fields" id="differences">
            <thead><tr><th scope="col">"at this time"</th><th scope="col">"here"</th><th scope="col">"beside"</th></tr></thead>
            <tbody>{move || rows.get().into_iter().take(ROWS).map(row).collect_view()}</tbody>
        </table>
        {move || (rows.read().len() > ROWS).then(|| view! { <p class="faint">{format!("and {} more", rows.read().len() - ROWS)}</p> })}
    }
}
