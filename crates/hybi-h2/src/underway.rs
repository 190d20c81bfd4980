//! Underway: what of a stream waits in the connection to be sent, and who waits for it to have left.

use core::{
    fmt,
    task::{Context, Poll, Waker},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes};

/// The frames of one stream that have not left.
///
/// HTTP/2 discards what waits of a stream that is cancelled, and a stream that is dropped is cancelled. So a flush that
/// did not wait would lose what was said last.
#[derive(Debug, Default)]
pub(crate) struct Underway(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    frames: usize,
    /// Whoever waits for none to be left.
    waiting: Option<Waker>,
}

impl Underway {
    /// The payload of one more frame.
    pub(crate) fn payload(&self, bytes: Bytes) -> Payload {
        self.state().frames += 1;
        Payload { bytes, underway: Self(self.0.clone()) }
    }

    /// Waits until all frames have left, or never will.
    pub(crate) fn poll_left(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.frames == 0 {
            return Poll::Ready(());
        }
        state.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // It is whole between any two statements.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The payload of a `DATA` frame, which is dropped when it has left.
pub(crate) struct Payload {
    bytes: Bytes,
    underway: Underway,
}

impl Buf for Payload {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, len: usize) {
        self.bytes.advance(len);
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        let mut state = self.underway.state();
        state.frames -= 1;
        let waiting = if state.frames == 0 { state.waiting.take() } else { None };
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload").field("len", &self.bytes.len()).finish_non_exhaustive()
    }
}
