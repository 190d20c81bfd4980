//! Transports between threads: two pipes of bounded capacity, with one waker for each end of each, as
//! sockets have; and a thread that runs a future.

use core::{
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Wake,
    thread::{self, Thread},
    time::Instant,
};

use hybi::io::{Timer, Transport};

/// The longest that a thread waits to be woken: a bound on hangs, never a time that passes.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    ended: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// One direction, of which both ends hold a share.
#[derive(Clone, Debug, Default)]
struct Shared(Arc<Mutex<Pipe>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Pipe> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An end of a link.
#[derive(Debug)]
pub(crate) struct End {
    input: Shared,
    output: Shared,
    capacity: usize,
}

/// A link on which `capacity` bytes may be on their way in each direction.
pub(crate) fn link(capacity: usize) -> [End; 2] {
    let (up, down) = (Shared::default(), Shared::default());
    let end = |input: &Shared, output: &Shared| End {
        input: input.clone(),
        output: output.clone(),
        capacity,
    };
    [end(&down, &up), end(&up, &down)]
}

impl Transport for End {
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut pipe = self.input.lock();
        if pipe.bytes.is_empty() && !pipe.ended {
            pipe.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let len = chunk.len().min(pipe.bytes.len());
        chunk.iter_mut().zip(pipe.bytes.drain(..len)).for_each(|(place, byte)| *place = byte);
        pipe.writer.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(len))
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut pipe = self.output.lock();
        let room = self.capacity - pipe.bytes.len();
        if room == 0 {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let before = pipe.bytes.len();
        pipe.bytes.extend(slices.iter().flat_map(|slice| slice.iter().copied()).take(room));
        pipe.reader.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(pipe.bytes.len() - before))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut pipe = self.output.lock();
        pipe.ended = true;
        pipe.reader.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut pipe = self.output.lock();
        pipe.ended = true;
        pipe.reader.take().into_iter().for_each(Waker::wake);
    }
}

/// No deadline ever passes: what is not woken by the other end is not woken at all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Never;

impl Timer for Never {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn poll_until(&mut self, _: &mut Context<'_>, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}

struct Parked {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Runs a future on this thread; `what` names it should it sleep for ever.
pub(crate) fn block_on<F: Future>(what: &str, future: F) -> F::Output {
    let parked = Arc::new(Parked { thread: thread::current(), woken: AtomicBool::new(false) });
    let (waker, mut future) = (Waker::from(parked.clone()), pin!(future));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        let asleep = Instant::now();
        while !parked.woken.swap(false, Ordering::Acquire) {
            assert!(asleep.elapsed() < PATIENCE, "{what} sleeps for ever");
            thread::park_timeout(PATIENCE);
        }
    }
}
