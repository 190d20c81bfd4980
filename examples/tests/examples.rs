//! Each example as its user runs it: a process, and the other end of it played by hand.

use core::net::SocketAddr;
use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    process::Command,
    thread,
};

use hybi_suite::{
    peer::{self, Peer, REQUEST, listen},
    program::{Outcome, Running, finish, signal, spawn},
};
use hybi_testkit::wire::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, TEXT, close_payload};

/// The program of an example.
macro_rules! example {
    ($name:literal) => {
        Command::new(env!(concat!("CARGO_BIN_EXE_", $name)))
    };
}

/// An example that listens, and where.
fn listening(mut command: Command, args: &[&str]) -> (Running, SocketAddr) {
    command.args(args);
    let running = Running::start(command);
    let address = address_of(&running);
    (running, address)
}

/// Where a running example says that it listens.
fn address_of(running: &Running) -> SocketAddr {
    let line = running.line();
    let (_, address) = line.split_once("ws://").expect("an address");
    let end = address.find(['/', ' ']).unwrap_or(address.len());
    address[..end].parse().expect("an address")
}

/// Runs an example that connects, with this on stdin, to a server that is played by hand.
fn against(
    mut command: Command,
    stdin: &'static str,
    serve: impl FnOnce(&mut Peer) + Send + 'static,
) -> Outcome {
    let (listener, address) = listen();
    let played = thread::spawn(move || serve(&mut Peer::answer(&listener, "")));
    command.arg(format!("ws://{address}/"));
    let mut child = spawn(command);
    child.stdin.take().expect("a pipe").write_all(stdin.as_bytes()).expect("it fits a pipe");
    let outcome = finish(child);
    // A client that never came would be waited for without end.
    drop(TcpStream::connect(address));
    assert!(played.join().is_ok(), "the server did not see what it expected: {outcome:?}");
    outcome
}

/// An address where nobody listens, as long as the sockets are held: one of them has the port.
fn nobody() -> (SocketAddr, (TcpStream, TcpListener)) {
    let (listener, address) = listen();
    let stream = TcpStream::connect(address).expect("a listener");
    (stream.local_addr().expect("the address of a socket"), (stream, listener))
}

/// Closes as client, with nothing in between.
fn close(peer: &mut Peer) {
    peer.send_close(1000);
    peer.expect_close(1000);
    peer.expect_end();
}

/// What every echo server does, for two clients at once.
fn echoes(command: Command) {
    let (_running, address) = listening(command, &[]);
    let mut peers = [0, 1].map(|_| Peer::open(address));
    for peer in &mut peers {
        peer.send_frame(TEXT, b"a text");
        peer.expect(TEXT, b"a text");
        peer.send_frame(BINARY, &[0xff; 1000]);
        peer.expect(BINARY, &[0xff; 1000]);
    }
    peers.iter_mut().for_each(close);
}

/// The next message of a channel other than 0, on which there are quotas and answers to requests.
fn of_channels(peer: &mut Peer) -> Vec<u8> {
    loop {
        let frame = peer.read_frame();
        assert_eq!(frame.first, BINARY, "{frame:?}");
        if frame.payload[0] != 0 {
            return frame.payload;
        }
    }
}

#[test]
fn multiplexed() {
    echoes(example!("multiplexed"));
    let (running, address) = listening(example!("multiplexed"), &[]);
    let mut peer = Peer::connect(address);
    let request = REQUEST.trim_end();
    peer.send(format!("{request}\r\nSec-WebSocket-Extensions: mux; quota=1000\r\n\r\n"));
    assert_eq!(peer.expect_accepted().field("Sec-WebSocket-Extensions"), Some("mux"));
    peer.send_frame(BINARY, b"\x01\x81on the first");
    assert_eq!(of_channels(&mut peer), b"\x01\x81on the first");
    // A request for channel 2, quota for its answers, and a message on it.
    let head = "GET /second HTTP/1.1\r\nHost: server.example.com\r\n\r\n";
    let blocks = [&[0, 0, 2, head.len() as u8], head.as_bytes(), &[0x40, 2, 100]].concat();
    peer.send_frame(BINARY, &blocks);
    peer.send_frame(BINARY, b"\x02\x81on the second");
    assert_eq!(of_channels(&mut peer), b"\x02\x81on the second");
    assert_eq!(running.line(), "channel 2 for /second");
    // One ends, and the other goes on.
    peer.send_frame(BINARY, b"\x01\x88\x03\xe8");
    assert_eq!(of_channels(&mut peer), b"\x01\x88\x03\xe8");
    peer.send_frame(BINARY, b"\x02\x81still there");
    assert_eq!(of_channels(&mut peer), b"\x02\x81still there");
    peer.send_close(1000);
    while peer.read_frame().first != CLOSE {}
    peer.expect_end();
}

