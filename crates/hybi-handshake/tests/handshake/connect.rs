//! The opening handshake over HTTP/2: each rule of RFC 8441 §5, as server and as client.

use http::{Method, Request, Response, Version as Http};
use hybi_handshake::{
    ClientRequest, ConnectHandshake, ExtensionOffer, HandshakeError, HostPolicy, OriginPolicy,
    Protocol, ServerPolicy, Version, is_upgrade,
};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A request that breaks no rule, as a browser sends it.
fn request() -> Request<()> {
    Request::builder()
        .method(Method::CONNECT)
        .uri("https://example.org/chat?room=1")
        .version(Http::HTTP_2)
        .extension(Protocol::WEBSOCKET)
        .header("origin", "https://example.org")
        .header("sec-websocket-version", "13")
        .body(())
        .expect("a request")
}

/// The same with one field more, or another value of it.
fn with(name: &'static str, value: &'static str) -> Request<()> {
    let mut request = request();
    request.headers_mut().insert(name, value.parse().expect("a value"));
    request
}

/// The refusal of the default policy: its status, and its fields.
fn refused(request: &Request<()>, section: &str) -> Response<String> {
    let error = ServerPolicy::new().check(request).expect_err("a refusal");
    assert_eq!(error.section(), section, "{error}");
    let response = error.response();
    assert_eq!(response.body(), &format!("{error}\n"));
    for name in ["connection", "upgrade"] {
        assert!(!response.headers().contains_key(name), "HTTP/2 has no such field: {name}");
    }
    response
}

#[test]
fn a_request_that_breaks_no_rule_is_answered_with_200_alone() {
    for secure in [false, true] {
        let policy = ServerPolicy::new().with_secure(secure);
        let accepted = policy.check(&request()).expect("lawful");
        assert_eq!(accepted.version, Version::RFC6455);
        let response = accepted.response();
        assert_eq!((response.status().as_u16(), response.headers().len()), (200, 0));
    }
    assert!(is_upgrade(&request()));
}

#[test]
fn the_choices_are_those_over_http_1() {
    let mut asked = with("sec-websocket-protocol", "chat.v1, chat.v2");
    asked.headers_mut().insert("sec-websocket-extensions", "x; a=1".parse().expect("a value"));
    let policy = ServerPolicy::new().with_subprotocols(["chat.v2"]);
    let policy = policy.with_header("server", "example").expect("a field");
    let accepted = policy.check(&asked).expect("lawful");
    assert_eq!(accepted.subprotocols, ["chat.v1", "chat.v2"]);
    assert_eq!(accepted.offers.iter().map(ToString::to_string).collect::<Vec<_>>(), ["x; a=1"]);
    let offers = accepted.offers.clone();
    let response = accepted.with_extensions(offers).response();
    let field = |name: &str| response.headers()[name].to_str().expect("text").to_owned();
    assert_eq!(field("sec-websocket-protocol"), "chat.v2");
    assert_eq!(field("sec-websocket-extensions"), "x; a=1");
    assert_eq!(field("server"), "example");
    assert_eq!(response.headers().len(), 3);
}

#[test]
fn a_key_is_answered_if_and_only_if_one_came() {
    let response = ServerPolicy::new().check(&with("sec-websocket-key", KEY)).expect("lawful");
    assert_eq!(response.key, KEY);
    assert_eq!(response.response().headers()["sec-websocket-accept"], ACCEPT);
    // A proxy in front of another server is known to add its own.
    let mut two = with("sec-websocket-key", KEY);
    two.headers_mut().append("sec-websocket-key", KEY.parse().expect("a value"));
    assert_eq!(refused(&two, "RFC 6455 §11.3").status(), 400);
    let short = with("sec-websocket-key", "short");
    assert_eq!(refused(&short, "RFC 6455 §4.2.1 item 5").status(), 400);
}

