//! Bell: what wakes a thread that waits in the system's `poll`.

use core::{
    sync::atomic::{AtomicU8, Ordering},
    task::Waker,
};
use std::{io, sync::Arc, task::Wake};

use self::line::Line;

/// Wakes the one thread that waits by it, from any thread. A thread that is awake costs whoever rings no system call.
#[derive(Debug)]
pub(crate) struct Bell {
    state: AtomicU8,
    /// `None` where the system had no descriptor left: the thread looks from time to time then.
    line: Option<Line>,
}

const AWAKE: u8 = 0;
const ASLEEP: u8 = 1;
/// It is to look again: it was awake, or the line was rung.
const RUNG: u8 = 2;

impl Bell {
    pub(crate) fn new() -> Self {
        Self { state: AtomicU8::new(AWAKE), line: Line::new().ok() }
    }

    /// The thread is about to wait, unless it was rung for since it woke.
    pub(crate) fn may_wait(&self) -> bool {
        let slept =
            self.state.compare_exchange(AWAKE, ASLEEP, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if !slept {
            self.state.store(AWAKE, Ordering::SeqCst);
        }
        slept
    }

    /// The thread woke, for whatever reason; `rung` if the line was.
    pub(crate) fn woke(&self, rung: bool) {
        self.state.store(AWAKE, Ordering::SeqCst);
        if rung && let Some(line) = &self.line {
            line.hush();
        }
    }

    pub(crate) fn line(&self) -> Option<&Line> {
        self.line.as_ref()
    }

    fn ring(&self) {
        if self.state.swap(RUNG, Ordering::SeqCst) == ASLEEP
            && let Some(line) = &self.line
        {
            line.ring();
        }
    }

    pub(crate) fn waker(self: &Arc<Self>) -> Waker {
        self.clone().into()
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
mod line {
    //! A counter of the kernel's.

    use rustix::{
        event::{EventfdFlags, eventfd},
        fd::{AsFd, BorrowedFd, OwnedFd},
    };

    use super::io;

    #[derive(Debug)]
    pub(crate) struct Line(OwnedFd);

    impl Line {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
        }

        pub(super) fn ring(&self) {
            // One that is full is readable already.
            let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
        }

        pub(super) fn hush(&self) {
            let _ = rustix::io::read(&self.0, &mut [0; 8]);
        }
    }

    impl AsFd for Line {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
use by_udp as line;

#[cfg(any(test, not(any(target_os = "linux", target_os = "android", target_os = "freebsd"))))]
mod by_udp {
    //! A socket that is connected to itself, which every system has.

    use core::net::Ipv4Addr;
    use std::net::UdpSocket;

    use super::io;

    #[derive(Debug)]
    pub(crate) struct Line(UdpSocket);

    impl Line {
        pub(super) fn new() -> io::Result<Self> {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            // Nobody else can ring then.
            socket.connect(socket.local_addr()?)?;
            socket.set_nonblocking(true)?;
            Ok(Self(socket))
        }

        pub(super) fn ring(&self) {
            let _ = self.0.send(&[1]);
        }

        pub(super) fn hush(&self) {
            while self.0.recv(&mut [0]).is_ok() {}
        }
    }

    #[cfg(unix)]
    impl rustix::fd::AsFd for Line {
        fn as_fd(&self) -> rustix::fd::BorrowedFd<'_> {
            self.0.as_fd()
        }
    }

    #[cfg(windows)]
    impl std::os::windows::io::AsSocket for Line {
        fn as_socket(&self) -> std::os::windows::io::BorrowedSocket<'_> {
            self.0.as_socket()
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fd::AsFd;

    use super::{Bell, by_udp, line};

    fn rings(line: &impl AsFd) -> bool {
        let mut fds = [PollFd::new(line, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec::default())).expect("it is open") == 1
    }

    #[test]
    fn a_line_rings_until_it_is_hushed() {
        let (counter, socket) =
            (line::Line::new().expect("one"), by_udp::Line::new().expect("one"));
        assert!(!rings(&counter) && !rings(&socket));
        for _ in 0..3 {
            counter.ring();
            socket.ring();
            assert!(rings(&counter) && rings(&socket));
        }
        counter.hush();
        socket.hush();
        assert!(!rings(&counter) && !rings(&socket));
    }

    #[test]
    fn only_a_sleeper_costs_a_call() {
        let bell = std::sync::Arc::new(Bell::new());
        let waker = bell.waker();
        let line = bell.line().expect("one");
        waker.wake_by_ref();
        assert!(!rings(line));
        assert!(!bell.may_wait(), "it is to look again first");
        assert!(bell.may_wait());
        waker.wake_by_ref();
        waker.wake_by_ref();
        assert!(rings(line));
        bell.woke(true);
        assert!(!rings(line) && bell.may_wait());
    }
}
