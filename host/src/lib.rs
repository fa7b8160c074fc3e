//! raftbox.

pub mod agenda;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod draw;
pub mod engine;
pub mod event;
pub mod gate;
pub mod nodes;
pub mod plan;
pub mod runfile;
pub mod scenario;
pub mod simulation;
pub mod timeline;
pub mod trace;
pub mod units;
pub mod world;
