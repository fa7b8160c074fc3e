//! Bytes out of nowhere: whatever they are, the gate answers.

use super::{BODY, MORE, guest};
use crate::gate::{FINDINGS_MAX, admit};

/// The next number of a small generator (splitmix64): the tests need variety, not quality.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn below(state: &mut u64, limit: usize) -> usize {
    usize::try_from(next(state) % limit as u64).unwrap()
}

#[test]
fn hostile_bytes_are_refused_or_admitted_and_never_panic() {
    let edited = [
        guest(&[]),
        guest(&[(BODY, "(drop (f64.add (f64.const 1) (f64.const 2))) (drop (memory.grow (i32.const 1)))")]),
        guest(&[(MORE, r#"(tag $oops) (data $text "text") (func $load (local v128) (data.drop $text))"#)]),
    ];
    let (mut admitted, mut refused) = (0, 0);
    for seed in 0..30_000 {
        let mut state = seed;
        let mut bytes = edited[below(&mut state, edited.len())].clone();
        for _ in 0..=below(&mut state, 4) {
            let at = below(&mut state, bytes.len());
            match next(&mut state) % 5 {
                0 => bytes[at] ^= 1 << (next(&mut state) % 8),
                1 => bytes[at] = next(&mut state).to_le_bytes()[0],
                2 => bytes.truncate(at.max(1)),
                3 => bytes.insert(at, next(&mut state).to_le_bytes()[0]),
                _ => drop(bytes.drain(at..(at + 3).min(bytes.len() - 1).max(at))),
            }
        }
        let arena = (seed % 2 == 0).then(|| next(&mut state) >> (next(&mut state) % 64));
        match admit(&bytes, arena) {
            Ok(module) => {
                admitted += 1;
                assert_eq!(admit(&module.bytes, None).as_ref(), Ok(&module), "seed {seed}");
                assert_ne!(module.to_string(), "", "seed {seed}");
            }
            Err(refusal) => {
                refused += 1;
                assert!(refusal.total > 0 && !refusal.findings.is_empty(), "seed {seed}");
                let lines = refusal.to_string().lines().count();
                let more = usize::from(refusal.total > FINDINGS_MAX as u64);
                assert_eq!(lines, 1 + refusal.findings.len() + more, "seed {seed}: one line each");
            }
        }
    }
    assert!(admitted > 100 && refused > 10_000, "{admitted} admitted, {refused} refused");
}
