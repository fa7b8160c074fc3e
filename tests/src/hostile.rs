//! Foreign guests, written in WebAssembly text, that do what they should not.

use crate::header;
use raftbox::plan::{Header, sha256};
use raftbox::units::{Size, Span};

/// A guest whose exports do nothing, but for the given ones; and one more import.
///
/// # Panics
/// If that is no module.
#[must_use]
pub fn guest(import: &str, wake: &str, buffer: &str, more: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (import "raftbox" "wake_at" (func $wake_at (param i64)))
            {import}
            (memory (export "memory") 16 16)
            (data (i32.const 64) "a reason")
            {more}
            (func (export "abi_version") (result i32) i32.const 1)
            (func (export "buffer") (param i32) (result i32) {buffer} i32.const 1024)
            (func (export "boot") (param i32) i64.const 1 call $wake_at)
            (func (export "deliver") (param i32 i32))
            (func (export "wake") {wake})
            (func (export "request") (param i32 i64 i32))
            (func (export "synced") (param i64 i32)))"#
    );
    wat::parse_str(text).expect("it is a module")
}

/// The header of a run of such a guest, alone, for a second without clients' business.
#[must_use]
pub fn alone(guest: &[u8]) -> Header {
    let mut header = header("calm", 1, |scenario| {
        scenario.nodes = 1;
        scenario.duration = Span(1_000_000);
        scenario.settle = Span(1_000);
        scenario.arena = Size(1 << 20);
    });
    header.guests = vec![sha256(guest)];
    header
}