#[test]
fn the_version_is_13_and_may_be_left_out() {
    let mut unnamed = request();
    unnamed.headers_mut().remove("sec-websocket-version");
    ServerPolicy::new().check(&unnamed).expect("lawful");
    for version in ["8", "7", "0", "013", "256", "13, 8", ""] {
        let response = refused(&with("sec-websocket-version", version), "RFC 8441 §5");
        assert_eq!(response.status(), 400, "{version}");
        assert_eq!(response.headers()["sec-websocket-version"], "13");
    }
    // Old versions stay on HTTP/1.1, also where they are accepted.
    let all = ServerPolicy::new().with_versions([Version::RFC6455, Version::HYBI_08]);
    let error = all.check(&with("sec-websocket-version", "8")).expect_err("a refusal");
    assert_eq!(error.response().headers()["sec-websocket-version"], "13");
    let old = ServerPolicy::new().with_versions([Version::HYBI_08]);
    let error = old.check(&request()).expect_err("a refusal");
    assert!(!error.response().headers().contains_key("sec-websocket-version"));
}

#[test]
fn another_protocol_is_not_implemented() {
    for (protocol, fits) in
        [("websocket", true), ("WebSocket", true), ("connect-udp", false), ("", false)]
    {
        let mut asked = request();
        asked.extensions_mut().insert(Protocol::new(protocol));
        if fits {
            ServerPolicy::new().check(&asked).expect("upgrade tokens have no case");
        } else {
            assert_eq!(refused(&asked, "RFC 9220 §3").status(), 501);
        }
    }
}

#[test]
fn what_is_no_extended_connect_is_not_allowed() {
    let mut page = request();
    *page.method_mut() = Method::GET;
    let mut tunnel = request();
    tunnel.extensions_mut().clear();
    for asked in [page, tunnel] {
        let response = refused(&asked, "RFC 8441 §5");
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "CONNECT");
    }
    let mut http_1 = request();
    *http_1.version_mut() = Http::HTTP_11;
    let error = ServerPolicy::new().check(&http_1).expect_err("a refusal");
    assert!(matches!(error, HandshakeError::HttpVersion));
}

#[test]
fn the_host_is_that_of_the_uri() {
    let local = ServerPolicy::new().with_hosts(HostPolicy::local([127, 0, 0, 1].into()));
    let error = local.check(&request()).expect_err("a refusal");
    assert!(matches!(&error, HandshakeError::HostNotServed { host } if **host == *"example.org"));
    // A field that says the same may come as well; one that says something else must not.
    ServerPolicy::new().check(&with("host", "EXAMPLE.org:443")).expect("lawful");
    assert_eq!(refused(&with("host", "other.example"), "RFC 9112 §3.2").status(), 400);
    for target in ["https://user@example.org/chat", "example.org:443", "/chat"] {
        let mut asked = request();
        *asked.uri_mut() = target.parse().expect("a URI");
        assert_eq!(refused(&asked, "RFC 9112 §3.2").status(), 400, "{target}");
    }
}

#[test]
fn a_foreign_origin_is_refused() {
    let foreign = with("origin", "https://evil.example");
    assert_eq!(refused(&foreign, "RFC 6455 §10.2").status(), 403);
    let open = ServerPolicy::new().with_origins(OriginPolicy::Any);
    open.check(&foreign).expect("lawful");
}

#[test]
fn a_body_is_refused() {
    assert_eq!(refused(&with("content-length", "1"), "RFC 6455 §4.1").status(), 400);
    ServerPolicy::new().check(&with("content-length", "0")).expect("lawful");
}

/// What a client asks for, with everything that it may.
fn asked() -> ClientRequest {
    ClientRequest::new("wss://user:secret@example.org:8443/chat?room=1".parse().expect("a URI"))
        .header("cookie", "session=1")
        .and_then(|request| request.subprotocol("chat.v2"))
        .and_then(|request| request.subprotocol("chat.v1"))
        .and_then(|request| request.origin("https://example.org:8443"))
        .and_then(|request| Ok(request.extension(ExtensionOffer::new("x")?)))
        .expect("a request")
}

