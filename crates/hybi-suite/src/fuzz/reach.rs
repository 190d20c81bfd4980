//! What stands between a client and its server: the exchange with a proxy is the same however it is cut, and whoever
//! reads no more than it wants reads none of the server's bytes; a reference in an answer leads to a URI or nowhere.

use hybi_handshake::{
    HeadLimits, WsUri,
    proxy::{Proxy, TunnelHandshake},
};

use super::input::{Cuts, Input};

const PROXIES: [&str; 5] =
    ["http://p", "https://u:p@p", "socks5://p", "socks5h://p", "socks5h://u:p@p"];
const HOSTS: [&str; 3] = ["example.org", "127.0.0.1", "2001:db8::1"];

/// What was taken, what was sent, and what it failed of.
type Outcome = (usize, Vec<u8>, Option<String>);

pub(super) fn tunnel(data: &[u8]) {
    let mut input = Input::new(data);
    let proxy: Proxy = input.choose(&PROXIES).parse().expect("a proxy");
    let host = *input.choose(&HOSTS);
    let limits = HeadLimits::default();
    let limits = *input.choose(&[limits, limits.with_max_bytes(100).with_max_fields(3)]);
    let cuts = input.cuts();
    let stream = input.rest();
    let exchange = || TunnelHandshake::new(&proxy, host, 443, limits);
    let whole = play(exchange(), Cuts::none().of(stream));
    assert_eq!(play(exchange(), cuts.of(stream)), whole, "cut as the input says");
    assert_eq!(play(exchange(), Cuts::everywhere().of(stream)), whole, "cut at every byte");
    assert_eq!(as_wanted(exchange(), stream), whole, "read as it is wanted");
}

/// Feeds an exchange until it is over, one way or the other.
fn play<'a>(mut tunnel: TunnelHandshake, chunks: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let (mut taken, mut sent) = (0, tunnel.take_output());
    for chunk in chunks {
        match step(&mut tunnel, chunk, &mut sent) {
            Ok(more) => taken += more,
            // How much was taken before an error is the caller's no more.
            Err(error) => return (0, sent, Some(error)),
        }
        if tunnel.is_open() {
            return (taken, sent, None);
        }
    }
    (0, sent, Some(tunnel.handle_eof().to_string()))
}

/// The same, reading as much as it wants at a time.
fn as_wanted(mut tunnel: TunnelHandshake, stream: &[u8]) -> Outcome {
    let (mut at, mut sent) = (0, tunnel.take_output());
    while !tunnel.is_open() {
        assert!(tunnel.wants() > 0, "it waits for nothing");
        let end = stream.len().min(at + tunnel.wants());
        if at == end {
            return (0, sent, Some(tunnel.handle_eof().to_string()));
        }
        match step(&mut tunnel, &stream[at..end], &mut sent) {
            Ok(taken) => assert_eq!(taken, end - at, "it wanted no byte of the server's"),
            Err(error) => return (0, sent, Some(error)),
        }
        at = end;
    }
    (at, sent, None)
}

fn step(tunnel: &mut TunnelHandshake, chunk: &[u8], sent: &mut Vec<u8>) -> Result<usize, String> {
    let taken = tunnel.handle_input(chunk);
    sent.extend(tunnel.take_output());
    taken.map_err(|error| {
        let again = tunnel.handle_input(b"x").expect_err("errors are sticky");
        assert_eq!(again.to_string(), error.to_string());
        assert!(!error.to_string().contains(['\r', '\n']), "{error:?}");
        error.to_string()
    })
}

/// A reference within a URI, both of which the input has.
pub(super) fn location(data: &[u8]) {
    let mut input = Input::new(data);
    let base = *input.choose(&[
        "ws://example.org/",
        "wss://u:p@example.org:8443/a/b/c?q",
        "ws://[2001:db8::1]/..;/?",
    ]);
    let base: WsUri = base.parse().expect("a URI");
    let Ok(reference) = core::str::from_utf8(input.rest()) else { return };
    let Ok(joined) = base.join(reference) else { return };
    let shown = joined.to_string();
    let again: WsUri = shown.parse().unwrap_or_else(|error| panic!("{shown}: {error}"));
    assert_eq!(again.to_string(), shown);
    assert_eq!(again.resource(), joined.resource());
    assert!(joined.resource().starts_with('/') && !joined.resource().contains('#'), "{shown}");
    // What is of the same origin as it was asked for keeps to it, in every part.
    if joined.is_same_origin(&base) {
        assert_eq!((joined.is_secure(), joined.port()), (base.is_secure(), base.port()));
    }
    assert!(
        joined.basic_authorization().is_none()
            || reference.contains('@')
            || joined.is_same_origin(&base)
    );
}
