//! A message that is longer than most memories, read as it comes.

use core::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use hybi::{Config, Connection, Message, Negotiated, Role, WebSocket, frame::Limits};
use hybi_suite::allocator::Meter;
use hybi_testkit::{clock::Clock, wire};

use crate::{
    MIB,
    support::source::{Output, Source},
};

/// More than 32 bits can count.
const LEN: u64 = (1 << 32) + 10;

/// What a server sends: one binary message, and a short one behind it.
fn source() -> Source {
    let mut front = wire::header(wire::Side::Server, wire::BINARY, LEN);
    let mut left = LEN;
    let mut behind = wire::frame(wire::Side::Server, wire::TEXT, b"next");
    Source::new(Output::Taken, move |chunk| {
        let next = if front.is_empty() && left == 0 { &mut behind } else { &mut front };
        if !next.is_empty() {
            let len = next.len().min(chunk.len());
            chunk[..len].copy_from_slice(&next[..len]);
            next.drain(..len);
            return len;
        }
        // What is there of a message is what lies in the block that is read into.
        let len = left.min(chunk.len() as u64);
        left -= len;
        len as usize
    })
}

/// Runs what never has to wait.
fn run<R>(future: impl Future<Output = R>) -> R {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return result;
        }
    }
}

#[test]
fn a_message_of_4_gib_is_read_within_a_mebibyte() {
    let clock = Clock::new();
    let config = Config::default().ping_interval(None);
    assert_eq!(config.limits().max_message(), Limits::default().max_message());
    let connection = Connection::new(Role::Client, Negotiated::default(), config.into());
    let mut ws = WebSocket::new(connection, source(), clock.timer());
    let meter = Meter::start();
    run(async {
        let mut reader = ws.recv_reader().await.expect("lawful").expect("a message");
        let mut len = 0;
        while let Some(piece) = reader.next_piece().await.expect("lawful") {
            len += piece.len() as u64;
        }
        assert_eq!(len, LEN);
        drop(reader);
        assert_eq!(ws.recv().await.expect("lawful"), Some(Message::from("next")));
    });
    assert!(meter.peak() < MIB, "{} bytes", meter.peak());
}
