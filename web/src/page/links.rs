//! The link to what is shown: the run, all that was done to it, and where in it.

use super::state::Page;
use super::{browser, session};
use leptos::prelude::*;
use raftbox::link::Link;

/// Puts the link to what is shown into the address, and into the clipboard.
pub(crate) fn share(page: Page) {
    let cursor = page.cursor.get_untracked();
    let over = page.over.get_untracked();
    let link = session::with(|session| {
        let header = session.header();
        let link = Link::new(header.plan.clone(), &header.guests[0]);
        let link = Link { cursor: cursor.checked_sub(1), ..link };
        if over { link.with_digest(session.digest()) } else { link }
    });
    if let Some(link) = link {
        browser::share(&link.encode());
        page.told.set(Some("The link to this run and this event is in the address, and in the clipboard.".to_owned()));
    }
}

/// Opens what a link leads to. What is shown stays if the link is broken.
pub(crate) fn open(page: Page, text: &str) {
    match Link::decode(text) {
        Ok(link) => {
            let cursor = link.cursor.map_or(0, |event| event + 1);
            let plan = link.plan.clone();
            let ours = session::header(plan.clone()).guests;
            if link.is_by(&ours[0]) {
                page.open(plan, cursor);
                page.linked.set(Some(link));
            } else {
                page.fail("This link is of a run of another guest than the one here, so it would be another run.");
            }
        }
        Err(broken) => page.fail(format!("{broken}.")),
    }
}
