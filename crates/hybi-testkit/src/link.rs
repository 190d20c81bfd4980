//! A link between two ends: two wires with delay, bounded room, reads and writes in pieces, and faults.
//!
//! Both ends are transports of [`hybi::io`]. Each [`Wire`] can be told to stall, to end, to break: at any
//! moment, by whoever holds a clone of it.

use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use hybi::io::{Timer as _, Transport};

use crate::clock::{Clock, ClockTimer};

/// How one direction of a link carries bytes; as it is made, it takes all of them and gives them at once.
///
/// ```
/// use std::time::Duration;
/// use hybi_testkit::link::Conditions;
///
/// // A slow line, and a peer that reads in pieces.
/// let slow = Conditions::default().delay(Duration::from_millis(300)).capacity(64 * 1024).read(1000);
/// # let _ = slow;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conditions {
    /// How long a byte is on its way.
    pub delay: Duration,
    /// The most bytes that are on their way, or there and not read.
    pub capacity: usize,
    /// The most bytes that one read gives.
    pub read: usize,
    /// The most bytes that one write takes.
    pub write: usize,
    /// How often each operation is pending, and wakes its task at once, before it is tried.
    pub reluctance: usize,
}

impl Default for Conditions {
    fn default() -> Self {
        let all = usize::MAX;
        Self { delay: Duration::ZERO, capacity: all, read: all, write: all, reluctance: 0 }
    }
}

impl Conditions {
    /// How long a byte is on its way.
    #[must_use]
    pub fn delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// The most bytes that are on their way, or there and not read; at least 1.
    #[must_use]
    pub fn capacity(self, bytes: usize) -> Self {
        Self { capacity: bytes.max(1), ..self }
    }

    /// The most bytes that one read gives; at least 1.
    #[must_use]
    pub fn read(self, bytes: usize) -> Self {
        Self { read: bytes.max(1), ..self }
    }

    /// The most bytes that one write takes; at least 1.
    #[must_use]
    pub fn write(self, bytes: usize) -> Self {
        Self { write: bytes.max(1), ..self }
    }

    /// How often each operation is pending, and wakes its task at once, before it is tried.
    ///
    /// Two tasks that wait for the same end keep each other awake with it.
    #[must_use]
    pub fn reluctance(self, times: usize) -> Self {
        Self { reluctance: times, ..self }
    }
}

/// How a wire came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Whole,
    /// No more is written; at this moment the reader sees the end behind the last byte.
    Ended(Instant),
    /// Both sides of it get this error, and what was on its way is lost.
    Broken(io::ErrorKind),
}

/// One direction. It remembers one waker for its reader and one for its writer, as sockets do: whoever
/// polls last replaces the one before.
#[derive(Debug)]
struct Pipe {
    conditions: Conditions,
    bytes: VecDeque<u8>,
    /// How many bytes at the front are there.
    arrived: usize,
    /// How many come behind them, and when.
    coming: VecDeque<(Instant, usize)>,
    /// Wakes the reader when more is there.
    arrival: ClockTimer,
    fate: Fate,
    /// Nothing arrives.
    stalled: bool,
    /// The writer's flush is pending.
    flush_held: bool,
    /// Nobody is left to read: whatever is there or comes breaks the other direction, as in TCP.
    deserted: bool,
    written: u64,
    writes: usize,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    fn new(clock: &Clock, conditions: Conditions) -> Self {
        Self {
            conditions,
            bytes: VecDeque::new(),
            arrived: 0,
            coming: VecDeque::new(),
            arrival: clock.timer(),
            fate: Fate::Whole,
            stalled: false,
            flush_held: false,
            deserted: false,
            written: 0,
            writes: 0,
            reader: None,
            writer: None,
        }
    }

    fn wake_reader(&mut self) {
        self.reader.take().into_iter().for_each(Waker::wake);
    }

    fn wake_writer(&mut self) {
        self.writer.take().into_iter().for_each(Waker::wake);
    }

