//! From a URI to an open WebSocket.

use hybi::{Client, Deadline, Error, WsUri, io::Timer, opening};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use crate::{TokioIo, TokioTimer, WebSocket};

/// What [`connect`] connects through: TCP, or TLS over TCP if that is compiled in.
#[cfg(not(feature = "rustls"))]
pub type Stream = TcpStream;

/// What [`connect`] connects through: TCP, or TLS over TCP if that is compiled in.
#[cfg(feature = "rustls")]
pub type Stream = crate::tls::MaybeTls<TcpStream>;

/// Connects to a `ws` or `wss` URI.
///
/// Returns the connection and the server's response, whose header fields may be of interest.
///
/// # Errors
///
/// [`Error::Uri`]; [`Error::Transport`] if nobody is there; [`Error::Handshake`] if the server
/// refused (the whole response is in the error) or broke a rule; [`Error::Timeout`];
/// [`Error::TlsNotCompiledIn`] for `wss` without the feature.
pub async fn connect(uri: &str) -> Result<(WebSocket, http::Response<()>), Error> {
    connect_with(&Client::default(), uri).await
}

/// Connects to a `ws` or `wss` URI as `client` says.
///
/// # Errors
///
/// As [`connect`].
pub async fn connect_with(
    client: &Client,
    uri: &str,
) -> Result<(WebSocket, http::Response<()>), Error> {
    Connector::new().connect(client, uri).await
}

/// Opens a WebSocket on a stream of the caller's making: through a proxy, a Unix socket, TLS.
///
/// # Errors
///
/// As [`connect`].
pub async fn client<S>(
    client: &Client,
    uri: &str,
    stream: S,
) -> Result<(WebSocket<S>, http::Response<()>), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let uri: WsUri = uri.parse()?;
    let timer = TokioTimer::default();
    let deadline = client.config().handshake_deadline(timer.now());
    opening::open_client(client, &uri, TokioIo::new(stream), timer, deadline).await
}

/// How to reach a server: TCP, and TLS for `wss` URIs.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Connector {
    #[cfg(feature = "rustls")]
    tls: Option<std::sync::Arc<rustls::ClientConfig>>,
}

impl Connector {
    /// TCP with `TCP_NODELAY`; TLS, if compiled in, trusts the roots that the features name.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses a TLS configuration of the caller's for `wss` URIs.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn rustls(mut self, config: std::sync::Arc<rustls::ClientConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Connects to a `ws` or `wss` URI as `client` says.
    ///
    /// # Errors
    ///
    /// As [`connect`](crate::connect()).
    pub async fn connect(
        &self,
        client: &Client,
        uri: &str,
    ) -> Result<(WebSocket, http::Response<()>), Error> {
        let uri: WsUri = uri.parse()?;
        let mut timer = TokioTimer::default();
        let deadline = client.config().handshake_deadline(timer.now());
        let stream = opening::within(&mut timer, deadline, self.stream(&uri))
            .await
            .unwrap_or(Err(Error::Timeout(Deadline::Handshake)))?;
        opening::open_client(client, &uri, TokioIo::new(stream), timer, deadline).await
    }

    #[cfg(not(feature = "rustls"))]
    async fn stream(&self, uri: &WsUri) -> Result<Stream, Error> {
        if uri.is_secure() {
            return Err(Error::TlsNotCompiledIn {
                feature: "`rustls-native-roots` or `rustls-webpki-roots` of `hybi-tokio`",
            });
        }
        tcp(uri).await
    }

    #[cfg(feature = "rustls")]
    async fn stream(&self, uri: &WsUri) -> Result<Stream, Error> {
        if !uri.is_secure() {
            return Ok(Stream::Plain(tcp(uri).await?));
        }
        let config = match &self.tls {
            Some(config) => config.clone(),
            None => crate::tls::default_config()?,
        };
        let name = crate::tls::server_name(uri)?;
        let connector = tokio_rustls::TlsConnector::from(config);
        Ok(Stream::Tls(Box::new(connector.connect(name, tcp(uri).await?).await?)))
    }
}

async fn tcp(uri: &WsUri) -> Result<TcpStream, Error> {
    let stream = TcpStream::connect((uri.host(), uri.port())).await?;
    // Frames are written whole; holding back the last piece of one only adds delay.
    stream.set_nodelay(true)?;
    Ok(stream)
}
