//! Histories that others recorded, and what is known of them; and those of raftbox, written and read again.
//!
//! The data is no part of this repository: it lies beside it, in `shared/data`, where there is such a folder, and the tests
//! say that they are skipped where there is not (`RAFTBOX_REQUIRE_DATA` makes that a failure).

use raftbox::history::{Answer, Call, History, Operation, edn};
use raftbox::linearizability::{Options, Verdict, check};
use raftbox::trace::Keep;
use raftbox_tests::{header, run, wasmtime};
use std::fs;
use std::path::PathBuf;

/// The folder of histories, if it is there.
#[allow(clippy::disallowed_methods, reason = "whether data is required is the caller's choice")]
fn data() -> Option<PathBuf> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/histories"));
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("RAFTBOX_REQUIRE_DATA").is_none(), "there is no {}", folder.display());
    println!("SKIPPED: there is no {}", folder.display());
    None
}

#[test]
fn every_history_has_its_known_verdict_by_key_and_with_all_keys_together() {
    let Some(folder) = data() else { return };
    let verdicts = fs::read_to_string(folder.join("verdicts.txt")).unwrap();
    let (mut count, mut bytes) = (0, 0);
    for line in verdicts.lines().filter(|line| !line.is_empty()) {
        let (file, expected) = line.split_once(' ').unwrap();
        let history = edn::parse(&fs::read_to_string(folder.join(file)).unwrap()).unwrap().history;
        for by_key in [true, false] {
            let report = check(&history, Options { by_key, memory: 1 << 30 });
            let found = match report.verdict {
                Verdict::Linearizable => "linearizable",
                Verdict::Not(_) => "not-linearizable",
                Verdict::Unknown(_) => "unknown",
            };
            assert_eq!(found, expected, "{file}, by key: {by_key}");
            bytes = bytes.max(report.bytes);
        }
        count += 1;
    }
    println!("{count} histories, at most {bytes} bytes remembered");
    assert!(count >= 39, "only {count} histories");
}

#[test]
fn the_history_of_a_run_is_written_and_read_again_and_a_lie_in_it_is_found() {
    for seed in 0..3 {
        let (record, _) = run(wasmtime(), &header("chaos", seed, |_| ()), Keep::Nothing).unwrap();
        let history = record.checkers.recorder().history();
        let text = edn::write(&history, |place| record.checkers.recorder().time(place));
        let read = edn::parse(&text).unwrap().history;
        let calls = |history: &History| -> Vec<_> {
            history.operations.iter().map(|one| (one.process, one.key.clone(), one.call.clone())).collect()
        };
        assert_eq!(calls(&history), calls(&read));
        assert_eq!(check(&read, Options::default()).verdict, Verdict::Linearizable, "seed {seed}");
        // Somebody reads a value that was there, long after it is gone.
        let mut lie = read;
        let is_get = |one: &&mut Operation| {
            one.key.starts_with(b"r")
                && one.call == Call::Get
                && matches!(one.answered, Some((_, Answer::Value(Some(_)))))
        };
        let old = lie.operations.iter_mut().find(is_get).map(|one| (one.key.clone(), one.answered.clone())).unwrap();
        let late = lie.operations.iter_mut().rev().find(|one| is_get(one) && one.key == old.0).unwrap();
        let place = late.answered.take().unwrap().0;
        late.answered = Some((place, old.1.unwrap().1));
        let Verdict::Not(found) = check(&lie, Options::default()).verdict else {
            panic!("seed {seed}: the lie is believed")
        };
        assert_eq!(lie.operations[found.culprit].answered.as_ref().unwrap().0, place);
    }
}