    /// Takes in up to `room` of `slices`.
    fn put(&mut self, slices: &[IoSlice<'_>], room: usize) -> usize {
        let before = self.bytes.len();
        let mut room = room;
        for slice in slices {
            let taken = slice.len().min(room);
            self.bytes.extend(&slice[..taken]);
            room -= taken;
        }
        let len = self.bytes.len() - before;
        self.written += len as u64;
        self.writes += usize::from(len > 0);
        if self.conditions.delay.is_zero() && self.coming.is_empty() {
            self.arrived += len;
        } else {
            self.coming.push_back((self.arrival.now() + self.conditions.delay, len));
        }
        self.wake_reader();
        len
    }

    /// When something comes next that is not there yet.
    fn next_arrival(&self) -> Option<Instant> {
        match (self.coming.front(), self.fate) {
            _ if self.stalled => None,
            (Some(&(arrival, _)), _) | (None, Fate::Ended(arrival)) => Some(arrival),
            _ => None,
        }
    }

    /// How many bytes are there; wakes the reader for more.
    fn poll_arrived(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if let Fate::Broken(kind) = self.fate {
            return Poll::Ready(Err(kind.into()));
        }
        while let Some(&(at, len)) = self.coming.front()
            && at <= self.arrival.now()
        {
            self.arrived += len;
            self.coming.pop_front();
        }
        if !self.stalled && self.arrived > 0 {
            return Poll::Ready(Ok(self.arrived));
        }
        if let Some(next) = self.next_arrival()
            && self.arrival.poll_until(cx, next).is_ready()
        {
            // Nothing is on its way any more, so it is the end.
            return Poll::Ready(Ok(0));
        }
        self.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    fn end(&mut self) {
        if self.fate == Fate::Whole {
            self.fate = Fate::Ended(self.arrival.now() + self.conditions.delay);
            self.wake_reader();
        }
    }

    fn break_off(&mut self, kind: io::ErrorKind) {
        self.bytes.clear();
        self.coming.clear();
        self.arrived = 0;
        self.fate = Fate::Broken(kind);
        self.wake_reader();
        self.wake_writer();
    }
}

/// One direction of a link, to look at it and to do things to it. Clones are the same wire.
#[derive(Clone, Debug)]
pub struct Wire(Arc<Mutex<Pipe>>);

impl Wire {
    fn pipe(&self) -> MutexGuard<'_, Pipe> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes how it carries bytes from now on.
    pub fn set(&self, conditions: Conditions) {
        let mut pipe = self.pipe();
        pipe.conditions = conditions;
        pipe.wake_writer();
    }

    /// Nothing arrives any more, not even the end, until it goes on; what is written fills the room that
    /// there is, as on a network that loses every packet.
    pub fn stall(&self) {
        self.pipe().stalled = true;
    }

    /// Goes on after [`stall`](Self::stall).
    pub fn go_on(&self) {
        let mut pipe = self.pipe();
        pipe.stalled = false;
        pipe.wake_reader();
    }

    /// The reader sees the end behind what was written so far, and nothing is written any more.
    pub fn end(&self) {
        let mut pipe = self.pipe();
        pipe.end();
        pipe.wake_writer();
    }

    /// Breaks it: its reader and its writer get `ConnectionReset`, and what was on its way is lost.
    ///
    /// A connection that is reset is reset in both directions: see [`reset`].
    pub fn break_off(&self) {
        self.pipe().break_off(io::ErrorKind::ConnectionReset);
    }

    /// Keeps the writer's flush pending, or lets it go.
    pub fn hold_flush(&self, held: bool) {
        let mut pipe = self.pipe();
        pipe.flush_held = held;
        pipe.wake_writer();
    }

    /// Bytes on their way, or there and not read.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pipe().bytes.len()
    }

    /// All bytes that were ever written.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.pipe().written
    }

    /// How many writes took bytes.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.pipe().writes
    }

    /// When something arrives next that is on its way: bytes, or the end.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Instant> {
        let pipe = self.pipe();
        pipe.next_arrival().filter(|arrival| *arrival > pipe.arrival.now())
    }

    /// Nothing is written any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.pipe().fate != Fate::Whole
    }
}

/// Resets a connection: both of its directions break.
pub fn reset(end: &End) {
    end.output.break_off();
    end.input.break_off();
}

/// One end of a link. Dropping it ends what it writes; and as in TCP, what it has not read then, and what
/// still comes, resets the connection.
///
/// ```
/// use hybi_testkit::{clock::Clock, link::{self, Conditions}};
///
/// let clock = Clock::new();
/// let (mut near, mut far) = link::link(&clock, Conditions::default(), Conditions::default());
/// near.try_write(b"hello");
/// assert_eq!(far.try_read(3), b"hel");
/// assert_eq!(far.try_read(usize::MAX), b"lo");
/// ```
#[derive(Debug)]
pub struct End {
    output: Wire,
    input: Wire,
    /// How often the operation at hand was refused, for each kind.
    refused: [usize; 4],
}

