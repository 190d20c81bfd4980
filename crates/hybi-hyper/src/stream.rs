//! Stream: what hyper hands over when a request was answered (RFC 9110 section 7.8).

use core::{
    pin::Pin,
    task::{Context, Poll},
};
use std::io::{self, IoSlice};

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a [`WebSocket`](crate::WebSocket) in hyper is over: the connection that brought the request.
///
/// ```
/// use hybi_hyper::{Error, WebSocket};
///
/// async fn talk(mut ws: WebSocket) -> Result<(), Error> {
///     // What hyper handed over, for whoever knows what is underneath.
///     let _upgraded = ws.transport().get_ref().upgraded();
///     while ws.recv().await?.is_some() {}
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Stream {
    io: TokioIo<Upgraded>,
}

impl Stream {
    pub(crate) fn new(upgraded: Upgraded) -> Self {
        Self { io: TokioIo::new(upgraded) }
    }

    /// What hyper handed over.
    #[must_use]
    pub fn upgraded(&self) -> &Upgraded {
        self.io.inner()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
