//! Memory of another size.

use super::{guest, refused};
use crate::gate::admit;

#[test]
fn an_arena_of_the_same_size_changes_nothing() {
    let bytes = guest(&[]);
    assert_eq!(admit(&bytes, Some(131_072)).unwrap().bytes, bytes);
    assert_eq!(admit(&bytes, Some(131_000)).unwrap().bytes, bytes);
}

#[test]
fn an_arena_changes_the_memory_section_and_no_other_byte() {
    // 2, 127, 128, 4096 pages: one byte of LEB128 and two.
    for (arena, limits) in [
        (131_073, vec![5, 4, 1, 1, 3, 3]),
        (127 << 16, vec![5, 4, 1, 1, 127, 127]),
        (128 << 16, vec![5, 6, 1, 1, 0x80, 1, 0x80, 1]),
        (256 << 20, vec![5, 6, 1, 1, 0x80, 32, 0x80, 32]),
    ] {
        let bytes = guest(&[]);
        let section = [5, 4, 1, 1, 2, 2];
        let at = bytes.windows(6).position(|window| window == section).unwrap();
        let expected = [&bytes[..at], &limits, &bytes[at + 6..]].concat();
        let admitted = admit(&bytes, Some(arena)).unwrap();
        assert_eq!(admitted.bytes, expected);
        // What was resized is valid, is fixed, and is admitted as it is.
        let again = admit(&admitted.bytes, None).unwrap();
        assert_eq!(again, admitted);
        assert_eq!(again.memory_bytes, arena.next_multiple_of(65_536));
        // And back again.
        assert_eq!(admit(&admitted.bytes, Some(131_072)).unwrap().bytes, bytes);
    }
}

#[test]
fn an_arena_fixes_a_memory_that_was_not() {
    for limits in ["2", "2 3", "1 65536"] {
        let bytes = guest(&[(r#""memory") 2 2"#, &format!(r#""memory") {limits}"#))]);
        assert_eq!(admit(&bytes, Some(131_072)).unwrap().bytes, guest(&[]));
    }
}

#[test]
fn an_arena_may_be_smaller_than_what_was_linked_down_to_the_heap_base() {
    let bytes = guest(&[(r#""memory") 2 2"#, r#""memory") 9 9"#)]);
    assert_eq!(admit(&bytes, Some(66_000)).unwrap().memory_bytes, 131_072);
}

#[test]
fn numbers_that_are_longer_than_needed_are_left_alone() {
    let bytes = guest(&[]);
    let at = bytes.windows(6).position(|window| window == [5, 4, 1, 1, 2, 2]).unwrap();
    let long = [&bytes[..at], &[5, 0x86, 0, 1, 1, 0x82, 0, 0x82, 0], &bytes[at + 6..]].concat();
    assert_eq!(admit(&long, Some(131_072)).unwrap().bytes, long);
    assert_eq!(admit(&long, Some(3 << 16)).unwrap(), admit(&bytes, Some(3 << 16)).unwrap());
}

#[test]
fn an_arena_that_is_too_small_is_refused() {
    refused(
        &[],
        Some(65536),
        &["arena: 65536 bytes, and the module's own stack and data end at 66000; ask for 66000 bytes or more"],
    );
}

#[test]
fn an_arena_below_the_linked_size_is_refused_if_the_heap_base_is_unknown() {
    refused(
        &[(r#"(export "__heap_base")"#, "")],
        Some(65536),
        &["arena: 65536 bytes, and the module was linked for 131072 (it exports no `__heap_base` that would \
         say more); ask for 131072 bytes or more"],
    );
}

#[test]
fn an_arena_above_the_limit_is_refused() {
    refused(&[], Some(268435457), &["arena: 268435457 bytes, and 268435456 is the most; ask for less"]);
}
