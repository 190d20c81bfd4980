//! From a URI to an open WebSocket.

use core::net::SocketAddr;
use std::io;
#[cfg(unix)]
use std::path::Path;

use async_io::Async;
use async_net::TcpStream;
use hybi::{
    Client, Error, Request, WsUri,
    opening::{self, Dial, Network},
};

use crate::{SmolIo, SmolTimer, Socket, Stream, WebSocket, tls};

/// Connects to a `ws` or `wss` URI.
///
/// Returns the connection and the server's response, whose header fields may be of interest. What is asked
/// for is a string, an [`http::Uri`], or a [`Request`] with fields and subprotocols of this connection alone.
///
/// ```no_run
/// # async fn example() -> Result<(), hybi_smol::Error> {
/// use hybi_smol::Request;
///
/// let (mut ws, response) = hybi_smol::connect("ws://127.0.0.1:8080/echo").await?;
/// println!("served by {:?}", response.headers().get("Server"));
/// ws.send("hello").await?;
///
/// let chat = Request::from("ws://127.0.0.1:8080/chat").header("Cookie", "session=1");
/// let (mut ws, _response) = hybi_smol::connect(chat).await?;
/// # Ok(())
/// # }
/// ```
///
/// It exists with the feature `compression`, and offers permessage-deflate ([`Client::compressing`]); for
/// anything else there is [`connect_with`].
///
/// # Errors
///
/// As [`connect_with`].
#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
pub async fn connect(
    request: impl Into<Request>,
) -> Result<(WebSocket, http::Response<()>), Error> {
    connect_with(&Client::compressing(), request).await
}

/// Connects to a `ws`, `wss` or `ws+unix` URI as `client` says: [`Client::default`] offers no extension.
///
/// ```no_run
/// # async fn example() -> Result<(), hybi_smol::Error> {
/// use hybi_smol::Client;
///
/// let client = Client::builder()
///     .header("Authorization", "Bearer 1234")
///     .subprotocol("chat.v2")
///     .build()?;
/// let (ws, _response) =
///     hybi_smol::connect_with(&client, "ws://127.0.0.1:8080/chat").await?;
/// assert_eq!(ws.subprotocol(), Some("chat.v2"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Uri`] and [`Error::Field`] for a request that cannot be sent; [`Error::Opening`] if nobody is there; [`Error::Handshake`] if the server
/// refused (the whole response is in the error) or broke a rule; [`Error::Timeout`];
/// [`Error::TlsNotCompiledIn`] for `wss` without the feature.
pub async fn connect_with(
    client: &Client,
    request: impl Into<Request>,
) -> Result<(WebSocket, http::Response<()>), Error> {
    Connector::new().connect(client, request).await
}

/// Connects on a stream of the caller's making, which is left as it is: through a proxy, a Unix socket, TLS.
///
/// The other end of the pair is [`accept_on`](crate::accept_on).
///
/// ```no_run
/// # #[cfg(unix)]
/// # async fn example() -> Result<(), hybi_smol::Error> {
/// use hybi_smol::Client;
/// use smol::net::unix::UnixStream;
///
/// let stream = UnixStream::connect("/run/chat.socket").await?;
/// let client = Client::default();
/// let (mut ws, _response) =
///     hybi_smol::connect_on(&client, "ws://localhost/chat", stream).await?;
/// ws.send("hello").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`connect_with`].
pub fn connect_on<S: Socket>(
    client: &Client,
    request: impl Into<Request>,
    stream: S,
) -> impl Future<Output = Result<(WebSocket<S>, http::Response<()>), Error>> {
    let (timer, deadline) = opening::begin(client.config());
    opening::connect_on(client, request, SmolIo::new(stream), timer, deadline)
}

/// How to reach a server: TCP, TLS for `wss` URIs, and Unix sockets for `ws+unix:PATH:/TARGET`.
///
/// ```no_run
/// # async fn example() -> Result<(), hybi_smol::Error> {
/// use hybi_smol::{Client, Connector};
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
    network: Network<std::net::TcpStream>,
    #[cfg(feature = "rustls")]
    pub(crate) tls: hybi_tls::Chosen,
}

impl Connector {
    /// TCP with `TCP_NODELAY`; TLS, if compiled in, trusts the roots that the features name.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Has names looked up by this instead of the system: another protocol, a list, records of services. An address is
    /// not looked up.
    ///
    /// ```
    /// use std::io;
    /// use hybi_smol::Connector;
    ///
    /// let connector = Connector::new().resolver(|host, port| async move {
    ///     match &*host {
    ///         "chat.test" => Ok(vec![([127, 0, 0, 1], port).into()]),
    ///         _ => Err(io::ErrorKind::NotFound.into()),
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn resolver<F>(mut self, look_up: impl Fn(String, u16) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        self.network = self.network.resolver(look_up);
        self
    }

