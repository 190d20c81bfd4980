//! Bad requests: each rule of RFC 6455 sections 4.2 and 10.2 and of HTTP broken by a client over a
//! real socket, with the status and fields that it sees.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use hybi::{Error, HostPolicy, OriginPolicy, Server, Version, http::Response};

use super::{Runtime, opening::request_with, serve_request};
use crate::peer::{Head, Peer, REQUEST};

/// One way to break a rule.
struct Offence {
    name: &'static str,
    request: String,
    status: u16,
}

/// [`REQUEST`] with one line replaced; an empty replacement takes it away.
fn replaced(line: &str, replacement: &str) -> String {
    let ended = |line: &str| if line.is_empty() { String::new() } else { format!("{line}\r\n") };
    assert!(REQUEST.contains(&ended(line)), "no line {line}");
    REQUEST.replace(&ended(line), &ended(replacement))
}

/// A field whose list fills a head.
fn long_list(name: &str) -> String {
    let names: Vec<_> = (0..5300).map(|n| format!("{:02x}", n % 256)).collect();
    format!("{name}: {}", names.join(","))
}

const START: &str = "GET /chat HTTP/1.1";
const HOST: &str = "Host: server.example.com";
const UPGRADE: &str = "Upgrade: websocket";
const CONNECTION: &str = "Connection: Upgrade";
const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
const VERSION: &str = "Sec-WebSocket-Version: 13";

