//! The Raft node of raftbox.

pub mod raft;
