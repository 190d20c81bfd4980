//! How much is allocated: a global allocator that counts; and how much is resident.

use core::{
    alloc::{GlobalAlloc, Layout},
    sync::atomic::{AtomicUsize, Ordering},
};
use std::alloc::System;

/// The system's allocator, counted. Make it a program's `#[global_allocator]`.
#[derive(Debug, Default)]
pub struct Counting {
    now: AtomicUsize,
    peak: AtomicUsize,
    count: AtomicUsize,
    blocks: Blocks,
}

/// Blocks in use, by their size; those that are larger than any size here are counted at 0.
#[derive(Debug)]
struct Blocks([AtomicUsize; 4097]);

impl Default for Blocks {
    fn default() -> Self {
        Self::new()
    }
}

impl Blocks {
    const fn new() -> Self {
        Self([const { AtomicUsize::new(0) }; 4097])
    }

    fn of(&self, size: usize) -> &AtomicUsize {
        self.0.get(size).unwrap_or(&self.0[0])
    }
}

impl Counting {
    /// Nothing allocated yet.
    #[must_use]
    pub const fn new() -> Self {
        let (now, peak, count) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        Self { now, peak, count, blocks: Blocks::new() }
    }

    /// Bytes allocated at this moment.
    #[must_use]
    pub fn now(&self) -> usize {
        self.now.load(Ordering::Relaxed)
    }

    /// How often anything was allocated so far; what grows counts again.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// How many blocks of each size are in use: of 0 bytes, which are none, those of more than 4096.
    #[must_use]
    pub fn blocks(&self) -> Vec<usize> {
        self.blocks.0.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }

    /// The most bytes that were allocated at any moment since this was last asked.
    #[must_use]
    pub fn take_peak(&self) -> usize {
        self.peak.swap(self.now(), Ordering::Relaxed)
    }
}

// SAFETY: every call is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = self.now.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        self.count.fetch_add(1, Ordering::Relaxed);
        self.blocks.of(layout.size()).fetch_add(1, Ordering::Relaxed);
        self.peak.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.blocks.of(layout.size()).fetch_sub(1, Ordering::Relaxed);
        self.now.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// The memory of this process that is not elsewhere, in bytes; 0 where the system does not tell.
#[must_use]
pub fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok());
    kib.unwrap_or(0) * 1024
}
