//! Stream: what connections of clients and servers go through, plain or TLS, as one type.

use core::task::{Context, Poll};
use std::{
    io::{self, IoSlice},
    net::TcpStream,
    sync::Arc,
};

use hybi::io::Transport;

#[cfg(feature = "rustls")]
use crate::TlsStream;
use crate::{BlockingIo, Socket};

/// What `connect` and its kin connect through and `accept` and its kin accept on: TCP, or TLS over TCP. It is the same
/// type in every build, so that one function can serve all of them.
///
/// ```
/// use hybi_blocking::{Error, WebSocket};
///
/// /// Whoever asked: a client, a server, with or without TLS.
/// fn talk(mut ws: WebSocket) -> Result<(), Error> {
///     let peer = ws.transport().tcp().peer_addr()?;
///     ws.send(format!("hello, {peer}"))?;
///     while ws.recv()?.is_some() {}
///     Ok(())
/// }
/// ```
pub type Stream = MaybeTls<TcpStream>;

/// A socket, through TLS or not.
///
/// ```
/// use hybi_blocking::{MaybeTls, WebSocket};
///
/// fn is_plain(ws: &WebSocket) -> bool {
///     matches!(ws.transport(), MaybeTls::Plain(_))
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum MaybeTls<S> {
    /// No TLS.
    Plain(BlockingIo<S>),
    /// TLS, as client or as server. Boxed, so that others pay for none of its state.
    #[cfg(feature = "rustls")]
    Tls(Box<TlsStream<BlockingIo<S>>>),
    /// TLS within TLS: through a proxy that is spoken to by TLS itself.
    #[cfg(feature = "rustls")]
    Nested(Box<TlsStream<Self>>),
}

/// A plain one.
impl<S> From<BlockingIo<S>> for MaybeTls<S> {
    fn from(socket: BlockingIo<S>) -> Self {
        Self::Plain(socket)
    }
}

impl<S: Socket> MaybeTls<S> {
    /// The socket underneath, for its addresses and options.
    #[must_use]
    pub fn tcp(&self) -> &S {
        match self {
            Self::Plain(stream) => stream.get_ref(),
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => stream.get_ref().get_ref(),
            #[cfg(feature = "rustls")]
            Self::Nested(stream) => stream.get_ref().tcp(),
        }
    }

    pub(crate) const fn socket(&self) -> &Arc<S> {
        match self {
            Self::Plain(stream) => stream.socket(),
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => stream.get_ref().socket(),
            #[cfg(feature = "rustls")]
            Self::Nested(stream) => stream.get_ref().socket(),
        }
    }
}

impl<S: Socket> Transport for MaybeTls<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => stream.poll_read(cx, chunk),
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => stream.poll_read(cx, chunk),
            #[cfg(feature = "rustls")]
            Self::Nested(stream) => stream.poll_read(cx, chunk),
        }
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => stream.poll_write(cx, slices),
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => stream.poll_write(cx, slices),
            #[cfg(feature = "rustls")]
            Self::Nested(stream) => stream.poll_write(cx, slices),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => stream.poll_flush(cx),
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => stream.poll_flush(cx),
            #[cfg(feature = "rustls")]
            Self::Nested(stream) => stream.poll_flush(cx),
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => stream.poll_shutdown(cx),
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => stream.poll_shutdown(cx),
            #[cfg(feature = "rustls")]
            Self::Nested(stream) => stream.poll_shutdown(cx),
        }
    }
}