#[test]
fn echo_server_sends_everything_back() {
    echoes(example!("echo_server"));
}

#[test]
fn echo_server_smol_sends_everything_back() {
    echoes(example!("echo_server_smol"));
}

#[test]
fn echo_server_blocking_sends_everything_back() {
    echoes(example!("echo_server_blocking"));
}

#[test]
fn echo_server_async_std_sends_everything_back() {
    echoes(example!("echo_server_async_std"));
}

/// It serves one client after the other.
#[test]
fn sans_io_sends_everything_back_and_prints_the_end() {
    let (running, address) = listening(example!("sans_io"), &[]);
    for _ in 0..2 {
        let mut peer = Peer::open(address);
        peer.send_frame(TEXT, b"a text");
        peer.expect(TEXT, b"a text");
        peer.send_frame(BINARY, &[0xff; 1000]);
        peer.expect(BINARY, &[0xff; 1000]);
        close(&mut peer);
        drop(peer);
        let line = running.line();
        assert!(line.contains("clean: true"), "{line}");
    }
}

#[test]
fn echo_client_prints_the_answer_and_closes() {
    let outcome = against(example!("echo_client"), "", |peer| {
        peer.expect(TEXT, b"hello");
        peer.send_frame(TEXT, b"hello yourself");
        peer.expect_close_saying(1000, "done");
        peer.send_close(1000);
        peer.end();
    });
    outcome.expect_stdout(
        "connected: 101 Switching Protocols\n\
         received: Text(\"hello yourself\")\n\
         closed: 1000 (normal), clean: true\n",
    );
}

#[test]
fn echo_client_says_why_it_could_not_connect() {
    let (nobody, _held) = nobody();
    let mut client = example!("echo_client");
    client.arg(format!("ws://{nobody}/"));
    finish(spawn(client)).expect(1, "refused");
}

/// The proxy is told who asks; the server is asked for compression, and answers what was said.
#[test]
fn through_proxy_reaches_a_server_that_it_cannot_see() {
    let (listener, address) = listen();
    let playing = thread::spawn(move || {
        let mut peer = Peer::accept(&listener);
        let to_proxy = peer.read_head();
        assert_eq!(to_proxy.start, "CONNECT far.example:81 HTTP/1.1");
        assert_eq!(to_proxy.field("Proxy-Authorization"), Some("Basic dXNlcjpzZWNyZXQ="));
        peer.send("HTTP/1.1 200 OK\r\n\r\n");
        let request = peer.read_head();
        let offer = request.field("Sec-WebSocket-Extensions").expect("an offer");
        assert!(offer.starts_with("permessage-deflate"), "{offer}");
        peer.send(peer::response(&request, ""));
        peer.expect(TEXT, b"hello");
        peer.send_frame(TEXT, b"hello yourself");
        peer.expect_close_saying(1000, "done");
        peer.send_close(1000);
        peer.end();
    });
    let mut client = example!("through_proxy");
    client.args(["ws://far.example:81/", &format!("http://user:secret@{address}")]);
    finish(spawn(client)).expect_stdout("received: Some(Text(\"hello yourself\"))\n");
    playing.join().expect("played");
}

#[test]
fn halves_sends_what_is_typed_and_prints_what_comes() {
    let outcome = against(example!("halves"), "one\ntwo\n", |peer| {
        peer.send_frame(TEXT, b"unasked");
        peer.expect(TEXT, b"one");
        peer.expect(TEXT, b"two");
        peer.expect_close_saying(1000, "done");
        peer.send_close(1000);
        peer.end();
    });
    let mut lines: Vec<_> = outcome.stdout.lines().collect();
    lines.sort_unstable();
    let expected = ["Text(\"unasked\")", "closed: 1000 (normal), clean: true"];
    assert_eq!((outcome.code, &lines[..]), (Some(0), &expected[..]), "{outcome:?}");
}

