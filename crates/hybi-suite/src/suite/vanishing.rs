//! Peers that vanish: killed, or gone with a reset, in the middle of a message and while nothing is sent
//! (RFC 6455 sections 7.1.5 and 7.2.1).

use std::{io::ErrorKind, net::TcpListener};

use hybi::{Config, Error};
use hybi_testkit::wire::{self, BINARY, FIN, TEXT};

use super::{Outcome, Running, Runtime, connect, echo, serve_echo};
use crate::peer::{Peer, listen};

/// What a peer was at when it vanished.
#[derive(Clone, Copy, Debug)]
enum In {
    Silence,
    Header,
    Frame,
    Message,
}

impl In {
    const ALL: [Self; 4] = [Self::Silence, Self::Header, Self::Frame, Self::Message];

    fn begin(self, peer: &mut Peer) {
        let frame = wire::frame(peer.side(), BINARY, &[7; 100_000]);
        match self {
            Self::Silence => {}
            Self::Header => peer.send(&frame[..3]),
            Self::Frame => peer.send(&frame[..frame.len() / 2]),
            Self::Message => peer.send_frame(BINARY ^ FIN, &[7; 1000]),
        }
    }
}

/// A server or client that echoes, and its peer, once a message went to and fro.
fn open<R: Runtime>(as_client: bool) -> (Peer, Running<Outcome>) {
    let (mut peer, own) = if as_client {
        let (listener, address): (TcpListener, _) = listen();
        let client = connect::<R, _>(address, Config::default(), echo);
        (Peer::answer(&listener, ""), client)
    } else {
        let (address, server) = serve_echo::<R>(Config::default());
        (Peer::open(address), server)
    };
    peer.send_frame(TEXT, b"here");
    peer.expect(TEXT, b"here");
    (peer, own)
}

/// Every way to vanish is the end at once, told as what it was, and the same ever after.
fn vanishes<R: Runtime>(leave: fn(&mut Peer), vanish: fn(Peer), is_told: fn(&Error) -> bool) {
    for as_client in [false, true] {
        for within in In::ALL {
            let (mut peer, own) = open::<R>(as_client);
            leave(&mut peer);
            within.begin(&mut peer);
            vanish(peer);
            let outcome = own.join();
            let what = format!("as client: {as_client}, in {within:?}: {outcome:?}");
            assert!(outcome.error.as_ref().is_some_and(is_told), "{what}");
            let status = outcome.status;
            assert!(!status.is_clean(), "{what}");
            assert_eq!((status.code().as_u16(), status.sent()), (1006, None), "{what}");
        }
    }
}

fn is_reset(error: &Error) -> bool {
    error.is_closed()
        && matches!(error, Error::Transport(io) if io.kind() == ErrorKind::ConnectionReset)
}

/// A reset is the transport's error.
pub fn tells_a_reset<R: Runtime>() {
    vanishes::<R>(Peer::leave_unread, drop, is_reset);
}

/// A process that is killed leaves in order, as far as TCP is concerned.
#[cfg(unix)]
pub fn tells_a_peer_that_was_killed<R: Runtime>() {
    vanishes::<R>(|_| {}, Peer::kill, |error| error.is_closed() && matches!(error, Error::Lost));
}

/// Unless it had not read everything.
#[cfg(unix)]
pub fn tells_a_peer_that_was_killed_before_it_read<R: Runtime>() {
    vanishes::<R>(Peer::leave_unread, Peer::kill, is_reset);
}
