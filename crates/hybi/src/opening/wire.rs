//! Wire: the transport of an opening handshake, which is read while it is written.
//!
//! Two ends that write until the other has taken everything wait for each other as soon as both have
//! more to say than the transport holds: a server that refuses what a client is still saying, the
//! challenge of hixie-76 and the head of its answer, or TLS 1.3, whose server sends tickets when the
//! client believes the handshake to be over. So nothing here waits for room alone.

use core::{
    future::poll_fn,
    mem,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};
use std::{
    io::{self, IoSlice},
    time::Instant,
};

use super::requested::Responder;
use crate::{
    connection::{
        Connection, DRAIN_BYTES, DRAIN_TIME, Deadline, Error, OpeningError, is_end_without_goodbye,
    },
    socket::{
        Chunk, WebSocket,
        io::{Timer, Transport},
    },
};

/// How many bytes are kept of what comes while something waits to be written. No peer has a reason to
/// send even one then; one that insists is read no further until it reads itself.
const AHEAD_BYTES: usize = 64 * 1024;

/// A transport, what is on its way through it in both directions, and the time that is left for all of it.
#[derive(Debug)]
pub(crate) struct Wire<T, C> {
    transport: T,
    timer: C,
    deadline: Instant,
    output: Output,
    /// What was read and not consumed; it is older than what is `ahead`.
    input: Option<Chunk>,
    ahead: Ahead,
    /// How often it was read in a row, without ever waiting.
    reads: u8,
}

/// So many reads in a row, and others have their turn: a head may come a byte at a time, as fast as it is read.
const READS: u8 = 32;

#[derive(Debug)]
enum Output {
    /// The transport has everything, and was flushed.
    Sent,
    /// The transport has the first `taken` bytes.
    Waiting { bytes: Vec<u8>, taken: usize },
    /// The transport takes no more. That is told when nothing is left to be read: a peer that refuses
    /// does not read on, and its answer says more than our failure.
    Failed(io::Error),
}

/// What becomes of bytes that come while something waits to be written.
#[derive(Debug)]
enum Ahead {
    Kept(Vec<u8>),
    /// So many were discarded, since the answer is final.
    Discarded(usize),
}

impl<T: Transport, C: Timer> Wire<T, C> {
    pub(crate) fn new(transport: T, timer: C, deadline: Instant) -> Self {
        let (output, ahead) = (Output::Sent, Ahead::Kept(Vec::new()));
        Self { transport, timer, deadline, output, input: None, ahead, reads: 0 }
    }

    pub(super) fn transport(&self) -> &T {
        &self.transport
    }

    pub(super) const fn timer(&self) -> &C {
        &self.timer
    }

    /// Sends the head of a response that the transport itself has a form for.
    pub(super) fn answer_by(
        &mut self,
        respond: Responder<T>,
        head: http::Response<()>,
    ) -> Result<(), Error> {
        Ok(respond(&mut self.transport, head).map_err(OpeningError::Handshake)?)
    }

    /// Leaves at least `time` from now for what follows.
    pub(super) fn grant(&mut self, time: Duration) {
        self.deadline = self.deadline.max(self.timer.now() + time);
    }

    /// Leaves at most `time` from now for what follows.
    pub(super) fn allow(&mut self, time: Duration) {
        self.deadline = self.deadline.min(self.timer.now() + time);
    }

    /// Queues bytes; they leave while [`read`](Self::read) or [`flush`](Self::flush) waits.
    pub(super) fn send(&mut self, mut bytes: Vec<u8>) {
        match &mut self.output {
            Output::Sent => self.output = Output::Waiting { bytes, taken: 0 },
            Output::Waiting { bytes: waiting, .. } => waiting.append(&mut bytes),
            Output::Failed(_) => {}
        }
    }

    /// The next input; `None` at its end.
    pub(super) async fn read(&mut self) -> Result<Option<Chunk>, Error> {
        if let Some(chunk) = self.take_input() {
            return Ok(Some(chunk));
        }
        self.in_time(|wire, cx| {
            let _ = wire.poll_output(cx);
            let read = wire.poll_read(cx);
            match &read {
                Poll::Ready(Ok(Some(_))) => read,
                _ => wire.failure().map_or(read, |error| Poll::Ready(Err(error))),
            }
        })
        .await
    }

    /// The next input as [`read`](Self::read) gives it, with the end of TLS without its goodbye taken for
    /// the end of input: a server's rules are the same over each transport.
    pub(super) async fn read_or_end(&mut self) -> Result<Option<Chunk>, Error> {
        match self.read().await {
            Err(error) if error.io_error().is_some_and(is_end_without_goodbye) => Ok(None),
            read => read,
        }
    }

    /// Puts back what was read and not consumed.
    pub(super) fn unread(&mut self, chunk: Chunk) {
        self.input = (!chunk.is_empty()).then_some(chunk);
    }

