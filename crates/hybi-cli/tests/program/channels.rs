//! `--ext mux` and `--channels`: connections within one connection, at both ends.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, ChildStdout};

use hybi_suite::events::OF_CONNECT;
use hybi_suite::peer::{Peer, listen};
use hybi_testkit::wire::{BINARY, CLOSE, TEXT};
use serde_json::{Value, json};

use crate::support::{
    Outcome, Server, events, finish, hybi, hybi_with, request_with, signal, spawn,
};

const LOG: [&str; 4] = ["--access-log", "-", "--access-log-format", "json"];
const TOKEN: &str = "mux; token=mux_DO_NOT_USE";

/// The lines of an output, sorted: which channel is the first to be heard is nobody's promise.
fn sorted(output: &str) -> Vec<&str> {
    let mut lines: Vec<_> = output.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn every_channel_gets_the_input_and_says_which_it_is() {
    let server = Server::start(&["--ext", "mux"]);
    let url = server.at("/echo");
    let connect = ["connect", "--ext", "mux", "--channels", "3", &url];
    let outcome = hybi_with(&[&connect[..], &["-w", "0"]].concat(), b"one\ntwo\n").expect(0, "");
    let expected = ["[1] one", "[1] two", "[2] one", "[2] two", "[3] one", "[3] two"];
    assert_eq!(sorted(&outcome.stdout), expected);
    // Of each channel in its order.
    for number in 1..=3 {
        let one = outcome.stdout.find(&format!("[{number}] one")).expect("there");
        assert!(one < outcome.stdout.find(&format!("[{number}] two")).expect("there"));
    }
    let all = ["-b", "-m", "a\x1b", "-n", "1"];
    let outcome = hybi(&[&connect[..], &all].concat()).expect(0, "");
    assert_eq!(sorted(&outcome.stdout), ["[1] 611b", "[2] 611b", "[3] 611b"]);
    let outcome = hybi(&[&connect[..], &["-m", "x", "-n", "1", "-i"]].concat()).expect(0, "");
    for part in ["[1] connected to", "[3] version rfc6455", "[2] closed by local: 1000 (clean)"] {
        assert!(outcome.stderr.contains(part), "{part}: {outcome:?}");
    }
    // One channel, and one connection, print as ever.
    hybi(&["connect", "--ext", "mux", "-m", "x", "-n", "1", &url]).expect_stdout("x\n");
    hybi(&["connect", "-m", "x", "-n", "1", &url]).expect_stdout("x\n");
}

#[test]
fn both_ends_say_what_was_agreed_on_and_what_went_where() {
    let server =
        Server::start(&[&LOG[..], &["--ext", "permessage-deflate", "--ext", TOKEN]].concat());
    let url = server.at("/echo");
    let long = "compressible ".repeat(10_000);
    let args = ["--ext", "permessage-deflate, mux; token=mux_DO_NOT_USE; quota=1000"];
    let more = ["--channels", "2", "--json", "-m", &long, "--expect", &long, &url];
    let outcome = hybi(&[&["connect"], &args[..], &more].concat()).expect(0, "");
    let said = events(&outcome.stdout, &OF_CONNECT);
    for (number, extensions) in
        [(1, json!(["permessage-deflate"])), (2, json!(["permessage-deflate"]))]
    {
        let of = |name| {
            said.iter()
                .find(|event| event["event"] == name && event["channel"] == number)
                .expect(name)
        };
        assert_eq!(of("open")["extensions"], extensions);
        assert_eq!(of("message")["text"], long);
        assert_eq!((&of("close")["code"], &of("close")["clean"]), (&json!(1000), &json!(true)));
    }
    let opened: Vec<_> = said.iter().filter(|event| event["event"] == "open").collect();
    assert_eq!(opened[0]["headers"]["sec-websocket-extensions"], "mux_DO_NOT_USE");
    assert!(opened[0]["times"]["connect"].is_number() && opened[1]["times"]["connect"].is_null());
    let log = server.stop().expect(0, "").stdout;
    let mut lines = events(&log, &["access"]);
    lines.sort_by_key(|line| line["channel"].as_u64());
    let size = long.len();
    assert_eq!(lines.len(), 2, "{log}");
    for (line, number) in lines.iter().zip(1..) {
        assert_eq!(line["channel"], number, "{line}");
        assert_eq!((&line["target"], &line["status"]), (&json!("/echo"), &json!(101)), "{line}");
        let flow = json!([line["bytes_in"], line["bytes_out"], line["messages_in"]]);
        assert_eq!(flow, json!([size, size, 1]), "{line}");
        assert_eq!((&line["code"], &line["clean"]), (&json!(1000), &json!(true)), "{line}");
    }
    assert_eq!(lines[0]["peer"], lines[1]["peer"]);
}

#[test]
fn channels_of_one_connection_and_of_others_chat_in_one_room() {
    let server = Server::start(&["--ext", "mux"]);
    let url = server.at("/chat");
    let mut single = server.open("/chat");
    // Each hears the other two, and whoever else is in the room.
    let channels = ["connect", "--ext", "mux", "--channels", "3", "-n", "2", "-m", "hello", &url];
    let connect = spawn(&[&channels[..], &["--wait", "end", "--show-control"]].concat());
    for _ in 0..3 {
        single.expect(TEXT, b"hello");
    }
    // Who came last heard the least; this ends the conversation of each.
    single.send_frame(TEXT, b"bye");
    single.send_frame(TEXT, b"bye");
    let outcome = finish(connect).expect(0, "");
    let heard = |number: u8| {
        let mark = format!("[{number}] ");
        outcome.stdout.lines().filter(|line| line.starts_with(&mark)).count()
    };
    assert_eq!([1, 2, 3].map(heard), [2; 3], "{outcome:?}");
}

#[test]
fn who_does_not_offer_the_token_gets_one_connection() {
    let server = Server::start(&["--ext", TOKEN, "--versions", "all"]);
    for options in [&[][..], &["--ext", "mux"], &["-p", "hybi-08"], &["-p", "hixie-76"]] {
        hybi(&[&["connect", "-m", "x", "-n", "1", &server.url], options].concat())
            .expect_stdout("x\n");
    }
    let outcome = hybi(&["connect", "-m", "x", "--ext", "mux", "--channels", "2", &server.url]);
    outcome.expect(10, "hybi: error: no channels: the server did not agree to mux");
    // Nor does whoever asks a path that declines extensions.
    let url = server.at("/echo-noext");
    hybi(&["connect", "-m", "x", "--ext", TOKEN, "--channels", "2", &url])
        .expect(10, "no channels");
}

#[test]
fn the_status_is_the_highest_and_each_failure_is_told() {
    let server = Server::start(&["--ext", "mux; channels=1", "--max-connections", "2"]);
    let url = server.at("/echo");
    let wrong = ["--channels", "2", "-m", "x", "--expect", "y", "--ext", "mux", &url];
    let outcome = hybi(&[&["connect"], &wrong[..]].concat()).expect(10, "");
    for number in 1..=2 {
        let line = format!(
            "hybi: error: channel {number}: unexpected message: expected \"y\", received \"x\"\n"
        );
        assert!(outcome.stderr.contains(&line), "{outcome:?}");
    }
    // There is one slot beside the first channel: whoever waits for another is too late, and the other two go on.
    let late = ["--channels", "3", "--timeout", "1s", "-w", "0", "--json", "--ext", "mux", &url];
    let mut talk = Talk::spawn(&late);
    let error = talk.next("error");
    assert_eq!((&error["status"], &error["channel"]), (&json!(9), &json!(3)));
    talk.end().expect(9, "channel 3: opening handshake failed: took longer than 1s");
}

/// A client whose events are read while it runs, with nothing on stdin for as long as it does.
struct Talk {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Talk {
    fn spawn(args: &[&str]) -> Self {
        let mut child = spawn(&[&["connect"], args].concat());
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { stdin: child.stdin.take(), child, stdout }
    }

    /// The next event of this name.
    #[track_caller]
    fn next(&mut self, name: &str) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(self.stdout.read_line(&mut line).expect("a line"), 0, "no {name}");
            let event = events(&line, &OF_CONNECT).remove(0);
            if event["event"] == name {
                return event;
            }
        }
    }

    /// Ends its input, and waits for its end.
    fn end(mut self) -> Outcome {
        drop(self.stdin.take());
        finish(self.child)
    }
}

