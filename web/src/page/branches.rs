//! Which runs are opened, what people do to them, and the branches that come of it.
//!
//! When another run is opened the branches of the one before are kept, and so they are when the tab is loaded anew; whoever
//! opens one of their runs again finds them. Nothing changes here before the run that is to be shown is known to open: a
//! tree, its names and the branch that is shown stay as they are if it does not.

use super::state::{Goal, Page, around};
use super::{beside, browser, session};
use crate::guest::Admitted;
use leptos::prelude::*;
use raftbox::branch::{BranchId, Tree};
use raftbox::event::Micros;
use raftbox::plan::{Header, Plan};
use raftbox::runfile::RunFile;
use raftbox::scenario::step::Act;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;

/// Every course of a run that was opened.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    /// The hashes of the guests that run it.
    guests: Vec<String>,
    tree: Tree,
    shown: BranchId,
    /// When each branch left its parent, and how far it is known.
    spans: Vec<(Micros, Micros)>,
}

thread_local! {
    static KEPT: RefCell<Option<Kept>> = const { RefCell::new(None) };
    /// Those of runs that were opened before, if anything was done to them; the last one comes last.
    static FORMER: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

impl Kept {
    /// The branch that has this plan.
    fn branch(&self, plan: &Plan) -> Option<BranchId> {
        self.tree.iter().map(|(id, _)| id).find(|id| self.tree.plan(*id).as_ref() == Ok(plan))
    }

    /// Whether anything was done to the run.
    fn branches(&self) -> bool {
        self.tree.iter().count() > 1
    }
}

/// What was kept when the page was loaded before, in this tab.
pub(crate) fn remember() {
    let stored = browser::remembered();
    if let Ok(former) = serde_json::from_slice::<Vec<Kept>>(stored.as_bytes()) {
        // What was stored by another build may not fit together.
        let sound = |kept: &Kept| {
            let count = kept.tree.iter().count();
            kept.spans.len() == count && (kept.shown as usize) < count
        };
        FORMER.set(former.into_iter().filter(sound).collect());
    }
}

/// The branches that a plan is one of, if there are any, and which it is; else a tree of its own.
fn at_hand(plan: &Plan) -> Kept {
    let guests = session::guests(plan);
    let fits = |kept: &Kept| kept.guests == guests && kept.branch(plan).is_some();
    let found = kept()
        .filter(fits)
        .or_else(|| FORMER.with_borrow(|former| former.iter().rev().find(|kept| fits(kept)).cloned()));
    let mut kept =
        found.unwrap_or_else(|| Kept { guests, tree: Tree::new(plan.clone()), shown: 0, spans: vec![(0, 0)] });
    kept.shown = kept.branch(plan).unwrap_or(0);
    kept
}

/// Opens the run of a plan, at a place in it; `false` if it cannot be opened.
pub(crate) fn open(page: Page, plan: &Plan, goal: Goal) -> bool {
    let (opened, before) = (at_hand(plan), kept());
    if !page.show(plan.clone(), goal) {
        return false;
    }
    beside::close(page);
    FORMER.with_borrow_mut(|former| {
        former.extend(before.filter(Kept::branches));
        // It is shown now, and may grow; so it is no former one. Others may have a branch with the same plan.
        former.retain(|kept| kept.guests != opened.guests || kept.tree != opened.tree);
    });
    keep(page, opened);
    true
}

/// The former runs to which something was done: what they are called, and the plan that was shown last.
pub(crate) fn former() -> Vec<(String, Plan)> {
    // The usual guest is the one that it was; others that a plan names can be had again.
    let is_here = |kept: &&Kept| {
        let is_usual = |plan: Plan| session::missing(&plan).is_some() || session::guests(&plan) == kept.guests;
        kept.tree.plan(kept.shown).is_ok_and(is_usual)
    };
    let told = |kept: &Kept| {
        let plan = kept.tree.plan(kept.shown).ok()?;
        let count = kept.tree.iter().count();
        Some((format!("{} {}, {count} branches", plan.scenario.name, plan.seed), plan))
    };
    FORMER.with_borrow(|former| former.iter().rev().filter(is_here).filter_map(told).collect())
}

/// Has the guests that a plan names loaded, and then does something; at once, if they are here.
pub(crate) fn once_loaded(page: Page, plan: &Plan, then: impl FnOnce() + 'static) {
    fn load(page: Page, plan: Plan, then: Box<dyn FnOnce()>) {
        let Some(name) = session::missing(&plan) else { return then() };
        browser::bring_from(&format!("guests/{name}.wasm"), plan.scenario.arena.0, move |read| match read {
            Ok(admitted) => {
                let sha256 = Admitted::read(&admitted).map(|guest| guest.sha256);
                session::came(name, sha256.unwrap_or_default());
                load(page, plan, then);
            }
            Err(problem) => page.fail(problem),
        });
    }
    load(page, plan.clone(), Box::new(then));
}

/// Opens the run of a plan, at a place in it, once the guests that it names are here.
pub(crate) fn load(page: Page, plan: Plan, goal: Goal) {
    once_loaded(page, &plan.clone(), move || {
        open(page, &plan, goal);
    });
}

/// Opens the run of a run file, at a place in it.
pub(crate) fn open_file(page: Page, bytes: &[u8], goal: Goal) {
    match RunFile::read(bytes) {
        Ok(file) => {
            let header = file.head.header;
            once_loaded(page, &header.plan.clone(), move || {
                open_header(page, &header, goal);
            });
        }
        Err(error) => page.fail(format!("{error}.")),
    }
}

/// Opens the run of a header, if it is by the guests at hand; `false` if it cannot be opened.
fn open_header(page: Page, header: &Header, goal: Goal) -> bool {
    let ours = session::guests(&header.plan);
    if header.guests == ours {
        return open(page, &header.plan, goal);
    }
    let (theirs, ours) = (header.guests.join(", "), ours.join(", "));
    page.fail(format!(
        "This run was made with another guest, {theirs}; open that guest first: the one here is {ours}."
    ));
    false
}

/// Opens the run of a run file by a guest that lies where the page does, at the first violation. What was shown stays if that
/// cannot be.
pub(crate) fn open_by(page: Page, file: &[u8], guest: &str) {
    let header = match RunFile::read(file) {
        Ok(file) => file.head.header,
        Err(error) => return page.fail(format!("{error}.")),
    };
    browser::bring_from(guest, header.plan.scenario.arena.0, move |read| match read {
        Ok(admitted) => {
            let before = session::brought();
            session::bring(Admitted::read(&admitted).map(|guest| guest.sha256));
            once_loaded(page, &header.plan.clone(), move || {
                if !open_header(page, &header, Goal::Violation) {
                    session::bring(before);
                }
            });
        }
        Err(problem) => page.fail(problem),
    });
}

/// Runs what is shown anew by the guest of that hash, or by the built-in one. What was shown stays if it cannot.
pub(crate) fn run_by(page: Page, guest: Option<String>) {
    let Some(mut plan) = session::with(|session| session.header().plan.clone()) else { return };
    // What was done to the other guest's run was done after so many of its events.
    plan.interventions.clear();
    let before = session::brought();
    session::bring(guest);
    if !open(page, &plan, Goal::Violation) {
        session::bring(before);
    }
}

fn keep(page: Page, kept: Kept) {
    FORMER.with_borrow(|former| {
        let all: Vec<&Kept> = former.iter().chain([&kept]).filter(|kept| kept.branches()).collect();
        if !browser::store(&serde_json::to_string(&all).unwrap_or_default()) {
            page.fail(
                "The browser has no room to keep these branches when the page is loaded anew: save the runs that matter.",
            );
        }
    });
    KEPT.set(Some(kept));
    page.branched.update(|changes| *changes += 1);
}

/// The branches, with what is known of the one that is shown.
fn kept() -> Option<Kept> {
    let end = session::with(|session| session.recording().at()).unwrap_or(0);
    let mut kept = KEPT.with_borrow(Clone::clone)?;
    let span = &mut kept.spans[kept.shown as usize];
    span.1 = span.1.max(end);
    Some(kept)
}

/// A branch, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) id: BranchId,
    pub(crate) name: String,
    /// The branch that it left.
    pub(crate) parent: Option<BranchId>,
    /// When it left it, and how far it is known.
    pub(crate) span: (Micros, Micros),
    pub(crate) shown: bool,
}

