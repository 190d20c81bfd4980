//! Driver: moves bytes between a transport and a [`Connection`], written once for all runtimes.
//!
//! Nothing is kept in futures: each call picks up where the last one stopped, so dropping a
//! future in the middle loses nothing.
//!
//! ```text
//!  transport --poll_read--> chunk --Connection--> event --> whoever receives
//!  transport <--poll_write-- outbox <--Connection-- message <-- whoever sends
//! ```
//!
//! One half receives, any number send. Whoever receives takes in everything. Whoever sends, and has to
//! wait or to flush, takes in the control frames at the front of the input, never past a message that
//! nobody took: so Pings are answered and a Close frame is seen while an application only sends.

mod asked;
mod receiving;
mod sending;

use core::task::{Context, Poll, ready};
use std::io::{self, IoSlice};

pub(crate) use self::{
    receiving::{Takes, kind},
    sending::Patience,
};
use super::{
    closer::Asked,
    io::{Timer, Transport},
    pool::ThreadChunk,
    wakers::{Half, Wakers},
};
use crate::connection::{Connection, Judge, State};

/// How many segments one vectored write may take.
const SLICES: usize = 16;

/// How much a connection may do in a row, without ever waiting, before it lets other tasks run once: a
/// peer that sends faster than it is read would otherwise keep the thread for itself. A write counts once, and so
/// does a frame; a read counts by its bytes, so that two of a whole block are a turn; and all count across calls.
const TURNS: u16 = 4096;

#[derive(Debug)]
pub(crate) struct Driver<T, C> {
    pub(super) transport: T,
    timer: C,
    pub(crate) connection: Connection,
    input: Input,
    output: Output,
    pub(super) wakers: Wakers,
    turns: u16,
    after_message: AfterMessage,
    /// What senders take in: it is everything once nobody receives any more, or nobody is to.
    pub(super) senders_take: Takes,
    /// Whether somebody else asks for the end.
    asked: Asked,
}

/// What was read.
#[derive(Debug)]
enum Input {
    Empty,
    /// It was read to its end since anybody sent, which spares that a look at it.
    Watched,
    Unread(ThreadChunk),
    /// The chunk is with the receiving half, which lent a message of it.
    Lent,
    /// The peer ended its half, or reading failed: there is nothing to read any more, and asking again
    /// would be answered at once, for ever.
    Ended,
}

/// What the transport has of what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Output {
    Flushed,
    /// It took bytes and has not been flushed since.
    Unflushed,
}

/// Whether whoever sends had the time to answer what was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AfterMessage {
    Waited,
    /// A message was handed out since the receiving half waited last.
    AtOnce,
}

/// What the transport did.
enum Written {
    Bytes(usize),
    Flushed,
}

impl<T: Transport, C: Timer> Driver<T, C> {
    pub(crate) fn new(
        transport: T,
        timer: C,
        connection: Connection,
        input: Option<ThreadChunk>,
    ) -> Self {
        Self {
            transport,
            timer,
            connection,
            input: input.map_or(Input::Empty, |mut chunk| {
                chunk.give_back_the_rest();
                Input::Unread(chunk)
            }),
            output: Output::Flushed,
            wakers: Wakers::default(),
            turns: 0,
            after_message: AfterMessage::Waited,
            senders_take: Takes::Control,
            asked: Asked::default(),
        }
    }

    /// Sends what is queued; ready when all of it is with the transport, or never will be.
    pub(crate) fn poll_transmit(&mut self, cx: &Context<'_>, half: Half) -> Poll<()> {
        // A long message is encoded slice by slice. Others have their turn before the next one.
        if !self.connection.is_encoding() || !self.connection.encode_slice() {
            return self.poll_write(cx, half);
        }
        let _ = self.wakers.join(half, cx.waker());
        cx.waker().wake_by_ref();
        let _ = self.poll_write(cx, half);
        Poll::Pending
    }

