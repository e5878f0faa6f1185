//! The memory of one call. An instance lives for one call and is then freed as a whole, so allocating is
//! moving an address upwards.
//!
//! It begins at the end of the rule's constants, in memory that the instance has from its start: an ordinary
//! call touches few pages and never calls `memory.grow`, which would cost more than the call itself. The
//! last allocation grows, shrinks and is freed in place; a growing text does so.
//!
//! Other allocators begin with `memory.grow` (talc, dlmalloc, lol_alloc) or copy when the last allocation grows
//! (mini-alloc).
#![allow(unsafe_code)]

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::{memory_grow, memory_size};
use core::cell::Cell;
use core::ptr::null_mut;

/// WebAssembly's page, in bytes.
const PAGE: usize = 64 * 1024;

#[global_allocator]
static ALLOCATOR: Bump = Bump {
    next: Cell::new(0),
    end: Cell::new(0),
};

struct Bump {
    /// The first free address; 0 before the first allocation.
    next: Cell<usize>,
    /// The first address beyond the memory there is.
    end: Cell<usize>,
}

// SAFETY: a rule is a core module without shared memory or threads (the host links none), so no two threads
// ever reach the cells.
unsafe impl Sync for Bump {}

unsafe extern "C" {
    /// Its address is the first one that neither stack nor constants use; the linker defines it.
    static __heap_base: u8;
}

impl Bump {
    /// The address where `layout` would be placed.
    fn place(&self, layout: Layout) -> Option<usize> {
        if self.next.get() == 0 {
            self.next.set(&raw const __heap_base as usize);
            self.end.set(memory_size::<0>() * PAGE);
        }
        let mask = layout.align() - 1;
        Some(self.next.get().checked_add(mask)? & !mask)
    }

    /// Takes everything below `next`; false when the host grants no more memory.
    fn take(&self, next: usize) -> bool {
        if next > self.end.get() {
            let pages = (next - self.end.get()).div_ceil(PAGE);
            if memory_grow::<0>(pages) == usize::MAX {
                return false;
            }
            self.end.set(self.end.get() + pages * PAGE);
        }
        self.next.set(next);
        true
    }
}

// SAFETY: `alloc` returns null, or an address aligned as asked with `size` bytes of existing memory, all at or above
// `__heap_base` and at or above `next`. No live allocation reaches beyond `next`: it only moves down when the one that
// ends there is freed or shrunk, and then not below that one's start, which is at or above the end of all others.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.place(layout);
        match start.and_then(|start| Some((start, start.checked_add(layout.size())?))) {
            Some((start, next)) if self.take(next) => start as *mut u8,
            _ => null_mut(),
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if pointer as usize + layout.size() == self.next.get() {
            self.next.set(pointer as usize);
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let start = pointer as usize;
        if start + layout.size() == self.next.get() {
            return match start.checked_add(size) {
                Some(next) if self.take(next) => pointer,
                _ => null_mut(),
            };
        }
        if size <= layout.size() {
            return pointer;
        }
        // SAFETY: the caller has checked that `size`, rounded up to the alignment, does not overflow `isize`
        // (`GlobalAlloc::realloc`), and the alignment comes from a valid layout.
        let moved = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !moved.is_null() {
            // SAFETY: `pointer` has `layout.size()` bytes, `moved` more than that, and a fresh
            // allocation overlaps no live one.
            unsafe { core::ptr::copy_nonoverlapping(pointer, moved, layout.size()) };
        }
        moved
    }
}
