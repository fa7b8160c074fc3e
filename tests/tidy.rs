//! The house rules, held by a test. Each is an absence, so that the code can be trusted without being read.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace").to_owned()
}

/// Every Rust file of the project below a folder, with its path from the root and its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                found.push((relative, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} holds no sources");
    found.sort();
    found
}

/// The part of a file that is not its tests, without comments.
fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    let lines = text[..end].lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// Fails with every place below `folder`, but for the `allowed` files, whose code holds one of the words.
fn absent(folder: &str, words: &[&str], allowed: &[&str], rule: &str) {
    let mut places = Vec::new();
    for (path, text) in sources(folder) {
        if allowed.iter().any(|allowed| path.starts_with(allowed)) {
            continue;
        }
        for (number, line) in code(&text).lines().enumerate() {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                places.push(format!("{path}:{}: {word}", number + 1));
            }
        }
    }
    assert!(places.is_empty(), "{rule}:\n{}", places.join("\n"));
}

#[test]
#[should_panic(expected = "host/src/draw.rs:")]
fn a_rule_that_is_broken_is_told_with_its_place() {
    absent("host/src", &["Pcg64Mcg"], &[], "this one is broken on purpose");
}

#[test]
fn a_long_function_is_found() {
    let text = "impl A {\n    pub fn short() {\n    }\n    fn long() {\n        1;\n        2;\n    }\n}\n";
    assert_eq!(longest_function(text), Some(("fn long() {".to_owned(), 3)));
}

#[test]
fn the_raft_core_knows_no_boundary_no_bytes_and_no_clock() {
    let words =
        ["raftbox_abi", "to_le_bytes", "from_le_bytes", "Imports", "std::time", "Instant", "SystemTime", "rand"];
    absent("node-guest/src/raft", &words, &[], "the core of Raft is pure");
}

#[test]
fn only_the_boundary_is_foreign() {
    absent("node-guest/src", &["extern ", "unsafe"], &[], "only the abi crate has `extern`");
    absent("host/src", &["unsafe "], &["host/src/engine/wasmtime"], "only the engine loads foreign code");
    absent("web", &["unsafe ", "extern \"C\" fn"], &["web/src/engine.rs"], "only the engine is linked to guests");
}

#[test]
fn an_engine_is_named_in_its_own_file_alone() {
    let words = ["use wasmtime", "wasmtime::Store", "wasmtime::Module", "wasmtime::Engine"];
    absent("host/src", &words, &["host/src/engine/wasmtime"], "only engine/wasmtime.rs names wasmtime");
    absent("host/src", &["js_sys", "wasm_bindgen"], &[], "the browser is none of the host's business");
}

#[test]
fn the_browser_is_named_in_the_web_engine_alone() {
    let words = ["js_sys", "WebAssembly.", "JsValue", "no_mangle"];
    absent("web", &words, &["web/src/engine.rs"], "only web/src/engine.rs names the browser's engine");
    for entry in fs::read_dir(root().join("web/static")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap_or_default();
        assert!(!text.contains("WebAssembly."), "{} names the browser's engine", path.display());
    }
}

#[test]
fn the_page_stands_on_the_host_and_nothing_stands_on_the_page() {
    let manifest = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let own = |text: &str| -> Vec<String> {
        let names = text.lines().filter(|line| line.starts_with("raftbox"));
        names.filter_map(|line| Some(line.split(['.', ' ', '=']).next()?.to_owned())).collect()
    };
    assert_eq!(own(&manifest("web/Cargo.toml")), ["raftbox", "raftbox-guest-bytes", "raftbox-abi"]);
    assert_eq!(own(&manifest("web/gate/Cargo.toml")), ["raftbox"]);
    assert_eq!(own(&manifest("web/bundler/Cargo.toml")), ["raftbox", "raftbox-guest-bytes", "raftbox-mutants"]);
    for package in ["web", "web/gate", "web/bundler"] {
        let line = "host\", default-features = false }";
        assert!(
            manifest(&format!("{package}/Cargo.toml")).contains(line),
            "{package} takes more of the host than it needs"
        );
    }
    for below in ["host", "node-guest", "node-guest/abi", "node-guest/bytes"] {
        assert!(!manifest(&format!("{below}/Cargo.toml")).contains("raftbox-web"), "{below} points to the page");
    }
}

