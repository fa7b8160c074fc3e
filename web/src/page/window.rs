//! The span of time around what is shown that the diagram and the lanes of clients look at.
//!
//! It moves by quarters of its length, so that what it holds is taken anew now and then, and not at every frame.

use super::session;
use super::state::page;
use leptos::prelude::*;
use raftbox::event::Micros;

/// The lengths that can be chosen, with their words.
pub(crate) const SPANS: [(Micros, &str); 13] = [
    (2_000, "2 ms"),
    (4_000, "4 ms"),
    (8_000, "8 ms"),
    (20_000, "20 ms"),
    (40_000, "40 ms"),
    (80_000, "80 ms"),
    (200_000, "0.2 s"),
    (400_000, "0.4 s"),
    (800_000, "0.8 s"),
    (2_000_000, "2 s"),
    (4_000_000, "4 s"),
    (8_000_000, "8 s"),
    (20_000_000, "20 s"),
];

/// What is chosen at first.
pub(crate) const SPAN_FIRST: usize = 4;

/// A span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: Micros,
    pub(crate) to: Micros,
    /// How far the run was known when this was looked at, so far as it matters here.
    known: Micros,
}

impl Window {
    /// How long it is.
    pub(crate) fn span(self) -> Micros {
        self.to - self.from
    }
}

/// The lanes of clients show a longer span than the diagram, since an operation takes longer than a message: by so many steps.
pub(crate) const LONGER: usize = 3;

/// The span that is shown, or one that is so many steps longer.
fn span(zoom: usize, longer: usize) -> (Micros, &'static str) {
    SPANS[(zoom + longer).min(SPANS.len() - 1)]
}

/// The window around what is shown; something else whenever there is something else to see in it.
pub(crate) fn window(longer: usize) -> Memo<(u64, Window)> {
    let page = page();
    let from = Memo::new(move |_| {
        let (span, _) = span(page.zoom.get(), longer);
        let quarter = span / 4;
        ((page.time.get() / quarter).saturating_sub(2).saturating_mul(quarter), span)
    });
    Memo::new(move |_| {
        let (from, span) = from.get();
        let to = from.saturating_add(span);
        let _ = (page.known.get(), page.over.get());
        let end = session::with(|session| session.recording().at()).unwrap_or(0);
        // What becomes of a message, or of an operation, may be known only later.
        let known = if page.over.get() { Micros::MAX } else { end.min(to.saturating_add(1_000_000)) };
        (page.run.get(), Window { from, to, known })
    })
}

#[component]
pub(crate) fn Zoom(longer: usize) -> impl IntoView {
    let page = page();
    let last = SPANS.len() - 1 - longer;
    let widest = move || page.zoom.get() >= last;
    view! {
        <span class="zoom" role="group" aria-label="How much time is shown">
            <button type="button" aria-label="less time" title="less time (+)" disabled=move || page.zoom.get() == 0
                on:click=move |_| page.zoom.update(|zoom| *zoom = zoom.saturating_sub(1))>"+"</button>
            <output>{move || span(page.zoom.get(), longer).1}</output>
            <button type="button" aria-label="more time" title="more time (-)" disabled=widest
                on:click=move |_| page.zoom.update(|zoom| *zoom = (*zoom + 1).min(last))>"−"</button>
        </span>
    }
}