#[test]
fn a_client_asks_without_a_key() {
    let handshake = ConnectHandshake::new(&asked());
    let request = handshake.request();
    assert_eq!(request.method(), Method::CONNECT);
    assert_eq!(request.version(), Http::HTTP_2);
    assert_eq!(request.uri(), "https://example.org:8443/chat?room=1");
    assert_eq!(request.extensions().get(), Some(&Protocol::WEBSOCKET));
    let mut fields: Vec<_> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().expect("text")))
        .collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            ("authorization", "Basic dXNlcjpzZWNyZXQ="),
            ("cookie", "session=1"),
            ("origin", "https://example.org:8443"),
            ("sec-websocket-extensions", "x"),
            ("sec-websocket-protocol", "chat.v2, chat.v1"),
            ("sec-websocket-version", "13"),
        ]
    );
    // HPACK keeps what is marked so out of its tables.
    assert!(request.headers()["authorization"].is_sensitive());
    let plain = ClientRequest::new("ws://[::1]/".parse().expect("a URI"));
    assert_eq!(ConnectHandshake::new(&plain).request().uri(), "http://[::1]/");
}

#[test]
fn both_ends_agree() {
    let mut handshake = ConnectHandshake::new(&asked());
    let policy = ServerPolicy::new().with_subprotocols(["chat.v1"]);
    let accepted = policy.check(handshake.request()).expect("lawful");
    let accepted = accepted.with_extensions([ExtensionOffer::new("x").expect("a token")]);
    let settled = handshake.handle_response(accepted.response()).expect("lawful").expect("2xx");
    assert_eq!(settled.version, Version::RFC6455);
    assert_eq!(settled.subprotocol.as_deref(), Some("chat.v1"));
    assert_eq!(settled.extensions.len(), 1);
}

#[test]
fn a_choice_that_was_not_offered_fails() {
    for (name, value) in [("sec-websocket-protocol", "other"), ("sec-websocket-extensions", "y")] {
        let response = Response::builder().header(name, value).body(()).expect("a response");
        let error = ConnectHandshake::new(&asked()).handle_response(response).expect_err("unasked");
        assert!(error.section().starts_with("RFC 6455 §4.1 response"), "{error}");
    }
}

/// A handshake that was answered with this status.
fn refusing(status: u16) -> ConnectHandshake {
    let mut handshake = ConnectHandshake::new(&asked());
    let response = Response::builder().status(status).body(()).expect("a response");
    assert!(handshake.handle_response(response).expect("no rule is broken").is_none());
    handshake
}

fn rejected(error: HandshakeError) -> (u16, Vec<u8>, bool) {
    let truncated = error.body_truncated();
    let HandshakeError::Rejected(response) = error else { panic!("{error:?}") };
    (response.status().as_u16(), response.into_body(), truncated)
}

#[test]
fn a_refusal_comes_with_its_body() {
    let mut handshake = refusing(403);
    assert!(handshake.handle_data(b"not ").is_none());
    assert!(handshake.handle_data(b"you").is_none());
    assert_eq!(rejected(handshake.handle_eof()), (403, b"not you".to_vec(), false));

    let mut cut = refusing(302);
    cut.handle_data(b"mo");
    assert_eq!(rejected(cut.give_up().expect("a refusal")), (302, b"mo".to_vec(), true));

    // Whatever it says of its length, no more than this is kept.
    let mut endless = refusing(500);
    let told = (0..100).find_map(|_| endless.handle_data(&[b'a'; 1024])).expect("an end");
    let (status, body, truncated) = rejected(told);
    assert_eq!((status, body.len(), truncated), (500, 64 * 1024, true));

    let mut silent = ConnectHandshake::new(&asked());
    assert!(silent.give_up().is_none());
    assert!(matches!(silent.handle_eof(), HandshakeError::UnexpectedEof { received: 0 }));
}
