//! Frames of a client that are cheap to send.

use core::hint::black_box;
use std::io::IoSlice;

use hybi_suite::hostile::{flood, fragments};
use hybi_testkit::wire::{self, BINARY, CONTINUATION, PING, PONG, Side};
use hybi_tokio::{Config, Connection, Negotiated, Role};

use crate::Attack;

pub(crate) fn attacks() -> Vec<Attack> {
    let messages =
        |name, len: usize| Attack::new(name, N, move |n| flood(BINARY, &vec![0x2a; len], n), take);
    let control = |name, first| Attack::new(name, N, move |n| flood(first, b"", n), take);
    vec![
        messages("messages of 1,000 bytes", 1000),
        messages("messages of a byte", 1),
        messages("empty messages", 0),
        Attack::new("fragments of a byte", N, |n| fragmented(1, n), take),
        Attack::new("empty fragments", N, |n| fragmented(0, n), take),
        control("empty pings", PING),
        control("empty pongs", PONG),
    ]
}

const N: usize = 16_000;
/// A message that has an end.
fn fragmented(len: usize, n: usize) -> Vec<u8> {
    let mut out = fragments(&vec![0x2a; len], n / (6 + len));
    out.extend(wire::frame(Side::Client, CONTINUATION, b""));
    out
}

fn take(bytes: &[u8]) {
    let config = Config::default();
    let mut connection = Connection::new(Role::Server, Negotiated::default(), config.into());
    drain(&mut connection, bytes);
}

/// Hands bytes in as one read would bring them, takes every message out, and sends the answers.
pub(crate) fn drain(connection: &mut Connection, bytes: &[u8]) {
    let mut chunk = bytes.to_vec();
    let mut rest = &mut chunk[..];
    loop {
        let (consumed, event) = connection.handle_input(rest);
        let more = event.map(black_box).is_some();
        rest = &mut rest[consumed..];
        if !more && (consumed == 0 || rest.is_empty()) {
            break;
        }
    }
    assert!(rest.is_empty(), "it takes no more");
    let mut slices = [IoSlice::new(&[]); 4];
    while connection.poll_transmit(&mut slices) > 0 {
        let len = slices.iter().map(|slice| slice.len()).sum();
        connection.transmitted(len);
        slices = [IoSlice::new(&[]); 4];
    }
    assert!(connection.error().is_none(), "{:?}", connection.error());
}
