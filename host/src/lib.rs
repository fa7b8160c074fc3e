//! raftbox.

pub mod check;
pub mod draw;
pub mod engine;
pub mod event;
pub mod world;
