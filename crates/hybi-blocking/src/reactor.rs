//! What a thread waits for: its sockets, its deadline, and other threads, in the system's `poll`.
//!
//! There is no thread behind it. A future is polled on the thread that called; what it has to wait for is noted
//! meanwhile, and the thread waits for that.

use core::{
    cell::{Cell, RefCell},
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};
use std::{io, rc::Rc, sync::Arc, time::Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

use crate::{
    bell::Bell,
    descriptor::{self, AsFd},
};

/// A socket that somebody waits for.
type Descriptor = Arc<dyn AsFd + Send + Sync>;

/// What one thread waits for.
struct Thread {
    bell: Arc<Bell>,
    noted: RefCell<Noted>,
    /// How many calls of [`block_on`] are on its stack.
    depth: Cell<usize>,
    /// Whether one of them took a ring since the outermost began.
    was_rung: Cell<bool>,
}

#[derive(Default)]
struct Noted {
    sockets: Vec<(Descriptor, PollFlags)>,
    deadline: Option<Instant>,
    /// A call within this one took a ring that may have been for it.
    was_rung: bool,
}

thread_local! {
    static THREAD: Rc<Thread> = Rc::new(Thread::new());
}

/// Where there is nothing that wakes a thread from `poll`, it looks so often.
const LOOK: Duration = Duration::from_millis(10);

/// Runs a future of this crate's connections to its end on this thread, which waits for their sockets and deadlines in
/// the operating system.
///
/// All that blocks here is this around an async method of `hybi`. It is for what has no blocking form: members of a
/// [`Broadcast`](hybi::Broadcast), channels of `mux`, several connections on one thread by a combinator of the futures
/// crates.
///
/// ```no_run
/// # #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
/// # fn example() -> Result<(), hybi_blocking::Error> {
/// use hybi_blocking::{Broadcast, block_on};
///
/// let room = Broadcast::new();
/// # let stream = std::net::TcpStream::connect("127.0.0.1:80")?;
/// let ws = hybi_blocking::accept(stream)?;
/// let mut member = room.join(ws.into_inner());
/// // A thread for each member; what others say is delivered while this one waits.
/// while let Some(message) = block_on(member.recv())? {
///     block_on(member.tell_others(message))?;
/// }
/// # Ok(())
/// # }
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let thread = THREAD.try_with(Rc::clone).unwrap_or_else(|_| Rc::new(Thread::new()));
    let waker = thread.bell.waker();
    let mut cx = Context::from_waker(&waker);
    let _within = thread.enter();
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        thread.wait();
    }
}

/// Notes that the future that is being polled waits for a socket: until it can be read, or written.
pub(crate) fn wait_for<T, S: AsFd + Send + Sync + 'static>(
    socket: &Arc<S>,
    what: PollFlags,
) -> Poll<io::Result<T>> {
    let noted = THREAD.try_with(|thread| {
        if thread.depth.get() == 0 {
            return false;
        }
        thread.noted.borrow_mut().add(socket.clone(), what);
        true
    });
    if noted == Ok(true) {
        return Poll::Pending;
    }
    // Nobody would ever wake it.
    let told = "a connection of `hybi_blocking` is polled outside of its `block_on`";
    Poll::Ready(Err(io::Error::other(told)))
}

/// Notes that it waits for a moment.
pub(crate) fn wait_until(deadline: Instant) {
    let _ = THREAD.try_with(|thread| {
        let noted = &mut *thread.noted.borrow_mut();
        noted.deadline = Some(noted.deadline.map_or(deadline, |noted| noted.min(deadline)));
    });
}

/// Forgets a socket, which its owner is about to close.
pub(crate) fn wait_no_more_for<S: AsFd + Send + Sync + 'static>(socket: &Arc<S>) {
    let address = Arc::as_ptr(socket).cast::<()>();
    let _ = THREAD.try_with(|thread| {
        let sockets = &mut thread.noted.borrow_mut().sockets;
        sockets.retain(|(noted, _)| Arc::as_ptr(noted).cast::<()>() != address);
    });
}

impl Noted {
    /// Its space serves the next wait.
    fn forget(&mut self) {
        self.sockets.clear();
        self.deadline = None;
        self.was_rung = false;
    }

