//! Bad responses: each rule of RFC 6455 section 4.1 about the server's answer, broken over a real
//! socket.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use hybi::{Client, Deflate, Error, Extensions, HandshakeError, extension::DeflateFrame};

use super::{Runtime, run, uri};
use crate::peer::{Head, Peer, accept_of, listen, response};

/// Whether an error is the one that a response deserves.
type Deserved = fn(&HandshakeError) -> bool;

/// Each bad response, made from the request that it answers.
fn offences(request: &Head) -> Vec<(&'static str, String, Deserved)> {
    use HandshakeError as E;
    let good = response(request, "");
    let accept = accept_of(request);
    let replaced = |from: &str, to: &str| {
        assert!(good.contains(from), "no {from}");
        good.replacen(from, to, 1)
    };
    let with = |fields: &str| response(request, fields);
    let line = |value: &str| format!("Sec-WebSocket-Extensions: {value}\r\n");
    let extension = |value: &str| with(&line(value));
    let accept_line = format!("Sec-WebSocket-Accept: {accept}\r\n");
    vec![
        // Item 1.
        ("status 200", replaced("101 Switching Protocols", "200 OK"), |e| {
            matches!(e, E::Rejected(_))
        }),
        ("HTTP/1.0", replaced("HTTP/1.1", "HTTP/1.0"), |e| matches!(e, E::ResponseHttpVersion)),
        ("no HTTP", "SSH-2.0-server\r\n".into(), |e| matches!(e, E::NotHttp { .. })),
        ("frames at once", "\u{1}\u{5}hello".into(), |e| matches!(e, E::NotHttp { .. })),
        ("a bad status", replaced("101", "1O1"), |e| matches!(e, E::MalformedStartLine)),
        // Item 2.
        ("no Upgrade", replaced("Upgrade: websocket\r\n", ""), |e| matches!(e, E::ResponseUpgrade)),
        ("another Upgrade", replaced(": websocket", ": h2c"), |e| matches!(e, E::ResponseUpgrade)),
        // Item 3.
        ("no Connection", replaced("Connection: Upgrade\r\n", ""), |e| {
            matches!(e, E::ResponseConnection)
        }),
        ("another Connection", replaced("Connection: Upgrade", "Connection: close"), |e| {
            matches!(e, E::ResponseConnection)
        }),
        // Item 4.
        ("no accept", replaced(&accept_line, ""), |e| matches!(e, E::MissingAccept)),
        ("two accepts", with(&accept_line), |e| matches!(e, E::DuplicateField { .. })),
        ("another accept", replaced(&accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), |e| {
            matches!(e, E::AcceptMismatch)
        }),
        ("accept in lower case", replaced(&accept, &accept.to_ascii_lowercase()), |e| {
            matches!(e, E::AcceptMismatch)
        }),
        // Item 5.
        ("an extension", extension("x-unheard-of"), |e| matches!(e, E::ExtensionNotOffered)),
        ("an old extension", extension("deflate-stream"), |e| matches!(e, E::ExtensionNotOffered)),
        ("a malformed extension", extension("a b"), |e| matches!(e, E::MalformedExtensions)),
        ("an unknown parameter", extension("permessage-deflate; foo"), |e| {
            matches!(e, E::ExtensionAnswer(_))
        }),
        ("a bad value", extension("permessage-deflate; server_max_window_bits=16"), |e| {
            matches!(e, E::ExtensionAnswer(_))
        }),
        ("no value", extension("permessage-deflate; client_max_window_bits"), |e| {
            matches!(e, E::ExtensionAnswer(_))
        }),
        ("an extension twice", extension("permessage-deflate, permessage-deflate"), |e| {
            matches!(e, E::ExtensionAnswer(_))
        }),
        ("two owners of a bit", extension("permessage-deflate, deflate-frame"), |e| {
            matches!(e, E::ExtensionAnswer(_))
        }),
        ("two owners, two lines", with(&line("permessage-deflate").repeat(2)), |e| {
            matches!(e, E::ExtensionAnswer(_))
        }),
        // Item 6.
        ("another subprotocol", with("Sec-WebSocket-Protocol: v3\r\n"), |e| {
            matches!(e, E::SubprotocolNotOffered)
        }),
        ("two subprotocols", with("Sec-WebSocket-Protocol: v1, v2\r\n"), |e| {
            matches!(e, E::MalformedSubprotocol)
        }),
        ("a list of one subprotocol", with("Sec-WebSocket-Protocol: ,v1\r\n"), |e| {
            matches!(e, E::MalformedSubprotocol)
        }),
        ("5,000 extensions", extension(&"x,".repeat(5000)), |e| {
            matches!(e, E::TooManyNames { .. })
        }),
        // HTTP.
        ("a huge head", with(&format!("X: {}\r\n", "y".repeat(20_000))), |e| {
            matches!(e, E::HeadTooLarge { .. })
        }),
        ("101 fields", with(&"X: y\r\n".repeat(98)), |e| matches!(e, E::TooManyFields { .. })),
        ("a folded field", with("X: y\r\n z\r\n"), |e| matches!(e, E::ObsoleteFold { .. })),
        ("bare line feeds", good.replace("\r\n", "\n"), |e| matches!(e, E::BareLineEnd { .. })),
        ("NUL", with("X: \0\r\n"), |e| matches!(e, E::ControlByte { byte: 0, .. })),
        ("the end midway", good[..50].into(), |e| matches!(e, E::UnexpectedEof { received: 50 })),
        ("nothing", String::new(), |e| matches!(e, E::UnexpectedEof { received: 0 })),
    ]
}

/// Plays the server for one row; says its name and what came of it, or `None` after the last.
fn offend<R: Runtime>(row: usize) -> Option<(&'static str, bool)> {
    let (listener, address) = listen();
    let client = run::<R, _>(move || async move {
        let both = Extensions::default().with(DeflateFrame::new(Deflate::default()));
        let client = Client::builder().subprotocol("v1").subprotocol("v2").extensions(both);
        let client = client.build()?;
        R::connect_with(&client, &uri::<R>(address)).await.map(|_| ())
    });
    let mut peer = Peer::accept(&listener);
    let request = peer.read_head();
    let (name, response, deserved) = offences(&request).into_iter().nth(row)?;
    let told = catch_unwind(AssertUnwindSafe(|| {
        // The client may leave before it has read all of it.
        peer.try_send(response.as_bytes());
        peer.end();
        // It says nothing more (section 4.1): there is no connection to fail yet.
        peer.expect_nothing_more();
        match client.join() {
            Err(Error::Handshake(error)) => assert!(deserved(&error), "{name}: {error}"),
            other => panic!("{name}: {other:?}"),
        }
    }));
    Some((name, told.is_ok()))
}

/// The client fails on every bad response, with the error that names the rule, and sends nothing.
pub fn fails_on_bad_responses<R: Runtime>() {
    let rows: Vec<_> = (0..).map_while(offend::<R>).collect();
    assert!(rows.len() > 20);
    let failed: Vec<_> = rows.iter().filter(|(_, right)| !right).map(|(name, _)| name).collect();
    assert!(failed.is_empty(), "{failed:?}");
}
