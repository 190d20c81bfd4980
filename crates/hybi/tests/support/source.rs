//! Input without end, as a function makes it; output is taken at once, or never.

use core::task::{Context, Poll};
use std::io::{self, IoSlice};

use hybi::io::Transport;

/// Fills the front of what it is given, and says how much.
type Read = dyn FnMut(&mut [u8]) -> usize;

/// A peer that never stops to send.
pub(crate) struct Source {
    read: Box<Read>,
    output: Output,
}

/// What becomes of what is sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Taken,
    /// It does not read.
    Blocked,
}

impl Output {
    pub(crate) const BOTH: [Self; 2] = [Self::Taken, Self::Blocked];
}

impl Source {
    /// `read` fills the front of what it is given, and says how much of it.
    pub(crate) fn new(output: Output, read: impl FnMut(&mut [u8]) -> usize + 'static) -> Self {
        Self { read: Box::new(read), output }
    }
}

impl Transport for Source {
    fn poll_read(&mut self, _: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok((self.read)(chunk)))
    }

    fn poll_write(
        &mut self,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.output {
            Output::Taken => Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum())),
            Output::Blocked => Poll::Pending,
        }
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
