//! What a server of hixie-75 to hybi-03 asks of a request, and what it answers.

use http::Request;
use hybi_handshake::{HandshakeError, HostPolicy, OriginPolicy, ServerPolicy, Version};
use hybi_legacy::{FieldOrder, ServerAnswer, check, hybi_04_nonce};

use crate::support::{
    REQUEST_75, REQUEST_76, RESPONSE_75, Seen, answer, judged, policy, serve, with_line,
};

/// The head of a request as the server reads it.
fn head(request: &str) -> Request<()> {
    let mut server = hybi_handshake::ServerHandshake::new(Default::default());
    server.handle_input(request.as_bytes()).expect("well formed").1.expect("complete")
}

#[test]
fn every_rule_for_requests_has_its_error() {
    for (start, line, error, status) in [
        ("Host", "", "Host is missing", 400),
        ("Host", "Host: example.com\r\nHost: example.com", "Host occurs more than once", 400),
        ("Host", "Host: exa mple", "Host is malformed", 400),
        ("Origin", "Origin: http://a\r\nOrigin: http://a", "Origin occurs more than once", 400),
        ("GET", "POST /demo HTTP/1.1", "the method of an opening handshake is GET", 405),
        ("GET", "GET /demo HTTP/1.0", "HTTP/1.1 is needed", 505),
        ("GET", "GET * HTTP/1.1", "the request target is malformed", 400),
        ("GET", "GET /caf\u{e9} HTTP/1.1", "the request target is malformed", 400),
        ("GET", "GET http://example.com:x/ HTTP/1.1", "the request target is malformed", 400),
        ("Host", "Host: a\r\nTransfer-Encoding: chunked", "an opening handshake has no body", 400),
        ("Host", "Host: a\r\nContent-Length: 1", "an opening handshake has no body", 400),
        ("Host", "Host: a\r\nContent-Length: 9", "an opening handshake has no body", 400),
        ("Host", "Host: a\r\nContent-Length: 08", "an opening handshake has no body", 400),
        ("Host", "Host: a\r\nContent-Length: 8, 8", "an opening handshake has no body", 400),
        ("Host", "Host: a\r\nContent-Length:", "an opening handshake has no body", 400),
        (
            "Host",
            "Host: a\r\nContent-Length: 8\r\nContent-Length: 8",
            "Content-Length occurs more than once",
            400,
        ),
    ] {
        for (request, version) in [(REQUEST_75, Version::HIXIE_75), (REQUEST_76, Version::HIXIE_76)]
        {
            let request = with_line(request, start, line);
            let refusal = judged(&policy([version]), &request).unwrap_err();
            assert_eq!(refusal.to_string(), error, "{line} in {version}");
            assert_eq!(answer(&policy([version]), &request).status(), status, "{line}");
        }
    }
    for (start, line, error) in [
        ("Upgrade", "", "Upgrade does not list websocket"),
        ("Upgrade", "Upgrade: h2c", "Upgrade does not list websocket"),
        ("Connection", "", "Connection does not list Upgrade"),
        ("Connection", "Connection: close", "Connection does not list Upgrade"),
    ] {
        let refusal = judged(&policy(Version::ALL), &with_line(REQUEST_76, start, line));
        assert_eq!(refusal.unwrap_err().to_string(), error, "{line}");
    }
    for name in ["Sec-WebSocket-Key1", "Sec-WebSocket-Key2", "Sec-WebSocket-Draft"] {
        let twice = format!("Host: example.com\r\n{name}: 1 a\r\n{name}: 1 a");
        let refusal = judged(&policy(Version::ALL), &with_line(REQUEST_76, "Host", &twice));
        let refusal = refusal.unwrap_err();
        let expected = format!("{name} occurs more than once");
        assert_eq!(refusal.to_string(), expected);
    }
}

#[test]
fn what_clients_and_proxies_do_is_borne() {
    for (start, line) in [
        ("Host", "host:example.com\r\nUser-Agent: old"),
        ("Host", "Host: example.com\r\nContent-Length: 0"),
        ("Upgrade", "UPGRADE: websocket"),
        ("Connection", "Connection: keep-alive, Upgrade"),
        ("GET", "GET http://example.com/demo HTTP/1.1"),
        ("GET", "GET ws://example.com/demo HTTP/1.1"),
        ("Origin", "Origin:  null"),
    ] {
        for (request, version) in [(REQUEST_75, Version::HIXIE_75), (REQUEST_76, Version::HIXIE_76)]
        {
            let terms = judged(&policy([version]), &with_line(request, start, line));
            assert_eq!(terms.expect(line).version(), version);
        }
    }
}

