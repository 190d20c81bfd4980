//! `hybi connect`: what it sends, prints and answers, and how it exits.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;

use hybi_suite::events::OF_CONNECT;
use hybi_suite::peer::{Peer, accept_of, listen};
use hybi_testkit::wire::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, TEXT, close_payload};

use crate::support::{Server, against, asked, events, finish, hybi, scratch, signal, spawn};

#[test]
fn messages_and_files_are_sent_instead() {
    let server = Server::start(&[]);
    let file = scratch("message");
    std::fs::write(&file, "from\na file").expect("a file");
    let path = file.to_str().expect("text");
    hybi(&["connect", "-m", "first", "-m", "-second", "-f", path, "-w", "0", &server.url])
        .expect_stdout("first\n-second\nfrom\na file\n");
    std::fs::write(&file, [0xff]).expect("a file");
    hybi(&["connect", "-f", path, &server.url]).expect(2, "hint: --binary");
    hybi(&["connect", "-b", "-f", path, "-w", "0", &server.url]).expect_stdout("ff\n");
}

#[test]
fn fragments_and_closes_go_out_as_asked() {
    let outcome =
        against(&["-w", "0", "--fragment", "2", "-m", "abc", "--close", "3000:done"], |peer| {
            peer.expect(TEXT ^ FIN, b"ab");
            peer.expect(CONTINUATION, b"c");
            // What the server still says is printed.
            peer.send_frame(TEXT, b"late");
            peer.expect(CLOSE, &close_payload(3000, b"done"));
            peer.send_close(3000);
        });
    outcome.expect_stdout("late\n");
    against(&["-w", "0", "--close", "none", "-b", "-m", "x"], |peer| {
        peer.expect(BINARY, b"x");
        peer.expect_close(None);
        peer.send_frame(CLOSE, b"");
    })
    .expect_stdout("");
    against(&["-w", "0", "--no-close", "-m", "x"], |peer| {
        peer.expect(TEXT, b"x");
        peer.expect_end();
    })
    .expect_stdout("");
}

#[test]
fn the_request_carries_what_was_asked() {
    let options = [
        "-H",
        "X-One: 1",
        "--origin",
        "https://a.example",
        "-s",
        "x",
        "-s",
        "y",
        "--user-agent",
        "me/1",
        "--cookie",
        "a=b",
        "--cookie",
        "c=d",
    ];
    let url = |address| format!("ws://user:pass@{address}/path?q=1");
    let (address, head) = asked(&options, url);
    assert_eq!(head.start, "GET /path?q=1 HTTP/1.1");
    for (name, value) in [
        ("Host", &*address.to_string()),
        ("X-One", "1"),
        ("Origin", "https://a.example"),
        ("Sec-WebSocket-Protocol", "x, y"),
        ("User-Agent", "me/1"),
        ("Cookie", "a=b; c=d"),
        ("Authorization", "Basic dXNlcjpwYXNz"),
        ("Sec-WebSocket-Version", "13"),
    ] {
        assert_eq!(head.field(name), Some(value), "{name}");
    }
}

