//! Heads that fill what a head may have, at either end.

use core::hint::black_box;

use hybi_handshake::{
    ClientHandshake, ClientRequest, ExtensionOffer, HandshakeError, HeadLimits, ServerHandshake,
    ServerPolicy, Version,
};
use hybi_legacy::FieldOrder;
use hybi_suite::hostile::{REQUEST, filled};
use hybi_tokio::{Deflate, Extensions, extension::PermessageCompress};

use crate::Attack;

pub(crate) fn attacks() -> Vec<Attack> {
    let server = |name, status: fn(&[u8]), field: &'static str, unit: &'static str| {
        Attack::new(name, N, move |n| filled(REQUEST, field, unit, n), status)
    };
    let client = |name, victim: fn(&[u8]), field: &'static str, unit: &'static str| {
        Attack::new(name, N, move |n| filled(RESPONSE, field, unit, n), victim)
    };
    vec![
        server("a request with a cookie", accepted, "Cookie: ", "x"),
        Attack::new(
            "the same, one byte at a time",
            N,
            |n| filled(REQUEST, "Cookie: ", "x", n),
            slow,
        ),
        Attack::new("100 fields", N, |n| fields(REQUEST, n), accepted),
        server("Connection options", refused, "Connection: a", ",a"),
        server("Upgrade protocols", refused, "Upgrade: a", ",a"),
        Attack::new("100 subprotocols", N, |n| hundred("Sec-WebSocket-Protocol: ", n), accepted),
        Attack::new("100 extensions", N, |n| hundred("Sec-WebSocket-Extensions: ", n), accepted),
        server("thousands of subprotocols", refused, "Sec-WebSocket-Protocol: ab", ",ac"),
        server("thousands of extensions", refused, "Sec-WebSocket-Extensions: a", ",b"),
        server("thousands of parameters", refused, "Sec-WebSocket-Extensions: a", ";b"),
        Attack::new("98 methods", N, methods, accepted),
        server("digits of a version", refused, "Sec-WebSocket-Version: 1", "3"),
        Attack::new(
            "hixie-76: subprotocols",
            N,
            |n| hixie("Sec-WebSocket-Protocol: a", " b", n),
            refused,
        ),
        Attack::new(
            "hixie-76: digits of a key",
            N,
            |n| hixie("Sec-WebSocket-Key1: 1 ", "0a", n),
            refused,
        ),
        client("a response with a cookie", opened, "Set-Cookie: ", "x"),
        client(
            "thousands of extensions in a response",
            failed,
            "Sec-WebSocket-Extensions: a",
            ",a",
        ),
        client("Connection options of a response", failed, "Connection: a", ",a"),
        Attack::new("a refusal with thousands of versions", N, versions, failed),
        Attack::new("a refusal in chunks of a byte", N, chunks, failed),
    ]
}

const N: usize = 8_000;

const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

const HIXIE_76: &str = "GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: WebSocket\r\n\
    Connection: Upgrade\r\nOrigin: http://a.example\r\nSec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n";

fn fields(head: &str, n: usize) -> Vec<u8> {
    let own = head.lines().count() - 1;
    let value = "y".repeat((n - head.len()) / (100 - own) - "X-00: \r\n".len());
    let more: String = (0..100 - own).map(|at| format!("X-{at:02}: {value}\r\n")).collect();
    format!("{head}{more}\r\n").into_bytes()
}

/// As many names as a list may have, as long as fit.
fn hundred(field: &str, n: usize) -> Vec<u8> {
    filled(REQUEST, &format!("{field}{}", names(100, n)), ",", 0)
}

/// As many as may be in a value that is a list itself, and is split once the head is read.
fn methods(n: usize) -> Vec<u8> {
    let field = "Sec-WebSocket-Extensions: permessage-compress; method=";
    filled(REQUEST, &format!("{field}\"{}\"", names(98, n)), ",", 0)
}

/// So many names, with commas between, that make about `n` bytes with the rest of a head.
fn names(count: usize, n: usize) -> String {
    let len = (n - REQUEST.len() - 100) / count - 1;
    let names: Vec<_> = (0..count).map(|at| format!("{at:0len$}")).collect();
    names.join(",")
}

fn hixie(field: &str, unit: &str, n: usize) -> Vec<u8> {
    let keyed = format!("{HIXIE_76}Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n");
    filled(&keyed, field, unit, n)
}

fn versions(n: usize) -> Vec<u8> {
    let head = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n";
    filled(head, "Sec-WebSocket-Version: 8", ",8", n)
}

fn chunks(n: usize) -> Vec<u8> {
    let head = "HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n";
    format!("{head}{}0\r\n\r\n", "1\r\nx\r\n".repeat((n - head.len()) / 6)).into_bytes()
}

/// What a server of every version comes to, extensions included.
fn judge(request: &http::Request<()>) -> Result<(), HandshakeError> {
    let policy = ServerPolicy::new().with_versions(Version::ALL).with_subprotocols(["a", "b", "c"]);
    let accepted = hybi_legacy::check(&policy, request, FieldOrder::Any)?;
    let deflate = Deflate::default();
    let extensions = Extensions::from(deflate).with(PermessageCompress::new(deflate));
    black_box(extensions.accept(&accepted.offers, accepted.version));
    black_box(accepted.response());
    Ok(())
}

fn serve(bytes: &[u8], chunk: usize) -> Result<(), HandshakeError> {
    let mut server = ServerHandshake::new(HeadLimits::default());
    for chunk in bytes.chunks(chunk) {
        if let (_, Some(request)) = server.handle_input(chunk)? {
            return judge(&request);
        }
    }
    panic!("the head has no end");
}

fn accepted(bytes: &[u8]) {
    serve(bytes, bytes.len()).expect("accepted");
}

fn slow(bytes: &[u8]) {
    serve(bytes, 1).expect("accepted");
}

fn refused(bytes: &[u8]) {
    let refusal = serve(bytes, bytes.len()).expect_err("refused").response();
    assert!(matches!(refusal.status().as_u16(), 400 | 426 | 431), "{}", refusal.status());
}

fn receive(bytes: &[u8]) -> Result<(), HandshakeError> {
    let request = ClientRequest::new("ws://a.example/chat".parse().expect("a URI"))
        .extension(ExtensionOffer::new("a").expect("a token"));
    let mut client = ClientHandshake::new(&request, *b"the sample nonce", HeadLimits::default());
    match client.handle_input(bytes)? {
        (_, Some(accepted)) => drop(black_box(accepted)),
        (_, None) => panic!("the answer has no end"),
    }
    Ok(())
}

fn opened(bytes: &[u8]) {
    receive(bytes).expect("accepted");
}

fn failed(bytes: &[u8]) {
    black_box(receive(bytes).expect_err("failed").versions_offered());
}
