//! A peer that never stops sending: it gets round no deadline and no bound, and does not keep the
//! thread for itself (RFC 6455 section 10.4).

mod support;

use core::{
    cell::Cell,
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};
use std::{
    io::{self, IoSlice},
    rc::Rc,
};

use hybi::{CloseCode, Config, Deadline, Error, Message, Role, WebSocket, io::Transport};
use support::{
    clock::{Clock, ClockTimer},
    peer::connection_with,
    tasks::Task,
};

const SECOND: Duration = Duration::from_secs(1);
const PING: &[u8] = b"\x89\x80\0\0\0\0";
const MESSAGE: &[u8] = b"\x82\x84\0\0\0\0same";
const CLOSE: &[u8] = b"\x88\x80\0\0\0\0";

/// Input without end: a repeated frame. Output is taken, or not.
struct Flood {
    frame: &'static [u8],
    frames_a_read: usize,
    takes: bool,
    read: Rc<Cell<usize>>,
}

impl Transport for Flood {
    fn poll_read(&mut self, _: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        let len = (chunk.len() / self.frame.len()).min(self.frames_a_read) * self.frame.len();
        for place in chunk[..len].chunks_exact_mut(self.frame.len()) {
            place.copy_from_slice(self.frame);
        }
        self.read.set(self.read.get() + len);
        Poll::Ready(Ok(len))
    }

    fn poll_write(
        &mut self,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.takes {
            Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
        } else {
            Poll::Pending
        }
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

struct World {
    socket: WebSocket<Flood, ClockTimer>,
    clock: Clock,
    read: Rc<Cell<usize>>,
}

fn server(frame: &'static [u8], takes: bool, config: Config) -> World {
    let read = Rc::new(Cell::new(0));
    let flood = Flood { frame, frames_a_read: 20, takes, read: read.clone() };
    let clock = Clock::new();
    let connection = connection_with(Role::Server, config.ping_interval(None));
    World { socket: WebSocket::new(connection, flood, clock.timer()), clock, read }
}

/// Polls once a second; returns after how many seconds there was an output.
fn seconds_until<R>(clock: &Clock, future: impl Future<Output = R>) -> (u32, R) {
    let mut future = pin!(future);
    let task = Task::new();
    for seconds in 0..1_000 {
        // Within a second a task is polled more than once when it asks for it.
        for _ in 0..3 {
            if let Poll::Ready(output) = task.poll(future.as_mut()) {
                return (seconds, output);
            }
            assert!(task.wakes() > 0, "there is more to read, so it wakes itself");
        }
        clock.advance(SECOND);
    }
    panic!("never done");
}

#[test]
fn the_thread_is_given_back_now_and_then() {
    let mut world = server(PING, true, Config::default());
    let mut future = pin!(world.socket.recv());
    let task = Task::new();
    for polls in 1..=5 {
        assert!(task.poll(future.as_mut()).is_pending());
        assert!(task.wakes() > 0);
        assert!(world.read.get() <= polls * 100 * 20 * PING.len(), "100 reads a poll at most");
    }
}

#[test]
fn the_close_deadline_passes_although_messages_keep_coming() {
    for takes in [true, false] {
        let config = Config::default().close_timeout(SECOND * 5).end_timeout(SECOND * 8);
        let mut world = server(MESSAGE, takes, config.write_timeout(None));
        let close = world.socket.close(CloseCode::NORMAL, "");
        let (seconds, status) = seconds_until(&world.clock, close);
        if takes {
            let status = status.expect("all that was queued has left");
            assert!(!status.is_clean());
            assert_eq!(status.code(), CloseCode::ABNORMAL);
            assert_eq!(seconds, 5);
        } else {
            let error = status.expect_err("the Close frame never left");
            assert!(matches!(error, Error::Timeout(Deadline::Write)), "{error}");
            assert_eq!(seconds, 8);
        }
    }
}

/// Nor does it help that the application takes every message.
#[test]
fn the_close_deadline_passes_although_messages_are_received() {
    let mut world = server(MESSAGE, true, Config::default().close_timeout(SECOND * 5));
    world.socket.try_send(Message::Close(None)).expect("room");
    let socket = &mut world.socket;
    let (seconds, outcome) = seconds_until(&world.clock, async {
        let mut turns = 0;
        while let Some(message) = socket.recv().await? {
            assert_eq!(message, Message::from(&b"same"[..]));
            turns += 1;
            if turns % 1_000 == 0 {
                // A task that never waits yields, or no time would pass at all.
                let mut yielded = false;
                core::future::poll_fn(|cx| {
                    cx.waker().wake_by_ref();
                    if core::mem::replace(&mut yielded, true) {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    }
                })
                .await;
            }
        }
        Ok::<_, Error>(())
    });
    assert!(matches!(outcome, Err(Error::Timeout(Deadline::Close))), "{outcome:?}");
    assert_eq!(seconds, 5);
}

#[test]
fn the_idle_deadline_passes_although_pings_keep_coming() {
    let config = Config::default().idle_timeout(Some(SECOND * 60));
    let mut world = server(PING, true, config);
    let (seconds, outcome) = seconds_until(&world.clock, world.socket.recv());
    let error = outcome.expect_err("no message ever came");
    assert_eq!(error.to_string(), "the peer sent no message for too long");
    assert!((60..=62).contains(&seconds), "{seconds} s");
}

#[test]
fn the_write_deadline_passes_although_pings_keep_coming() {
    let config = Config::default().write_timeout(Some(SECOND * 30));
    let mut world = server(PING, false, config);
    let (seconds, outcome) = seconds_until(&world.clock, world.socket.recv());
    let error = outcome.expect_err("the answers were never read");
    assert_eq!(error.to_string(), "the peer did not read for too long");
    assert!((30..=31).contains(&seconds), "{seconds} s");
    assert_eq!(world.socket.queued_bytes(), 0);
}

/// Pings that cannot be answered do not pile up.
#[test]
fn answers_that_nobody_reads_stay_few() {
    let mut world = server(PING, false, Config::default());
    let task = Task::new();
    for _ in 0..2_000 {
        assert!(task.poll(pin!(world.socket.recv())).is_pending());
    }
    let answers = world.read.get() / PING.len() * 2;
    assert!(answers > 1 << 16, "{answers} bytes of answers");
    assert!(world.socket.queued_bytes() <= 100, "{}", world.socket.queued_bytes());
}

/// After the end, and after a failure, a mebibyte is read and no more.
#[test]
fn input_behind_the_end_is_bounded() {
    for (frame, takes) in [(CLOSE, true), (&b"\x83\x80\0\0\0\0"[..], true), (CLOSE, false)] {
        let mut world = server(frame, takes, Config::default());
        let task = Task::new();
        let outcome = (0..1_000).find_map(|_| match task.poll(pin!(world.socket.recv())) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        });
        let outcome = outcome.expect("an end, without any time passing");
        match outcome {
            Ok(message) => assert!(message.is_none() && frame == CLOSE && takes),
            Err(error) => {
                let lost = matches!(error, Error::Lost) && !takes;
                assert!(lost || matches!(error, Error::Protocol(_)) && frame != CLOSE, "{error}");
            }
        }
        assert!(world.read.get() < (1 << 20) + 1_000, "{} bytes", world.read.get());
    }
}
