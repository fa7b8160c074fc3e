//! What of a node's writes a crash could take, from events alone.
//!
//! A write or a truncate is in doubt until a sync that was asked after it is answered. The timeline and the view tell of
//! it; what really is on the disk only the [world](crate::world::disk) knows.

use crate::event::{Effect, Survivor};
use crate::world::disk::sectors_of;
use std::collections::VecDeque;

/// What a node wrote and what may not be on its disk yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unsynced {
    /// The bytes and the sectors of each operation.
    operations: VecDeque<(u64, u32)>,
    /// How many operations were settled since the boot.
    settled: usize,
    /// Up to which operation each sync that is not answered yet covers.
    covers: VecDeque<usize>,
    /// Whether the disk says of syncs that they are done, and keeps nothing.
    pub lies: bool,
}

impl Unsynced {
    /// Takes an effect of the node into account.
    pub fn observe(&mut self, effect: &Effect<'_>) {
        match *effect {
            Effect::Write { offset, len, .. } if offset < 1 << 40 => {
                self.operations.push_back((u64::from(len), sectors_of(offset, u64::from(len))));
            }
            Effect::Write { len, .. } => self.operations.push_back((u64::from(len), 1)),
            Effect::Truncate { .. } => self.operations.push_back((0, 1)),
            Effect::Sync { .. } => self.covers.push_back(self.settled + self.operations.len()),
            _ => {}
        }
    }

    /// The oldest sync is answered.
    pub fn synced(&mut self) {
        let covers = self.covers.pop_front().unwrap_or(self.settled);
        if self.lies {
            return;
        }
        while self.settled < covers && self.operations.pop_front().is_some() {
            self.settled += 1;
        }
    }

    /// How many bytes are in doubt.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.operations.iter().map(|(bytes, _)| bytes).sum()
    }

    /// How many operations are in doubt.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.operations.len()
    }

    /// How much is in doubt, to follow the node's name.
    #[must_use]
    pub fn words(&self) -> String {
        let bytes = self.bytes();
        match self.operations.len() {
            0 => "all that it wrote is on its disk".into(),
            1 => format!("its last write ({bytes} bytes) is not on its disk yet"),
            count => format!("its last {count} writes ({bytes} bytes) are not on its disk yet"),
        }
    }

    /// What became of it in a crash.
    #[must_use]
    pub fn after(&self, survivors: &[Survivor]) -> Option<String> {
        let (mut whole, mut torn, mut lost) = (0, 0, 0);
        for (number, (_, sectors)) in (0..).zip(&self.operations) {
            let mine = survivors.iter().filter(|survivor| survivor.operation == number);
            match mine.map(|survivor| u64::from(survivor.count)).sum::<u64>() {
                0 => lost += 1,
                some if some >= u64::from(*sectors) => whole += 1,
                _ => torn += 1,
            }
        }
        let parts: Vec<String> = [(whole, "there"), (torn, "torn"), (lost, "lost")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| if self.operations.len() == 1 { what.to_owned() } else { format!("{count} {what}") })
            .collect();
        match self.operations.len() {
            0 => None,
            1 => Some(format!("its unsynced write is {}", parts.concat())),
            count => Some(format!("of {count} unsynced writes {}", parts.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_survived_is_counted_by_whole_torn_and_lost_writes() {
        let mut unsynced = Unsynced::default();
        for len in [100, 2000, 100] {
            unsynced.observe(&Effect::Write { node: 1, file: 0, offset: 0, len, hash: 0 });
        }
        assert_eq!(unsynced.words(), "its last 3 writes (2200 bytes) are not on its disk yet");
        let survivors = [(0, 1), (1, 2)].map(|(operation, count)| Survivor { operation, sector: 0, count });
        assert_eq!(unsynced.after(&survivors).unwrap(), "of 3 unsynced writes 1 there, 1 torn, 1 lost");
        unsynced.observe(&Effect::Sync { node: 1, sync: 0, ticket: 0 });
        unsynced.synced();
        assert_eq!(unsynced.after(&[]), None);
    }
}
