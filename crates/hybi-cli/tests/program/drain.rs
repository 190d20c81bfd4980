//! The orderly end of `hybi serve`: what peers see, and the exit code.

use std::net::TcpStream;

use hybi_testkit::peer::Peer;
use hybi_testkit::wire::{CLOSE, close_payload};
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::support::{Server, signal};

fn going_away() -> Vec<u8> {
    close_payload(1001, b"server going away")
}

#[test]
fn all_peers_see_1001_and_the_status_is_0() {
    for name in ["TERM", "INT"] {
        let server = Server::start(&[]);
        let mut peers: Vec<Peer> =
            ["/", "/chat", "/discard", "/close", "/generate?count=1&interval=1h"]
                .map(|path| server.open(path))
                .into();
        // Has not finished its handshake; nobody waits for it.
        let mut pending = Peer::connect(server.address());
        pending.send("GET / HTTP/1.1\r\n");
        signal(server.id(), name);
        for peer in &mut peers {
            let mut frame = peer.read_frame();
            while frame.first != CLOSE {
                frame = peer.read_frame();
            }
            // A handler that had finished by itself closes as it meant to.
            let code = frame.payload[..2].to_vec();
            assert!(frame.payload == going_away() || code == 1000_u16.to_be_bytes(), "{frame:?}");
            peer.send_frame(CLOSE, &code);
            peer.expect_end();
        }
        let address = server.address();
        server.wait().expect(0, "");
        assert!(TcpStream::connect(address).is_err(), "somebody still listens");
    }
}

#[test]
fn a_thousand_connections_end_in_order() {
    // One descriptor each, and the usual soft limit is just as high.
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("as many files as the hard limit allows");
    let server = Server::start(&[]);
    let mut peers: Vec<Peer> = (0..1000).map(|_| server.open("/")).collect();
    server.terminate();
    for peer in &mut peers {
        peer.expect(CLOSE, &going_away());
        peer.send_close(1001);
    }
    server.wait().expect(0, "");
}

#[test]
fn a_peer_that_never_answers_is_cut_and_the_status_is_12() {
    for option in ["--close-timeout", "--drain-timeout"] {
        let server = Server::start(&[option, "100ms"]);
        let mut peer = server.open("/");
        server.terminate();
        peer.expect(CLOSE, &going_away());
        server.wait().expect(12, "had to be cut");
    }
}

#[test]
fn the_second_signal_ends_at_once() {
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let server = Server::start(&[]);
        let mut peer = server.open("/");
        server.terminate();
        peer.expect(CLOSE, &going_away());
        signal(server.id(), name);
        server.wait().expect(code, "");
    }
}
