//! From a URI to an open WebSocket.

use std::time::Instant;

use hybi::{Client, Error, WsUri, io::Timer, opening};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
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
/// ```no_run
/// # async fn example() -> Result<(), hybi_tokio::Error> {
/// let (mut ws, response) = hybi_tokio::connect("ws://127.0.0.1:8080/echo").await?;
/// println!("served by {:?}", response.headers().get("Server"));
/// ws.send("hello").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Uri`]; [`Error::Opening`] if nobody is there; [`Error::Handshake`] if the server
/// refused (the whole response is in the error) or broke a rule; [`Error::Timeout`];
/// [`Error::TlsNotCompiledIn`] for `wss` without the feature.
pub async fn connect(uri: &str) -> Result<(WebSocket, http::Response<()>), Error> {
    connect_with(&Client::default(), uri).await
}

/// Connects to a `ws` or `wss` URI as `client` says.
///
/// ```no_run
/// # async fn example() -> Result<(), hybi_tokio::Error> {
/// use hybi_tokio::{Client, Config};
///
/// let client = Client::builder()
///     .header("Authorization", "Bearer 1234")
///     .subprotocol("chat.v2")
///     .config(Config::default().max_message(1024 * 1024))
///     .build()?;
/// let (ws, _response) = hybi_tokio::connect_with(&client, "ws://127.0.0.1:8080/chat").await?;
/// assert_eq!(ws.subprotocol(), Some("chat.v2"));
/// # Ok(())
/// # }
/// ```
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
/// ```no_run
/// # #[cfg(unix)]
/// # async fn example() -> Result<(), hybi_tokio::Error> {
/// use hybi_tokio::Client;
/// use tokio::net::UnixStream;
///
/// let stream = UnixStream::connect("/run/chat.socket").await?;
/// let client = Client::default();
/// let (mut ws, _response) = hybi_tokio::client(&client, "ws://localhost/chat", stream).await?;
/// ws.send("hello").await?;
/// # Ok(())
/// # }
/// ```
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
///
/// ```no_run
/// # async fn example() -> Result<(), hybi_tokio::Error> {
/// use hybi_tokio::{Client, Connector};
///
/// let connector = Connector::new();
/// let client = Client::default();
/// let (first, _response) = connector.connect(&client, "ws://127.0.0.1:8080/chat").await?;
/// let (second, _response) = connector.connect(&client, "ws://127.0.0.1:8080/news").await?;
/// # let _ = (first, second);
/// # Ok(())
/// # }
/// ```
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
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hybi_tokio::{Connector, rustls};
    ///
    /// // Trusts nobody but one authority of our own.
    /// let mut roots = rustls::RootCertStore::empty();
    /// # let authority = rustls::pki_types::CertificateDer::from(Vec::new());
    /// # let _ =
    /// roots.add(authority);
    /// let provider = Arc::new(rustls::crypto::ring::default_provider());
    /// let config = rustls::ClientConfig::builder_with_provider(provider)
    ///     .with_safe_default_protocol_versions()?
    ///     .with_root_certificates(roots)
    ///     .with_no_client_auth();
    /// let connector = Connector::new().rustls(Arc::new(config));
    /// # Ok::<(), rustls::Error>(())
    /// ```
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn rustls(mut self, config: std::sync::Arc<rustls::ClientConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Connects to a `ws` or `wss` URI as `client` says, anew for each version that it may
    /// [fall back](Client::fall_back) to. One deadline is for all attempts.
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
        let deadline = client.config().handshake_deadline(TokioTimer::default().now());
        let connect = || async {
            let mut timer = TokioTimer::default();
            let stream = self.stream(&uri, &mut timer, deadline).await?;
            Ok((TokioIo::new(stream), timer))
        };
        opening::connect(client, &uri, deadline, connect).await
    }

    #[cfg(not(feature = "rustls"))]
    async fn stream(
        &self,
        uri: &WsUri,
        timer: &mut TokioTimer,
        deadline: Instant,
    ) -> Result<Stream, Error> {
        if uri.is_secure() {
            return Err(Error::TlsNotCompiledIn {
                feature: "`rustls-native-roots` or `rustls-webpki-roots` of `hybi-tokio`",
            });
        }
        tcp(uri, timer, deadline).await
    }

    #[cfg(feature = "rustls")]
    async fn stream(
        &self,
        uri: &WsUri,
        timer: &mut TokioTimer,
        deadline: Instant,
    ) -> Result<Stream, Error> {
        if !uri.is_secure() {
            return Ok(Stream::Plain(tcp(uri, timer, deadline).await?));
        }
        let config = match &self.tls {
            Some(config) => config.clone(),
            None => crate::tls::default_config()?,
        };
        let name = crate::tls::server_name(uri)?;
        let stream = tcp(uri, timer, deadline).await?;
        let handshake = tokio_rustls::TlsConnector::from(config).connect(name, stream);
        let stream = opening::tls(uri.host(), timer, deadline, handshake).await?;
        Ok(Stream::Tls(Box::new(stream)))
    }
}

async fn tcp(uri: &WsUri, timer: &mut TokioTimer, deadline: Instant) -> Result<TcpStream, Error> {
    let host = (uri.host(), uri.port());
    opening::dial(host, timer, deadline, lookup_host(host), |address| async move {
        let stream = TcpStream::connect(address).await?;
        // Frames are written whole; holding back the last piece of one only adds delay.
        stream.set_nodelay(true)?;
        Ok(stream)
    })
    .await
}
