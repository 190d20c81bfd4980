//! The stream of a connection: TCP or TLS, as one type.

use async_std::net::TcpStream;

/// A stream that is plain or encrypted.
///
/// ```
/// use hybi_async_std::{MaybeTls, WebSocket};
///
/// fn is_plain(ws: &WebSocket) -> bool {
///     matches!(ws.transport().get_ref(), MaybeTls::Plain(_))
/// }
/// ```
pub use hybi_tls::MaybeTls;

/// What `connect` and its kin connect through and `accept` and its kin accept on: TCP, or TLS over TCP. It is the same
/// type in every build, so that one function can serve all of them.
///
/// ```
/// use hybi_async_std::{Error, WebSocket};
///
/// /// Whoever asked: a client, a server, with or without TLS.
/// async fn talk(mut ws: WebSocket) -> Result<(), Error> {
///     let peer = ws.transport().get_ref().tcp().peer_addr()?;
///     ws.send(format!("hello, {peer}")).await?;
///     while ws.recv().await?.is_some() {}
///     Ok(())
/// }
/// ```
pub type Stream = MaybeTls<TcpStream>;
