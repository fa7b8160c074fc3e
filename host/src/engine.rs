//! What runs a guest: the traits that wasmtime, the native build and the browser implement.
//!
//! An [`Engine`] makes [`Node`]s; a node takes [`Call`]s, one turn each; during a turn the guest's imports are served by
//! a [`Host`]. The host is handed in by value and comes back with the call, so that no engine needs a borrow across its
//! boundary. All of it is synchronous. How a module gets into an engine is the engine's own affair.
//!
//! [`Host`], the boundary's list [`raftbox_abi::boundary::IMPORTS`] and the guest's [`raftbox_abi::Imports`] are one list.

#[cfg(feature = "native")]
pub mod native;
#[cfg(feature = "wasmtime")]
pub mod wasmtime;

/// Serves the imports of a guest during a turn. See [`raftbox_abi::Imports`] for what each means.
///
/// # Errors
/// Each method may end the turn by a [`Stop`]; the engine then returns without going on in the guest.
#[allow(missing_docs, reason = "the meaning of each is in `raftbox_abi::Imports`")]
pub trait Host: 'static {
    fn now(&mut self) -> u64;
    fn random(&mut self) -> u64;
    fn send(&mut self, to: u32, datagram: &[u8]) -> Result<(), Stop>;
    fn wake_at(&mut self, at: u64) -> Result<(), Stop>;
    fn disk_len(&mut self, file: u32) -> Result<u64, Stop>;
    fn disk_read(&mut self, file: u32, offset: u64, into: &mut [u8]) -> Result<i32, Stop>;
    fn disk_write(&mut self, file: u32, offset: u64, bytes: &[u8]) -> Result<i32, Stop>;
    fn disk_truncate(&mut self, file: u32, len: u64) -> Result<i32, Stop>;
    fn disk_sync(&mut self, ticket: u64) -> Result<(), Stop>;
    fn reply(&mut self, client: u32, operation: u64, body: &[u8]) -> Result<(), Stop>;
    fn note(&mut self, kind: u32, body: &[u8]) -> Result<(), Stop>;
    fn chance(&mut self, site: u32) -> bool;
    fn halt(&mut self, code: u32, reason: &[u8]) -> Stop;
    fn log(&mut self, level: u32, line: &[u8]) -> Result<(), Stop>;
}

/// Why a host ends a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The node is down: it crashed after an effect, or stopped itself.
    Down,
    /// The guest asked for what no guest may have; the text says what. It counts as a trap.
    Forbidden(String),
}

/// One turn of a guest: which export is called, and with what.
#[derive(Clone, Copy, Debug)]
pub enum Call<'a> {
    /// `boot`, with its encoded argument.
    Boot(&'a [u8]),
    /// `deliver`, with sender and datagram.
    Deliver(u32, &'a [u8]),
    /// `wake`.
    Wake,
    /// `request`, with client, attempt and body.
    Request(u32, u64, &'a [u8]),
    /// `synced`, with ticket and status.
    Synced(u64, i32),
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The export returned.
    Returned,
    /// The host ended it, by [`Stop::Down`].
    Down,
    /// The guest trapped; the text, which differs between engines, says how.
    Trapped(String),
}

/// The engine itself failed (out of memory, a native stack overflow, a turn that never ends): the run is aborted, and
/// says nothing about the guest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the run was aborted: {0}")]
pub struct Abort(pub String);

/// What makes nodes.
pub trait Engine<H: Host> {
    /// The nodes it makes.
    type Node: Node<H>;

    /// A node of the engine's `guest`-th module, from 0, before its boot.
    ///
    /// # Errors
    /// If the engine has no room for it.
    fn node(&self, guest: usize) -> Result<Self::Node, Abort>;
}

/// A guest in an engine.
pub trait Node<H: Host>: Sized {
    /// All of its state, between two turns. Cheap to clone.
    type Image: Clone;

    /// Takes one turn. Unless it [returned](Ended::Returned), the node must be [reset](Self::reset) or
    /// [restored](Self::restore) before its next.
    fn call(&mut self, host: Box<H>, call: Call<'_>) -> (Box<H>, Result<Ended, Abort>);

    /// Makes it as it was before its boot.
    fn reset(&mut self);

    /// Its state now.
    fn save(&mut self) -> Self::Image;

    /// Puts it into that state.
    fn restore(&mut self, image: &Self::Image);

    /// A hash of all of its state, if it has one that can be hashed.
    fn fingerprint(&mut self) -> Option<u64> {
        None
    }

    /// Puts it into the state of another node of the same guest.
    fn copy(&mut self, other: &mut Self) {
        self.restore(&other.save());
    }

    /// What the guest tells of itself, for people; `None` if it tells nothing. Its state is as before.
    fn inspect(&mut self) -> Option<String>;

    /// What the guest tells of a datagram, for people, on one line. To be asked of a node that is kept for this: it need
    /// not be booted, and its state is not as before.
    fn describe(&mut self, datagram: &[u8]) -> Option<String>;
}
