//! The boundary as data: every import and export by name and type, the limits, and the status codes.
//!
//! The host's linker, the module gate and the tests read these lists; so does anybody who writes a guest in another
//! language. Pointers and lengths are `u32` offsets into the guest's exported `memory`; a result is an `i32`, 0 or more
//! for success (or a count of bytes), below 0 one of [`status`]. A bad pointer or an exceeded limit traps.

/// A value type of the boundary. Floats are not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A 32-bit integer: an identifier, a pointer, a length, a status.
    I32,
    /// A 64-bit integer: a time, a random number, an offset, a ticket.
    I64,
}

/// A function of the boundary: its name, the types of its parameters, the type of its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name, as in the import or export section.
    pub name: &'static str,
    /// The types of its parameters, in order.
    pub parameters: &'static [Type],
    /// The type of its result, if it has one.
    pub result: Option<Type>,
}

const fn function(name: &'static str, parameters: &'static [Type], result: Option<Type>) -> Function {
    Function { name, parameters, result }
}

use Type::{I32, I64};

/// The module name under which a guest imports all of [`IMPORTS`].
pub const MODULE: &str = "raftbox";

/// What a guest may import, and nothing else.
pub const IMPORTS: &[Function] = &[
    function("now", &[], Some(I64)),
    function("random", &[], Some(I64)),
    function("send", &[I32, I32, I32], None),
    function("wake_at", &[I64], None),
    function("disk_len", &[I32], Some(I64)),
    function("disk_read", &[I32, I64, I32, I32], Some(I32)),
    function("disk_write", &[I32, I64, I32, I32], Some(I32)),
    function("disk_truncate", &[I32, I64], Some(I32)),
    function("disk_sync", &[I64], None),
    function("reply", &[I32, I64, I32, I32], None),
    function("note", &[I32, I32, I32], None),
    function("chance", &[I32], Some(I32)),
    function("halt", &[I32, I32, I32], None),
    function("log", &[I32, I32, I32], None),
];

/// What a guest must export, beside its [`MEMORY`].
pub const EXPORTS: &[Function] = &[
    function("abi_version", &[], Some(I32)),
    function("buffer", &[I32], Some(I32)),
    function("boot", &[I32], None),
    function("deliver", &[I32, I32], None),
    function("wake", &[], None),
    function("request", &[I32, I64, I32], None),
    function("synced", &[I64, I32], None),
];

/// What a guest may export as well: `inspect` and `describe` return the pointer (high half) and the length (low half)
/// of a text for people, and may call no import; `_initialize` is called once, first.
pub const OPTIONAL_EXPORTS: &[Function] =
    &[function("inspect", &[], Some(I64)), function("describe", &[I32], Some(I64)), function("_initialize", &[], None)];

/// The name under which a guest exports its one memory.
pub const MEMORY: &str = "memory";

/// The most bytes of a datagram, a reply, or one disk write or read.
pub const TRANSFER_BYTES_MAX: u32 = 1 << 20;
/// The most bytes of a note, a log line or the reason of a halt.
pub const NOTE_BYTES_MAX: u32 = 64 << 10;
/// The most effects (calls of `send`, `reply`, `wake_at`, `disk_write`, `disk_truncate`, `disk_sync`) of one turn;
/// notes and log lines are bounded by the same number, counted apart.
pub const TURN_EFFECTS_MAX: u32 = 65_536;
/// The most bytes that a guest may hand to its imports in one turn.
pub const TURN_BYTES_MAX: u64 = 16 << 20;
/// The highest number of a file; the lowest is 0.
pub const FILE_MAX: u32 = 255;
/// The highest offset within a file, exclusive: a file holds at most 1 GiB.
pub const FILE_BYTES_MAX: u64 = 1 << 30;
/// The unit in which an unsynced write survives a crash, in bytes: one aligned sector is there whole or not at all.
pub const SECTOR: u64 = 512;

/// Status codes of disk imports and of `synced`.
pub mod status {
    /// It worked.
    pub const OK: i32 = 0;
    /// The device failed.
    pub const IO: i32 = -1;
    /// The disk is full.
    pub const FULL: i32 = -2;
}