    /// Sends what is encoded.
    fn poll_write(&mut self, cx: &Context<'_>, half: Half) -> Poll<()> {
        loop {
            let is_flushed = self.output == Output::Flushed || self.is_closed();
            let cx = &mut Context::from_waker(self.wakers.join(half, cx.waker()));
            let polled = match self.connection.transmit_in_one() {
                Some([]) if is_flushed => return Poll::Ready(()),
                Some([]) => self.transport.poll_flush(cx).map_ok(|()| Written::Flushed),
                Some(slice) => {
                    self.transport.poll_write(cx, &[IoSlice::new(slice)]).map_ok(Written::Bytes)
                }
                None => {
                    let mut slices = [IoSlice::new(&[]); SLICES];
                    let count = self.connection.poll_transmit_queued(&mut slices);
                    self.transport.poll_write(cx, &slices[..count]).map_ok(Written::Bytes)
                }
            };
            match polled {
                Poll::Ready(Ok(Written::Flushed)) => {
                    self.output = Output::Flushed;
                    self.connection.transmitted(0);
                    self.wakers.call_others(half);
                }
                Poll::Ready(Ok(Written::Bytes(len @ 1..))) => {
                    // What comes of it in the end, a flush or a block, is told.
                    self.output = Output::Unflushed;
                    self.connection.transmitted(len);
                }
                Poll::Ready(Ok(Written::Bytes(0))) => {
                    self.has_failed(half, io::ErrorKind::WriteZero.into());
                }
                Poll::Ready(Err(error)) => self.has_failed(half, error),
                Poll::Pending => {
                    if !self.connection.is_blocked() {
                        self.connection.transmit_blocked();
                        // A deadline begins, which this half does not keep if it only queues.
                        self.wakers.call_others(half);
                    }
                    return Poll::Pending;
                }
            }
        }
    }

    fn has_failed(&mut self, half: Half, error: io::Error) {
        self.connection.handle_write_error(error);
        self.output = Output::Flushed;
        self.wakers.call_others(half);
    }

    /// Takes the steps that end the transport, as far as they can be taken; true when over.
    fn poll_end(&mut self, cx: &Context<'_>, half: Half) -> bool {
        while self.connection.wants_shutdown() && self.output == Output::Flushed {
            let cx = &mut Context::from_waker(self.wakers.join(half, cx.waker()));
            match self.transport.poll_shutdown(cx) {
                Poll::Ready(Ok(())) => self.connection.shutdown_done(),
                Poll::Ready(Err(error)) => self.connection.shutdown_failed(error),
                Poll::Pending => return false,
            }
        }
        let is_closed = self.is_closed();
        if is_closed && self.asked.may_be_asked() {
            self.asked.ended(self.connection.close_status().as_ref(), self.connection.error());
        }
        is_closed
    }

    /// Ends our half of the transport if it is time, and waits for nothing.
    pub(crate) fn end_if_due(&mut self, cx: &Context<'_>, half: Half) {
        let _ = self.poll_end(cx, half);
    }

    fn is_closed(&self) -> bool {
        self.connection.state() == State::Closed && !self.connection.wants_shutdown()
    }

    /// Lets other tasks run once, after so much work without waiting. Deadlines are looked at before
    /// waiting, but some peers never let us wait, so they are looked at here as well.
    #[inline]
    fn poll_turn(&mut self, cx: &Context<'_>, half: Half) -> Poll<()> {
        if self.turns < TURNS {
            return Poll::Ready(());
        }
        self.give_up_turn(cx, half)
    }

    #[inline(never)]
    fn give_up_turn(&mut self, cx: &Context<'_>, half: Half) -> Poll<()> {
        self.turns = 0;
        let now = self.timer.now();
        let judge = match half {
            Half::Receive => Judge::Reader,
            Half::Send(_) => Judge::Sender,
        };
        let deadline = self.connection.poll_judged_timeout(judge, || now);
        if deadline.is_some_and(|deadline| deadline <= now) {
            self.connection.judge_timeout(judge, now);
            self.wakers.call_others(half);
        }
        self.close_if_asked(half);
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Waits for the next deadline; ready when one has passed and was dealt with.
    fn poll_deadline(&mut self, cx: &Context<'_>, half: Half, judge: Judge) -> Poll<()> {
        // The timer is one for all who wait, so it keeps the deadlines of whoever receives as well.
        let keeps = if self.wakers.receiver_waits() { Judge::Reader } else { judge };
        if self.asked.may_be_asked() && self.poll_asked(cx, half).is_ready() {
            return Poll::Ready(());
        }
        let waker = self.wakers.join(half, cx.waker());
        let Some(deadline) = self.connection.poll_judged_timeout(keeps, || self.timer.now()) else {
            return Poll::Pending;
        };
        ready!(self.timer.poll_until(&mut Context::from_waker(waker), deadline));
        self.connection.judge_timeout(judge, self.timer.now());
        // They judge for themselves, and keep their own deadlines from then on.
        self.wakers.call_others(half);
        Poll::Ready(())
    }
}
