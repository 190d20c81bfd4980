//! Which origins are allowed (RFC 6455 §10.2).

use hybi_handshake::{FieldError, HandshakeError, OriginPattern, OriginPolicy, ServerPolicy};

use crate::support::{REQUEST, refused_by, serve, with_line};

const PLAIN: bool = false;
const TLS: bool = true;

#[test]
fn by_default_the_servers_own_origin_or_none_is_allowed() {
    let policy = OriginPolicy::default();
    for (origin, host, secure, allowed) in [
        (None, "example.org", PLAIN, true),
        (Some("http://example.org"), "example.org", PLAIN, true),
        (Some("http://EXAMPLE.org"), "example.ORG", PLAIN, true),
        (Some("http://example.org:80"), "example.org", PLAIN, true),
        (Some("http://example.org"), "example.org:80", PLAIN, true),
        (Some("http://example.org:8080"), "example.org:8080", PLAIN, true),
        (Some("http://[::1]:8080"), "[::1]:8080", PLAIN, true),
        (Some("https://example.org"), "example.org", TLS, true),
        (Some("https://example.org"), "example.org:443", TLS, true),
        // TLS ended by a proxy in front.
        (Some("https://example.org"), "example.org", PLAIN, true),
        // A page without TLS may have been altered on its way.
        (Some("http://example.org"), "example.org", TLS, false),
        (Some("http://example.org:8080"), "example.org", PLAIN, false),
        (Some("http://example.org"), "example.org:8080", PLAIN, false),
        (Some("http://evil.example"), "example.org", PLAIN, false),
        (Some("http://example.org.evil.example"), "example.org", PLAIN, false),
        (Some("http://www.example.org"), "example.org", PLAIN, false),
        (Some("null"), "example.org", PLAIN, false),
        (Some(""), "example.org", PLAIN, false),
        (Some("example.org"), "example.org", PLAIN, false),
        (Some("ftp://example.org"), "example.org", PLAIN, false),
        (Some("http://example.org/"), "example.org", PLAIN, false),
        (Some("http://user@example.org"), "example.org", PLAIN, false),
        (Some("http://evil.example http://example.org"), "example.org", PLAIN, false),
        (Some("file://"), "example.org", PLAIN, false),
    ] {
        assert_eq!(policy.allows(origin, host, secure), allowed, "{origin:?} at {host}, {secure}");
    }
}

#[test]
fn any_allows_every_origin() {
    for origin in [None, Some("null"), Some("http://evil.example"), Some("\u{fffd}")] {
        assert!(OriginPolicy::Any.allows(origin, "example.org", TLS));
    }
}

#[test]
fn a_pattern_matches_what_it_says() {
    for (pattern, origin, allowed) in [
        ("*", None, true),
        ("*", Some("null"), true),
        ("none", None, true),
        ("none", Some("https://example.org"), false),
        ("null", Some("null"), true),
        ("null", None, false),
        ("same", Some("https://example.org"), true),
        ("same", None, false),
        ("same", Some("https://example.org:3001"), false),
        ("same-host", Some("https://example.org:3001"), true),
        ("same-host", Some("http://EXAMPLE.org"), true),
        ("same-host", Some("https://example.org.evil.example"), false),
        ("same-host", Some("null"), false),
        ("same-host", None, false),
        ("https://app.example", Some("https://app.example"), true),
        ("https://app.example", Some("https://APP.example:443"), true),
        ("https://app.example", Some("https://app.example:8443"), false),
        ("https://app.example", Some("http://app.example"), false),
        ("https://app.example:8443", Some("https://app.example:8443"), true),
        ("https://app.example:8443", Some("https://app.example"), false),
        ("https://*.app.example", Some("https://a.app.example"), true),
        ("https://*.app.example", Some("https://a.b.app.example"), false),
        ("https://*.app.example", Some("https://app.example"), false),
        ("https://*.app.example", Some("https://.app.example"), false),
        ("https://a.*.example", Some("https://a.b.example"), true),
        ("https://*", Some("https://localhost"), true),
        ("https://*", Some("https://a.b"), false),
        ("http://[::1]:3000", Some("http://[::1]:3000"), true),
        ("app://local", Some("app://local"), true),
        ("app://local", Some("app://other"), false),
        ("https://app.example", None, false),
    ] {
        let policy = OriginPolicy::List(vec![pattern.parse().expect(pattern)]);
        assert_eq!(policy.allows(origin, "example.org", TLS), allowed, "{pattern}: {origin:?}");
    }
}

#[test]
fn a_list_allows_what_one_of_its_patterns_matches() {
    let list = ["same", "none", "https://app.example"].map(|text| text.parse().unwrap());
    let policy = OriginPolicy::List(list.to_vec());
    for (origin, allowed) in [
        (None, true),
        (Some("https://example.org"), true),
        (Some("https://app.example"), true),
        (Some("https://evil.example"), false),
    ] {
        assert_eq!(policy.allows(origin, "example.org", TLS), allowed, "{origin:?}");
    }
    assert!(!OriginPolicy::List(Vec::new()).allows(None, "example.org", TLS));
}

#[test]
fn a_pattern_prints_as_it_was_written_and_nonsense_is_refused() {
    for text in
        ["same", "same-host", "none", "null", "*", "https://*.app.example:8443", "http://[::1]:1"]
    {
        assert_eq!(text.parse::<OriginPattern>().unwrap().to_string(), text);
    }
    for text in [
        "",
        "app.example",
        "https://",
        "https://a*.example",
        "https://a/b",
        "https://a:0",
        "https://a:*",
    ] {
        assert_eq!(text.parse::<OriginPattern>(), Err(FieldError::InvalidOrigin), "{text}");
    }
}

#[test]
fn a_refusal_names_the_pattern_that_would_have_passed() {
    let policy = ServerPolicy::new().with_origins(OriginPolicy::List(Vec::new()));
    for (line, pattern, said) in [
        ("", "none", "requests without an origin may not connect"),
        ("Origin: null", "null", "the origin \"null\" may not connect"),
        (
            "Origin: https://example.org:3001",
            "same-host",
            "the origin \"https://example.org:3001\" may not connect",
        ),
        (
            "Origin: https://App.example:8443",
            "https://app.example:8443",
            "the origin \"https://App.example:8443\" may not connect",
        ),
        // No pattern but this one takes it.
        ("Origin: a\u{202e}b", "*", "the origin \"a\\u{202e}b\" may not connect"),
        ("Origin:", "*", "the origin \"\" may not connect"),
    ] {
        let with_origin = with_line(REQUEST, "Upgrade", &format!("Upgrade: websocket\r\n{line}"));
        let request = if line.is_empty() { REQUEST } else { &with_origin };
        let (error, seen) = refused_by(&policy, request);
        let HandshakeError::Origin(refused) = &error else { panic!("{error}") };
        assert_eq!((refused.allowed_by.to_string().as_str(), &*error.to_string()), (pattern, said));
        assert_eq!(seen.status(), 403);
        // It does what it says.
        let allowed = OriginPolicy::List(vec![refused.allowed_by.clone()]);
        let policy = ServerPolicy::new().with_origins(allowed);
        assert!(serve(&policy, [request.as_bytes()]).unwrap().1.is_none(), "{pattern}");
    }
}
