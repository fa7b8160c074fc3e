//! The page as people use it, in a real browser: what it shows, and what comes of keys, clicks and taps.
//!
//! Times are told (`-- --nocapture`), and decide nothing.

#[path = "support/page.rs"]
mod support;

use raftbox::link::Link;
use raftbox::plan::Header;
use raftbox::runfile::RunFile;
use raftbox::trace::{Digest, Keep, Trace};
use raftbox::units::Span;
use raftbox_tests::{header, run};
use serde_json::{Value, json};
use std::fs;
use support::{Page, with_page};

/// A short run over a bad network.
fn short() -> Header {
    header("lossy", 11, |scenario| scenario.duration = Span(2_000_000))
}

/// Its run file, which is served beside the page.
fn given() -> Vec<u8> {
    let (record, _) = run(raftbox_tests::wasmtime(), &short(), Keep::All).unwrap();
    RunFile::of(short(), &record.trace).write()
}

/// The digest of a plan as wasmtime has it.
fn digest(header: &Header) -> String {
    let (record, _) = run(raftbox_tests::wasmtime(), header, Keep::Nothing).unwrap();
    record.trace.digest().to_string()
}

impl Page<'_> {
    /// Presses a key and lets it go; `code` is its number where it types no letter.
    fn key(&self, key: &str, code: u32) {
        let typed = if code == 0 { key } else { "" };
        for kind in [if code == 0 { "keyDown" } else { "rawKeyDown" }, "keyUp"] {
            let params = json!({ "type": kind, "key": key, "text": typed, "windowsVirtualKeyCode": code });
            self.browser.devtools("Input.dispatchKeyEvent", &params).unwrap();
        }
    }

    /// The middle of an element on the screen: the one of a CSS selector, or the button with a text.
    fn middle(&self, what: &str) -> (Value, Value) {
        let script = "
            const named = () => [...document.querySelectorAll('button')].find((button) => button.textContent === args);
            const found = /^[a-z ]+$/.test(args) ? named() : $(args);
            if (!found) throw new Error(`there is no ${args}`);
            found.scrollIntoView({ block: 'center' });
            await turn();
            const { x, y, width, height } = found.getBoundingClientRect();
            return [x + width / 2, y + height / 2];";
        let at = self.js(script, &json!(what));
        (at[0].clone(), at[1].clone())
    }

    fn click(&self, what: &str) {
        let (x, y) = self.middle(what);
        for kind in ["mousePressed", "mouseReleased"] {
            let params = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.browser.devtools("Input.dispatchMouseEvent", &params).unwrap();
        }
    }

    fn tap(&self, what: &str) {
        let (x, y) = self.middle(what);
        let touch = |kind: &str, points: Value| {
            self.browser.devtools("Input.dispatchTouchEvent", &json!({ "type": kind, "touchPoints": points })).unwrap();
        };
        touch("touchStart", json!([{ "x": x, "y": y }]));
        touch("touchEnd", json!([]));
    }

    /// Sets a field as a hand does: the value, and then the event.
    fn set(&self, field: &str, value: &str, event: &str) {
        let script = "const field = $(args[0]); field.value = args[1];
            field.dispatchEvent(new Event(args[2], { bubbles: true }))";
        self.js(script, &json!([field, value, event]));
    }

    /// Waits until an element's text has some words in it.
    fn wait_for(&self, what: &str, words: &str) {
        let script = "await until(`says ${args[1]}`, () => $(args[0])?.textContent.includes(args[1]))";
        self.js(script, &json!([what, words]));
    }

    /// Waits until the digest is another, and returns it.
    fn other_digest(&self, old: &str) -> String {
        let script = "await until('has another run', () => $('#digest').textContent !== args)";
        self.js(script, &json!(old));
        self.text("#digest")
    }
}

#[test]
fn the_digest_is_that_of_the_command() {
    with_page(given, |page| {
        let first = page.text("#digest");
        assert_eq!(first, digest(&header("tour", 1, |_| ())));
        page.set("#seed", "7", "change");
        let second = page.other_digest(&first);
        assert_eq!(second, digest(&header("tour", 7, |_| ())));
        page.set("#scenario", "calm", "change");
        assert_eq!(page.other_digest(&second), digest(&header("calm", 7, |_| ())));
        page.open("run=given.run");
        assert_eq!(page.text("#digest"), digest(&short()));
    });
}

#[test]
fn a_link_leads_to_the_same_branch_and_event() {
    with_page(given, |page| {
        let old = page.text("#digest");
        page.click("[aria-label='next election']");
        page.key("1", 0);
        page.key("c", 0);
        let crashed = page.other_digest(&old);
        page.click("[aria-label='next fault']");
        page.key("2", 0);
        page.key("p", 0);
        let paused = page.other_digest(&crashed);
        let (sentence, clock) = (page.text("#sentence"), page.text("#clock"));
        page.key("s", 0);
        page.wait_for(".told", "The link");
        let link = page.js("return location.hash.slice(1)", &json!(null));
        let link = link.as_str().unwrap();
        assert!(link.len() < 2000, "{link}");
        page.open(link);
        assert_eq!(page.text("#digest"), paused);
        assert_eq!((page.text("#sentence"), page.text("#clock")), (sentence, clock));
        assert_eq!(page.text("#problem"), "");
        let plan = Link::decode(link).unwrap().plan;
        assert_eq!(plan.interventions.len(), 2);
        assert_eq!(digest(&Header { plan, ..short() }), paused);
    });
}
