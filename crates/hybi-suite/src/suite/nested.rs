//! TLS within TLS: a `wss` server behind a proxy that is spoken to by TLS itself.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::Arc,
};

use hybi::{Client, CloseCode, Message};
use hybi_testkit::{
    script,
    wire::{self, BINARY, CLOSE, FIN, Side, TEXT},
};
use rustls::{ServerConnection, StreamOwned};

use super::{Runtime, connect_as, reaching::head};
use crate::{
    certificate,
    peer::{PATIENCE, listen},
    secure::Secure,
};

/// A server behind a proxy, as one end: TLS of the server over that of the proxy.
type Behind = StreamOwned<ServerConnection, Secure>;

/// Plays the proxy, and then the server up to its answer.
fn accept(listener: &TcpListener) -> Behind {
    let (stream, _) = listener.accept().expect("a client");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let session = || ServerConnection::new(Arc::clone(&certificate::shared().0)).expect("a server");
    let mut proxy = Secure::new(session(), stream).expect("TLS with the proxy");
    assert!(head(&mut proxy).starts_with("CONNECT localhost:81 HTTP/1.1\r\n"));
    proxy.write_all(b"HTTP/1.1 200 OK\r\n\r\n").expect("a client");
    let mut server = StreamOwned::new(session(), proxy);
    let request = head(&mut server);
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    send(&mut server, script::response(key.expect("a key"), ""));
    server
}

fn send(server: &mut Behind, bytes: impl AsRef<[u8]>) {
    server.write_all(bytes.as_ref()).expect("a client");
    server.flush().expect("a client");
}

/// The first byte of the next message, and all of its payload.
fn message(server: &mut Behind, input: &mut Vec<u8>) -> (u8, Vec<u8>) {
    let (mut first, mut payload) = (0, Vec::new());
    loop {
        let Some((frame, len)) = wire::read_frame(Side::Client, input) else {
            let mut chunk = vec![0; 64 * 1024];
            let len = server.read(&mut chunk).expect("a client");
            assert!(len > 0, "the connection ends before the message");
            input.extend_from_slice(&chunk[..len]);
            continue;
        };
        input.drain(..len);
        first |= frame.first;
        payload.extend(frame.payload);
        if frame.first & FIN != 0 {
            return (first, payload);
        }
    }
}

/// What the proxy hands through is TLS again.
pub fn goes_through_tls_to_a_proxy<R: Runtime>() {
    let (listener, address) = listen();
    let client = Client::builder().proxy(&format!("https://{address}"));
    let client = connect_as::<R, _>("localhost:81", client, |mut ws| async move {
        assert_eq!(ws.recv().await.expect("lawful"), Some("hello".into()));
    });
    let mut server = accept(&listener);
    send(&mut server, wire::frame(Side::Server, TEXT, b"hello"));
    client.join();
}

/// A mebibyte whose every byte has its place.
fn mebibyte(of: u32) -> Vec<u8> {
    (of..of + (1 << 18)).flat_map(u32::to_le_bytes).collect()
}

/// Whose Close frame comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closes {
    Client,
    Server,
}

/// More than fits into a record of TLS or a buffer of the system, each way; and then each layer of TLS ends with its
/// goodbye, the inner one first (RFC 6455 section 7.1.1, RFC 8446 section 6.1).
pub fn carries_a_mebibyte_each_way_and_says_goodbye_in_both_layers<R: Runtime>() {
    for closes in [Closes::Client, Closes::Server] {
        let (listener, address) = listen();
        let client = Client::builder().proxy(&format!("https://{address}"));
        let client = connect_as::<R, _>("localhost:81", client, move |mut ws| async move {
            ws.send(Message::from(mebibyte(1))).await.expect("it is open");
            assert!(ws.recv().await.expect("lawful") == Some(mebibyte(2).into()), "{closes:?}");
            if closes == Closes::Client {
                return ws.close(CloseCode::GOING_AWAY, "over").await.expect("in order");
            }
            assert_eq!(ws.recv().await.expect("in order"), None);
            ws.close_status().expect("it ended")
        });
        let (mut server, mut input) = (accept(&listener), Vec::new());
        let (first, payload) = message(&mut server, &mut input);
        assert!((first, payload) == (BINARY, mebibyte(1)), "{closes:?}");
        send(&mut server, wire::frame(Side::Server, BINARY, &mebibyte(2)));
        let close = wire::frame(Side::Server, CLOSE, &wire::close_payload(1001, b"over"));
        if closes == Closes::Server {
            send(&mut server, &close);
        }
        let (first, payload) = message(&mut server, &mut input);
        assert_eq!((first, &payload[..2]), (CLOSE, &1001_u16.to_be_bytes()[..]), "{closes:?}");
        if closes == Closes::Client {
            send(&mut server, &close);
        }
        // The server is over, and its goodbye comes through a proxy that is not.
        server.conn.send_close_notify();
        server.flush().expect("a client");
        // An end without a goodbye would be an error, of either layer, and so would be bytes behind one.
        assert_eq!(server.read(&mut [0]).expect("the goodbye to the server"), 0, "{closes:?}");
        assert_eq!(server.sock.read(&mut [0]).expect("the goodbye to the proxy"), 0, "{closes:?}");
        assert_eq!(input, b"", "{closes:?}");
        let status = client.join();
        assert!(status.is_clean(), "{closes:?}: {status:?}");
        assert_eq!(status.code(), CloseCode::GOING_AWAY, "{closes:?}");
    }
}