#[test]
fn each_channel_counts_among_the_connections() {
    let server = Server::start(&[&LOG[..], &["--ext", "mux", "--max-connections", "2"]].concat());
    let url = server.at("/close");
    let channels = ["--json", "--ext", "mux", "--channels", "3", "-w", "end", &url];
    let mut talk = Talk::spawn(&channels);
    let refused = talk.next("error");
    assert_eq!((&refused["status"], &refused["channel"]), (&json!(5), &json!(3)));
    signal(server.id(), "USR1");
    let mut server = server;
    let said = server.said();
    assert!(said.contains("transports=1/1 channels=1/2 connections=2/2 rfc6455=2/2 "), "{said}");
    let log = server.stop().expect(0, "").stdout;
    talk.end().expect(5, "channel 3: the server refused");
    let mut lines = events(&log, &["access"]);
    lines.sort_by_key(|line| line["channel"].as_u64());
    let of = |name: &str| lines.iter().map(|line| line[name].clone()).collect::<Vec<Value>>();
    assert_eq!(of("channel"), [1, 2, 3]);
    assert_eq!(of("status"), [101, 101, 503]);
    assert_eq!(of("code"), [json!(1001), json!(1001), Value::Null]);
    assert_eq!(of("clean"), [json!(true), json!(true), Value::Null]);
}

