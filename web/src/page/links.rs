//! The link to what is shown: the run, all that was done to it, and where in it.

use super::state::{Goal, Page};
use super::{branches, browser, session};
use leptos::prelude::*;
use raftbox::runfile::RunFile;

/// Puts the link to what is shown into the address, and into the clipboard.
pub(crate) fn share(page: Page) {
    let over = page.over.get_untracked();
    let shown = session::with(|session| {
        let digest = if over { session.digest().to_string() } else { String::new() };
        (session.plan(), digest)
    });
    let Some((plan, digest)) = shown else { return };
    browser::link(&plan, page.cursor.get_untracked(), &digest, browser::Where::Address, move |problem| {
        if problem.is_empty() {
            page.told
                .set(Some("The link to this run and this event is in the address, and in the clipboard.".to_owned()));
        } else {
            page.fail(format!("There is no link to this: {problem}."));
        }
    });
}

/// Opens what is shown in a page of its own.
pub(crate) fn show(page: Page) {
    let plan = session::with(|session| session.plan());
    let Some(plan) = plan else { return };
    browser::link(&plan, page.cursor.get_untracked(), "", browser::Where::Window, move |problem| {
        if !problem.is_empty() {
            page.fail(format!("There is no link to this: {problem}."));
        }
    });
}

/// Opens what a link leads to. What is shown stays if the link is broken.
pub(crate) fn open(page: Page, text: &str) {
    browser::linked(text, &session::guest(), move |read| match read {
        Ok(link) => {
            let Ok(file) = RunFile::read(&link.file) else { return };
            let plan = file.head.header.plan;
            branches::once_loaded(page, &plan.clone(), move || {
                if branches::open(page, &plan, Goal::Events(link.events)) {
                    page.linked.set(Some(link.digest).filter(|digest| !digest.is_empty()));
                }
            });
        }
        Err(problem) => page.fail(format!("The link in the address leads nowhere: {problem}.")),
    });
}
