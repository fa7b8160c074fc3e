//! The wasm side of the boundary: the extern block behind [`Imports`], and the cell that holds the one guest of a
//! module. This, the arena and what [`export_node!`](crate::export_node) expands to are all the `unsafe` there is.

use crate::{Boot, Guest, Imports};
use std::cell::RefCell;

mod import {
    #[link(wasm_import_module = "raftbox")]
    #[allow(unsafe_code, reason = "an import is foreign")]
    unsafe extern "C" {
        pub(super) safe fn now() -> u64;
        pub(super) safe fn random() -> u64;
        pub(super) fn send(to: u32, ptr: *const u8, len: usize);
        pub(super) safe fn wake_at(at: u64);
        pub(super) safe fn disk_len(file: u32) -> i64;
        pub(super) fn disk_read(file: u32, offset: u64, ptr: *mut u8, len: usize) -> i32;
        pub(super) fn disk_write(file: u32, offset: u64, ptr: *const u8, len: usize) -> i32;
        pub(super) safe fn disk_truncate(file: u32, len: u64) -> i32;
        pub(super) safe fn disk_sync(ticket: u64);
        pub(super) fn reply(client: u32, operation: u64, ptr: *const u8, len: usize);
        pub(super) fn note(kind: u32, ptr: *const u8, len: usize);
        pub(super) safe fn chance(site: u32) -> u32;
        pub(super) fn halt(code: u32, ptr: *const u8, len: usize);
        pub(super) fn log(level: u32, ptr: *const u8, len: usize);
    }
}

/// The imports of this module.
struct Host;

fn done(status: i32) -> Result<u32, i32> {
    u32::try_from(status).map_err(|_| status)
}

#[allow(unsafe_code, reason = "an import takes a pointer and a length")]
impl Imports for Host {
    fn now(&mut self) -> u64 {
        import::now()
    }
    fn random(&mut self) -> u64 {
        import::random()
    }
    fn send(&mut self, to: u32, datagram: &[u8]) {
        // SAFETY: pointer and length are those of a live slice, which the host only reads, during the call.
        unsafe { import::send(to, datagram.as_ptr(), datagram.len()) }
    }
    fn wake_at(&mut self, at: u64) {
        import::wake_at(at);
    }
    fn disk_len(&mut self, file: u32) -> u64 {
        u64::try_from(import::disk_len(file)).unwrap_or(0)
    }
    fn disk_read(&mut self, file: u32, offset: u64, into: &mut [u8]) -> Result<u32, i32> {
        // SAFETY: pointer and length are those of a live slice that is ours alone; the host fills it during the call.
        done(unsafe { import::disk_read(file, offset, into.as_mut_ptr(), into.len()) })
    }
    fn disk_write(&mut self, file: u32, offset: u64, bytes: &[u8]) -> Result<(), i32> {
        // SAFETY: as for `send`.
        done(unsafe { import::disk_write(file, offset, bytes.as_ptr(), bytes.len()) }).map(drop)
    }
    fn disk_truncate(&mut self, file: u32, len: u64) -> Result<(), i32> {
        done(import::disk_truncate(file, len)).map(drop)
    }
    fn disk_sync(&mut self, ticket: u64) {
        import::disk_sync(ticket);
    }
    fn reply(&mut self, client: u32, operation: u64, body: &[u8]) {
        // SAFETY: as for `send`.
        unsafe { import::reply(client, operation, body.as_ptr(), body.len()) }
    }
    fn note(&mut self, kind: u32, body: &[u8]) {
        // SAFETY: as for `send`.
        unsafe { import::note(kind, body.as_ptr(), body.len()) }
    }
    fn chance(&mut self, site: u32) -> bool {
        import::chance(site) != 0
    }
    fn halt(&mut self, code: u32, reason: &str) -> ! {
        // SAFETY: as for `send`.
        unsafe { import::halt(code, reason.as_ptr(), reason.len()) }
        // A host ends the turn there; one that does not is broken, and meets a trap.
        core::arch::wasm32::unreachable()
    }
    fn log(&mut self, level: u32, line: &str) {
        // SAFETY: as for `send`.
        unsafe { import::log(level, line.as_ptr(), line.len()) }
    }
}

/// The one guest of a module, the buffer that arguments arrive in, and the text that was last told.
pub struct Cell<G> {
    guest: RefCell<Option<G>>,
    argument: RefCell<Vec<u8>>,
    text: RefCell<String>,
}

impl<G: Guest> Cell<G> {
    /// An empty cell, before `boot`.
    #[must_use]
    pub const fn new() -> Self {
        Self { guest: RefCell::new(None), argument: RefCell::new(Vec::new()), text: RefCell::new(String::new()) }
    }

    /// Room for an argument of `len` bytes. It only grows, so that a call costs nothing once it is large enough.
    pub fn buffer(&self, len: u32) -> *mut u8 {
        let mut argument = self.argument.borrow_mut();
        let len = len as usize;
        if argument.len() < len {
            argument.resize(len.next_power_of_two().max(1024), 0);
        }
        argument.as_mut_ptr()
    }

    fn turn<R>(&self, turn: impl FnOnce(&mut G) -> R) -> R {
        turn(self.guest.borrow_mut().as_mut().expect("boot comes first"))
    }

    /// The export `boot`.
    pub fn boot(&self, len: u32) {
        let argument = self.argument.borrow();
        let boot = Boot::decode(&argument[..len as usize]).expect("the host encodes what Boot decodes");
        let guest = G::boot(&mut Host, &boot);
        *self.guest.borrow_mut() = Some(guest);
    }

    /// The export `deliver`.
    pub fn deliver(&self, from: u32, len: u32) {
        self.turn(|guest| guest.deliver(&mut Host, from, &self.argument.borrow()[..len as usize]));
    }

    /// The export `wake`.
    pub fn wake(&self) {
        self.turn(|guest| guest.wake(&mut Host));
    }

    /// The export `request`.
    pub fn request(&self, client: u32, operation: u64, len: u32) {
        self.turn(|guest| {
            guest.request(&mut Host, client, operation, &self.argument.borrow()[..len as usize]);
        });
    }

    /// The export `synced`.
    pub fn synced(&self, ticket: u64, status: i32) {
        self.turn(|guest| guest.synced(&mut Host, ticket, status));
    }

    /// The export `inspect`.
    pub fn inspect(&self) -> u64 {
        self.tell(self.turn(|guest| guest.inspect()))
    }

    /// The export `describe`.
    pub fn describe(&self, len: u32) -> u64 {
        self.tell(G::describe(&self.argument.borrow()[..len as usize]))
    }

    /// Keeps a text until the next one, and returns where it is: pointer in the high half, length in the low.
    fn tell(&self, text: String) -> u64 {
        let place = (text.as_ptr() as u64) << 32 | text.len() as u64;
        *self.text.borrow_mut() = text;
        place
    }
}

impl<G: Guest> Default for Cell<G> {
    fn default() -> Self {
        Self::new()
    }
}