/// Everybody is sent away, and goes.
#[test]
fn graceful_shutdown_sends_everybody_away() {
    let (running, address) = listening(example!("graceful_shutdown"), &[]);
    let mut peers = [0, 1].map(|_| Peer::open(address));
    for peer in &mut peers {
        peer.send_frame(TEXT, b"a text");
        peer.expect(TEXT, b"a text");
    }
    signal(running.id(), "INT");
    assert_eq!(running.line(), "sending 2 away");
    for peer in &mut peers {
        peer.expect_close_saying(1012, "new version");
        peer.send_close(1012);
        peer.expect_end();
        peer.end();
    }
    assert_eq!(running.line(), "2 closed in order, 0 lost, 0 cut, 0 requests refused");
}

/// Who does not go is cut at the second signal, and named.
#[test]
fn graceful_shutdown_names_who_does_not_go() {
    let (running, address) = listening(example!("graceful_shutdown"), &[]);
    let mut peer = Peer::open(address);
    signal(running.id(), "INT");
    assert_eq!(running.line(), "sending 1 away");
    peer.expect_close_saying(1012, "new version");
    signal(running.id(), "INT");
    assert_eq!(running.line(), "0 closed in order, 0 lost, 1 cut, 0 requests refused");
    let cut = running.line();
    assert!(
        cut.starts_with("127.0.0.1:") && cut.ends_with(": cut in the closing handshake"),
        "{cut}"
    );
}

/// The same on threads, one for each connection, and asked for by a line.
#[test]
fn graceful_shutdown_blocking_sends_everybody_away() {
    let command = example!("graceful_shutdown_blocking");
    let (running, mut input) = Running::start_with_input(command);
    let address = address_of(&running);
    let mut peers = [0, 1].map(|_| Peer::open(address));
    for peer in &mut peers {
        peer.send_frame(TEXT, b"a text");
        peer.expect(TEXT, b"a text");
    }
    input.write_all(b"end\n").expect("it reads");
    assert_eq!(running.line(), "sending 2 away");
    for peer in &mut peers {
        peer.expect_close_saying(1012, "new version");
        peer.send_close(1012);
        peer.expect_end();
        peer.end();
    }
    assert_eq!(running.line(), "2 closed in order, 0 lost, 0 cut, 0 requests refused");
}

#[test]
fn graceful_shutdown_blocking_names_who_does_not_go() {
    let command = example!("graceful_shutdown_blocking");
    let (running, mut input) = Running::start_with_input(command);
    let mut peer = Peer::open(address_of(&running));
    input.write_all(b"end\n").expect("it reads");
    assert_eq!(running.line(), "sending 1 away");
    peer.expect_close_saying(1012, "new version");
    input.write_all(b"now\n").expect("it reads");
    assert_eq!(running.line(), "0 closed in order, 0 lost, 1 cut, 0 requests refused");
    let cut = format!("{}: cut in the closing handshake", peer.local_addr());
    assert_eq!(running.line(), cut);
}

#[test]
fn chat_tells_the_others() {
    let (_running, address) = listening(example!("chat"), &[]);
    let mut guests = ["a", "b", "c"].map(|name| {
        let mut peer = Peer::open(address);
        // Whose Ping is answered is in the room.
        peer.send_frame(PING, name.as_bytes());
        peer.expect(PONG, name.as_bytes());
        peer
    });
    for speaker in 0..guests.len() {
        let said = format!("{speaker} was here");
        guests[speaker].send_frame(TEXT, said.as_bytes());
        for (_, guest) in guests.iter_mut().enumerate().filter(|(guest, _)| *guest != speaker) {
            guest.expect(TEXT, said.as_bytes());
        }
    }
    // None heard what it said itself.
    guests.iter_mut().for_each(close);
}

#[test]
fn rooms_are_for_those_who_are_in_them() {
    let (_running, address) = listening(example!("rooms"), &[]);
    let enter = |room: &str| {
        let mut peer = Peer::connect(address);
        peer.send(REQUEST.replace("/chat", room));
        peer.expect_accepted();
        peer.send_frame(PING, b"");
        peer.expect(PONG, b"");
        peer
    };
    let (mut one, mut other) = (enter("/one"), enter("/other"));
    let mut second = enter("/one");
    one.expect(TEXT, b"somebody enters, 2 are here");
    second.send_frame(TEXT, b"hello");
    one.expect(TEXT, b"hello");
    close(&mut second);
    // Who is alone hears nothing of all that.
    close(&mut other);
    close(&mut one);
}

