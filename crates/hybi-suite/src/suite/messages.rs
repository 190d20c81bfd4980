//! Messages from one end to the other and back (RFC 6455 sections 5.4, 5.6 and 6).

use std::collections::HashSet;

use hybi::{Config, Error, Message, frame::Violation};
use hybi_testkit::wire::{self, BINARY, CONTINUATION, FIN, PING, PONG, Side, TEXT};

use super::{Runtime, connect, echo, serve, serve_echo};
use crate::peer::{Peer, listen};

/// The lengths at which a header or a way through the buffers changes.
const LENGTHS: [usize; 8] = [0, 1, 125, 126, 65_535, 65_536, 1024 * 1024, 8 * 1024 * 1024];

/// Text of `len` bytes, of characters of one to four bytes.
fn text(len: usize) -> Vec<u8> {
    let mut text = "aé€😀".repeat(len / 10).into_bytes();
    text.resize(len, b'.');
    text
}

/// Bytes without a pattern that a mistake about their order could hide in.
fn binary(len: usize) -> Vec<u8> {
    (0..len as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

fn echo_every_length(peer: &mut Peer) {
    for len in LENGTHS {
        for (first, payload) in [(TEXT, text(len)), (BINARY, binary(len))] {
            peer.send_frame(first, &payload);
            peer.expect(first, &payload);
        }
    }
    peer.send_close(1000);
    peer.expect_close(1000);
}

/// A server sends back what it is sent, at every length.
pub fn echoes_every_length<R: Runtime>() {
    let (address, server) = serve_echo::<R>(Config::default());
    let mut peer = Peer::open(address);
    echo_every_length(&mut peer);
    peer.expect_end();
    drop(peer);
    assert!(server.join().status.is_clean());
}

/// So does a client, masked.
pub fn echoes_as_client<R: Runtime>() {
    let (listener, address) = listen();
    let client = connect::<R, _>(address, Config::default(), echo);
    let mut peer = Peer::answer(&listener, "");
    echo_every_length(&mut peer);
    peer.end();
    peer.expect_end();
    assert!(client.join().status.is_clean());
}

/// `fragment_size` cuts what is longer, at any byte.
pub fn sends_in_fragments<R: Runtime>() {
    let config = Config::default().fragment_size(Some(1000));
    let (address, server) = serve_echo::<R>(config);
    let mut peer = Peer::open(address);
    let text = text(2500);
    peer.send_frame(TEXT, &text);
    peer.expect(TEXT ^ FIN, &text[..1000]);
    peer.expect(CONTINUATION ^ FIN, &text[1000..2000]);
    peer.expect(CONTINUATION, &text[2000..]);
    for len in [0, 1, 1000] {
        peer.send_frame(BINARY, &binary(len));
        peer.expect(BINARY, &binary(len));
    }
    peer.send_frame(BINARY, &binary(2000));
    peer.expect(BINARY ^ FIN, &binary(2000)[..1000]);
    peer.expect(CONTINUATION, &binary(2000)[1000..]);
    peer.send_close(1000);
    peer.expect_close(1000);
    drop(peer);
    assert!(server.join().error.is_none());
}

/// Fragments of any size make one message, with control frames between them, however cut.
pub fn receives_fragments<R: Runtime>() {
    let (address, server) = serve_echo::<R>(Config::default());
    let mut peer = Peer::open(address);
    let text = "a€😀".as_bytes();
    let large = binary(200_000);
    let client = Side::Client;
    let small = [
        wire::frame(client, TEXT ^ FIN, &text[..2]),
        wire::frame(client, PING, b"1"),
        wire::frame(client, CONTINUATION ^ FIN, b""),
        wire::frame(client, CONTINUATION ^ FIN, &text[2..5]),
        wire::frame(client, PING, b"2"),
        wire::frame(client, CONTINUATION, &text[5..]),
        wire::frame(client, BINARY ^ FIN, b""),
        wire::frame(client, CONTINUATION, b""),
    ]
    .concat();
    for cut in [1, 7, small.len()] {
        for piece in small.chunks(cut) {
            peer.send(piece);
        }
        peer.expect(PONG, b"1");
        peer.expect(PONG, b"2");
        peer.expect(TEXT, text);
        peer.expect(BINARY, b"");
    }
    for size in [1000, 70_000, 200_000] {
        let mut first = BINARY ^ FIN;
        for fragment in large.chunks(size) {
            peer.send_frame(first, fragment);
            first = CONTINUATION ^ FIN;
        }
        peer.send_frame(CONTINUATION, b"");
        peer.expect(BINARY, &large);
    }
    peer.send_close(1000);
    peer.expect_close(1000);
    drop(peer);
    assert!(server.join().error.is_none());
}

/// `recv_ref` gives the same messages as `recv`.
pub fn lends_messages<R: Runtime>() {
    let (address, server) = serve::<R, _>(Config::default(), |mut ws| async move {
        while let Some(message) = ws.recv_ref().await? {
            let message = message.to_owned();
            ws.feed(message).await?;
        }
        assert_eq!(ws.recv_ref().await?, None);
        Ok::<_, Error>(())
    });
    let mut peer = Peer::open(address);
    for len in [0, 5, 60_000, 70_000, 1024 * 1024] {
        for (first, payload) in [(TEXT, text(len)), (BINARY, binary(len))] {
            let mut frames = wire::frame(Side::Client, first, &payload);
            frames.extend(wire::frame(Side::Client, first ^ FIN, &payload));
            frames.extend(wire::frame(Side::Client, CONTINUATION, b"end"));
            peer.send(frames);
            peer.expect(first, &payload);
            peer.expect(first, &[&payload[..], b"end"].concat());
        }
    }
    peer.send_close(1000);
    peer.expect_close(1000);
    drop(peer);
    server.join().unwrap();
}

/// A thousand messages that come in one write are answered in order.
pub fn answers_pipelined_messages_in_order<R: Runtime>() {
    let (address, server) = serve_echo::<R>(Config::default());
    let mut peer = Peer::open(address);
    let payloads: Vec<_> = (0..1000).map(|n| format!("message {n}").into_bytes()).collect();
    let frames = payloads.iter().map(|payload| wire::frame(Side::Client, TEXT, payload));
    peer.send(frames.collect::<Vec<_>>().concat());
    for payload in &payloads {
        peer.expect(TEXT, payload);
    }
    peer.send_close(1000);
    peer.expect_close(1000);
    drop(peer);
    assert!(server.join().error.is_none());
}

/// A message of exactly the limit passes; one byte more is refused, and the error says which
/// limit.
pub fn enforces_message_limit<R: Runtime>() {
    let (address, server) = serve_echo::<R>(Config::default().max_message(1000));
    let mut peer = Peer::open(address);
    peer.send_frame(BINARY, &binary(1000));
    peer.expect(BINARY, &binary(1000));
    peer.send_frame(BINARY ^ FIN, &binary(600));
    peer.send_frame(CONTINUATION, &binary(401));
    peer.expect_close_saying(1009, "message of at least 1001 bytes is above the limit of 1000");
    peer.expect_end();
    drop(peer);
    let Some(Error::Protocol(error)) = server.join().error else { panic!("no violation") };
    assert_eq!(error.violation(), Violation::MessageTooLarge { size: 1001, limit: 1000 });
    assert_eq!(error.offset(), 4 + 4 + 1000 + 4 + 4 + 600);
}

/// Each frame of a client has a masking key of its own (section 5.3).
pub fn masks_with_fresh_keys<R: Runtime>() {
    let (listener, address) = listen();
    let client = connect::<R, _>(address, Config::default(), echo);
    let mut peer = Peer::answer(&listener, "");
    let mut keys = HashSet::new();
    for _ in 0..100 {
        peer.send_frame(TEXT, b"same");
        let mut frame = [0; 10];
        peer.read_raw(&mut frame);
        assert_eq!(frame[..2], [TEXT, 0x84]);
        keys.insert([frame[2], frame[3], frame[4], frame[5]]);
    }
    // Of a hundred keys of 32 random bits, no two are equal, but for one run in a million.
    assert!(keys.len() > 98, "{keys:?}");
    peer.send_close(1000);
    peer.expect_close(1000);
    drop(peer);
    assert!(client.join().error.is_none());
}

/// A client and a server of ours understand each other.
pub fn talks_to_itself<R: Runtime>() {
    let (address, server) = serve_echo::<R>(Config::default());
    let client = connect::<R, _>(address, Config::default(), |mut ws| async move {
        for len in LENGTHS {
            let message = Message::binary(binary(len));
            ws.send(message.clone()).await?;
            assert_eq!(ws.recv().await?, Some(message));
        }
        ws.close(hybi::CloseCode::NORMAL, "done").await
    });
    let status = client.join().unwrap();
    assert!(status.is_clean(), "{status:?}");
    let outcome = server.join();
    assert_eq!(outcome.status.reason(), "done");
    assert!(outcome.status.is_clean() && outcome.error.is_none());
}
