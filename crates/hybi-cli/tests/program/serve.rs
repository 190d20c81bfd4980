//! `hybi serve`: listeners, handlers, pages, refusals, logs.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use hybi_suite::peer::Peer;
use hybi_testkit::wire::{BINARY, CLOSE, CONTINUATION, FIN, TEXT, close_payload};

use crate::support::{Server, events, finish, hybi, request, request_with, scratch, spawn};

#[test]
fn each_listener_prints_a_line_and_the_port_file_has_the_addresses() {
    let file = scratch("ports");
    let socket = scratch("socket");
    let unix = format!("unix:{}", socket.display());
    let args = ["-l", "127.0.0.1:0", "-l", &unix, "--port-file", file.to_str().expect("text")];
    let server = Server::start(&args);
    let written = std::fs::read_to_string(&file).expect("a port file");
    assert_eq!(written, format!("{}\n{unix}\n", server.address()));
    let url = format!("ws+unix:{}:/echo", socket.display());
    hybi(&["connect", "-m", "over unix", "-n", "1", "-w", "end", &url])
        .expect_stdout("over unix\n");
    let outcome = server.stop();
    assert_eq!(outcome.stdout, format!("listening ws+unix:{}:/\n", socket.display()));
    assert!(!socket.exists(), "the socket file is left behind");
}

#[test]
fn echo_keeps_the_type_and_the_query_tunes_it() {
    let server = Server::start(&[]);
    for path in ["/", "/echo"] {
        let mut peer = server.open(path);
        peer.send_frame(TEXT, "größe".as_bytes());
        peer.expect(TEXT, "größe".as_bytes());
        peer.send_frame(BINARY, &[0, 255]);
        peer.expect(BINARY, &[0, 255]);
    }
    let mut peer = server.open("/echo?fragment=2&delay=1ms&goodbye=1");
    peer.send_frame(TEXT, b"abcde");
    peer.expect(TEXT ^ FIN, b"ab");
    peer.expect(0, b"cd");
    peer.expect(CONTINUATION, b"e");
    let mut peer = server.open("/?goodbye=1");
    peer.send_frame(TEXT, b"Goodbye");
    peer.expect(TEXT, b"Goodbye");
    peer.expect_close(1000);
}

#[test]
fn close_closes_as_asked() {
    let server = Server::start(&[]);
    let mut peer = server.open("/close?code=3999&reason=a%20b");
    peer.expect(CLOSE, &close_payload(3999, b"a b"));
    let mut peer = server.open("/close");
    for code in ["1005 not that", "1010", "what"] {
        peer.send_frame(TEXT, code.as_bytes());
        assert_eq!(peer.read_frame().first, TEXT, "an explanation");
    }
    peer.send_frame(TEXT, b"what");
    let explanation = String::from_utf8(peer.read_frame().payload).expect("text");
    let example = explanation.rsplit(' ').next().expect("a word");
    peer.send_frame(TEXT, example.as_bytes());
    peer.expect(CLOSE, &close_payload(1000, b"done"));
    for text in ["4000 so long", "4000:so long"] {
        let mut peer = server.open("/close");
        peer.send_frame(TEXT, text.as_bytes());
        peer.expect(CLOSE, &close_payload(4000, b"so long"));
    }
    let mut peer = server.open("/close");
    peer.send_frame(TEXT, b"none");
    peer.expect_close(None);
    server.open("/close?code=none").expect_close(None);
    server.open("/close?code=4001:a").expect(CLOSE, &close_payload(4001, b"a"));
    let mut peer = server.open("/close");
    peer.send_frame(CLOSE, b"");
    peer.expect_close(None);
    peer.expect_end();
}

#[test]
fn discard_counts_and_generate_sends() {
    let server = Server::start(&[]);
    let mut peer = server.open("/discard?ack=1");
    peer.send_frame(BINARY, &[7; 1000]);
    peer.expect(TEXT, b"1000");
    let mut peer = server.open("/generate?count=2&size=3&interval=0&type=binary");
    peer.expect(BINARY, &[0, 1, 2]);
    peer.expect(BINARY, &[0, 1, 2]);
    peer.expect_close(1000);
}

