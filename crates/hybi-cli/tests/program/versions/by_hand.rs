//! Clients of each version played byte by byte: what they send, and what the server answers.

use core::net::SocketAddr;

use hybi_suite::peer::{Head, Peer};
use hybi_testkit::wire::{CLOSE, Side, TEXT, frame};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::{numbered, server_of_all, spoken};
use crate::support::Server;

/// A request of hixie-75.
const HIXIE_75: &str = "GET / HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\
    Host: localhost\r\nOrigin: http://localhost\r\n\r\n";

/// The request that hixie-76 prints, with its challenge and another host.
const HIXIE_76: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\nUpgrade: WebSocket\r\n\
    Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nOrigin: http://localhost\r\n\r\n^n:ds[4U";

/// What answers that challenge.
const ANSWER: &[u8; 16] = b"8jKS'y:G*Co,Wxa-";

/// Opens a connection by hand with this request.
#[track_caller]
fn open(address: SocketAddr, request: &str) -> (Peer, Head) {
    let mut peer = Peer::connect(address);
    peer.send(request);
    let head = expect_open(&mut peer, request);
    (peer, head)
}

#[track_caller]
fn expect_open(peer: &mut Peer, request: &str) -> Head {
    let head = peer.read_head();
    assert!(head.start.starts_with("HTTP/1.1 101 "), "{head:?}");
    if request.contains("Key1") {
        expect_bytes(peer, ANSWER);
    }
    head
}

