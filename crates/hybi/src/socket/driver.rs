//! Driver: moves bytes between a transport and a [`Connection`], written once for all runtimes.
//!
//! Nothing is kept in futures: each call picks up where the last one stopped, so dropping a
//! future in the middle loses nothing.

use core::task::{Context, Poll, ready};
use std::io::{self, IoSlice};

use hybi_frame::Assembled as Event;

use super::{
    io::{Timer, Transport},
    pool::Chunk,
    wakers::{Half, Wakers},
};
use crate::connection::{Connection, Error, State};

/// How many segments one vectored write may take.
const SLICES: usize = 16;

/// How many frames of what was read are taken in before what they caused is sent and deadlines are
/// looked at. No chunk holds as many, but an extension may make as many of it.
const FRAMES: usize = 32 * 1024;

/// How often one call may read before it lets other tasks run: a peer that sends nothing but
/// pings, faster than they are read, would otherwise keep the thread for itself.
const READS: u8 = 32;

#[derive(Debug)]
pub(crate) struct Driver<T, C> {
    transport: T,
    timer: C,
    pub(crate) connection: Connection,
    /// Input that was read and not yet consumed; none while the connection waits.
    chunk: Option<Chunk>,
    wakers: Wakers,
    /// The transport took bytes and has not been flushed since.
    unflushed: bool,
    /// Successful reads since the deadlines were looked at for their sake.
    reads: u8,
    /// The peer ended its half, or reading failed: there is nothing to read any more, and asking again
    /// would be answered at once, for ever.
    input_ended: bool,
    /// The sending half of the transport was ended, or tried to be.
    ended: bool,
}

impl<T: Transport, C: Timer> Driver<T, C> {
    pub(crate) fn new(
        transport: T,
        timer: C,
        connection: Connection,
        input: Option<Chunk>,
    ) -> Self {
        Self {
            transport,
            timer,
            connection,
            chunk: input,
            wakers: Wakers::default(),
            unflushed: false,
            reads: 0,
            input_ended: false,
            ended: false,
        }
    }

    pub(crate) fn transport(&self) -> &T {
        &self.transport
    }

    /// Receives until `take` takes an event; `None` when the connection is over and the
    /// transport has ended.
    ///
    /// Sends what is queued when, and only when, no complete frame is left in what was read: so
    /// all that one read brought is answered with one write, and nothing waits for more input.
    pub(crate) fn poll_event<R>(
        &mut self,
        cx: &mut Context<'_>,
        mut take: impl FnMut(Event<'_>) -> Option<R>,
    ) -> Poll<Option<R>> {
        for _ in 0..READS {
            if let Some(chunk) = &mut self.chunk {
                let mut frames = 0;
                while !chunk.is_empty() && frames < FRAMES {
                    frames += 1;
                    let (consumed, event) = self.connection.handle_input(chunk.unread());
                    let taken = event.and_then(&mut take);
                    chunk.consume(consumed);
                    if taken.is_some() {
                        return Poll::Ready(taken);
                    }
                }
                if chunk.is_empty() {
                    self.chunk = None;
                } else {
                    self.reads = self.reads.saturating_add(1);
                }
            }
            // Blocked or not, reading goes on: if both peers waited for the other to read, none
            // ever would.
            let _ = self.poll_transmit(cx, Half::Receive);
            // Deadlines are looked at before waiting, but some peers never let us wait. What was
            // read and what could be sent comes first, as it does there: after a long absence of
            // the application, the sign of life may be in the kernel still.
            if self.reads >= READS {
                self.reads = 0;
                self.pass_deadlines();
            }
            if self.poll_end(cx) {
                // A task that waits to send is told as well: nothing will be taken any more.
                self.wakers.wake_other(Half::Receive);
                return Poll::Ready(None);
            }
            if self.chunk.is_some() {
                continue;
            }
            if self.input_ended {
                ready!(self.poll_deadline(cx, Half::Receive));
                continue;
            }
            let transport = &mut self.transport;
            let direct = self
                .connection
                .direct_buffer()
                .map(|mut buffer| transport.poll_read_direct(cx, &mut buffer));
            if let Some(direct) = direct {
                if let Poll::Ready(read) = direct {
                    if self.has_read(read).is_some() {
                        let taken = self.connection.handle_direct().and_then(&mut take);
                        if taken.is_some() {
                            return Poll::Ready(taken);
                        }
                    }
                    continue;
                }
            } else {
                let mut chunk = Chunk::borrow();
                if let Poll::Ready(read) = self.transport.poll_read(cx, chunk.space()) {
                    if let Some(len) = self.has_read(read) {
                        chunk.filled(len);
                        self.chunk = Some(chunk);
                    }
                    continue;
                }
            }
            ready!(self.poll_deadline(cx, Half::Receive));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Gives an empty chunk back to the thread: what was lent from it is no longer used.
    pub(crate) fn release_chunk(&mut self) {
        if self.chunk.as_ref().is_some_and(Chunk::is_empty) {
            self.chunk = None;
        }
    }

    /// The last `len` bytes that were consumed of the chunk.
    pub(crate) fn consumed(&self, len: usize) -> &[u8] {
        self.chunk.as_ref().map_or(&[], |chunk| chunk.consumed(len))
    }

    fn has_read(&mut self, read: io::Result<usize>) -> Option<usize> {
        match read {
            Ok(0) => {
                self.input_ended = true;
                self.connection.handle_eof();
            }
            Ok(len) => {
                self.reads = self.reads.saturating_add(1);
                return Some(len);
            }
            Err(error) => {
                self.input_ended = true;
                self.connection.handle_transport_error(error);
            }
        }
        None
    }

    /// Sends what is queued; ready when all of it is with the transport, or never will be.
    pub(crate) fn poll_transmit(&mut self, cx: &mut Context<'_>, half: Half) -> Poll<()> {
        loop {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count = self.connection.poll_transmit(&mut slices);
            let transmitted = if count > 0 {
                let slices = &slices[..count];
                self.wakers.poll_shared(half, cx, |cx| self.transport.poll_write(cx, slices))
            } else if self.unflushed && self.connection.state() != State::Closed {
                let flush = |cx: &mut Context<'_>| self.transport.poll_flush(cx).map_ok(|()| 0);
                self.wakers.poll_shared(half, cx, flush)
            } else {
                return Poll::Ready(());
            };
            match transmitted {
                Poll::Ready(Ok(len)) if len > 0 || count == 0 => {
                    self.unflushed = count > 0;
                    self.connection.transmitted(len);
                }
                Poll::Ready(Ok(_)) => self.has_failed(half, io::ErrorKind::WriteZero.into()),
                Poll::Ready(Err(error)) => self.has_failed(half, error),
                Poll::Pending => {
                    self.connection.transmit_blocked();
                    return Poll::Pending;
                }
            }
        }
    }

    fn has_failed(&mut self, half: Half, error: io::Error) {
        self.connection.handle_write_error(error);
        self.unflushed = false;
        self.wakers.wake_other(half);
    }

    /// Sends what is queued and keeps the deadlines meanwhile, for the sending half.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            if self.poll_transmit(cx, Half::Send).is_ready() {
                return Poll::Ready(self.connection.send_error().cloned().map_or(Ok(()), Err));
            }
            ready!(self.poll_deadline(cx, Half::Send));
        }
    }

