//! The built-in guest, admitted.
//!
//! The gate reads every operator there is, so it is as large as the rest of the page, and nearly everybody watches the
//! built-in guest. So what the gate says of that one is written down here; a test holds it to the gate's own words.

use crate::guest::Admitted;
use raftbox::gate;
use raftbox::plan::sha256;
use raftbox_guest_bytes::BYTES;

/// The built-in guest, with so much memory.
#[must_use]
pub fn built_in(arena: u64) -> Admitted {
    Admitted {
        sha256: sha256(BYTES),
        globals: vec!["__stack_pointer".into()],
        has_inspect: true,
        has_describe: true,
        bytes: gate::resize(BYTES, arena),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_says_of_it_what_is_written_down() {
        for arena in [1 << 20, 4 << 20, 64 << 20] {
            let admitted = gate::admit(BYTES, Some(arena)).expect("the built-in guest is admitted");
            assert_eq!(built_in(arena), Admitted::of(BYTES, admitted));
        }
    }

    #[test]
    fn what_is_handed_over_is_read_again() {
        let admitted = built_in(1 << 20);
        assert_eq!(Admitted::read(&admitted.write()), Some(admitted));
        assert_eq!(Admitted::read(BYTES), None);
    }
}