#[test]
fn select_loop_prints_what_comes_and_sends_what_is_typed() {
    let outcome = against(example!("select_loop"), "one\n", |peer| {
        peer.expect(TEXT, b"one");
        peer.expect_close_saying(1000, "done");
        peer.send_close(1000);
        peer.end();
    });
    outcome.expect_stdout("closed: 1000 (normal), clean: true\n");
    let (listener, address) = listen();
    let played = thread::spawn(move || {
        let mut peer = Peer::answer(&listener, "");
        peer.send_frame(TEXT, b"unasked");
        peer.send_close(1001);
        peer.expect_close(1001);
        peer.end();
        peer.expect_end();
    });
    let mut client = example!("select_loop");
    client.arg(format!("ws://{address}/"));
    // Its input stays open.
    let mut child = spawn(client);
    let input = child.stdin.take();
    let outcome = finish(child);
    drop((input, TcpStream::connect(address)));
    played.join().expect("the server saw what it expected");
    outcome.expect_stdout("Text(\"unasked\")\nclosed: 1001 (going away), clean: true\n");
}

#[test]
fn long_message_takes_in_what_is_longer_than_its_limits() {
    let (running, address) = listening(example!("long_message"), &[]);
    let mut peer = Peer::open(address);
    // Whole messages are taken up to 16 MiB.
    let piece = vec![7; 1 << 20];
    peer.send_frame(BINARY ^ FIN, &piece);
    for _ in 0..19 {
        peer.send_frame(0, &piece);
    }
    peer.send_frame(CONTINUATION, b"end");
    peer.expect_close_saying(1000, "thank you");
    peer.send_close(1000);
    assert_eq!(running.line(), format!("{} bytes", (20 << 20) + 3));
}

#[test]
fn long_message_sends_a_file_as_it_is_read() {
    let (listener, address) = listen();
    let file = std::env::current_exe().expect("this program");
    let expected = std::fs::read(&file).expect("this program");
    let len = expected.len();
    let played = thread::spawn(move || {
        let mut peer = Peer::answer(&listener, "");
        let (mut all, mut frames) = (Vec::new(), 0);
        loop {
            let frame = peer.read_frame();
            assert_eq!(frame.first & 0x7f, if frames == 0 { 2 } else { 0 });
            all.extend(frame.payload);
            frames += 1;
            if frame.first & FIN != 0 {
                break;
            }
        }
        assert!(all == expected, "{} bytes, not {}", all.len(), expected.len());
        peer.send_close(1000);
        peer.expect_close(1000);
        peer.end();
        frames
    });
    let mut client = example!("long_message");
    client.arg(format!("ws://{address}/")).arg(file);
    let outcome = finish(spawn(client));
    drop(TcpStream::connect(address));
    let frames: usize = played.join().expect("the server saw what it expected");
    // One more says goodbye.
    outcome.expect_stdout(&format!("{len} bytes in {} frames\n", frames + 1));
}

#[test]
fn prepared_tells_all_who_listen() {
    let (running, mut input) = Running::start_with_input(example!("prepared"));
    let address = address_of(&running);
    let mut peers = [0, 1, 2].map(|_| Peer::open(address));
    for peer in &mut peers {
        // Whose Ping is answered is among them.
        peer.send_frame(PING, b"");
        peer.expect(PONG, b"");
    }
    writeln!(input, "news for many").expect("it reads");
    assert_eq!(running.line(), "told 3");
    peers.iter_mut().for_each(|peer| peer.expect(TEXT, b"news for many"));
    let [mut one, mut two, mut three] = peers;
    close(&mut two);
    close(&mut three);
    // Who has gone in order is not told any more.
    writeln!(input, "news for few").expect("it reads");
    assert_eq!(running.line(), "told 1");
    one.expect(TEXT, b"news for few");
    drop(input);
}

#[test]
fn tls_own_ca_is_trusted_and_nobody_else() {
    let outcome = finish(spawn(example!("tls_own_ca")));
    let mut lines = outcome.stdout.lines();
    assert_eq!(lines.next(), Some("Some(Text(\"nobody else hears this\"))"), "{outcome:?}");
    let refused = lines.next().expect("a refusal");
    assert!(refused.contains("certificate"), "{refused}");
    assert_eq!((lines.next(), outcome.code), (None, Some(0)), "{outcome:?}");
}

