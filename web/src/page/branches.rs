//! What people do to a run, and the branches that come of it.

use super::session;
use super::state::{Goal, Page};
use raftbox::branch::{BranchId, Tree};
use raftbox::plan::Plan;
use raftbox::scenario::step::Act;
use std::cell::RefCell;

thread_local! {
    /// Every course of the run that was opened, and which of them is shown.
    static TREE: RefCell<Option<(Tree, BranchId)>> = const { RefCell::new(None) };
}

/// A run was opened: its tree has one branch.
pub(crate) fn begin(plan: Plan) {
    TREE.set(Some((Tree::new(plan), 0)));
}

/// A branch: number, name, where it left its parent, and whether it is the one that is shown.
pub(crate) type Listed = (BranchId, String, Option<(BranchId, u64)>, bool);

/// The branches.
pub(crate) fn list() -> Vec<Listed> {
    TREE.with_borrow(|kept| {
        let Some((tree, shown)) = kept else { return Vec::new() };
        let row = |(id, branch): (BranchId, &raftbox::branch::Branch)| {
            (id, branch.name.clone(), branch.parent.map(|fork| (fork.branch, fork.event)), id == *shown)
        };
        tree.iter().map(row).collect()
    })
}

/// Does something to the run at what is shown, and shows the branch that comes of it.
pub(crate) fn act(page: Page, act: Act) {
    use leptos::prelude::GetUntracked as _;
    let events = page.cursor.get_untracked();
    let known = page.known.get_untracked();
    let at = session::with(|session| session.view(events).at()).unwrap_or(0);
    let acted = TREE.with_borrow_mut(|kept| {
        let (tree, shown) = kept.as_mut()?;
        let seen = tree.see(*shown, known);
        let branch = seen.and_then(|()| tree.act(*shown, events, at, act));
        Some(branch.and_then(|branch| {
            *shown = branch;
            tree.plan(branch)
        }))
    });
    match acted {
        Some(Ok(plan)) => page.show(plan, Goal::Act(events)),
        Some(Err(wrong)) => page.fail(format!("That cannot be done here: {wrong}.")),
        None => {}
    }
}

/// Shows another branch, at the same number of events.
pub(crate) fn switch(page: Page, id: BranchId) {
    use leptos::prelude::GetUntracked as _;
    let plan = TREE.with_borrow_mut(|kept| {
        let (tree, shown) = kept.as_mut()?;
        let plan = tree.plan(id).ok()?;
        *shown = id;
        Some(plan)
    });
    if let Some(plan) = plan {
        page.show(plan, Goal::Events(page.cursor.get_untracked()));
    }
}
