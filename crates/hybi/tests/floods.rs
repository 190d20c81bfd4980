//! A peer that never stops sending: it gets round no deadline and no bound, and does not keep the
//! thread for itself (RFC 6455 section 10.4).

mod support;

use core::{cell::Cell, pin::pin, task::Poll, time::Duration};
use std::rc::Rc;

use hybi::{CloseCode, Config, Deadline, Error, Message, Role, WebSocket};
use support::{
    clock::{Clock, ClockTimer},
    peer::connection_with,
    source::{Output, Source},
    tasks::Task,
};

const SECOND: Duration = Duration::from_secs(1);
const PING: &[u8] = b"\x89\x80\0\0\0\0";
const MESSAGE: &[u8] = b"\x82\x84\0\0\0\0same";
const CLOSE: &[u8] = b"\x88\x80\0\0\0\0";

struct World {
    socket: WebSocket<Source, ClockTimer>,
    clock: Clock,
    read: Rc<Cell<usize>>,
}

/// A server whose peer sends one frame over and over, 20 of them a read.
fn server(frame: &'static [u8], output: Output, config: Config) -> World {
    let read = Rc::new(Cell::new(0));
    let counted = read.clone();
    let flood = Source::new(output, move |chunk| {
        let len = (chunk.len() / frame.len()).min(20) * frame.len();
        chunk[..len].chunks_exact_mut(frame.len()).for_each(|place| place.copy_from_slice(frame));
        counted.set(counted.get() + len);
        len
    });
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
    let mut world = server(PING, Output::Taken, Config::default());
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
    for output in Output::BOTH {
        let config = Config::default().close_timeout(SECOND * 5).end_timeout(SECOND * 8);
        let mut world = server(MESSAGE, output, config.write_timeout(None));
        let close = world.socket.close(CloseCode::NORMAL, "");
        let (seconds, status) = seconds_until(&world.clock, close);
        if output == Output::Taken {
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
    let mut world = server(MESSAGE, Output::Taken, Config::default().close_timeout(SECOND * 5));
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
    let mut world = server(PING, Output::Taken, config);
    let (seconds, outcome) = seconds_until(&world.clock, world.socket.recv());
    let error = outcome.expect_err("no message ever came");
    assert_eq!(error.to_string(), "the peer sent no message for too long");
    assert!((60..=62).contains(&seconds), "{seconds} s");
}

#[test]
fn the_write_deadline_passes_although_pings_keep_coming() {
    let config = Config::default().write_timeout(Some(SECOND * 30));
    let mut world = server(PING, Output::Blocked, config);
    let (seconds, outcome) = seconds_until(&world.clock, world.socket.recv());
    let error = outcome.expect_err("the answers were never read");
    assert_eq!(error.to_string(), "the peer did not read for too long");
    assert!((30..=31).contains(&seconds), "{seconds} s");
    assert_eq!(world.socket.queued_bytes(), 0);
}

/// Pings that cannot be answered do not pile up.
#[test]
fn answers_that_nobody_reads_stay_few() {
    let mut world = server(PING, Output::Blocked, Config::default());
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
    let reserved = &b"\x83\x80\0\0\0\0"[..];
    let floods = [(CLOSE, Output::Taken), (reserved, Output::Taken), (CLOSE, Output::Blocked)];
    for (frame, output) in floods {
        let mut world = server(frame, output, Config::default());
        let task = Task::new();
        let outcome = (0..1_000).find_map(|_| match task.poll(pin!(world.socket.recv())) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        });
        let outcome = outcome.expect("an end, without any time passing");
        match outcome {
            Ok(message) => assert!(message.is_none() && frame == CLOSE && output == Output::Taken),
            Err(error) => {
                let lost = matches!(error, Error::Lost) && output == Output::Blocked;
                assert!(lost || matches!(error, Error::Protocol(_)) && frame != CLOSE, "{error}");
            }
        }
        assert!(world.read.get() < (1 << 20) + 1_000, "{} bytes", world.read.get());
    }
}
