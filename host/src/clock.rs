//! The clock of a node: its own reading of virtual time, which may jump and drift.

use crate::event::Micros;

const MILLION: i128 = 1_000_000;

/// A clock that read `base_local` at `base`, and since then runs `ppm` parts per million faster than the world.
///
/// `local(t) = base_local + (t − base) · (10⁶ + ppm) / 10⁶`, floored, in integers wide enough not to overflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    base: Micros,
    base_local: u64,
    ppm: i32,
}

impl Default for Clock {
    /// A clock that reads the world's time.
    fn default() -> Self {
        Self { base: 0, base_local: 0, ppm: 0 }
    }
}

impl Clock {
    /// The slowest drift: a clock always moves forward, if only by a thousandth.
    pub const PPM_MIN: i32 = -999_000;
    /// The fastest drift: ten times as fast as the world.
    pub const PPM_MAX: i32 = 9_000_000;

    /// How much faster than the world it runs, in parts per million.
    #[must_use]
    pub fn ppm(&self) -> i32 {
        self.ppm
    }

    /// What the clock reads at `at`, which is not before it was last set.
    #[must_use]
    pub fn local(&self, at: Micros) -> u64 {
        if self.ppm == 0 {
            // Most clocks keep time, and wide divisions are slow.
            return self.base_local.saturating_add(at - self.base).min(u64::MAX - 1);
        }
        let passed = i128::from(at - self.base) * (MILLION + i128::from(self.ppm)) / MILLION;
        u64::try_from(i128::from(self.base_local) + passed).unwrap_or(u64::MAX - 1)
    }

    /// Sets the clock at `at`: it jumps by `jump` (never below zero) and goes on with drift `ppm`, within its bounds.
    pub fn set(&mut self, at: Micros, jump: i64, ppm: i32) {
        let local = i128::from(self.local(at)) + i128::from(jump);
        let base_local = u64::try_from(local.max(0)).unwrap_or(u64::MAX - 1);
        *self = Self { base: at, base_local, ppm: ppm.clamp(Self::PPM_MIN, Self::PPM_MAX) };
    }

    /// When an alarm rings that was set to `alarm` on this clock: the first time after `now` at which the clock reads it
    /// or more. `None` for `u64::MAX`, which means never, and for what lies past the end of time.
    #[must_use]
    pub fn rings(&self, now: Micros, alarm: u64) -> Option<Micros> {
        if alarm == u64::MAX {
            return None;
        }
        if self.ppm == 0 {
            let at = self.base.checked_add(alarm.saturating_sub(self.base_local))?;
            return Some(at.max(now + 1));
        }
        let ahead = i128::from(alarm) - i128::from(self.base_local);
        let rate = MILLION + i128::from(self.ppm);
        // The least whole number of microseconds t with t · rate / 10⁶ ≥ ahead, floored.
        let wait = if ahead <= 0 { 0 } else { (ahead * MILLION + rate - 1) / rate };
        let at = Micros::try_from(i128::from(self.base) + wait).ok()?;
        Some(at.max(now.saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_reads_the_worlds_time_until_it_is_set() {
        assert_eq!(Clock::default().local(1_234), 1_234);
    }

    #[test]
    fn an_alarm_rings_at_the_first_moment_at_which_the_clock_reads_it() {
        for ppm in [Clock::PPM_MIN, -500_000, -7, 0, 3, 250_000, Clock::PPM_MAX] {
            let mut clock = Clock::default();
            clock.set(1_000, 77, ppm);
            for alarm in [0, 1_077, 1_078, 1_500, 9_999, 123_457] {
                let at = clock.rings(1_000, alarm).unwrap();
                assert!(clock.local(at) >= alarm && at > 1_000, "ppm {ppm} alarm {alarm}");
                assert!(at == 1_001 || clock.local(at - 1) < alarm, "ppm {ppm} alarm {alarm} is not the first moment");
            }
        }
    }

    #[test]
    fn a_jump_moves_the_reading_and_never_below_zero() {
        let mut clock = Clock::default();
        clock.set(100, 50, 0);
        assert_eq!(clock.local(100), 150);
        clock.set(200, -1_000_000, 0);
        assert_eq!(clock.local(200), 0);
        assert_eq!(clock.local(210), 10);
    }

    #[test]
    fn no_alarm_is_due_never() {
        assert_eq!(Clock::default().rings(5, u64::MAX), None);
    }
}
