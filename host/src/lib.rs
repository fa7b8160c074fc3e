//! raftbox.

pub mod gate;
