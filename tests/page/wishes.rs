//! What somebody has told the browser that they want: nothing that moves, or colours of their own.

use super::eyes::prefer;
use super::support::{Page, with_page};
use serde_json::{Value, json};

/// Runs a script in a page that is opened while the browser says this of who uses it.
fn wished(page: &Page<'_>, feature: &str, value: &str, body: &str) -> Value {
    prefer(page, feature, value);
    page.open("scenario=tour&seed=1");
    page.js(body, &json!(null))
}

/// Plays for a while, and tells in how many places the message was seen that was seen in most. It plays slowly from where there are
/// messages, so that even a slow machine draws each many times.
const PLACES: &str = "
    await over();
    $('[aria-label=\"next election\"]').click();
    $('#speed').value = 0;
    $('#speed').dispatchEvent(new Event('change', { bubbles: true }));
    await turn();
    const seen = new Map();
    $('.play').click();
    for (let frame = 0; frame < 90; frame++) {
        await new Promise(requestAnimationFrame);
        for (const mark of document.querySelectorAll('#ring [data-message]')) {
            const places = seen.get(mark.dataset.message) ?? new Set();
            seen.set(mark.dataset.message, places.add(mark.getAttribute('transform')));
        }
    }
    $('.play').click();
    return [seen.size, Math.max(...[...seen.values()].map((places) => places.size))];";

#[test]
fn who_wants_nothing_to_move_sees_messages_stand() {
    with_page(super::given, |page| {
        let count = |told: &Value, place: usize| told[place].as_u64().unwrap();
        let moves = wished(page, "prefers-reduced-motion", "no-preference", PLACES);
        assert!(count(&moves, 0) > 3 && count(&moves, 1) > 3, "messages move: {moves}");
        let stands = wished(page, "prefers-reduced-motion", "reduce", PLACES);
        assert!(count(&stands, 0) > 3, "there are messages: {stands}");
        assert_eq!(count(&stands, 1), 1, "they stand: {stands}");
    });
}

#[test]
fn who_has_colours_of_their_own_gets_them_and_is_told_all_the_same() {
    with_page(super::given, |page| {
        let body = "
            await over();
            const scrub = $('#scrub');
            scrub.value = Math.floor(scrub.max / 2);
            scrub.dispatchEvent(new Event('input', { bubbles: true }));
            await turn();
            const probe = document.body.appendChild(document.createElement('p'));
            probe.style.backgroundColor = 'Canvas';
            probe.style.color = 'CanvasText';
            const { backgroundColor: canvas, color: text } = getComputedStyle(probe);
            probe.remove();
            const of = (what, property) => [...new Set([...document.querySelectorAll(what)].map((one) => getComputedStyle(one)[property]))];
            return {
                active: matchMedia('(forced-colors: active)').matches,
                nodes: of('#ring .node:not(.down) .body', 'fill').every((fill) => fill === canvas),
                names: of('#ring .node .name', 'fill').every((fill) => fill === text),
                cells: of('#logs .cell:not(.folded)', 'backgroundColor').every((fill) => fill === canvas),
                told: [...document.querySelectorAll('#ring .node')].map((node) => node.textContent).join(' '),
            };";
        let told = wished(page, "forced-colors", "active", body);
        for what in ["active", "nodes", "names", "cells"] {
            assert_eq!(told[what], true, "{what}: {told:#}");
        }
        let words = told["told"].as_str().unwrap();
        assert!(words.contains("leader") && words.contains("T2"), "what hues say is said in words too: {words}");
    });
}
