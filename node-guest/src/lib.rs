//! The Raft node of raftbox: a pure core, and the shell that makes a wasm guest of it.
//!
//! A tour, from the inside out. [`raft`] is the algorithm, a state machine from inputs to outputs that knows no bytes
//! and no host. Around it stand three things that know no Raft: [`machine`], the key/value store with client sessions
//! that committed commands are applied to; [`storage`], the write-ahead log that survives crashes and refuses a damaged
//! disk; and [`wire`], the messages as datagrams. [`guest`] joins them: each call of the host becomes an input, each
//! output a call of the host, and [`pending`] remembers which client waits for which entry. [`settings`] checks what a
//! node is told at boot and divides its memory, [`notes`] puts what happened into the words of the boundary, and
//! [`fault`] is why a node stops on purpose. The boundary itself, with all that is unsafe, is the crate `raftbox_abi`.

pub mod fault;
pub mod guest;
pub mod machine;
pub mod notes;
pub mod pending;
pub mod raft;
pub mod settings;
pub mod storage;
pub mod wire;

pub use guest::Node;

raftbox_abi::export_node!(Node);
