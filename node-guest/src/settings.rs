//! What a node is told at boot, checked: who it is, who its peers are, how the core is set, and how its memory is
//! divided.
//!
//! | setting | default | what it is |
//! |---|---|---|
//! | `heartbeat` | 50000 | how often a leader tells that it lives, µs |
//! | `election_min` | 150000 | the shortest election timeout, µs |
//! | `election_max` | 300000 | the timeout is drawn below this, µs |
//! | `pre_vote` | true | ask before a campaign whether it could win |
//! | `no_op` | true | a new leader appends an empty entry |
//! | `check_quorum` | true | a leader that has heard no quorum for `election_min` leads no more |
//! | `sticky_leader` | true | who hears a leader leaves requests for votes unread |
//! | `lease` | false | a leader that a quorum heard lately answers lease reads at once |
//! | `lease_drift` | 10000 | by how much clocks may differ in rate, parts per million: a lease is shorter by that |
//! | `disk_stall` | 2000000 | a leader whose disk has not answered for so long leads no more, µs; 0: it waits |
//! | `inflight_max` | 16 | appends with entries under way to one follower |
//! | `batch_entries` | 64 | entries in one append |
//! | `batch_bytes` | 65536 | bytes of entries in one append |
//! | `arena` | 4194304 | the bytes of this guest's memory |
//! | `log_bytes` | a quarter of `arena` | bytes of the log beyond which a leader refuses commands |
//! | `uncommitted_bytes` | half of `log_bytes` | bytes of entries not committed beyond which a leader refuses commands |
//! | `snapshot_bytes` | a quarter of `log_bytes` | bytes of entries after which a snapshot replaces them; 0: never |
//! | `sessions_max` | 1024 | sessions that may be open; one more takes the place of the one that was not used for longest |
//! | `session_expiry` | 3600000000 | a session that was not used for so long, by the log's time, expires, µs; 0: never |
//! | `snapshot_keep` | 256 | entries that stay behind a snapshot for followers that are a little behind |
//!
//! # Memory
//!
//! A guest cannot grow, so everything that it keeps is bounded by a share of its arena: the log by a quarter (each
//! entry counted with 64 bytes of overhead), the machine by another, one command and one value by a 64th, a batch by
//! a 16th and by what a datagram holds. The rest, nearly half, is for what comes and goes (the argument of a call, a
//! datagram, the records of a step, the thousands of entries that one step may hand to the machine when a restarted
//! node hears what is committed, the answers that clients wait for), for the machine that a snapshot brings while the old one
//! is still there (the log is empty then), for the stack, and for what an allocator wastes. A snapshot itself is never in
//! memory: it goes to the disk and comes from there in pieces.
//!
//! The bounds of the machine decide what it answers, so `arena`, `sessions_max` and `session_expiry` must be the same on all
//! nodes of a cluster.

use crate::fault::Fault;
use crate::machine::Bounds;
use crate::raft::{Config, Configuration, NodeId};
use crate::storage;
use raftbox_abi::{Boot, boundary};
use std::str::FromStr;

/// The smallest arena that leaves room for the core's default batches.
const ARENA_BYTES_MIN: u64 = 1 << 20;
const ARENA_BYTES_DEFAULT: u64 = 4 << 20;