#[test]
fn chat_reaches_the_others_of_a_room() {
    let server = Server::start(&[]);
    // A message to oneself shows that the connection has taken its seat.
    let join = |query: &str| {
        let mut peer = server.open(&format!("/chat?{query}"));
        peer.send_frame(TEXT, b"here");
        peer
    };
    let mut first = join("room=a&self=1");
    first.expect(TEXT, b"here");
    let mut second = join("room=a&self=1");
    second.expect(TEXT, b"here");
    first.expect(TEXT, b"here");
    let mut elsewhere = join("room=b&self=1");
    elsewhere.expect(TEXT, b"here");

    second.send_frame(BINARY, b"hello");
    first.expect(BINARY, b"hello");
    second.expect(BINARY, b"hello");
    let mut quiet = join("room=a");
    first.expect(TEXT, b"here");
    second.expect(TEXT, b"here");
    first.send_frame(TEXT, b"last");
    quiet.expect(TEXT, b"last");
    elsewhere.send_frame(TEXT, b"alone");
    elsewhere.expect(TEXT, b"alone");
}

#[test]
fn handlers_are_placed_by_hand() {
    let server = Server::start(&["--handle", "/a*=discard", "--handle", "/ab=echo"]);
    let mut peer = server.open("/ab");
    peer.send_frame(TEXT, b"x");
    peer.expect(TEXT, b"x");
    let mut peer = server.open("/abc?ack=1");
    peer.send_frame(TEXT, b"xyz");
    peer.expect(TEXT, b"3");
    assert_eq!(server.refuses(&request("/echo")), 404);
}

#[test]
fn a_plain_get_shows_the_console_page() {
    let get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let server = Server::start(&[]);
    let mut peer = Peer::connect(server.address());
    peer.send(get);
    let (head, page) = peer.expect_refusal();
    assert_eq!(head.status(), 200);
    assert_eq!(head.field("X-Content-Type-Options"), Some("nosniff"));
    let policy = head.field("Content-Security-Policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(page.contains("id=\"connect\""));
    assert_eq!(server.refuses(&get.replace("GET", "POST")), 405);
    assert_eq!(server.refuses("GET / HTTP/1.1\r\n\r\n"), 400, "without Host");
    let bare = Server::start(&["--no-pages"]);
    assert_eq!(bare.refuses(get), 426);
}

#[test]
fn the_answer_to_head_is_a_head() {
    let server = Server::start(&[]);
    for (path, status) in [("/", "200 OK"), ("/echo", "405 Method"), ("/nothing", "404 Not")] {
        let get = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let answer = |request: &str| {
            let mut stream = TcpStream::connect(server.address()).expect("a connection");
            stream.write_all(request.as_bytes()).expect("sent");
            stream.shutdown(Shutdown::Write).expect("half closed");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("an answer");
            answer
        };
        let head = answer(&get.replace("GET", "HEAD"));
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
        assert!(head.ends_with("\r\n\r\n") && head.contains("Content-Length: "), "{head}");
        if path == "/" {
            let full = answer(&get);
            assert_eq!(
                full.split_once("\r\n\r\n").expect("a page").0.to_owned() + "\r\n\r\n",
                head
            );
        }
    }
}

#[test]
fn refusals_have_their_status() {
    let server = Server::start(&["--host", "server.example.com"]);
    let echo = request("/echo").replace("localhost", "server.example.com");
    let request = |path: &str| echo.replace("/echo", path);
    let with = |field: &str| echo.replace("\r\n\r\n", &format!("\r\n{field}\r\n\r\n"));
    let long = "x".repeat(20_000);
    for (status, request) in [
        (404, request("/nothing")),
        (405, echo.replace("GET", "POST")),
        (505, echo.replace("HTTP/1.1", "HTTP/1.0")),
        (421, echo.replace("server.example.com", "other.example.com")),
        (426, echo.replace("Version: 13", "Version: 99")),
        (400, echo.replace("dGhlIHNhbXBsZSBub25jZQ==", "short")),
        (400, request("/echo?delay=soon")),
        (400, "nonsense\r\n\r\n".into()),
        (403, with("Origin: https://elsewhere.example")),
        (431, with(&format!("X-Long: {long}"))),
        (414, request(&format!("/{long}"))),
    ] {
        let line = request.lines().next().unwrap_or_default().get(..60).unwrap_or(&request);
        assert_eq!(server.refuses(&request), status, "{line}");
    }
    let mut peer = Peer::connect(server.address());
    peer.send(echo.replace("Version: 13", "Version: 99"));
    let (head, _) = peer.expect_refusal();
    assert_eq!(head.field("Sec-WebSocket-Version"), Some("13"));
    assert_eq!(head.field("Upgrade"), Some("websocket"));
}

