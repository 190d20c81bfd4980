//! From a stream that a listener accepted to an open WebSocket.

#[cfg(feature = "rustls")]
use async_std::net::TcpStream;
use hybi::{Error, Server, Upgrade, opening};

use crate::{AsyncStdIo, AsyncStdTimer, Socket, Stream, WebSocket, transport};
#[cfg(feature = "rustls")]
use crate::{MaybeTls, TlsAcceptor};

/// A request that has been read and waits for an answer; see [`hybi::Incoming`].
///
/// ```no_run
/// use hybi_async_std::{Error, Incoming, Server, http::Response};
///
/// async fn decide(incoming: Incoming) -> Result<(), Error> {
///     if incoming.request().uri().path() == "/chat" {
///         let mut ws = incoming.accept().await?;
///         while ws.recv().await?.is_some() {}
///     } else {
///         let response = Response::builder().status(404).body("no such room");
///         incoming.respond(response.expect("a valid response")).await;
///     }
///     Ok(())
/// }
///
/// # async fn server() -> Result<(), Error> {
/// let listener = async_std::net::TcpListener::bind("127.0.0.1:8080").await?;
/// let server = Server::default();
/// loop {
///     let (stream, _address) = listener.accept().await?;
///     decide(hybi_async_std::incoming(&server, stream).await?).await?;
/// }
/// # }
/// ```
pub type Incoming<S = Stream> = hybi::Incoming<AsyncStdIo<S>, AsyncStdTimer>;

/// Accepts a WebSocket on a TCP stream, with defaults that are safe on the open internet.
///
/// Requests from web pages of other origins are refused; see [`Server`] for that and more. `TCP_NODELAY` is
/// set on the stream, whose last small frame would wait for an acknowledgement otherwise. What went through TLS by
/// the caller's hand is taken as well; for streams of any other kind there is [`accept_on`].
///
/// ```
/// # fn main() -> Result<(), hybi_async_std::Error> {
/// # async_std::task::block_on(async {
/// let listener = async_std::net::TcpListener::bind("127.0.0.1:0").await?;
/// let uri = format!("ws://{}/", listener.local_addr()?);
/// async_std::task::spawn(async move {
///     let (stream, _address) = listener.accept().await?;
///     let mut ws = hybi_async_std::accept(stream).await?;
///     while let Some(message) = ws.recv().await? {
///         ws.feed(message).await?;
///     }
///     Ok::<(), hybi_async_std::Error>(())
/// });
///
/// let (mut ws, _response) = hybi_async_std::connect(&uri).await?;
/// ws.send("hello").await?;
/// assert_eq!(ws.recv().await?, Some("hello".into()));
/// # Ok(())
/// # })
/// # }
/// ```
///
/// It exists with the feature `compression`, and accepts permessage-deflate ([`Server::compressing`]); for
/// anything else there is [`accept_with`].
///
/// # Errors
///
/// As [`accept_with`].
#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
pub async fn accept(stream: impl Into<Stream>) -> Result<WebSocket, Error> {
    accept_with(&Server::compressing(), stream).await
}

