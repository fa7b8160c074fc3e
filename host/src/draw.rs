//! Keyed draws: every random number of a run but a node's own stream.
//!
//! Each draw is a fresh generator, seeded by a hash of (seed, concern, key). There is no running stream, so taking one
//! message or one fault away changes no other draw: that is what makes a failing run shrink, and a branch keep its past.

use rand_core::Rng as _;
use rand_pcg::Pcg64Mcg;

/// What a draw is for. Two concerns never share a number. The values are part of the meaning of a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Concern {
    /// The fate of a message.
    Message = 1,
    /// The time that a sync takes.
    Sync = 2,
    /// What of the unsynced writes survives a crash.
    Survive = 3,
    /// What a client asks, and when.
    Operation = 4,
    /// The schedule of faults.
    Fault = 5,
    /// The order of causes that are due at the same time.
    Tie = 6,
    /// A node's own stream of random numbers.
    Node = 7,
    /// The state of a clock at the start.
    Clock = 8,
    /// Whether a fault site of a guest is active, and fires.
    Site = 9,
    /// Which kinds of faults a run has, and how strong they are.
    Swarm = 10,
    /// Which nodes may be damaged for good, and who is left alone when faults end.
    Core = 11,
}

/// One step of a strong 64-bit mixer (SplitMix64's finaliser).
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A hash of seed, concern and key; well spread, and stable for ever.
#[must_use]
pub fn key(seed: u64, concern: Concern, key: [u64; 3]) -> u64 {
    key.into_iter().fold(mix(seed ^ mix(concern as u64)), |hash, word| mix(hash ^ word))
}

/// A generator for one decision.
#[derive(Clone, Debug)]
pub struct Draw(Pcg64Mcg);

impl Draw {
    /// The generator of the decision named by seed, concern and key.
    #[must_use]
    pub fn new(seed: u64, concern: Concern, name: [u64; 3]) -> Self {
        let low = key(seed, concern, name);
        Self(Pcg64Mcg::new(u128::from(mix(low)) << 64 | u128::from(low)))
    }

    /// A number uniform over all of `u64`.
    pub fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, and 0 if that is 0. (By multiplication; its bias is below 2⁻³² for bounds below 2³².)
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.number()) * u128::from(bound);
        (wide >> 64) as u64
    }

    /// A number of the closed range.
    pub fn within(&mut self, range: Range) -> u64 {
        range.low + self.below((range.high - range.low).saturating_add(1))
    }

    /// Whether something that happens `ratio` of the time happens now. Always takes one number, so that what is drawn
    /// after it does not depend on the ratio.
    pub fn happens(&mut self, ratio: Ratio) -> bool {
        self.below(u64::from(ratio.of)) < u64::from(ratio.times)
    }
}

/// A closed range of numbers, low to high.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The lowest.
    pub low: u64,
    /// The highest, not below the lowest.
    pub high: u64,
}

impl Range {
    /// The range of one number.
    #[must_use]
    pub const fn exactly(value: u64) -> Self {
        Self { low: value, high: value }
    }
}

/// A probability, as `times` out of `of`. Never a float, so that it means the same everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// How many times it happens...
    pub times: u32,
    /// ... out of how many; above 0, and not below `times`.
    pub of: u32,
}

impl Ratio {
    /// What never happens.
    pub const NEVER: Self = Self { times: 0, of: 1 };
    /// What always happens.
    pub const ALWAYS: Self = Self { times: 1, of: 1 };

    /// Whether it never happens.
    #[must_use]
    pub const fn is_never(&self) -> bool {
        self.times == 0
    }

    /// The same in the smallest numbers.
    #[must_use]
    pub fn reduced(self) -> Self {
        let (mut one, mut other) = (self.times, self.of);
        while one > 0 {
            (one, other) = (other % one, one);
        }
        Self { times: self.times / other, of: self.of / other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_draws_the_same_and_another_name_draws_another() {
        let draw = |seed, concern, name| Draw::new(seed, concern, name).number();
        assert_eq!(draw(1, Concern::Message, [1, 2, 3]), draw(1, Concern::Message, [1, 2, 3]));
        assert_ne!(draw(1, Concern::Message, [1, 2, 3]), draw(2, Concern::Message, [1, 2, 3]));
        assert_ne!(draw(1, Concern::Message, [1, 2, 3]), draw(1, Concern::Sync, [1, 2, 3]));
        assert_ne!(draw(1, Concern::Message, [1, 2, 3]), draw(1, Concern::Message, [1, 3, 2]));
    }

    #[test]
    fn the_meaning_of_a_seed_never_changes() {
        assert_eq!(Draw::new(7, Concern::Fault, [0, 0, 0]).number(), 1_128_258_753_222_062_820);
    }

    #[test]
    fn draws_stay_in_their_range_and_reach_its_ends() {
        let range = Range { low: 10, high: 13 };
        let mut seen = [0; 4];
        for n in 0..1000 {
            let drawn = Draw::new(0, Concern::Message, [n, 0, 0]).within(range);
            seen[usize::try_from(drawn - range.low).unwrap()] += 1;
        }
        assert!(seen.iter().all(|&times| (200..300).contains(&times)), "{seen:?}");
    }

    #[test]
    fn a_ratio_happens_as_often_as_it_says() {
        let third = Ratio { times: 1, of: 3 };
        let times = (0..3000).filter(|&n| Draw::new(0, Concern::Message, [n, 0, 0]).happens(third)).count();
        assert!((900..1100).contains(&times), "{times}");
        assert!((0..100).all(|n| !Draw::new(0, Concern::Message, [n, 0, 0]).happens(Ratio::NEVER)));
        assert!((0..100).all(|n| Draw::new(0, Concern::Message, [n, 0, 0]).happens(Ratio::ALWAYS)));
    }
}
