//! The Raft algorithm as a pure state machine: an [`Input`] goes in, [`Output`]s come out.
//!
//! # The idea
//!
//! A cluster of nodes keeps one log. One node, the leader, puts commands at its end and copies them to the
//! others; an entry that a majority has on disk is *committed*, and every node applies committed entries in order.
//! When the leader falls silent, a follower asks the others for their votes in a new *term*; the rules of the vote
//! make sure that whoever wins already has every committed entry. (Raft paper: Ongaro and Ousterhout 2014; thesis:
//! Ongaro 2014. Comments cite their sections.)
//!
//! The core has no clock, no disk, no network and no chance of its own. Time is an argument, chance is the
//! [`Entropy`] argument, and everything it wants done is an [`Output`]. The law of use is that of sans-IO libraries:
//! after each [`Raft::step`], drain [`Raft::poll`] and do what it says, in order.
//!
//! ```text
//!            Message, Alarm, Propose, Read, Synced               Send, Alarm, Persist, Sync,
//!   shell ───────────── Input ────────────▶ Raft::step ──▶ poll ── Output ──▶ Apply, Snapshot, Proposal, Read, Note, Halt
//! ```
//!
//! # Who does what
//!
//! | concept | type | file |
//! |---|---|---|
//! | the node: dispatch, terms, timers, commit | [`Raft`] | `node.rs` |
//! | to follow: check, append, acknowledge (5.3) | `Follower` | `follower.rs` |
//! | to campaign: pre-vote (thesis 9.6) and vote (5.2) | `Votes` | `candidate.rs` |
//! | to judge another's campaign (5.4.1) | [`VoteRefusal`] | `vote.rs` |
//! | to lead: replicate, repair, commit (5.3, 5.4.2) | `Leader` | `leader.rs` |
//! | to hand over (thesis 3.10) | `Transfer` | `transfer.rs` |
//! | what the leader knows of one follower | [`Progress`] | `progress.rs` |
//! | to read without writing (thesis 6.4) | `Rounds`, `Questions` | `read.rs` |
//! | a state in place of the log that led there (thesis 5) | [`Snapshot`] | `snapshot.rs` |
//! | which majority is enough, also in a joint configuration | [`Tally`] | `quorum.rs` |
//! | who the members are | [`Configuration`] | `membership.rs` |
//! | who they become, in steps that keep quorums together (thesis 4) | [`Change`] | `change.rs` |
//! | the log in memory | [`Log`], [`Entry`], [`Position`] | `log.rs`, `entry.rs` |
//! | what is on disk for sure, and what waits for it | `Persistence` | `persistence.rs` |
//! | what nodes tell each other | [`Message`], [`Body`] | `message.rs` |
//! | what just changed, for checkers and people | [`Note`], [`Refusal`] | `note.rs`, `refusal.rs` |
//! | the knobs | [`Config`] | `config.rs` |
//!
//! # What must be on disk before what is said
//!
//! A node writes ([`Record`]) at once and asks for a sync ([`Output::Sync`]), one at a time; what gathers meanwhile
//! shares the next one. Two rules follow from "updated on stable storage before responding to RPCs" (Figure 2):
//!
//! 1. No message speaks of a term, or of a vote in it, that could be forgotten: every message waits until the
//!    current term and vote are durable. A candidate's own vote counts only then, too.
//! 2. No node claims an entry that it could forget: a follower acknowledges, and a leader counts for itself, only
//!    the durable part of its log. The leader sends in parallel with its own write (thesis 10.2.1).
//!
//! A failed sync ends the node ([`Output::Halt`]): after it nobody knows what the disk holds, and asking again may
//! report a success that never was.

mod candidate;
mod change;
mod config;
mod entry;
mod follower;
mod input;
mod leader;
mod log;
mod membership;
mod message;
mod node;
mod note;
mod output;
mod persistence;
mod progress;
mod quorum;
mod read;
mod refusal;
mod snapshot;
mod transfer;
mod vote;

pub use change::{Change, ChangeError, Step};
pub use config::{Config, ConfigError};
pub use entry::{Entry, Payload, Position};
pub use input::{Entropy, Input, Restored};
pub use leader::Peer;
pub use log::Log;
pub use membership::Configuration;
pub use message::{Body, Message, Verdict};
pub use node::Raft;
pub use note::{Note, Role};
pub use output::{HaltReason, HardState, Outcome, Output, Record};
pub use progress::{Mode, Progress};
pub use quorum::{Tally, committed, tally};
pub use refusal::{AppendRefusal, LeadershipRefusal, ProposalRefusal, Refusal, VoteRefusal};
pub use snapshot::{Chunk, Image, Snapshot};

/// A node, from 1 on. "Nobody" is `None`; 0 stands for it on the wire only.
pub type NodeId = u32;

/// A term: the logical clock of Raft (5.1). 0 is before the first election.
pub type Term = u64;

/// A place in the log, from 1 on. 0 is the place before the first entry.
pub type Index = u64;

/// A time, or a span of it, in microseconds of this node's own clock.
pub type Micros = u64;

/// Names one sync, from 1 on, within one boot.
pub type Ticket = u64;