/// hixie-76 has eight bytes behind the head, which some announce. In hixie-75 they would be frames, which
/// an intermediary took for a body.
#[test]
fn only_a_challenge_is_announced_as_a_body() {
    let announced = |request| with_line(request, "Host", "Host: example.com\r\nContent-Length: 8");
    assert!(judged(&policy([Version::HIXIE_76]), &announced(REQUEST_76)).is_ok());
    let refusal = judged(&policy([Version::HIXIE_75]), &announced(REQUEST_75)).unwrap_err();
    assert_eq!(refusal.to_string(), "an opening handshake has no body");
}

#[test]
fn the_origin_policy_holds_for_every_version() {
    let strict = |version| ServerPolicy::new().with_versions([version]);
    for (request, version) in [(REQUEST_75, Version::HIXIE_75), (REQUEST_76, Version::HIXIE_76)] {
        assert!(judged(&strict(version), request).is_ok(), "its own origin");
        for origin in ["Origin: http://evil.example", "Origin: null", "Origin: \u{fc}"] {
            let request = with_line(request, "Origin", origin);
            assert_eq!(answer(&strict(version), &request).status(), 403, "{origin}");
        }
        for origin in ["", "Origin:"] {
            let request = with_line(request, "Origin", origin);
            let only_same = ServerPolicy::new()
                .with_versions([version])
                .with_origins(OriginPolicy::List(vec!["same".parse().expect("a pattern")]));
            assert_eq!(answer(&only_same, &request).status(), 403, "{origin:?}");
        }
        let secure = strict(version).with_secure(true);
        assert_eq!(answer(&secure, request).status(), 403, "a page without TLS");
    }
}

#[test]
fn a_client_without_an_origin_gets_none_back() {
    for (request, version) in [(REQUEST_75, Version::HIXIE_75), (REQUEST_76, Version::HIXIE_76)] {
        let policy = ServerPolicy::new().with_versions([version]);
        let answered = answer(&policy, &with_line(request, "Origin", ""));
        assert_eq!(answered.status(), 101, "{version}");
        let prefix = if version == Version::HIXIE_75 { "" } else { "sec-" };
        let field = |name| answered.field(&format!("{prefix}websocket-{name}"));
        assert_eq!((field("origin"), field("location")), (None, Some("ws://example.com/demo")));
    }
}

#[test]
fn the_list_of_hosts_holds_for_every_version() {
    let hosts = HostPolicy::List(vec!["example.com".parse().expect("a host")]);
    for (request, version) in [(REQUEST_75, Version::HIXIE_75), (REQUEST_76, Version::HIXIE_76)] {
        let policy = ServerPolicy::new().with_versions([version]).with_hosts(hosts.clone());
        assert!(judged(&policy, request).is_ok(), "{version}");
        let rebound = with_line(request, "Host", "Host: evil.example");
        let rebound = with_line(&rebound, "Origin", "Origin: http://evil.example");
        assert_eq!(answer(&policy, &rebound).status(), 421, "{version}");
    }
}

#[test]
fn the_place_is_what_the_client_takes_it_for() {
    for (secure, target, host, expected) in [
        (false, "/demo", "Example.COM", "ws://example.com/demo"),
        (true, "/demo", "example.com", "wss://example.com/demo"),
        (false, "/", "example.com:80", "ws://example.com/"),
        (false, "/", "example.com:443", "ws://example.com:443/"),
        (true, "/", "example.com:443", "wss://example.com/"),
        (true, "/", "example.com:80", "wss://example.com:80/"),
        (false, "/", "example.com:8080", "ws://example.com:8080/"),
        (false, "/", "example.com:", "ws://example.com/"),
        (false, "/", "[::1]:80", "ws://[::1]/"),
        (false, "/", "[::80]", "ws://[::80]/"),
        (false, "/A%20b?x=1&y=/?", "example.com", "ws://example.com/A%20b?x=1&y=/?"),
        (false, "http://example.com?x=1", "example.com", "ws://example.com/?x=1"),
        (false, "http://example.com", "example.com", "ws://example.com/"),
    ] {
        let policy = policy(Version::ALL).with_secure(secure);
        for (request, name) in
            [(REQUEST_75, "websocket-location"), (REQUEST_76, "sec-websocket-location")]
        {
            let request = with_line(request, "GET", &format!("GET {target} HTTP/1.1"));
            let request = with_line(&request, "Host", &format!("Host: {host}"));
            assert_eq!(answer(&policy, &request).field(name), Some(expected), "{target} {host}");
        }
    }
}