/// A link: `one_way` is what the first end writes, `other_way` what the second writes.
#[must_use]
pub fn link(clock: &Clock, one_way: Conditions, other_way: Conditions) -> (End, End) {
    let [one, other] = [one_way, other_way]
        .map(|conditions| Wire(Arc::new(Mutex::new(Pipe::new(clock, conditions)))));
    let first = End { output: one.clone(), input: other.clone(), refused: [0; 4] };
    (first, End { output: other, input: one, refused: [0; 4] })
}

#[derive(Clone, Copy)]
enum Operation {
    Read,
    Write,
    Flush,
    Shutdown,
}

impl End {
    /// The direction in which this end writes.
    #[must_use]
    pub fn output(&self) -> Wire {
        self.output.clone()
    }

    /// The direction in which this end reads.
    #[must_use]
    pub fn input(&self) -> Wire {
        self.input.clone()
    }

    /// Writes as many of these bytes as there is room for, and says how many, for a test that moves this
    /// end itself.
    pub fn try_write(&mut self, bytes: &[u8]) -> usize {
        let mut cx = Context::from_waker(Waker::noop());
        match self.poll_write(&mut cx, &[IoSlice::new(bytes)]) {
            Poll::Ready(Ok(len)) => len,
            _ => 0,
        }
    }

    /// Reads up to `most` of the bytes that are there.
    #[must_use]
    pub fn try_read(&mut self, most: usize) -> Vec<u8> {
        let mut bytes = vec![0; most.min(self.input.pending())];
        let mut cx = Context::from_waker(Waker::noop());
        let len = match self.poll_read(&mut cx, &mut bytes) {
            Poll::Ready(Ok(len)) => len,
            _ => 0,
        };
        bytes.truncate(len);
        bytes
    }

    fn refuses(&mut self, operation: Operation, cx: &Context<'_>) -> bool {
        let wire = if matches!(operation, Operation::Read) { &self.input } else { &self.output };
        let reluctance = wire.pipe().conditions.reluctance;
        let refused = &mut self.refused[operation as usize];
        if *refused >= reluctance {
            *refused = 0;
            return false;
        }
        *refused += 1;
        cx.waker().wake_by_ref();
        true
    }
}

impl Transport for End {
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.refuses(Operation::Read, cx) {
            return Poll::Pending;
        }
        let pipe = &mut *self.input.pipe();
        let arrived = core::task::ready!(pipe.poll_arrived(cx))?;
        let len = chunk.len().min(pipe.conditions.read).min(arrived);
        for (place, byte) in chunk.iter_mut().zip(pipe.bytes.drain(..len)) {
            *place = byte;
        }
        pipe.arrived -= len;
        pipe.wake_writer();
        Poll::Ready(Ok(len))
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.refuses(Operation::Write, cx) {
            return Poll::Pending;
        }
        let mut pipe = self.output.pipe();
        match pipe.fate {
            Fate::Broken(kind) => return Poll::Ready(Err(kind.into())),
            Fate::Ended(_) => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Fate::Whole => {}
        }
        if pipe.deserted && !pipe.stalled {
            drop(pipe);
            // What comes to a socket that is gone is answered with a reset, if that finds its way.
            if !self.input.pipe().stalled {
                reset(self);
            }
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        let room = pipe.conditions.capacity.saturating_sub(pipe.bytes.len());
        if room == 0 {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let room = room.min(pipe.conditions.write);
        Poll::Ready(Ok(pipe.put(slices, room)))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.refuses(Operation::Flush, cx) {
            return Poll::Pending;
        }
        let mut pipe = self.output.pipe();
        if pipe.flush_held {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.refuses(Operation::Shutdown, cx) {
            return Poll::Pending;
        }
        let mut pipe = self.output.pipe();
        if let Fate::Broken(kind) = pipe.fate {
            return Poll::Ready(Err(kind.into()));
        }
        pipe.end();
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let unread = {
            let mut input = self.input.pipe();
            input.deserted = true;
            input.wake_writer();
            !input.stalled && !input.bytes.is_empty()
        };
        let mut output = self.output.pipe();
        if unread && !output.stalled {
            drop(output);
            reset(self);
        } else {
            output.end();
        }
    }
}
