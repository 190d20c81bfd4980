//! From a stream that a listener accepted to an open WebSocket.

use hybi::{Error, Server, Upgrade, io::Timer, opening};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{TokioIo, TokioTimer, WebSocket};

/// A request that has been read and waits for an answer; see [`hybi::Incoming`].
pub type Incoming<S> = hybi::Incoming<TokioIo<S>, TokioTimer>;

/// Accepts a WebSocket on `stream`, with defaults that are safe on the open internet.
///
/// Requests from web pages of other origins are refused; see [`Server`] for that and more.
///
/// # Errors
///
/// [`Error::Handshake`] if the request was refused, with an answer that says why;
/// [`Error::Transport`], [`Error::Lost`] or [`Error::Timeout`] if there was none to answer.
pub async fn accept<S>(stream: S) -> Result<WebSocket<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    accept_with(&Server::default(), stream).await
}

/// Accepts a WebSocket on `stream` as `server` says.
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

/// The WebSocket on a stream that an HTTP framework handed over after [`Server::upgrade`]; for
/// bytes that it read too many, see [`Upgrade::with_input`].
pub fn upgraded<S>(upgrade: Upgrade, stream: S) -> WebSocket<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    upgrade.into_websocket(TokioIo::new(stream), TokioTimer::default())
}
