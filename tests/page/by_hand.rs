//! What people do to a run by keys, by mouse and by touch, and what comes of it: steps, branches, and how branches differ.

use super::support::{Page, with_page};
use super::{digest, given, short, with_steps};
use raftbox::event::Endpoint;
use raftbox::link::Link;
use raftbox::plan::Header;
use raftbox::scenario::step::{Act, Ask, Name, Question, Step, Target, When};
use raftbox::trace::Keep;
use raftbox_tests::run;
use serde_json::{Value, json};

#[test]
fn acts_by_key_mouse_and_touch_make_branches() {
    with_page(given, |page| {
        let first = page.text("#digest");
        let mut last = first.clone();
        page.click("[aria-label='next election']");
        let acts: [(u32, &dyn Fn()); 3] = [
            (1, &|| {
                page.key("1", 0);
                page.key("c", 0);
            }),
            (2, &|| {
                page.click("[data-node='2'] .name");
                page.click("crash");
            }),
            (3, &|| {
                page.tap("[data-node='3'] .name");
                page.wait_for(".do h2", "S3");
                page.tap("crash");
            }),
        ];
        for (place, (node, act)) in acts.iter().enumerate() {
            act();
            last = page.other_digest(&last);
            let sentence = page.text("#sentence");
            assert!(sentence.contains(&format!("S{node} ")) && sentence.contains("crash"), "{sentence}");
            let branches = page.js("return document.querySelectorAll('#branches li').length", &json!(null));
            assert_eq!(branches, json!(place + 2));
        }
        page.click("#tree button");
        assert_eq!(page.other_digest(&last), first, "the first branch is as it was");
        assert_eq!(page.text("#tree [aria-current]"), "as it was");
        page.key("B", 0);
        assert_eq!(page.other_digest(&first), last, "before the first comes the last");
        page.key("b", 0);
        assert_eq!(page.other_digest(&last), first);
    });
}

/// How many events have happened in what is shown.
pub(super) fn events(page: &Page<'_>) -> u64 {
    let text = page.text("#clock");
    let words: Vec<&str> = text.split_whitespace().collect();
    words[words.iter().position(|word| *word == "event").unwrap() + 1].parse().unwrap()
}

#[test]
fn a_key_does_the_step_that_it_says() {
    with_page(given, |page| {
        let pair = |a, b| vec![Name(Endpoint::Node(a)), Name(Endpoint::Node(b))];
        let (two, four) = (Target::Node(2), Target::Node(4));
        let cut = || (&["l", "x"][..], Act::Cut(pair(1, 2), pair(1, 2)));
        let pause = || (&["4", "z"][..], Act::Pause(four));
        let crash = || (&["2", "c"][..], Act::Crash(two, None));
        let ask = Ask::new("k", Question::Put("1".into()));
        let cases: Vec<Vec<(&[&str], Act)>> = vec![
            vec![cut(), (&["l", "h"], Act::Heal(pair(1, 2), pair(1, 2)))],
            vec![pause(), (&["4", "z"], Act::Resume(four))],
            vec![crash(), (&["2", "c"], Act::Restart(two, None))],
            vec![(&["4", "p"], Act::Isolate(four, 0))],
            vec![(&["2", "t"], Act::Timeout(two))],
            vec![(&["r"], Act::Request(1, ask, None))],
        ];
        for case in cases {
            page.open("run=given.run");
            let mut shown = page.text("#digest");
            page.set("#scrub", "700000", "input");
            let mut steps = Vec::new();
            for (keys, act) in case {
                steps.push((events(page), act));
                keys.iter().for_each(|key| page.key(key, 0));
                shown = page.other_digest(&shown);
                assert_eq!(shown, digest(&with_steps(short(), &steps)), "{steps:?}");
            }
            page.open("");
        }
    });
}

