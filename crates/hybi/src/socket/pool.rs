//! Input chunks, lent by the thread that a connection runs on.
//!
//! Connections are many and mostly idle; threads are few and always busy. So the large buffers
//! belong to the threads, and an idle connection holds none. A thread that waits for one connection alone leaves
//! them to others before it does.

use core::{
    cell::RefCell,
    ops::{Deref, DerefMut},
};

use hybi_frame::Chunk;

use crate::connection::Shelf;

/// How many chunks a thread keeps. One is in use at a time unless applications stop in the middle
/// of what was read, so a few are plenty.
const KEPT: usize = 4;

thread_local! {
    // Boxed, since handles have room for a pointer and not for a chunk.
    #[expect(clippy::vec_box, reason = "they move between here and the handles as they are")]
    static CHUNKS: RefCell<Vec<Box<Chunk>>> = RefCell::default();
}

static SHELF: Shelf<Box<Chunk>> = Shelf::new();

/// Leaves the chunks that this thread keeps to whichever thread needs one next.
pub(crate) fn share() {
    let _ = CHUNKS.try_with(|chunks| SHELF.leave(&mut chunks.borrow_mut()));
}

/// A chunk that goes back to the thread when it is dropped.
#[derive(Debug)]
pub(crate) struct ThreadChunk(Option<Box<Chunk>>);

impl ThreadChunk {
    /// Borrows an empty chunk.
    pub(crate) fn borrow() -> Self {
        let kept = CHUNKS.try_with(|chunks| {
            let mut chunks = chunks.borrow_mut();
            let whole = chunks.iter_mut().rposition(|chunk| chunk.reclaim())?;
            Some(chunks.swap_remove(whole))
        });
        let kept = kept.ok().flatten().or_else(|| SHELF.take(|chunk| chunk.reclaim()));
        Self(Some(kept.unwrap_or_default()))
    }

    /// A chunk that holds `bytes` already, and no more.
    pub(crate) fn holding(bytes: &[u8]) -> Self {
        Self(Some(Box::new(Chunk::holding(bytes))))
    }

    /// The same bytes in a block with room behind them.
    pub(crate) fn with_room(bytes: &[u8]) -> Self {
        let mut chunk = Self::borrow();
        chunk.room(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        chunk.filled(bytes.len());
        chunk
    }

    /// Gives the block back to the thread if little of it is unread, which moves to one of its size.
    pub(crate) fn give_back_the_rest(&mut self) {
        if self.is_full_size()
            && let Some(block) = self.shrink_to_rest()
        {
            drop(Self(Some(Box::new(block))));
        }
    }
}

impl Deref for ThreadChunk {
    type Target = Chunk;

    #[inline]
    fn deref(&self) -> &Chunk {
        match &self.0 {
            Some(chunk) => chunk,
            None => unreachable!("taken out when it is dropped"),
        }
    }
}

impl DerefMut for ThreadChunk {
    #[inline]
    fn deref_mut(&mut self) -> &mut Chunk {
        match &mut self.0 {
            Some(chunk) => chunk,
            None => unreachable!("taken out when it is dropped"),
        }
    }
}

impl Drop for ThreadChunk {
    fn drop(&mut self) {
        let Some(mut chunk) = self.0.take() else { return };
        chunk.consume(usize::MAX);
        // Of a block that somebody holds a part of, the thread may get all back before it needs it. A
        // thread that is ending has no pool any more.
        if chunk.is_full_size() {
            let _ = CHUNKS.try_with(|chunks| {
                let mut chunks = chunks.borrow_mut();
                if chunks.len() < KEPT {
                    chunks.push(chunk);
                }
            });
        }
    }
}
