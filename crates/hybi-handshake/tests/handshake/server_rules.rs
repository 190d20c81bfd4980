//! Each rule that a request can break, and the refusal that its client receives (RFC 6455 §4.2).

use hybi_handshake::{
    HandshakeError, HeadLimits, OriginPolicy, ServerHandshake, ServerPolicy, SubprotocolPreference,
    Version, is_upgrade,
};

use crate::support::{REQUEST, Seen, VERSIONS, refused, refused_by, serve, with_line};

/// Asserts what every refusal has besides its status.
fn check_refusal(error: &HandshakeError, seen: &Seen, status: u16, section: &str) {
    assert_eq!(seen.status(), status, "{error}");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
    assert_eq!(error.section(), section);
    assert_eq!(seen.body, format!("{error}\n"));
    assert_eq!(seen.field("content-type"), Some("text/plain"));
    assert_eq!(seen.field("content-length"), Some(seen.body.len().to_string().as_str()));
    let connection = if status == 426 { "Upgrade, close" } else { "close" };
    assert_eq!(seen.field("connection"), Some(connection));
}

/// Breaks `REQUEST` in one line and asserts the refusal.
macro_rules! refuses {
    ($request:expr, $error:pat, $status:expr, $section:expr) => {{
        let (error, seen) = refused(&$request);
        assert!(matches!(error, $error), "{error:?}");
        check_refusal(&error, &seen, $status, $section);
        seen
    }};
}

#[test]
fn a_request_that_breaks_no_rule_is_accepted() {
    let (seen, error) = serve(&ServerPolicy::new(), [REQUEST.as_bytes()]).expect("complete");
    assert!(error.is_none());
    assert_eq!(seen.start_line, "HTTP/1.1 101 Switching Protocols");
    let names: Vec<_> = seen.fields.iter().map(|field| field.0.as_str()).collect();
    assert_eq!(names, ["connection", "sec-websocket-accept", "upgrade"]);
    assert_eq!(seen.body, "");
}

#[test]
fn section_4_2_1_item_1_the_method_is_get() {
    for method in ["POST", "HEAD", "OPTIONS", "get", "BREW"] {
        let request = REQUEST.replacen("GET", method, 1);
        let seen = refuses!(request, HandshakeError::Method, 405, "RFC 6455 §4.2.1 item 1");
        assert_eq!(seen.field("allow"), Some("GET"));
    }
}

#[test]
fn section_4_2_1_item_1_http_is_1_1() {
    for version in ["HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "HTTP/3.7"] {
        let request = REQUEST.replacen("HTTP/1.1", version, 1);
        refuses!(request, HandshakeError::HttpVersion, 505, "RFC 6455 §4.2.1 item 1");
    }
}

#[test]
fn section_4_2_1_item_2_host_is_present() {
    let request = with_line(REQUEST, "Host", "");
    refuses!(request, HandshakeError::MissingHost, 400, "RFC 6455 §4.2.1 item 2");
}

#[test]
fn an_opening_handshake_has_no_body() {
    for line in [
        "Content-Length: 5",
        "Content-Length: x",
        "Content-Length: 0\r\nContent-Length: 1",
        "Transfer-Encoding: chunked",
    ] {
        let request = with_line(REQUEST, "Upgrade", &format!("Upgrade: websocket\r\n{line}"));
        refuses!(request, HandshakeError::Body, 400, "RFC 6455 §4.1");
    }
    let request = with_line(REQUEST, "Upgrade", "Upgrade: websocket\r\nContent-Length: 0");
    assert!(serve(&ServerPolicy::new(), [request.as_bytes()]).unwrap().1.is_none());
}

#[test]
fn a_plain_request_is_told_how_to_upgrade() {
    let policy = ServerPolicy::new().with_versions(VERSIONS);
    let (error, seen) = refused_by(&policy, "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n");
    assert!(matches!(error, HandshakeError::NotWebSocket { .. }));
    check_refusal(&error, &seen, 426, "RFC 6455 §4.2.1 item 3");
    assert_eq!(seen.field("upgrade"), Some("websocket"));
    assert_eq!(seen.field("sec-websocket-version"), Some("13, 8, 7"));
}

#[test]
fn section_4_2_1_item_3_upgrade_lists_websocket() {
    for line in ["", "Upgrade: h2c", "Upgrade: websocket/13", "Upgrade: web socket", "Upgrade:"] {
        let request = with_line(REQUEST, "Upgrade", line);
        refuses!(request, HandshakeError::MissingUpgrade, 400, "RFC 6455 §4.2.1 item 3");
    }
    for line in ["Upgrade: h2c, WebSocket", "Upgrade: h2c\r\nUpgrade: websocket"] {
        let request = with_line(REQUEST, "Upgrade", line);
        assert!(serve(&ServerPolicy::new(), [request.as_bytes()]).unwrap().1.is_none(), "{line}");
    }
}

