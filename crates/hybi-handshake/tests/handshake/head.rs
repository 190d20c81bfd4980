//! The syntax and the limits of a head, at both ends (RFC 9112 §2 to §5).

use hybi_handshake::{
    ClientHandshake, ClientRequest, HandshakeError, HeadLimits, ServerHandshake, ServerPolicy,
};
use proptest::prelude::*;

use crate::support::{NONCE, REQUEST, RESPONSE, cuts, refused, with_line};

fn server_error(limits: HeadLimits, bytes: &[u8]) -> Option<HandshakeError> {
    ServerHandshake::new(limits).handle_input(bytes).err()
}

fn client_error(limits: HeadLimits, bytes: &[u8]) -> Option<HandshakeError> {
    let request = ClientRequest::new("ws://example.org/".parse().unwrap());
    ClientHandshake::new(&request, NONCE, limits).handle_input(bytes).err()
}

/// Puts a field in front of the others of a head.
fn with_field(head: &str, line: &str) -> String {
    head.replacen("\r\n", &format!("\r\n{line}\r\n"), 1)
}

#[test]
fn what_cannot_be_http_is_refused_at_its_first_byte() {
    for bytes in [&b"\x16\x03\x01"[..], b"\0", b" GET", b"\"", b"\x80\x2e", b"\n", b"(", b"\xff"] {
        let error = server_error(HeadLimits::default(), &bytes[..1]).expect("at once");
        assert!(matches!(error, HandshakeError::NotHttp { byte } if byte == bytes[0]), "{error:?}");
        assert_eq!(error.response().status(), 400);
        assert_eq!((error.offset(), error.section()), (Some(0), "RFC 9112 §2.2"));
        assert_eq!(error.to_string().contains("TLS"), bytes[0] == 0x16);
    }
    for bytes in [&b"\x15\x03"[..], b"SSH-2.0", b"HTTP/2", b"HTTX", b"\r\n", b"<html>"] {
        for cut in cuts(bytes) {
            let request = ClientRequest::new("ws://example.org/".parse().unwrap());
            let mut client = ClientHandshake::new(&request, NONCE, HeadLimits::default());
            let error = cut.into_iter().find_map(|chunk| client.handle_input(chunk).err());
            assert!(matches!(error, Some(HandshakeError::NotHttp { .. })), "{bytes:?}: {error:?}");
        }
    }
}

