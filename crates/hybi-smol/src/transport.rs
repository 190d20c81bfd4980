//! Transport over smol's streams: that of the futures-io traits, as it is.

use async_net::TcpStream;
use futures_io::{AsyncRead, AsyncWrite};

/// A stream with the futures-io traits as a [`Transport`](hybi::io::Transport).
///
/// Closing smol's sockets ends their sending half while reading goes on, as RFC 6455 section 7.1.1 wants it, so
/// that nothing is to be added.
///
/// ```no_run
/// # async fn example() -> Result<(), hybi_smol::Error> {
/// use hybi_smol::{Client, SmolIo, SmolTimer, opening};
/// use smol::net::TcpStream;
///
/// // What `hybi_smol::connect_on` does, from the parts.
/// let stream = TcpStream::connect("127.0.0.1:8080").await?;
/// let client = Client::default();
/// let (timer, deadline) = opening::begin::<SmolTimer>(client.config());
/// let (ws, _response) =
///     opening::connect_on(&client, "ws://127.0.0.1:8080/", SmolIo::new(stream), timer, deadline).await?;
/// # let _ = ws;
/// # Ok(())
/// # }
/// ```
pub use hybi::io::FuturesIo as SmolIo;

/// A stream that a [`WebSocket`](crate::WebSocket) can be over: anything with the futures-io traits.
///
/// It is the one bound of a function for all of them; what is spawned has to be `Send + 'static` as well.
///
/// ```
/// use hybi_smol::{Error, Socket, WebSocket};
///
/// async fn echo<S: Socket>(mut ws: WebSocket<S>) -> Result<(), Error> {
///     while let Some(message) = ws.recv().await? {
///         ws.feed(message).await?;
///     }
///     Ok(())
/// }
/// ```
pub trait Socket: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket for S {}

/// Frames are written whole; holding back the last piece of one only adds delay. Where it cannot be had, as
/// on a socket that is none of TCP, delay is all that comes of it.
pub(crate) fn without_delay(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
}
