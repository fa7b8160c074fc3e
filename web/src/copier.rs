//! A module of two functions that copy bytes between the page's memory and a guest's.
//!
//! Neither module sees the other's memory, and JavaScript between them costs a view and a call for each note of a few
//! bytes, more than the rest of a turn. One small instance for each guest that imports both memories copies at the speed
//! of memory. It needs a browser that knows several memories in a module; in others `engine.js` copies.

/// The module, as text; [`BYTES`] is the same.
pub const TEXT: &str = r#"
(module
  (import "page" "memory" (memory $page 0))
  (import "guest" "memory" (memory $guest 0))
  (func (export "read") (param $into i32) (param $at i32) (param $len i32)
    (memory.copy $page $guest (local.get $into) (local.get $at) (local.get $len)))
  (func (export "write") (param $at i32) (param $from i32) (param $len i32)
    (memory.copy $guest $page (local.get $at) (local.get $from) (local.get $len))))"#;

/// The module.
#[rustfmt::skip]
pub const BYTES: &[u8] = &[
    0x00, b'a', b's', b'm', 1, 0, 0, 0,
    // One type: three integers, and no result.
    0x01, 7, 1, 0x60, 3, 0x7f, 0x7f, 0x7f, 0,
    // The two memories.
    0x02, 32, 2,
    4, b'p', b'a', b'g', b'e', 6, b'm', b'e', b'm', b'o', b'r', b'y', 0x02, 0, 0,
    5, b'g', b'u', b'e', b's', b't', 6, b'm', b'e', b'm', b'o', b'r', b'y', 0x02, 0, 0,
    // Two functions of that type, and their names.
    0x03, 3, 2, 0, 0,
    0x07, 16, 2, 4, b'r', b'e', b'a', b'd', 0, 0, 5, b'w', b'r', b'i', b't', b'e', 0, 1,
    // Each hands its three parameters to `memory.copy`.
    0x0a, 27, 2,
    12, 0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 0x0a, 0, 1, 0x0b,
    12, 0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 0x0a, 1, 0, 0x0b,
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_bytes_are_those_of_the_text() {
        let sections = |bytes: &[u8]| {
            let mut found = Vec::new();
            let mut rest = &bytes[8..];
            while let [id, len, tail @ ..] = rest {
                let (body, tail) = tail.split_at(usize::from(*len));
                found.push((*id, body.to_vec()));
                rest = tail;
            }
            // What things are called is in a section of its own, which does nothing.
            found.retain(|(id, _)| *id != 0);
            found
        };
        assert_eq!(sections(super::BYTES), sections(&wat::parse_str(super::TEXT).unwrap()));
    }
}
