//! What a node is to its host ([`Guest`]) and what the host is to a node ([`Imports`]).

use crate::Boot;

/// The whole world of a node. On wasm each method is an import; the native engine serves them directly.
///
/// An *effect* (`send`, `reply`, `wake_at`, `disk_write`, `disk_truncate`, `disk_sync`) may be the last thing that a
/// turn does: the host can crash a node after any of them, and the call then never returns.
pub trait Imports {
    /// This node's clock, in microseconds. It is the same all through a turn.
    fn now(&mut self) -> u64;
    /// The next number of this node's random stream, uniform over all of `u64`.
    fn random(&mut self) -> u64;
    /// Hands a datagram to the network, for node `to`: it may be lost, delayed, doubled, reordered or altered.
    fn send(&mut self, to: u32, datagram: &[u8]);
    /// Sets this node's one alarm to `at` on its own clock, in place of an earlier one; `u64::MAX` cancels.
    fn wake_at(&mut self, at: u64);
    /// The length of a file, in bytes; 0 where there is none.
    fn disk_len(&mut self, file: u32) -> u64;
    /// Reads from `offset` on into `into`; returns how many bytes there were.
    ///
    /// # Errors
    /// A [status code](crate::boundary::status) below 0.
    fn disk_read(&mut self, file: u32, offset: u64, into: &mut [u8]) -> Result<u32, i32>;
    /// Writes `bytes` at `offset`; durable only after a later [`disk_sync`](Self::disk_sync) was answered.
    ///
    /// # Errors
    /// A [status code](crate::boundary::status) below 0.
    fn disk_write(&mut self, file: u32, offset: u64, bytes: &[u8]) -> Result<(), i32>;
    /// Makes a file `len` bytes long; durable as a write is.
    ///
    /// # Errors
    /// A [status code](crate::boundary::status) below 0.
    fn disk_truncate(&mut self, file: u32, len: u64) -> Result<(), i32>;
    /// Asks that all earlier writes and truncates of this node become durable; answered by
    /// [`synced`](Guest::synced) with the same ticket.
    fn disk_sync(&mut self, ticket: u64);
    /// Answers an attempt of a client; travels through the network like any message.
    fn reply(&mut self, client: u32, operation: u64, body: &[u8]);
    /// Tells the host what just changed. Notes are for checkers and pictures, and precede the effect they describe.
    fn note(&mut self, kind: u32, body: &[u8]);
    /// Whether the fault named by `site` happens now: `false` unless a fault profile turned the site on.
    fn chance(&mut self, site: u32) -> bool;
    /// Stops this node on purpose, with a reason (a corrupt disk, a failed sync): it stays down until booted again.
    fn halt(&mut self, code: u32, reason: &str) -> !;
    /// A line for people, at `level` 1 (error) to 5 (trace); never parsed, never part of a digest.
    fn log(&mut self, level: u32, line: &str);
}

/// A node. Each method but the last two is one turn: instantaneous in virtual time, and never entered during another.
///
/// A guest has no other state than itself: nothing static, nothing ambient. `Clone` is what saves it in the native
/// engine; on wasm the host copies its memory.
pub trait Guest: Clone + 'static {
    /// The node starts, with whatever its disk holds.
    fn boot<I: Imports>(imports: &mut I, boot: &Boot<'_>) -> Self;
    /// A datagram of node `from` arrives.
    fn deliver<I: Imports>(&mut self, imports: &mut I, from: u32, datagram: &[u8]);
    /// The alarm rings.
    fn wake<I: Imports>(&mut self, imports: &mut I);
    /// An attempt of a client arrives; `operation` is to be given back in [`Imports::reply`].
    fn request<I: Imports>(&mut self, imports: &mut I, client: u32, operation: u64, body: &[u8]);
    /// A [`disk_sync`](Imports::disk_sync) is answered, in the order in which they were asked; `status` 0 means durable.
    fn synced<I: Imports>(&mut self, imports: &mut I, ticket: u64, status: i32);
    /// The node's state as a text for people.
    fn inspect(&self) -> String {
        String::new()
    }
    /// A datagram as a text for people, on one line.
    #[must_use]
    fn describe(datagram: &[u8]) -> String {
        format!("{} bytes", datagram.len())
    }
}

/// Makes a [`Guest`](crate::Guest) the node of this wasm module: it defines every export of the boundary and the
/// allocator of the fixed arena. On other targets it defines nothing.
///
/// To be called once, in the crate that is built as `cdylib`.
#[macro_export]
macro_rules! export_node {
    ($guest:ty) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "exports are `no_mangle`, which the language counts as unsafe")]
        const _: () = {
            use $crate::wasm::Cell;

            #[global_allocator]
            static ARENA: $crate::arena::Arena = $crate::arena::Arena::new();

            ::std::thread_local! {
                static CELL: Cell<$guest> = const { Cell::new() };
            }

            #[unsafe(no_mangle)]
            extern "C" fn abi_version() -> u32 {
                $crate::VERSION
            }
            #[unsafe(no_mangle)]
            extern "C" fn buffer(len: u32) -> *mut u8 {
                CELL.with(|cell| cell.buffer(len))
            }
            #[unsafe(no_mangle)]
            extern "C" fn boot(len: u32) {
                CELL.with(|cell| cell.boot(len));
            }
            #[unsafe(no_mangle)]
            extern "C" fn deliver(from: u32, len: u32) {
                CELL.with(|cell| cell.deliver(from, len));
            }
            #[unsafe(no_mangle)]
            extern "C" fn wake() {
                CELL.with(Cell::wake);
            }
            #[unsafe(no_mangle)]
            extern "C" fn request(client: u32, operation: u64, len: u32) {
                CELL.with(|cell| cell.request(client, operation, len));
            }
            #[unsafe(no_mangle)]
            extern "C" fn synced(ticket: u64, status: i32) {
                CELL.with(|cell| cell.synced(ticket, status));
            }
            #[unsafe(no_mangle)]
            extern "C" fn inspect() -> u64 {
                CELL.with(Cell::inspect)
            }
            #[unsafe(no_mangle)]
            extern "C" fn describe(len: u32) -> u64 {
                CELL.with(|cell| cell.describe(len))
            }
        };
    };
}
