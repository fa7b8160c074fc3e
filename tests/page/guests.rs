//! Guests that somebody brings to the page: what the gate refuses, and what is seen of one that is bad.

use super::support::{Page, with_page};
use super::{digest, given};
use raftbox::check::Verdict;
use raftbox::link::Link;
use raftbox::plan::{Header, sha256};
use raftbox::runfile::RunFile;
use raftbox::simulation::Record;
use raftbox::trace::Keep;
use raftbox_abi::Note;
use raftbox_abi::note::{Body, Role};
use raftbox_tests::{header, hostile, run, wasmtime_of};
use serde_json::json;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

/// A guest that says at its first alarm that it leads term 1, whoever else does.
pub(super) fn usurper() -> Vec<u8> {
    let mut note = Vec::new();
    let kind = Note { group: 0, body: Body::Role { role: Role::Leader, term: 1, leader: 1 } }.encode(&mut note);
    let bytes = note.iter().fold(String::new(), |mut text, byte| {
        write!(text, "\\{byte:02x}").unwrap();
        text
    });
    hostile::guest(
        r#"(import "raftbox" "note" (func $note (param i32 i32 i32)))"#,
        &format!("i32.const {kind} i32.const 256 i32.const {} call $note", note.len()),
        "",
        &format!("(data (i32.const 256) \"{bytes}\")"),
    )
}

/// The page's first run, by another guest, as wasmtime has it.
fn tour_of(guest: &[u8]) -> (Header, Record) {
    let mut header = header("tour", 1, |_| ());
    header.guests = vec![sha256(guest)];
    let engine = wasmtime_of(guest, header.plan.scenario.arena).unwrap();
    let (record, _) = run(engine, &header, Keep::All).unwrap();
    (header, record)
}

/// Picks a file with these bytes in an input of the page.
pub(super) fn pick(page: &Page<'_>, folder: &tempfile::TempDir, input: &str, name: &str, bytes: &[u8]) {
    let path: PathBuf = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    page.browser.pick_file(input, &path).unwrap();
}

#[test]
fn a_bad_guest_is_shown_with_the_event_that_convicts_it() {
    with_page(given, |page| {
        let folder = tempfile::tempdir().unwrap();
        let first = page.text("#digest");
        let guest = usurper();
        let (header, record) = tour_of(&guest);
        pick(page, &folder, "#guest", "usurper.wasm", &guest);
        assert_eq!(page.other_digest(&first), record.trace.digest().to_string());

        let verdicts = record.checkers.verdicts();
        let verdict = verdicts.iter().find(|(name, _)| *name == "election-safety").unwrap();
        let Verdict::Violated { event, what, .. } = &verdict.1 else { panic!("{verdict:?}") };
        page.click("#tab-Properties");
        page.wait_for("#properties", "election-safety is violated at");
        let told = page.text("#properties .violated:has(button)");
        assert!(told.contains(what), "{told}");
        page.click("#properties .violated button");
        page.wait_for("#clock", &format!("event {} of", event + 1));
        page.click("[aria-label='To the start']");
        page.click("[aria-label='next violation']");
        assert_ne!(super::by_hand::events(page), 0, "a violation is worth a jump");
        assert_ne!(page.js("return document.querySelectorAll('.line .violation').length", &json!(null)), json!(0));

        let file = RunFile::of(header, &record.trace).write();
        page.click("#built-in");
        assert_eq!(page.other_digest(&record.trace.digest().to_string()), first, "the built-in one runs again");
        pick(page, &folder, "#open", "usurper.run", &file);
        page.wait_for("#problem", "open that guest first");
        page.click("#problem button");
        pick(page, &folder, "#guest", "again.wasm", &guest);
        page.other_digest(&first);
        pick(page, &folder, "#open", "usurper.run", &file);
        page.wait_for("#digest", &record.trace.digest().to_string());
        assert_eq!(page.text("#problem"), "");
    });
}

#[test]
fn a_guest_that_traps_is_an_event_and_a_broken_property() {
    with_page(given, |page| {
        let folder = tempfile::tempdir().unwrap();
        let first = page.text("#digest");
        let guest = hostile::guest("", "unreachable", "", "");
        let (_, record) = tour_of(&guest);
        pick(page, &folder, "#guest", "trap.wasm", &guest);
        assert_eq!(page.other_digest(&first), record.trace.digest().to_string());
        page.click("#tab-Properties");
        page.wait_for("#properties", "guest-trap is violated at");
        page.click("#properties .violated button");
        assert!(page.text("#sentence").contains("trap"), "{}", page.text("#sentence"));
    });
}

#[test]
fn a_guest_that_traps_when_it_boots_and_a_link_of_its_run_are_told() {
    with_page(given, |page| {
        let folder = tempfile::tempdir().unwrap();
        let first = page.text("#digest");
        let guest = hostile::guest("", "", "unreachable", "");
        let (header, record) = tour_of(&guest);
        let link = Link::new(header.plan, &sha256(&guest)).encode();
        page.js("location.hash = args", &json!(link));
        page.wait_for("#problem", "open that guest first");
        page.click("#problem button");
        pick(page, &folder, "#guest", "trap.wasm", &guest);
        assert_eq!(page.other_digest(&first), record.trace.digest().to_string());
        page.click("#tab-Properties");
        page.wait_for("#properties", "guest-trap is violated at");
        page.js("location.hash = ''; await turn(); location.hash = args", &json!(link));
        page.wait_for("#digest", &record.trace.digest().to_string());
        assert_eq!(page.text("#problem"), "");
    });
}

#[test]
fn what_is_no_guest_is_refused_and_changes_nothing() {
    with_page(given, |page| {
        let folder = tempfile::tempdir().unwrap();
        page.click("[aria-label='next election']");
        let shown = || (page.text("#digest"), page.text("#sentence"));
        let before = shown();
        assert_eq!(before.0, digest(&header("tour", 1, |_| ())));
        let whole = usurper();
        let float = wat::parse_str("(module (func (export \"wake\") f32.const 1 drop))").unwrap();
        for (name, bytes, words) in [
            ("float.wasm", float.as_slice(), "float"),
            ("half.wasm", &whole[..whole.len() / 2], "cannot be run as a guest"),
            ("picture.wasm", b"\x89PNG\r\n\x1a\n and so on", "cannot be run as a guest"),
            ("empty.wasm", b"", "cannot be run as a guest"),
        ] {
            pick(page, &folder, "#guest", name, bytes);
            page.wait_for("#problem", words);
            assert!(page.text("#problem").starts_with(name), "{}", page.text("#problem"));
            assert_eq!(shown(), before, "{name}");
            page.click("#problem button");
        }
    });
}
