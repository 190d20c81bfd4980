//! TLS within TLS: a `wss` server behind a proxy that is spoken to by TLS itself.

use std::{io::Write as _, sync::Arc};

use hybi::Client;
use hybi_testkit::{
    script,
    wire::{self, Side, TEXT},
};
use rustls::{ServerConnection, StreamOwned};

use super::{Runtime, connect_as, reaching::head};
use crate::{certificate, peer::listen, secure::Secure};

/// What the proxy hands through is TLS again.
pub fn goes_through_tls_to_a_proxy<R: Runtime>() {
    let (listener, address) = listen();
    let client = Client::builder().proxy(&format!("https://{address}"));
    let client = connect_as::<R, _>("localhost:81", client, |mut ws| async move {
        assert_eq!(ws.recv().await.expect("lawful"), Some("hello".into()));
    });
    let (stream, _) = listener.accept().expect("a client");
    let session = || ServerConnection::new(Arc::clone(&certificate::shared().0)).expect("a server");
    let mut proxy = Secure::new(session(), stream).expect("TLS with the proxy");
    assert!(head(&mut proxy).starts_with("CONNECT localhost:81 HTTP/1.1\r\n"));
    proxy.write_all(b"HTTP/1.1 200 OK\r\n\r\n").expect("a client");
    let mut server = StreamOwned::new(session(), proxy);
    let request = head(&mut server);
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    let answer = script::response(key.expect("a key"), "");
    server.write_all(answer.as_bytes()).expect("a client");
    server.write_all(&wire::frame(Side::Server, TEXT, b"hello")).expect("a client");
    server.flush().expect("a client");
    client.join();
}