#[test]
fn section_4_2_1_item_4_connection_lists_upgrade() {
    for line in
        ["", "Connection: keep-alive", "Connection: upgraded", "Connection: keep-alive Upgrade"]
    {
        let request = with_line(REQUEST, "Connection", line);
        refuses!(request, HandshakeError::MissingConnection, 400, "RFC 6455 §4.2.1 item 4");
    }
    for line in ["Connection: keep-alive, Upgrade", "Connection: a\r\nConnection: UPGRADE ,"] {
        let request = with_line(REQUEST, "Connection", line);
        assert!(serve(&ServerPolicy::new(), [request.as_bytes()]).unwrap().1.is_none(), "{line}");
    }
}

#[test]
fn section_4_2_1_item_5_the_key_is_present() {
    let request = with_line(REQUEST, "Sec-WebSocket-Key", "");
    refuses!(request, HandshakeError::MissingKey, 400, "RFC 6455 §4.2.1 item 5");
}

#[test]
fn section_4_2_1_item_5_the_key_is_base64_of_16_bytes() {
    for key in [
        "",
        "dGhlIHNhbXBsZSBub25jZQ",
        "c2V2ZW50ZWVuIGJ5dGVzISE=",
        "dGhlIHNhbXBsZSBub25jZ*==",
        "dGhlIHNhbXBs ZSBub25jZQ==",
    ] {
        let request = with_line(REQUEST, "Sec-WebSocket-Key", &format!("Sec-WebSocket-Key: {key}"));
        refuses!(request, HandshakeError::MalformedKey, 400, "RFC 6455 §4.2.1 item 5");
    }
}

#[test]
fn section_4_2_1_item_6_the_version_is_present() {
    let request = with_line(REQUEST, "Sec-WebSocket-Version", "");
    let seen =
        refuses!(request, HandshakeError::MissingVersion { .. }, 400, "RFC 6455 §4.2.1 item 6");
    assert_eq!(seen.field("sec-websocket-version"), Some("13"));
}

#[test]
fn section_4_3_the_version_is_one_number() {
    for value in ["", "013", "13, 8", "x", "-1", "+13", "13.0", "0x0d", "09999"] {
        let line = format!("Sec-WebSocket-Version: {value}");
        let request = with_line(REQUEST, "Sec-WebSocket-Version", &line);
        let seen = refuses!(request, HandshakeError::MalformedVersion { .. }, 400, "RFC 6455 §4.3");
        assert_eq!(seen.field("sec-websocket-version"), Some("13"));
    }
}

#[test]
fn section_4_4_another_version_is_refused_with_the_list() {
    for number in [0, 8, 12, 14, 25, 255] {
        let line = format!("Sec-WebSocket-Version: {number}");
        let request = with_line(REQUEST, "Sec-WebSocket-Version", &line);
        let (error, seen) = refused(&request);
        let HandshakeError::UnsupportedVersion { requested, .. } = error else { panic!("{error}") };
        assert_eq!(requested.number(), Some(number));
        check_refusal(&error, &seen, 426, "RFC 6455 §4.4");
        assert_eq!(seen.field("upgrade"), Some("websocket"));
        assert_eq!(seen.field("sec-websocket-version"), Some("13"));
    }
}

#[test]
fn section_4_4_a_version_that_no_list_has_is_refused_with_the_list() {
    for number in ["256", "9999", "99999999999999999999999999"] {
        let line = format!("Sec-WebSocket-Version: {number}");
        let (error, seen) = refused(&with_line(REQUEST, "Sec-WebSocket-Version", &line));
        assert!(matches!(error, HandshakeError::UnknownVersion { .. }), "{error}");
        check_refusal(&error, &seen, 426, "RFC 6455 §4.4");
        assert_eq!(seen.field("upgrade"), Some("websocket"));
        assert_eq!(seen.field("sec-websocket-version"), Some("13"));
    }
}

#[test]
fn section_11_3_fields_that_may_occur_once_do() {
    for line in [
        "Host: example.org",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "Origin: http://example.org",
    ] {
        let request =
            with_line(REQUEST, "Upgrade", &format!("Upgrade: websocket\r\n{line}\r\n{line}"));
        let (error, seen) = refused(&request);
        let HandshakeError::DuplicateField { name } = error else { panic!("{error}") };
        assert!(line.starts_with(name));
        let section = match name {
            "Host" => "RFC 9112 §3.2",
            "Origin" => "RFC 9110 §5.3",
            _ => "RFC 6455 §11.3",
        };
        check_refusal(&error, &seen, 400, section);
    }
}