#[test]
fn nothing_that_makes_a_run_reads_the_machine() {
    let words = ["std::time", "Instant", "SystemTime", "std::env", "thread_rng", "HashMap", "HashSet", "f32", "f64"];
    let command = ["host/src/cli", "host/src/main.rs", "host/src/engine/wasmtime", "host/src/campaign.rs"];
    absent("host/src", &words[..7], &command, "time, chance and order are the plan's");
    // The gate names floats, to refuse them.
    absent("host/src", &words[7..], &["host/src/gate", "host/src/cli"], "a float differs between engines");
    absent("node-guest/src", &words, &[], "time, chance and order are the host's");
    // Places on a screen are floats, and a browser's timers take a duration; neither reaches a run.
    absent("web/src", &words[1..7], &[], "time, chance and order are the plan's");
    absent("web/src", &["std::time", "f32", "f64"], &["web/src/page"], "time is virtual, and a float differs");
}

#[test]
fn the_world_and_the_agenda_never_decode_raft() {
    let words = ["Note::", "note::Body", "raftbox_abi::Note"];
    for folder in ["host/src/world", "host/src/agenda", "host/src/engine"] {
        absent(folder, &words, &[], "notes are for checkers, text and view");
    }
}

#[test]
fn checkers_see_events_and_never_the_world() {
    let words = ["crate::world", "crate::agenda", "crate::engine", "crate::simulation"];
    absent("host/src/check", &words, &[], "checkers see events");
}

#[test]
fn the_view_sees_events_and_never_the_world() {
    let words = ["crate::world", "crate::agenda", "crate::engine", "crate::simulation", "crate::plan"];
    absent("host/src/view", &words, &[], "the view sees events");
}

#[test]
fn the_host_links_the_guests_vocabulary_and_not_its_behaviour() {
    absent("host/src", &["raftbox_node"], &[], "the guest is bytes");
}

#[test]
fn chance_is_drawn_in_few_places() {
    let drawers = ["host/src/draw.rs", "host/src/agenda", "host/src/world/turn.rs", "host/src/world/decider.rs"];
    absent(
        "host/src",
        &["Draw::new", "rand_pcg"],
        &drawers,
        "only the agenda, the decider and the nodes' streams draw",
    );
}

#[test]
fn no_test_is_ignored_and_nothing_is_left_undone() {
    for folder in ["host", "node-guest", "tests", "benches", "web"] {
        let words = ["#[ignore", "todo!(", "unimplemented!(", "dbg!("];
        absent(folder, &words, &["tests/tidy.rs"], "what is there works");
        for (path, text) in sources(folder) {
            assert!(path == "tests/tidy.rs" || !text.contains("#[ignore"), "{path} ignores a test");
        }
    }
}

/// The most lines of a file: a file is one concept.
const FILE_LINES_MAX: usize = 520;
/// The most lines of a function's body.
const FUNCTION_LINES_MAX: usize = 72;

/// The longest function of a text: its first line, and how many lines it has.
fn longest_function(text: &str) -> Option<(String, usize)> {
    let mut longest: Option<(String, usize)> = None;
    let lines: Vec<&str> = text.lines().collect();
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let head = line.trim_start().trim_start_matches("pub(super) ").trim_start_matches("pub(crate) ");
        let head = head.trim_start_matches("pub ").trim_start_matches("const ");
        if !head.starts_with("fn ") || line.trim_end().ends_with(';') || line.trim_end().ends_with('}') {
            continue;
        }
        let close = format!("{}}}", " ".repeat(indent));
        let end = lines[start..].iter().position(|line| *line == close).unwrap_or(0);
        if longest.as_ref().is_none_or(|(_, lines)| *lines < end) {
            longest = Some((line.trim().to_owned(), end));
        }
    }
    longest
}

#[test]
fn files_and_functions_stay_small() {
    let mut places = Vec::new();
    for folder in ["host/src", "node-guest/src", "node-guest/abi/src", "web/src", "web/bundler/src", "web/gate/src"] {
        for (path, text) in sources(folder) {
            // A table of one line for each kind of event or note is long, and no harder to read for it.
            let table = ["host/src/event/codec.rs", "node-guest/abi/src/note.rs"].contains(&path.as_str());
            let lines = code(&text).lines().count();
            if lines > FILE_LINES_MAX && !table {
                places.push(format!("{path}: {lines} lines"));
            }
            if let Some((function, lines)) = longest_function(&code(&text))
                && lines > FUNCTION_LINES_MAX
                && !table
            {
                places.push(format!("{path}: {function}: {lines} lines"));
            }
        }
    }
    assert!(places.is_empty(), "split these:\n{}", places.join("\n"));
}

#[test]
fn every_source_file_says_what_it_is() {
    for folder in ["host/src", "node-guest", "tests", "benches", "web"] {
        for (path, text) in sources(folder) {
            assert!(text.starts_with("//!"), "{path} begins with no `//!`");
        }
    }
}
