//! A response other than 101 reaches the caller whole, within bounds (RFC 6455 §4.1, RFC 9112 §6).

use hybi_handshake::{ClientHandshake, ClientRequest, HandshakeError, HeadLimits};

use crate::support::{NONCE, cuts, receive};

const MAX_BODY: usize = 64 * 1024;

/// The body that the caller gets and whether it is marked as cut; the transport ends after `response`.
fn rejected(response: &[u8]) -> (Vec<u8>, bool) {
    rejected_in(vec![response])
}

fn rejected_in(chunks: Vec<&[u8]>) -> (Vec<u8>, bool) {
    let request = ClientRequest::new("ws://example.org/".parse().unwrap());
    let mut client = ClientHandshake::new(&request, NONCE, HeadLimits::default());
    let error = receive(&mut client, chunks).unwrap_err();
    let truncated = error.body_truncated();
    let HandshakeError::Rejected(response) = error else { panic!("{error:?}") };
    assert_eq!(response.status(), 400);
    (response.into_body(), truncated)
}

fn response(fields: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 400 Bad Request\r\n{fields}\r\n{body}").into_bytes()
}

#[test]
fn the_reason_phrase_is_the_servers_own() {
    for (line, expected) in [
        ("HTTP/1.1 403 Forbidden", Some("Forbidden")),
        ("HTTP/1.1 403 No entry  today", Some("No entry  today")),
        ("HTTP/1.1 403 ", Some("Forbidden")),
        ("HTTP/1.1 403", Some("Forbidden")),
        ("HTTP/1.1 499 ", None),
        ("HTTP/1.1 499 Client gone", Some("Client gone")),
    ] {
        let request = ClientRequest::new("ws://example.org/".parse().unwrap());
        let mut client = ClientHandshake::new(&request, NONCE, HeadLimits::default());
        let response = format!("{line}\r\nContent-Length: 0\r\n\r\n");
        let error = receive(&mut client, vec![response.as_bytes()]).unwrap_err();
        assert_eq!(error.reason_phrase(), expected, "{line}");
    }
    assert_eq!(HandshakeError::MissingAccept.reason_phrase(), None);
}

#[test]
fn the_body_ends_where_its_framing_says() {
    for (fields, body, expected, truncated) in [
        ("Content-Length: 5\r\n", "Hello, world", "Hello", false),
        ("Content-Length: 0\r\n", "Hello", "", false),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", "Hello!", "Hello", false),
        ("Content-Length: 5, 5\r\n", "Hello!", "Hello", false),
        ("Content-Length: 9\r\n", "Hello", "Hello", true),
        // A length that cannot be believed: up to the end.
        ("Content-Length: 5, 6\r\n", "Hello!", "Hello!", false),
        ("Content-Length: +5\r\n", "Hello!", "Hello!", false),
        ("Content-Length: 99999999999999999999\r\n", "Hello!", "Hello!", false),
        ("", "Hello!", "Hello!", false),
        ("", "", "", false),
        ("Transfer-Encoding: gzip\r\n", "Hello!", "Hello!", false),
        (
            "Transfer-Encoding: Chunked\r\n",
            "5\r\nHello\r\n1\r\n!\r\n0\r\n\r\nmore",
            "Hello!",
            false,
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
            "5\r\nHello\r\n0\r\n\r\n",
            "Hello",
            false,
        ),
        (
            "Transfer-Encoding: chunked\r\n",
            "5;a=\"b\"\r\nHello\r\n00\r\nX: y\r\nZ: 1\r\n\r\n",
            "Hello",
            false,
        ),
        ("Transfer-Encoding: chunked\r\n", "00a\r\nHelloWorld\r\n0\r\n\r\n", "HelloWorld", false),
        ("Transfer-Encoding: chunked\r\n", "5\r\nHello\r\n", "Hello", true),
        ("Transfer-Encoding: chunked\r\n", "5\r\nHel", "Hel", true),
        ("Transfer-Encoding: chunked\r\n", "5\r\nHello6\r\n", "Hello", true),
        ("Transfer-Encoding: chunked\r\n", "\r\nHello", "", true),
        ("Transfer-Encoding: chunked\r\n", "-1\r\nHello", "", true),
        ("Transfer-Encoding: chunked\r\n", "1234567890abcdef\r\nHello", "", true),
    ] {
        let bytes = response(fields, body);
        for cut in cuts(&bytes) {
            let seen = rejected_in(cut);
            assert_eq!(seen, (expected.as_bytes().to_vec(), truncated), "{fields}{body}");
        }
    }
}

#[test]
fn a_body_of_known_length_does_not_wait_for_the_end_of_the_transport() {
    let request = ClientRequest::new("ws://example.org/".parse().unwrap());
    for fields_and_body in [
        "Content-Length: 2\r\n\r\nno",
        "Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
        "Content-Length: 0\r\n\r\n",
    ] {
        let bytes = format!("HTTP/1.1 404 Not Found\r\n{fields_and_body}").into_bytes();
        let (last, before) = bytes.split_last().unwrap();
        let mut client = ClientHandshake::new(&request, NONCE, HeadLimits::default());
        assert!(client.handle_input(before).is_ok());
        assert!(matches!(client.handle_input(&[*last]), Err(HandshakeError::Rejected(_))));
    }
    for status in ["204 No Content", "304 Not Modified"] {
        let bytes = format!("HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\n");
        let mut client = ClientHandshake::new(&request, NONCE, HeadLimits::default());
        let error = client.handle_input(bytes.as_bytes()).unwrap_err();
        assert!(!error.body_truncated() && matches!(error, HandshakeError::Rejected(_)));
    }
}

#[test]
fn a_long_body_is_cut_at_the_bound() {
    for (extra, truncated) in [(0, false), (1, true), (100_000, true)] {
        let text = "x".repeat(MAX_BODY + extra);
        let length = format!("Content-Length: {}\r\n", text.len());
        let chunked = format!("{:x}\r\n{text}\r\n0\r\n\r\n", text.len());
        for bytes in [
            response("", &text),
            response(&length, &text),
            response("Transfer-Encoding: chunked\r\n", &chunked),
        ] {
            for chunks in [vec![&*bytes], bytes.chunks(1000).collect()] {
                let (body, cut) = rejected_in(chunks);
                assert_eq!((body.len(), cut), (MAX_BODY, truncated));
            }
        }
    }
}

#[test]
fn a_declared_length_allocates_nothing() {
    let (body, truncated) = rejected(&response("Content-Length: 1099511627776\r\n", "x"));
    assert!(body.capacity() < 64 && truncated);
}

#[test]
fn a_rejection_stays_the_answer() {
    let request = ClientRequest::new("ws://example.org/".parse().unwrap());
    let mut client = ClientHandshake::new(&request, NONCE, HeadLimits::default());
    let redirect =
        b"HTTP/1.1 307 Temporary Redirect\r\nLocation: wss://b/\r\nContent-Length: 0\r\n\r\n";
    for _ in 0..2 {
        let Err(HandshakeError::Rejected(response)) = client.handle_input(redirect) else {
            panic!("a rejection")
        };
        assert_eq!(response.headers()["location"], "wss://b/");
    }
    assert!(matches!(client.handle_eof(), HandshakeError::Rejected(_)));
}
