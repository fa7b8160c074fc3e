//! raftbox.

pub mod draw;
pub mod engine;
pub mod event;
pub mod gate;
pub mod plan;
pub mod scenario;
pub mod trace;
pub mod units;
pub mod world;
