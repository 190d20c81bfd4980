//! From a stream that a listener accepted to an open WebSocket.

use hybi::{Error, Server, Upgrade, io::Timer, opening};
use tokio::io::{AsyncRead, AsyncWrite};
#[cfg(feature = "rustls")]
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{TokioIo, TokioTimer, WebSocket};

/// A request that has been read and waits for an answer; see [`hybi::Incoming`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), hybi_tokio::Error> {
/// let server = hybi_tokio::Server::default();
/// let (ours, theirs) = tokio::io::duplex(4096);
/// tokio::spawn(async move {
///     let incoming = hybi_tokio::incoming(&server, theirs).await?;
///     if incoming.request().uri().path() == "/chat" {
///         let mut ws = incoming.accept().await?;
///         while ws.recv().await?.is_some() {}
///     } else {
///         let response = http::Response::builder().status(404).body("no such room");
///         incoming.respond(response.expect("a valid response")).await;
///     }
///     Ok::<(), hybi_tokio::Error>(())
/// });
/// let client = hybi_tokio::Client::default();
/// let refused = hybi_tokio::client(&client, "ws://example.org/cellar", ours).await;
/// let error = refused.expect_err("there is no cellar");
/// assert!(error.handshake().is_some());
/// # Ok(())
/// # }
/// ```
pub type Incoming<S> = hybi::Incoming<TokioIo<S>, TokioTimer>;

/// Accepts a WebSocket on `stream`, with defaults that are safe on the open internet.
///
/// Requests from web pages of other origins are refused; see [`Server`] for that and more.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), hybi_tokio::Error> {
/// // A stream in memory; a listener's `TcpStream` in a real server.
/// let (ours, theirs) = tokio::io::duplex(4096);
/// tokio::spawn(async move {
///     let mut ws = hybi_tokio::accept(theirs).await?;
///     while let Some(message) = ws.recv().await? {
///         ws.feed(message).await?;
///     }
///     Ok::<(), hybi_tokio::Error>(())
/// });
///
/// let client = hybi_tokio::Client::default();
/// let (mut ws, _response) = hybi_tokio::client(&client, "ws://example.org/", ours).await?;
/// ws.send("hello").await?;
/// assert_eq!(ws.recv().await?, Some("hello".into()));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Handshake`] if the request was refused, with an answer that says why;
/// [`Error::Opening`] or [`Error::Timeout`] if there was none to answer.
pub async fn accept<S>(stream: S) -> Result<WebSocket<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    accept_with(&Server::default(), stream).await
}

/// Accepts a WebSocket on `stream` as `server` says.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), hybi_tokio::Error> {
/// use hybi_tokio::{Client, Config, Server};
///
/// let config = Config::default().max_message(64 * 1024);
/// let server = Server::builder().subprotocols(["chat.v2"]).config(config).build();
/// let client = Client::builder().subprotocol("chat.v2").build()?;
///
/// let (ours, theirs) = tokio::io::duplex(4096);
/// let (accepted, connected) = tokio::try_join!(
///     hybi_tokio::accept_with(&server, theirs),
///     hybi_tokio::client(&client, "ws://example.org/", ours),
/// )?;
/// assert_eq!(accepted.subprotocol(), Some("chat.v2"));
/// # let _ = connected;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`accept`].
pub async fn accept_with<S>(server: &Server, stream: S) -> Result<WebSocket<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let timer = TokioTimer::default();
    let deadline = server.config().handshake_deadline(timer.now());
    opening::accept(server, TokioIo::new(stream), timer, deadline).await
}

