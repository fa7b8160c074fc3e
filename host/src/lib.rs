//! raftbox.
