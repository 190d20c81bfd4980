//! Lease: how many compressors may be held in the middle of a payload.
//!
//! Between the slices of a long message its compressor has what no other could be given, so it is
//! held, outside the [store](super::store). A thousand tasks that send long messages take turns, and
//! without a limit each would hold one.

use core::sync::atomic::{AtomicUsize, Ordering};

use super::store::{Stored, budget};

/// Leave to hold a state until this is dropped. All of them together are for as many bytes as the
/// store has for states between two messages.
#[derive(Debug)]
pub(super) struct Lease(usize);

impl Lease {
    /// `None` if as much is held as may be.
    pub(super) fn take(state: &impl Stored) -> Option<Self> {
        let (size, most) = (state.size(), budget().0);
        // Nothing else is read or written by the order of this.
        let taken = HELD.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
            held.checked_add(size).filter(|&held| held <= most)
        });
        taken.is_ok().then_some(Self(size))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        HELD.fetch_sub(self.0, Ordering::Relaxed);
    }
}

static HELD: AtomicUsize = AtomicUsize::new(0);
