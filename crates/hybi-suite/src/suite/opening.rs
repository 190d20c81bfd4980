//! The opening handshake (RFC 6455 section 4): what is chosen, handed over, and how it is cut.

use core::{error::Error as _, net::SocketAddr, time::Duration};
use std::io::ErrorKind;

use hybi::{
    Client, Config, Deadline, Error, Extensions, HandshakeError, OpeningError, Server,
    http::{Response, StatusCode},
};
use hybi_testkit::wire::{self, Side, TEXT};

use super::{Running, Runtime, connect, echo, run, serve_echo, serve_request, uri};
use crate::peer::{Head, Peer, REQUEST, listen, response};

/// How long a handshake may take in the tests about that.
const SOON: Duration = Duration::from_millis(50);

/// [`REQUEST`] with more field lines, each ended.
pub(super) fn request_with(fields: &str) -> String {
    let fields = format!("Host: server.example.com\r\n{fields}");
    REQUEST.replace("Host: server.example.com\r\n", &fields)
}

/// Runs a client that fails to connect.
fn refused<R: Runtime>(client: Client, address: SocketAddr) -> Running<Error> {
    run::<R, _>(move || async move {
        match R::connect_with(&client, &uri::<R>(address)).await {
            Ok(_) => panic!("the server accepted"),
            Err(error) => error,
        }
    })
}

/// The server's order decides, or none of its names is offered and none chosen.
pub fn chooses_a_subprotocol<R: Runtime>() {
    for (offer, chosen) in [
        ("Sec-WebSocket-Protocol: v1, v2\r\n", Some("v2")),
        ("Sec-WebSocket-Protocol: v1\r\nSec-WebSocket-Protocol: v2\r\n", Some("v2")),
        ("Sec-WebSocket-Protocol: V1, v3\r\n", None),
        ("", None),
    ] {
        let server = Server::builder().subprotocols(["v2", "v1"]).build();
        let (address, server) = serve_request::<R, _>(server, |incoming| async {
            let ws = incoming?.accept().await?;
            Ok::<_, Error>(ws.subprotocol().map(str::to_owned))
        });
        let mut peer = Peer::connect(address);
        peer.send(request_with(offer));
        let head = peer.expect_accepted();
        assert_eq!(head.field("Sec-WebSocket-Protocol"), chosen);
        assert_eq!(server.join().unwrap().as_deref(), chosen);
    }
    let (listener, address) = listen();
    let client = run::<R, _>(move || async move {
        let client = Client::builder().subprotocol("v2").subprotocol("v1").build()?;
        let (ws, response) = R::connect_with(&client, &uri::<R>(address)).await?;
        assert_eq!(response.headers()["sec-websocket-protocol"], "v1");
        Ok::<_, Error>(ws.subprotocol().map(str::to_owned))
    });
    let mut peer = Peer::accept(&listener);
    let request = peer.read_head();
    assert_eq!(request.field("Sec-WebSocket-Protocol"), Some("v2, v1"));
    peer.send(response(&request, "Sec-WebSocket-Protocol: v1\r\n"));
    assert_eq!(client.join().unwrap().as_deref(), Some("v1"));
}

/// `check` and `accept_as` let the application choose and add fields; what was not offered
/// cannot be chosen.
pub fn leaves_the_choice_to_the_application<R: Runtime>() {
    let (address, server) = serve_request::<R, _>(Server::default(), |incoming| async {
        let incoming = incoming?;
        assert_eq!(incoming.request().uri().path(), "/chat");
        let accepted = incoming.check()?;
        assert_eq!(accepted.subprotocols, ["a", "b"]);
        assert!(accepted.clone().with_subprotocol(Some("c")).is_err());
        let accepted = accepted.with_subprotocol(Some("b"))?.with_header("Set-Cookie", "x=1")?;
        let ws = incoming.accept_as(accepted).await?;
        assert_eq!(ws.subprotocol(), Some("b"));
        Ok::<_, Error>(echo(ws).await)
    });
    let mut peer = Peer::connect(address);
    peer.send(request_with("Sec-WebSocket-Protocol: a, b\r\n"));
    let head = peer.expect_accepted();
    assert_eq!(head.field("Sec-WebSocket-Protocol"), Some("b"));
    assert_eq!(head.field("Set-Cookie"), Some("x=1"));
    peer.send_close(1000);
    peer.expect_close(1000);
    drop(peer);
    server.join().unwrap();
}

