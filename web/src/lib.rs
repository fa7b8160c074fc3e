//! raftbox in a browser: the same guest, world and agenda as in the command, over the browser's own WebAssembly engine.
//!
//! | file | what it does |
//! |---|---|
//! | `engine` | the browser as an [`Engine`](raftbox::engine::Engine); with `engine.js`, all that knows of `WebAssembly` |
//! | [`copier`] | a module that copies between a guest's memory and the page's |
//! | [`guest`] | a guest that may run, and what the engine has to know of it |
//! | [`built_in`] | the built-in one |
//! | `run` | a run, a few steps at a time: what the page's script calls |
//!
//! A page is one thread that also draws and listens, so nothing here runs to its end at once: whoever calls gives a budget
//! of steps. What few need is left out of the page's module, so that it loads quickly: the gate, which is a module of its own
//! (`raftbox-web-gate`), and TOML, since the bundler reads the built-in scenarios. The engine and what is exported exist on `wasm32` alone; elsewhere the crate is there to be tested.

pub mod built_in;
pub mod copier;
#[cfg(target_arch = "wasm32")]
mod engine;
pub mod guest;
#[cfg(target_arch = "wasm32")]
mod page;
#[cfg(target_arch = "wasm32")]
pub mod run;