#[test]
fn section_10_2_a_foreign_origin_is_refused() {
    for version in VERSIONS {
        let policy = ServerPolicy::new().with_versions(VERSIONS);
        let line = format!("Sec-WebSocket-Version: {version}");
        let request = with_line(REQUEST, "Sec-WebSocket-Version", &line);
        for name in ["Origin", "Sec-WebSocket-Origin"] {
            let with_origin = |origin: &str| {
                with_line(&request, "Upgrade", &format!("Upgrade: websocket\r\n{name}: {origin}"))
            };
            let (error, seen) = refused_by(&policy, &with_origin("http://evil.example"));
            assert!(matches!(error, HandshakeError::Origin(_)));
            check_refusal(&error, &seen, 403, "RFC 6455 §10.2");
            let own = with_origin("http://example.org");
            assert!(serve(&policy, [own.as_bytes()]).unwrap().1.is_none(), "{version} {name}");
        }
    }
}

#[test]
fn section_10_2_an_origin_that_is_not_text_is_foreign() {
    let request = with_line(REQUEST, "Upgrade", "Upgrade: websocket\r\nOrigin: \u{fffd}");
    let request: Vec<u8> = request.bytes().filter(|&byte| byte != 0xbd).collect();
    let seen = |policy: ServerPolicy| serve(&policy, [&*request]).unwrap().0.status();
    assert_eq!(seen(ServerPolicy::new()), 403);
    assert_eq!(seen(ServerPolicy::new().with_origins(OriginPolicy::Any)), 101);
}

#[test]
fn over_tls_a_page_without_tls_is_foreign() {
    let request = with_line(REQUEST, "Upgrade", "Upgrade: websocket\r\nOrigin: http://example.org");
    let status = |secure| {
        let policy = ServerPolicy::new().with_secure(secure);
        serve(&policy, [request.as_bytes()]).unwrap().0.status()
    };
    assert_eq!((status(false), status(true)), (101, 403));
}

#[test]
fn section_11_3_4_subprotocols_are_distinct_tokens() {
    for value in [",", "a b", "chat;q=1", "a, a", "\"a\""] {
        let line = format!("Upgrade: websocket\r\nSec-WebSocket-Protocol: {value}");
        let request = with_line(REQUEST, "Upgrade", &line);
        refuses!(request, HandshakeError::MalformedSubprotocol, 400, "RFC 6455 §11.3.4");
    }
}

#[test]
fn an_empty_list_in_a_request_is_as_none() {
    for version in VERSIONS {
        let policy = ServerPolicy::new().with_versions(VERSIONS).with_subprotocols(["a"]);
        let version = format!("Sec-WebSocket-Version: {version}");
        let request = with_line(REQUEST, "Sec-WebSocket-Version", &version);
        for (line, chosen) in [
            ("Sec-WebSocket-Protocol:", None),
            ("Sec-WebSocket-Protocol: \t ", None),
            ("Sec-WebSocket-Protocol:\r\nSec-WebSocket-Protocol:", None),
            ("Sec-WebSocket-Protocol:\r\nSec-WebSocket-Protocol: a", Some("a")),
            ("Sec-WebSocket-Extensions:", None),
        ] {
            let request = with_line(&request, "Upgrade", &format!("Upgrade: websocket\r\n{line}"));
            let (seen, _) = serve(&policy, [request.as_bytes()]).unwrap();
            assert_eq!(
                (seen.status(), seen.field("sec-websocket-protocol")),
                (101, chosen),
                "{line}"
            );
        }
    }
}

#[test]
fn a_list_in_a_request_has_at_most_100_names() {
    let policy = ServerPolicy::new().with_subprotocols(["n0"]);
    for (name, separators) in
        [("Sec-WebSocket-Protocol", &[","][..]), ("Sec-WebSocket-Extensions", &[",", ";"])]
    {
        let judge = |count: usize, separator: &str| {
            let names: Vec<_> = (0..count).map(|n| format!("n{n}")).collect();
            let line = format!("Upgrade: websocket\r\n{name}: {}", names.join(separator));
            let request = with_line(REQUEST, "Upgrade", &line);
            // With a field for each there are more of them than a head may have.
            let mut server = ServerHandshake::new(HeadLimits::default().with_max_fields(200));
            let (_, request) = server.handle_input(request.as_bytes()).unwrap();
            policy.check(&request.expect("complete"))
        };
        let new_field = format!("\r\n{name}: ");
        for separator in separators.iter().copied().chain([&*new_field]) {
            assert!(judge(100, separator).is_ok(), "{name}");
            let error = judge(101, separator).unwrap_err();
            let HandshakeError::TooManyNames { field } = error else { panic!("{name}: {error}") };
            assert_eq!((field, error.response().status().as_u16()), (name, 431));
            assert_eq!(error.to_string(), format!("{name} lists more than 100 names"));
        }
    }
}

