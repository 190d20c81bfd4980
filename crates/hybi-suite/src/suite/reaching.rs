//! How a client gets to its server, over real sockets: through proxies (RFC 9110 section 9.3.6, RFC 1928), and where a
//! redirect leads (RFC 9110 section 15.4).

use core::net::SocketAddr;
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use hybi::{Client, Error, OpeningError, ProxyError, Server};

use super::{Connected, Outcome, Running, Runtime, connect_as, echo, run, serve_echo, uri};
use crate::peer::{Peer, listen};

/// Runs an echo behind a proxy of its own: what is said first on its stream is for the proxy.
fn serve_behind<R: Runtime>(
    proxy: impl FnOnce(&mut TcpStream) + Send + 'static,
) -> (SocketAddr, Running<Outcome>) {
    let (listener, address) = listen();
    let running = run::<R, _>(move || async move {
        let (mut stream, _) = listener.accept().expect("a client");
        proxy(&mut stream);
        let incoming = R::incoming(&Server::default(), stream).await.expect("a request");
        assert_eq!(incoming.request().headers()["host"], "localhost:81");
        echo(incoming.accept().await.expect("a request that can be accepted")).await
    });
    (address, running)
}

/// A head of HTTP, and no byte more.
pub(super) fn head(stream: &mut impl std::io::Read) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a head");
        head.extend(byte);
    }
    String::from_utf8(head).expect("text")
}

/// Reads these bytes, and no other.
fn expect(stream: &mut TcpStream, expected: &[u8]) {
    let mut bytes = vec![0; expected.len()];
    stream.read_exact(&mut bytes).expect("a client");
    assert_eq!(bytes, expected);
}

pub(super) async fn talk<R: Runtime>(mut ws: Connected<R>) {
    ws.send("through").await.expect("it is open");
    assert_eq!(ws.recv().await.expect("lawful"), Some("through".into()));
    ws.close(hybi::CloseCode::NORMAL, "").await.expect("in order");
}

/// The name is the proxy's to look up; what follows is as without it, TLS included.
pub fn goes_through_a_proxy<R: Runtime>() {
    let (proxy, server) = serve_behind::<R>(|stream| {
        assert_eq!(
            head(stream),
            "CONNECT localhost:81 HTTP/1.1\r\nHost: localhost:81\r\n\
             Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n"
        );
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").expect("a client");
    });
    let client = Client::builder().proxy(&format!("http://user:secret@{proxy}"));
    connect_as::<R, _>("localhost:81", client, talk::<R>).join();
    assert!(server.join().error.is_none());
}

/// The same by SOCKS, with user and password.
pub fn goes_through_a_socks_proxy<R: Runtime>() {
    let (proxy, server) = serve_behind::<R>(|stream| {
        expect(stream, &[5, 2, 0, 2]);
        stream.write_all(&[5, 2]).expect("a client");
        expect(stream, b"\x01\x04user\x06secret");
        stream.write_all(&[1, 0]).expect("a client");
        expect(stream, b"\x05\x01\x00\x03\x09localhost\x00\x51");
        stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).expect("a client");
    });
    let client = Client::builder().proxy(&format!("socks5h://user:secret@{proxy}"));
    connect_as::<R, _>("localhost:81", client, talk::<R>).join();
    assert!(server.join().error.is_none());
}

/// With what it said.
pub fn names_a_proxy_that_says_no<R: Runtime>() {
    let (listener, address) = listen();
    let client = run::<R, _>(move || async move {
        let client = Client::builder().proxy(&address.to_string()).build()?;
        let connected = R::connect_with(&client, &uri::<R>("localhost:81")).await;
        Ok::<_, Error>(connected.map(drop).expect_err("no tunnel"))
    });
    let mut proxy = Peer::accept(&listener);
    proxy.read_head();
    proxy.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope");
    let error = client.join().expect("a proxy");
    assert_eq!(error.to_string(), format!("proxy http://{address}: it answered 403 Forbidden"));
    let Error::Opening(step) = &error else { panic!("{error:?}") };
    let OpeningError::Proxy { error: ProxyError::Refused(refusal), .. } = &**step else {
        panic!("{error:?}")
    };
    assert_eq!(refusal.status().map(|status| status.as_u16()), Some(403));
}

/// To another server, on a connection of its own.
pub fn follows_a_redirect<R: Runtime>() {
    let (listener, address) = listen();
    let (elsewhere, server) = serve_echo::<R>(hybi::Config::default());
    let client = Client::builder().follow_redirects(1);
    let client = connect_as::<R, _>(address, client, talk::<R>);
    let mut first = Peer::accept(&listener);
    first.read_head();
    let scheme = R::THROUGH.ws().replace("ws", "http");
    first.send(format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: {scheme}://{}/\r\nContent-Length: 0\r\n\r\n",
        elsewhere.socket
    ));
    client.join();
    assert!(server.join().error.is_none());
}
