//! What a leader knows, and hopes, of one follower.
//!
//! *Matched* is knowledge: the follower said so, and it never moves back. *Next* is hope: where the next append
//! starts. While the leader does not know where the two logs agree it *probes*, one append at a time; once an append
//! was accepted it *replicates*: it sends ahead without waiting, as long as the window of appends under way has room
//! (thesis 10.2.1). Hope that fails is noticed by a refusal, of an append or of the next heartbeat, which starts at
//! `next` as all appends do; then the leader probes again.

use std::collections::VecDeque;

use super::Index;

/// How the leader sends to a follower.
///
/// A follower that lacks what the log has no more gets a snapshot, chunk by chunk, and nothing else until it has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One append at a time, to find where the logs agree.
    Probe,
    /// Appends ahead of their answers.
    Replicate,
    /// A snapshot, as the follower lacks what the log has no more (thesis 5.3).
    Snapshot {
        /// The last index that it covers.
        last: Index,
        /// How many of its bytes the follower has, as far as it said.
        received: u64,
    },
}

/// What a leader knows of one follower.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    mode: Mode,
    matched: Index,
    next: Index,
    /// The last index of each append with entries that is under way, in order.
    inflight: VecDeque<Index>,
}

impl Progress {
    /// Of a follower of which nothing is known; the first probe starts at `next` (5.3: just after the last entry).
    pub(super) fn new(next: Index) -> Self {
        Self { mode: Mode::Probe, matched: 0, next, inflight: VecDeque::new() }
    }

    /// How the leader sends.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The follower has the leader's log on disk up to here.
    #[must_use]
    pub fn matched(&self) -> Index {
        self.matched
    }

    /// The next append starts here.
    #[must_use]
    pub fn next(&self) -> Index {
        self.next
    }

    /// How many appends are under way.
    #[must_use]
    pub fn inflight(&self) -> usize {
        self.inflight.len()
    }

    /// Whether another append with entries may go now. To probe is to have a window of one.
    pub(super) fn has_room(&self, inflight_max: u32) -> bool {
        let window = match self.mode {
            Mode::Probe => 1,
            Mode::Replicate => inflight_max as usize,
            Mode::Snapshot { .. } => 0,
        };
        self.inflight.len() < window
    }

    /// An append went that starts at `next` and ends with `last`.
    pub(super) fn sent(&mut self, last: Index) {
        self.inflight.push_back(last);
        if self.mode == Mode::Replicate {
            self.next = last + 1;
        }
    }

    /// The follower matched up to `index`. Returns whether that is news.
    pub(super) fn accept(&mut self, index: Index) -> bool {
        // An answer that was overtaken by a later one must not move anything back.
        if index < self.matched {
            return false;
        }
        let news = index > self.matched;
        self.matched = index;
        // A follower may have verified more than its disk holds yet, so hope beyond `index` is kept.
        self.next = self.next.max(index + 1);
        match self.mode {
            Mode::Snapshot { last, .. } if index < last => {}
            Mode::Probe | Mode::Snapshot { .. } => {
                self.mode = Mode::Replicate;
                self.inflight.clear();
            }
            Mode::Replicate => {
                let done = self.inflight.iter().take_while(|&&last| last <= index).count();
                self.inflight.drain(..done);
            }
        }
        news
    }

    /// The follower refused an append after `prev` and the leader would try `retry` next. Returns whether the
    /// refusal is of any use, or old.
    pub(super) fn reject(&mut self, prev: Index, retry: Index) -> bool {
        // Up to what matched, the refusal is older than an acceptance; from `next` on, older than a refusal that moved
        // `next` back. While probing, only the last probe counts.
        let old = prev <= self.matched || prev >= self.next || self.mode == Mode::Probe && prev + 1 != self.next;
        // Nothing was appended that could be refused while a snapshot is sent.
        if old || matches!(self.mode, Mode::Snapshot { .. }) {
            return false;
        }
        self.mode = Mode::Probe;
        self.inflight.clear();
        // At least one step back, so that the search ends; never into what matched.
        self.next = retry.clamp(self.matched + 1, prev);
        true
    }

    /// The follower gets a snapshot up to `last`, from its first byte on.
    pub(super) fn install(&mut self, last: Index) {
        self.mode = Mode::Snapshot { last, received: 0 };
        self.inflight.clear();
        self.next = last + 1;
    }

    /// The follower says how much it has of the snapshot up to `of`. Returns whether that is of the one being sent, and
    /// news: less than before is so, too, as a follower that restarts begins anew.
    pub(super) fn received(&mut self, of: Index, bytes: u64) -> bool {
        match &mut self.mode {
            Mode::Snapshot { last, received } if *last == of && *received != bytes => {
                *received = bytes;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replicating(matched: Index, next: Index) -> Progress {
        let mut progress = Progress::new(matched + 1);
        progress.accept(matched);
        for last in matched + 1..next {
            progress.sent(last);
        }
        progress
    }

    #[test]
    fn a_probe_waits_for_its_answer() {
        let mut progress = Progress::new(5);
        assert!(progress.has_room(8));
        progress.sent(7);
        assert!(!progress.has_room(8));
        assert_eq!(progress.next(), 5);
        assert!(progress.accept(7));
        assert_eq!((progress.mode(), progress.next()), (Mode::Replicate, 8));
    }

    #[test]
    fn the_window_opens_with_acknowledgements() {
        let mut progress = replicating(3, 6);
        assert!(!progress.has_room(2));
        assert!(progress.accept(4));
        assert_eq!((progress.inflight(), progress.next()), (1, 6));
        assert!(progress.has_room(2));
    }

    #[test]
    fn old_answers_change_nothing() {
        let mut progress = replicating(3, 6);
        let before = progress.clone();
        assert!(!progress.accept(2));
        assert!(!progress.reject(3, 1));
        // From a time when `next` was higher: it must not rise by a refusal.
        assert!(!progress.reject(6, 7));
        assert!(!progress.reject(9, 10));
        assert_eq!(progress, before);
    }

    #[test]
    fn a_snapshot_is_all_that_is_sent_until_it_is_there() {
        let mut progress = replicating(3, 9);
        progress.install(20);
        assert_eq!((progress.next(), progress.has_room(8)), (21, false));
        assert!(progress.received(20, 100));
        assert!(!progress.received(20, 100), "it is no news");
        assert!(!progress.received(15, 50), "it is of another snapshot");
        assert!(!progress.reject(20, 5));
        // Acknowledges an append of before.
        assert!(progress.accept(5));
        assert_eq!(progress.mode(), Mode::Snapshot { last: 20, received: 100 });
        assert!(progress.accept(20));
        assert_eq!((progress.mode(), progress.next(), progress.matched()), (Mode::Replicate, 21, 20));
    }

    #[test]
    fn a_refusal_steps_back_but_not_into_what_matched() {
        let mut progress = replicating(3, 9);
        assert!(progress.reject(8, 1));
        assert_eq!((progress.mode(), progress.next(), progress.matched()), (Mode::Probe, 4, 3));
        // The refusals of the other appends under way are old now.
        assert!(!progress.reject(7, 2));

        let mut progress = Progress::new(9);
        // Not of the last probe, which starts after 8.
        assert!(!progress.reject(5, 5));
        assert!(progress.reject(8, 20));
        assert_eq!(progress.next(), 8);
    }
}