    /// Waits until the transport has everything that is queued.
    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        self.send_and(|_, _| Poll::Ready(Ok(()))).await
    }

    /// Sends what is queued and ends our half, so that the peer can read it: what the peer still says is read
    /// and discarded, within bounds, lest it cause a reset.
    pub(super) async fn finish(mut self) {
        self.ahead = Ahead::Discarded(0);
        if self.send_and(T::poll_shutdown).await.is_ok() {
            self.deadline = self.timer.now() + DRAIN_TIME;
            let _ = self.in_time(|wire, cx| wire.poll_ahead(cx).map(Ok)).await;
        }
    }

    /// Ends our half as far as that is done at once, and lets the transport go: the peer of a TLS that says no goodbye
    /// has to take the end for an attack.
    pub(super) fn leave(mut self) {
        let _ = self.transport.poll_shutdown(&mut Context::from_waker(Waker::noop()));
    }

    /// The connection that follows; it begins with what was read and not consumed.
    pub(crate) fn into_websocket(mut self, connection: Connection) -> WebSocket<T, C> {
        let input = self.take_input();
        WebSocket::with_input(connection, self.transport, self.timer, input)
    }

    /// Waits for a step, but not beyond the deadline.
    async fn in_time<R>(
        &mut self,
        mut step: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<io::Result<R>>,
    ) -> Result<R, Error> {
        poll_fn(|cx| match step(self, cx) {
            Poll::Ready(done) => Poll::Ready(Ok(done.map_err(OpeningError::Handshake)?)),
            Poll::Pending => {
                let late = self.timer.poll_until(cx, self.deadline);
                late.map(|()| Err(Error::Timeout(Deadline::Handshake)))
            }
        })
        .await
    }

    /// Waits until everything queued has left and `then` is done, and looks after what comes meanwhile.
    async fn send_and(
        &mut self,
        mut then: impl FnMut(&mut T, &mut Context<'_>) -> Poll<io::Result<()>>,
    ) -> Result<(), Error> {
        self.in_time(|wire, cx| {
            let sent = match wire.poll_output(cx) {
                Poll::Ready(()) => match wire.failure() {
                    None => then(&mut wire.transport, cx),
                    Some(error) => Poll::Ready(Err(error)),
                },
                Poll::Pending => Poll::Pending,
            };
            if sent.is_pending() {
                // Whatever ends the input does not end the output.
                let _ = wire.poll_ahead(cx);
            }
            sent
        })
        .await
    }

    /// Moves what is queued to the transport; ready when there is no more to be done.
    fn poll_output(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Output::Waiting { bytes, taken } = &mut self.output {
            self.output = match ready!(poll_all(&mut self.transport, cx, bytes, taken)) {
                Ok(()) => Output::Sent,
                Err(error) => Output::Failed(error),
            };
        }
        Poll::Ready(())
    }

    /// Why the transport takes no more, if so; told once.
    fn failure(&mut self) -> Option<io::Error> {
        match mem::replace(&mut self.output, Output::Sent) {
            Output::Failed(error) => Some(error),
            output => {
                self.output = output;
                None
            }
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Chunk>>> {
        if self.reads == READS {
            self.reads = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        // Borrowed anew for each attempt, so that waiting holds no buffer.
        let mut chunk = Chunk::borrow();
        let polled = self.transport.poll_read(cx, chunk.room(1));
        self.reads = if polled.is_ready() { self.reads + 1 } else { 0 };
        polled.map_ok(|len| {
            chunk.filled(len);
            (len > 0).then_some(chunk)
        })
    }

    /// Reads what there is; ready at the end of input, or when that is enough.
    fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let room = match &self.ahead {
                Ahead::Kept(bytes) => AHEAD_BYTES.saturating_sub(bytes.len()),
                Ahead::Discarded(len) => DRAIN_BYTES.saturating_sub(*len),
            };
            if room == 0 {
                return Poll::Ready(());
            }
            let Ok(Some(mut chunk)) = ready!(self.poll_read(cx)) else { return Poll::Ready(()) };
            match &mut self.ahead {
                Ahead::Kept(bytes) => bytes.extend_from_slice(chunk.unread()),
                Ahead::Discarded(len) => *len += chunk.unread().len(),
            }
        }
    }

    /// What came and was not consumed, in its order.
    fn take_input(&mut self) -> Option<Chunk> {
        let ahead = match &mut self.ahead {
            Ahead::Kept(bytes) => mem::take(bytes),
            Ahead::Discarded(_) => return None,
        };
        match self.input.take() {
            input if ahead.is_empty() => input,
            None => Some(Chunk::holding(&ahead)),
            Some(mut chunk) => Some(Chunk::holding(&[&*chunk.unread(), &ahead].concat())),
        }
    }
}

/// Writes the bytes behind the first `taken`, and flushes.
pub(super) fn poll_all<T: Transport>(
    transport: &mut T,
    cx: &mut Context<'_>,
    bytes: &[u8],
    taken: &mut usize,
) -> Poll<io::Result<()>> {
    while *taken < bytes.len() {
        match ready!(transport.poll_write(cx, &[IoSlice::new(&bytes[*taken..])]))? {
            0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            len => *taken += len,
        }
    }
    transport.poll_flush(cx)
}
