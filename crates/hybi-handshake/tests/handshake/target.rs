//! What a request is for: its target, `Host`, and the hosts that a server answers for (RFC 9112 §3.2,
//! RFC 9110 §7.4).

use hybi_handshake::{
    FieldError, HandshakeError, HeadLimits, HostPattern, HostPolicy, ServerHandshake, ServerPolicy,
};

use crate::support::{REQUEST, refused, refused_by, serve, with_line};

/// The error of a request with this target and `Host`, an attempt to open a connection and a plain
/// one alike; `None` if it is accepted.
fn judged(target: &str, host: &str) -> Option<HandshakeError> {
    let request = with_line(REQUEST, "GET", &format!("GET {target} HTTP/1.1"));
    let request = with_line(&request, "Host", &format!("Host: {host}"));
    let (seen, error) = serve(&ServerPolicy::new(), [request.as_bytes()]).expect("complete");
    let status = error.as_ref().map_or(101, |_| 400);
    assert_eq!(seen.status(), status, "{target} {host}: {error:?}");

    let page = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let plain = ServerHandshake::new(HeadLimits::default()).handle_input(page.as_bytes());
    let of_page = plain.err().map(|error| error.to_string());
    assert_eq!(of_page, error.as_ref().map(ToString::to_string), "a page");
    error
}

#[test]
fn host_is_a_host_with_a_port_or_none() {
    for host in ["", "a b", "a/b", "http://a", "a@b", "[::1", "[::1]8", "a:b", "a:99999", "a:0"] {
        let error = judged("/chat", host).expect(host);
        assert!(matches!(error, HandshakeError::MalformedHost), "{host}: {error}");
        assert_eq!(error.section(), "RFC 9112 §3.2");
    }
    // A comma is legal in a registered name.
    for host in ["a", "a:1", "a:", "[::1]:80", "[::1]", "a,b", "EXAMPLE.org."] {
        assert!(judged("/chat", host).is_none(), "{host}");
    }
}

#[test]
fn an_absolute_target_names_the_same_host() {
    for (target, host, accepted) in [
        ("http://example.org/chat", "example.org", true),
        ("http://EXAMPLE.org/chat", "example.org:80", true),
        ("https://example.org:443", "example.org", true),
        ("https://example.org/chat", "example.org:443", true),
        ("http://[::1]:8080/chat", "[::1]:8080", true),
        ("http://[0:0::1]/chat", "[::1]", true),
        ("http://example.org:/chat", "example.org", true),
        // Some proxies and old clients write the schemes of WebSocket.
        ("ws://example.org/chat", "example.org", true),
        ("WS://example.org/chat", "example.org:80", true),
        ("wss://example.org/chat", "example.org:443", true),
        ("ws://example.org/chat", "example.org:443", false),
        ("wss://example.org/chat", "example.org:80", false),
        ("ws://evil.example/chat", "example.org", false),
        ("http://evil.example/chat", "example.org", false),
        ("http://example.org:8080/chat", "example.org", false),
        ("http://example.org/chat", "example.org:8080", false),
    ] {
        match judged(target, host) {
            None => assert!(accepted, "{target} {host}"),
            Some(error) => {
                assert!(matches!(error, HandshakeError::HostMismatch), "{target}: {error}");
                assert!(!accepted, "{target} {host}");
            }
        }
    }
}

#[test]
fn a_target_is_a_path_or_an_absolute_uri_of_http_or_websocket() {
    for target in [
        "*",
        "example.org:80",
        "ftp://example.org/",
        "http://u@example.org/",
        "/a#b",
        "chat",
        "http://",
        // A port that does not parse is not the default one.
        "http://example.org:99999/chat",
        "http://example.org:x/",
        "http://example.org:0/",
        "https://example.org:+443/",
        "ws://example.org:99999/",
        // It has to be percent-encoded.
        "/caf\u{e9}",
        "/?q=\u{e9}",
        "http://example.org/\u{e9}",
    ] {
        let error = judged(target, "example.org").expect(target);
        assert!(matches!(error, HandshakeError::MalformedTarget), "{target}: {error}");
        assert_eq!(error.section(), "RFC 9112 §3.2");
    }
    for target in ["/", "/chat", "/caf%C3%A9", "/a?b=c://d", "/*"] {
        assert!(judged(target, "example.org").is_none(), "{target}");
    }
}

