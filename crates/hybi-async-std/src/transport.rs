//! Transport over async-std's streams: that of the futures-io traits, and the FIN that they leave out.

use core::{
    any::Any,
    task::{Context, Poll, ready},
};
use std::{
    io::{self, IoSlice},
    net::Shutdown,
};

use async_std::net::TcpStream;
#[cfg(unix)]
use async_std::os::unix::net::UnixStream;
use futures_io::{AsyncRead, AsyncWrite};
use hybi::io::{FuturesIo, Transport};
#[cfg(feature = "rustls")]
use hybi_tls::futures_rustls::{TlsStream, client, server};

use crate::Stream;

/// A stream that a [`WebSocket`](crate::WebSocket) can be over: anything with the futures-io traits.
///
/// It is the one bound of a function for all of them; what is spawned has to be `Send` as well.
///
/// ```
/// use hybi_async_std::{Error, Socket, WebSocket};
///
/// async fn echo<S: Socket>(mut ws: WebSocket<S>) -> Result<(), Error> {
///     while let Some(message) = ws.recv().await? {
///         ws.feed(message).await?;
///     }
///     Ok(())
/// }
/// ```
pub trait Socket: AsyncRead + AsyncWrite + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + 'static> Socket for S {}

/// A stream with the futures-io traits as a [`Transport`].
///
/// Closing async-std's sockets only flushes them. RFC 6455 section 7.1.1 wants the sending half ended while
/// reading goes on, so a [`TcpStream`], also below TLS, and a Unix socket are shut down by their own method; other
/// streams end with what their `poll_close` does.
///
/// ```no_run
/// # async fn example() -> Result<(), hybi_async_std::Error> {
/// use async_std::net::TcpStream;
/// use hybi_async_std::{AsyncStdIo, AsyncStdTimer, Client, opening};
///
/// // What `hybi_async_std::connect_on` does, from the parts.
/// let stream = TcpStream::connect("127.0.0.1:8080").await?;
/// let client = Client::default();
/// let (timer, deadline) = opening::begin::<AsyncStdTimer>(client.config());
/// let (ws, _response) =
///     opening::connect_on(&client, "ws://127.0.0.1:8080/", AsyncStdIo::new(stream), timer, deadline).await?;
/// # let _ = ws;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AsyncStdIo<S>(FuturesIo<S>);

impl<S> AsyncStdIo<S> {
    /// Wraps a stream.
    pub fn new(stream: S) -> Self {
        Self(FuturesIo::new(stream))
    }

    /// The stream.
    pub fn get_ref(&self) -> &S {
        self.0.get_ref()
    }

    /// The stream, back.
    pub fn into_inner(self) -> S {
        self.0.into_inner()
    }
}

impl<S: Socket> Transport for AsyncStdIo<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0.poll_read(cx, chunk)
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, slices)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.0.poll_shutdown(cx))?;
        Poll::Ready(end(self.0.get_ref()))
    }
}

/// Ends the sending half of the socket that this stream is, or has below it.
fn end(stream: &dyn Any) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(unix) = stream.downcast_ref::<UnixStream>() {
        return unix.shutdown(Shutdown::Write);
    }
    tcp(stream).map_or(Ok(()), |tcp| tcp.shutdown(Shutdown::Write))
}

fn tcp(stream: &dyn Any) -> Option<&TcpStream> {
    if let Some(stream) = stream.downcast_ref::<Stream>() {
        return Some(stream.tcp());
    }
    #[cfg(feature = "rustls")]
    if let Some(stream) = stream.downcast_ref::<TlsStream<TcpStream>>() {
        return Some(stream.get_ref().0);
    } else if let Some(stream) = stream.downcast_ref::<client::TlsStream<TcpStream>>() {
        return Some(stream.get_ref().0);
    } else if let Some(stream) = stream.downcast_ref::<server::TlsStream<TcpStream>>() {
        return Some(stream.get_ref().0);
    }
    stream.downcast_ref()
}

/// Frames are written whole; holding back the last piece of one only adds delay. Where it cannot be had, as
/// on a socket that is none of TCP, delay is all that comes of it.
pub(crate) fn without_delay(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
}
