//! When bytes leave: `send` at once, `feed` not before a flush, and `recv` when, and only when, it
//! is about to wait.

mod support;

use core::{pin::pin, task::Poll};

use hybi::{Config, Error, Message, Role, WebSocket};
use support::{
    clock::{Clock, ClockTimer},
    link::{End, Far, Manners, link},
    peer::connection_with,
    tasks::{Task, run},
};

fn server(config: Config) -> (WebSocket<End, ClockTimer>, Far) {
    let (end, far) = link(Manners::PLAIN);
    let connection = connection_with(Role::Server, config);
    (WebSocket::new(connection, end, Clock::new().timer()), far)
}

const ONE: &[u8] = b"\x81\x83\0\0\0\0one";

#[test]
fn send_leaves_at_once_and_feed_with_the_flush() {
    let (mut socket, far) = server(Config::default());
    run(socket.send("sent"), || {}).expect("open");
    assert_eq!(far.take(100), b"\x81\x04sent");
    run(socket.feed("fed"), || {}).expect("open");
    socket.try_send("tried").expect("room");
    assert_eq!(far.take(100), b"");
    assert_eq!(socket.queued_bytes(), 5 + 7);
    run(socket.flush(), || {}).expect("open");
    assert_eq!(far.take(100), b"\x81\x03fed\x81\x05tried");
    assert_eq!((far.writes(), socket.queued_bytes()), (2, 0));
}

/// All that one read brought is answered with one write.
#[test]
fn a_batch_is_answered_with_one_write() {
    let (mut socket, far) = server(Config::default());
    let task = Task::new();
    far.put(&ONE.repeat(500));
    for _ in 0..500 {
        let message = run(socket.recv(), || {}).expect("open").expect("a message");
        assert_eq!(far.writes(), 0, "messages are left");
        run(socket.feed(message), || {}).expect("open");
    }
    assert!(task.poll(pin!(socket.recv())).is_pending());
    assert_eq!(far.writes(), 1);
    assert_eq!(far.take(usize::MAX), b"\x81\x03one".repeat(500));
}

/// A message that comes alone is answered without waiting for another.
#[test]
fn a_single_message_is_answered_before_the_next_wait() {
    let (mut socket, far) = server(Config::default());
    let task = Task::new();
    // The first bytes of the next frame are no reason to wait.
    for (input, next) in [(ONE, &b""[..]), (ONE, b"\x81"), (&ONE[1..], b"")] {
        far.put(&[input, next].concat());
        let message = run(socket.recv(), || {}).expect("open").expect("a message");
        run(socket.feed(message), || {}).expect("open");
        assert!(task.poll(pin!(socket.recv())).is_pending());
        assert_eq!(far.take(100), b"\x81\x03one", "{next:?}");
    }
}

#[test]
fn pings_are_answered_with_the_batch_and_not_shown() {
    for shown in [false, true] {
        let (mut socket, far) = server(Config::default().show_control_frames(shown));
        far.put(b"\x89\x81\0\0\0\0?\x8a\x81\0\0\0\0!");
        far.put(ONE);
        if shown {
            for expected in [Message::Ping("?".into()), Message::Pong("!".into())] {
                let message = run(socket.recv(), || {}).expect("open");
                assert_eq!(message, Some(expected));
            }
        }
        let message = run(socket.recv(), || {}).expect("open");
        assert_eq!(message, Some(Message::text("one")));
        assert!(Task::new().poll(pin!(socket.recv())).is_pending());
        assert_eq!(far.take(100), b"\x8a\x01?");
    }
}

#[test]
fn a_full_outbox_gives_the_message_back_or_waits() {
    let (end, far) = link(Manners { capacity: 10, ..Manners::PLAIN });
    let connection = connection_with(Role::Server, Config::default().outbox_limit(50));
    let mut socket = WebSocket::new(connection, end, Clock::new().timer());
    socket.try_send(vec![1; 48]).expect("room");
    let error = socket.try_send("more").expect_err("full");
    assert!(matches!(error.error(), Error::Full));
    assert_eq!(error.into_message(), Some(Message::text("more")));

    let task = Task::new();
    let fed = task.poll(pin!(socket.feed("more")));
    assert!(fed.is_ready(), "what the transport took made room");
    let mut send = pin!(socket.send(vec![2; 60]));
    assert!(task.poll(send.as_mut()).is_pending());
    let mut taken = Vec::new();
    for _ in 0..100 {
        taken.extend(far.take(10));
        if let Poll::Ready(sent) = task.poll(send.as_mut()) {
            sent.expect("open");
            break;
        }
    }
    taken.extend(far.take(10));
    assert_eq!(taken.len(), 50 + 6 + 62);
    assert!(taken.ends_with(&[2; 60]));
}