#[test]
fn a_request_of_a_framework_has_the_same_targets() {
    for (target, error) in [
        ("*", Some(HandshakeError::MalformedTarget)),
        ("/caf\u{e9}", Some(HandshakeError::MalformedTarget)),
        ("http://example.org:99999/", Some(HandshakeError::MalformedTarget)),
        ("http://example.org/", None),
    ] {
        let request = http::Request::get(target)
            .header("host", "example.org")
            .header("upgrade", "websocket")
            .header("connection", "upgrade")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("sec-websocket-version", "13")
            .body(())
            .unwrap();
        let judged = ServerPolicy::new().check(&request).err();
        let words = |error: &HandshakeError| error.to_string();
        assert_eq!(judged.as_ref().map(words), error.as_ref().map(words), "{target}");
    }
}

#[test]
fn other_methods_have_other_targets() {
    let judge = |line: &str| {
        let request = with_line(REQUEST, "GET", &format!("{line} HTTP/1.1"));
        refused(&request).0.status().map(|status| status.as_u16())
    };
    assert_eq!(judge("OPTIONS *"), Some(405));
    assert_eq!(judge("CONNECT example.org:80"), Some(405));
    assert_eq!(judge("HEAD *"), Some(400));
    assert_eq!(judge("POST example.org:80"), Some(400));
}

#[test]
fn only_http_1_0_may_lack_host() {
    let judge = |head: &str| {
        let mut server = ServerHandshake::new(HeadLimits::default());
        server.handle_input(head.as_bytes()).map(|(_, request)| request.is_some())
    };
    assert!(matches!(judge("GET / HTTP/1.0\r\n\r\n"), Ok(true)));
    let error = judge("GET / HTTP/1.1\r\n\r\n").unwrap_err();
    assert!(matches!(error, HandshakeError::MissingHost), "{error}");
    let error = judge("GET / HTTP/1.0\r\nHost: a/b\r\n\r\n").unwrap_err();
    assert!(matches!(error, HandshakeError::MalformedHost), "{error}");
    let error = judge("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n").unwrap_err();
    assert!(matches!(error, HandshakeError::DuplicateField { name: "Host" }), "{error}");
}

const PLAIN: bool = false;
const TLS: bool = true;

#[test]
fn a_host_that_is_not_served_is_refused_with_421() {
    let rebound =
        with_line(REQUEST, "Host", "Host: evil.example:8080\r\nOrigin: http://evil.example:8080");
    assert!(serve(&ServerPolicy::new(), [rebound.as_bytes()]).unwrap().1.is_none(), "any host");
    let local = HostPolicy::local("127.0.0.1".parse().unwrap());
    let policy = ServerPolicy::new().with_hosts(local);
    let (error, seen) = refused_by(&policy, &rebound);
    let HandshakeError::HostNotServed { host } = &error else { panic!("{error}") };
    assert_eq!(&**host, "evil.example:8080");
    assert_eq!((seen.status(), error.section()), (421, "RFC 9110 §15.5.20"));
    assert_eq!(seen.body, "evil.example:8080 is not served here\n");

    let page = http::Request::get("/").header("Host", "evil.example").body(()).unwrap();
    assert!(matches!(policy.check_host(&page), Err(HandshakeError::HostNotServed { .. })));
    let page = http::Request::get("/").header("Host", "localhost:1").body(()).unwrap();
    assert_eq!(policy.check_host(&page).unwrap(), Some("localhost:1"));
}