/// What a peer by hand sends and expects on the connection around channels: messages of
/// draft-ietf-hybi-websocket-multiplexing.
fn multiplexed(server: &Server, path: &str) -> Peer {
    let mut peer = Peer::connect(server.address());
    peer.send(request_with(path, "Sec-WebSocket-Extensions: mux; quota=1000"));
    assert_eq!(peer.expect_accepted().field("Sec-WebSocket-Extensions"), Some("mux"));
    peer
}

/// The kind of block by which a channel, or all of them, is dropped.
const DROP: u8 = 3;

/// The next message of a channel other than 0, whose number is below 0x80.
fn next_of_channels(peer: &mut Peer) -> Vec<u8> {
    loop {
        let frame = peer.read_frame();
        assert_eq!(frame.first, BINARY, "{frame:?}");
        if frame.payload[0] != 0 {
            return frame.payload;
        }
        assert_ne!(frame.payload[1] >> 5, DROP, "{frame:?}");
    }
}

#[test]
fn the_end_of_the_server_is_told_to_each_channel_and_then_to_the_connection() {
    for name in ["TERM", "INT"] {
        let server = Server::start(&["--ext", "mux"]);
        let mut peer = multiplexed(&server, "/echo");
        // In front of the answer to a ping come quota and slots.
        peer.send_frame(BINARY, &[1, 0x89]);
        assert_eq!(next_of_channels(&mut peer), [1, 0x8a]);
        let head = b"GET /discard HTTP/1.1\r\nHost: localhost\r\n\r\n";
        // AddChannelRequest and FlowControl for channel 2, and a message on it.
        let ask = [&[0, 0x00, 2, head.len() as u8], &head[..], &[0x40, 2, 100]].concat();
        peer.send_frame(BINARY, &ask);
        peer.send_frame(BINARY, &[1, 0x81, b'x']);
        assert_eq!(next_of_channels(&mut peer), [1, 0x81, b'x']);
        peer.send_frame(BINARY, &[2, 0x81, b'x']);
        // The answer to a ping shows that all of it was taken in.
        peer.send_frame(BINARY, &[2, 0x89]);
        assert_eq!(next_of_channels(&mut peer), [2, 0x8a]);
        signal(server.id(), name);
        let mut closed = [next_of_channels(&mut peer), next_of_channels(&mut peer)];
        closed.sort();
        for (message, number) in closed.iter().zip(1..) {
            assert_eq!(message, &[&[number, 0x88, 3, 0xe9], &b"server going away"[..]].concat());
        }
        peer.send_frame(BINARY, &[1, 0x88, 3, 0xe9]);
        peer.send_frame(BINARY, &[2, 0x88, 3, 0xe9]);
        loop {
            let frame = peer.read_frame();
            match frame.first {
                BINARY => assert_eq!(frame.payload[0], 0, "{frame:?}"),
                first => {
                    assert_eq!((first, &*frame.payload), (CLOSE, &[3, 0xe8][..]));
                    break;
                }
            }
        }
        peer.send_close(1000);
        peer.expect_end();
        server.wait().expect(0, "");
    }
}

#[test]
fn a_channel_whose_peer_never_answers_is_cut_and_the_status_is_12() {
    let server = Server::start(&["--ext", "mux", "--close-timeout", "100ms"]);
    let mut peer = multiplexed(&server, "/echo");
    peer.send_frame(BINARY, &[1, 0x81, b'x']);
    assert_eq!(next_of_channels(&mut peer), [1, 0x81, b'x']);
    server.terminate();
    assert_eq!(next_of_channels(&mut peer)[..4], [1, 0x88, 3, 0xe9]);
    // The connection around it could end in order, and does.
    while peer.read_frame().first != CLOSE {}
    peer.send_close(1000);
    peer.expect_end();
    server.wait().expect(12, "1 connections had to be cut");
}

