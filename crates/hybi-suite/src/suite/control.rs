//! Pings and pongs (RFC 6455 sections 5.5.2 and 5.5.3).

use std::sync::mpsc;

use hybi::{Config, Error, Message};
use hybi_testkit::wire::{self, BINARY, CONTINUATION, FIN, PING, PONG, Side, TEXT};

use super::{MORE_THAN_BUFFERS, Runtime, connect, echo, serve, serve_echo};
use crate::peer::{Peer, listen};

fn ping_and_close(peer: &mut Peer) {
    for len in [0, 1, 124, 125] {
        let payload = vec![0xfe; len];
        peer.send_frame(PING, &payload);
        peer.expect(PONG, &payload);
    }
    peer.send_close(1000);
    peer.expect_close(1000);
}

/// A Ping is answered with its payload, whatever it is.
pub fn answers_pings<R: Runtime>() {
    let (address, server) = serve_echo::<R>(Config::default());
    ping_and_close(&mut Peer::open(address));
    assert!(server.join().error.is_none());
}

/// A client answers as well.
pub fn answers_pings_as_client<R: Runtime>() {
    let (listener, address) = listen();
    let client = connect::<R, _>(address, Config::default(), echo);
    ping_and_close(&mut Peer::answer(&listener, ""));
    assert!(client.join().error.is_none());
}

/// The answer does not wait for the message that the Ping interrupts.
pub fn answers_pings_inside_a_message<R: Runtime>() {
    let (address, server) = serve_echo::<R>(Config::default());
    let mut peer = Peer::open(address);
    peer.send_frame(TEXT ^ FIN, b"one ");
    for n in 0..5_u8 {
        peer.send_frame(PING, &[n]);
        peer.expect(PONG, &[n]);
    }
    peer.send_frame(CONTINUATION, b"message");
    peer.expect(TEXT, b"one message");
    ping_and_close(&mut peer);
    drop(peer);
    assert!(server.join().error.is_none());
}

/// A Pong that nobody asked for changes nothing.
pub fn ignores_unsolicited_pongs<R: Runtime>() {
    let (address, server) = serve_echo::<R>(Config::default());
    let mut peer = Peer::open(address);
    peer.send_frame(PONG, b"");
    peer.send_frame(TEXT ^ FIN, b"a");
    peer.send_frame(PONG, &[0; 125]);
    peer.send_frame(CONTINUATION, b"b");
    peer.expect(TEXT, b"ab");
    ping_and_close(&mut peer);
    drop(peer);
    assert!(server.join().error.is_none());
}

/// With `show_control_frames`, the application sees them in their order, answered already.
pub fn shows_control_frames<R: Runtime>() {
    let config = Config::default().show_control_frames(true);
    let (address, server) = serve::<R, _>(config, |mut ws| async move {
        let mut seen = Vec::new();
        while let Some(message) = ws.recv().await? {
            seen.push(message);
        }
        Ok::<_, Error>(seen)
    });
    let mut peer = Peer::open(address);
    peer.send_frame(PING, b"1");
    peer.expect(PONG, b"1");
    peer.send_frame(TEXT ^ FIN, b"a");
    peer.send_frame(PONG, b"2");
    peer.send_frame(CONTINUATION, b"b");
    peer.send_close(1000);
    peer.expect_close(1000);
    drop(peer);
    let (one, two) = (Message::Ping("1".into()), Message::Pong("2".into()));
    assert_eq!(server.join().unwrap(), [one, two, Message::text("ab")]);
}

/// Applications may send both.
pub fn sends_pings_and_pongs<R: Runtime>() {
    let (address, server) = serve::<R, _>(Config::default(), |mut ws| async move {
        ws.send(Message::Ping("ping".into())).await?;
        ws.send(Message::Pong(vec![7; 125].into())).await?;
        ws.recv().await
    });
    let mut peer = Peer::open(address);
    peer.expect(PING, b"ping");
    peer.expect(PONG, &[7; 125]);
    peer.send_frame(PONG, b"ping");
    peer.send_close(1000);
    peer.expect_close(1000);
    drop(peer);
    assert_eq!(server.join().unwrap(), None);
}

/// While the transport takes nothing, only the newest Ping is answered.
pub fn answers_only_the_newest_ping_when_blocked<R: Runtime>() {
    let (read_all, all_read) = mpsc::channel();
    let (address, server) = serve::<R, _>(Config::default(), |mut ws| async move {
        ws.feed(vec![0; MORE_THAN_BUFFERS]).await?;
        // Blocks while sending, and reads on.
        let message = ws.recv().await?;
        assert_eq!(message, Some(Message::text("all pings are sent")));
        read_all.send(()).expect("the test waits");
        ws.recv().await
    });
    let mut peer = Peer::open(address);
    let pings = (0..1000_u16).map(|n| wire::frame(Side::Client, PING, &n.to_be_bytes()));
    peer.send(pings.collect::<Vec<_>>().concat());
    peer.send_frame(TEXT, b"all pings are sent");
    all_read.recv().expect("the server reads them");
    peer.expect(BINARY, &vec![0; MORE_THAN_BUFFERS]);
    peer.expect(PONG, &999_u16.to_be_bytes());
    peer.send_close(1000);
    peer.expect_close(1000);
    drop(peer);
    assert_eq!(server.join().unwrap(), None);
}