#[test]
fn a_message_is_moved_by_keys_by_mouse_and_by_touch() {
    with_page(given, |page| {
        // Where a message is grabbed, and where a tenth of its way before that is.
        let way = |page: &Page<'_>| {
            let script = "const name = $('.message.selected').dataset.message;
                const [from, to] = name.split('#')[0].split('→').map((node) => node.startsWith('S')
                    ? $(`[data-node='${node.slice(1)}'] .body`) : $('.client'));
                const middle = (element) => { const { x, y, width, height } = element.getBoundingClientRect();
                    return [x + width / 2, y + height / 2]; };
                const [at, a, b] = [$('.message.selected path'), from, to].map(middle);
                return [name, ...at, at[0] - (b[0] - a[0]) / 10, at[1] - (b[1] - a[1]) / 10, ...b]";
            page.js(script, &json!(null))
        };
        let mouse = |kind: &str, x: &Value, y: &Value| {
            let params = json!({ "type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1 });
            page.browser.devtools("Input.dispatchMouseEvent", &params).unwrap();
        };
        let touch = |kind: &str, points: Value| {
            let params = json!({ "type": kind, "touchPoints": points });
            page.browser.devtools("Input.dispatchTouchEvent", &params).unwrap();
        };
        type Move<'a> = (&'static str, Box<dyn Fn() + 'a>);
        let moves: [Move<'_>; 9] = [
            ("deliver", Box::new(|| page.key("d", 0))),
            ("delay", Box::new(|| page.key(";", 0))),
            // In less than 10 ms it arrives anyway.
            ("deliver", Box::new(|| page.key(",", 0))),
            ("hold", Box::new(|| page.key("h", 0))),
            ("drop", Box::new(|| page.key("x", 0))),
            ("duplicate", Box::new(|| page.key("u", 0))),
            (
                "deliver",
                Box::new(|| {
                    let way = way(page);
                    mouse("mousePressed", &way[1], &way[2]);
                    mouse("mouseMoved", &way[3], &way[4]);
                    // What is begun is given up; then the message is brought to where it goes.
                    page.key("Escape", 27);
                    mouse("mouseReleased", &way[3], &way[4]);
                    assert_eq!(page.js("return document.querySelectorAll('#tree li').length", &json!(null)), json!(0));
                    mouse("mousePressed", &way[1], &way[2]);
                    mouse("mouseMoved", &way[3], &way[4]);
                    mouse("mouseMoved", &way[5], &way[6]);
                    mouse("mouseReleased", &way[5], &way[6]);
                }),
            ),
            (
                "delay",
                Box::new(|| {
                    let way = way(page);
                    mouse("mousePressed", &way[1], &way[2]);
                    mouse("mouseMoved", &way[3], &way[4]);
                    mouse("mouseReleased", &way[3], &way[4]);
                }),
            ),
            (
                "delay",
                Box::new(|| {
                    let way = way(page);
                    touch("touchStart", json!([{ "x": way[1], "y": way[2] }]));
                    touch("touchMove", json!([{ "x": way[3], "y": way[4] }]));
                    touch("touchEnd", json!([]));
                }),
            ),
        ];
        for (verb, by_hand) in moves {
            page.open("scenario=calm&seed=3");
            let first = page.text("#digest");
            page.click("[aria-label='next election']");
            page.key("m", 0);
            let name = way(page)[0].as_str().unwrap().to_owned();
            by_hand();
            page.other_digest(&first);
            let branch = page.text("#tree [aria-current]");
            let message = name.replace('→', "->");
            assert!(branch.starts_with(&format!("{verb} {message} ")), "{branch}");
            page.open("");
        }
    });
}

#[test]
fn two_branches_are_compared_from_where_they_part() {
    with_page(given, |page| {
        page.open("run=given.run");
        let first = page.text("#digest");
        page.set("#scrub", "900000", "input");
        let cursor = events(page);
        page.key("2", 0);
        page.key("c", 0);
        page.other_digest(&first);
        page.key("v", 0);
        page.wait_for("#parting", "They part at event");

        let record = |header: &Header| run(raftbox_tests::wasmtime(), header, Keep::All).unwrap().0;
        let crash = with_steps(short(), &[(cursor, Act::Crash(Target::Node(2), None))]);
        let (one, other) = (record(&short()), record(&crash));
        let parts = one.trace.iter().zip(other.trace.iter()).position(|(one, other)| one != other).unwrap();
        let told = page.text("#parting");
        assert!(told.starts_with(&format!("They part at event {parts},")), "{told}, and it is {parts}");
        assert_eq!(page.js("return document.querySelectorAll('svg.ring').length", &json!(null)), json!(2));

        page.click("#go-parting");
        let differences = page.text("#differences");
        assert!(differences.contains("S2 state") && differences.contains("down"), "{differences}");
        page.key("ArrowLeft", 37);
        assert_eq!(page.js("return document.querySelectorAll('#differences tbody tr').length", &json!(null)), json!(0));

        page.set("#branches li:nth-child(2) input", "without S2", "change");
        page.wait_for("#tree", "without S2");
        page.set("#branches li:nth-child(2) input", "as it was", "change");
        page.wait_for("#problem", "another one is called so");
        assert!(page.text("#tree").contains("without S2"), "the name stays");

        page.click("#close-beside");
        assert_eq!(page.js("return document.querySelectorAll('svg.ring').length", &json!(null)), json!(1));
    });
}

#[test]
fn for_an_audience_the_cluster_is_alone() {
    with_page(given, |page| {
        let hidden = || page.js("return getComputedStyle($('.menu')).display === 'none'", &json!(null));
        page.key("f", 0);
        assert_eq!(hidden(), json!(true));
        let before = page.text("#sentence");
        page.key(".", 0);
        assert_ne!(page.text("#sentence"), before, "the next thing that the story tells");
        page.key("Escape", 27);
        assert_eq!(hidden(), json!(false));
    });
}

#[test]
fn branches_outlast_other_runs_and_a_reload() {
    with_page(given, |page| {
        let first = page.text("#digest");
        page.click("[aria-label='next election']");
        page.key("1", 0);
        page.key("c", 0);
        let crashed = page.other_digest(&first);
        page.set("#scenario", "calm", "change");
        let calm = page.other_digest(&crashed);
        assert_eq!(page.js("return document.querySelectorAll('#tree li').length", &json!(null)), json!(0));
        assert_eq!(page.text("#former button"), "tour 1, 2 branches");
        page.click("#former button");
        assert_eq!(page.other_digest(&calm), crashed, "the branch that was shown last");
        assert_eq!(page.js("return document.querySelectorAll('#tree li').length", &json!(null)), json!(2));

        page.open_again("");
        assert_eq!(page.text("#digest"), first, "the page begins with the tour");
        let lanes = page
            .js("return [...document.querySelectorAll('#tree li')].map((lane) => lane.innerText.trim())", &json!(null));
        assert_eq!((lanes[0].as_str(), lanes.as_array().unwrap().len()), (Some("as it was"), 2), "{lanes}");
        page.key("b", 0);
        assert_eq!(page.other_digest(&first), crashed);
    });
}

#[test]
fn what_is_no_number_is_told_and_nothing_is_asked() {
    with_page(given, |page| {
        let first = page.text("#digest");
        page.set("#question", "increment", "change");
        page.set("#ask label:nth-of-type(2) input", "many", "input");
        page.key("r", 0);
        page.wait_for("#problem", "To increment takes a whole number, and there is \"many\".");
        assert_eq!(page.text("#digest"), first, "the run is as it was");
        assert_eq!(page.js("return document.querySelectorAll('#tree li').length", &json!(null)), json!(0));
    });
}

#[test]
fn branches_of_a_run_outlast_another_tree_that_has_the_same_run() {
    with_page(given, |page| {
        let first = page.text("#digest");
        page.click("[aria-label='next election']");
        let cursor = events(page);
        let crash = |node: &str, last: &str| {
            page.key(node, 0);
            page.key("c", 0);
            page.other_digest(last)
        };
        let crashed = crash("1", &first);
        let mut plan = raftbox_tests::header("tour", 1, |_| ()).plan;
        plan.interventions.push(Step { when: When::After(cursor), act: Act::Crash(Target::Node(1), None) });
        let link = Link::new(plan, &short().guests[0]).encode();

        // Of the same run once more, as a link leads to it: it is the first of its own tree, and a branch comes of it.
        page.open(&link);
        assert_eq!(page.text("#digest"), crashed);
        page.click("[aria-label='next fault']");
        let both = crash("2", &crashed);
        // And once more as a branch of the tour.
        page.set("#scenario", "tour", "change");
        assert_eq!(page.other_digest(&both), first);
        page.click("[aria-label='next election']");
        assert_eq!(crash("1", &first), crashed);
        // The link leads to that branch now, and the other tree is still there.
        page.click("#tree button");
        assert_eq!(page.other_digest(&crashed), first);
        page.js("location.hash = ''; await turn(); location.hash = args", &json!(link));
        assert_eq!(page.other_digest(&first), crashed);
        assert_eq!(page.text("#former button"), "tour 1, 2 branches");
        page.click("#former button");
        assert_eq!(page.other_digest(&crashed), both);
    });
}

#[test]
fn what_was_there_before_is_offered_and_what_did_nothing_is_told() {
    with_page(given, |page| {
        let first = page.text("#digest");
        page.click("[aria-label='next election']");
        page.key("2", 0);
        page.click("its disk answers again");
        page.wait_for("#remark", "no sync of S2 stalls");
        page.key("1", 0);
        page.key("c", 0);
        let crashed = page.other_digest(&first);
        assert_eq!(
            page.js("return document.querySelectorAll('#remark, .line .parting').length", &json!(null)),
            json!(0)
        );
        page.click("#compare");
        page.wait_for("#parting", "They part at event");
        assert_eq!(page.js("return document.querySelectorAll('.line .parting').length", &json!(null)), json!(1));

        // While two are compared, the one that is shown is acted on, and a message beside it is only looked at.
        page.key("3", 0);
        page.key("z", 0);
        let paused = page.other_digest(&crashed);
        let beside = "#ring-beside .message path";
        page.set("#scrub", "1000000", "input");
        let on = "for (let left = 300; left && !$(args); left--) {
            document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
            await turn();
        }";
        page.js(on, &json!(beside));
        page.click(beside);
        assert_eq!(page.js("return document.querySelectorAll('.message.selected').length", &json!(null)), json!(0));
        assert_eq!(page.text("#digest"), paused);
        page.click("#take-back");
        assert_eq!(page.other_digest(&paused), crashed);

        // What does not open changes no branch, and none of them is lost.
        let lanes = || page.js("return $('#tree').textContent", &json!(null));
        let before = lanes();
        page.js("location.hash = 'nonsense'", &json!(null));
        page.wait_for("#problem", "leads nowhere");
        assert_eq!((lanes(), page.text("#digest")), (before, crashed));
    });
}