/// As above, where only the connection around the channels does not end in order.
#[test]
fn a_peer_that_never_ends_the_connection_around_its_channels_is_cut_and_the_status_is_12() {
    for option in ["--close-timeout", "--drain-timeout"] {
        let server = Server::start(&["--ext", "mux", option, "300ms"]);
        let mut peer = multiplexed(&server, "/echo");
        server.terminate();
        assert_eq!(next_of_channels(&mut peer)[..4], [1, 0x88, 3, 0xe9]);
        peer.send_frame(BINARY, &[1, 0x88, 3, 0xe9]);
        while peer.read_frame().first != CLOSE {}
        server.wait().expect(12, "1 connections had to be cut");
    }
}

/// Each has its line, also those that are cut with the connection around them, and one for a host that is not served.
#[test]
fn each_channel_has_a_line_also_when_it_is_cut() {
    let server = Server::start(&[&LOG[..], &["--ext", "mux", "--drain-timeout", "100ms"]].concat());
    let mut peer = multiplexed(&server, "/echo");
    let ask = |number: u8, head: &str| {
        [&[0, 0x00, number, head.len() as u8], head.as_bytes(), &[0x40, number, 100]].concat()
    };
    // In front of the answer to a ping come quota and slots.
    peer.send_frame(BINARY, &[1, 0x89]);
    assert_eq!(next_of_channels(&mut peer), [1, 0x8a]);
    peer.send_frame(BINARY, &ask(2, "GET /discard HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    peer.send_frame(BINARY, &[2, 0x89]);
    assert_eq!(next_of_channels(&mut peer), [2, 0x8a]);
    peer.send_frame(BINARY, &[1, 0x89]);
    assert_eq!(next_of_channels(&mut peer), [1, 0x8a]);
    peer.send_frame(BINARY, &ask(3, "GET /echo HTTP/1.1\r\nHost: elsewhere\r\n\r\n"));
    // The answer to it is an AddChannelResponse, in a message of channel 0.
    while !String::from_utf8_lossy(&peer.read_frame().payload).contains("421") {}
    server.terminate();
    let log = server.wait().expect(12, "2 connections had to be cut").stdout;
    let mut lines: Vec<_> = events(&log, &["access"])
        .iter()
        .map(|line| {
            ["channel", "target", "status", "code"].map(|name| line[name].to_string()).join(" ")
        })
        .collect();
    lines.sort();
    let expected = ["1 \"/echo\" 101 1001", "2 \"/discard\" 101 1001", "null \"/echo\" 421 null"];
    assert_eq!(lines, expected);
}

#[test]
fn the_time_of_a_connection_is_that_of_its_channels() {
    let server = Server::start(&["--ext", "mux", "--max-lifetime", "100ms"]);
    let mut peer = multiplexed(&server, "/discard");
    let message = next_of_channels(&mut peer);
    assert_eq!(message[..4], [1, 0x88, 3, 0xe9]);
    peer.send_frame(BINARY, &message);
    // No more channels, and none is left.
    loop {
        let frame = peer.read_frame();
        if frame.first == CLOSE {
            break assert_eq!(frame.payload, [3, 0xe8]);
        }
        assert_eq!((frame.first, frame.payload[0]), (BINARY, 0));
    }
    peer.send_close(1000);
    peer.expect_end();
}

#[test]
fn a_server_that_breaks_the_rules_of_channels_is_status_7() {
    let (listener, address) = listen();
    let played = std::thread::spawn(move || {
        let mut peer = Peer::answer(&listener, "Sec-WebSocket-Extensions: mux\r\n");
        // A block of a kind that there is not.
        peer.send_frame(BINARY, &[0, 0xe0]);
        // DropChannel(0, 2004), and the end.
        loop {
            let frame = peer.read_frame();
            if frame.first == CLOSE {
                break assert_eq!(frame.payload, [3, 0xf3]);
            }
        }
        peer.send_close(1011);
    });
    let url = format!("ws://{address}/");
    let outcome = hybi(&["connect", "--ext", "mux", "-w", "end", "--echo", &url]);
    played.join().expect("played");
    outcome.expect(7, "the server broke the protocol: the physical connection was failed: 2004");
}

#[test]
fn a_signal_closes_every_channel() {
    let server = Server::start(&[&LOG[..], &["--ext", "mux"]].concat());
    let url = server.at("/echo");
    let channels = ["--json", "--ext", "mux", "--channels", "2", "-w", "end", &url];
    let mut talk = Talk::spawn(&channels);
    for _ in 0..2 {
        talk.next("open");
    }
    signal(talk.child.id(), "INT");
    finish(talk.child).expect(130, "");
    let log = server.stop().expect(0, "").stdout;
    let lines = events(&log, &["access"]);
    let codes: Vec<_> = lines.iter().map(|line| (&line["code"], &line["clean"])).collect();
    assert_eq!(codes, [(&json!(1000), &json!(true)); 2]);
}
