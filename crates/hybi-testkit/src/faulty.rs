//! A transport whose n-th call goes wrong, and a timer whose n-th wait does.

use core::{
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll},
};
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use hybi::io::{Timer, Transport};

/// A call of a transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete: the calls that every transport has")]
pub enum Operation {
    /// [`Transport::poll_read`].
    Read,
    /// [`Transport::poll_write`].
    Write,
    /// [`Transport::poll_flush`].
    Flush,
    /// [`Transport::poll_shutdown`].
    Shutdown,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Flush, Self::Shutdown];
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// It fails.
    Fails(io::ErrorKind),
    /// It moves one byte at most. A flush and a shutdown have no bytes, and do what they always do.
    OneByte,
    /// It is pending, and its task is woken at once.
    PendingOnce,
    /// It is pending, and so is every later call of the operation; nobody is woken.
    Pending,
    /// A read and all later ones find the end of input, a write takes nothing. A flush and a shutdown do what
    /// they always do.
    Ends,
}

/// Which call goes wrong, and how.
///
/// ```
/// use std::io::ErrorKind;
/// use hybi_testkit::faulty::{Fault, Operation, What};
///
/// let third_write = Fault::new(Operation::Write, 3, What::Fails(ErrorKind::BrokenPipe));
/// assert_eq!(third_write.n, 3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// The operation.
    pub operation: Operation,
    /// Which call of it, counted from 1; calls that are pending count.
    pub n: usize,
    /// What becomes of it.
    pub what: What,
}

impl Fault {
    /// What the `n`-th call of `operation` does instead of its work.
    #[must_use]
    pub fn new(operation: Operation, n: usize, what: What) -> Self {
        Self { operation, n, what }
    }
}

/// How often each operation of a [`Faulty`] was called; it stays when the transport is gone.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    of: [usize; 4],
    behind_failure: usize,
    has_failed: bool,
    is_dropped: bool,
}

impl Calls {
    /// How often this was called.
    #[must_use]
    pub fn of(&self, operation: Operation) -> usize {
        self.with(|counts| counts.of[operation as usize])
    }

    /// How many writes were tried after one had failed or taken nothing.
    #[must_use]
    pub fn writes_behind_failure(&self) -> usize {
        self.with(|counts| counts.behind_failure)
    }

    /// Whether the transport is gone.
    #[must_use]
    pub fn is_dropped(&self) -> bool {
        self.with(|counts| counts.is_dropped)
    }

