//! The allocator of a guest: dlmalloc over a fixed arena.
//!
//! The module's memory has its final size from the start, so it never grows: what the linker left behind the stack and
//! the statics is handed to the allocator as one region, once. Memory that cannot grow is what makes a snapshot a plain
//! copy that fits back into any instance of the module, in every engine.

use dlmalloc::{Allocator, Dlmalloc};
use std::alloc::{GlobalAlloc, Layout};
use std::cell::{Cell, UnsafeCell};

#[allow(unsafe_code, reason = "the linker defines it")]
unsafe extern "C" {
    /// Where the linker's own data ends; only its address means anything.
    static __heap_base: u8;
}

/// The one region of memory there is.
struct Region {
    taken: Cell<bool>,
}

#[allow(unsafe_code, reason = "the trait is unsafe")]
// SAFETY: the region lies behind everything that the linker placed, is given out once, and is never taken back.
unsafe impl Allocator for Region {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        let nothing = (std::ptr::null_mut(), 0, 0);
        if self.taken.replace(true) {
            return nothing;
        }
        // SAFETY: only the address is taken.
        let base = (&raw const __heap_base).cast_mut();
        let start = base.align_offset(16);
        let end = core::arch::wasm32::memory_size(0) * 65_536;
        let room = end - (base as usize + start);
        if room < size { nothing } else { (base.wrapping_add(start), room, 0) }
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        std::ptr::null_mut()
    }

    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }

    fn free(&self, _: *mut u8, _: usize) -> bool {
        false
    }

    fn can_release_part(&self, _: u32) -> bool {
        false
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        65_536
    }
}

/// The allocator. [`export_node!`](crate::export_node) makes it the module's, so that only a guest has it.
pub struct Arena(UnsafeCell<Dlmalloc<Region>>);

impl Arena {
    /// An arena of which nothing is taken.
    #[must_use]
    pub const fn new() -> Self {
        Self(UnsafeCell::new(Dlmalloc::new_with_allocator(Region { taken: Cell::new(false) })))
    }
}

impl Default for Arena {
    fn default() -> Self {
        Self::new()
    }
}

#[allow(unsafe_code, reason = "a guest is one thread")]
// SAFETY: the gate admits no module with threads, so nothing is ever shared.
unsafe impl Sync for Arena {}

#[allow(unsafe_code, reason = "the trait is unsafe")]
// SAFETY: each call has the allocator to itself (one thread, and dlmalloc does not call back), and passes on the
// caller's own promises about pointer and layout.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as said above.
        unsafe { (*self.0.get()).malloc(layout.size(), layout.align()) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as said above.
        unsafe { (*self.0.get()).calloc(layout.size(), layout.align()) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as said above.
        unsafe { (*self.0.get()).free(ptr, layout.size(), layout.align()) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as said above.
        unsafe { (*self.0.get()).realloc(ptr, layout.size(), layout.align(), new_size) }
    }
}
