//! A node's state as a text for people: `key: value`, a line each.

use super::Node;
use crate::notes;
use crate::raft::{Mode, Peer};
use std::fmt::{self, Write};

/// The state of `node`.
pub(super) fn text(node: &Node) -> String {
    let mut text = String::new();
    write(&mut text, node).expect("a string takes all that is written to it");
    text
}

fn write(out: &mut String, node: &Node) -> fmt::Result {
    let raft = &node.raft;
    let votes = raft.membership().is_voter(raft.id());
    writeln!(out, "node: {}", raft.id())?;
    writeln!(out, "role: {}", notes::role(raft.role(), votes).word())?;
    writeln!(out, "term: {}", raft.term())?;
    writeln!(out, "vote: {}", Name(raft.vote()))?;
    writeln!(out, "leader: {}", Name(raft.leader()))?;
    let log = raft.log();
    let bound = node.settings.config.log_bytes_max;
    let (first, last) = (log.base().index + 1, log.last());
    writeln!(out, "log: {first} to {last}, {} of {bound} bytes", log.bytes())?;
    let snapshot = node.storage.snapshot().map_or(0, |(_, image)| image.bytes);
    writeln!(out, "snapshot: up to {}, {snapshot} bytes", raft.snapshot())?;
    writeln!(out, "durable: {}", raft.durable())?;
    writeln!(out, "commit: {}", raft.commit())?;
    // Whatever is committed is applied in the same turn.
    writeln!(out, "applied: {}", raft.commit())?;
    writeln!(out, "alarm: {} us", raft.deadline())?;
    for Peer { id, progress, heard_at, .. } in raft.peers() {
        let mode = match progress.mode() {
            Mode::Probe => "probing",
            Mode::Replicate => "replicating",
            Mode::Snapshot { .. } => "sending a snapshot",
        };
        let (matched, next) = (progress.matched(), progress.next());
        let inflight = progress.inflight();
        writeln!(
            out,
            "follower {id}: {mode}, match {matched}, next {next}, {inflight} in flight, heard at {heard_at} us"
        )?;
    }
    writeln!(out, "waiting clients: {}", node.pending.len())?;
    writeln!(out, "waiting reads: {}", node.reads.len())?;
    let (machine, bound) = (&node.machine, node.settings.bounds.machine);
    writeln!(out, "sessions: {}", machine.sessions())?;
    writeln!(out, "keys: {}", machine.keys())?;
    writeln!(out, "machine: {} of {bound} bytes", machine.bytes())?;
    let storage = &node.storage;
    write!(out, "file {}: {} bytes, {} durable", storage.file(), storage.end(), storage.durable())?;
    out.push_str(if storage.is_cutting() { ", a torn tail is being cut off\n" } else { "\n" });
    Ok(())
}

/// A node that may be nobody.
struct Name(Option<u32>);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(node) => node.fmt(f),
            None => f.write_str("none"),
        }
    }
}