#[test]
fn section_4_2_1_item_5_before_version_13_any_base64_is_a_key() {
    // What npm's ws 0.4 sent: 15 bytes.
    let short = with_line(REQUEST, "Sec-WebSocket-Key", "Sec-WebSocket-Key: OC0xNzk1NzI5OTYzOTY3");
    let policy = ServerPolicy::new().with_versions(VERSIONS);
    for version in VERSIONS {
        let version_line = format!("Sec-WebSocket-Version: {version}");
        let request = with_line(&short, "Sec-WebSocket-Version", &version_line);
        let (seen, _) = serve(&policy, [request.as_bytes()]).unwrap();
        assert_eq!(seen.status(), if version == Version::RFC6455 { 400 } else { 101 }, "{version}");
        if version != Version::RFC6455 {
            let accept = hybi_handshake::accept_key("OC0xNzk1NzI5OTYzOTY3");
            assert_eq!(seen.field("sec-websocket-accept"), Some(&*accept));
        }
        for key in ["", "=", "a b", "{}"] {
            let line = format!("Sec-WebSocket-Key: {key}");
            let request = with_line(&request, "Sec-WebSocket-Key", &line);
            assert_eq!(serve(&policy, [request.as_bytes()]).unwrap().0.status(), 400, "{key:?}");
        }
    }
}

#[test]
fn section_4_2_2_a_server_may_insist_on_a_subprotocol() {
    let policy = ServerPolicy::new().with_subprotocols(["chat"]).with_subprotocol_required(true);
    let offer = "Upgrade: websocket\r\nSec-WebSocket-Protocol: other";
    for request in [REQUEST.to_owned(), with_line(REQUEST, "Upgrade", offer)] {
        let (error, seen) = refused_by(&policy, &request);
        assert!(matches!(error, HandshakeError::SubprotocolRequired));
        check_refusal(&error, &seen, 400, "RFC 6455 §4.2.2");
    }
}

#[test]
fn section_4_2_2_the_chosen_subprotocol_follows_the_preference() {
    let line = "Upgrade: websocket\r\nSec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Protocol: c";
    let request = with_line(REQUEST, "Upgrade", line);
    let policy = ServerPolicy::new().with_subprotocols(["c", "b"]);
    for (preference, expected) in
        [(SubprotocolPreference::Server, "c"), (SubprotocolPreference::Client, "b")]
    {
        let policy = policy.clone().with_subprotocol_preference(preference);
        let (seen, _) = serve(&policy, [request.as_bytes()]).unwrap();
        assert_eq!(seen.field("sec-websocket-protocol"), Some(expected));
    }
    // Without agreement the field is left out, not sent empty.
    let policy = ServerPolicy::new().with_subprotocols(["x"]);
    let (seen, _) = serve(&policy, [request.as_bytes()]).unwrap();
    assert_eq!((seen.status(), seen.field("sec-websocket-protocol")), (101, None));
}

#[test]
fn section_9_1_extensions_follow_their_grammar() {
    for value in [",", "foo;", "foo; bar=\"a b\"", "foo=1"] {
        let line = format!("Upgrade: websocket\r\nSec-WebSocket-Extensions: {value}");
        let request = with_line(REQUEST, "Upgrade", &line);
        refuses!(request, HandshakeError::MalformedExtensions, 400, "RFC 6455 §9.1");
    }
}

#[test]
fn a_plain_page_is_told_from_an_attempt() {
    let parse = |text: &str| {
        ServerHandshake::new(HeadLimits::default())
            .handle_input(text.as_bytes())
            .unwrap()
            .1
            .unwrap()
    };
    assert!(is_upgrade(&parse(REQUEST)));
    assert!(is_upgrade(&parse(&with_line(REQUEST, "Upgrade", ""))));
    assert!(is_upgrade(&parse("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\n\r\n")));
    assert!(!is_upgrade(&parse("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n")));
    assert!(!is_upgrade(&parse("GET / HTTP/1.0\r\n\r\n")));
}

#[test]
fn a_late_client_is_told_so() {
    let refusal = HandshakeError::TimedOut.response();
    assert_eq!(refusal.status(), 408);
    assert_eq!(HandshakeError::TimedOut.section(), "RFC 9110 §15.5.9");
}

#[test]
fn a_request_of_a_framework_is_judged_alike() {
    let request = http::Request::get("/chat")
        .version(http::Version::HTTP_11)
        .header("host", "example.org")
        .header("upgrade", "websocket")
        .header("connection", "upgrade")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("sec-websocket-version", "13")
        .body("a body type of the framework")
        .unwrap();
    let accepted = ServerPolicy::new().check(&request).unwrap();
    assert_eq!(accepted.version, Version::RFC6455);
    assert_eq!(accepted.key, "dGhlIHNhbXBsZSBub25jZQ==");
}