    fn with<R>(&self, look: impl FnOnce(&mut Counts) -> R) -> R {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A transport one call of which goes wrong.
///
/// ```
/// use std::{future::poll_fn, io::{ErrorKind, IoSlice}};
/// use hybi::io::Transport as _;
/// use hybi_testkit::{faulty::{Fault, Faulty, Operation, What}, link::{Conditions, link}, world::World};
///
/// let mut world = World::new();
/// let (near, _far) = link(world.clock(), Conditions::default(), Conditions::default());
/// let second = Fault::new(Operation::Write, 2, What::Fails(ErrorKind::BrokenPipe));
/// let (mut faulty, calls) = Faulty::new(near, Some(second));
/// world.block_on(async move {
///     let mut write = async || poll_fn(|cx| faulty.poll_write(cx, &[IoSlice::new(b"abc")])).await;
///     assert_eq!(write().await.expect("the first is as ever"), 3);
///     assert_eq!(write().await.expect_err("the second").kind(), ErrorKind::BrokenPipe);
/// });
/// assert_eq!(calls.of(Operation::Write), 2);
/// ```
#[derive(Debug)]
pub struct Faulty<T> {
    transport: T,
    fault: Option<Fault>,
    calls: Calls,
}

impl<T> Drop for Faulty<T> {
    fn drop(&mut self) {
        self.calls.with(|counts| counts.is_dropped = true);
    }
}

impl<T> Faulty<T> {
    /// `transport` with this fault, if any; and what counts its calls.
    pub fn new(transport: T, fault: Option<Fault>) -> (Self, Calls) {
        let calls = Calls::default();
        (Self { transport, fault, calls: calls.clone() }, calls)
    }

    /// What it is over.
    pub fn get_ref(&self) -> &T {
        &self.transport
    }

    /// Counts a call; what becomes of it, if not what always does. It is for what is called otherwise than a
    /// [`Transport`] is, such as a socket that does not block.
    ///
    /// ```
    /// use hybi_testkit::faulty::{Fault, Faulty, Operation, What};
    ///
    /// let second = Fault::new(Operation::Read, 2, What::OneByte);
    /// let (socket, calls) = Faulty::new("a socket", Some(second));
    /// assert_eq!(socket.called(Operation::Read), None);
    /// assert_eq!(socket.called(Operation::Read), Some(What::OneByte));
    /// assert_eq!(calls.of(Operation::Read), 2);
    /// ```
    pub fn called(&self, operation: Operation) -> Option<What> {
        let n = self.calls.with(|counts| {
            counts.of[operation as usize] += 1;
            if operation == Operation::Write && counts.has_failed {
                counts.behind_failure += 1;
            }
            counts.of[operation as usize]
        });
        let fault = self.fault.filter(|fault| fault.operation == operation)?;
        let lasts = matches!(fault.what, What::Pending)
            || matches!((fault.what, operation), (What::Ends, Operation::Read));
        let is_hit = n == fault.n || lasts && n > fault.n;
        let fails = matches!(fault.what, What::Fails(_) | What::Ends);
        if is_hit && fails && operation == Operation::Write {
            self.calls.with(|counts| counts.has_failed = true);
        }
        is_hit.then_some(fault.what)
    }
}

/// What a call gives that does not do its work.
fn instead<R>(what: What, cx: &Context<'_>, ended: R) -> Poll<io::Result<R>> {
    match what {
        What::Fails(kind) => Poll::Ready(Err(kind.into())),
        What::PendingOnce => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        What::Pending => Poll::Pending,
        What::OneByte | What::Ends => Poll::Ready(Ok(ended)),
    }
}

impl<T: Transport> Transport for Faulty<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        match self.called(Operation::Read) {
            None => self.transport.poll_read(cx, chunk),
            Some(What::OneByte) => {
                let len = chunk.len().min(1);
                self.transport.poll_read(cx, &mut chunk[..len])
            }
            Some(what) => instead(what, cx, 0),
        }
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.called(Operation::Write) {
            None => self.transport.poll_write(cx, slices),
            Some(What::OneByte) => {
                let first = slices.iter().find(|slice| !slice.is_empty());
                let byte = first.map_or(&[][..], |slice| &slice[..1]);
                self.transport.poll_write(cx, &[IoSlice::new(byte)])
            }
            Some(what) => instead(what, cx, 0),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.called(Operation::Flush) {
            None | Some(What::OneByte | What::Ends) => self.transport.poll_flush(cx),
            Some(what) => instead(what, cx, ()),
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.called(Operation::Shutdown) {
            None | Some(What::OneByte | What::Ends) => self.transport.poll_shutdown(cx),
            Some(what) => instead(what, cx, ()),
        }
    }
}

/// What becomes of a wait for a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wait {
    /// It is pending, and its task is woken at once.
    PendingOnce,
    /// It is pending, and so is every later one; nobody is woken.
    Pending,
}

/// A timer one wait of which goes wrong.
///
/// ```
/// use std::{future::poll_fn, sync::atomic::Ordering, time::Duration};
/// use hybi::io::Timer as _;
/// use hybi_testkit::{faulty::{FaultyTimer, Wait}, world::World};
///
/// let mut world = World::new();
/// let deadline = world.clock().now() + Duration::from_secs(1);
/// let (mut timer, waits) = FaultyTimer::new(world.clock().timer(), Some((1, Wait::PendingOnce)));
/// world.block_on(async move { poll_fn(|cx| timer.poll_until(cx, deadline)).await });
/// assert_eq!(waits.load(Ordering::Relaxed), 3, "once more than without the fault");
/// ```
#[derive(Debug)]
pub struct FaultyTimer<C> {
    timer: C,
    fault: Option<(usize, Wait)>,
    waits: Arc<AtomicUsize>,
}

impl<C> FaultyTimer<C> {
    /// `timer` with this fault in its n-th wait, counted from 1, if any; and the number of waits so far.
    pub fn new(timer: C, fault: Option<(usize, Wait)>) -> (Self, Arc<AtomicUsize>) {
        let waits = Arc::new(AtomicUsize::new(0));
        (Self { timer, fault, waits: waits.clone() }, waits)
    }
}

impl<C: Timer> Timer for FaultyTimer<C> {
    fn now(&self) -> Instant {
        self.timer.now()
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let n = self.waits.fetch_add(1, Ordering::Relaxed) + 1;
        match self.fault {
            Some((hit, Wait::PendingOnce)) if n == hit => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some((hit, Wait::Pending)) if n >= hit => Poll::Pending,
            _ => self.timer.poll_until(cx, deadline),
        }
    }
}