#[test]
fn origins_subprotocols_and_versions_are_chosen_by_options() {
    let server = Server::start(&[
        "--origin",
        "https://*.example.com",
        "-s",
        "a,b",
        "--subprotocol-policy",
        "require",
        "--versions",
        "all",
        "--server-header",
        "",
    ]);
    let offer =
        |fields: &str| request_with("/", &format!("Origin: https://x.example.com\r\n{fields}"));
    assert_eq!(server.refuses(&request("/")), 403);
    assert_eq!(server.refuses(&offer("Sec-WebSocket-Protocol: c")), 400);
    let mut peer = Peer::connect(server.address());
    peer.send(offer("Sec-WebSocket-Protocol: c, b, a"));
    let head = peer.expect_accepted();
    assert_eq!(head.field("Sec-WebSocket-Protocol"), Some("a"));
    assert_eq!(head.field("Server"), None);
    for version in ["rfc6455", "hybi-08", "hybi-07"] {
        let args = ["connect", "-p", version, "-s", "b", "--origin", "https://x.example.com"];
        let args = [&args[..], &["-m", version, "-w", "0", &server.url]].concat();
        hybi(&args).expect_stdout(&format!("{version}\n"));
    }
    let strict = Server::start(&["--subprotocol-policy", "client", "-s", "a,b"]);
    let outcome = hybi(&["connect", "-p", "hybi-08", &strict.url]);
    outcome.expect(5, "hint: -p rfc6455 is accepted");
    let mut peer = Peer::connect(strict.address());
    peer.send(request_with("/", "Sec-WebSocket-Protocol: c, b, a"));
    assert_eq!(peer.expect_accepted().field("Sec-WebSocket-Protocol"), Some("b"));
}

#[test]
fn the_access_log_has_a_line_for_each_answer_and_each_ended_connection() {
    let file = scratch("access");
    let path = file.to_str().expect("text");
    let args = ["--access-log", path, "--access-log-format", "json", "-s", "chat"];
    let server = Server::start(&args);
    let url = server.at("/echo?x=1");
    hybi(&[
        "connect",
        "-u",
        "admin:hunter2",
        "-s",
        "chat",
        "--close",
        "3000",
        "-m",
        "four",
        "-w",
        "0",
        &url,
    ])
    .expect_stdout("four\n");
    assert_eq!(server.refuses(&request_with("/no", "Origin: https://a")), 404);
    server.stop().expect(0, "");
    let log = std::fs::read_to_string(&file).expect("a log");
    assert!(!log.contains("hunter2") && !log.contains("YWRtaW46"), "{log}");
    let lines = events(&log, &["access"]);
    assert_eq!(lines.len(), 2, "{log}");
    let expected = serde_json::json!({
        "event": "access", "method": "GET", "target": "/echo?x=1", "status": 101,
        "version": "rfc6455",
        "subprotocol": "chat", "origin": null, "messages_in": 1, "bytes_in": 4, "messages_out": 1,
        "bytes_out": 4, "code": 3000, "by": "peer", "clean": true,
    });
    for (key, value) in expected.as_object().expect("an object") {
        assert_eq!(&lines[0][key], value, "{key}: {log}");
    }
    assert_eq!((&lines[1]["status"], &lines[1]["origin"]), (&404.into(), &"https://a".into()));
}

#[test]
fn a_server_whose_log_nobody_reads_ends_quietly() {
    let mut child = spawn(&["serve", "-l", "127.0.0.1:0", "--access-log", "-"]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    let url = line.trim_end().strip_prefix("listening ").expect("an address");
    hybi(&["connect", "-m", "x", "-w", "0", url]).expect_stdout("x\n");
    assert_eq!(finish(child).expect(0, "").stderr, "");
}

#[test]
fn who_asked_nothing_is_not_logged_and_who_was_not_understood_has_no_target() {
    let server = Server::start(&["--access-log", "-"]);
    Peer::connect(server.address()).end();
    assert_eq!(server.refuses("nonsense\r\n\r\n"), 400);
    let log = server.stop().expect(0, "").stdout;
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains(" - - 400 origin=- "), "{log}");
}

#[test]
fn the_access_log_goes_to_stdout_as_text() {
    let server = Server::start(&["--access-log", "-"]);
    hybi(&["connect", "-m", "x", "-w", "0", &server.url]).expect_stdout("x\n");
    let line = server.stop().expect(0, "").stdout;
    for part in [" GET / 101 ", "version=rfc6455", "in=1/1 out=1/1 close=1000 by=peer clean=true\n"]
    {
        assert!(line.contains(part), "{part:?}: {line}");
    }
}
