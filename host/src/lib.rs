//! raftbox: a Raft cluster whose every node is a WebAssembly guest, in a world that decides everything.
//!
//! A run is made from a [plan](plan::Plan): a [scenario], a seed, and interventions. The [agenda] says what is due next,
//! the [world] does it through an [engine] and writes down what came of it, the [checkers](check) look on, and the
//! [trace] keeps it. [`simulation`] is the loop. The same plan and the same guest give the same digest, anywhere.
//!
//! ```
//! # #[cfg(feature = "cli")] {
//! use raftbox::check::Verdict;
//! use raftbox::engine::wasmtime::{Compiled, Options, Wasmtime};
//! use raftbox::plan::{Header, Plan, sha256};
//! use raftbox::scenario::Scenario;
//! use raftbox::simulation::Simulation;
//! use raftbox::trace::Keep;
//! use std::rc::Rc;
//!
//! let scenario = Scenario::read("example", "nodes = 3\nfor = \"1s\"", None).unwrap();
//! let guest = raftbox_guest_bytes::BYTES;
//! let admitted = raftbox::gate::admit(guest, Some(scenario.arena.0)).unwrap();
//! let compiled = Compiled::new(vec![admitted], &Options::default()).unwrap();
//! let engine = Rc::new(Wasmtime::new(&compiled).unwrap());
//!
//! let header = Header::new(Plan { scenario, seed: 7, interventions: vec![] }, sha256(guest));
//! let mut run = Simulation::new(engine, &header, Keep::Nothing).unwrap();
//! run.run().unwrap();
//! assert!(run.record().checkers.verdicts().iter().all(|(_, verdict)| *verdict == Verdict::Pass));
//! # }
//! ```
//!
//! With no default features the library needs no engine and no machine, and builds for `wasm32-unknown-unknown`.

pub mod agenda;
pub mod branch;
#[cfg(feature = "wasmtime")]
pub mod campaign;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod clock;
pub mod cuts;
pub mod draw;
pub mod engine;
pub mod event;
pub mod expectation;
pub mod fact;
pub mod gate;
pub mod history;
#[cfg(not(target_family = "wasm"))]
pub mod hunt;
pub mod lesson;
pub mod linearizability;
pub mod link;
pub mod nodes;
pub mod plan;
pub mod runfile;
pub mod scenario;
#[cfg(not(target_family = "wasm"))]
pub mod shrink;
pub mod simulation;
pub mod timeline;
pub mod trace;
pub mod units;
pub mod unsynced;
pub mod view;
pub mod world;