    fn add(&mut self, socket: Descriptor, what: PollFlags) {
        match self.sockets.iter_mut().find(|(noted, _)| Arc::ptr_eq(noted, &socket)) {
            Some((_, noted)) => *noted |= what,
            None => self.sockets.push((socket, what)),
        }
    }
}

/// A call of [`block_on`]. One within another leaves what the other had noted as it was.
struct Within<'a> {
    thread: &'a Thread,
    outer: Option<Noted>,
}

impl Drop for Within<'_> {
    fn drop(&mut self) {
        let depth = self.thread.depth.get() - 1;
        self.thread.depth.set(depth);
        let noted = &mut *self.thread.noted.borrow_mut();
        match self.outer.take() {
            Some(outer) => {
                *noted = outer;
                noted.was_rung |= self.thread.was_rung.get();
            }
            None => {
                noted.forget();
                self.thread.was_rung.set(false);
            }
        }
    }
}

impl Thread {
    fn new() -> Self {
        Self {
            bell: Arc::new(Bell::new()),
            noted: RefCell::default(),
            depth: Cell::new(0),
            was_rung: Cell::new(false),
        }
    }

    fn enter(&self) -> Within<'_> {
        let depth = self.depth.get();
        self.depth.set(depth + 1);
        Within { thread: self, outer: (depth > 0).then(|| self.noted.take()) }
    }

    /// Waits for what was noted, and forgets it.
    fn wait(&self) {
        let mut noted = self.noted.take();
        if noted.was_rung {
            // It is to look again.
        } else if !self.bell.may_wait() {
            self.was_rung.set(true);
        } else {
            // Other threads have a use for them meanwhile.
            hybi::io::share_buffers();
            let rung = self.sleep(&noted);
            self.bell.woke(rung);
            if rung {
                self.was_rung.set(true);
            }
        }
        noted.forget();
        *self.noted.borrow_mut() = noted;
    }

    /// Says whether the line was rung.
    fn sleep(&self, noted: &Noted) -> bool {
        let line = self.bell.line();
        let left = noted.deadline.map(|at| at.saturating_duration_since(Instant::now()));
        let left = if line.is_none() { Some(left.unwrap_or(LOOK).min(LOOK)) } else { left };
        // A time that the system cannot count is waited for in parts.
        let timeout = left.map(|left| Timespec::try_from(left.min(Duration::from_secs(1 << 20))));
        let timeout = timeout.and_then(Result::ok);
        let on = |socket, what| PollFd::from_borrowed_fd(socket, what);
        let lines = line.map(|line| on(descriptor::borrow(line), PollFlags::IN));
        let sockets = noted.sockets.iter();
        let sockets = sockets.map(|(socket, what)| on(descriptor::borrow(&**socket), *what));
        let mut all = lines.into_iter().chain(sockets);
        let timeout = timeout.as_ref();
        // A thread waits for one connection, nearly always.
        let rung = match (line.is_some(), noted.sockets.len()) {
            (true, 1) => {
                let (Some(first), Some(second)) = (all.next(), all.next()) else { return false };
                ready(&mut [first, second], timeout)
            }
            _ => ready(&mut all.collect::<Vec<_>>(), timeout),
        };
        rung && line.is_some()
    }
}