/// Reads a request from `stream` and leaves the decision to the caller: to accept or reject it,
/// or to answer with plain HTTP.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), hybi_tokio::Error> {
/// use hybi_tokio::{Client, Server};
///
/// let (server, client) = (Server::default(), Client::default());
/// let (ours, theirs) = tokio::io::duplex(4096);
/// let serving = async {
///     let incoming = hybi_tokio::incoming(&server, theirs).await?;
///     // It may depend on the request: on a path, a cookie, a header field.
///     let accepted = incoming.check()?.with_header("X-Room", incoming.request().uri().path())?;
///     incoming.accept_as(accepted).await
/// };
/// let asking = hybi_tokio::client(&client, "ws://example.org/garden", ours);
/// let (_ws, (_other_end, response)) = tokio::try_join!(serving, asking)?;
/// assert_eq!(response.headers()["X-Room"], "/garden");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`accept`]; what is not HTTP, too large or too slow has been refused.
pub async fn incoming<S>(server: &Server, stream: S) -> Result<Incoming<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let timer = TokioTimer::default();
    let deadline = server.config().handshake_deadline(timer.now());
    opening::incoming(server, TokioIo::new(stream), timer, deadline).await
}

/// Accepts a WebSocket on `stream` through TLS, as `server` and `acceptor` say.
///
/// TLS and the opening handshake share one deadline, and the server's own origin is `https`.
///
/// ```
/// use std::sync::Arc;
/// use hybi_tokio::{Error, Server, rustls, tokio_rustls::TlsAcceptor};
/// use tokio::net::TcpListener;
///
/// async fn serve(listener: TcpListener, config: Arc<rustls::ServerConfig>) -> Result<(), Error> {
///     let server = Server::default();
///     let acceptor = TlsAcceptor::from(config);
///     let (stream, _address) = listener.accept().await?;
///     let mut ws = hybi_tokio::accept_tls(&server, &acceptor, stream).await?;
///     while let Some(message) = ws.recv().await? {
///         ws.feed(message).await?;
///     }
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// As [`accept`]; [`Error::Opening`] also if TLS failed.
#[cfg(feature = "rustls")]
pub async fn accept_tls<S>(
    server: &Server,
    acceptor: &TlsAcceptor,
    stream: S,
) -> Result<WebSocket<TlsStream<S>>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    incoming_tls(server, acceptor, stream).await?.accept().await
}

/// Reads a request from `stream` through TLS and leaves the decision to the caller, as
/// [`incoming`] does.
///
/// ```
/// use hybi_tokio::{Error, Server, http::Response, tokio_rustls::TlsAcceptor};
/// use tokio::net::TcpStream;
///
/// /// A page and a WebSocket on one port.
/// async fn serve(server: &Server, tls: &TlsAcceptor, stream: TcpStream) -> Result<(), Error> {
///     let incoming = hybi_tokio::incoming_tls(server, tls, stream).await?;
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
pub async fn incoming_tls<S>(
    server: &Server,
    acceptor: &TlsAcceptor,
    stream: S,
) -> Result<Incoming<TlsStream<S>>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut timer = TokioTimer::default();
    let deadline = server.config().handshake_deadline(timer.now());
    // Boxed, as all that only the opening needs: tasks live on for as long as their connections.
    let handshake = Box::pin(acceptor.accept(stream));
    let stream = opening::tls("the client", &mut timer, deadline, handshake).await?;
    let server = server.clone().with_secure(true);
    opening::incoming(&server, TokioIo::new(stream), timer, deadline).await
}

/// The WebSocket on a stream that an HTTP framework handed over after [`Server::upgrade`]; for
/// bytes that it read too many, see [`Upgrade::with_input`].
///
/// ```
/// use hybi_tokio::{Error, Upgrade};
/// use tokio::io::{AsyncRead, AsyncWrite};
///
/// /// After an HTTP framework sent the response and handed over `stream`.
/// async fn serve<S>(upgrade: Upgrade, stream: S) -> Result<(), Error>
/// where
///     S: AsyncRead + AsyncWrite + Unpin,
/// {
///     let mut ws = hybi_tokio::upgraded(upgrade, stream);
///     while let Some(message) = ws.recv().await? {
///         ws.feed(message).await?;
///     }
///     Ok(())
/// }
/// ```
pub fn upgraded<S>(upgrade: Upgrade, stream: S) -> WebSocket<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    upgrade.into_websocket(TokioIo::new(stream), TokioTimer::default())
}
