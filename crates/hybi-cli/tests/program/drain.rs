//! The orderly end of `hybi serve`: what peers see, and the exit code.

use core::net::SocketAddr;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use hybi_suite::peer::Peer;
use hybi_testkit::wire::{CLOSE, Side, TEXT, close_payload, frame};
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::support::{Server, events, request, scratch, signal};

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
        // Has not finished its handshake, and is told.
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
        let (head, _) = pending.expect_refusal();
        assert_eq!((head.status(), head.field("Retry-After")), (503, Some("1")));
        let address = server.address();
        server.wait().expect(0, "");
        assert!(TcpStream::connect(address).is_err(), "somebody still listens");
    }
}

#[test]
fn a_peer_that_never_stops_sending_is_told_too() {
    let short_life = &["--max-lifetime", "50ms"][..];
    for (path, args, why) in [
        ("/", &[][..], "server going away"),
        ("/discard", &[], "server going away"),
        ("/?delay=10s", &[], "server going away"),
        ("/generate?count=0", &[], "server going away"),
        ("/", short_life, "connection reached its time to live"),
        ("/discard", short_life, "connection reached its time to live"),
    ] {
        let server = Server::start(args);
        let mut stream = TcpStream::connect(server.address()).expect("a connection");
        stream.write_all(request(path).as_bytes()).expect("sent");
        let mut chunk = [0; 64 * 1024];
        assert!(stream.read(&mut chunk).expect("an answer") > 0);
        let mut sending = stream.try_clone().expect("a handle");
        let unit = frame(Side::Client, TEXT, b"without a pause").repeat(100);
        sending.write_all(&unit).expect("under way");
        // Until the server is gone.
        let flood = std::thread::spawn(move || while sending.write_all(&unit).is_ok() {});
        if args.is_empty() {
            server.terminate();
        }
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains(why) {
            let len = stream.read(&mut chunk).expect("more");
            assert!(len > 0, "{path}: the end without a word");
            // What the words may begin in.
            seen.drain(..seen.len().saturating_sub(why.len()));
            seen.extend_from_slice(&chunk[..len]);
        }
        drop(server);
        flood.join().expect("a flood");
    }
}

/// All listeners are one server, with one limit and one end.
#[test]
fn all_listeners_end_together() {
    let ports = scratch("all-listeners");
    let file = ports.to_str().expect("text");
    let listen = ["-l", "127.0.0.1:0", "-l", "127.0.0.1:0", "--port-file", file];
    let server = Server::start(&[&listen[..], &["--max-connections", "3"]].concat());
    let addresses: Vec<SocketAddr> = fs::read_to_string(&ports)
        .expect("a file")
        .lines()
        .map(|line| line.parse().expect("an address"))
        .collect();
    assert_eq!(addresses.len(), 2);
    let ask = |address: SocketAddr| {
        let mut peer = Peer::connect(address);
        let host = format!("Host: {address}\r\n");
        peer.send(request("/").replace("Host: localhost\r\n", &host));
        peer
    };
    let mut peers = [0, 1, 1].map(|n| ask(addresses[n]));
    for peer in &mut peers {
        peer.expect_accepted();
    }
    for address in &addresses {
        assert_eq!(ask(*address).expect_refusal().0.status(), 503);
    }
    server.terminate();
    for peer in &mut peers {
        peer.expect(CLOSE, &going_away());
        peer.send_close(1001);
    }
    server.wait().expect(0, "");
    for address in addresses {
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
    for option in ["--close-timeout", "--end-timeout", "--drain-timeout"] {
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

/// One line for each connection that ended, however: in order, cut at the deadline, or by the second signal.
#[test]
fn whoever_is_cut_has_a_line_in_the_access_log() {
    for (patience, signals, code) in [("100ms", 1, 12), ("0s", 1, 12), ("10m", 2, 143)] {
        let log = ["--access-log", "-", "--access-log-format", "json"];
        let server = Server::start(&[&log[..], &["--drain-timeout", patience]].concat());
        let mut peers = ["/", "/?delay=1s", "/chat", "/discard"].map(|path| server.open(path));
        server.terminate();
        // Also with no time at all; and no peer answers.
        for peer in &mut peers {
            peer.expect(CLOSE, &going_away());
        }
        if signals == 2 {
            server.terminate();
        }
        let outcome = server.wait().expect(code, "");
        let mut lines: Vec<_> = events(&outcome.stdout, &["access"])
            .iter()
            .map(|line| {
                let of = |name: &str| line[name].to_string();
                [of("target"), of("status"), of("code"), of("clean")].join(" ")
            })
            .collect();
        lines.sort();
        let expected = ["/", "/?delay=1s", "/chat", "/discard"];
        assert_eq!(lines, expected.map(|path| format!("\"{path}\" 101 1001 false")), "{patience}");
    }
}
