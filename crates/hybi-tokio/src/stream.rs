//! Stream: what connections of clients and servers go through, plain or TLS, as one type.

use core::{
    pin::Pin,
    task::{Context, Poll},
};
use std::io::{self, IoSlice};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
#[cfg(feature = "rustls")]
use tokio_rustls::{TlsStream, client, server};

/// What `connect` and its kin connect through and `accept` and its kin accept on: TCP, or TLS over TCP. It is the same
/// type in every build, so that one function can serve all of them.
///
/// ```
/// use hybi_tokio::{Error, WebSocket};
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

/// A stream that is plain or encrypted.
///
/// ```
/// use hybi_tokio::{MaybeTls, WebSocket};
///
/// fn is_plain(ws: &WebSocket) -> bool {
///     matches!(ws.transport().get_ref(), MaybeTls::Plain(_))
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum MaybeTls<S> {
    /// No TLS.
    Plain(S),
    /// TLS, as client or as server. Boxed, so that others pay for none of its state.
    #[cfg(feature = "rustls")]
    Tls(Box<TlsStream<S>>),
    /// TLS within TLS: through a proxy that is spoken to by TLS itself.
    #[cfg(feature = "rustls")]
    Nested(Box<TlsStream<Self>>),
}

impl<S> MaybeTls<S> {
    /// The stream underneath: in what `connect`, `accept` and their kin make that of TCP, for its addresses and options.
    pub fn tcp(&self) -> &S {
        match self {
            Self::Plain(stream) => stream,
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => stream.get_ref().0,
            #[cfg(feature = "rustls")]
            Self::Nested(stream) => stream.get_ref().0.tcp(),
        }
    }

    /// What was agreed on by ALPN to be spoken through TLS (RFC 7301), if anything was.
    ///
    /// ```
    /// use hybi_tokio::Stream;
    ///
    /// fn is_http2(stream: &Stream) -> bool {
    ///     stream.alpn_protocol() == Some(b"h2")
    /// }
    /// ```
    pub fn alpn_protocol(&self) -> Option<&[u8]> {
        match self {
            Self::Plain(_) => None,
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => stream.get_ref().1.alpn_protocol(),
            #[cfg(feature = "rustls")]
            Self::Nested(stream) => stream.get_ref().1.alpn_protocol(),
        }
    }
}

/// A plain stream.
impl<S> From<S> for MaybeTls<S> {
    fn from(stream: S) -> Self {
        Self::Plain(stream)
    }
}

/// TLS as client, whose handshake is over.
#[cfg(feature = "rustls")]
impl<S> From<client::TlsStream<S>> for MaybeTls<S> {
    fn from(stream: client::TlsStream<S>) -> Self {
        Self::Tls(Box::new(stream.into()))
    }
}

/// TLS as server, whose handshake is over.
#[cfg(feature = "rustls")]
impl<S> From<server::TlsStream<S>> for MaybeTls<S> {
    fn from(stream: server::TlsStream<S>) -> Self {
        Self::Tls(Box::new(stream.into()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for MaybeTls<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
            #[cfg(feature = "rustls")]
            Self::Nested(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for MaybeTls<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            #[cfg(feature = "rustls")]
            Self::Nested(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            #[cfg(feature = "rustls")]
            Self::Nested(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => stream.is_write_vectored(),
            #[cfg(feature = "rustls")]
            Self::Nested(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            #[cfg(feature = "rustls")]
            Self::Nested(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            #[cfg(feature = "rustls")]
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            #[cfg(feature = "rustls")]
            Self::Nested(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
