//! When a disk answers, and what of its unsynced writes survives a crash.
//!
//! The agenda follows each disk by its events: which operations were issued, and which syncs cover them. So it knows at a
//! boot what is in doubt, and draws the survivors.

use crate::draw::{Concern, Draw, Ratio};
use crate::event::{Effect, NodeId, Survivor};
use crate::scenario::step::Survive;
use crate::world::disk::sectors_of;
use std::collections::VecDeque;

/// The unsynced operations of one node, each as its number of sectors.
#[derive(Clone, Debug, Default)]
pub struct Unsynced {
    sectors: VecDeque<u32>,
    settled: u64,
    /// How many operations each unanswered sync covers, counted from the boot.
    covers: VecDeque<u64>,
}

impl Unsynced {
    /// Follows an effect of the node.
    pub fn observe(&mut self, effect: &Effect<'_>) {
        match *effect {
            Effect::Write { offset, len, .. } => self.sectors.push_back(sectors_of(offset, u64::from(len))),
            Effect::Truncate { .. } => self.sectors.push_back(1),
            Effect::Sync { .. } => self.covers.push_back(self.settled + self.sectors.len() as u64),
            _ => {}
        }
    }

    /// The oldest sync was answered.
    pub fn synced(&mut self) {
        let covers = self.covers.pop_front().unwrap_or(self.settled);
        while self.settled < covers {
            self.sectors.pop_front();
            self.settled += 1;
        }
    }

    /// What survives if it is said and not drawn; forgets the rest.
    pub fn chosen(&mut self, survive: Survive) -> Vec<Survivor> {
        let sectors = std::mem::take(self).sectors;
        let last = sectors.len().saturating_sub(1);
        let survives = |(operation, count): (usize, u32)| match survive {
            Survive::None => 0,
            Survive::Torn if operation == last => count / 2,
            Survive::Torn | Survive::All => count,
        };
        let counts = sectors.into_iter().enumerate().map(survives);
        let survivor = |(operation, count)| Survivor { operation, sector: 0, count };
        (0..).zip(counts).filter(|(_, count)| *count > 0).map(survivor).collect()
    }

    /// Draws what survives the crash that ended a node's boot of that number, and forgets the rest.
    ///
    /// Half of the time what survives is a first part of all sectors, as a disk that writes in order leaves it; else each
    /// sector survives by itself.
    pub fn survivors(&mut self, seed: u64, node: NodeId, boot: u32, survive: Ratio) -> Vec<Survivor> {
        let sectors = std::mem::take(self).sectors;
        if survive == Ratio::NEVER {
            return Vec::new();
        }
        let mut draw = Draw::new(seed, Concern::Survive, [u64::from(node), u64::from(boot), 0]);
        let all: u64 = sectors.iter().map(|count| u64::from(*count)).sum();
        let in_order = draw.happens(Ratio { times: 1, of: 2 });
        let mut first = if in_order { draw.below(all + 1) } else { 0 };
        let mut survivors: Vec<Survivor> = Vec::new();
        for (operation, count) in (0..).zip(sectors) {
            for sector in 0..count {
                let survives = if in_order { first > 0 } else { draw.happens(survive) };
                first = first.saturating_sub(1);
                if !survives {
                    continue;
                }
                match survivors.last_mut() {
                    Some(last) if last.operation == operation && last.sector + last.count == sector => last.count += 1,
                    _ => survivors.push(Survivor { operation, sector, count: 1 }),
                }
            }
        }
        survivors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(len: u32) -> Effect<'static> {
        Effect::Write { node: 1, file: 0, offset: 0, len, hash: 0 }
    }

    #[test]
    fn what_a_sync_covered_is_not_in_doubt() {
        let mut disk = Unsynced::default();
        disk.observe(&write(600));
        disk.observe(&Effect::Sync { node: 1, sync: 0, ticket: 0 });
        disk.observe(&write(10));
        disk.synced();
        assert_eq!(disk.sectors, [1]);
        assert!(disk.survivors(0, 1, 1, Ratio::NEVER).is_empty());
        assert!(disk.sectors.is_empty());
    }

    #[test]
    fn what_survives_can_be_said() {
        let chosen = |survive| {
            let mut disk = Unsynced::default();
            disk.observe(&write(1024));
            disk.observe(&write(2048));
            disk.chosen(survive)
        };
        let first = Survivor { operation: 0, sector: 0, count: 2 };
        assert_eq!(chosen(Survive::None), []);
        assert_eq!(chosen(Survive::All), [first, Survivor { operation: 1, sector: 0, count: 4 }]);
        assert_eq!(chosen(Survive::Torn), [first, Survivor { operation: 1, sector: 0, count: 2 }]);
        assert_eq!(Unsynced::default().chosen(Survive::Torn), []);
    }

    #[test]
    fn sometimes_a_part_survives_in_order_and_sometimes_at_random() {
        let (mut prefixes, mut others, mut none, mut all) = (0, 0, 0, 0);
        for boot in 0..400 {
            let mut disk = Unsynced::default();
            (0..4).for_each(|_| disk.observe(&write(1024)));
            let survivors = disk.survivors(9, 1, boot, Ratio { times: 1, of: 2 });
            let there = |operation, sector| {
                survivors.iter().any(|s| s.operation == operation && (s.sector..s.sector + s.count).contains(&sector))
            };
            let sectors: Vec<bool> = (0..8).map(|n| there(n / 2, n % 2)).collect();
            match sectors.iter().filter(|there| **there).count() {
                0 => none += 1,
                8 => all += 1,
                _ if sectors.is_sorted_by(|a, b| a >= b) => prefixes += 1,
                _ => others += 1,
            }
        }
        assert!(prefixes > 100 && others > 100 && none > 5 && all > 5, "{prefixes} {others} {none} {all}");
    }
}