/// The rules of RFC 6455.
fn websocket_offences() -> Vec<Offence> {
    let plain = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\n\r\n".to_owned();
    let version_and = |more: &str| replaced(VERSION, &format!("{VERSION}\r\n{more}"));
    [
        // Section 4.2.1 item 1.
        ("POST", replaced(START, "POST /chat HTTP/1.1"), 405),
        ("OPTIONS *", replaced(START, "OPTIONS * HTTP/1.1"), 405),
        ("get in lower case", replaced(START, "get /chat HTTP/1.1"), 405),
        ("HTTP/1.0", replaced(START, "GET /chat HTTP/1.0"), 505),
        ("HTTP/2.0", replaced(START, "GET /chat HTTP/2.0"), 505),
        // Item 2.
        ("no Host", replaced(HOST, ""), 400),
        ("two Hosts", replaced(HOST, &format!("{HOST}\r\n{HOST}")), 400),
        ("a Host with a path", replaced(HOST, "Host: a/b"), 400),
        ("a Host with a bad port", replaced(HOST, "Host: a:99999"), 400),
        ("another host in the target", replaced(START, "GET http://evil.example/ HTTP/1.1"), 400),
        (
            "a target with a bad port",
            replaced(START, "GET http://server.example.com:99999/ HTTP/1.1"),
            400,
        ),
        ("an asterisk for a target", replaced(START, "GET * HTTP/1.1"), 400),
        ("a target that is not ASCII", replaced(START, "GET /\u{e9} HTTP/1.1"), 400),
        // Item 3.
        ("no field of a WebSocket", plain, 426),
        ("no Upgrade", replaced(UPGRADE, ""), 400),
        ("another Upgrade", replaced(UPGRADE, "Upgrade: h2c"), 400),
        ("websocket as a part of a word", replaced(UPGRADE, "Upgrade: websockets"), 400),
        // Item 4.
        ("no Connection", replaced(CONNECTION, ""), 400),
        ("another Connection", replaced(CONNECTION, "Connection: keep-alive"), 400),
        // Item 5.
        ("no key", replaced(KEY, ""), 400),
        ("two keys", replaced(KEY, &format!("{KEY}\r\n{KEY}")), 400),
        ("an empty key", replaced(KEY, "Sec-WebSocket-Key: "), 400),
        ("a key of 15 bytes", replaced(KEY, "Sec-WebSocket-Key: ZmlmdGVlbiBieXRlcyEh"), 400),
        ("a key of 17 bytes", replaced(KEY, "Sec-WebSocket-Key: c2V2ZW50ZWVuIGJ5dGVzISE="), 400),
        (
            "a key that is not base64",
            replaced(KEY, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ*=="),
            400,
        ),
        // Item 6 and section 4.4.
        ("no version", replaced(VERSION, ""), 400),
        ("version 12", replaced(VERSION, "Sec-WebSocket-Version: 12"), 426),
        ("version 8", replaced(VERSION, "Sec-WebSocket-Version: 8"), 426),
        ("version 0", replaced(VERSION, "Sec-WebSocket-Version: 0"), 426),
        ("two versions", replaced(VERSION, "Sec-WebSocket-Version: 13, 8"), 400),
        ("two version fields", version_and(VERSION), 400),
        ("a leading zero", replaced(VERSION, "Sec-WebSocket-Version: 013"), 400),
        ("version 256", replaced(VERSION, "Sec-WebSocket-Version: 256"), 426),
        ("version 9999", replaced(VERSION, "Sec-WebSocket-Version: 9999"), 426),
        ("a word for a version", replaced(VERSION, "Sec-WebSocket-Version: new"), 400),
        // Items 8 and 9, section 4.3.
        ("a subprotocol that is no token", version_and("Sec-WebSocket-Protocol: a b"), 400),
        ("a subprotocol twice", version_and("Sec-WebSocket-Protocol: a, a"), 400),
        ("no subprotocol in the list", version_and("Sec-WebSocket-Protocol: ,"), 400),
        ("an extension without a name", version_and("Sec-WebSocket-Extensions: ; a"), 400),
        ("an extension that is no token", version_and("Sec-WebSocket-Extensions: a b"), 400),
        ("an open quote", version_and("Sec-WebSocket-Extensions: a; b=\"c"), 400),
        (
            "a quoted value that is no token",
            version_and("Sec-WebSocket-Extensions: a; b=\"c d\""),
            400,
        ),
        ("a parameter without a value", version_and("Sec-WebSocket-Extensions: a; b="), 400),
        // Lists that cost more to keep than to send.
        ("5,300 subprotocols", version_and(&long_list("Sec-WebSocket-Protocol")), 431),
        ("5,300 extensions", version_and(&long_list("Sec-WebSocket-Extensions")), 431),
        // A body, which would be read as frames.
        ("a body", version_and("Content-Length: 5"), 400),
        ("a body in chunks", version_and("Transfer-Encoding: chunked"), 400),
        // Section 10.2.
        ("another origin", version_and("Origin: https://evil.example"), 403),
        ("the origin null", version_and("Origin: null"), 403),
        ("two origins", version_and("Origin: http://a\r\nOrigin: http://server.example.com"), 400),
        ("the old name of Origin", version_and("Sec-WebSocket-Origin: https://evil.example"), 403),
    ]
    .into_iter()
    .map(|(name, request, status)| Offence { name, request, status })
    .collect()
}

/// The rules and limits of HTTP.
fn http_offences() -> Vec<Offence> {
    let version_and = |more: &str| replaced(VERSION, &format!("{VERSION}\r\n{more}"));
    let fields = |count: usize| (0..count).map(|n| format!("X-{n}: y\r\n")).collect::<String>();
    [
        ("a head of 20,000 bytes", request_with(&format!("X: {}\r\n", "y".repeat(20_000))), 431),
        // Five lines of the request itself are fields as well.
        ("101 fields", request_with(&fields(96)), 431),
        ("a long target", replaced(START, &format!("GET /{} HTTP/1.1", "x".repeat(20_000))), 414),
        ("a folded field", version_and("X: y\r\n z"), 400),
        ("a folded first field", replaced(HOST, &format!(" X: y\r\n{HOST}")), 400),
        ("bare line feeds", REQUEST.replace("\r\n", "\n"), 400),
        ("one bare line feed", REQUEST.replacen("\r\n", "\n", 1), 400),
        ("a bare carriage return", version_and("X: a\rb"), 400),
        ("NUL in a field", version_and("X: a\0b"), 400),
        ("NUL in the target", replaced(START, "GET /\0 HTTP/1.1"), 400),
        ("a fragment in the target", replaced(START, "GET /#a HTTP/1.1"), 400),
        ("a space before the colon", version_and("X : y"), 400),
        ("a field without a colon", version_and("no field"), 400),
        ("a field without a name", version_and(": y"), 400),
        ("no version of HTTP", replaced(START, "GET /chat"), 400),
        ("no target", replaced(START, "GET HTTP/1.1"), 400),
        ("no HTTP at all", "\u{1}\u{2}\u{3}\u{4}".to_owned(), 400),
        ("a TLS hello", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}".to_owned(), 400),
        ("frames without a handshake", "\u{1}\u{5}hello".to_owned(), 400),
    ]
    .into_iter()
    .map(|(name, request, status)| Offence { name, request, status })
    .collect()
}

/// The fields that a refusal of this status needs.
fn judge(head: &Head, body: &str, status: u16) {
    assert_eq!(head.status(), status, "{head:?} {body}");
    assert!(!body.trim().is_empty(), "a reason for people");
    match status {
        405 => assert_eq!(head.field("Allow"), Some("GET")),
        426 => {
            assert_eq!(head.field("Sec-WebSocket-Version"), Some("13"));
            assert_eq!(head.field("Upgrade"), Some("websocket"));
        }
        _ => {}
    }
    let connection = head.field("Connection").expect("Connection").to_ascii_lowercase();
    assert!(connection.split(", ").any(|option| option == "close"), "{connection}");
    assert_eq!(head.field("Sec-WebSocket-Accept"), None);
}

/// Sends a request and asserts how it is refused, read to the end or not.
fn refuse<R: Runtime>(server: Server, bytes: &[u8], status: u16) {
    let (address, server) =
        serve_request::<R, _>(server, |incoming| async { incoming?.accept().await.map(|_| ()) });
    let mut peer = Peer::connect(address);
    peer.send(bytes);
    let (head, body) = peer.expect_refusal();
    judge(&head, &body, status);
    peer.end();
    let error = server.join().expect_err("refused");
    let Error::Handshake(error) = error else { panic!("{error}") };
    assert_eq!(error.response().status(), status);
    peer.expect_no_reset();
}

/// Every bad request is answered with its status, a reason, and an orderly end, also when more
/// bytes follow it.
pub fn refuses_bad_requests<R: Runtime>() {
    let mut failed = Vec::new();
    for Offence { name, request, status } in websocket_offences().into_iter().chain(http_offences())
    {
        for tail in [0, 300 * 1024] {
            let mut bytes = request.clone().into_bytes();
            bytes.resize(bytes.len() + tail, b'x');
            let refused = AssertUnwindSafe(|| refuse::<R>(Server::default(), &bytes, status));
            if catch_unwind(refused).is_err() {
                failed.push(format!("{name}: {status}, then {tail} bytes"));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// What a server is told to accept and cannot speak is refused, and only what it speaks is listed
/// (section 4.4).
pub fn refuses_versions_that_it_cannot_speak<R: Runtime>() {
    let server = |numbers: &[u8]| {
        Server::builder().versions(numbers.iter().copied().map(Version::new)).build()
    };
    for (numbers, listed) in
        [(&[9, 8, 14, 13][..], Some("13, 8")), (&[7, 12], Some("7")), (&[9, 14], None)]
    {
        for requested in [9, 12, 14] {
            let (address, server) = serve_request::<R, _>(server(numbers), |incoming| async {
                incoming?.accept().await.map(|_| ())
            });
            let mut peer = Peer::connect(address);
            peer.send(replaced(VERSION, &format!("Sec-WebSocket-Version: {requested}")));
            let (head, _) = peer.expect_refusal();
            assert_eq!((head.status(), head.field("Sec-WebSocket-Version")), (426, listed));
            peer.end();
            server.join().expect_err("refused");
        }
    }
}

/// A request for a host that is not served is refused with 421, and one without a proper `Host` with
/// 400 (RFC 9112 section 3.2), a plain one like any other. Whatever the refusal, it has the fields that
/// the server adds to every response.
pub fn judges_hosts<R: Runtime>() {
    let hosts = ["server.example.com", "[::1]:8080"].map(|text| text.parse().expect("a host"));
    let server = Server::builder().hosts(HostPolicy::List(hosts.into()));
    let server = server.header("Server", "example/1.0").expect("a field").build();
    let page = |host: &str| format!("GET / HTTP/1.1\r\n{host}X: y\r\n\r\n");
    for (request, status) in [
        (REQUEST.to_owned(), 101),
        (replaced(HOST, "Host: SERVER.example.com:8080"), 101),
        (replaced(HOST, "Host: [::1]:8080"), 101),
        (replaced(HOST, "Host: [::1]"), 421),
        (replaced(HOST, "Host: evil.example\r\nOrigin: http://evil.example"), 421),
        (replaced(START, "GET ws://server.example.com/chat HTTP/1.1"), 101),
        (page("Host: server.example.com\r\n"), 200),
        (page("Host: evil.example\r\n"), 421),
        (page("Host: evil example\r\n"), 400),
        (page("Host: server.example.com\r\nHost: server.example.com\r\n"), 400),
        (page("").replace("GET /", "GET /nothing/here"), 400),
        (page("").replace("HTTP/1.1", "HTTP/1.0"), 200),
        (request_with("X: a\0b\r\n"), 400),
        (replaced(KEY, ""), 400),
    ] {
        let (address, server) = serve_request::<R, _>(server.clone(), |incoming| async {
            let incoming = incoming?;
            if incoming.is_upgrade() {
                return incoming.accept().await.map(|_| ());
            }
            incoming.respond(Response::new("<p>hello")).await;
            Ok(())
        });
        let mut peer = Peer::connect(address);
        peer.send(&request);
        let head = peer.read_head();
        assert_eq!(
            (head.status(), head.field("Server")),
            (status, Some("example/1.0")),
            "{request}"
        );
        drop(peer);
        assert_eq!(server.join().is_ok(), status < 400, "{request}");
    }
}

/// The origins of section 10.2: the server's own and none by default, else what it lists.
pub fn judges_origins<R: Runtime>() {
    let listed = || {
        let patterns = ["https://*.example.org", "null"].map(|text| text.parse().expect("valid"));
        Server::builder().origins(OriginPolicy::List(patterns.into())).build()
    };
    let any = || Server::builder().origins(OriginPolicy::Any).build();
    let accept = |server: Server, origin: &str| {
        let (address, server) = serve_request::<R, _>(server, |incoming| async {
            incoming?.accept().await.map(|_| ())
        });
        let mut peer = Peer::connect(address);
        peer.send(request_with(origin));
        peer.expect_accepted();
        server.join().unwrap();
    };
    accept(Server::default(), "");
    accept(Server::default(), &format!("Origin: {}://server.example.com\r\n", R::THROUGH.http()));
    accept(Server::default(), "Origin: https://SERVER.example.com\r\n");
    accept(any(), "Origin: https://evil.example\r\n");
    accept(listed(), "Origin: https://app.example.org\r\n");
    accept(listed(), "Origin: null\r\n");
    for (server, origin) in [
        (Server::default(), "https://server.example.com.evil.example"),
        (Server::default(), "http://server.example.com:8080"),
        (Server::builder().secure(true).build(), "http://server.example.com"),
        (listed(), "http://app.example.org"),
        (listed(), "https://a.b.example.org"),
        (listed(), "https://example.org"),
    ] {
        let request = request_with(&format!("Origin: {origin}\r\n"));
        refuse::<R>(server, request.as_bytes(), 403);
    }
    refuse::<R>(listed(), REQUEST.as_bytes(), 403);
}

/// A server may insist on one of its subprotocols.
pub fn insists_on_a_subprotocol<R: Runtime>() {
    let server = || Server::builder().subprotocols(["v1"]).subprotocol_required(true).build();
    refuse::<R>(server(), REQUEST.as_bytes(), 400);
    let request = request_with("Sec-WebSocket-Protocol: v2\r\n");
    refuse::<R>(server(), request.as_bytes(), 400);
}
