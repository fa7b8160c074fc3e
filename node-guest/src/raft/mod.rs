//! The Raft algorithm.