/// Frames in the same segment as the request are the first frames.
pub fn reads_frames_behind_the_request<R: Runtime>() {
    let (address, server) = serve_echo::<R>(Config::default());
    let mut peer = Peer::connect(address);
    let first = wire::frame(Side::Client, TEXT, b"first");
    let second = wire::frame(Side::Client, TEXT, b"second");
    peer.send([REQUEST.as_bytes(), &first, &second[..4]].concat());
    peer.expect_accepted();
    peer.expect(TEXT, b"first");
    peer.send(&second[4..]);
    peer.expect(TEXT, b"second");
    peer.send_close(1000);
    peer.expect_close(1000);
    drop(peer);
    assert!(server.join().error.is_none());
}

/// So are those behind the response.
pub fn reads_frames_behind_the_response<R: Runtime>() {
    let (listener, address) = listen();
    let client = connect::<R, _>(address, Config::default(), echo);
    let mut peer = Peer::accept(&listener);
    let head = response(&peer.read_head(), "");
    let first = wire::frame(Side::Server, TEXT, b"first");
    let second = wire::frame(Side::Server, TEXT, b"second");
    peer.send([head.as_bytes(), &first, &second[..4]].concat());
    peer.expect(TEXT, b"first");
    peer.send(&second[4..]);
    peer.expect(TEXT, b"second");
    peer.send_close(1000);
    peer.expect_close(1000);
    drop(peer);
    assert!(client.join().error.is_none());
}

/// Nothing depends on how the request is cut.
pub fn takes_the_request_byte_by_byte<R: Runtime>() {
    let (address, server) = serve_echo::<R>(Config::default());
    let mut peer = Peer::connect(address);
    let stream = [REQUEST.as_bytes(), &wire::frame(Side::Client, TEXT, b"first")].concat();
    for byte in stream {
        peer.send([byte]);
    }
    peer.expect_accepted();
    peer.expect(TEXT, b"first");
    peer.send_close(1000);
    peer.expect_close(1000);
    drop(peer);
    assert!(server.join().error.is_none());
}

/// Nor on how the response is.
pub fn takes_the_response_byte_by_byte<R: Runtime>() {
    let (listener, address) = listen();
    let client = connect::<R, _>(address, Config::default(), echo);
    let mut peer = Peer::accept(&listener);
    let head = response(&peer.read_head(), "");
    for byte in [head.as_bytes(), &wire::frame(Side::Server, TEXT, b"first")].concat() {
        peer.send([byte]);
    }
    peer.expect(TEXT, b"first");
    peer.send_close(1000);
    peer.expect_close(1000);
    drop(peer);
    assert!(client.join().error.is_none());
}

/// The request is as RFC 6455 section 4.1 wants it, with what the application adds, and a key of
/// its own each time.
pub fn sends_a_lawful_request<R: Runtime>() {
    let request = || -> (Head, SocketAddr) {
        let (listener, address) = listen();
        let client = run::<R, _>(move || async move {
            let client = Client::builder()
                .header("Authorization", "Bearer 1234")
                .origin("https://example.org")
                .subprotocol("chat")
                .extensions(Extensions::default())
                .build()?;
            let uri = format!("{}a%20path?q=1", uri::<R>(address));
            R::connect_with(&client, &uri).await.map(|_| ())
        });
        let mut peer = Peer::accept(&listener);
        let request = peer.read_head();
        peer.send(response(&request, ""));
        client.join().unwrap();
        (request, address)
    };
    let (head, address) = request();
    assert_eq!(head.start, "GET /a%20path?q=1 HTTP/1.1");
    assert_eq!(head.field("Host"), Some(&*address.to_string()));
    assert_eq!(head.field("Upgrade"), Some("websocket"));
    assert_eq!(head.field("Connection"), Some("Upgrade"));
    assert_eq!(head.field("Sec-WebSocket-Version"), Some("13"));
    assert_eq!(head.field("Authorization"), Some("Bearer 1234"));
    assert_eq!(head.field("Origin"), Some("https://example.org"));
    assert_eq!(head.field("Sec-WebSocket-Protocol"), Some("chat"));
    let offer = "permessage-deflate; client_max_window_bits";
    assert_eq!(head.field("Sec-WebSocket-Extensions"), Some(offer));
    assert!(head.fields.iter().any(|(name, _)| name == "Sec-WebSocket-Key"), "{head:?}");
    let key = |head: &Head| head.field("Sec-WebSocket-Key").map(str::to_owned);
    assert_eq!(key(&head).map(|key| key.len()), Some(24));
    assert_ne!(key(&head), key(&request().0));
}

