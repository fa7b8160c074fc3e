//! The boundary between a raftbox guest (one Raft node, compiled to wasm) and its host.
//!
//! A guest has no clock, no randomness, no network and no disk of its own: each is an *import* that the host serves.
//! The host drives it through *exports*, one call at a time; such a call is a *turn*. Everything that crosses is here,
//! and nothing else is:
//!
//! | module | what it holds |
//! |---|---|
//! | [`boundary`] | names and types of every import and export, as data; limits; status codes |
//! | [`guest`] | [`Guest`], the trait that a node implements, and [`Imports`], what it may call |
//! | [`boot`] | the argument of `boot`: who am I, who are the voters, which settings |
//! | [`note`] | what a node tells the host of itself, so that checkers and pictures need no knowledge of its insides |
//! | [`client`] | what clients ask of the replicated key/value machine, and what they are answered |
//! | [`codec`] | the little-endian reader that all of the above are decoded with |
//!
//! A guest in Rust is a type with [`Guest`] and one line, [`export_node!`]; it needs neither `unsafe` nor `extern`.
//!
//! ```
//! use raftbox_abi::{Boot, Guest, Imports};
//!
//! /// Greets everybody once, and then is silent.
//! #[derive(Clone)]
//! struct Greeter;
//!
//! impl Guest for Greeter {
//!     fn boot<I: Imports>(imports: &mut I, boot: &Boot<'_>) -> Self {
//!         for peer in boot.voters.iter().filter(|&&peer| peer != boot.node) {
//!             imports.send(*peer, b"hello");
//!         }
//!         Greeter
//!     }
//!     fn deliver<I: Imports>(&mut self, _: &mut I, _from: u32, _datagram: &[u8]) {}
//!     fn wake<I: Imports>(&mut self, _: &mut I) {}
//!     fn request<I: Imports>(&mut self, _: &mut I, _client: u32, _operation: u64, _body: &[u8]) {}
//!     fn synced<I: Imports>(&mut self, _: &mut I, _ticket: u64, _status: i32) {}
//! }
//!
//! raftbox_abi::export_node!(Greeter);
//! ```
//!
//! Left out on purpose: how a Raft message looks (that is the guest's own business; the host carries bytes), and
//! anything that a host must do beyond serving imports.

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod arena;
pub mod boot;
pub mod boundary;
pub mod client;
pub mod codec;
pub mod guest;
pub mod note;
pub mod property;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod wasm;

pub use boot::Boot;
pub use guest::{Guest, Imports};
pub use note::Note;

/// The version of this boundary. A guest answers it from `abi_version`, a host refuses any other, and the `boot`
/// argument begins with it.
pub const VERSION: u32 = 1;

/// The hash that notes carry for commands, results and log prefixes, and writes for their bytes: XXH64, seed 0.
///
/// (Not XXH3, which multiplies 64 bits by 64 to 128: no wasm engine has that as one instruction.)
#[must_use]
pub fn hash(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh64::xxh64(bytes, 0)
}

/// The hash of a log prefix that ends with an entry, from the hash of the prefix before it (0 for the empty log).
///
/// Two logs with equal prefix hashes hold the same terms, kinds and commands up to there, which is what the Log
/// Matching property (paper, 5.3) speaks of.
///
/// ```
/// let one = raftbox_abi::chain(0, 1, raftbox_abi::note::EntryKind::Noop, raftbox_abi::hash(b""));
/// assert_ne!(one, raftbox_abi::chain(0, 2, raftbox_abi::note::EntryKind::Noop, raftbox_abi::hash(b"")));
/// ```
#[must_use]
pub fn chain(prefix: u64, term: u64, kind: note::EntryKind, command: u64) -> u64 {
    let mut link = [0; 25];
    link[..8].copy_from_slice(&prefix.to_le_bytes());
    link[8..16].copy_from_slice(&term.to_le_bytes());
    link[16..24].copy_from_slice(&command.to_le_bytes());
    link[24] = kind as u8;
    hash(&link)
}
