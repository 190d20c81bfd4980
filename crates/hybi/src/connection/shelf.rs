//! Shelf: what threads that wait leave for whichever thread needs it next.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many things lie there at the most: as many as threads of large machines use at a time.
const KEPT: usize = 32;

/// Things of one kind, for all threads of the process.
///
/// Threads that serve many connections never leave anything here: to ask costs them one look at a number.
pub(crate) struct Shelf<T> {
    len: AtomicUsize,
    things: Mutex<Vec<T>>,
}

impl<T> Shelf<T> {
    pub(crate) const fn new() -> Self {
        Self { len: AtomicUsize::new(0), things: Mutex::new(Vec::new()) }
    }

    fn things(&self) -> MutexGuard<'_, Vec<T>> {
        self.things.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one left last that is fit to be used: it is in a cache still.
    pub(crate) fn take(&self, is_fit: impl FnMut(&mut T) -> bool) -> Option<T> {
        // Whoever misses one that is just being left makes another.
        if self.len.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut things = self.things();
        let at = things.iter_mut().rposition(is_fit)?;
        let taken = things.remove(at);
        self.len.store(things.len(), Ordering::Relaxed);
        Some(taken)
    }

    /// Takes over all of these, and leaves their room. What was left longest ago makes way.
    pub(crate) fn leave(&self, left: &mut Vec<T>) {
        if left.is_empty() {
            return;
        }
        let mut things = self.things();
        things.append(left);
        let surplus = things.len().saturating_sub(KEPT);
        let gone = if surplus > 0 { things.drain(..surplus).collect() } else { Vec::new() };
        self.len.store(things.len(), Ordering::Relaxed);
        // Released without the lock.
        drop(things);
        drop(gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_that_is_fit_is_taken_first() {
        let shelf = Shelf::new();
        assert_eq!(shelf.take(|_| true), None);
        let mut left = vec![1, 2, 3];
        shelf.leave(&mut left);
        assert!(left.is_empty() && left.capacity() >= 3);
        assert_eq!(shelf.take(|thing| *thing != 3), Some(2));
        assert_eq!([shelf.take(|_| true), shelf.take(|_| true)], [Some(3), Some(1)]);
        assert_eq!(shelf.take(|_| true), None);
    }

    #[test]
    fn what_is_too_much_is_let_go_oldest_first() {
        let shelf = Shelf::new();
        for n in 0..KEPT + 2 {
            shelf.leave(&mut vec![n]);
        }
        for n in (2..KEPT + 2).rev() {
            assert_eq!(shelf.take(|_| true), Some(n));
        }
        assert_eq!(shelf.take(|_| true), None);
    }
}