/// A node's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who this node is.
    pub node: NodeId,
    /// The cluster's first configuration.
    pub membership: Configuration,
    /// The knobs of the core.
    pub config: Config,
    /// How large the machine may become.
    pub bounds: Bounds,
    /// The most bytes of one command.
    pub command_bytes_max: u64,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// If one of them is unknown, or cannot be as it is.
    pub fn read(boot: &Boot<'_>) -> Result<Self, Fault> {
        let membership = membership(boot)?;
        let mut config = Config::default();
        let mut arena = ARENA_BYTES_DEFAULT;
        let (mut log_bytes, mut uncommitted_bytes, mut snapshot_bytes) = (None, None, None);
        let (mut sessions, mut expiry) = (1024, 3_600_000_000);
        for line in boot.settings.lines() {
            let Some((key, value)) = line.split_once('=') else {
                return Err(Fault::settings(format!("setting {line:?} is not of the form key=value")));
            };
            match key {
                "heartbeat" => config.heartbeat_us = parse(key, value)?,
                "election_min" => config.election_min_us = parse(key, value)?,
                "election_max" => config.election_max_us = parse(key, value)?,
                "pre_vote" => config.pre_vote = parse(key, value)?,
                "no_op" => config.no_op = parse(key, value)?,
                "check_quorum" => config.check_quorum = parse(key, value)?,
                "sticky_leader" => config.sticky_leader = parse(key, value)?,
                "lease" => config.lease = parse(key, value)?,
                "lease_drift" => config.lease_drift_ppm = parse(key, value)?,
                "disk_stall" => config.disk_stall_us = parse(key, value)?,
                "inflight_max" => config.inflight_max = parse(key, value)?,
                "batch_entries" => config.batch_entries_max = parse(key, value)?,
                "batch_bytes" => config.batch_bytes_max = parse(key, value)?,
                "log_bytes" => log_bytes = Some(parse(key, value)?),
                "uncommitted_bytes" => uncommitted_bytes = Some(parse(key, value)?),
                "snapshot_bytes" => snapshot_bytes = Some(parse(key, value)?),
                "snapshot_keep" => config.snapshot_keep = parse(key, value)?,
                "sessions_max" => sessions = parse(key, value)?,
                "session_expiry" => expiry = parse(key, value)?,
                "arena" => arena = parse(key, value)?,
                _ => return Err(Fault::settings(format!("setting {key:?} is unknown"))),
            }
        }
        config.log_bytes_max = log_bytes.unwrap_or(arena / 4);
        config.uncommitted_bytes_max = uncommitted_bytes.unwrap_or(config.log_bytes_max / 2);
        config.snapshot_bytes = snapshot_bytes.unwrap_or(config.log_bytes_max / 4);
        check_memory(&config, arena)?;
        config.check().map_err(|error| Fault::settings(format!("setting {error}")))?;
        let command_bytes_max = (arena / 64).min(storage::COMMAND_BYTES_MAX.into());
        if sessions == 0 {
            return Err(Fault::settings("setting sessions_max must be above 0".to_owned()));
        }
        let bounds = Bounds { machine: arena / 4, value: command_bytes_max, sessions, expiry };
        Ok(Self { node: boot.node, membership, config, bounds, command_bytes_max })
    }
}

fn membership(boot: &Boot<'_>) -> Result<Configuration, Fault> {
    let Boot { version, node, voters, learners, .. } = boot;
    let require = |holds: bool, why: &str| {
        let who = format_args!("node {node}, voters {voters:?}, learners {learners:?}");
        if holds { Ok(()) } else { Err(Fault::settings(format!("{why}: {who}"))) }
    };
    let spoken = raftbox_abi::VERSION;
    require(*version == spoken, &format!("the host speaks version {version}, not {spoken}"))?;
    let members = || voters.iter().chain(learners);
    require(!voters.is_empty(), "a cluster has a voter")?;
    require(members().all(|id| *id != 0), "0 is nobody, and no member")?;
    require(!learners.iter().any(|id| voters.contains(id)), "a voter is not a learner as well")?;
    Ok(Configuration::new(voters.iter().copied(), learners.iter().copied()))
}

fn parse<T: FromStr>(key: &str, value: &str) -> Result<T, Fault> {
    value.parse().map_err(|_| {
        let kind = if size_of::<T>() == 1 { "true or false" } else { "a number in its range" };
        Fault::settings(format!("setting {key}={value} is not {kind}"))
    })
}

/// Checks that the shares of the arena fit into it, whatever the log and the batches are set to.
fn check_memory(config: &Config, arena: u64) -> Result<(), Fault> {
    let require = |what: &str, value: u64, least: u64, most: u64| {
        if (least..=most).contains(&value) {
            return Ok(());
        }
        Err(Fault::settings(format!("setting {what}={value} is not between {least} and {most}")))
    };
    require("arena", arena, ARENA_BYTES_MIN, memory_bytes())?;
    require("log_bytes", config.log_bytes_max, 0, arena / 4)?;
    // An entry is counted with more than it takes in a datagram, so a batch within this bound fits into one.
    require("batch_bytes", config.batch_bytes_max, 0, (arena / 16).min(boundary::TRANSFER_BYTES_MAX.into()))
}