/// Waits until one of them is ready; says whether the first is.
fn ready(all: &mut [PollFd<'_>], timeout: Option<&Timespec>) -> bool {
    #[cfg(all(test, unix))]
    use faults::poll;
    #[cfg(not(all(test, unix)))]
    use rustix::event::poll;

    match poll(all, timeout) {
        Ok(_) => all.first().is_some_and(|first| !first.revents().is_empty()),
        // A signal; or no memory, which may be there soon.
        Err(_) => {
            std::thread::yield_now();
            true
        }
    }
}

#[cfg(all(test, unix))]
pub(crate) mod faults {
    //! The n-th `poll` of a thread, which fails or wakes for nothing; and time that passes as soon as nothing else
    //! happens.

    use rustix::{event::poll as wait, io::Errno};

    use super::{Cell, PollFd, RefCell, Timespec};

    thread_local! {
        static POLLS: Cell<usize> = const { Cell::new(0) };
        static FAULT: Cell<Option<(usize, Result<usize, Errno>)>> = const { Cell::new(None) };
        static IDLE: RefCell<Option<Box<dyn FnMut()>>> = const { RefCell::new(None) };
    }

    /// How often this thread has waited while `run` ran, of which the n-th time gives this instead.
    pub(crate) fn with<O>(
        fault: Option<(usize, Result<usize, Errno>)>,
        run: impl FnOnce() -> O,
    ) -> (O, usize) {
        POLLS.set(0);
        FAULT.set(fault);
        let output = run();
        FAULT.set(None);
        (output, POLLS.get())
    }

    /// Runs this on a thread that waits for nothing that is not there: `idle` is called instead.
    pub(crate) fn with_idle<O>(idle: impl FnMut() + 'static, run: impl FnOnce() -> O) -> O {
        IDLE.set(Some(Box::new(idle)));
        let output = run();
        IDLE.set(None);
        output
    }

    pub(super) fn poll(all: &mut [PollFd<'_>], timeout: Option<&Timespec>) -> Result<usize, Errno> {
        POLLS.set(POLLS.get() + 1);
        if let Some((n, instead)) = FAULT.get()
            && n == POLLS.get()
        {
            return instead;
        }
        IDLE.with_borrow_mut(|idle| {
            let Some(idle) = idle else { return wait(all, timeout) };
            let ready = wait(all, Some(&Timespec::default()))?;
            if ready == 0 {
                idle();
            }
            Ok(ready)
        })
    }
}

#[cfg(test)]
mod tests {
    use core::future::poll_fn;
    use std::{sync::mpsc, thread};

    use super::*;

    #[test]
    fn a_thread_is_woken_by_another_one() {
        let (sender, receiver) = mpsc::channel();
        let waking = thread::spawn(move || {
            let waker: core::task::Waker = receiver.recv().expect("a waker");
            waker.wake();
        });
        let mut polls = 0;
        block_on(poll_fn(|cx| {
            polls += 1;
            if polls == 1 {
                sender.send(cx.waker().clone()).expect("it waits");
                return Poll::Pending;
            }
            Poll::Ready(())
        }));
        waking.join().expect("no panic");
        assert_eq!(polls, 2);
    }

    #[test]
    fn one_call_within_another_waits_for_its_own() {
        let mut polls = 0;
        block_on(poll_fn(|cx| {
            polls += 1;
            if polls == 2 {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            let mut woken = false;
            block_on(poll_fn(|cx| {
                if core::mem::replace(&mut woken, true) {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            }));
            Poll::Pending
        }));
        assert_eq!(polls, 2);
    }

    /// As every call of a handler is within the one that runs its connection: what is rung for that one is left for it,
    /// and does not keep the calls within from waiting.
    #[test]
    fn a_call_within_another_leaves_no_ring_for_the_next() {
        block_on(poll_fn(|cx| {
            cx.waker().wake_by_ref();
            let mut polls = 0;
            block_on(poll_fn(|_| {
                polls += 1;
                if polls == 2 { Poll::Ready(()) } else { Poll::Pending }
            }));
            THREAD.with(|thread| {
                assert!(thread.bell.may_wait(), "the next call would not wait");
                thread.bell.woke(false);
                assert!(thread.noted.borrow().was_rung, "it is to look again");
            });
            Poll::Ready(())
        }));
        THREAD.with(|thread| assert!(!thread.was_rung.get()));
    }

    #[test]
    fn a_deadline_ends_a_wait() {
        let then = Instant::now() + Duration::from_millis(1);
        block_on(poll_fn(|_| {
            if Instant::now() >= then {
                return Poll::Ready(());
            }
            wait_until(then);
            Poll::Pending
        }));
        assert!(Instant::now() >= then);
    }

    #[test]
    fn outside_of_it_a_socket_says_so() {
        let socket = Arc::new(std::net::UdpSocket::bind("127.0.0.1:0").expect("a port"));
        let Poll::Ready(Err(error)) = wait_for::<(), _>(&socket, PollFlags::IN) else {
            panic!("nobody would wake it");
        };
        assert!(error.to_string().contains("outside"), "{error}");
    }
}