#[test]
fn fields_of_hixie_75_may_be_held_to_their_order() {
    let policy = policy([Version::HIXIE_75]);
    let judge = |request: &str, order| check(&policy, &head(request), order);
    let cookies = "Origin: http://example.com\r\nWebSocket-Protocol: a\r\nCookie: b=c\r\n\
        Cookie2: $Version=1\r\nCookie: d=e";
    for (start, line, ordered) in [
        ("Host", "Host: example.com", true),
        ("Origin", cookies, true),
        ("Origin", "Origin: http://example.com\r\nCookie: a=b", true),
        ("Origin", "Origin: http://example.com\r\nCookie: a=b\r\nWebSocket-Protocol: a", false),
        ("Origin", "Origin: http://example.com\r\nCookie2: a=b\r\nCookie2: a=b", false),
        ("Origin", "Origin: http://example.com\r\nUser-Agent: old", false),
        ("Host", "User-Agent: old\r\nHost: example.com", false),
        ("Upgrade", "Cookie: a=b\r\nUpgrade: WebSocket", false),
        ("Upgrade", "Upgrade: websocket", false),
        ("Connection", "Connection: upgrade", false),
        ("Connection", "Connection: keep-alive, Upgrade", false),
    ] {
        let request = with_line(REQUEST_75, start, line);
        assert!(judge(&request, FieldOrder::Any).is_ok(), "{line}");
        match judge(&request, FieldOrder::Fixed) {
            Ok(_) => assert!(ordered, "{line}"),
            Err(HandshakeError::Draft(rule)) => {
                assert!(!ordered, "{line}: {}", rule.rule);
                assert_eq!(rule.document, "hixie-75");
            }
            Err(error) => panic!("{line}: {error}"),
        }
    }
    let swapped = with_line(REQUEST_75, "Upgrade", "");
    let swapped = with_line(&swapped, "Connection", "Connection: Upgrade\r\nUpgrade: WebSocket");
    assert!(judge(&swapped, FieldOrder::Any).is_ok());
    assert!(judge(&swapped, FieldOrder::Fixed).is_err());
}

/// The subprotocols offered by a request of hixie with this value, and the field of the answer.
fn subprotocols(
    request: &str,
    value: &str,
    known: &[&str],
) -> Result<(Vec<String>, Option<String>), HandshakeError> {
    let (name, field) = match request {
        REQUEST_75 => ("WebSocket-Protocol", "websocket-protocol"),
        _ => ("Sec-WebSocket-Protocol", "sec-websocket-protocol"),
    };
    let line = format!("Origin: http://example.com\r\n{name}: {value}");
    let request = with_line(request, "Origin", &line);
    let policy = policy(Version::ALL).with_subprotocols(known.iter().copied());
    let accepted = check(&policy, &head(&request), FieldOrder::Any)?;
    let seen = answer(&policy, &request);
    Ok((accepted.subprotocols, seen.field(field).map(str::to_owned)))
}

#[test]
fn a_subprotocol_of_hixie_75_is_one_name() {
    let offers = |value, known| subprotocols(REQUEST_75, value, known);
    assert_eq!(
        offers("chat", &["chat"]).unwrap(),
        (vec!["chat".to_owned()], Some("chat".to_owned()))
    );
    assert_eq!(offers("chat", &["other"]).unwrap().1, None);
    assert_eq!(offers("a b", &["a"]).unwrap(), (vec!["a b".to_owned()], None));
    assert_eq!(offers("a, (b)", &["a, (b)"]).unwrap().1.as_deref(), Some("a, (b)"));
}

#[test]
fn subprotocols_of_hixie_76_are_accepted_as_sent_or_one_of_them() {
    let offers = |value, known| subprotocols(REQUEST_76, value, known);
    assert_eq!(
        offers("chat", &["chat"]).unwrap(),
        (vec!["chat".to_owned()], Some("chat".to_owned()))
    );
    let (all, chosen) = offers("a b c", &["c", "b"]).unwrap();
    assert_eq!((all.join("|"), chosen.as_deref()), ("a b c|a|b|c".to_owned(), Some("c")));
    assert_eq!(offers("a b c", &["a b c", "b"]).unwrap().1.as_deref(), Some("a b c"));
    assert_eq!(
        offers("a  b", &[]).unwrap(),
        (["a  b", "a", "b"].map(str::to_owned).to_vec(), None)
    );
}

#[test]
fn subprotocols_of_hixie_are_visible() {
    for request in [REQUEST_75, REQUEST_76] {
        for value in ["", " "] {
            assert_eq!(subprotocols(request, value, &["a"]).unwrap(), (vec![], None), "as none");
        }
        for value in ["ch\u{e4}t", "a\tb"] {
            let error = subprotocols(request, value, &["a"]).unwrap_err();
            assert!(error.to_string().contains("visible characters"), "{value:?}: {error}");
            assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
        }
        let name = if request == REQUEST_75 { "WebSocket" } else { "Sec-WebSocket" };
        let error = subprotocols(request, &format!("a\r\n{name}-Protocol: b"), &["a"]).unwrap_err();
        assert_eq!(error.to_string(), format!("{name}-Protocol occurs more than once"));
    }
}

