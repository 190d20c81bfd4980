//! async-std's sockets flush and no more when they are closed; the transport ends their sending half all the same
//! (RFC 6455 section 7.1.1), whatever is between.

use core::{future::poll_fn, time::Duration};
use std::{io::Read, net::TcpListener};

use async_std::{net::TcpStream, task::block_on};
use hybi_async_std::{AsyncStdIo, Socket, Stream, io::Transport as _};
use hybi_suite::peer::listen;

/// Ends the sending half of a transport that lives on, and has the other end read up to there.
fn ends<S: Socket>(stream: S, other: &mut impl Read) {
    let mut transport = AsyncStdIo::new(stream);
    block_on(poll_fn(|cx| transport.poll_shutdown(cx))).expect("an open socket");
    let mut said = Vec::new();
    other.read_to_end(&mut said).expect("the end, not the time-out");
    drop(transport);
}

/// A socket of async-std, and the other end of it, which waits for a bounded time.
fn tcp(
    (listener, address): &(TcpListener, core::net::SocketAddr),
) -> (TcpStream, std::net::TcpStream) {
    let stream = block_on(TcpStream::connect(address)).expect("a listener");
    let (other, _) = listener.accept().expect("a client");
    other.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out");
    (stream, other)
}

#[test]
fn of_tcp() {
    let listener = listen();
    let (stream, mut other) = tcp(&listener);
    ends(stream, &mut other);
    let (stream, mut other) = tcp(&listener);
    ends(Stream::from(stream), &mut other);
}

#[cfg(unix)]
#[test]
fn of_a_unix_socket() {
    use std::os::unix::net::UnixStream;
    let (near, mut far) = UnixStream::pair().expect("two sockets");
    far.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out");
    let near = async_std::os::unix::net::UnixStream::from(near);
    ends(near, &mut far);
}

#[cfg(feature = "rustls")]
#[test]
fn of_tcp_below_tls() {
    use std::{sync::Arc, thread};

    use hybi_async_std::{
        TlsAcceptor, TlsConnector,
        futures_rustls::TlsStream,
        rustls::{ClientConnection, Connection, ServerConnection},
    };
    use hybi_suite::{certificate::configurations, secure::Secure};

    let (server, client) = configurations(&["localhost"]);
    let handshake = |connection: Connection, other| {
        thread::spawn(move || Secure::new(connection, other).expect("a handshake"))
    };
    let as_client = |listener: &_| {
        let (stream, other) = tcp(listener);
        let connection = ServerConnection::new(Arc::clone(&server)).expect("a server");
        let other = handshake(connection.into(), other);
        let name = "localhost".try_into().expect("a name");
        let connecting = TlsConnector::from(Arc::clone(&client)).connect(name, stream);
        (block_on(connecting).expect("a handshake"), other.join().expect("a handshake"))
    };
    let as_server = |listener: &_| {
        let (stream, other) = tcp(listener);
        let name = "localhost".try_into().expect("a name");
        let connection = ClientConnection::new(Arc::clone(&client), name).expect("a client");
        let other = handshake(connection.into(), other);
        let accepting = TlsAcceptor::from(Arc::clone(&server)).accept(stream);
        (block_on(accepting).expect("a handshake"), other.join().expect("a handshake"))
    };

    let listener = listen();
    let (stream, mut other) = as_client(&listener);
    ends(stream, &mut other);
    let (stream, mut other) = as_client(&listener);
    ends(Stream::from(stream), &mut other);
    let (stream, mut other) = as_server(&listener);
    ends(stream, &mut other);
    let (stream, mut other) = as_server(&listener);
    ends(Stream::from(stream), &mut other);
    let (stream, mut other) = as_server(&listener);
    ends(TlsStream::from(stream), &mut other);
}
