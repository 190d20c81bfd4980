//! Allocators that count: for each thread on its own, so that a test sees what the endpoint on this thread
//! holds and nothing of its peer's; and for a whole process, whichever thread releases what another allocated.

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
};
use std::alloc::System;

/// The system's allocator, counted. Make it a test program's `#[global_allocator]`.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing in it")]
pub struct Counting;

thread_local! {
    /// Bytes allocated and not released; what one thread allocates another may release.
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    LIVE.set(LIVE.get() + bytes);
    PEAK.set(PEAK.get().max(LIVE.get()));
}

fn count_allocation(bytes: isize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    ALLOCATED.set(ALLOCATED.get() + usize::try_from(bytes).unwrap_or(0));
    count(bytes);
}

// SAFETY: every call goes to the system's allocator as it is; the counters neither allocate nor
// have a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count_allocation(layout.size() as isize);
        // SAFETY: by the caller's word.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count_allocation(layout.size() as isize);
        // SAFETY: by the caller's word.
        unsafe { System.alloc_zeroed(layout) }
    }

    /// Where it counts, with large buffers, the system moves pages and copies nothing.
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count_allocation(size as isize - layout.size() as isize);
        // SAFETY: by the caller's word.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: by the caller's word.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// What this thread allocated from a moment on, in a program with [`Counting`].
#[derive(Debug)]
pub struct Meter {
    live: isize,
    allocations: usize,
    allocated: usize,
}

impl Meter {
    /// Begins to measure.
    #[must_use]
    pub fn start() -> Self {
        PEAK.set(LIVE.get());
        Self { live: LIVE.get(), allocations: ALLOCATIONS.get(), allocated: ALLOCATED.get() }
    }

    /// How often anything was allocated since; what grows counts again.
    #[must_use]
    pub fn allocations(&self) -> usize {
        ALLOCATIONS.get() - self.allocations
    }

    /// How many bytes were allocated since, whatever was released; of what grows, those that came to it.
    #[must_use]
    pub fn allocated(&self) -> usize {
        ALLOCATED.get() - self.allocated
    }

    /// Bytes held now beyond those at the start.
    #[must_use]
    pub fn held(&self) -> usize {
        usize::try_from(LIVE.get() - self.live).unwrap_or(0)
    }

    /// The most bytes ever held beyond those at the start.
    #[must_use]
    pub fn peak(&self) -> usize {
        usize::try_from(PEAK.get() - self.live).unwrap_or(0)
    }
}

/// The system's allocator, counted for the whole process. Make it a program's `#[global_allocator]`.
///
/// ```
/// use hybi_suite::allocator::Total;
///
/// #[global_allocator]
/// static ALLOCATOR: Total = Total::new();
///
/// let before = ALLOCATOR.now();
/// let held = std::thread::spawn(|| vec![0_u8; 10_000]).join().expect("no panic");
/// assert!(ALLOCATOR.now() >= before + 10_000);
/// # drop(held);
/// ```
#[derive(Debug, Default)]
pub struct Total(AtomicUsize);

impl Total {
    /// Nothing allocated yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// Bytes allocated at this moment.
    #[must_use]
    pub fn now(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

// SAFETY: every call goes to the system's allocator as it is; the counter does not allocate.
unsafe impl GlobalAlloc for Total {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.0.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: by the caller's word.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.0.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: by the caller's word.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.0.fetch_add(size, Ordering::Relaxed);
        self.0.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: by the caller's word.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.0.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: by the caller's word.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[global_allocator]
    static COUNTING: Counting = Counting;

    #[test]
    fn the_meter_sees_what_is_held_and_what_was() {
        let meter = Meter::start();
        let held = vec![0_u8; 1000];
        drop(vec![0_u8; 5000]);
        assert_eq!((meter.held(), meter.peak()), (1000, 6000));
        drop(held);
        assert_eq!((meter.held(), meter.peak()), (0, 6000));
        assert_eq!(meter.allocations(), 2);
        let mut grows = Vec::with_capacity(10);
        grows.extend([0_u8; 11]);
        assert_eq!(meter.allocations(), 4);
    }
}
