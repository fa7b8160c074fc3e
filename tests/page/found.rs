//! What was found: a run opens at its first violation, what contradicts an answer is marked, and the whole is one document.

use super::given;
use super::guests::{pick, usurper};
use super::support::with_page;
use raftbox::check::Contradiction;
use raftbox::cli::{Surroundings, main_with};
use raftbox::plan::Header;
use raftbox::runfile::RunFile;
use raftbox::scenario::Recurring;
use raftbox::simulation::Record;
use raftbox::trace::Keep;
use raftbox::units::{Span, Spans};
use raftbox_tests::{header, run, wasmtime, wasmtime_of};
use serde_json::json;
use std::fs;
use std::path::Path;

/// A run in which disks lie, until what clients are answered makes no sense.
fn senseless() -> (Header, Record, Contradiction) {
    let lying = |seed| {
        header("chaos", seed, |scenario| {
            scenario.duration = Span(15_000_000);
            scenario.faults.until = Span(15_000_000);
            scenario.faults.from = Span(1_000_000);
            scenario.faults.swarm = false;
            scenario.faults.members = None;
            scenario.faults.budget = Some(5);
            let lasts = Spans::micros(500_000, 3_000_000);
            scenario.faults.lie = Some(Recurring { every: Span(1_000_000), lasts });
        })
    };
    let found = (0..200).find_map(|seed| {
        let (record, _) = run(wasmtime(), &lying(seed), Keep::All).unwrap();
        let contradiction = record.checkers.contradiction()?;
        (!contradiction.conflict.is_empty()).then(|| (lying(seed), record, contradiction))
    });
    found.expect("of two hundred seeds one loses what it acknowledged")
}

/// The event of the first violation of a run.
fn first(record: &Record) -> u64 {
    let verdicts = record.checkers.verdicts().into_iter();
    let events = verdicts.filter_map(|(_, verdict)| match verdict {
        raftbox::check::Verdict::Violated { event, .. } => Some(event),
        _ => None,
    });
    events.min().expect("something is violated")
}

#[test]
fn a_run_opens_at_its_first_violation_and_contradictions_are_marked_in_the_lanes() {
    with_page(given, |page| {
        let folder = tempfile::tempdir().unwrap();
        let (header, record, found) = senseless();
        pick(page, &folder, "#open", "senseless.run", &RunFile::of(header, &record.trace).write());
        page.wait_for("#digest", &record.trace.digest().to_string());
        page.wait_for("#clock", &format!("event {} of", first(&record) + 1));
        page.click("#tab-Clients");
        page.wait_for("#impossible", "no order of what was asked explains this answer");
        let listed = page.js("return document.querySelectorAll('#impossible li').length", &json!(null));
        assert_eq!(listed, json!(found.conflict.len().min(8)));
        page.click("#impossible p button");
        page.wait_for("#clock", &format!("event {} of", found.culprit + 1));
        let title = page.js("return $('.bar.culprit').title", &json!(null));
        assert!(title.as_str().unwrap().contains("no order of what was asked explains"), "{title}");
        page.click("#impossible li button");
        page.wait_for("#clock", &format!("event {} of", found.conflict[0] + 1));
        let title = page.js("return $('.bar.conflict').title", &json!(null));
        assert!(title.as_str().unwrap().contains("it contradicts"), "{title}");
    });
}

#[test]
fn a_run_that_violates_nothing_opens_at_its_start_and_marks_nothing() {
    with_page(given, |page| {
        page.wait_for("#clock", "event 0 of");
        page.click("#tab-Clients");
        page.text("#digest");
        assert_eq!(
            page.js("return document.querySelectorAll('#impossible, .bar.culprit').length", &json!(null)),
            json!(0)
        );
    });
}

/// Has the command write a run as a document.
fn document(file: &Path, more: &[&str]) {
    let file = file.to_str().unwrap();
    let args = [&["raftbox", "run", "tour", "--seed", "3", "-q", "--html", file], more].concat();
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned);
    let surroundings = Surroundings { checkout, ..Surroundings::default() };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = main_with(args, &surroundings, &mut out, &mut err);
    assert!(code < 2, "{}", String::from_utf8_lossy(&err));
}

#[test]
fn a_run_as_one_document_is_the_same_run_without_a_server() {
    with_page(given, |page| {
        let folder = tempfile::tempdir().unwrap();
        let (built_in, brought) = (folder.path().join("tour.html"), folder.path().join("brought.html"));
        let open = |file: &Path, digest: &str| {
            page.browser.open("about:blank").unwrap();
            page.browser.open(&format!("file://{}", file.display())).unwrap();
            page.wait_for("#digest", digest);
            assert_eq!(page.text("#problem"), "");
            let from =
                page.js("return performance.getEntriesByType('resource').map((entry) => entry.name)", &json!(null));
            let from: Vec<_> = from.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
            assert!(from.iter().all(|name| name.starts_with("blob:")), "{from:?}");
        };
        document(&built_in, &[]);
        let (record, _) = run(wasmtime(), &header("tour", 3, |_| ()), Keep::Nothing).unwrap();
        open(&built_in, &record.trace.digest().to_string());
        // A link to it can be made, which takes the module that is loaded when it is needed.
        page.click("#share");
        page.wait_for(".told", "The link to this run");

        // So is one by a guest of one's own, at the event that convicts it.
        let guest = usurper();
        fs::write(folder.path().join("usurper.wasm"), &guest).unwrap();
        document(&brought, &["--guest", folder.path().join("usurper.wasm").to_str().unwrap()]);
        let header = Header { guests: vec![raftbox::plan::sha256(&guest)], ..header("tour", 3, |_| ()) };
        let engine = wasmtime_of(&guest, header.plan.scenario.arena).unwrap();
        let (record, _) = run(engine, &header, Keep::Nothing).unwrap();
        open(&brought, &record.trace.digest().to_string());
        page.wait_for("#clock", &format!("event {} of", first(&record) + 1));
        page.open("");
    });
}