/// A frame of hybi-04 to 06 as a client masks it, header and all.
fn masked(number: u8, head: &Head, frame: &[u8]) -> Vec<u8> {
    let hash = |parts: &[&[u8]]| digest(&SHA1_FOR_LEGACY_USE_ONLY, &parts.concat());
    let nonce = [0x37, 0xfa, 0x21, 0x3d];
    let mut key = nonce.to_vec();
    if number == 4 {
        let theirs = head.field("Sec-WebSocket-Nonce").expect("a nonce").as_bytes();
        let guid = b"61AC5F19-FBBA-4540-B96F-6561F1AB40A8";
        let connection = hash(&[b"dGhlIHNhbXBsZSBub25jZQ==", theirs, guid]);
        key = hash(&[&nonce, connection.as_ref()]).as_ref().to_vec();
    }
    let bytes = frame.iter().zip(key.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    nonce.into_iter().chain(bytes).collect()
}

#[track_caller]
fn expect_bytes(peer: &mut Peer, expected: &[u8]) {
    let mut bytes = vec![0; expected.len()];
    peer.read_raw(&mut bytes);
    assert_eq!(bytes, expected);
}

#[test]
fn requests_and_frames_may_come_byte_by_byte() {
    let server = server_of_all(&[]);
    let send = |peer: &mut Peer, bytes: &[u8]| {
        for byte in bytes {
            peer.send([*byte]);
        }
    };
    // A text of hybi-01 has opcode 4, and nothing is masked.
    for (request, message, close) in [
        (HIXIE_75, &b"\x00h\xc3\xb6\xff"[..], &b""[..]),
        (HIXIE_76, b"\x00h\xc3\xb6\xff", b"\xff\x00"),
        (HIXIE_76, b"\x04\x03h\xc3\xb6", b"\x01\x00"),
    ] {
        let mut peer = Peer::connect(server.address());
        send(&mut peer, request.as_bytes());
        expect_open(&mut peer, request);
        send(&mut peer, message);
        expect_bytes(&mut peer, message);
        send(&mut peer, close);
        if close.is_empty() {
            peer.end();
        }
        expect_bytes(&mut peer, close);
        peer.expect_end();
    }
    for (number, close, answer) in [
        (4, &b"\x81\x00"[..], &b"\x81\x00"[..]),
        (5, b"\x81\x01C", b"\x81\x01S"),
        (6, b"\x81\x02\x03\xe8", b"\x81\x02\x03\xe8"),
    ] {
        let mut peer = Peer::connect(server.address());
        let request = numbered("/", number);
        send(&mut peer, request.as_bytes());
        let head = expect_open(&mut peer, &request);
        let message = b"\x84\x03h\xc3\xb6";
        send(&mut peer, &masked(number, &head, message));
        expect_bytes(&mut peer, message);
        send(&mut peer, &masked(number, &head, close));
        expect_bytes(&mut peer, answer);
        peer.expect_end();
    }
    for number in [7, 8, 13] {
        let mut peer = Peer::connect(server.address());
        let request = numbered("/", number);
        send(&mut peer, request.as_bytes());
        expect_open(&mut peer, &request);
        send(&mut peer, &frame(Side::Client, TEXT, "hö".as_bytes()));
        peer.expect(TEXT, "hö".as_bytes());
        send(&mut peer, &frame(Side::Client, CLOSE, &[]));
        peer.expect_close(None);
        peer.expect_end();
    }
    let hybi = ["hybi-01", "hybi-04", "hybi-05", "hybi-06", "hybi-07", "hybi-08"];
    assert_eq!(spoken(server), [&["hixie-75", "hixie-76"], &hybi[..], &["rfc6455"]].concat());
}

#[test]
fn the_end_of_a_server_is_told_in_the_words_of_each_version() {
    let server = || Server::start(&["--versions", "all"]);
    // The first byte may choose hybi-01: a ping of its own, and the pong.
    for (request, ping, pong, close) in [
        (HIXIE_75, &b""[..], &b""[..], &b""[..]),
        (HIXIE_76, b"", b"", b"\xff\x00"),
        (HIXIE_76, b"\x02\x00", b"\x03\x00", b"\x01\x00"),
    ] {
        let server = server();
        let (mut peer, _) = open(server.address(), request);
        peer.send(ping);
        expect_bytes(&mut peer, pong);
        server.terminate();
        expect_bytes(&mut peer, close);
        peer.send(close);
        peer.expect_end();
        drop(peer);
        server.wait().expect(0, "");
    }
    for (number, close, answer) in [
        (4, &b"\x81\x00"[..], &b"\x81\x00"[..]),
        (5, b"\x81\x01S", b"\x81\x01C"),
        (6, b"\x81\x13\x03\xe9server going away", b"\x81\x02\x03\xe9"),
    ] {
        let server = server();
        let (mut peer, head) = open(server.address(), &numbered("/", number));
        server.terminate();
        expect_bytes(&mut peer, close);
        peer.send(masked(number, &head, answer));
        peer.expect_end();
        drop(peer);
        server.wait().expect(0, "");
    }
}

#[test]
fn a_peer_of_any_version_that_never_answers_is_cut() {
    for request in [HIXIE_76.to_owned(), numbered("/", 4)] {
        let server = Server::start(&["--versions", "all", "--close-timeout", "100ms"]);
        let (_peer, _) = open(server.address(), &request);
        server.terminate();
        server.wait().expect(12, "had to be cut");
    }
}

#[test]
fn handlers_do_what_a_version_can() {
    let server = server_of_all(&[]);
    let hixie = |path: &str, request: &str| {
        open(server.address(), &request.replace("GET /", &format!("GET {path}"))).0
    };
    // A close without its code, where there are none.
    for (request, close) in [(HIXIE_76, &b"\xff\x00"[..]), (HIXIE_75, b"")] {
        let mut peer = hixie("/close?code=3000&reason=done", request);
        expect_bytes(&mut peer, close);
        peer.send(close);
        peer.expect_end();
        let mut peer = hixie("/close", request);
        peer.send(b"\x003000 done\xff");
        expect_bytes(&mut peer, close);
        peer.send(close);
        peer.expect_end();
    }
    let (mut peer, _) = open(server.address(), &numbered("/close?code=3000", 5));
    expect_bytes(&mut peer, b"\x81\x01S");
    // Binary messages do not reach who has no way to take them.
    let mut peer = hixie("/generate?count=3&interval=0&type=binary", HIXIE_76);
    expect_bytes(&mut peer, b"\xff\x00");
    let mut peer = hixie("/generate?count=2&size=3&interval=0", HIXIE_76);
    expect_bytes(&mut peer, b"\x00abc\xff\x00abc\xff\xff\x00");
    let mut old = hixie("/chat?self=1", HIXIE_76);
    old.send(b"\x00here\xff");
    expect_bytes(&mut old, b"\x00here\xff");
    let mut new = server.open("/chat");
    new.send_frame(0x82, b"binary");
    new.send_frame(0x81, b"text");
    expect_bytes(&mut old, b"\x00text\xff");
    // Whoever is cut into fragments elsewhere is not here.
    let mut peer = hixie("/?fragment=1", HIXIE_75);
    peer.send(b"\x00whole\xff");
    expect_bytes(&mut peer, b"\x00whole\xff");
}
