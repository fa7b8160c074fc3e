//! What is admitted, here; what is refused for its code or for anything else, other sizes of memory, and bytes out of
//! nowhere, in a file each.
//!
//! Each case is one small guest in wasm text with something replaced.

mod arena;
mod code;
mod hostile;
mod refusals;

use super::{Admitted, Global, admit};
use raftbox_abi::boundary::Type;

/// A guest that does nothing, with everything that one may have.
const GUEST: &str = r#"(module
  (import "raftbox" "now" (func $now (result i64)))
  (import "raftbox" "send" (func $send (param i32 i32 i32)))
  ;; imports
  (table 2 2 funcref)
  (memory (export "memory") 2 2)
  (global $stack (export "__stack_pointer") (mut i32) (i32.const 65536))
  (global (export "__heap_base") i32 (i32.const 66000))
  (elem (i32.const 0) $tick)
  (data (i32.const 65536) "raft")
  (func (export "abi_version") (result i32) (i32.const 1))
  (func (export "buffer") (param i32) (result i32) (i32.const 65540))
  (func (export "boot") (param i32) (global.set $stack (i32.const 4096)))
  (func (export "deliver") (param i32 i32)
    ;; body
  )
  (func $tick (export "wake"))
  (func (export "request") (param i32 i64 i32)
    (memory.copy (i32.const 0) (i32.const 8) (i32.const 8))
    (call_indirect (i32.const 0)))
  (func (export "synced") (param i64 i32) (drop (i64.extend8_s (local.get 0))))
  (func (export "inspect") (result i64) (i64.const 0))
  ;; more
)"#;
/// Where a case puts further imports, the code of `deliver`, and further fields.
const IMPORTS: &str = ";; imports";
const BODY: &str = ";; body";
const MORE: &str = ";; more";

/// The guest with some of its text replaced, as a binary.
fn guest(edits: &[(&str, &str)]) -> Vec<u8> {
    let text = edits.iter().fold(GUEST.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in the guest");
        text.replacen(from, to, 1)
    });
    wat::parse_str(text).unwrap()
}

fn findings(bytes: &[u8], arena: Option<u64>) -> Vec<String> {
    let refusal = admit(bytes, arena).expect_err("it is admitted");
    refusal.findings.iter().map(ToString::to_string).collect()
}

/// Asserts all that is said of an edited guest.
#[track_caller]
fn refused(edits: &[(&str, &str)], arena: Option<u64>, expected: &[&str]) {
    assert_eq!(findings(&guest(edits), arena), expected);
}

#[test]
fn a_guest_is_admitted_as_it_is() {
    let bytes = guest(&[]);
    let admitted = admit(&bytes, None).unwrap();
    let expected = Admitted {
        bytes,
        memory_bytes: 131_072,
        globals: vec![Global { name: "__stack_pointer".to_owned(), kind: Type::I32 }],
        has_inspect: true,
        has_describe: false,
        has_initialize: false,
        imports: vec!["now", "send"],
        functions: 8,
        code_bytes: 48,
    };
    assert_eq!(admitted, expected);
}

#[test]
fn the_report_is_a_short_table() {
    let report = admit(&guest(&[]), None).unwrap().to_string();
    assert_eq!(
        report,
        "module     365 bytes
code       48 bytes in 8 functions
memory     131072 bytes, fixed
globals    __stack_pointer: i32
imports    now, send (2 of 14)
exports    memory, abi_version, buffer, boot, deliver, wake, request, synced
optional   inspect"
    );
}

#[test]
fn a_module_without_extras_reports_none() {
    let admitted = admit(
        &guest(&[(
            r#"(func (export "inspect") (result i64) (i64.const 0))"#,
            r#"(func (export "describe") (param i32) (result i64) (i64.const 0)) (func (export "_initialize"))"#,
        )]),
        None,
    )
    .unwrap();
    assert!(!admitted.has_inspect && admitted.has_describe && admitted.has_initialize);
}

#[test]
fn mutable_globals_are_listed_in_the_order_of_the_module() {
    let more = r#"(global (export "b") (mut i64) (i64.const 0)) (global (export "a") (mut i32) (i32.const 0))
        (export "z" (global 2))"#;
    let globals = admit(&guest(&[(MORE, more)]), None).unwrap().globals;
    let names: Vec<_> = globals.iter().map(|global| (global.name.as_str(), global.kind)).collect();
    assert_eq!(names, [("__stack_pointer", Type::I32), ("b", Type::I64), ("a", Type::I32)]);
}
