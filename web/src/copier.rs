//! A module of three functions that copy bytes between the page's memory and a guest's, and find what of it is used.
//!
//! Neither module sees the other's memory, and JavaScript between them costs a view and a call for each note of a few
//! bytes, more than the rest of a turn. One small instance for each guest that imports both memories copies at the speed
//! of memory. It needs a browser that knows several memories in a module; in others `engine.js` does the same.

/// The module, as text; [`BYTES`] is the same. `used` looks for what is not zero from one place on and before another, both
/// multiples of 32, and tells the 32 bytes in which it is, or the other place.
pub const TEXT: &str = r#"
(module
  (import "guest" "memory" (memory $guest 0))
  (import "page" "memory" (memory $page 0))
  (func (export "read") (param $into i32) (param $at i32) (param $len i32)
    (memory.copy $page $guest (local.get $into) (local.get $at) (local.get $len)))
  (func (export "write") (param $at i32) (param $from i32) (param $len i32)
    (memory.copy $guest $page (local.get $at) (local.get $from) (local.get $len)))
  (func (export "used") (param $at i32) (param $end i32) (result i32)
    loop $next
      local.get $at
      local.get $end
      i32.lt_u
      if
        local.get $at
        i64.load
        local.get $at
        i64.load offset=8
        i64.or
        local.get $at
        i64.load offset=16
        local.get $at
        i64.load offset=24
        i64.or
        i64.or
        i64.eqz
        if
          local.get $at
          i32.const 32
          i32.add
          local.set $at
          br $next
        end
      end
    end
    local.get $at))"#;

/// The module.
#[rustfmt::skip]
pub const BYTES: &[u8] = &[
    0x00, b'a', b's', b'm', 1, 0, 0, 0,
    // Two types: three integers, and no result; two, and one.
    0x01, 13, 2, 0x60, 3, 0x7f, 0x7f, 0x7f, 0, 0x60, 2, 0x7f, 0x7f, 1, 0x7f,
    // The two memories.
    0x02, 32, 2,
    5, b'g', b'u', b'e', b's', b't', 6, b'm', b'e', b'm', b'o', b'r', b'y', 0x02, 0, 0,
    4, b'p', b'a', b'g', b'e', 6, b'm', b'e', b'm', b'o', b'r', b'y', 0x02, 0, 0,
    // Three functions of those types, and their names.
    0x03, 4, 3, 0, 0, 1,
    0x07, 23, 3, 4, b'r', b'e', b'a', b'd', 0, 0, 5, b'w', b'r', b'i', b't', b'e', 0, 1, 4, b'u', b's', b'e', b'd', 0, 2,
    // Two hand their three parameters to `memory.copy`.
    0x0a, 79, 3,
    12, 0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 0x0a, 1, 0, 0x0b,
    12, 0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 0x0a, 0, 1, 0x0b,
    // The third is a loop: while there is more, and four words of it are zeros.
    51, 0, 0x03, 0x40, 0x20, 0, 0x20, 1, 0x49, 0x04, 0x40,
    0x20, 0, 0x29, 3, 0, 0x20, 0, 0x29, 3, 8, 0x84, 0x20, 0, 0x29, 3, 16, 0x20, 0, 0x29, 3, 24, 0x84, 0x84, 0x50, 0x04, 0x40,
    0x20, 0, 0x41, 32, 0x6a, 0x21, 0, 0x0c, 2, 0x0b, 0x0b, 0x0b, 0x20, 0, 0x0b,
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