/// Where to look for an address is nothing that the server has to know (RFC 6874 section 4).
#[test]
fn the_zone_of_an_address_is_used_and_not_sent() {
    let listener = TcpListener::bind("[::1]:0").expect("the loopback address of IPv6");
    let port = listener.local_addr().expect("an address").port();
    let played = std::thread::spawn(move || {
        for _ in 0..2 {
            let mut peer = Peer::accept(&listener);
            assert_eq!(peer.read_head().field("Host"), Some(&*format!("[::1]:{port}")));
            peer.send("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
        }
    });
    // The loopback interface is the first one.
    hybi(&["connect", &format!("ws://[::1%251]:{port}/")]).expect(5, "403");
    hybi(&["connect", &format!("ws://[::1%1]:{port}/")]).expect(5, "403");
    played.join().expect("two requests");
}

#[test]
fn a_zone_that_there_is_not_is_told_as_it_was_given() {
    hybi(&["connect", "ws://[fe80::1%25nowhere]:9/"])
        .expect(3, "cannot connect to [fe80::1%nowhere]:9");
}

#[test]
fn json_has_one_event_a_line_and_no_secret() {
    let server = Server::start(&["-s", "chat"]);
    let url = server.url.replace("ws://", "ws://admin:hunter2@");
    let outcome = hybi(&[
        "connect",
        "--json",
        "-s",
        "chat",
        "-m",
        "a\u{1b}\"",
        "-u",
        "x:hunter2",
        "-w",
        "0",
        &url,
    ]);
    let outcome = outcome.expect(0, "");
    assert!(!outcome.stdout.contains("hunter2"), "{outcome:?}");
    let events = events(&outcome.stdout, &OF_CONNECT);
    let names: Vec<_> =
        events.iter().map(|event| event["event"].as_str().expect("a name")).collect();
    assert_eq!(names, ["connecting", "open", "message", "close"]);
    assert!(events.iter().all(|event| event["v"] == 1 && event["t"].is_string()));
    assert_eq!(events[1]["subprotocol"], "chat");
    assert_eq!(events[1]["headers"]["upgrade"], "websocket");
    assert_eq!((&events[2]["type"], &events[2]["text"]), (&"text".into(), &"a\u{1b}\"".into()));
    assert_eq!((&events[3]["code"], &events[3]["clean"]), (&1000.into(), &true.into()));
}

/// Where a terminal or a reader of lines may see it, one rule for all outputs.
#[test]
fn what_a_peer_says_cannot_reorder_or_break_a_line() {
    const MARKS: &str = "a\u{202e}b\u{2028}c\u{61c}d\u{9b}e";
    let serve = |peer: &mut Peer| {
        peer.send_frame(TEXT, MARKS.as_bytes());
        peer.send_frame(CLOSE, &close_payload(1011, MARKS.as_bytes()));
        peer.expect(CLOSE, &close_payload(1011, MARKS.as_bytes()));
    };
    let outcome =
        against(&["--json", "--info", "-w", "end"], serve).expect(8, "\\u{202e}b\\u{2028}");
    let steers = |c: char| MARKS.contains(c) && !c.is_ascii();
    assert!(!outcome.stdout.contains(steers) && !outcome.stderr.contains(steers), "{outcome:?}");
    let events = events(&outcome.stdout, &OF_CONNECT);
    assert_eq!((&events[2]["text"], &events[3]["reason"]), (&MARKS.into(), &MARKS.into()));
}

#[test]
fn counts_and_expectations() {
    let server = Server::start(&[]);
    let url = server.at("/generate?count=0&size=3&interval=0");
    hybi(&["connect", "-n", "2", &url]).expect_stdout("abc\nabc\n");
    hybi(&["connect", "--expect", "abc", &url]).expect_stdout("abc\n");
    hybi(&["connect", "-m", "x", "--expect", "y", &server.url]).expect(10, "expected \"y\"");
    let two = server.at("/generate?count=1&size=3");
    hybi(&["connect", "-m", "x", "--expect", "abc", "--expect", "abc", &two])
        .expect(10, "1 more was expected");
    let wait = ["connect", "-w", "end", "-n", "1", "-m", "x", &server.url];
    hybi(&wait).expect_stdout("x\n");
}

#[test]
fn echo_sends_back_whatever_comes() {
    let outcome = against(&["--echo"], |peer| {
        let big: Vec<u8> = (0..=255).cycle().take(16 << 20).collect();
        peer.send_frame(BINARY, &big);
        peer.expect(BINARY, &big);
        // 65,536 fragments, and an empty one to end them, as the Autobahn test suite sends.
        peer.send_frame(TEXT ^ FIN, b"x");
        for _ in 0..65_535 {
            peer.send_frame(0, b"x");
        }
        peer.send_frame(CONTINUATION, b"");
        peer.expect(TEXT, &[b'x'; 65_536]);
        peer.send_frame(PING, b"p");
        peer.expect(PONG, b"p");
        peer.send_close(1000);
        peer.expect_close(1000);
    });
    outcome.expect_stdout("");
}

#[test]
fn control_frames_are_shown_when_asked() {
    let serve = |peer: &mut Peer| {
        peer.send_frame(PING, b"are you there");
        peer.expect(PONG, b"are you there");
        peer.send_frame(TEXT, b"good");
        peer.expect_close(1000);
        peer.send_close(1000);
    };
    against(&["-n", "1"], serve).expect_stdout("good\n");
    against(&["-n", "1", "--show-control"], serve).expect_stdout("[ping] are you there\ngood\n");
}

#[test]
fn the_peer_says_how_it_ends() {
    // Reads to the end: what it had not read would make a reset of it.
    fn closes(peer: &mut Peer, code: u16, reason: &[u8]) {
        peer.expect(TEXT, b"x");
        peer.send_frame(CLOSE, &close_payload(code, reason));
        peer.expect(CLOSE, &close_payload(code, reason));
    }
    let outcome = against(&["-w", "end", "-m", "x"], |peer| closes(peer, 1000, b""));
    assert_eq!(outcome.expect(0, "").stderr, "");
    // A server that goes away may have had more to say.
    let leaving = |peer: &mut Peer| closes(peer, 1001, b"restart\x1b[2J");
    against(&["-w", "end", "-m", "x"], leaving)
        .expect(0, "closed by peer: 1001 restart\\u{1b}[2J (clean)\n");
    let outcome = against(&["-w", "end", "-m", "x", "--json"], leaving).expect(0, "");
    assert!(outcome.stderr.is_empty() && outcome.stdout.contains("\"code\":1001"), "{outcome:?}");
    let failing = |peer: &mut Peer| closes(peer, 1011, b"broken\x1b[2J");
    against(&["-w", "end", "-m", "x"], failing).expect(8, "1011 broken\\u{1b}[2J");
    against(&["-w", "end", "-m", "x"], |peer| {
        peer.expect(TEXT, b"x");
        peer.end();
    })
    .expect(8, "without a closing handshake");
    let outcome = against(&["-w", "end", "-m", "x", "--json"], |peer| {
        peer.expect(TEXT, b"x");
        peer.send_frame(TEXT | 0x40, b"reserved bit");
        assert_eq!(peer.read_frame().payload[..2], 1002_u16.to_be_bytes());
    });
    let outcome = outcome.expect(7, "the server broke the protocol");
    assert!(outcome.stdout.contains(r#""event":"error""#), "{outcome:?}");
    assert!(outcome.stdout.contains(r#""rule":"RFC 6455 §5.2","offset":0"#), "{outcome:?}");
    assert_eq!(outcome.stderr.matches("5.2").count(), 1, "{outcome:?}");
    against(&["-w", "0", "--close-timeout", "100ms", "-m", "x"], |peer| {
        peer.expect(TEXT, b"x");
        peer.expect_close(1000);
        peer.expect_end();
    })
    .expect(9, "did not answer the Close frame");
}

#[test]
fn failures_before_the_connection_is_open() {
    let (listener, address) = listen();
    let url = format!("ws://{address}/");
    // Nobody answers.
    let late = "opening handshake failed: took longer than 100ms";
    hybi(&["connect", "--timeout", "100ms", &url]).expect(9, late);
    // Nobody listens.
    drop(listener);
    hybi(&["connect", &url]).expect(3, &format!("cannot connect to {address}"));
    hybi(&["connect", "ws+unix:/nobody/here:/"]).expect(3, "/nobody/here");

    let answered = |answer: fn(&str) -> String| {
        let (listener, address) = listen();
        let played = std::thread::spawn(move || {
            let mut peer = Peer::accept(&listener);
            let accept = accept_of(&peer.read_head());
            peer.send(answer(&accept));
            peer.end();
        });
        let outcome = hybi(&["connect", &format!("ws://{address}/")]);
        played.join().expect("played");
        outcome
    };
    answered(|_| "\x15\x03\x01".into()).expect(6, "hint: try wss://");
    answered(|_| "SSH-2.0-server\r\n".into()).expect(6, "opening handshake failed");
    answered(|_| {
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"
            .into()
    })
    .expect(6, "RFC 6455 §4.1");
}

#[test]
fn a_reader_that_leaves_ends_the_program_quietly() {
    let server = Server::start(&[]);
    let url = server.at("/generate?count=0&interval=0&size=1000");
    let mut child = spawn(&["connect", &url]);
    // An end of stdin would end the conversation as well.
    let stdin = child.stdin.take();
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    assert_eq!(line.len(), 1001);
    let outcome = finish(child).expect(0, "");
    assert_eq!(outcome.stderr, "");
    drop(stdin);
}

#[test]
fn a_signal_ends_with_a_closing_handshake() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let (listener, address) = listen();
        let mut child = spawn(&["connect", &format!("ws://{address}/")]);
        let stdin = child.stdin.take();
        let mut peer = Peer::answer(&listener, "");
        // A pong shows that the client is past the handshake.
        peer.send_frame(PING, b"");
        peer.expect(PONG, b"");
        signal(child.id(), name);
        peer.expect_close(1000);
        peer.send_close(1000);
        peer.end();
        finish(child).expect(code, "");
        drop(stdin);

        // Nor does a server that does not answer change what ended it.
        let url = format!("ws://{address}/");
        let mut child = spawn(&["connect", "--close-timeout", "50ms", &url]);
        let stdin = child.stdin.take();
        let mut peer = Peer::answer(&listener, "");
        peer.send_frame(PING, b"");
        peer.expect(PONG, b"");
        signal(child.id(), name);
        peer.expect_close(1000);
        assert_eq!(finish(child).expect(code, "").stderr, "");
        drop(stdin);
    }
}