/// The memory that there really is, where that can be known.
fn memory_bytes() -> u64 {
    #[cfg(target_arch = "wasm32")]
    return core::arch::wasm32::memory_size(0) as u64 * 65_536;
    #[cfg(not(target_arch = "wasm32"))]
    return 1 << 32;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &str) -> Result<Settings, String> {
        let boot = Boot { version: 1, node: 2, voters: vec![1, 2, 3], learners: vec![4], settings };
        Settings::read(&boot).map_err(|fault| fault.reason)
    }

    #[test]
    fn every_setting_has_a_default_and_a_name() {
        let settings = read("").expect("all have defaults");
        assert_eq!((settings.config.log_bytes_max, settings.config.snapshot_bytes), (1 << 20, 1 << 18));
        assert_eq!((settings.bounds.machine, settings.bounds.value), (1 << 20, 65_536));
        let all = "arena=2097152\nbatch_bytes=1000\nbatch_entries=7\nelection_max=9\nelection_min=8\nheartbeat=2\n\
                   inflight_max=3\nlog_bytes=5000\nno_op=false\npre_vote=false\ncheck_quorum=false\n\
                   sticky_leader=true\nlease=true\nlease_drift=12\ndisk_stall=11\nuncommitted_bytes=800\nsnapshot_bytes=900\nsnapshot_keep=5\nsessions_max=3\nsession_expiry=0\n";
        let settings = read(all).expect("all are in range");
        let config = Config {
            heartbeat_us: 2,
            election_min_us: 8,
            election_max_us: 9,
            pre_vote: false,
            no_op: false,
            check_quorum: false,
            sticky_leader: true,
            lease: true,
            lease_drift_ppm: 12,
            disk_stall_us: 11,
            inflight_max: 3,
            batch_entries_max: 7,
            batch_bytes_max: 1000,
            log_bytes_max: 5000,
            uncommitted_bytes_max: 800,
            snapshot_bytes: 900,
            snapshot_keep: 5,
        };
        assert_eq!(settings.config, config);
        assert_eq!(settings.bounds, Bounds { machine: 1 << 19, value: 1 << 15, sessions: 3, expiry: 0 });
    }

    #[test]
    fn a_bad_setting_is_named() {
        let reason = |settings| read(settings).expect_err("it is bad");
        assert_eq!(reason("heartbeet=5"), "setting \"heartbeet\" is unknown");
        assert_eq!(reason("heartbeat"), "setting \"heartbeat\" is not of the form key=value");
        assert_eq!(reason("heartbeat=-1"), "setting heartbeat=-1 is not a number in its range");
        assert_eq!(reason("no_op=1"), "setting no_op=1 is not true or false");
        assert_eq!(reason("arena=5"), "setting arena=5 is not between 1048576 and 4294967296");
        assert_eq!(reason("log_bytes=9999999"), "setting log_bytes=9999999 is not between 0 and 1048576");
        let datagram = "arena=67108864\nbatch_bytes=1048577";
        assert_eq!(reason(datagram), "setting batch_bytes=1048577 is not between 0 and 1048576");
        assert_eq!(reason("sessions_max=0"), "setting sessions_max must be above 0");
        assert_eq!(reason("heartbeat=0"), "setting heartbeat_us must be above 0");
    }

    #[test]
    fn a_cluster_that_cannot_be_is_refused() {
        let reason = |version, node, voters: &[u32], learners: &[u32]| {
            let (voters, learners) = (voters.to_vec(), learners.to_vec());
            let boot = Boot { version, node, voters, learners, settings: "" };
            Settings::read(&boot).expect_err("it is bad").reason
        };
        assert_eq!(reason(2, 1, &[1], &[]), "the host speaks version 2, not 1: node 1, voters [1], learners []");
        assert_eq!(reason(1, 1, &[], &[1]), "a cluster has a voter: node 1, voters [], learners [1]");
        assert!(reason(1, 1, &[0, 1], &[]).starts_with("0 is nobody"));
        assert!(reason(1, 1, &[1, 2], &[2]).starts_with("a voter is not a learner"));
    }

    #[test]
    fn a_node_may_run_before_it_is_a_member() {
        let boot = Boot { version: 1, node: 3, voters: vec![1, 2], learners: vec![], settings: "" };
        assert!(!Settings::read(&boot).unwrap().membership.is_voter(3));
    }
}
