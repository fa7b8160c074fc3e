//! One test for each thing that is refused outside the code, by its exact words.

use super::{BODY, IMPORTS, MORE, findings, guest, refused};
use crate::gate::{FINDINGS_MAX, Finding, MODULE_BYTES_MAX, admit};
use std::fmt::Write;

/// Asserts what is said of bytes that are no module at all.
#[track_caller]
fn refused_bytes(bytes: &[u8], expected: &str) {
    assert_eq!(findings(bytes, None), [expected]);
}

#[test]
fn what_is_no_module_is_told_apart() {
    refused_bytes(b"", "file: empty; give the .wasm file that the compiler wrote");
    refused_bytes(
        b"  \n(module)",
        "file: WebAssembly text, not a binary module; translate it first, with wat2wasm or wasm-tools parse",
    );
    refused_bytes(
        b"\0asm\x0d\0\x01\0",
        "file: a WebAssembly component, not a core module; build for wasm32-unknown-unknown, without \
         cargo-component or wasm-tools component",
    );
    refused_bytes(
        b"\x7fELF",
        "file: not WebAssembly: it does not begin with the bytes 00 61 73 6d; give the .wasm file that the \
         compiler wrote",
    );
    refused_bytes(b"\0asm\x01", "file: cut short within its first eight bytes; build or copy it again");
    refused_bytes(b"\0asm\x02\0\0\0", "file: of a WebAssembly version other than 1; build for wasm32-unknown-unknown");
}

#[test]
fn a_truncated_module_says_so() {
    let bytes = guest(&[]);
    refused_bytes(
        &bytes[..200],
        "file: cut short: it has 200 bytes, and its last section says more; build or copy it again",
    );
}

