//! Input chunks, lent by the thread that a connection runs on.
//!
//! Connections are many and mostly idle; threads are few and always busy. So the large buffers
//! belong to the threads, and an idle connection holds none.

use core::{cell::RefCell, fmt, mem};

/// The length of an input chunk in bytes: as much as is worth asking the kernel for at once.
const CHUNK_LEN: usize = 64 * 1024;

/// How many chunks a thread keeps. One is in use at a time unless applications stop in the middle
/// of what was read, so a few are plenty.
const KEPT: usize = 4;

thread_local! {
    static CHUNKS: RefCell<Vec<Box<[u8]>>> = RefCell::default();
}

/// Input: a buffer lent by the thread, and which part of it holds unread bytes.
///
/// Invariant: `start <= end <= buffer.len()`.
pub(crate) struct Chunk {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Chunk {
    /// Borrows an empty chunk. It was zeroed when the thread first made it, and never since.
    pub(crate) fn borrow() -> Self {
        let kept = CHUNKS.try_with(|chunks| chunks.borrow_mut().pop()).ok().flatten();
        let buffer = kept.unwrap_or_else(|| vec![0; CHUNK_LEN].into_boxed_slice());
        Self { buffer, start: 0, end: 0 }
    }

    /// A chunk that holds `bytes` already; if they are too many for a buffer of the thread's, in
    /// one of its own.
    pub(crate) fn holding(bytes: &[u8]) -> Self {
        if bytes.len() > CHUNK_LEN {
            return Self { buffer: bytes.into(), start: 0, end: bytes.len() };
        }
        let mut chunk = Self::borrow();
        chunk.space()[..bytes.len()].copy_from_slice(bytes);
        chunk.filled(bytes.len());
        chunk
    }

    /// The whole buffer, to be read into from the front; nothing unread may be left in it.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        debug_assert!(self.is_empty());
        &mut self.buffer
    }

    /// Notes that the first `len` bytes of [`space`](Self::space) now hold input.
    pub(crate) fn filled(&mut self, len: usize) {
        self.start = 0;
        self.end = len.min(self.buffer.len());
    }

    /// The bytes not yet consumed.
    pub(crate) fn unread(&mut self) -> &mut [u8] {
        &mut self.buffer[self.start..self.end]
    }

    /// Marks bytes at the front of [`unread`](Self::unread) as consumed.
    pub(crate) fn consume(&mut self, len: usize) {
        self.start = (self.start + len).min(self.end);
    }

    /// The last `len` bytes that were consumed.
    pub(crate) fn consumed(&self, len: usize) -> &[u8] {
        &self.buffer[self.start - len..self.start]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let buffer = mem::take(&mut self.buffer);
        // A thread that is ending has no pool any more; the buffer is then simply released.
        let _ = CHUNKS.try_with(|chunks| {
            let mut chunks = chunks.borrow_mut();
            if chunks.len() < KEPT && buffer.len() == CHUNK_LEN {
                chunks.push(buffer);
            }
        });
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunk").field("unread", &(self.end - self.start)).finish_non_exhaustive()
    }
}
