//! The engine of the page, in a real browser: it makes the same runs as wasmtime, event for event. What people see and do
//! is tested in `page.rs`.
//!
//! `cargo test --release -p raftbox-tests --test browser -- --nocapture speed` prints the speed of both engines.

#[path = "support/page.rs"]
#[allow(dead_code, reason = "what hands and eyes do is for the tests of the page")]
mod support;

use raftbox::event::{Cause, Decision, Event};
use raftbox::plan::Header;
use raftbox::runfile::RunFile;
use raftbox::scenario::{LIBRARY, PROFILES, Scenario, step::Step};
use raftbox::simulation::Record;
use raftbox::trace::{Keep, Trace};
use raftbox::units::{Size, Span};
use raftbox_guest_bytes::BYTES;
use raftbox_tests::{header, hostile, load, run, wasmtime_of, wasmtime_with};
use serde_json::{Value, json};
use std::rc::Rc;
use support::Browser;

/// Hands the page's browser to `test`.
fn with_page(test: impl FnOnce(&Browser)) {
    support::with_page(Vec::new, |page| test(page.browser));
}

/// A run file that holds a header's plan alone.
fn plan(header: &Header) -> Vec<u8> {
    RunFile::of(header.clone(), &Trace::new(&header.bytes(), Keep::Nothing)).write()
}

/// What a run came to, in whichever engine.
fn outcome(record: &Record, turns: u64) -> Value {
    json!({ "digest": record.trace.digest().to_string(), "events": record.trace.events(), "turns": turns })
}

/// Opens a run in the page: of a file, by the built-in guest or another.
const OPEN: &str = "
    const { Plan, Run } = await import('/raftbox.js');
    const plan = Plan.read(new Uint8Array(args.file));
    const { admit } = await import('/guest.js');
    const guest = args.guest ? await admit(new Uint8Array(args.guest), plan.arena()) : undefined;
    const run = new Run(plan, guest);";

/// Runs a header's plan in the page, to the end.
fn in_page(browser: &Browser, header: &Header, guest: Option<&[u8]>) -> Result<Value, String> {
    let script = format!(
        "{OPEN}
        try {{
            while (run.step(5000)) {{}}
            return {{ digest: run.digest(), events: Number(run.events()), turns: Number(run.turns()) }};
        }} finally {{
            run.free();
        }}"
    );
    browser.run(&script, &json!({ "file": plan(header), "guest": guest }))
}

/// Every built-in scenario that leaves things to chance under every profile that does, with several seeds, made short.
fn headers() -> Vec<(String, Header)> {
    let mut headers = Vec::new();
    let tells = |name: &str| Scenario::built_in(name, None).is_ok_and(|scenario| scenario.expect.is_some());
    for (name, _) in LIBRARY.iter().filter(|(name, _)| !tells(name)) {
        for (profile, _) in PROFILES.iter().filter(|(profile, _)| *profile != "scripted") {
            for seed in 1..=4 {
                let header = header(name, seed, |scenario| {
                    *scenario = Scenario::built_in(name, Some(profile)).unwrap();
                    let long = *name == "tour" && seed == 1;
                    scenario.duration = Span(if long { 12_000_000 } else { 3_000_000 });
                    scenario.settle = Span(2_000_000);
                    scenario.arena = Size(scenario.arena.0.min(8 << 20));
                    (scenario.faults.from, scenario.faults.until) = (Span(300_000), Span(2_500_000));
                    if let Some(crash) = &mut scenario.faults.crash {
                        crash.every = Span(150_000);
                    }
                    if let Some(pause) = &mut scenario.faults.pause {
                        pause.every = Span(700_000);
                    }
                    let faults = &mut scenario.faults;
                    for often in [&mut faults.sync_fails, &mut faults.write_fails, &mut faults.full, &mut faults.stall]
                    {
                        often.iter_mut().for_each(|fault| fault.every = Span(1_500_000));
                    }
                    faults.rot.iter_mut().for_each(|rot| rot.every = Span(1_500_000));
                    faults.swarm &= seed == 4;
                });
                headers.push((format!("{name} over {profile}, seed {seed}"), header));
            }
        }
    }
    headers
}

