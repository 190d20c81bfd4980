//! TLS as client: the stream that may or may not be encrypted, and what it trusts by default.

use core::{
    pin::Pin,
    task::{Context, Poll},
};
use std::{
    io::{self, IoSlice},
    sync::Arc,
};

use hybi::{Error, OpeningError, WsUri};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

/// A stream that is plain for `ws` and encrypted for `wss`.
///
/// ```
/// use hybi_tokio::{MaybeTls, WebSocket};
///
/// /// Whether what `connect` made is encrypted.
/// fn is_secure(ws: &WebSocket) -> bool {
///     matches!(ws.transport().get_ref(), MaybeTls::Tls(_))
/// }
/// ```
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "complete: encrypted or not")]
pub enum MaybeTls<S> {
    /// No TLS.
    Plain(S),
    /// TLS as client.
    Tls(Box<TlsStream<S>>),
}

/// The configuration of a `wss` connection if the caller brought none.
#[cfg(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots"))]
pub(crate) fn default_config() -> Result<Arc<ClientConfig>, Error> {
    use std::sync::OnceLock;
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(config.clone());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots())
        .with_no_client_auth();
    Ok(CONFIG.get_or_init(|| Arc::new(config)).clone())
}

#[cfg(not(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots")))]
pub(crate) fn default_config() -> Result<Arc<ClientConfig>, Error> {
    Err(Error::TlsNotCompiledIn {
        feature: "`rustls-native-roots` or `rustls-webpki-roots` of `hybi-tokio`, or give \
                  `Connector::rustls` a configuration",
    })
}

/// All the roots that the features name.
#[cfg(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots"))]
fn roots() -> rustls::RootCertStore {
    let mut roots = rustls::RootCertStore::empty();
    #[cfg(feature = "rustls-native-roots")]
    // A root that cannot be read or parsed is as good as absent; the others still count.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    #[cfg(feature = "rustls-webpki-roots")]
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    roots
}

pub(crate) fn server_name(uri: &WsUri) -> Result<ServerName<'static>, Error> {
    let name = ServerName::try_from(uri.host().to_owned());
    name.map_err(|error| {
        let error = io::Error::new(io::ErrorKind::InvalidInput, error);
        OpeningError::Tls { peer: uri.host().to_owned(), error }.into()
    })
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for MaybeTls<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
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
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