/// Accepts a WebSocket on a TCP stream as `server` says: [`Server::default`] accepts no extension. `TCP_NODELAY`
/// is set on the stream.
///
/// ```
/// # fn main() -> Result<(), hybi_async_std::Error> {
/// # async_std::task::block_on(async {
/// use hybi_async_std::{Client, Config, Server};
///
/// let config = Config::default().max_message(64 * 1024);
/// let server = Server::builder().subprotocols(["chat.v2"]).config(config).build();
/// # let listener = async_std::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let uri = format!("ws://{}/", listener.local_addr()?);
/// # let accepting = async_std::task::spawn(async move {
/// let (stream, _address) = listener.accept().await?;
/// let ws = hybi_async_std::accept_with(&server, stream).await?;
/// # assert_eq!(ws.subprotocol(), Some("chat.v2"));
/// # Ok::<_, hybi_async_std::Error>(ws)
/// # });
/// # let client = Client::builder().subprotocol("chat.v2").build()?;
/// # let connected = hybi_async_std::connect_with(&client, &uri).await?;
/// # accepting.await?;
/// # drop(connected);
/// # Ok(())
/// # })
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Handshake`] if the request was refused, with an answer that says why;
/// [`Error::Opening`] or [`Error::Timeout`] if there was none to answer.
pub fn accept_with(
    server: &Server,
    stream: impl Into<Stream>,
) -> impl Future<Output = Result<WebSocket, Error>> {
    accept_on(server, tuned(stream.into()))
}

/// Accepts a WebSocket on a stream of the caller's making, which is left as it is: a Unix socket, TLS.
///
/// The other end of the pair is [`connect_on`](crate::connect_on).
///
/// ```no_run
/// # #[cfg(unix)]
/// # async fn example() -> Result<(), hybi_async_std::Error> {
/// use async_std::os::unix::net::UnixListener;
/// use hybi_async_std::Server;
///
/// let listener = UnixListener::bind("/run/chat.socket").await?;
/// let (stream, _address) = listener.accept().await?;
/// let mut ws = hybi_async_std::accept_on(&Server::default(), stream).await?;
/// ws.send("welcome").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`accept_with`].
pub fn accept_on<S: Socket>(
    server: &Server,
    stream: S,
) -> impl Future<Output = Result<WebSocket<S>, Error>> {
    let (timer, deadline) = opening::begin(server.config());
    opening::accept_on(server, AsyncStdIo::new(stream), timer, deadline)
}

/// Reads a request from a TCP stream and leaves the decision to the caller: to accept or reject it,
/// or to answer with plain HTTP.
///
/// ```
/// # fn main() -> Result<(), hybi_async_std::Error> {
/// # async_std::task::block_on(async {
/// use hybi_async_std::{Client, Server};
///
/// let server = Server::default();
/// let listener = async_std::net::TcpListener::bind("127.0.0.1:0").await?;
/// let uri = format!("ws://{}/garden", listener.local_addr()?);
/// let serving = async_std::task::spawn(async move {
///     let (stream, _address) = listener.accept().await?;
///     let incoming = hybi_async_std::incoming(&server, stream).await?;
///     // It may depend on the request: on a path, a cookie, a header field.
///     let accepted = incoming.check()?.with_header("X-Room", incoming.request().uri().path())?;
///     incoming.accept_as(accepted).await
/// });
/// let (_ws, response) = hybi_async_std::connect_with(&Client::default(), &uri).await?;
/// assert_eq!(response.headers()["X-Room"], "/garden");
/// serving.await?;
/// # Ok(())
/// # })
/// # }
/// ```
///
/// # Errors
///
/// As [`accept_with`]; what is not HTTP, too large or too slow has been refused.
pub async fn incoming(server: &Server, stream: impl Into<Stream>) -> Result<Incoming, Error> {
    incoming_on(server, tuned(stream.into())).await
}

/// Reads a request from a stream of the caller's making, as [`incoming`] does from one of TCP.
///
/// ```no_run
/// # #[cfg(unix)]
/// # async fn example() -> Result<(), hybi_async_std::Error> {
/// use async_std::os::unix::net::UnixListener;
/// use hybi_async_std::Server;
///
/// let listener = UnixListener::bind("/run/chat.socket").await?;
/// let (stream, _address) = listener.accept().await?;
/// let incoming = hybi_async_std::incoming_on(&Server::default(), stream).await?;
/// let response = http::Response::builder().status(404).body("no such room");
/// incoming.respond(response.expect("a valid response")).await;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`incoming`].
pub async fn incoming_on<S: Socket>(server: &Server, stream: S) -> Result<Incoming<S>, Error> {
    let (timer, deadline) = opening::begin(server.config());
    opening::incoming_on(server, AsyncStdIo::new(stream), timer, deadline).await
}

