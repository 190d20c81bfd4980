//! A simulated transport: two pipes of bounded capacity, partial reads and writes, and operations
//! that are pending before they do anything.

use core::{
    cell::RefCell,
    task::{Context, Poll, Waker},
};
use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    rc::Rc,
};

use hybi::io::Transport;

/// How an end of a link behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manners {
    /// Each operation is pending this many times, waking its task at once, before it is tried.
    pub(crate) reluctance: usize,
    /// The most bytes that one read gives.
    pub(crate) read: usize,
    /// The most bytes that one write takes.
    pub(crate) write: usize,
    /// The most bytes on their way from this end to the other.
    pub(crate) capacity: usize,
}

impl Manners {
    pub(crate) const PLAIN: Self =
        Self { reluctance: 0, read: usize::MAX, write: usize::MAX, capacity: usize::MAX };
}

/// One direction. It remembers one waker for its reader and one for its writer, as sockets do:
/// whoever polls last replaces the one before.
#[derive(Debug, Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    capacity: usize,
    ended: bool,
    /// The flush is pending until the test lets it go.
    flush_held: bool,
    /// How many writes took bytes.
    writes: usize,
    dropped: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    fn wake_reader(&mut self) {
        self.reader.take().into_iter().for_each(Waker::wake);
    }

    fn wake_writer(&mut self) {
        self.writer.take().into_iter().for_each(Waker::wake);
    }
}

/// The end that is tested.
#[derive(Debug)]
pub(crate) struct End {
    output: Rc<RefCell<Pipe>>,
    input: Rc<RefCell<Pipe>>,
    manners: Manners,
    refused: [usize; 4],
}

/// The other end, moved by the test itself.
#[derive(Debug)]
pub(crate) struct Far {
    output: Rc<RefCell<Pipe>>,
    input: Rc<RefCell<Pipe>>,
}

#[derive(Clone, Copy)]
enum Operation {
    Read,
    Write,
    Flush,
    Shutdown,
}

fn pipes(one: Manners, other: Manners) -> [Rc<RefCell<Pipe>>; 2] {
    [one, other].map(|manners| {
        Rc::new(RefCell::new(Pipe { capacity: manners.capacity, ..Pipe::default() }))
    })
}

/// A link with one end to be tested.
pub(crate) fn link(manners: Manners) -> (End, Far) {
    let [output, input] = pipes(manners, Manners::PLAIN);
    let far = Far { output: input.clone(), input: output.clone() };
    (End { output, input, manners, refused: [0; 4] }, far)
}

/// A link with two ends to be tested.
pub(crate) fn link_both(one: Manners, other: Manners) -> (End, End) {
    let [up, down] = pipes(one, other);
    let far = End { output: down.clone(), input: up.clone(), manners: other, refused: [0; 4] };
    (End { output: up, input: down, manners: one, refused: [0; 4] }, far)
}

impl End {
    fn refuses(&mut self, operation: Operation, cx: &Context<'_>) -> bool {
        let refused = &mut self.refused[operation as usize];
        if *refused == self.manners.reluctance {
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
        let pipe = &mut *self.input.borrow_mut();
        if pipe.bytes.is_empty() && !pipe.ended {
            pipe.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let len = chunk.len().min(self.manners.read).min(pipe.bytes.len());
        for (place, byte) in chunk.iter_mut().zip(pipe.bytes.drain(..len)) {
            *place = byte;
        }
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
        let pipe = &mut *self.output.borrow_mut();
        assert!(!pipe.ended, "written after the sending half was ended");
        let room = pipe.capacity - pipe.bytes.len();
        if room == 0 {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let before = pipe.bytes.len();
        let bytes = slices.iter().flat_map(|slice| slice.iter().copied());
        pipe.bytes.extend(bytes.take(room.min(self.manners.write)));
        pipe.writes += 1;
        pipe.wake_reader();
        Poll::Ready(Ok(pipe.bytes.len() - before))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.refuses(Operation::Flush, cx) {
            return Poll::Pending;
        }
        let pipe = &mut *self.output.borrow_mut();
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
        let pipe = &mut *self.output.borrow_mut();
        pipe.ended = true;
        pipe.wake_reader();
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let output = &mut *self.output.borrow_mut();
        output.ended = true;
        output.dropped = true;
        output.wake_reader();
    }
}

impl Far {
    /// Takes up to `len` bytes off the link.
    pub(crate) fn take(&self, len: usize) -> Vec<u8> {
        let pipe = &mut *self.input.borrow_mut();
        let len = len.min(pipe.bytes.len());
        let taken = pipe.bytes.drain(..len).collect();
        if len > 0 {
            pipe.wake_writer();
        }
        taken
    }

    pub(crate) fn put(&self, bytes: &[u8]) {
        let pipe = &mut *self.output.borrow_mut();
        pipe.bytes.extend(bytes);
        pipe.wake_reader();
    }

    pub(crate) fn end(&self) {
        let pipe = &mut *self.output.borrow_mut();
        pipe.ended = true;
        pipe.wake_reader();
    }

    pub(crate) fn hold_flush(&self, held: bool) {
        let pipe = &mut *self.input.borrow_mut();
        pipe.flush_held = held;
        if !held {
            pipe.wake_writer();
        }
    }

    /// How many writes of the other end took bytes.
    pub(crate) fn writes(&self) -> usize {
        self.input.borrow().writes
    }

    /// The other end has ended its half, and everything before that was taken.
    pub(crate) fn sees_end(&self) -> bool {
        let pipe = self.input.borrow();
        pipe.ended && pipe.bytes.is_empty()
    }

    /// The other end was dropped altogether.
    pub(crate) fn sees_drop(&self) -> bool {
        self.input.borrow().dropped
    }
}
