//! Ceilings and deadlines of `hybi serve`, as the peer meets them.

use core::time::Duration;

use hybi_suite::peer::Peer;
use hybi_testkit::wire::{BINARY, CLOSE, FIN, PING, Side, TEXT, close_payload, frame};

use crate::support::{Server, request};

#[test]
fn more_connections_than_allowed_are_answered_with_503() {
    for option in ["--max-connections", "--max-connections-per-ip"] {
        let server = Server::start(&[option, "1"]);
        let mut first = server.open("/");
        let mut second = Peer::connect(server.address());
        second.send(request("/"));
        let (head, _) = second.expect_refusal();
        assert_eq!((head.status(), head.field("Retry-After")), (503, Some("1")));
        first.send_close(1000);
        first.expect_close(1000);
        first.expect_end();
        drop(first);
        // The place is free when the server has seen the end, at some moment from now on.
        loop {
            let mut next = Peer::connect(server.address());
            next.send(request("/"));
            if next.read_head().status() == 101 {
                break;
            }
        }
    }
}

#[test]
fn messages_frames_and_fragments_have_ceilings() {
    let server =
        Server::start(&["--max-message", "1kB", "--max-frame", "600", "--max-fragments", "2"]);
    let too_big = |send: &dyn Fn(&mut Peer)| {
        let mut peer = server.open("/");
        send(&mut peer);
        let frame = peer.read_frame();
        assert_eq!((frame.first, &frame.payload[..2]), (CLOSE, &1009_u16.to_be_bytes()[..]));
        peer.expect_end();
    };
    too_big(&|peer| peer.send_frame(BINARY, &[0; 601]));
    too_big(&|peer| {
        peer.send_frame(BINARY ^ FIN, &[0; 600]);
        peer.send_frame(0x80, &[0; 401]);
    });
    too_big(&|peer| {
        peer.send_frame(BINARY ^ FIN, b"");
        peer.send_frame(0, b"");
        peer.send_frame(0, b"");
        peer.send_frame(0x80, b"");
    });
    let mut peer = server.open("/");
    peer.send_frame(BINARY, &[7; 600]);
    peer.expect(BINARY, &[7; 600]);
    peer.send_frame(BINARY ^ FIN, &[7; 600]);
    peer.send_frame(0x80, &[7; 400]);
    peer.expect(BINARY, &[7; 1000]);
    peer.send_frame(BINARY ^ FIN, b"a");
    peer.send_frame(0, b"b");
    peer.send_frame(0x80, b"c");
    peer.expect(BINARY, b"abc");
}

#[test]
fn heads_have_ceilings() {
    let server = Server::start(&["--max-header-bytes", "1kB", "--max-headers", "8"]);
    let with = |fields: &str| request("/").replace("\r\n\r\n", &format!("\r\n{fields}\r\n"));
    let own = request("/").matches("\r\n").count() - 2;
    let fields = |count: usize| with(&"X: y\r\n".repeat(count - own));
    let bytes = |len: usize| with(&format!("X: {}\r\n", "y".repeat(len - with("X: \r\n").len())));
    for (within, beyond) in [(fields(8), fields(9)), (bytes(1000), bytes(1001))] {
        let mut peer = Peer::connect(server.address());
        peer.send(within);
        peer.expect_accepted();
        assert_eq!(server.refuses(&beyond), 431);
    }
}

#[test]
fn deadlines_end_what_does_not_move() {
    let server = Server::start(&["--handshake-timeout", "100ms"]);
    assert_eq!(server.refuses("GET / HTTP/1.1\r\n"), 408);

    let server = Server::start(&["--idle-timeout", "100ms", "--close-timeout", "100ms"]);
    server.open("/").expect_close_saying(1001, "idle timeout");

    let server = Server::start(&["--ping-interval", "50ms", "--ping-timeout", "50ms"]);
    let mut peer = server.open("/");
    assert_eq!(peer.read_frame().first, PING);
    let close = peer.read_frame();
    assert_eq!((close.first, &close.payload[..2]), (CLOSE, &1011_u16.to_be_bytes()[..]));

    let server = Server::start(&["--max-lifetime", "100ms"]);
    let mut peer = server.open("/");
    peer.expect(CLOSE, &close_payload(1001, b"connection reached its time to live"));
}

#[test]
fn chat_waits_for_a_slow_member_when_asked() {
    let server = Server::start(&["--slow-peer", "wait", "--send-queue", "256KiB"]);
    let mut slow = server.open("/chat?self=1");
    slow.send_frame(TEXT, b"here");
    slow.expect(TEXT, b"here");
    let mut sender = server.open("/chat");
    let payload = vec![1; 64 * 1024];
    let message = frame(Side::Client, BINARY, &payload);
    let sending = std::thread::spawn(move || {
        for _ in 0..400 {
            sender.send(&message);
        }
        sender
    });
    for _ in 0..400 {
        slow.expect(BINARY, &payload);
    }
    sending.join().expect("everything was taken");
}

#[test]
fn chat_closes_or_skips_a_member_that_does_not_read() {
    for (action, version, code) in [("close", 13, 1008), ("close", 8, 1001), ("drop", 13, 0)] {
        let options = ["--slow-peer", action, "--send-queue", "256KiB", "--versions", "13,8"];
        let server = Server::start(&options);
        let mut slow = Peer::connect(server.address());
        let version = format!("Version: {version}");
        slow.send(request("/chat?self=1").replace("Version: 13", &version));
        slow.expect_accepted();
        slow.send_frame(TEXT, b"here");
        slow.expect(TEXT, b"here");
        let mut sender = server.open("/chat");
        let payload = vec![1; 64 * 1024];
        for _ in 0..400 {
            sender.send_frame(BINARY, &payload);
        }
        // The answer to a ping shows that all of them were passed on.
        sender.send_frame(PING, b"");
        sender.expect(0x8a, b"");
        let mut received = 0;
        let last = loop {
            let frame = slow.read_frame();
            if frame.first != BINARY {
                break frame;
            }
            received += 1;
            if action == "drop" && received == 1 {
                // The queue empties while this is on its way, so it arrives in the end.
                slow.send_frame(PING, b"end");
            }
        };
        assert!(received < 400, "{action}: nothing was skipped");
        if action == "close" {
            let reason = b"reads too slowly";
            assert_eq!((last.first, last.payload), (CLOSE, close_payload(code, reason)));
        } else {
            assert_eq!((last.first, &last.payload[..]), (0x8a, &b"end"[..]));
        }
    }
}

#[test]
fn a_slow_handshake_does_not_delay_others() {
    let server = Server::start(&["--threads", "1"]);
    let mut slow = Peer::connect(server.address());
    slow.send("GET / HTTP/1.1\r\nHost: ");
    let mut unread = server.open("/");
    let sent = unread.flood(
        &frame(Side::Client, BINARY, &vec![0; 64 * 1024]),
        64 << 20,
        Duration::from_millis(300),
    );
    assert!(sent < 64 << 20, "an unread echo is taken without end");
    let mut quick = server.open("/");
    quick.send_frame(TEXT, b"quick");
    quick.expect(TEXT, b"quick");
}
