//! What guests may do to their host: foreign guests, written in WebAssembly text, that do what they should not.

use raftbox::check::Verdict;
use raftbox::engine::wasmtime::{Compiled, Options, Wasmtime};
use raftbox::event::{Effect, Event};
use raftbox::gate;
use raftbox::simulation::{Record, Simulation};
use raftbox::trace::Keep;
use raftbox_tests::hostile::{alone, guest};
use std::rc::Rc;
use std::time::Duration;

/// Runs it alone, for a second without clients' business.
fn run(bytes: &[u8], options: &Options) -> Result<Record, String> {
    let admitted = gate::admit(bytes, None).map_err(|refusal| refusal.to_string())?;
    let compiled = Compiled::new(vec![admitted], options).map_err(|abort| abort.to_string())?;
    let engine = Wasmtime::new(&compiled).map_err(|abort| abort.to_string())?;
    let mut simulation =
        Simulation::new(Rc::new(engine), &alone(bytes), Keep::All).map_err(|abort| abort.to_string())?;
    simulation.run().map_err(|abort| abort.to_string())?;
    Ok(simulation.record().clone())
}

/// Runs it, and returns what was logged when it trapped.
fn trap(bytes: &[u8]) -> String {
    let record = run(bytes, &Options::default()).unwrap();
    let traps = record.trace.iter().filter(|(_, event)| matches!(event, Event::Effect(Effect::Trapped { node: 1 })));
    assert!(traps.count() >= 1);
    let verdicts = record.checkers.verdicts();
    let (_, verdict) = verdicts.iter().find(|(property, _)| *property == "guest-trap").unwrap();
    assert!(verdict.is_violated(), "{verdict:?}");
    record.log[0].1.line.clone()
}

#[test]
fn a_guest_that_does_nothing_is_run_and_nothing_is_said_to_hold() {
    let record = run(&guest("", "", "", ""), &Options::default()).unwrap();
    let verdicts = record.checkers.verdicts();
    let passes: Vec<_> =
        verdicts.iter().filter(|(_, verdict)| *verdict == Verdict::Pass).map(|(name, _)| name).collect();
    assert_eq!(passes, [&"guest-trap"], "a missing note is no pass");
}

#[test]
fn a_panic_is_a_trap() {
    assert_eq!(trap(&guest("", "unreachable", "", "")), "wasm trap: wasm `unreachable` instruction executed");
}

#[test]
fn a_pointer_outside_memory_is_a_trap() {
    let send = r#"(import "raftbox" "send" (func $send (param i32 i32 i32)))"#;
    let wake = "i32.const 2 i32.const 1048570 i32.const 7 call $send";
    assert_eq!(trap(&guest(send, wake, "", "")), "7 bytes at 1048570 lie outside the guest's memory");
    let wake = "i32.const 2 i32.const -1 i32.const -1 call $send";
    assert_eq!(trap(&guest(send, wake, "", "")), "4294967295 bytes at 4294967295 lie outside the guest's memory");
}

#[test]
fn a_file_that_no_disk_has_is_a_trap() {
    let import = r#"(import "raftbox" "disk_truncate" (func $truncate (param i32 i64) (result i32)))"#;
    let wake = "i32.const 256 i64.const 0 call $truncate drop";
    assert_eq!(trap(&guest(import, wake, "", "")), "there is no file 256; the highest is 255");
    let wake = "i32.const 0 i64.const -1 call $truncate drop";
    assert_eq!(trap(&guest(import, wake, "", "")), "file 0 would exceed 1073741824 bytes");
}

#[test]
fn too_many_effects_are_a_trap() {
    let wake = "(loop i64.const 5 call $wake_at br 0)";
    assert_eq!(trap(&guest("", wake, "", "")), "a turn had more than 65536 effects");
}

#[test]
fn an_import_that_is_called_outside_a_turn_is_a_trap() {
    assert_eq!(trap(&guest("", "", "i64.const 5 call $wake_at", "")), "an import was called outside a turn");
}

#[test]
fn a_halt_is_no_trap_and_tells_its_reason() {
    let halt = r#"(import "raftbox" "halt" (func $halt (param i32 i32 i32)))"#;
    let record =
        run(&guest(halt, "i32.const 7 i32.const 64 i32.const 8 call $halt", "", ""), &Options::default()).unwrap();
    let halted = record.trace.iter().find_map(|(_, event)| match event {
        Event::Effect(Effect::Halted { node, code, reason }) => Some((node, code, reason.to_vec())),
        _ => None,
    });
    assert_eq!(halted, Some((1, 7, b"a reason".to_vec())));
}

#[test]
fn a_turn_that_never_ends_aborts_the_run() {
    let options = Options { watchdog: Some(Duration::from_millis(200)), ..Options::default() };
    let aborted = run(&guest("", "(loop br 0)", "", ""), &options).map(drop);
    assert_eq!(aborted, Err("the run was aborted: a turn of a guest did not end in time".into()));
}

#[test]
fn recursion_without_end_aborts_the_run() {
    let more = "(func $down (param i32) (result i32) local.get 0 i32.const 1 i32.add call $down i32.const 1 i32.add)";
    let aborted = run(&guest("", "i32.const 0 call $down drop", "", more), &Options::default()).map(drop);
    let expected = "the run was aborted: a guest's recursion overflowed the native stack, whose size is the machine's";
    assert_eq!(aborted, Err(expected.into()));
}

#[test]
fn what_a_guest_left_in_its_memory_is_gone_after_a_crash() {
    // It counts its boots in memory, and halts if it ever finds that it has booted before.
    let text = r#"(module
        (import "raftbox" "wake_at" (func $wake_at (param i64)))
        (import "raftbox" "halt" (func $halt (param i32 i32 i32)))
        (memory (export "memory") 16 16)
        (global $boots (export "boots") (mut i32) (i32.const 0))
        (func (export "abi_version") (result i32) i32.const 1)
        (func (export "buffer") (param i32) (result i32) i32.const 1024)
        (func (export "boot") (param i32)
            (if (i32.or (i32.load (i32.const 65536)) (global.get $boots))
                (then (call $halt (i32.const 1) (i32.const 0) (i32.const 0))))
            (i32.store (i32.const 65536) (i32.const 1))
            (global.set $boots (i32.const 1))
            (call $wake_at (i64.const 400000)))
        (func (export "deliver") (param i32 i32))
        (func (export "wake") unreachable)
        (func (export "request") (param i32 i64 i32))
        (func (export "synced") (param i64 i32)))"#;
    let record = run(&wat::parse_str(text).unwrap(), &Options::default()).unwrap();
    let count = |wanted: fn(&Event<'_>) -> bool| record.trace.iter().filter(|(_, event)| wanted(event)).count();
    assert_eq!(count(|event| matches!(event, Event::Effect(Effect::Trapped { .. }))), 2, "in each boot");
    assert_eq!(
        count(|event| matches!(event, Event::Cause(raftbox::event::Cause::Boot { .. }))),
        2,
        "once more at the end"
    );
    assert_eq!(count(|event| matches!(event, Event::Effect(Effect::Halted { .. }))), 0);
}