    /// Connects from this address, one of each family at most; port 0 is any. Addresses of a family without one are not
    /// connected to then. One that cannot be bound is named in the error.
    ///
    /// ```
    /// use std::net::Ipv4Addr;
    /// use hybi_smol::Connector;
    ///
    /// let connector = Connector::new().bind((Ipv4Addr::new(192, 0, 2, 7), 0));
    /// ```
    #[must_use]
    pub fn bind(mut self, local: impl Into<SocketAddr>) -> Self {
        self.network = self.network.bind(local);
        self
    }

    /// Has this done to each socket of TCP before it is bound and connects, for options of the system. What it fails of is
    /// what connecting fails of.
    ///
    /// What it has no method for, such as buffers and keep-alive, `socket2::SockRef::from(socket)` has.
    ///
    /// ```
    /// use hybi_smol::Connector;
    ///
    /// // Held back until there is more: `TCP_NODELAY` is set before.
    /// let connector = Connector::new().prepare(|socket| socket.set_nodelay(false));
    /// ```
    #[must_use]
    pub fn prepare(
        mut self,
        prepare: impl Fn(&std::net::TcpStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.network = self.network.prepare(prepare);
        self
    }

    /// Trusts the certificates in this PEM file, and no others but those of further calls, for `wss` URIs and proxies that
    /// are spoken to by TLS.
    ///
    /// ```
    /// use hybi_smol::{Connector, PemError};
    ///
    /// fn of_our_own(file: &[u8]) -> Result<Connector, PemError> {
    ///     Connector::new().roots_pem(file)
    /// }
    /// assert!(matches!(of_our_own(b""), Err(PemError::NoCertificate)));
    /// ```
    ///
    /// # Errors
    ///
    /// What is wrong with the file.
    #[cfg(feature = "rustls")]
    pub fn roots_pem(mut self, file: &[u8]) -> Result<Self, hybi_tls::PemError> {
        self.tls = self.tls.roots_pem(file)?;
        Ok(self)
    }

    /// Shows this certificate to servers and proxies that ask for one: its chain, beginning with itself, and its key, as PEM
    /// files.
    ///
    /// ```no_run
    /// use hybi_smol::Connector;
    ///
    /// let [chain, key] = ["client.pem", "client.key"].map(std::fs::read);
    /// let connector = Connector::new().client_certificate_pem(&chain?, &key?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What is wrong with the files, and that they do not belong together.
    #[cfg(feature = "rustls")]
    pub fn client_certificate_pem(
        mut self,
        chain: &[u8],
        key: &[u8],
    ) -> Result<Self, hybi_tls::PemError> {
        self.tls = self.tls.client_certificate_pem(chain, key)?;
        Ok(self)
    }

    /// Uses a TLS configuration of the caller's for `wss` URIs. It takes the place of what was chosen in PEM, and the other way
    /// round.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hybi_smol::{Connector, rustls};
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
    pub fn rustls(mut self, config: std::sync::Arc<hybi_tls::rustls::ClientConfig>) -> Self {
        self.tls = hybi_tls::Chosen::config(config);
        self
    }

    /// Connects to a `ws` or `wss` URI as `client` says, anew for each version that it may
    /// [fall back](Client::fall_back) to. One deadline is for all attempts.
    ///
    /// # Errors
    ///
    /// As [`connect_with`].
    pub fn connect(
        &self,
        client: &Client,
        request: impl Into<Request>,
    ) -> impl Future<Output = Result<(WebSocket, http::Response<()>), Error>> {
        opening::connect(self, client, request)
    }
}

impl Dial for Connector {
    type Tls = tls::Tls;
    type Transport = SmolIo<Stream>;
    type Timer = SmolTimer;

    fn timer(&self) -> SmolTimer {
        SmolTimer::default()
    }

    async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.network.look_up(host, port, async_net::resolve((host, port))).await
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<SmolIo<Stream>> {
        let socket = Async::new_nonblocking(hybi_net::connecting(&self.network, address)?)?;
        socket.write_with(hybi_net::outcome).await?;
        Ok(SmolIo::new(TcpStream::from(socket).into()))
    }

    #[cfg(unix)]
    async fn connect_unix(&self, path: &Path) -> io::Result<SmolIo<Stream>> {
        let socket = Async::new_nonblocking(hybi_net::unix(path)?)?;
        Ok(SmolIo::new(TcpStream::from(socket).into()))
    }

    fn tls(&self, uri: &WsUri) -> Result<Option<tls::Tls>, Error> {
        tls::tls(self, uri)
    }

    async fn secure(&self, tls: tls::Tls, stream: SmolIo<Stream>) -> io::Result<SmolIo<Stream>> {
        Ok(SmolIo::new(tls::secure(tls, stream.into_inner()).await?))
    }
}
