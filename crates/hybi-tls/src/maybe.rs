//! A stream with the futures-io traits, through TLS or not, as one type.

use core::{
    pin::Pin,
    task::{Context, Poll},
};
use std::io::{self, IoSlice};

use futures_io::{AsyncRead, AsyncWrite};
#[cfg(feature = "futures-rustls")]
use futures_rustls::{TlsConnector, TlsStream, client, server};

#[cfg(feature = "futures-rustls")]
use crate::Needs;

/// A stream that is plain or encrypted. Adapters over other traits than those of futures-io have one of their own.
///
/// ```
/// use hybi_tls::MaybeTls;
///
/// fn is_plain<S>(stream: &MaybeTls<S>) -> bool {
///     matches!(stream, MaybeTls::Plain(_))
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum MaybeTls<S> {
    /// No TLS.
    Plain(S),
    /// TLS, as client or as server. Boxed, so that others pay for none of its state.
    #[cfg(feature = "futures-rustls")]
    Tls(Box<TlsStream<S>>),
    /// TLS within TLS: through a proxy that is spoken to by TLS itself.
    #[cfg(feature = "futures-rustls")]
    Nested(Box<TlsStream<Self>>),
}

impl<S> MaybeTls<S> {
    /// The stream underneath: in what adapters make that of TCP, for its addresses and options.
    pub fn tcp(&self) -> &S {
        match self {
            Self::Plain(stream) => stream,
            #[cfg(feature = "futures-rustls")]
            Self::Tls(stream) => stream.get_ref().0,
            #[cfg(feature = "futures-rustls")]
            Self::Nested(stream) => stream.get_ref().0.tcp(),
        }
    }
}

#[cfg(feature = "futures-rustls")]
impl<S: AsyncRead + AsyncWrite + Unpin> MaybeTls<S> {
    /// Begins TLS as client over a stream, be it through TLS itself.
    ///
    /// # Errors
    ///
    /// Whatever TLS reports.
    pub async fn connect(needs: Needs, stream: Self) -> io::Result<Self> {
        let connector = TlsConnector::from(needs.config);
        match stream {
            Self::Plain(stream) => Ok(connector.connect(needs.name, stream).await?.into()),
            stream => {
                let nested = connector.connect(needs.name, stream).await?;
                Ok(Self::Nested(Box::new(nested.into())))
            }
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
#[cfg(feature = "futures-rustls")]
impl<S> From<client::TlsStream<S>> for MaybeTls<S> {
    fn from(stream: client::TlsStream<S>) -> Self {
        Self::Tls(Box::new(stream.into()))
    }
}

/// TLS as server, whose handshake is over.
#[cfg(feature = "futures-rustls")]
impl<S> From<server::TlsStream<S>> for MaybeTls<S> {
    fn from(stream: server::TlsStream<S>) -> Self {
        Self::Tls(Box::new(stream.into()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for MaybeTls<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        chunk: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, chunk),
            #[cfg(feature = "futures-rustls")]
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, chunk),
            #[cfg(feature = "futures-rustls")]
            Self::Nested(stream) => Pin::new(stream).poll_read(cx, chunk),
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
            #[cfg(feature = "futures-rustls")]
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            #[cfg(feature = "futures-rustls")]
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
            #[cfg(feature = "futures-rustls")]
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            #[cfg(feature = "futures-rustls")]
            Self::Nested(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            #[cfg(feature = "futures-rustls")]
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            #[cfg(feature = "futures-rustls")]
            Self::Nested(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_close(cx),
            #[cfg(feature = "futures-rustls")]
            Self::Tls(stream) => Pin::new(stream).poll_close(cx),
            #[cfg(feature = "futures-rustls")]
            Self::Nested(stream) => Pin::new(stream).poll_close(cx),
        }
    }
}
