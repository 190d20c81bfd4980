//! Transport over anything with tokio's I/O traits.

use core::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};
use std::io::{self, IoSlice};

use hybi::{bytes::BufMut, io::Transport};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// A stream that a [`WebSocket`](crate::WebSocket) can be over: anything with tokio's I/O traits.
///
/// It is the one bound of a function for all of them; what is spawned has to be `Send + 'static` as well.
///
/// ```
/// use hybi_tokio::{Error, Socket, WebSocket};
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

/// A stream with tokio's I/O traits as a [`Transport`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), hybi_tokio::Error> {
/// use hybi_tokio::{Client, TokioIo, TokioTimer, opening};
///
/// // What `hybi_tokio::connect_on` does, from the parts.
/// # let (ours, theirs) = tokio::io::duplex(4096);
/// # let stream = ours;
/// # tokio::spawn(async { hybi_tokio::accept_on(&hybi_tokio::Server::default(), theirs).await });
/// let client = Client::default();
/// let (timer, deadline) = opening::begin::<TokioTimer>(client.config());
/// let (ws, _response) =
///     opening::connect_on(&client, "ws://example.org/", TokioIo::new(stream), timer, deadline).await?;
/// # let _ = ws.transport().get_ref();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TokioIo<S>(S);

impl<S> TokioIo<S> {
    /// Wraps a stream.
    pub fn new(stream: S) -> Self {
        Self(stream)
    }

    /// The stream.
    pub fn get_ref(&self) -> &S {
        &self.0
    }

    /// The stream, back.
    pub fn into_inner(self) -> S {
        self.0
    }
}

impl<S: Socket> Transport for TokioIo<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut chunk = ReadBuf::new(chunk);
        ready!(Pin::new(&mut self.0).poll_read(cx, &mut chunk))?;
        Poll::Ready(Ok(chunk.filled().len()))
    }

    fn poll_read_direct<B: BufMut>(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut B,
    ) -> Poll<io::Result<usize>> {
        // The future holds no state of its own, so dropping it when pending loses nothing.
        pin!(self.0.read_buf(buffer)).poll(cx)
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match slices {
            [slice] => Pin::new(&mut self.0).poll_write(cx, slice),
            slices => Pin::new(&mut self.0).poll_write_vectored(cx, slices),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Frames are written whole; holding back the last piece of one only adds delay. Where it cannot be had, as
/// on a socket that is none of TCP, delay is all that comes of it.
pub(crate) fn without_delay(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
}
