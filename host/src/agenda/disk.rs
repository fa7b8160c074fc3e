//! When a disk answers, and what of its unsynced writes survives a crash.
//!
//! The agenda follows each disk by its events: which operations were issued, and which syncs cover them. So it knows at a
//! boot what is in doubt, and draws the survivors.

use crate::draw::{Concern, Draw, Ratio};
use crate::event::{Effect, NodeId, Survivor};
use crate::scenario::step::Survive;
use crate::world::disk::sectors_of;
use std::collections::{BTreeMap, VecDeque};

/// An operation of a disk.
#[derive(Clone, Copy, Debug)]
struct Operation {
    sectors: u32,
    file: u32,
    /// Where it ends in its file: after a truncate, the file does.
    end: u64,
    truncates: bool,
    /// How much of the file was durable when it was issued.
    durable: u64,
}

/// What of a file is durable.
#[derive(Clone, Copy, Debug, Default)]
struct Durable {
    /// So much.
    end: u64,
    /// So much was, when something that is durable too was written: so that it can say so.
    provable: u64,
}

/// The disk of one node: its unsynced operations, and how much of each file is durable.
#[derive(Clone, Debug, Default)]
pub struct Unsynced {
    operations: VecDeque<Operation>,
    settled: u64,
    /// How many operations each unanswered sync covers, counted from the boot.
    covers: VecDeque<u64>,
    files: BTreeMap<u32, Durable>,
}

impl Unsynced {
    /// Follows an effect of the node.
    pub fn observe(&mut self, effect: &Effect<'_>) {
        let (sectors, file, end, truncates) = match *effect {
            Effect::Write { file, offset, len, .. } => {
                (sectors_of(offset, u64::from(len)), file, offset + u64::from(len), false)
            }
            Effect::Truncate { file, len, .. } => (1, file, len, true),
            Effect::Sync { .. } => {
                self.covers.push_back(self.settled + self.operations.len() as u64);
                return;
            }
            _ => return,
        };
        let durable = self.files.get(&file).map_or(0, |file| file.end);
        self.operations.push_back(Operation { sectors, file, end, truncates, durable });
    }

    /// The oldest sync was answered; with success, unless it `failed`.
    pub fn synced(&mut self, failed: bool) {
        let covers = self.covers.pop_front().unwrap_or(self.settled);
        while self.settled < covers {
            self.settled += 1;
            let Some(operation) = self.operations.pop_front().filter(|_| !failed) else { continue };
            let file = self.files.entry(operation.file).or_default();
            if operation.truncates {
                (file.end, file.provable) = (operation.end, file.provable.min(operation.end));
            } else {
                file.end = file.end.max(operation.end);
                file.provable = file.provable.max(operation.durable.min(file.end));
            }
        }
    }

    /// The oldest sync was answered, and what it covered is in doubt as before.
    pub fn answered(&mut self) {
        self.covers.pop_front();
    }

    /// The next boot: nothing of this one is in doubt any more, and what is durable stays.
    pub fn boots(&mut self) {
        *self = Self { files: std::mem::take(&mut self.files), ..Self::default() };
    }

    /// The files, each with how many of its bytes something durable says to be durable.
    #[must_use]
    pub fn provable(&self) -> Vec<(u32, u64)> {
        self.files.iter().map(|(file, durable)| (*file, durable.provable)).filter(|(_, bytes)| *bytes > 0).collect()
    }

    /// Takes what is in doubt.
    fn doubts(&mut self) -> VecDeque<u32> {
        self.covers.clear();
        self.settled = 0;
        std::mem::take(&mut self.operations).into_iter().map(|operation| operation.sectors).collect()
    }

    /// What survives if it is said and not drawn; forgets the rest.
    pub fn chosen(&mut self, survive: Survive) -> Vec<Survivor> {
        let sectors = self.doubts();
        let last = sectors.len().saturating_sub(1);
        let survives = |(operation, count): (usize, u32)| match survive {
            Survive::None => 0,
            Survive::Last if operation < last => 0,
            Survive::Torn if operation == last => count / 2,
            Survive::Torn | Survive::Last | Survive::All => count,
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
        let sectors = self.doubts();
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
        disk.synced(false);
        assert_eq!(disk.operations.len(), 1);
        assert!(disk.survivors(0, 1, 1, Ratio::NEVER).is_empty());
        assert!(disk.operations.is_empty());
    }

    #[test]
    fn what_was_durable_before_something_durable_was_written_can_be_proven() {
        let at = |offset, len| Effect::Write { node: 1, file: 3, offset, len, hash: 0 };
        let mut disk = Unsynced::default();
        let sync = Effect::Sync { node: 1, sync: 0, ticket: 0 };
        disk.observe(&at(0, 100));
        disk.observe(&sync);
        disk.observe(&at(100, 50));
        disk.observe(&sync);
        disk.synced(false);
        assert_eq!(disk.provable(), [], "nothing durable says so");
        disk.synced(false);
        assert_eq!(disk.provable(), [], "it was not durable when the second was written");
        disk.observe(&at(150, 10));
        disk.observe(&sync);
        disk.synced(false);
        assert_eq!(disk.provable(), [(3, 150)]);
        disk.boots();
        disk.observe(&Effect::Truncate { node: 1, file: 3, len: 20 });
        disk.observe(&sync);
        disk.synced(false);
        assert_eq!(disk.provable(), [(3, 20)]);
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
        assert_eq!(chosen(Survive::Last), [Survivor { operation: 1, sector: 0, count: 4 }]);
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
