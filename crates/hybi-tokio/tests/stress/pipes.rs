//! A pipe in each direction, whose capacity can be made less: a handshake of TLS 1.3 needs more room
//! than some of these tests leave.

use core::{
    pin::Pin,
    task::{Context, Poll, Waker},
};
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

#[derive(Debug)]
struct Pipe {
    bytes: VecDeque<u8>,
    capacity: usize,
    ended: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// One direction, of which both ends hold a share.
#[derive(Clone, Debug)]
struct Shared(Arc<Mutex<Pipe>>);

impl Shared {
    fn new(capacity: usize) -> Self {
        let bytes = VecDeque::new();
        let pipe = Pipe { bytes, capacity, ended: false, reader: None, writer: None };
        Self(Arc::new(Mutex::new(pipe)))
    }

    fn lock(&self) -> MutexGuard<'_, Pipe> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        let mut pipe = self.lock();
        pipe.ended = true;
        pipe.reader.take().into_iter().for_each(Waker::wake);
    }
}

/// An end of a link; it remembers one waker for reading and one for writing, as sockets do.
#[derive(Debug)]
pub(crate) struct End {
    input: Shared,
    output: Shared,
}

/// A link on which `capacity` bytes may be on their way in each direction.
pub(crate) fn link(capacity: usize) -> [End; 2] {
    let (up, down) = (Shared::new(capacity), Shared::new(capacity));
    [End { input: down.clone(), output: up.clone() }, End { input: up, output: down }]
}

impl End {
    /// Leaves room for so many bytes of its output from now on.
    pub(crate) fn narrow(&self, capacity: usize) {
        self.output.lock().capacity = capacity;
    }
}

impl AsyncRead for End {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut pipe = self.input.lock();
        if pipe.bytes.is_empty() && !pipe.ended {
            pipe.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let len = buffer.remaining().min(pipe.bytes.len());
        buffer.put_slice(&pipe.bytes.drain(..len).collect::<Vec<_>>());
        pipe.writer.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for End {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut pipe = self.output.lock();
        let len = bytes.len().min(pipe.capacity.saturating_sub(pipe.bytes.len()));
        if len == 0 && !bytes.is_empty() {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        pipe.bytes.extend(&bytes[..len]);
        pipe.reader.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(len))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output.end();
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.output.end();
    }
}