/// The branches, those that were there first before others.
pub(crate) fn list() -> Vec<Listed> {
    let Some(Kept { tree, shown, spans, .. }) = kept() else { return Vec::new() };
    let row = |(id, branch): (BranchId, &raftbox::branch::Branch)| Listed {
        id,
        name: branch.name.clone(),
        parent: branch.parent.map(|fork| fork.branch),
        span: spans[id as usize],
        shown: id == shown,
    };
    tree.iter().map(row).collect()
}

/// The plan of a branch.
pub(crate) fn plan(id: BranchId) -> Option<Plan> {
    kept()?.tree.plan(id).ok()
}

/// Does something to the run at what is shown, and shows the branch that comes of it.
pub(crate) fn act(page: Page, act: Act) {
    let events = page.cursor.get_untracked();
    let at = session::with(|session| session.view(events).at()).unwrap_or(0);
    let Some(mut kept) = kept() else { return };
    let seen = kept.tree.see(kept.shown, page.known.get_untracked());
    let acted = seen.and_then(|()| kept.tree.act(kept.shown, events, at, act));
    match acted.and_then(|branch| Ok((branch, kept.tree.plan(branch)?))) {
        Ok((branch, plan)) => {
            if page.show(plan, Goal::Act(events)) {
                // One that nobody has seen more of goes on from here.
                kept.spans.resize((branch as usize + 1).max(kept.spans.len()), (at, at));
                kept.shown = branch;
                keep(page, kept);
            }
        }
        Err(wrong) => page.fail(format!("That cannot be done here: {wrong}.")),
    }
}

/// Shows another branch, at the same number of events.
pub(crate) fn switch(page: Page, id: BranchId) {
    let Some(mut kept) = kept() else { return };
    let Ok(plan) = kept.tree.plan(id) else { return };
    // What was seen of this one is not forgotten.
    drop(kept.tree.see(kept.shown, page.known.get_untracked()));
    let before = kept.shown;
    if id != before && page.show(plan, Goal::Events(page.cursor.get_untracked())) {
        kept.shown = id;
        keep(page, kept);
        if page.beside.with_untracked(|beside| beside.as_ref().is_some_and(|beside| beside.branch == id)) {
            beside::open(page, before);
        }
    }
}

/// Shows the next branch of the list, or the one before.
pub(crate) fn turn(page: Page, forward: bool) {
    let list = list();
    let (count, shown) = (list.len(), list.iter().position(|branch| branch.shown).unwrap_or(0));
    if count > 1 {
        switch(page, list[around(count, shown, forward)].id);
    }
}

/// Gives a branch another name; `false` if it keeps the one that it has.
pub(crate) fn rename(page: Page, id: BranchId, name: &str) -> bool {
    let Some(mut kept) = kept() else { return false };
    if let Err(wrong) = kept.tree.rename(id, name) {
        page.fail(format!("The name stays as it was: {wrong}."));
        return false;
    }
    page.problem.set(None);
    keep(page, kept);
    true
}
