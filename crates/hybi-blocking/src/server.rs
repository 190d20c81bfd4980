//! From a stream that a listener accepted to an open WebSocket.

use std::net::TcpStream;
#[cfg(feature = "rustls")]
use std::sync::Arc;

use hybi::{Error, Server, Upgrade};
#[cfg(feature = "rustls")]
use hybi_tls::rustls::ServerConfig;

#[cfg(feature = "rustls")]
use crate::MaybeTls;
use crate::{BlockingIo, BlockingTimer, Incoming, Socket, Stream, WebSocket, block_on, transport};

/// Accepts a WebSocket on a TCP stream, with defaults that are safe on the open internet.
///
/// Requests from web pages of other origins are refused; see [`Server`] for that and more. `TCP_NODELAY` is
/// set on the stream, whose last small frame would wait for an acknowledgement otherwise. For sockets of any
/// other kind there is [`accept_on`].
///
/// ```
/// use std::{net::TcpListener, thread};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let uri = format!("ws://{}/", listener.local_addr()?);
/// let serving = thread::spawn(move || {
///     let (stream, _address) = listener.accept()?;
///     let mut ws = hybi_blocking::accept(stream)?;
///     while let Some(message) = ws.recv()? {
///         ws.feed(message)?;
///     }
///     Ok::<(), hybi_blocking::Error>(())
/// });
///
/// let (mut ws, _response) = hybi_blocking::connect(&uri)?;
/// ws.send("hello")?;
/// assert_eq!(ws.recv()?, Some("hello".into()));
/// ws.close(hybi_blocking::CloseCode::NORMAL, "")?;
/// serving.join().expect("no panic")?;
/// # Ok::<(), hybi_blocking::Error>(())
/// ```
///
/// It exists with the feature `compression`, and accepts permessage-deflate ([`Server::compressing`]); for
/// anything else there is [`accept_with`].
///
/// # Errors
///
/// As [`accept_with`].
#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
pub fn accept(stream: TcpStream) -> Result<WebSocket, Error> {
    accept_with(&Server::compressing(), stream)
}

/// Accepts a WebSocket on a TCP stream as `server` says: [`Server::default`] accepts no extension. `TCP_NODELAY`
/// is set on the stream.
///
/// ```no_run
/// use hybi_blocking::{Config, Server};
///
/// let config = Config::default().max_message(64 * 1024);
/// let server = Server::builder().subprotocols(["chat.v2"]).config(config).build();
/// let listener = std::net::TcpListener::bind("127.0.0.1:8080")?;
/// let (stream, _address) = listener.accept()?;
/// let ws = hybi_blocking::accept_with(&server, stream)?;
/// println!("{:?}", ws.subprotocol());
/// # Ok::<(), hybi_blocking::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Handshake`] if the request was refused, with an answer that says why;
/// [`Error::Opening`] or [`Error::Timeout`] if there was none to answer.
pub fn accept_with(server: &Server, stream: TcpStream) -> Result<WebSocket, Error> {
    incoming(server, stream)?.accept()
}

/// Accepts a WebSocket on a socket of the caller's making, such as a Unix socket. It does not block any more from
/// then on, and is left as it is otherwise.
///
/// The other end of the pair is [`connect_on`](crate::connect_on).
///
/// ```
/// # #[cfg(unix)]
/// # fn main() -> Result<(), hybi_blocking::Error> {
/// use std::{os::unix::net::UnixStream, thread};
/// use hybi_blocking::{Client, Server};
///
/// let (ours, theirs) = UnixStream::pair()?;
/// let serving = thread::spawn(move || {
///     let mut ws = hybi_blocking::accept_on(&Server::default(), theirs)?;
///     ws.send("welcome")
///         .map_err(hybi_blocking::Error::from)
/// });
/// let client = Client::default();
/// let (mut ws, _response) = hybi_blocking::connect_on(&client, "ws://localhost/", ours)?;
/// assert_eq!(ws.recv()?, Some("welcome".into()));
/// serving.join().expect("no panic")?;
/// # Ok(())
/// # }
/// # #[cfg(not(unix))]
/// # fn main() {}
/// ```
///
/// # Errors
///
/// As [`accept_with`].
pub fn accept_on<S: Socket>(server: &Server, stream: S) -> Result<WebSocket<BlockingIo<S>>, Error> {
    incoming_on(server, stream)?.accept()
}

/// Reads a request from a TCP stream and leaves the decision to the caller: to accept or reject it,
/// or to answer with plain HTTP.
///
/// ```
/// use std::{net::TcpListener, thread};
/// use hybi_blocking::{Client, Error, Server};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let uri = format!("ws://{}/garden", listener.local_addr()?);
/// let serving = thread::spawn(move || {
///     let (stream, _address) = listener.accept()?;
///     let incoming = hybi_blocking::incoming(&Server::default(), stream)?;
///     // It may depend on the request: on a path, a cookie, a header field.
///     let accepted = incoming.check()?.with_header("X-Room", incoming.request().uri().path())?;
///     incoming.accept_as(accepted)
/// });
/// let (_ws, response) = hybi_blocking::connect_with(&Client::default(), &uri)?;
/// assert_eq!(response.headers()["X-Room"], "/garden");
/// serving.join().expect("no panic")?;
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
///
/// As [`accept_with`]; what is not HTTP, too large or too slow has been refused.
pub fn incoming(server: &Server, stream: TcpStream) -> Result<Incoming, Error> {
    transport::without_delay(&stream);
    let stream = Stream::from(BlockingIo::new(stream)?);
    block_on(Incoming::read(server, stream))
}

