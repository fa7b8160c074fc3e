//! The knobs of a node, and what makes a set of them sound.
//!
//! All are integers, so that a plan can name and vary them. They are read once, at boot. The defaults suit a network
//! of a few milliseconds.

use std::fmt;

use super::entry::Entry;
use super::{Micros, NodeId};

/// The knobs of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How often a leader tells its followers that it lives.
    pub heartbeat_us: Micros,
    /// The shortest election timeout (5.2); also how long a leader counts as alive for a pre-vote (thesis 9.6).
    pub election_min_us: Micros,
    /// The election timeout is drawn below this.
    pub election_max_us: Micros,
    /// Whether a node asks if it could win before it raises its term (thesis 9.6).
    pub pre_vote: bool,
    /// Whether a new leader appends an empty entry, so that it learns what is committed (paper 8).
    pub no_op: bool,
    /// Whether a leader that has not heard from a quorum for the shortest election timeout leads no more (thesis 6.2).
    pub check_quorum: bool,
    /// Whether a node that hears its leader leaves requests for votes unread, and so their term too (thesis 4.2.3).
    pub sticky_leader: bool,
    /// Whether a leader that a quorum heard lately answers reads without asking again (thesis 6.4.1).
    pub lease: bool,
    /// By how much two clocks may differ in rate, in parts per million: a lease is shorter by that. Nothing checks it.
    pub lease_drift_ppm: u32,
    /// A leader whose disk has not answered for so long leads no more; 0 if it waits for ever.
    pub disk_stall_us: Micros,
    /// How many appends with entries may be under way to one follower.
    pub inflight_max: u32,
    /// How many entries one append may carry.
    pub batch_entries_max: u32,
    /// How many bytes of entries one append may carry; a single larger entry still goes, alone. Also how many bytes of a
    /// snapshot one chunk may carry.
    pub batch_bytes_max: u64,
    /// How many bytes the log may hold before a leader refuses commands, each entry counted with its overhead.
    ///
    /// This is a rule of admission, not a capacity: the empty entry of a new leader always fits, and a follower
    /// takes what its leader admitted.
    pub log_bytes_max: u64,
    /// How many bytes of entries that are not committed a leader has before it refuses commands, but for one: what it takes
    /// while it cannot commit, its clients wait for.
    pub uncommitted_bytes_max: u64,
    /// A node takes a snapshot once it applied so many bytes of entries since the last, each counted with its overhead
    /// (thesis 5.1.3); 0 if it never does by itself.
    pub snapshot_bytes: u64,
    /// How many of the entries that a snapshot covers stay in the log, at most, and in no more than half of
    /// `snapshot_bytes`: a follower that lacks no more than these needs no snapshot.
    pub snapshot_keep: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            heartbeat_us: 50_000,
            election_min_us: 150_000,
            election_max_us: 300_000,
            pre_vote: true,
            no_op: true,
            check_quorum: true,
            sticky_leader: true,
            lease: false,
            lease_drift_ppm: 10_000,
            disk_stall_us: 2_000_000,
            inflight_max: 16,
            batch_entries_max: 64,
            batch_bytes_max: 64 * 1024,
            log_bytes_max: 16 * 1024 * 1024,
            uncommitted_bytes_max: 8 * 1024 * 1024,
            snapshot_bytes: 4 * 1024 * 1024,
            snapshot_keep: 256,
        }
    }
}

/// A knob that cannot be as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The knob, by its field name.
    pub knob: &'static str,
    /// What it must be.
    pub must: &'static str,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must be {}", self.knob, self.must)
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Checks that a node with these knobs can work. [`super::Raft::new`] takes only a configuration that passes.
    pub fn check(&self) -> Result<(), ConfigError> {
        let require = |holds: bool, knob, must| {
            if holds { Ok(()) } else { Err(ConfigError { knob, must }) }
        };
        require(self.heartbeat_us > 0, "heartbeat_us", "above 0")?;
        // A heartbeat that comes later than the timeout it is meant to prevent would unseat every leader (5.6).
        require(self.election_min_us > self.heartbeat_us, "election_min_us", "above heartbeat_us")?;
        // With an empty range all nodes would time out together, and split the vote for ever (5.2).
        require(self.election_max_us > self.election_min_us, "election_max_us", "above election_min_us")?;
        // Whoever votes while it hears a leader breaks the promise that a lease rests on.
        require(!self.lease || self.sticky_leader, "lease", "false without sticky_leader")?;
        require(self.lease_drift_ppm < 1_000_000, "lease_drift_ppm", "below 1000000")?;
        require(self.inflight_max > 0, "inflight_max", "above 0")?;
        require(self.batch_entries_max > 0, "batch_entries_max", "above 0")?;
        require(self.batch_bytes_max > 0, "batch_bytes_max", "above 0")?;
        // A log that may not grow to where a snapshot is due would refuse commands for ever.
        require(self.snapshot_bytes <= self.log_bytes_max / 2, "snapshot_bytes", "at most half of log_bytes_max")?;
        require(self.log_bytes_max >= Entry::OVERHEAD_BYTES, "log_bytes_max", "at least the overhead of one entry, 64")
    }

    /// How long a lease lasts from when its round began: the shortest election timeout by the slowest clock, told by the
    /// fastest.
    pub(super) fn lease_us(&self) -> Micros {
        let (million, drift) = (1_000_000, u64::from(self.lease_drift_ppm));
        self.election_min_us * (million - drift) / (million + drift)
    }

    /// An election timeout in `[election_min_us, election_max_us)` from one draw.
    ///
    /// The remainder favours low values by less than one in 2^40 for any sane range: nothing an election notices.
    pub(super) fn election_timeout(&self, draw: u64) -> Micros {
        self.election_min_us + draw % (self.election_max_us - self.election_min_us)
    }
}

/// Whether `id` can be a node.
pub(super) fn is_node(id: NodeId) -> bool {
    id != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_sound() {
        assert_eq!(Config::default().check(), Ok(()));
    }

    #[test]
    fn check_names_the_knob() {
        let broken = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert_eq!(broken(|c| c.heartbeat_us = 0), "heartbeat_us must be above 0");
        assert_eq!(broken(|c| c.election_min_us = c.heartbeat_us), "election_min_us must be above heartbeat_us");
        assert_eq!(broken(|c| c.election_max_us = c.election_min_us), "election_max_us must be above election_min_us");
        assert_eq!(broken(|c| (c.lease, c.sticky_leader) = (true, false)), "lease must be false without sticky_leader");
        assert_eq!(broken(|c| c.lease_drift_ppm = 1_000_000), "lease_drift_ppm must be below 1000000");
        assert_eq!(broken(|c| c.inflight_max = 0), "inflight_max must be above 0");
        assert_eq!(broken(|c| c.batch_entries_max = 0), "batch_entries_max must be above 0");
        assert_eq!(broken(|c| c.batch_bytes_max = 0), "batch_bytes_max must be above 0");
        assert_eq!(
            broken(|c| c.snapshot_bytes = c.log_bytes_max),
            "snapshot_bytes must be at most half of log_bytes_max"
        );
        assert!(broken(|c| (c.log_bytes_max, c.snapshot_bytes) = (63, 0)).starts_with("log_bytes_max"));
    }

    #[test]
    fn election_timeout_stays_in_its_range() {
        let config = Config { election_min_us: 100, election_max_us: 103, ..Config::default() };
        let timeouts: Vec<_> = [0, 1, 2, 3, u64::MAX].map(|d| config.election_timeout(d)).into();
        assert_eq!(timeouts, [100, 101, 102, 100, 100]);
    }
}