/// Accepts a WebSocket on a TCP stream through TLS, as `server` and `acceptor` say.
///
/// TLS and the opening handshake share one deadline, and the server's own origin is `https`.
///
/// ```
/// use std::sync::Arc;
/// use async_std::net::TcpListener;
/// use hybi_async_std::{Error, Server, TlsAcceptor, rustls};
///
/// async fn serve(listener: TcpListener, config: Arc<rustls::ServerConfig>) -> Result<(), Error> {
///     let server = Server::default();
///     let acceptor = TlsAcceptor::from(config);
///     let (stream, _address) = listener.accept().await?;
///     let mut ws = hybi_async_std::accept_tls(&server, &acceptor, stream).await?;
///     while let Some(message) = ws.recv().await? {
///         ws.feed(message).await?;
///     }
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// As [`accept_with`]; [`Error::Opening`] also if TLS failed.
#[cfg(feature = "rustls")]
pub async fn accept_tls(
    server: &Server,
    acceptor: &TlsAcceptor,
    stream: TcpStream,
) -> Result<WebSocket, Error> {
    incoming_tls(server, acceptor, stream).await?.accept().await
}

/// Reads a request from a TCP stream through TLS and leaves the decision to the caller, as
/// [`incoming`] does.
///
/// ```
/// use async_std::net::TcpStream;
/// use hybi_async_std::{Error, Server, TlsAcceptor, http::Response};
///
/// /// A page and a WebSocket on one port.
/// async fn serve(server: &Server, tls: &TlsAcceptor, stream: TcpStream) -> Result<(), Error> {
///     let incoming = hybi_async_std::incoming_tls(server, tls, stream).await?;
///     if incoming.is_upgrade() {
///         incoming.accept().await?.send("welcome").await?;
///     } else {
///         incoming.respond(Response::new("<title>hello</title>")).await;
///     }
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// As [`accept_tls`].
#[cfg(feature = "rustls")]
pub async fn incoming_tls(
    server: &Server,
    acceptor: &TlsAcceptor,
    stream: TcpStream,
) -> Result<Incoming, Error> {
    // Before TLS: its handshake is made of small pieces, too.
    transport::without_delay(&stream);
    incoming_tls_on(server, acceptor, stream).await
}

/// Reads a request through TLS from a stream of the caller's making, as [`incoming_tls`] does from one of TCP.
///
/// ```
/// use hybi_async_std::{Error, MaybeTls, Server, Socket, TlsAcceptor, WebSocket};
///
/// async fn accept<S: Socket>(
///     server: &Server,
///     tls: &TlsAcceptor,
///     tunnel: S,
/// ) -> Result<WebSocket<MaybeTls<S>>, Error> {
///     hybi_async_std::incoming_tls_on(server, tls, tunnel).await?.accept().await
/// }
/// ```
///
/// # Errors
///
/// As [`accept_tls`].
#[cfg(feature = "rustls")]
pub async fn incoming_tls_on<S: Socket>(
    server: &Server,
    acceptor: &TlsAcceptor,
    stream: S,
) -> Result<Incoming<MaybeTls<S>>, Error> {
    let (timer, deadline) = opening::begin(server.config());
    let handshake = async { Ok(AsyncStdIo::new(acceptor.accept(stream).await?.into())) };
    opening::incoming_tls_on(server, handshake, timer, deadline).await
}

/// The WebSocket on a stream that an HTTP framework handed over after [`Server::upgrade`]; for
/// bytes that it read too many, see [`Upgrade::with_input`].
///
/// ```
/// use async_std::net::TcpStream;
/// use hybi_async_std::{Error, Upgrade};
///
/// /// After an HTTP framework sent the response and handed over `stream`.
/// async fn serve(upgrade: Upgrade, stream: TcpStream) -> Result<(), Error> {
///     let mut ws = hybi_async_std::upgraded(upgrade, stream);
///     while let Some(message) = ws.recv().await? {
///         ws.feed(message).await?;
///     }
///     Ok(())
/// }
/// ```
pub fn upgraded<S: Socket>(upgrade: Upgrade, stream: S) -> WebSocket<S> {
    upgrade.into_websocket(AsyncStdIo::new(stream), AsyncStdTimer::default())
}

fn tuned(stream: Stream) -> Stream {
    transport::without_delay(stream.tcp());
    stream
}