#[test]
fn the_page_makes_the_same_runs() {
    with_page(|browser| {
        let headers = headers();
        assert!(headers.len() >= 60);
        let (mut crashes, mut pauses, mut torn, mut disks) = (0, 0, 0, 0);
        for (name, header) in headers {
            let (record, turns) = run(wasmtime_with(header.plan.scenario.arena), &header, Keep::All).unwrap();
            assert_eq!(in_page(browser, &header, None), Ok(outcome(&record, turns)), "{name}");
            for (_, event) in record.trace.iter() {
                match event {
                    Event::Cause(Cause::Decide { decision: Decision::Crash, .. }) => crashes += 1,
                    Event::Cause(Cause::Pause { .. }) => pauses += 1,
                    Event::Cause(Cause::Disk { .. } | Cause::Decide { decision: Decision::Failed { .. }, .. }) => {
                        disks += 1;
                    }
                    Event::Cause(Cause::Boot { survivors, .. }) if !survivors.is_empty() => torn += 1,
                    _ => {}
                }
            }
        }
        println!(
            "{crashes} crashes in mid-turn, {pauses} pauses, {torn} boots from a disk with survivors, {disks} disks"
        );
        assert!(crashes >= 40 && pauses >= 20 && torn >= 15 && disks >= 15, "the runs are to be eventful");
    });
}

#[test]
fn where_no_module_can_copy_between_memories_javascript_does() {
    with_page(|browser| {
        let header = header("chaos", 5, |scenario| {
            scenario.duration = Span(3_000_000);
            // Another size than other runs have, so that the engine is made anew.
            scenario.arena = Size(5 << 20);
        });
        let knows_one_memory = "globalThis.asked = 0; WebAssembly.validate = () => { asked++; return false; }";
        browser.run(knows_one_memory, &json!(null)).unwrap();
        let (record, turns) = run(wasmtime_with(header.plan.scenario.arena), &header, Keep::All).unwrap();
        assert_eq!(in_page(browser, &header, None), Ok(outcome(&record, turns)));
        assert_eq!(browser.run("return asked", &json!(null)), Ok(json!(1)), "the page asks what the browser can");
    });
}

#[test]
fn the_page_has_the_commands_guest() {
    with_page(|browser| {
        let theirs = browser.run("return (await import('/raftbox.js')).guest()", &json!(null)).unwrap();
        assert_eq!(theirs, json!(raftbox::plan::sha256(BYTES)));
    });
}

/// Guests that do what they should not, by what they do: the import they need, and the bodies of `wake` and `buffer`, and
/// further definitions.
const HOSTILE: [(&str, [&str; 4]); 10] = [
    ("panic", ["", "unreachable", "", ""]),
    ("divide by zero", ["", "i32.const 1 i32.const 0 i32.div_u drop", "", ""]),
    ("load beyond the memory", ["", "i32.const 0x7fffffff i32.load drop", "", ""]),
    (
        "send what is not theirs",
        [
            r#"(import "raftbox" "send" (func $send (param i32 i32 i32)))"#,
            "i32.const 2 i32.const -1 i32.const -1 call $send",
            "",
            "",
        ],
    ),
    (
        "read into what is not theirs",
        [
            r#"(import "raftbox" "disk_read" (func $read (param i32 i64 i32 i32) (result i32)))"#,
            "i32.const 0 i64.const 0 i32.const 1048570 i32.const 7 call $read drop",
            "",
            "",
        ],
    ),
    (
        "truncate a file that there is not",
        [
            r#"(import "raftbox" "disk_truncate" (func $truncate (param i32 i64) (result i32)))"#,
            "i32.const 256 i64.const 0 call $truncate drop",
            "",
            "",
        ],
    ),
    ("have too many effects", ["", "(loop i64.const 5 call $wake_at br 0)", "", ""]),
    ("call an import outside a turn", ["", "", "i64.const 5 call $wake_at", ""]),
    ("trap where their argument is to go", ["", "", "unreachable", ""]),
    (
        "halt",
        [
            r#"(import "raftbox" "halt" (func $halt (param i32 i32 i32)))"#,
            "i32.const 7 i32.const 64 i32.const 8 call $halt",
            "",
            "",
        ],
    ),
];