#[test]
fn reconnect_comes_back_until_it_is_told_not_to() {
    let (listener, address) = listen();
    let played = thread::spawn(move || {
        // One that vanishes, one that restarts, and one that means it.
        let mut peer = Peer::answer(&listener, "");
        peer.send_frame(TEXT, b"one");
        peer.end();
        drop(peer);
        let mut peer = Peer::answer(&listener, "");
        peer.send_close(1012);
        peer.expect_close(1012);
        peer.end();
        drop(peer);
        let mut peer = Peer::answer(&listener, "");
        peer.send_frame(TEXT, b"two");
        peer.send_close(1000);
        peer.expect_close(1000);
        peer.end();
    });
    let mut client = example!("reconnect");
    client.arg(format!("ws://{address}/"));
    let outcome = finish(spawn(client));
    played.join().expect("it came three times");
    outcome.expect_stdout(
        "Text(\"one\")\n\
         lost: the transport ended without a closing handshake\n\
         closed: 1012 (service restart)\n\
         Text(\"two\")\n\
         closed: 1000 (normal)\n",
    );
}

#[test]
fn tunnel_leads_there_and_back_and_to_an_end() {
    let (listener, target) = listen();
    let (running, address) = listening(example!("tunnel"), &[&target.to_string()]);
    let answered = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the tunnel comes");
        stream.set_read_timeout(Some(peer::PATIENCE)).expect("a read timeout");
        let mut question = String::new();
        stream.read_to_string(&mut question).expect("an end");
        stream.write_all(question.to_uppercase().as_bytes()).expect("it still hears");
    });
    let mut peer = Peer::open(address);
    peer.send_frame(BINARY, b"what time ");
    peer.send_frame(BINARY, b"is it?");
    // The end of the question; the answer still comes.
    peer.send_close(1000);
    peer.expect(BINARY, b"WHAT TIME IS IT?");
    peer.expect_close(1000);
    answered.join().expect("it was asked");
    peer.end();
    assert_eq!(running.line(), "16 bytes up, 16 bytes down");
}

#[test]
fn proxy_passes_messages_and_the_end_on_both_ways() {
    let (listener, address) = listen();
    let (_running, proxy) = listening(example!("proxy"), &[&format!("ws://{address}/")]);
    for client_closes in [true, false] {
        let serving = thread::spawn({
            let listener = listener.try_clone().expect("a socket");
            move || Peer::answer(&listener, "")
        });
        let mut client = Peer::open(proxy);
        let mut server = serving.join().expect("the proxy comes");
        client.send_frame(TEXT, b"up");
        server.expect(TEXT, b"up");
        server.send_frame(BINARY, b"down");
        client.expect(BINARY, b"down");
        let status = close_payload(4321, b"enough");
        let close = |one: &mut Peer, other: &mut Peer| {
            one.send_frame(CLOSE, &status);
            one.expect(CLOSE, &status);
            one.end();
            other.expect(CLOSE, &status);
            other.send_frame(CLOSE, &status);
            other.end();
        };
        if client_closes {
            close(&mut client, &mut server);
        } else {
            close(&mut server, &mut client);
        }
        client.expect_end();
        server.expect_end();
    }
}

#[test]
fn proxy_refuses_a_client_when_there_is_nobody_behind_it() {
    let (nobody, _held) = nobody();
    let (_running, address) = listening(example!("proxy"), &[&format!("ws://{nobody}/")]);
    let mut client = Peer::connect(address);
    client.send(REQUEST);
    let (head, why) = client.expect_refusal();
    assert_eq!(head.status(), 502);
    assert!(why.contains("refused"), "{why}");
}

