//! A message that is longer than most memories, read and written as it comes.

use core::{
    cell::Cell,
    pin::pin,
    task::{Context, Poll, Waker},
};

use std::{
    io::{self, IoSlice},
    rc::Rc,
};

use hybi::{
    Config, Connection, Message, MessageKind, Negotiated, Role, WebSocket, frame::Limits,
    io::Transport,
};
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

/// A peer that takes everything, says how much it was, and has sent nothing.
#[derive(Clone, Debug, Default)]
struct Drain(Rc<Cell<u64>>);

impl Transport for Drain {
    fn poll_read(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_write(
        &mut self,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let len: usize = slices.iter().map(|slice| slice.len()).sum();
        self.0.set(self.0.get() + len as u64);
        Poll::Ready(Ok(len))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Writes a message of this length; says how many bytes it was on the wire.
fn write(role: Role, negotiated: Negotiated, kind: MessageKind, len: u64) -> u64 {
    let clock = Clock::new();
    let config = Config::default().ping_interval(None);
    let connection = Connection::new(role, negotiated, config.into());
    let drain = Drain::default();
    let mut ws = WebSocket::new(connection, drain.clone(), clock.timer());
    let piece = b"All work and no play makes Jack a dull boy. ".repeat(20_000);
    let meter = Meter::start();
    run(async {
        let mut writer = ws.send_writer(kind).expect("it has fragments");
        let mut left = len;
        while left > 0 {
            let some = &piece[..left.min(piece.len() as u64) as usize];
            writer.write_all(some).await.expect("open");
            left -= some.len() as u64;
        }
        writer.finish().await.expect("open");
        drop(writer);
        ws.send("next").await.expect("open");
    });
    assert!(meter.peak() < MIB, "{} bytes", meter.peak());
    drain.0.get()
}

#[test]
fn a_message_of_4_gib_is_written_within_a_mebibyte() {
    let frames = LEN.div_ceil(65_536);
    // All but the last have a length of eight bytes.
    let wire = LEN + (frames - 1) * 10 + 2 + 6;
    let sent = write(Role::Server, Negotiated::default(), MessageKind::Binary, LEN);
    assert_eq!(sent, wire);
    // Text that is masked takes its time, so a client has less of it.
    let len = 300 * MIB as u64 + 10;
    let wire = len + len / 65_536 * 14 + 6 + 10;
    assert_eq!(write(Role::Client, Negotiated::default(), MessageKind::Text, len), wire);
}

#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
#[test]
fn compression_takes_no_more_of_it() {
    use hybi::{Deflate, Version, extension::Extension as _};

    for takeover in [true, false] {
        let deflate = Deflate::default().own_context_takeover(takeover);
        let agreed = deflate.accept(&deflate.offers()[0]).expect("acceptable");
        let negotiated = Negotiated::new(Version::RFC6455, None, vec![agreed]);
        // What the process keeps of compressors is there before.
        write(Role::Server, negotiated.clone(), MessageKind::Text, 1000);
        let sent = write(Role::Server, negotiated, MessageKind::Text, 100 * MIB as u64);
        assert!(sent < 2 * MIB as u64, "{sent}");
    }
}