    /// Waits until a message of `len` bytes may be queued.
    pub(crate) fn poll_room(
        &mut self,
        cx: &mut Context<'_>,
        len: usize,
    ) -> Poll<Result<(), Error>> {
        loop {
            if self.connection.state() != State::Open {
                let error = self.connection.send_error().cloned().unwrap_or(Error::Closed);
                return Poll::Ready(Err(error));
            }
            if self.connection.has_room_for(len) {
                return Poll::Ready(Ok(()));
            }
            if self.poll_transmit(cx, Half::Send).is_pending() && !self.connection.has_room_for(len)
            {
                ready!(self.poll_deadline(cx, Half::Send));
            }
        }
    }

    /// The sending half changed what the receiving half waits for: a deadline began.
    pub(crate) fn wake_receiver(&self) {
        self.wakers.wake_other(Half::Send);
    }

    /// Takes the steps that end the transport, as far as they can be taken; true when over.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> bool {
        if self.connection.wants_shutdown() && !self.unflushed {
            match self.transport.poll_shutdown(cx) {
                Poll::Ready(Ok(())) => self.connection.shutdown_done(),
                Poll::Ready(Err(error)) => self.connection.handle_transport_error(error),
                Poll::Pending => return false,
            }
            self.ended = true;
        }
        let closed = self.connection.state() == State::Closed;
        if closed && !self.ended {
            // A deadline or the peer ended the connection: there is nothing to wait for, but the
            // application may keep its handle for long, and the peer should not have to.
            let _ = self.transport.poll_shutdown(cx);
            self.ended = true;
        }
        closed
    }

    /// Deals with the deadlines that have passed, without waiting for any.
    fn pass_deadlines(&mut self) {
        let now = self.timer.now();
        if self.connection.poll_timeout(|| now).is_some_and(|deadline| deadline <= now) {
            self.connection.handle_timeout(now);
            self.wakers.wake_other(Half::Receive);
        }
    }

    /// Waits for the next deadline; ready when one has passed and was dealt with.
    fn poll_deadline(&mut self, cx: &mut Context<'_>, half: Half) -> Poll<()> {
        let deadline = self.connection.poll_timeout(|| self.timer.now());
        ready!(self.wakers.poll_shared(half, cx, |cx| match deadline {
            Some(deadline) => self.timer.poll_until(cx, deadline),
            None => Poll::Pending,
        }));
        self.connection.handle_timeout(self.timer.now());
        self.wakers.wake_other(half);
        Poll::Ready(())
    }
}
