//! An allocator that counts, for each thread on its own.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use std::alloc::System;

#[global_allocator]
static COUNTING: Counting = Counting;

struct Counting;

thread_local! {
    /// Bytes allocated and not released; what one thread allocates another may release.
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    LIVE.set(LIVE.get() + bytes);
    PEAK.set(PEAK.get().max(LIVE.get()));
}

// SAFETY: every call goes to the system's allocator as it is; the counters neither allocate nor
// have a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: by the caller's word.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: by the caller's word.
        unsafe { System.dealloc(pointer, layout) }
    }

    // The system moves the pages of what is large; nothing is ever there twice.
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: by the caller's word.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// What this thread allocated from a moment on.
pub(crate) struct Meter(isize);

impl Meter {
    /// Begins to measure.
    pub(crate) fn start() -> Self {
        PEAK.set(LIVE.get());
        Self(LIVE.get())
    }

    /// Bytes held now beyond those at the start.
    pub(crate) fn held(&self) -> usize {
        usize::try_from(LIVE.get() - self.0).unwrap_or(0)
    }

    /// The most bytes ever held beyond those at the start.
    pub(crate) fn peak(&self) -> usize {
        usize::try_from(PEAK.get() - self.0).unwrap_or(0)
    }
}
