//! From a stream that a listener accepted to an open WebSocket.

use futures_io::{AsyncRead, AsyncWrite};
use hybi::{Error, Server, Upgrade, io::Timer, opening};

use crate::{AsyncStdIo, AsyncStdTimer, WebSocket};

/// A request that has been read and waits for an answer; see [`hybi::Incoming`].
///
/// ```
/// # fn main() -> Result<(), hybi_async_std::Error> {
/// # async_std::task::block_on(async {
/// use async_std::net::{TcpListener, TcpStream};
/// use hybi_async_std::{Client, Error, Server};
///
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let ours = TcpStream::connect(listener.local_addr()?).await?;
/// let (theirs, _address) = listener.accept().await?;
/// let serving = async_std::task::spawn(async move {
///     let incoming = hybi_async_std::incoming(&Server::default(), theirs).await?;
///     let response = http::Response::builder().status(404).body("no such room");
///     incoming.respond(response.expect("a valid response")).await;
///     Ok::<(), Error>(())
/// });
/// let client = Client::default();
/// let refused = hybi_async_std::client(&client, "ws://example.org/cellar", ours).await;
/// assert!(refused.expect_err("there is no cellar").handshake().is_some());
/// serving.await?;
/// # Ok(())
/// # })
/// # }
/// ```
pub type Incoming<S> = hybi::Incoming<AsyncStdIo<S>, AsyncStdTimer>;

/// Accepts a WebSocket on `stream`, with defaults that are safe on the open internet.
///
/// Requests from web pages of other origins are refused; see [`Server`] for that and more.
///
/// ```
/// # fn main() -> Result<(), hybi_async_std::Error> {
/// # async_std::task::block_on(async {
/// use async_std::net::{TcpListener, TcpStream};
/// use hybi_async_std::{Client, Error};
///
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let ours = TcpStream::connect(listener.local_addr()?).await?;
/// let (theirs, _address) = listener.accept().await?;
/// async_std::task::spawn(async move {
///     let mut ws = hybi_async_std::accept(theirs).await?;
///     while let Some(message) = ws.recv().await? {
///         ws.feed(message).await?;
///     }
///     Ok::<(), Error>(())
/// });
///
/// let (mut ws, _response) =
///     hybi_async_std::client(&Client::default(), "ws://example.org/", ours).await?;
/// ws.send("hello").await?;
/// assert_eq!(ws.recv().await?, Some("hello".into()));
/// # Ok(())
/// # })
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Handshake`] if the request was refused, with an answer that says why;
/// [`Error::Opening`] or [`Error::Timeout`] if there was none to answer.
pub async fn accept<S>(stream: S) -> Result<WebSocket<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    accept_with(&Server::default(), stream).await
}

/// Accepts a WebSocket on `stream` as `server` says.
///
/// ```
/// # fn main() -> Result<(), hybi_async_std::Error> {
/// # async_std::task::block_on(async {
/// use async_std::net::{TcpListener, TcpStream};
/// use hybi_async_std::{Client, Config, Server};
///
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let ours = TcpStream::connect(listener.local_addr()?).await?;
/// let (theirs, _address) = listener.accept().await?;
/// let config = Config::default().max_message(64 * 1024);
/// let server = Server::builder().subprotocols(["chat.v2"]).config(config).build();
/// let accepting = async_std::task::spawn(async move {
///     hybi_async_std::accept_with(&server, theirs).await
/// });
/// let client = Client::builder().subprotocol("chat.v2").build()?;
/// let connected = hybi_async_std::client(&client, "ws://example.org/", ours).await?;
/// assert_eq!(accepting.await?.subprotocol(), Some("chat.v2"));
/// # let _ = connected;
/// # Ok(())
/// # })
/// # }
/// ```
///
/// # Errors
///
/// As [`accept`].
pub async fn accept_with<S>(server: &Server, stream: S) -> Result<WebSocket<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let timer = AsyncStdTimer::default();
    let deadline = server.config().handshake_deadline(timer.now());
    opening::accept(server, AsyncStdIo::new(stream), timer, deadline).await
}

/// Reads a request from `stream` and leaves the decision to the caller: to accept or reject it,
/// or to answer with plain HTTP.
///
/// ```
/// # fn main() -> Result<(), hybi_async_std::Error> {
/// # async_std::task::block_on(async {
/// use async_std::net::{TcpListener, TcpStream};
/// use hybi_async_std::{Client, Server};
///
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let ours = TcpStream::connect(listener.local_addr()?).await?;
/// let (theirs, _address) = listener.accept().await?;
/// let accepting = async_std::task::spawn(async move {
///     let incoming = hybi_async_std::incoming(&Server::default(), theirs).await?;
///     // It may depend on the request: on a path, a cookie, a header field.
///     let accepted = incoming.check()?.with_header("X-Room", incoming.request().uri().path())?;
///     incoming.accept_as(accepted).await
/// });
/// let (_ws, response) =
///     hybi_async_std::client(&Client::default(), "ws://example.org/garden", ours).await?;
/// assert_eq!(response.headers()["X-Room"], "/garden");
/// accepting.await?;
/// # Ok(())
/// # })
/// # }
/// ```
///
/// # Errors
///
/// As [`accept`]; what is not HTTP, too large or too slow has been refused.
pub async fn incoming<S>(server: &Server, stream: S) -> Result<Incoming<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let timer = AsyncStdTimer::default();
    let deadline = server.config().handshake_deadline(timer.now());
    opening::incoming(server, AsyncStdIo::new(stream), timer, deadline).await
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
pub fn upgraded<S>(upgrade: Upgrade, stream: S) -> WebSocket<S>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    upgrade.into_websocket(AsyncStdIo::new(stream), AsyncStdTimer::default())
}
