//! The page as people use it, in a real browser: what it shows, and what comes of keys, clicks and taps.
//!
//! Times are told (`-- --nocapture`), and decide nothing.

#[path = "page/by_hand.rs"]
mod by_hand;
#[path = "page/course.rs"]
mod course;
#[path = "page/embedded.rs"]
mod embedded;
#[path = "page/every_act.rs"]
mod every_act;
#[path = "page/eyes.rs"]
mod eyes;
#[path = "page/found.rs"]
mod found;
#[path = "page/guests.rs"]
mod guests;
#[path = "page/measured.rs"]
mod measured;
#[path = "support/page.rs"]
mod support;
#[path = "page/taught.rs"]
mod taught;
#[path = "page/wishes.rs"]
mod wishes;

use eyes::{axe, prefer, with_axe};
use raftbox::link::Link;
use raftbox::plan::{Header, Plan};
use raftbox::runfile::RunFile;
use raftbox::scenario::step::{Act, Step, When};
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

/// A run with steps, each after so many events.
fn with_steps(header: Header, steps: &[(u64, Act)]) -> Header {
    let step = |(events, act): &(u64, Act)| Step { when: When::After(*events), act: act.clone() };
    let interventions = steps.iter().map(step).collect();
    Header { plan: Plan { interventions, ..header.plan }, ..header }
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

    /// The middle of an element on the screen: the one of a CSS selector, the button with a text, or the field of a label.
    fn middle(&self, what: &str) -> (Value, Value) {
        let script = "
            found(args).scrollIntoView({ block: 'center' });
            await turn();
            const { x, y, width, height } = found(args).getBoundingClientRect();
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
        let script = "found(args[0]).value = args[1];
            found(args[0]).dispatchEvent(new Event(args[2], { bubbles: true }))";
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
        page.key("z", 0);
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

/// Plays the run to its end by a clock of so many frames a second; how far it is after half a second of that clock, how many
/// frames there were, and what is shown then.
fn played(page: &Page<'_>, hertz: u32) -> Value {
    let script = "
        await over();
        let frames = [], now = 0, count = 0, half;
        requestAnimationFrame = (frame) => frames.push(frame);
        $('#speed').value = 4;
        $('#speed').dispatchEvent(new Event('change'));
        // Whoever is quick with the key gets one clock, and not two.
        for (let times = 0; times < 3; times++) {
            $('#play').click();
            await turn();
        }
        while (frames.length) {
            for (const frame of frames.splice(0)) frame(now);
            await turn();
            if (count === args / 2) half = Number($('#scrub').value);
            count++;
            now += 1000 / args;
        }
        return { half, count, sentence: $('#sentence').textContent, clock: $('#clock').textContent,
            digest: $('#digest').textContent };";
    page.open("run=given.run");
    page.js(script, &json!(hertz))
}

#[test]
fn a_quicker_screen_does_not_play_quicker() {
    with_page(given, |page| {
        let (slow, quick) = (played(page, 30), played(page, 120));
        println!("at 30 Hz {slow}\nat 120 Hz {quick}");
        for what in ["sentence", "clock", "digest"] {
            assert_eq!(slow[what], quick[what]);
        }
        assert_eq!(slow["digest"], json!(digest(&short())));
        let number = |of: &Value, what: &str| of[what].as_u64().unwrap();
        // Frames are at whole microseconds.
        assert!(number(&slow, "half").abs_diff(500_000) < 100 && number(&quick, "half").abs_diff(500_000) < 100);
        assert!(number(&quick, "count") > 3 * number(&slow, "count"));
    });
}

#[test]
fn steps_back_lead_to_what_was_there() {
    with_page(given, |page| {
        let script = "
            await over();
            $('#tab-Node').click();
            $('[aria-label=\"next election\"]').click();
            await turn();
            const seen = () => [$('#sentence').textContent, $('#fields').textContent, $('#ring').textContent];
            const times = [], there = [seen()];
            const press = async (key) => {
                const start = performance.now();
                document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
                await turn();
                times.push(performance.now() - start);
            };
            const p95 = () => times.sort((a, b) => a - b)[Math.floor(times.length * 0.95)];
            for (let step = 0; step < 200; step++) {
                await press('ArrowRight');
                there.push(seen());
            }
            for (let step = 199; step >= 0; step--) {
                await press('ArrowLeft');
                if (JSON.stringify(seen()) !== JSON.stringify(there[step])) throw new Error(`${there[step]} is now ${seen()}`);
            }
            const different = new Set(there.map((seen) => seen[0])).size;
            const steps = p95();
            times.length = 0;
            const end = Number($('#scrub').max);
            for (let place = 1; place <= 100; place++) {
                const start = performance.now();
                $('#scrub').value = (end / 100 * (place * 37 % 100)).toFixed();
                $('#scrub').dispatchEvent(new Event('input', { bubbles: true }));
                await turn();
                times.push(performance.now() - start);
            }
            return { different, steps, seeks: p95(), events: Number($('#clock').textContent.match(/of (\\d+)/)[1]) };";
        let tour = page.text("#digest");
        page.set("#scenario", "chaos", "change");
        page.other_digest(&tour);
        let told = page.js(script, &json!(null));
        println!("95 of 100 steps, and seeks, take at the most so many milliseconds: {told}");
        assert!(told["different"].as_u64() > Some(50), "{told}");
        assert!(told["events"].as_u64() > Some(10_000), "{told}");
    });
}

#[test]
fn nothing_moves_while_it_is_paused() {
    with_page(given, |page| {
        let script = "
            await over();
            $('[aria-label=\"next election\"]').click();
            // What is told to those who listen comes a little later than what is shown.
            await new Promise((resume) => setTimeout(resume, 600));
            let changes = 0, frames = 0;
            const ask = requestAnimationFrame;
            globalThis.requestAnimationFrame = (frame) => { frames++; return ask(frame); };
            const observer = new MutationObserver((list) => changes += list.length);
            observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
            await new Promise((resume) => setTimeout(resume, 2000));
            const still = changes + frames;
            $('[aria-label=\"One event on\"]').click();
            await turn();
            return [still, changes > 0];";
        assert_eq!(page.js(script, &json!(null)), json!([0, true]));
    });
}

#[test]
fn what_cannot_be_opened_is_told_and_changes_nothing() {
    with_page(given, |page| {
        let folder = tempfile::tempdir().unwrap();
        page.click("[aria-label='next election']");
        let shown = || (page.text("#digest"), page.text("#sentence"));
        let before = shown();
        let told = |words: &str| {
            page.wait_for("#problem", words);
            assert_eq!(shown(), before, "{words}");
            page.click("#problem button");
            assert_eq!(page.text("#problem"), "");
        };
        let broken = Link::new(short().plan, &short().guests[0]).encode();
        let broken = &broken[..broken.len() / 2];
        for fragment in ["nonsense", broken] {
            page.js("location.hash = args", &json!(fragment));
            told("The link in the address leads nowhere: ");
        }
        page.js("location.hash = 'run=missing.run'", &json!(null));
        told("missing.run");
        let console = page.browser.console().unwrap();
        assert!(
            console.iter().all(|line| line.contains("/missing.run - ")),
            "what the browser says of it, {console:?}"
        );
        let whole = given();
        let mut other = short();
        other.guests = vec!["0123".repeat(16)];
        let other = RunFile::of(other.clone(), &Trace::new(&other.bytes(), Keep::Nothing)).write();
        let files = [
            ("short.run", &whole[..whole.len() / 2], "run file"),
            ("picture.run", b"\x89PNG\r\n\x1a\n and so on", "run file"),
            ("other.run", &other, "made with another guest"),
        ];
        for (name, bytes, words) in files {
            fs::write(folder.path().join(name), bytes).unwrap();
            page.browser.pick_file("#open", &folder.path().join(name)).unwrap();
            told(words);
        }
        page.set("#seed", "seven", "change");
        told("The seed is \"seven\"");
        fs::write(folder.path().join("whole.run"), &whole).unwrap();
        page.browser.pick_file("#open", &folder.path().join("whole.run")).unwrap();
        assert_eq!(page.other_digest(&before.0), digest(&short()));
    });
}

#[test]
fn a_link_whose_digest_is_another_says_so() {
    with_page(given, |page| {
        let link = Link::new(short().plan, &short().guests[0]).with_digest(Digest(7)).encode();
        page.open(&link);
        assert_eq!(page.text("#digest"), digest(&short()));
        page.wait_for("#problem", "their digests differ");
    });
}

#[test]
fn the_keyboard_reaches_everything_and_everything_has_a_name() {
    with_page(given, |page| {
        page.text("#digest");
        let script = "
            const controls = 'a[href], button, select, input, summary, [tabindex=\"0\"]';
            const all = [...document.querySelectorAll(controls)].filter((one) => one.checkVisibility());
            const name = (one) => one.getAttribute('aria-label') || one.textContent.trim() || one.title
                || one.labels?.[0]?.textContent.trim() || document.getElementById(one.getAttribute('aria-labelledby'))?.textContent;
            globalThis.left = new Set(all);
            const nameless = all.filter((one) => !name(one)).map((one) => one.outerHTML);
            document.activeElement?.blur();
            return { count: all.length, nameless };";
        let told = page.js(script, &json!(null));
        assert_eq!(told["nameless"], json!([]));
        let count = told["count"].as_u64().unwrap();
        assert!(count > 30, "{count}");
        let script = "
            const one = document.activeElement;
            left.delete(one);
            const seen = [one, one.closest('.file'), one.querySelector?.('.target')].some((shown) => {
                if (!shown) return false;
                const style = getComputedStyle(shown);
                return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 && style.opacity !== '0'
                    || shown.tagName === 'circle' && style.stroke !== 'none';
            });
            return one === document.body || seen ? null : one.outerHTML;";
        for _ in 0..=count {
            page.key("Tab", 9);
            assert_eq!(page.js(script, &json!(null)), json!(null), "the focus is not seen");
        }
        let left = page.js("return [...left].map((one) => one.outerHTML)", &json!(null));
        assert_eq!(left, json!([]), "the keyboard does not get there");
    });
}

#[test]
fn arrows_on_the_slider_step_and_space_on_a_node_selects() {
    with_page(given, |page| {
        page.text("#digest");
        page.js("$('#scrub').focus()", &json!(null));
        page.key("ArrowRight", 39);
        page.key("ArrowRight", 39);
        assert!(page.text("#clock").contains("event 2 of"), "{}", page.text("#clock"));
        page.js("$('[data-node=\"2\"]').focus()", &json!(null));
        page.key(" ", 0);
        page.wait_for(".do h2", "S2");
        assert_eq!(page.js("return $('#play').getAttribute('aria-label')", &json!(null)), json!("Play"));
    });
}

#[test]
fn what_the_pointer_presses_on_the_ring_gets_no_frame() {
    with_page(given, |page| {
        page.text("#digest");
        // The middle of a node and of what is told beside it is the ring itself.
        for pressed in [".node", "[data-node='2'] .name", "[data-link='1-3'] .target"] {
            page.click(pressed);
            let frame = page.js("return getComputedStyle(document.activeElement).outlineStyle", &json!(null));
            assert_eq!(frame, json!("none"), "{pressed}");
        }
    });
}

/// With the path of `axe.min.js`, of axe-core, in `RAFTBOX_AXE`.
#[test]
fn axe_finds_nothing_serious() {
    let Some(axe) = axe() else { return };
    with_page(given, |page| {
        page.click("[aria-label='next election']");
        let first = page.text("#digest");
        page.key("1", 0);
        page.key("c", 0);
        page.other_digest(&first);
        page.key("v", 0);
        page.wait_for("#parting", "They part");
        let script = "
            await over();
            const noticed = [];
            const select = ['[data-node=\"2\"]', '[data-link=\"1-2\"]', 'nothing'];
            for (const [place, tab] of [...document.querySelectorAll('[role=tab]')].entries()) {
                tab.click();
                $(select[place % 3])?.dispatchEvent(new MouseEvent('click', { bubbles: true }));
                await turn();
                noticed.push(...(await serious()).map((one) => [args, tab.textContent, ...one]));
            }
            return noticed;";
        for scheme in ["light", "dark"] {
            prefer(page, "prefers-color-scheme", scheme);
            let found = with_axe(page, &axe, script, &json!(scheme));
            assert_eq!(found, json!([]), "{found:#}");
        }
    });
}