/// Reads a request from a socket of the caller's making, as [`incoming`] does from one of TCP.
///
/// ```no_run
/// # #[cfg(unix)]
/// # fn example() -> Result<(), hybi_blocking::Error> {
/// use std::os::unix::net::UnixListener;
/// use hybi_blocking::{Server, http::Response};
///
/// let listener = UnixListener::bind("/run/chat.socket")?;
/// let (stream, _address) = listener.accept()?;
/// let incoming = hybi_blocking::incoming_on(&Server::default(), stream)?;
/// let response = Response::builder().status(404).body("no such room");
/// incoming.respond(response.expect("a valid response"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`incoming`].
pub fn incoming_on<S: Socket>(
    server: &Server,
    stream: S,
) -> Result<Incoming<BlockingIo<S>>, Error> {
    let stream = BlockingIo::new(stream)?;
    block_on(Incoming::read(server, stream))
}

/// Accepts a WebSocket on a TCP stream through TLS, as `server` and `config` say.
///
/// TLS and the opening handshake share one deadline, and the server's own origin is `https`.
///
/// ```
/// use std::{net::TcpListener, sync::Arc};
/// use hybi_blocking::{Error, Server, rustls};
///
/// fn serve(listener: TcpListener, config: Arc<rustls::ServerConfig>) -> Result<(), Error> {
///     let (stream, _address) = listener.accept()?;
///     let mut ws = hybi_blocking::accept_tls(&Server::default(), &config, stream)?;
///     while let Some(message) = ws.recv()? {
///         ws.feed(message)?;
///     }
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// As [`accept_with`]; [`Error::Opening`] also if TLS failed.
#[cfg(feature = "rustls")]
pub fn accept_tls(
    server: &Server,
    config: &Arc<ServerConfig>,
    stream: TcpStream,
) -> Result<WebSocket, Error> {
    incoming_tls(server, config, stream)?.accept()
}

/// Reads a request from a TCP stream through TLS and leaves the decision to the caller, as
/// [`incoming`] does.
///
/// ```
/// use std::{net::TcpStream, sync::Arc};
/// use hybi_blocking::{Error, Server, http::Response, rustls};
///
/// /// A page and a WebSocket on one port.
/// fn serve(
///     server: &Server,
///     tls: &Arc<rustls::ServerConfig>,
///     stream: TcpStream,
/// ) -> Result<(), Error> {
///     let incoming = hybi_blocking::incoming_tls(server, tls, stream)?;
///     if incoming.is_upgrade() {
///         incoming.accept()?.send("welcome")?;
///     } else {
///         incoming.respond(Response::new("<title>hello</title>"));
///     }
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// As [`accept_tls`].
#[cfg(feature = "rustls")]
pub fn incoming_tls(
    server: &Server,
    config: &Arc<ServerConfig>,
    stream: TcpStream,
) -> Result<Incoming, Error> {
    // Before TLS: its handshake is made of small pieces, too.
    transport::without_delay(&stream);
    incoming_tls_on(server, config, stream)
}

/// Reads a request through TLS from a socket of the caller's making, as [`incoming_tls`] does from one of TCP.
///
/// ```
/// # #[cfg(unix)]
/// # mod unix {
/// use std::{os::unix::net::UnixStream, sync::Arc};
/// use hybi_blocking::{Error, MaybeTls, Server, WebSocket, rustls};
///
/// fn accept(
///     server: &Server,
///     tls: &Arc<rustls::ServerConfig>,
///     tunnel: UnixStream,
/// ) -> Result<WebSocket<MaybeTls<UnixStream>>, Error> {
///     hybi_blocking::incoming_tls_on(server, tls, tunnel)?.accept()
/// }
/// # }
/// ```
///
/// # Errors
///
/// As [`accept_tls`].
#[cfg(feature = "rustls")]
pub fn incoming_tls_on<S: Socket>(
    server: &Server,
    config: &Arc<ServerConfig>,
    stream: S,
) -> Result<Incoming<MaybeTls<S>>, Error> {
    let stream = BlockingIo::new(stream)?;
    block_on(Incoming::read_tls(server, crate::tls::accept(config, stream)))
}

/// The WebSocket on a socket that an HTTP framework handed over after [`Server::upgrade`]; for
/// bytes that it read too many, see [`Upgrade::with_input`].
///
/// ```
/// use hybi_blocking::{Error, Socket, Upgrade};
///
/// /// After an HTTP framework sent the response and handed over `stream`.
/// fn serve<S: Socket>(upgrade: Upgrade, stream: S) -> Result<(), Error> {
///     let mut ws = hybi_blocking::upgraded(upgrade, stream)?;
///     while let Some(message) = ws.recv()? {
///         ws.feed(message)?;
///     }
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// [`Error::Transport`] if the socket cannot be told not to block.
pub fn upgraded<S: Socket>(upgrade: Upgrade, stream: S) -> Result<WebSocket<BlockingIo<S>>, Error> {
    let stream = BlockingIo::new(stream)?;
    Ok(upgrade.into_websocket(stream, BlockingTimer::default()).into())
}