/// Runs a header's plan over a foreign guest in wasmtime.
fn in_wasmtime(header: &Header, guest: &[u8]) -> Result<Value, String> {
    let engine = wasmtime_of(guest, header.plan.scenario.arena)?;
    let (record, turns) = run(engine, header, Keep::All).map_err(|abort| abort.to_string())?;
    Ok(outcome(&record, turns))
}

#[test]
fn hostile_guests_end_alike() {
    with_page(|browser| {
        for (name, [import, wake, buffer, more]) in HOSTILE {
            let guest = hostile::guest(import, wake, buffer, more);
            let header = hostile::alone(&guest);
            let expected = in_wasmtime(&header, &guest).unwrap();
            assert_eq!(in_page(browser, &header, Some(&guest)), Ok(expected), "guests that {name}");
        }
    });
}

#[test]
fn recursion_without_end_aborts_the_run_and_not_the_page() {
    with_page(|browser| {
        let import = r#"(import "raftbox" "now" (func $now (result i64)))"#;
        let plain =
            "(func $down (param i32) (result i32) local.get 0 i32.const 1 i32.add call $down i32.const 1 i32.add)";
        let serving = "(func $down (param i32) (result i32)
            call $now drop local.get 0 i32.const 1 i32.add call $down i32.const 1 i32.add)";
        for more in [plain, serving] {
            let guest = hostile::guest(import, "i32.const 0 call $down drop", "", more);
            let header = hostile::alone(&guest);
            for _ in 0..20 {
                let thrown = in_page(browser, &header, Some(&guest)).unwrap_err();
                assert!(thrown.contains("the run was aborted: the browser gave up"), "{thrown}");
                assert!(thrown.contains("call stack"), "{thrown}");
            }
        }
        let header = header("calm", 1, |scenario| scenario.duration = Span(1_000_000));
        let (record, turns) = run(raftbox_tests::wasmtime(), &header, Keep::All).unwrap();
        assert_eq!(in_page(browser, &header, None), Ok(outcome(&record, turns)), "the page is as before");
    });
}

#[test]
fn a_turn_without_end_aborts_the_run_and_not_the_page() {
    with_page(|browser| {
        let ways = [
            ["(loop br 0)", "", ""],
            ["call $on", "", "(func $on call $on_and_on) (func $on_and_on (loop i32.const 1 br_if 0))"],
            ["", "(loop br 0)", ""],
        ];
        for [wake, buffer, more] in ways {
            let guest = hostile::guest("", wake, buffer, more);
            let thrown = in_page(browser, &hostile::alone(&guest), Some(&guest)).unwrap_err();
            assert!(thrown.contains("the run was aborted: the browser gave up"), "{thrown}");
            assert!(thrown.contains("it did not end: it looped and called more than"), "{thrown}");
        }
        let header = header("calm", 1, |scenario| scenario.duration = Span(1_000_000));
        let (record, turns) = run(raftbox_tests::wasmtime(), &header, Keep::All).unwrap();
        assert_eq!(in_page(browser, &header, None), Ok(outcome(&record, turns)), "the page is as before");
    });
}

#[test]
fn ten_thousand_turns_that_imports_end_leave_nothing_behind() {
    with_page(|browser| {
        let import = r#"(import "raftbox" "send" (func $send (param i32 i32 i32)))"#;
        let guest = hostile::guest(import, "i32.const 2 i32.const -1 i32.const -1 call $send", "", "");
        let mut header = hostile::alone(&guest);
        header.plan.scenario.duration = Span(20_000_000);
        header.plan.interventions = (1..10_000)
            .map(|n| toml::from_str::<Step>(&format!("at = \"{n}ms\"\ndo = \"restart\"\nnode = \"S1\"")).unwrap())
            .collect();
        let expected = in_wasmtime(&header, &guest).unwrap();
        assert!(expected["turns"].as_u64() > Some(10_000), "{expected}");
        assert_eq!(in_page(browser, &header, Some(&guest)), Ok(expected));
    });
}