#[test]
fn rfc_9112_section_2_2_lines_end_in_cr_lf() {
    for (bytes, at) in [
        ("GET / HTTP/1.1\nHost: a\n\n", 14),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", 23),
        ("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 23),
        ("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 14),
        ("GET / HTTP/1.1\r\nHost: a\r\n\rX", 25),
    ] {
        for cut in cuts(bytes.as_bytes()) {
            let mut server = ServerHandshake::new(HeadLimits::default());
            let error = cut.into_iter().find_map(|chunk| server.handle_input(chunk).err());
            let error = error.expect("a refusal");
            assert!(matches!(error, HandshakeError::BareLineEnd { .. }), "{error:?}");
            assert_eq!(error.offset(), Some(at), "{bytes:?}");
            assert_eq!(
                (error.response().status().as_u16(), error.section()),
                (400, "RFC 9112 §2.2")
            );
        }
    }
    let error = client_error(HeadLimits::default(), b"HTTP/1.1 101 x\nA: b\n\n");
    assert!(matches!(error, Some(HandshakeError::BareLineEnd { offset: 14 })));
}

#[test]
fn rfc_9110_section_5_5_control_characters_are_refused() {
    for byte in (0..0x20).chain([0x7f]).filter(|byte| !b"\t\r\n".contains(byte)) {
        let request = with_field(REQUEST, &format!("X: a{}b", byte as char));
        let error = server_error(HeadLimits::default(), request.as_bytes()).expect("a refusal");
        assert!(matches!(error, HandshakeError::ControlByte { byte: found, .. } if found == byte));
        assert_eq!(error.offset(), Some("GET /chat HTTP/1.1\r\nX: a".len()));
        assert_eq!((error.response().status().as_u16(), error.section()), (400, "RFC 9110 §5.5"));
        let response = with_field(RESPONSE, &format!("X: a{}b", byte as char));
        let error = client_error(HeadLimits::default(), response.as_bytes());
        assert!(matches!(error, Some(HandshakeError::ControlByte { .. })));
    }
}

#[test]
fn rfc_9112_section_5_2_folded_fields_are_refused() {
    for space in [" ", "\t"] {
        let request = with_field(REQUEST, &format!("X: a\r\n{space}b"));
        let (error, seen) = refused(&request);
        assert!(matches!(error, HandshakeError::ObsoleteFold { .. }), "{error:?}");
        assert_eq!(error.offset(), Some("GET /chat HTTP/1.1\r\nX: a\r\n".len()));
        assert_eq!((seen.status(), error.section()), (400, "RFC 9112 §5.2"));
        let response = with_field(RESPONSE, &format!("X: a\r\n{space}b"));
        let error = client_error(HeadLimits::default(), response.as_bytes());
        assert!(matches!(error, Some(HandshakeError::ObsoleteFold { .. })));
    }
}

#[test]
fn rfc_9112_section_2_1_the_start_line_has_its_form() {
    for line in [
        "GET",
        "GET /",
        "GET / HTTP",
        "GET / HTTP/1.1 x",
        "GET  / HTTP/1.1",
        "GET / http/1.1",
        "G(T / HTTP/1.1",
        "GET / HTTP/1.11",
    ] {
        let (error, seen) = refused(&with_line(REQUEST, "GET", line));
        assert!(matches!(error, HandshakeError::MalformedStartLine), "{line}: {error:?}");
        assert_eq!((seen.status(), error.section()), (400, "RFC 9112 §2.1"));
    }
    for line in ["HTTP/1.1", "HTTP/1.1 10", "HTTP/1.1 1010 x", "HTTP/1.1 abc", "HTTP/1.1 099 x"] {
        let response = with_line(RESPONSE, "HTTP", line);
        let error = client_error(HeadLimits::default(), response.as_bytes());
        assert!(matches!(error, Some(HandshakeError::MalformedStartLine)), "{line}: {error:?}");
    }
}

#[test]
fn rfc_9112_section_5_a_field_line_has_its_form() {
    for line in ["X", "X : a", ": a", "X Y: a", "(X): a", "\u{e9}: a"] {
        let (error, seen) = refused(&with_line(REQUEST, "Upgrade", line));
        assert!(matches!(error, HandshakeError::MalformedField { .. }), "{line}: {error:?}");
        assert_eq!(error.offset(), Some("GET /chat HTTP/1.1\r\nHost: example.org\r\n".len()));
        assert_eq!((seen.status(), error.section()), (400, "RFC 9112 §5"));
        let response = with_line(RESPONSE, "Upgrade", line);
        let error = client_error(HeadLimits::default(), response.as_bytes());
        assert!(matches!(error, Some(HandshakeError::MalformedField { .. })), "{line}: {error:?}");
    }
}

#[test]
fn values_keep_what_http_allows() {
    let request = with_field(REQUEST, "X:\t a\tb \u{e9} \t");
    let (_, request) =
        ServerHandshake::new(HeadLimits::default()).handle_input(request.as_bytes()).unwrap();
    assert_eq!(request.unwrap().headers()["x"].as_bytes(), "a\tb \u{e9}".as_bytes());
}

#[test]
fn empty_lines_before_a_request_are_skipped() {
    let stream = format!("\r\n\r\n{REQUEST}");
    let mut server = ServerHandshake::new(HeadLimits::default());
    let (consumed, request) = server.handle_input(stream.as_bytes()).unwrap();
    assert_eq!(consumed, stream.len());
    assert!(ServerPolicy::new().check(&request.unwrap()).is_ok());
}

#[test]
fn a_head_of_16_kib_passes_and_one_byte_more_does_not() {
    for (head, error_of) in [
        (REQUEST, server_error as fn(HeadLimits, &[u8]) -> Option<HandshakeError>),
        (RESPONSE, client_error),
    ] {
        let padded = |total: usize| {
            let field = "X: ".len() + "\r\n".len();
            with_field(head, &format!("X: {}", "x".repeat(total - head.len() - field)))
        };
        let (fits, exceeds) = (padded(16_384), padded(16_385));
        assert_eq!((fits.len(), exceeds.len()), (16_384, 16_385));
        let passes = |error: Option<HandshakeError>| {
            // The client of this test sends another host, not another key, so 101 is accepted.
            assert!(error.is_none(), "{error:?}");
        };
        passes(error_of(HeadLimits::default(), fits.as_bytes()));
        let error = error_of(HeadLimits::default(), exceeds.as_bytes()).expect("a refusal");
        assert!(matches!(error, HandshakeError::HeadTooLarge { limit: 16_384 }), "{error:?}");
        assert_eq!(error.response().status(), 431);
        assert_eq!((error.offset(), error.section()), (Some(16_384), "RFC 9110 §5.4"));
    }
}

#[test]
fn a_head_that_grows_byte_by_byte_ends_at_the_same_place() {
    let mut server = ServerHandshake::new(HeadLimits::default().with_max_bytes(100));
    let start = b"GET / HTTP/1.1\r\nX: ";
    assert!(server.handle_input(start).is_ok());
    for _ in start.len()..100 {
        assert!(server.handle_input(b"x").is_ok());
    }
    assert!(matches!(server.handle_input(b"x"), Err(HandshakeError::HeadTooLarge { limit: 100 })));
    assert!(server.handle_input(b"\r\n\r\n").is_err(), "errors are sticky");
    assert!(matches!(server.handle_eof(), HandshakeError::HeadTooLarge { limit: 100 }));
}

#[test]
fn a_request_line_that_fills_the_limit_is_a_target_too_long() {
    let request = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(16_384));
    let (error, seen) = refused(&request);
    assert!(matches!(error, HandshakeError::TargetTooLong { limit: 16_384 }));
    assert_eq!((seen.status(), error.section()), (414, "RFC 9112 §3"));
}

#[test]
fn a_head_of_100_fields_passes_and_one_more_does_not() {
    for (head, own, error_of) in [
        (REQUEST, 5, server_error as fn(HeadLimits, &[u8]) -> Option<HandshakeError>),
        (RESPONSE, 3, client_error),
    ] {
        let many = |count: usize| with_field(head, &vec!["X: y"; count - own].join("\r\n"));
        assert!(error_of(HeadLimits::default(), many(100).as_bytes()).is_none());
        let error = error_of(HeadLimits::default(), many(101).as_bytes()).expect("a refusal");
        assert!(matches!(error, HandshakeError::TooManyFields { limit: 100 }), "{error:?}");
        assert_eq!((error.response().status().as_u16(), error.section()), (431, "RFC 9110 §5.4"));
        // More than the default, and more than the table on the stack holds.
        let limits = HeadLimits::default().with_max_fields(1000);
        assert!(error_of(limits, many(1000).as_bytes()).is_none());
        assert!(error_of(limits, many(1001).as_bytes()).is_some());
        let none = HeadLimits::default().with_max_fields(0);
        assert!(matches!(
            error_of(none, head.as_bytes()),
            Some(HandshakeError::TooManyFields { limit: 0 })
        ));
    }
}

#[test]
fn a_client_that_leaves_is_told_with_its_place() {
    let mut server = ServerHandshake::new(HeadLimits::default());
    assert!(server.handle_input(b"GET / HT").is_ok());
    let error = server.handle_eof();
    assert!(matches!(error, HandshakeError::UnexpectedEof { received: 8 }));
    assert_eq!(error.response().status(), 400);
    assert!(server.handle_input(b"TP/1.1\r\n\r\n").is_err(), "errors are sticky");
}

#[test]
fn bytes_after_the_head_are_left() {
    let stream = format!("{REQUEST}\u{1}frames");
    let mut server = ServerHandshake::new(HeadLimits::default());
    let (consumed, request) = server.handle_input(stream.as_bytes()).unwrap();
    assert_eq!((consumed, request.is_some()), (REQUEST.len(), true));
    assert!(matches!(server.handle_input(b"frames"), Ok((0, None))));
}

#[test]
fn an_error_is_small() {
    assert!(size_of::<HandshakeError>() <= 32);
}

/// What a server made of a stream: bytes consumed and the request, or the error.
fn outcome(chunks: &[&[u8]]) -> Result<Option<(usize, String)>, String> {
    let mut server = ServerHandshake::new(HeadLimits::default().with_max_bytes(300));
    let mut total = 0;
    for chunk in chunks {
        let (consumed, request) =
            server.handle_input(chunk).map_err(|error| format!("{error:?}"))?;
        total += consumed;
        if let Some(request) = request {
            return Ok(Some((total, format!("{request:?}"))));
        }
    }
    Ok(None)
}

proptest! {
    /// Cutting the stream elsewhere changes neither the request nor the error.
    #[test]
    fn chunking_changes_nothing(
        at in 0..REQUEST.len(),
        noise in prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), any::<u8>()], 0..6),
        remove in 0..4usize,
        sizes in prop::collection::vec(1..40usize, 1..40),
    ) {
        let mut stream = REQUEST.as_bytes().to_vec();
        let end = (at + remove).min(stream.len());
        stream.splice(at..end, noise);
        stream.extend_from_slice(b"frames that follow");
        let mut chunks = Vec::new();
        let mut rest = &stream[..];
        for size in sizes.iter().cycle() {
            if rest.is_empty() { break }
            let (chunk, after) = rest.split_at(rest.len().min(*size));
            chunks.push(chunk);
            rest = after;
        }
        prop_assert_eq!(outcome(&[&stream]), outcome(&chunks));
    }
}