#[test]
fn subprotocols_of_hixie_76_are_at_most_100() {
    let names = |count: usize| vec!["a"; count].join(" ");
    assert_eq!(subprotocols(REQUEST_76, &names(100), &["b"]).unwrap().0.len(), 101, "and all");
    let error = subprotocols(REQUEST_76, &names(101), &["b"]).unwrap_err();
    assert!(matches!(error, HandshakeError::TooManyNames { .. }), "{error}");
    assert_eq!(error.response().status(), 431);
    assert!(subprotocols(REQUEST_75, &names(101), &["b"]).is_ok(), "one name with spaces in it");
}

#[test]
fn a_subprotocol_may_be_required() {
    for (request, version) in [(REQUEST_75, Version::HIXIE_75), (REQUEST_76, Version::HIXIE_76)] {
        let policy = policy([version]).with_subprotocols(["chat"]).with_subprotocol_required(true);
        let refusal = judged(&policy, request).unwrap_err();
        assert!(matches!(refusal, HandshakeError::SubprotocolRequired), "{refusal}");
    }
}

#[test]
fn fields_of_the_application_follow_those_of_the_handshake() {
    let policy = policy([Version::HIXIE_75, Version::HIXIE_76]);
    for request in [REQUEST_75, REQUEST_76] {
        let request = head(request);
        let accepted = check(&policy, &request, FieldOrder::Any).unwrap();
        let accepted = accepted.with_header("Set-Cookie", "a=secret").unwrap();
        let accepted = accepted.with_header("Set-Cookie", "b=secret").unwrap();
        let answer = ServerAnswer::new(&policy, &request, &accepted).unwrap();
        let end = "\r\nSet-Cookie: a=secret\r\nSet-Cookie: b=secret\r\n\r\n";
        assert!(answer.head().ends_with(end.as_bytes()));
        let shown = format!("{answer:?}");
        assert!(shown.contains("ServerAnswer") && !shown.contains("secret"), "{shown}");
        // What would end its line is not written.
        let mut accepted = accepted;
        accepted.subprotocol = Some("a\r\nEvil: b".to_owned());
        let answer = ServerAnswer::new(&policy, &request, &accepted).unwrap();
        assert!(!answer.head().escape_ascii().to_string().contains("Evil"));
    }
}

#[test]
fn hixie_75_answers_byte_for_byte_and_at_once() {
    let (out, terms) = serve(&policy([Version::HIXIE_75]), [REQUEST_75.as_bytes()]).unwrap();
    assert_eq!(out.escape_ascii().to_string(), RESPONSE_75.as_bytes().escape_ascii().to_string());
    assert_eq!(terms.unwrap().version(), Version::HIXIE_75);
    let request = head(REQUEST_75);
    let policy = policy([Version::HIXIE_75]);
    let accepted = check(&policy, &request, FieldOrder::Fixed).unwrap();
    assert!(!ServerAnswer::new(&policy, &request, &accepted).unwrap().has_challenge());
}

#[test]
fn an_answer_for_another_request_is_refused() {
    let policy = policy(Version::ALL);
    let accepted = check(&policy, &head(REQUEST_76), FieldOrder::Any).unwrap();
    for (line, expected) in [
        ("Sec-WebSocket-Key1: 12345!", "a key holds no space"),
        ("Sec-WebSocket-Version: 13", "hixie-76 is not accepted here"),
    ] {
        let other = head(&with_line(REQUEST_76, "Sec-WebSocket-Key1", line));
        let error = ServerAnswer::new(&policy, &other, &accepted).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn the_nonce_of_hybi_04_is_base64_of_what_was_given() {
    let request = "GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 4\r\n\r\n";
    let policy = ServerPolicy::new().with_versions([Version::HYBI_04]);
    let accepted = check(&policy, &head(request), FieldOrder::Any).expect("no origin needed");
    let (name, value, terms) = hybi_04_nonce(&accepted, [0xff; 16]);
    assert_eq!(name.as_str(), "sec-websocket-nonce");
    assert_eq!(value, "/////////////////////w==");
    let (_, _, others) = hybi_04_nonce(&accepted, [0xfe; 16]);
    assert_ne!(terms, others, "each connection masks with a key of its own");

    let old_field = with_line(request, "Host", "Host: a\r\nSec-WebSocket-Origin: http://b");
    assert_eq!(answer(&policy, &old_field).status(), 403);
    let any = policy.with_origins(OriginPolicy::Any);
    assert_eq!(Seen::new(&serve(&any, [old_field.as_bytes()]).unwrap().0).status(), 101);
}