/// Requests that are lawful, whatever they look like, are accepted.
pub fn takes_unusual_requests<R: Runtime>() {
    let with = |line: &str, replacement: &str| {
        assert!(REQUEST.contains(line), "no {line}");
        REQUEST.replace(line, replacement)
    };
    let lower = REQUEST.replace("Sec-WebSocket-", "sec-websocket-").replace("Host", "hOST");
    for request in [
        lower,
        format!("\r\n{REQUEST}"),
        with("websocket", "h2c,\t WebSocket"),
        with("Connection: Upgrade", "Connection: keep-alive\r\nConnection: , UPGRADE"),
        with("GET /chat", "GET http://server.example.com/chat?a"),
        with("Version: 13", "Version:13  "),
        with("com\r\n", "com:80\r\n"),
        request_with("Content-Length: 0\r\n"),
        request_with("Origin: https://server.example.com\r\n"),
        request_with("Sec-WebSocket-Protocol: ,a, ,b,\r\n"),
        request_with("Sec-WebSocket-Protocol: \r\nSec-WebSocket-Extensions:\r\n"),
        with("GET /chat", "GET ws://server.example.com/chat"),
        request_with("Sec-WebSocket-Extensions: x; y=\"z\", , permessage-deflate; a\r\n"),
        request_with("X: \u{e9}\u{20ac}\r\nY:\r\n"),
    ] {
        let (address, server) = serve_echo::<R>(Config::default());
        let mut peer = Peer::connect(address);
        peer.send(request);
        let head = peer.expect_accepted();
        assert_eq!(head.field("Sec-WebSocket-Protocol"), None);
        assert_eq!(head.field("Sec-WebSocket-Extensions"), None);
        peer.send_close(1000);
        peer.expect_close(1000);
        drop(peer);
        assert!(server.join().error.is_none());
    }
}