#[test]
fn a_module_above_the_limit_is_refused_and_still_read() {
    let text = "x".repeat(usize::try_from(MODULE_BYTES_MAX).unwrap());
    let custom = format!(r#"(@custom "debug" "{text}") (start $tick)"#);
    let bytes = guest(&[(MORE, &custom)]);
    let what = format!(
        "module: {} bytes, and 8388608 is the most that a browser compiles at once; optimise for size, and strip \
         names and debug information",
        bytes.len()
    );
    let start = "start section: runs function 6 `tick` before the host is ready; do it in `boot`, or export it as \
                 `_initialize`";
    assert_eq!(findings(&bytes, None), [what.as_str(), start]);
}

#[test]
fn all_is_found_and_the_first_twenty_are_spelled_out() {
    let mut more = String::new();
    for n in 0..30 {
        write!(more, "(func $f{n} (drop (f32.const 0)) (drop (memory.grow (i32.const 0))))").unwrap();
    }
    let refusal = admit(&guest(&[(MORE, &more), (r#""boot""#, r#""root""#)]), None).unwrap_err();
    assert_eq!((refusal.findings.len(), refusal.total), (FINDINGS_MAX, 61));
    let text = refusal.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "the module is refused for 61 reasons:");
    assert_eq!(lines[1], "  export `boot`: missing; is `root` meant for it?");
    assert_eq!(lines[21..], ["  and 41 more"]);
    let Finding { place, what, remedy } = &refusal.findings[0];
    assert_eq!(lines[1], format!("  {place}: {what}; {remedy}"));
}

#[test]
fn a_slip_in_the_name_of_an_import_is_recognised() {
    refused(&[(r#""send""#, r#""sned""#)], None, &["import `raftbox.sned`: unknown; is `send` meant?"]);
}

#[test]
fn an_unknown_import_is_told_what_there_is() {
    refused(
        &[(r#""send""#, r#""fork""#)],
        None,
        &["import `raftbox.fork`: unknown; there are now, random, send, wake_at, disk_len, disk_read, \
         disk_write, disk_truncate, disk_sync, reply, note, chance, halt, log"],
    );
}

#[test]
fn an_import_of_a_wrong_type_shows_both_types() {
    refused(
        &[("(func $send (param i32 i32 i32))", "(func $send (param i32 i64) (result i32))")],
        None,
        &["import `raftbox.send`: of type (i32, i64) -> i32, and it is served as (i32, i32, i32) -> (); \
         correct its declaration, or build against the same version of raftbox-abi"],
    );
}

#[test]
fn an_import_of_our_name_but_another_module_is_told_how_to_name_it() {
    refused(
        &[(r#""raftbox" "send""#, r#""env" "send""#)],
        None,
        &["import `env.send`: not of the module `raftbox`, and nothing else is served; name the module: \
         #[link(wasm_import_module = \"raftbox\")]"],
    );
}

#[test]
fn imports_of_other_worlds_are_told_where_they_come_from() {
    refused(
        &[(
            IMPORTS,
            r#"(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32)
             (result i32))) (import "__wbindgen_placeholder__" "__wbindgen_throw" (func
             (param i32 i32))) (import "env" "memcpy" (func (param i32 i32 i32)
             (result i32))) (import "game" "score" (func))"#,
        )],
        None,
        &[
            "import `wasi_snapshot_preview1.fd_write`: not of the module `raftbox`, and nothing else is served; \
         a guest has no operating system: build for wasm32-unknown-unknown",
            "import `__wbindgen_placeholder__.__wbindgen_throw`: not of the module `raftbox`, and nothing else \
         is served; a guest has no JavaScript: leave out the crate that brings wasm-bindgen (often getrandom)",
            "import `env.memcpy`: not of the module `raftbox`, and nothing else is served; a symbol that was not \
         found at link time: define it, or do without",
            "import `game.score`: not of the module `raftbox`, and nothing else is served; a guest has only what \
         `raftbox` gives it: do without",
        ],
    );
}

#[test]
fn an_imported_memory_is_refused() {
    refused(
        &[
            (r#"(memory (export "memory") 2 2)"#, ""),
            (IMPORTS, r#"(import "env" "memory" (memory 2 2)) (export "memory" (memory 0))"#),
        ],
        None,
        &["import `env.memory`: a memory, and only functions are served; define it in the module: link without \
         --import-memory"],
    );
}

#[test]
fn an_imported_table_and_an_imported_global_are_refused() {
    refused(
        &[
            ("(table 2 2 funcref)", ""),
            (
                IMPORTS,
                r#"(import "env" "__indirect_function_table" (table 2 2 funcref))
             (import "env" "__memory_base" (global i32))"#,
            ),
        ],
        None,
        &[
            "import `env.__indirect_function_table`: a table, and only functions are served; define it in the \
         module: link without --import-table",
            "import `env.__memory_base`: a global, and only functions are served; define it in the module: link \
         it as a whole, not as a part",
        ],
    );
}

#[test]
fn a_missing_export_is_asked_for_and_a_slip_recognised() {
    refused(
        &[(r#""deliver""#, r#""delivr""#), (r#"(func $tick (export "wake"))"#, "(func $tick)")],
        None,
        &[
            "export `deliver`: missing; is `delivr` meant for it?",
            "export `wake`: missing; export a function () -> () (in Rust: raftbox_abi::export_node!)",
        ],
    );
}

#[test]
fn an_export_of_a_wrong_type_shows_both_types() {
    refused(
        &[(r#"(export "request") (param i32 i64 i32)"#, r#"(export "request") (param i32 i32 i32)"#)],
        None,
        &["export `request`: of type (i32, i32, i32) -> (), and it is called as (i32, i64, i32) -> (); correct \
         its signature, or build against the same version of raftbox-abi"],
    );
}

#[test]
fn an_export_of_a_wrong_kind_is_refused() {
    refused(
        &[(r#"(func $tick (export "wake"))"#, r#"(func $tick) (global (export "wake") i32 (i32.const 0))"#)],
        None,
        &["export `wake`: a global, not a function; export a function () -> ()"],
    );
}

#[test]
fn an_optional_export_of_a_wrong_type_is_refused() {
    refused(
        &[(r#"(export "inspect") (result i64) (i64.const 0)"#, r#"(export "inspect") (result i32) (i32.const 0)"#)],
        None,
        &["export `inspect`: of type () -> i32, and it is called as () -> i64; correct its signature, or build \
         against the same version of raftbox-abi"],
    );
}

#[test]
fn an_import_that_is_passed_on_as_an_export_is_refused() {
    refused(
        &[(r#"(func (export "inspect") (result i64) (i64.const 0))"#, r#"(export "inspect" (func $now))"#)],
        None,
        &["export `inspect`: an import that is passed on; export a function of the module's own"],
    );
}

#[test]
fn a_module_without_memory_is_refused() {
    refused(
        &[
            (r#"(memory (export "memory") 2 2)"#, ""),
            (r#"(data (i32.const 65536) "raft")"#, ""),
            ("(memory.copy (i32.const 0) (i32.const 8) (i32.const 8))", ""),
        ],
        None,
        &["memory: there is none; define one, and export it as `memory`"],
    );
}

#[test]
fn a_second_memory_is_refused() {
    refused(&[(MORE, "(memory 1 1)")], None, &["memory: there are 2, and a guest has one; keep all data in one"]);
}

#[test]
fn a_memory_under_another_name_is_refused() {
    refused(
        &[(r#"(export "memory") 2 2"#, r#"(export "mem") 2 2"#)],
        None,
        &["memory: not exported as `memory`; the host passes bytes through it: export it"],
    );
}

#[test]
fn a_shared_memory_is_refused() {
    refused(
        &[(r#""memory") 2 2"#, r#""memory") 2 2 shared"#)],
        None,
        &["memory: shared between threads; build without threads and atomics"],
    );
}

#[test]
fn a_64_bit_memory_is_refused() {
    refused(
        &[
            (r#""memory") 2 2"#, r#""memory") i64 2 2"#),
            ("(data (i32.const 65536)", "(data (i64.const 65536)"),
            ("(memory.copy (i32.const 0) (i32.const 8) (i32.const 8))", ""),
        ],
        None,
        &["memory: 64-bit; build for wasm32"],
    );
}

#[test]
fn a_memory_without_a_maximum_is_refused() {
    refused(
        &[(r#""memory") 2 2"#, r#""memory") 2"#)],
        None,
        &["memory: 2 pages that may become any number; a snapshot needs one size: link with --initial-memory \
         and --max-memory of one value, or ask for an arena"],
    );
}

#[test]
fn a_memory_of_two_sizes_is_refused() {
    refused(
        &[(r#""memory") 2 2"#, r#""memory") 2 3"#)],
        None,
        &["memory: 2 pages that may become 3; a snapshot needs one size: link with --initial-memory and \
         --max-memory of one value, or ask for an arena"],
    );
}

#[test]
fn a_memory_above_the_limit_is_refused() {
    refused(
        &[(r#""memory") 2 2"#, r#""memory") 4097 4097"#)],
        None,
        &["memory: 268500992 bytes, and 268435456 is the most; link with a smaller --initial-memory, or ask \
         for an arena"],
    );
}

#[test]
fn a_data_segment_that_does_not_fit_is_refused() {
    refused(
        &[("(data (i32.const 65536)", "(data (i32.const 131070)")],
        None,
        &["data segment 0: ends at 131074, and the memory at 131072; link with a larger --initial-memory"],
    );
}

#[test]
fn an_element_segment_that_does_not_fit_is_refused() {
    refused(
        &[("(elem (i32.const 0)", "(elem (i32.const 2)")],
        None,
        &["element segment 0: ends at 3, and the table at 2; the linker is wrong: build again"],
    );
}

#[test]
fn a_table_above_the_limit_is_refused() {
    refused(
        &[("(table 2 2 funcref)", "(table 65537 funcref)")],
        None,
        &["table: 65537 elements, and 65536 is the most; take the address of fewer functions"],
    );
}

#[test]
fn a_start_section_is_refused() {
    refused(
        &[(MORE, "(start $tick)")],
        None,
        &["start section: runs function 6 `tick` before the host is ready; do it in `boot`, or export it as \
         `_initialize`"],
    );
}

#[test]
fn a_mutable_global_that_is_not_exported_is_refused() {
    refused(
        &[(r#"(global $stack (export "__stack_pointer")"#, "(global $stack")],
        None,
        &["global 0 `stack`: mutable, and not exported; a snapshot must reach it: link with --export=NAME (the \
         stack's is --export=__stack_pointer)"],
    );
}

#[test]
fn a_mutable_global_that_cannot_be_saved_is_refused() {
    refused(
        &[(
            MORE,
            r#"(global $last (export "last") (mut funcref) (ref.null func)) (global $half f32
             (f32.const 0.5))"#,
        )],
        None,
        &[
            "global 2 `last`: mutable, and of type funcref; a snapshot holds only i32 and i64: build without \
         reference types",
            "global 3 `half`: of type f32; use integers",
        ],
    );
}

#[test]
fn what_the_names_in_a_module_contain_cannot_forge_a_line() {
    refused(
        &[(r#""send""#, r#""x\0a  memory: fine; really""#)],
        None,
        &["import `raftbox.x\\n  memory: fine; really`: unknown; there are now, random, send, wake_at, \
         disk_len, disk_read, disk_write, disk_truncate, disk_sync, reply, note, chance, halt, log"],
    );
}

#[test]
fn a_module_that_is_wrong_in_itself_says_so_in_plain_words() {
    refused(
        &[(BODY, "i32.const 1")],
        None,
        &["offset 0x11a: not a valid module (type mismatch: values remaining on stack at end of block); the \
         file is damaged, or its compiler is wrong: build or copy it again"],
    );
}
