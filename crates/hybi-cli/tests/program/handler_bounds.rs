//! What a query asks of a handler costs the client nothing, so each has a bound.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use hybi_suite::peer::Peer;
use hybi_testkit::wire::{
    BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, Side, TEXT, close_payload, frame,
};

use crate::support::{PATIENCE, Server, request};

#[test]
fn what_is_beyond_a_bound_is_answered_with_400_that_names_it() {
    let server = Server::start(&[]);
    for (path, bound) in [
        ("/generate?size=17MiB", "16777216"),
        ("/generate?count=17&size=16MiB", "from 0 to 16"),
        ("/generate?count=4194305&size=0", "from 0 to 4194304"),
        ("/echo?delay=11s", "10s"),
        ("/chat?room=", "128"),
    ] {
        let path =
            if path.ends_with("room=") { path.to_owned() + &"x".repeat(129) } else { path.into() };
        let mut peer = Peer::connect(server.address());
        peer.send(request(&path));
        let (head, body) = peer.expect_refusal();
        assert_eq!(head.status(), 400, "{path}");
        assert!(body.contains(bound), "{path}: {body}");
    }
}

/// What `generate` sends of the largest messages before it closes: 16 frames with heads of ten bytes.
const GENERATED: u64 = 16 * (10 + (16 << 20));

/// Reads all of it, and then the Close frame.
fn read_generated(mut stream: &TcpStream) {
    let read = io::copy(&mut stream.take(GENERATED), &mut io::sink()).expect("messages");
    assert_eq!(read, GENERATED);
    let mut close = [0; 4];
    stream.read_exact(&mut close).expect("a Close frame");
    assert_eq!(close, [CLOSE, 2, 0x03, 0xe8]);
}

/// Asks for messages without end, and reads until the first begins.
fn greedy(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    let path = "/generate?count=0&size=16MiB&interval=0&type=binary";
    stream.write_all(request(path).as_bytes()).expect("sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a head");
        head.extend(byte);
    }
    stream
}

#[test]
fn generating_without_end_ends() {
    let server = Server::start(&[]);
    read_generated(&greedy(&server));
}

#[test]
fn a_reader_of_generate_leaves_room_for_others_on_the_same_thread() {
    let server = Server::start(&["--threads", "1"]);
    let mut other = server.open("/");
    let greedy = greedy(&server);
    let reading = std::thread::spawn(move || read_generated(&greedy));
    for _ in 0..10 {
        other.send_frame(TEXT, b"still there?");
        other.expect(TEXT, b"still there?");
    }
    reading.join().expect("an end");
}

#[test]
fn an_echo_is_not_cut_into_more_fragments_than_a_peer_may_send() {
    let server = Server::start(&["--max-fragments", "3"]);
    let mut peer = server.open("/?fragment=1");
    peer.send_frame(TEXT, b"four");
    peer.expect(TEXT ^ FIN, b"f");
    peer.expect(CONTINUATION ^ FIN, b"o");
    peer.expect(CONTINUATION ^ FIN, b"u");
    peer.expect(CONTINUATION, b"r");
    peer.send_frame(TEXT, b"fives");
    let why = b"message too long for fragments so small";
    peer.expect(CLOSE, &close_payload(1009, why));
    // As it comes from the wire, the bound is the default one.
    let server = Server::start(&[]);
    let mut peer = server.open("/?fragment=1");
    peer.send_frame(BINARY, &vec![0; 16 << 20]);
    peer.expect(CLOSE, &close_payload(1009, why));
}

#[test]
fn acknowledgements_that_nobody_reads_stop_the_reading() {
    let server = Server::start(&["--threads", "1", "--send-queue", "64KiB"]);
    let mut deaf = server.open("/discard?ack=1");
    let unit = frame(Side::Client, TEXT, b"").repeat(1000);
    let sent = deaf.flood(&unit, 64 << 20, core::time::Duration::from_millis(300));
    assert!(sent < 64 << 20, "taken without end");
    let mut other = server.open("/");
    other.send_frame(TEXT, b"quick");
    other.expect(TEXT, b"quick");
}

#[test]
fn a_full_room_says_so_and_a_seat_is_free_when_somebody_leaves() {
    const MEMBERS: usize = 1000;
    let server = Server::start(&[]);
    // Who answers a ping has taken a seat.
    let sit = || {
        let mut peer = server.open("/chat?room=popular");
        peer.send_frame(PING, b"seated");
        peer.expect(PONG, b"seated");
        peer
    };
    let mut members: Vec<Peer> = (0..MEMBERS).map(|_| sit()).collect();
    let mut late = server.open("/chat?room=popular");
    late.expect(CLOSE, &close_payload(1013, b"this room is full"));
    let mut elsewhere = server.open("/chat?room=other&self=1");
    elsewhere.send_frame(TEXT, b"room enough");
    elsewhere.expect(TEXT, b"room enough");
    members[0].send_close(1000);
    members[0].expect_close(1000);
    // At some moment from now on.
    let began = std::time::Instant::now();
    loop {
        assert!(began.elapsed() < PATIENCE, "no seat");
        let mut next = server.open("/chat?room=popular");
        next.send_frame(PING, b"seated");
        if next.read_frame().first == PONG {
            break;
        }
    }
}