/// So are such responses, behind interim ones too.
pub fn takes_unusual_responses<R: Runtime>() {
    for (from, to) in [
        ("Sec-WebSocket-Accept", "SEC-websocket-accept"),
        ("Upgrade: websocket", "upgrade: WEBSOCKET "),
        ("Connection: Upgrade", "Connection: keep-alive, upgrade"),
        ("101 Switching Protocols", "101 "),
        ("101 Switching Protocols", "101 Fine by me"),
        ("\r\n\r\n", "\r\nSec-WebSocket-Protocol:\r\nSec-WebSocket-Extensions: \r\n\r\n"),
        ("HTTP/1.1 101", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 101"),
    ] {
        let (listener, address) = listen();
        let client = connect::<R, _>(address, Config::default(), echo);
        let mut peer = Peer::accept(&listener);
        let head = response(&peer.read_head(), "");
        assert!(head.contains(from), "no {from}");
        peer.send(head.replacen(from, to, 1));
        peer.send_close(1000);
        peer.expect_close(1000);
        drop(peer);
        assert!(client.join().error.is_none(), "{to}");
    }
}

/// What is no attempt at a WebSocket connection can be answered with a page.
pub fn serves_pages<R: Runtime>() {
    let (address, server) = serve_request::<R, _>(Server::default(), |incoming| async {
        let incoming = incoming?;
        assert!(!incoming.is_upgrade());
        let page = Response::builder().header("Content-Type", "text/html").body("<p>hello");
        incoming.respond(page.expect("a response")).await;
        Ok::<_, Error>(())
    });
    let mut peer = Peer::connect(address);
    peer.send("GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let (head, body) = peer.expect_refusal();
    assert_eq!((head.status(), head.field("Content-Type")), (200, Some("text/html")));
    assert_eq!(head.field("Connection"), Some("close"));
    assert_eq!(body, "<p>hello");
    drop(peer);
    server.join().unwrap();
}

/// HEAD is answered with what GET would get, but for the body.
pub fn answers_head_without_body<R: Runtime>() {
    for upgrade in [false, true] {
        let (address, server) =
            serve_request::<R, _>(Server::default(), move |incoming| async move {
                let incoming = incoming?;
                if upgrade {
                    return incoming.accept().await.map(|_| ());
                }
                incoming.respond(Response::new("<p>hello")).await;
                Ok::<_, Error>(())
            });
        let mut peer = Peer::connect(address);
        peer.send(REQUEST.replace("GET", "HEAD"));
        let head = peer.read_head();
        assert_eq!(head.status(), if upgrade { 405 } else { 200 });
        assert_eq!(head.field("Allow"), upgrade.then_some("GET"));
        let length = head.field("Content-Length").expect("the length of the body");
        assert_eq!(length == "8", !upgrade, "{length}");
        peer.expect_end();
        drop(peer);
        assert_eq!(server.join().is_err(), upgrade);
    }
}

/// A response that is not 101 reaches the caller whole: status, fields and body.
pub fn hands_refusals_over<R: Runtime>() {
    let long = format!("Content-Length: 3000\r\n\r\n{}", "x".repeat(3000));
    for (status, rest, body) in [
        (301, "Location: ws://elsewhere/\r\nContent-Length: 5\r\n\r\nmoved", "moved"),
        (307, "Location: /there\r\nContent-Length: 0\r\n\r\n", ""),
        (401, "WWW-Authenticate: Basic realm=\"a\"\r\nContent-Length: 0\r\n\r\n", ""),
        (403, "Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n4\r\n way\r\n0\r\n\r\n", "no way"),
        (404, &long, &"x".repeat(3000)),
        (426, "Sec-WebSocket-Version: 8, 13\r\n\r\nup to the end", "up to the end"),
        (500, "\r\n", ""),
        (200, "Content-Length: 2\r\n\r\nok", "ok"),
    ] {
        let (listener, address) = listen();
        let client = refused::<R>(Client::default(), address);
        let mut peer = Peer::accept(&listener);
        peer.read_head();
        peer.send(format!("HTTP/1.1 {status} Reason\r\n{rest}"));
        peer.end();
        let error = client.join();
        let Some(HandshakeError::Rejected(response)) = error.handshake() else {
            panic!("{status}: {error}");
        };
        assert_eq!(response.status(), StatusCode::from_u16(status).expect("a status"));
        assert_eq!(String::from_utf8_lossy(response.body()), body);
        assert_eq!(response.headers().contains_key("location"), status < 400 && status > 300);
        assert_eq!(response.headers().contains_key("www-authenticate"), status == 401);
        assert_eq!(error.handshake().map_or(0, |error| error.versions_offered().len()), {
            if status == 426 { 2 } else { 0 }
        });
    }
}

/// So does one whose body does not end before the deadline: what came of it.
pub fn hands_refusals_over_whose_body_never_ends<R: Runtime>() {
    for rest in ["\r\nwho", "Content-Length: 30\r\n\r\nwho", "Content-Length: 3\r\n\r\n"] {
        let config = Config::default().handshake_timeout(SOON);
        let (listener, address) = listen();
        let client = refused::<R>(Client::builder().config(config).build().unwrap(), address);
        let mut peer = Peer::accept(&listener);
        peer.read_head();
        peer.send(format!("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n{rest}"));
        peer.expect_end();
        let error = client.join();
        let Some(error @ HandshakeError::Rejected(response)) = error.handshake() else {
            panic!("{error}");
        };
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()["www-authenticate"], "Basic");
        let body = if rest.ends_with("who") { "who" } else { "" };
        assert_eq!(response.body(), body.as_bytes());
        assert!(error.body_truncated());
    }
}

/// Where nobody listens, the error names the address and what the system said, each once.
pub fn names_what_refused<R: Runtime>() {
    let (listener, address) = listen();
    drop(listener);
    let error = refused::<R>(Client::default(), address).join();
    assert!(error.is_closed() && !error.is_timeout(), "{error}");
    let system = error.io_error().expect("the system's word").to_string();
    assert_eq!(error.to_string(), format!("connecting to {address}: {system}"));
    assert!(error.source().is_none());

    let uri = uri::<R>(format!("localhost:{}", address.port()));
    let error = R::block_on(R::connect_with(&Client::default(), &uri));
    let Err(Error::Opening(step)) = error else { panic!("nobody listens") };
    let OpeningError::Connect { host, attempts } = &*step else { panic!("{step}") };
    assert_eq!(*host, format!("localhost:{}", address.port()));
    assert!(attempts.iter().any(|(tried, _)| *tried == address), "{step}");
    let tried = attempts.iter().map(|(address, error)| format!("{address}: {error}"));
    let tried = tried.collect::<Vec<_>>().join("; ");
    assert_eq!(step.to_string(), format!("connecting to {host}: {tried}"));
}

/// A redirect is not followed, but told: in the text, and whole in the response.
pub fn tells_where_a_redirect_leads<R: Runtime>() {
    let (listener, address) = listen();
    let client = refused::<R>(Client::default(), address);
    let mut peer = Peer::accept(&listener);
    peer.read_head();
    peer.send(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: /new\r\nContent-Length: 5\r\n\r\nmoved",
    );
    peer.expect_end();
    let error = client.join();
    let told =
        "the server rejected the handshake with 307 Temporary Redirect, which points to /new";
    assert_eq!(error.to_string(), told);
    let response = error.response().expect("a refusal");
    assert_eq!(response.headers()["location"], "/new");
    assert_eq!((response.status().as_u16(), &response.body()[..]), (307, &b"moved"[..]));
}

/// A server that keeps the transport open behind a refusal, whose body has no end or no length, does not
/// keep the client from being told, long before the deadline of the handshake.
pub fn hands_refusals_over_without_waiting_for_their_end<R: Runtime>() {
    let refusals =
        [(200, "Content-Type: text/plain\r\n"), (401, ""), (503, "Content-Length: 9\r\n")];
    let told = refusals.map(|(status, fields)| {
        let config = Config::default().handshake_timeout(Duration::from_secs(3600));
        let (listener, address) = listen();
        let client = refused::<R>(Client::builder().config(config).build().unwrap(), address);
        let mut peer = Peer::accept(&listener);
        peer.read_head();
        peer.send(format!("HTTP/1.1 {status} Reason\r\n{fields}\r\nwhy"));
        (status, client, peer)
    });
    for (status, client, mut peer) in told {
        peer.expect_end();
        let error = client.join();
        let Some(error @ HandshakeError::Rejected(response)) = error.handshake() else {
            panic!("{status}: {error}");
        };
        assert_eq!((response.status().as_u16(), response.body().as_slice()), (status, &b"why"[..]));
        assert!(error.body_truncated());
    }
}

/// A client that says nothing is told so with 408 at the deadline; so is one that stops midway.
pub fn ends_a_silent_handshake<R: Runtime>() {
    for bytes in ["", "GET / HTT", &REQUEST[..REQUEST.len() - 2]] {
        let config = Config::default().handshake_timeout(SOON);
        let server = Server::builder().config(config).build();
        let (address, server) =
            serve_request::<R, _>(server, |incoming| async { incoming.map(|_| ()) });
        let mut peer = Peer::connect(address);
        peer.send(bytes);
        let (head, _) = peer.expect_refusal();
        assert_eq!(head.status(), 408);
        drop(peer);
        let error = server.join().expect_err("no request");
        assert!(matches!(error, Error::Timeout(Deadline::Handshake)), "{error}");
        assert!(error.is_timeout());
    }
}

/// A server that says nothing, or not enough, is left at the deadline.
pub fn ends_a_silent_server<R: Runtime>() {
    for bytes in ["", "HTTP/1.1 101 Swi"] {
        let config = Config::default().handshake_timeout(SOON);
        let (listener, address) = listen();
        let client = refused::<R>(Client::builder().config(config).build().unwrap(), address);
        let mut peer = Peer::accept(&listener);
        peer.read_head();
        peer.send(bytes);
        peer.expect_end();
        let error = client.join();
        assert!(matches!(error, Error::Timeout(Deadline::Handshake)), "{error}");
    }
}

/// Without TLS, a `wss` URI is refused before anything is sent, with an error that names the
/// feature of `package` to turn on.
pub fn refuses_wss<R: Runtime>(package: &str) {
    let (listener, address) = listen();
    let uri = format!("wss://{address}/");
    let Err(error) = R::block_on(R::connect_with(&Client::default(), &uri)) else {
        panic!("no TLS is here");
    };
    let Error::TlsNotCompiledIn { feature } = error else { panic!("{error}") };
    assert!(feature.contains(package), "{feature}");
    listener.set_nonblocking(true).expect("a listener that does not wait");
    let nobody = listener.accept().expect_err("nobody connected");
    assert_eq!(nobody.kind(), ErrorKind::WouldBlock);
}