#[test]
fn a_pattern_of_hosts_matches_what_it_says() {
    for (pattern, host, secure, allowed) in [
        ("*", "anything", PLAIN, true),
        ("example.org", "EXAMPLE.org", PLAIN, true),
        ("Example.org", "example.org:8080", PLAIN, true),
        ("example.org", "example.org.", PLAIN, true),
        ("example.org.", "example.org", PLAIN, true),
        ("example.org", "www.example.org", PLAIN, false),
        ("example.org", "example.org.evil.example", PLAIN, false),
        ("*.example.org", "www.example.org", PLAIN, true),
        ("*.example.org", "example.org", PLAIN, false),
        ("*.example.org", "a.b.example.org", PLAIN, false),
        ("example.org:8080", "example.org:8080", PLAIN, true),
        ("example.org:8080", "example.org", PLAIN, false),
        ("example.org:8080", "example.org:8081", PLAIN, false),
        // Without a port it is the one of the scheme, and a proxy may end TLS.
        ("example.org:80", "example.org", PLAIN, true),
        ("example.org:443", "example.org", PLAIN, true),
        ("example.org:80", "example.org:", PLAIN, true),
        ("example.org:443", "example.org", TLS, true),
        ("example.org:80", "example.org", TLS, false),
        ("127.0.0.1", "127.0.0.1:1", PLAIN, true),
        ("127.0.0.1", "127.0.0.2", PLAIN, false),
        ("[::1]", "[0:0:0:0:0:0:0:1]:80", PLAIN, true),
        ("[::1]:80", "[::1]", PLAIN, true),
        ("[::1]", "[::2]", PLAIN, false),
        ("*", "a/b", PLAIN, false),
        ("example.org", "example.org:99999", PLAIN, false),
    ] {
        let policy = HostPolicy::List(vec![pattern.parse().expect(pattern)]);
        assert_eq!(policy.allows(host, secure), allowed, "{pattern}: {host}, {secure}");
    }
    assert!(!HostPolicy::List(Vec::new()).allows("example.org", PLAIN));
}

#[test]
fn a_local_server_has_the_names_of_this_machine_and_its_address() {
    for (address, host, allowed) in [
        ("127.0.0.1", "localhost:8080", true),
        ("127.0.0.1", "app.localhost", true),
        ("127.0.0.1", "127.0.0.1:8080", true),
        ("127.0.0.1", "[::1]:8080", true),
        ("127.0.0.1", "127.0.0.2:8080", false),
        ("127.0.0.2", "127.0.0.2:8080", true),
        ("::1", "[::1]", true),
        ("::ffff:127.0.0.3", "127.0.0.3", true),
        ("127.0.0.1", "localhost.evil.example", false),
        ("127.0.0.1", "evil.example", false),
    ] {
        let policy = HostPolicy::local(address.parse().unwrap());
        assert_eq!(policy.allows(host, PLAIN), allowed, "{host} at {address}");
    }
}

#[test]
fn a_pattern_of_hosts_prints_as_it_was_written_and_nonsense_is_refused() {
    for text in ["*", "example.org", "*.example.org:8443", "[::1]:1", "127.0.0.1"] {
        assert_eq!(text.parse::<HostPattern>().unwrap().to_string(), text);
    }
    for text in ["", "http://a", "a/b", "a*.example", "a:0", "a:*", "a:99999", "::1", "[a]"] {
        assert_eq!(text.parse::<HostPattern>(), Err(FieldError::InvalidHost), "{text}");
    }
}

#[test]
fn every_response_has_the_fields_of_the_policy() {
    let policy = ServerPolicy::new().with_header("Server", "example/1.0").unwrap();
    let (seen, _) = serve(&policy, [REQUEST.as_bytes()]).unwrap();
    assert_eq!((seen.status(), seen.field("server")), (101, Some("example/1.0")));
    assert_eq!(policy.headers()["server"], "example/1.0");
    assert_eq!(ServerPolicy::new().with_header("Upgrade", "x").unwrap_err(), FieldError::Reserved);
}