#[test]
fn a_run_goes_back_to_a_moment_and_on_as_before() {
    with_page(|browser| {
        let header = header("chaos", 3, |scenario| {
            scenario.duration = Span(8_000_000);
            (scenario.faults.from, scenario.faults.until) = (Span(500_000), Span(7_000_000));
        });
        let script = "
            const moments = [];
            let more = true;
            while (more) {
                moments.push([run.digest(), run.save()]);
                // Looking at a node, and going back and forth, changes nothing.
                for (let node = 1; node <= 5; node++) run.inspect(node);
                const [digest, moment] = moments[moments.length >> 1];
                run.restore(moment);
                if (run.digest() !== digest) throw new Error('a moment has another digest');
                run.restore(moments.at(-1)[1]);
                more = run.step(500);
            }
            const end = () => ({ digest: run.digest(), events: Number(run.events()), turns: Number(run.turns()) });
            const ends = [end()];
            for (const at of [0, moments.length >> 1, moments.length - 1]) {
                run.restore(moments[at][1]);
                while (run.step(2000)) {}
                ends.push(end());
            }
            return { moments: moments.length, ends };";
        let told = browser.run(&[OPEN, script].concat(), &json!({ "file": plan(&header) })).unwrap();
        assert!(told["moments"].as_u64() >= Some(5), "{told}");
        let (record, turns) = run(raftbox_tests::wasmtime(), &header, Keep::All).unwrap();
        assert_eq!(told["ends"], json!(vec![outcome(&record, turns); 4]));
    });
}

#[test]
fn what_is_wrong_with_a_run_is_told() {
    with_page(|browser| {
        let open = |file: &[u8], guest: Option<&[u8]>| {
            browser.run(OPEN, &json!({ "file": file, "guest": guest })).unwrap_err()
        };
        let file = plan(&header("calm", 1, |_| ()));
        assert!(open(b"nonsense", None).starts_with("Error: this is no run file: "));
        assert!(open(&file[..100], None).starts_with("Error: this is no run file: "));
        let other = hostile::guest("", "", "", "");
        assert!(open(&file, Some(&other)).starts_with("Error: this run was made with another guest: "));
        let float = wat::parse_str("(module (func (export \"wake\") f32.const 1 drop))").unwrap();
        assert!(open(&plan(&hostile::alone(&float)), Some(&float)).contains("float"));
    });
}

#[test]
fn the_speed_of_both_engines_is_told() {
    with_page(|browser| {
        let arena = Size(16 << 20);
        let header = load(Span(4_000_000), arena);
        let script = "
            const { Plan, Run } = await import('/raftbox.js');
            const run = new Run(Plan.read(new Uint8Array(args)));
            const start = performance.now();
            while (run.step(5000)) {}
            const micros = Math.round((performance.now() - start) * 1000);
            const turns = Number(run.turns());
            run.free();
            return { turns, micros };";
        let engine = wasmtime_with(arena);
        let (mut turns, mut page, mut wasmtime) = (0, u64::MAX, u64::MAX);
        // In turns, so that what else the machine does hinders both alike.
        for _ in 0..7 {
            let told = browser.run(script, &json!(plan(&header))).unwrap();
            turns = told["turns"].as_u64().unwrap();
            page = page.min(told["micros"].as_u64().unwrap());
            wasmtime = wasmtime.min(timed(|| drop(run(Rc::clone(&engine), &header, Keep::All).unwrap())));
        }
        let share = 100 * wasmtime / page.max(1);
        println!("{turns} turns: the page {page} us, wasmtime {wasmtime} us, {share} % of its speed");
        assert!(turns > 1000);
    });
}

/// How many microseconds something takes.
#[allow(clippy::disallowed_methods, reason = "speed is told, and decides nothing")]
fn timed(what: impl FnOnce()) -> u64 {
    let start = std::time::Instant::now();
    what();
    u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX)
}