/// A page, a WebSocket on `/shout`, and what is told to who asks for either at the wrong place.
fn shouts(command: Command, no_websocket: (u16, &str)) {
    let (_running, address) = listening(command, &[]);
    let ask = |path: &str| {
        let mut peer = Peer::connect(address);
        peer.send(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"));
        let (head, body) = peer.expect_refusal();
        (head.status(), body)
    };
    assert_eq!(ask("/"), (200, "connect a WebSocket to /shout\n".to_owned()));
    assert_eq!(ask("/shout"), (no_websocket.0, no_websocket.1.to_owned()));
    assert_eq!(ask("/else"), (404, "no such thing\n".to_owned()));
    let mut peer = Peer::connect(address);
    let fields = "Sec-WebSocket-Protocol: whisper.v1, shout.v1\r\n\r\n";
    peer.send(REQUEST.replace("/chat", "/shout").trim_end().to_owned() + "\r\n" + fields);
    let head = peer.expect_accepted();
    assert_eq!(head.field("Sec-WebSocket-Protocol"), Some("shout.v1"));
    peer.send_frame(TEXT, "not so loud, grüß Gott".as_bytes());
    peer.expect(TEXT, "NOT SO LOUD, GRÜSS GOTT".as_bytes());
    close(&mut peer);
}

#[test]
fn upgrade_answers_http_and_websocket() {
    shouts(example!("upgrade"), (404, "no such thing\n"));
}

#[test]
fn upgrade_tower_answers_http_and_websocket() {
    shouts(example!("upgrade_tower"), (426, "this resource is for WebSocket clients\n"));
}

#[test]
fn upgrade_poem_answers_http_and_websocket() {
    shouts(example!("upgrade_poem"), (426, "this resource is for WebSocket clients\n"));
}

/// The newest version, and the oldest, which has neither binary messages nor Close frames.
#[test]
fn every_version_answers_as_the_client_can() {
    let (running, address) = listening(example!("every_version"), &[]);
    let mut peer = Peer::open(address);
    peer.send_frame(TEXT, b"hi");
    peer.expect(BINARY, b"hi");
    peer.expect_close_saying(1001, "that was all");
    peer.send_close(1001);
    peer.expect_end();
    let line = running.line();
    assert!(line.starts_with("version 13: Text(\"hi\"), answered with "), "{line}");

    let mut old = TcpStream::connect(address).expect("a listener");
    old.set_read_timeout(Some(peer::PATIENCE)).expect("a read timeout");
    let request = format!(
        "GET /chat HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\
         Host: {address}\r\nOrigin: http://{address}\r\n\r\n\0hi\u{7f}"
    );
    let mut request = request.into_bytes();
    *request.last_mut().expect("the end of the message") = 0xff;
    old.write_all(&request).expect("it fits");
    let line = running.line();
    assert!(line.starts_with("version hixie-75: Text(\"hi\"), answered with "), "{line}");
    old.shutdown(Shutdown::Write).expect("the end of the client");
    let mut answer = Vec::new();
    old.read_to_end(&mut answer).expect("an answer and an end in order");
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 101 Web Socket Protocol Handshake\r\n"), "{text}");
    assert!(answer.ends_with(b"\r\n\r\n\0hi\xff"), "{text}");
}

#[test]
fn custom_extension_is_agreed_on_and_notices_what_was_spoilt() {
    let outcome = finish(spawn(example!("custom_extension")));
    // Two tasks print: what the server says may stand before or behind the client's last line.
    let (server, client): (Vec<_>, Vec<_>) =
        outcome.stdout.lines().partition(|line| line.starts_with("server: "));
    let expected = [
        "client: agreed on permessage-deflate, x-checksum",
        "client: 126 bytes came back as they were",
        "client: closed with 1000 (normal) ",
        "client: agreed on x-checksum",
        "client: closed with 4000 ",
    ];
    assert_eq!(client, expected);
    let [said] = server[..] else { panic!("{server:?}") };
    assert!(said.starts_with("server: the checksum does not fit the message"), "{said}");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
}

#[test]
fn frames_only_prints_the_parts_of_frames_as_they_come() {
    finish(spawn(example!("frames_only"))).expect_stdout(
        "Text, 3 bytes at 6: \"H\" ...\n\
         Text, 3 bytes at 7: \"el\"\n\
         Ping, 12 bytes at 15: \"still \" ...\n\
         Ping, 12 bytes at 21: \"there?\"\n\
         Continuation, 2 bytes at 33: \"lo\"\n",
    );
}

/// A new example comes with a test, and stands in both tables.
#[test]
fn every_example_is_run_and_listed() {
    let (manifest, tests) = (include_str!("../Cargo.toml"), include_str!("examples.rs"));
    let programs = manifest.split("[[bin]]\nname = \"").skip(1);
    let names: Vec<_> = programs.filter_map(|rest| rest.split('"').next()).collect();
    let files = std::fs::read_dir(env!("CARGO_MANIFEST_DIR")).expect("the folder of the examples");
    let files = files.map(|entry| entry.expect("a file").file_name().into_string().expect("text"));
    let sources = files.filter(|name| name.ends_with(".rs") && name != "lib.rs").count();
    assert_eq!(names.len(), sources, "{names:?}");
    for name in names {
        assert!(tests.contains(&format!("example!(\"{name}\")")), "{name} is not run");
        for table in [include_str!("../lib.rs"), include_str!("../../README.md")] {
            assert!(table.contains(&format!("`{name}`")), "{name} is not listed");
        }
    }
}
