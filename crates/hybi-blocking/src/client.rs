//! From a URI to an open WebSocket.

use core::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;
use std::{io, net::TcpStream, sync::Arc};

use hybi::{
    Client, Error, Request, WsUri, http,
    opening::{self, Dial, Network},
};

#[cfg(feature = "rustls")]
use hybi_tls::rustls::{ClientConfig, pki_types::ServerName};

#[cfg(feature = "rustls")]
use crate::MaybeTls;
use crate::{
    BlockingIo, BlockingTimer, Socket, Stream, WebSocket, block_on, elsewhere::elsewhere,
    lookup::look_up, tls,
};

/// Connects to a `ws` or `wss` URI.
///
/// Returns the connection and the server's response, whose header fields may be of interest. What is asked
/// for is a string, an [`http::Uri`], or a [`Request`] with fields and subprotocols of this connection alone.
///
/// ```no_run
/// use hybi_blocking::Request;
///
/// let (mut ws, response) = hybi_blocking::connect("ws://127.0.0.1:8080/echo")?;
/// println!("served by {:?}", response.headers().get("Server"));
/// ws.send("hello")?;
///
/// let chat = Request::from("ws://127.0.0.1:8080/chat").header("Cookie", "session=1");
/// let (mut ws, _response) = hybi_blocking::connect(chat)?;
/// # Ok::<(), hybi_blocking::Error>(())
/// ```
///
/// It exists with the feature `compression`, and offers permessage-deflate ([`Client::compressing`]); for
/// anything else there is [`connect_with`].
///
/// # Errors
///
/// As [`connect_with`].
#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
pub fn connect(request: impl Into<Request>) -> Result<(WebSocket, http::Response<()>), Error> {
    connect_with(&Client::compressing(), request)
}

/// Connects to a `ws`, `wss` or `ws+unix` URI as `client` says: [`Client::default`] offers no extension.
///
/// ```no_run
/// use hybi_blocking::{Client, Config};
///
/// let client = Client::builder()
///     .header("Authorization", "Bearer 1234")
///     .subprotocol("chat.v2")
///     .config(Config::default().max_message(1024 * 1024))
///     .build()?;
/// let (ws, _response) = hybi_blocking::connect_with(&client, "ws://127.0.0.1:8080/chat")?;
/// assert_eq!(ws.subprotocol(), Some("chat.v2"));
/// # Ok::<(), hybi_blocking::Error>(())
/// ```
///
/// The deadline of the opening handshake is for all of it. A name, which is none of an address, is looked up on a thread
/// called `hybi-lookup`, since the system's resolver cannot be ended: it ends with the answer, and one that did not come in
/// time leaves its thread behind until the resolver gives up. On Windows, connecting has such a thread as well, called
/// `hybi-connect`.
///
/// # Errors
///
/// [`Error::Uri`] and [`Error::Field`] for a request that cannot be sent; [`Error::Opening`] if nobody is there; [`Error::Handshake`] if the server
/// refused (the whole response is in the error) or broke a rule; [`Error::Timeout`];
/// [`Error::TlsNotCompiledIn`] for `wss` without the feature.
pub fn connect_with(
    client: &Client,
    request: impl Into<Request>,
) -> Result<(WebSocket, http::Response<()>), Error> {
    Connector::new().connect(client, request)
}

/// Connects on a socket of the caller's making: through a proxy, a Unix socket. It does not block any more from then
/// on, and is left as it is otherwise.
///
/// The other end of the pair is [`accept_on`](crate::accept_on).
///
/// ```no_run
/// # #[cfg(unix)]
/// # fn example() -> Result<(), hybi_blocking::Error> {
/// use std::os::unix::net::UnixStream;
/// use hybi_blocking::Client;
///
/// let stream = UnixStream::connect("/run/chat.socket")?;
/// let (mut ws, _response) =
///     hybi_blocking::connect_on(&Client::default(), "ws://localhost/chat", stream)?;
/// ws.send("hello")?;
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
) -> Result<(WebSocket<BlockingIo<S>>, http::Response<()>), Error> {
    let (timer, deadline) = opening::begin(client.config());
    let stream = BlockingIo::new(stream)?;
    let opened = block_on(opening::connect_on(client, request, stream, timer, deadline))?;
    Ok((opened.0.into(), opened.1))
}

/// Connects through TLS on a socket of the caller's making, as [`connect_on`] does without: through a proxy to a server
/// whose certificate has to be for `name`.
///
/// ```
/// use std::{net::TcpStream, sync::Arc};
/// use hybi_blocking::{Client, Error, MaybeTls, WebSocket, rustls};
///
/// fn through(
///     tunnel: TcpStream,
///     config: &Arc<rustls::ClientConfig>,
/// ) -> Result<WebSocket<MaybeTls<TcpStream>>, Error> {
///     let (client, name) = (Client::default(), "example.org".try_into().expect("a name"));
///     let uri = "wss://example.org/chat";
///     let (ws, _response) = hybi_blocking::connect_tls_on(&client, uri, config, name, tunnel)?;
///     Ok(ws)
/// }
/// ```
///
/// # Errors
///
/// As [`connect_with`].
#[cfg(feature = "rustls")]
pub fn connect_tls_on<S: Socket>(
    client: &Client,
    request: impl Into<Request>,
    config: &Arc<ClientConfig>,
    name: ServerName<'static>,
    stream: S,
) -> Result<(WebSocket<MaybeTls<S>>, http::Response<()>), Error> {
    let (mut timer, deadline) = opening::begin::<BlockingTimer>(client.config());
    let stream = BlockingIo::new(stream)?;
    let peer = name.to_str().into_owned();
    let (ws, response) = block_on(async {
        let handshake = tls::connect(config.clone(), name, stream);
        let stream = opening::tls(&peer, &mut timer, deadline, handshake).await?;
        opening::connect_on(client, request, stream, timer, deadline).await
    })?;
    Ok((ws.into(), response))
}

/// How to reach a server: TCP, TLS for `wss` URIs, and Unix sockets for `ws+unix:PATH:/TARGET`.
///
/// ```no_run
/// use hybi_blocking::{Client, Connector};
///
/// let connector = Connector::new();
/// let client = Client::default();
/// let (first, _response) = connector.connect(&client, "ws://127.0.0.1:8080/chat")?;
/// let (second, _response) = connector.connect(&client, "ws://127.0.0.1:8080/news")?;
/// # let _ = (first, second);
/// # Ok::<(), hybi_blocking::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Connector {
    network: Network<TcpStream>,
    #[cfg(feature = "rustls")]
    pub(crate) tls: hybi_tls::Chosen,
}

impl Connector {
    /// TCP with `TCP_NODELAY`; TLS, if compiled in, trusts the roots that the features name.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Has names looked up by this instead of the system, on a thread of its own: it may block. An address is not looked up.
    ///
    /// ```
    /// use std::io;
    /// use hybi_blocking::Connector;
    ///
    /// let connector = Connector::new().resolver(|host, port| match host {
    ///     "chat.test" => Ok(vec![([127, 0, 0, 1], port).into()]),
    ///     _ => Err(io::ErrorKind::NotFound.into()),
    /// });
    /// ```
    #[must_use]
    pub fn resolver(
        mut self,
        look_up: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        let look_up = Arc::new(look_up);
        self.network = self.network.resolver(move |host, port| {
            let look_up = look_up.clone();
            elsewhere("hybi-lookup", move || look_up(&host, port))
        });
        self
    }

    /// Connects from this address, one of each family at most; port 0 is any. Addresses of a family without one are not
    /// connected to then. One that cannot be bound is named in the error.
    ///
    /// ```
    /// use std::net::Ipv4Addr;
    /// use hybi_blocking::Connector;
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
    /// use hybi_blocking::Connector;
    ///
    /// // Held back until there is more: `TCP_NODELAY` is set before.
    /// let connector = Connector::new().prepare(|socket| socket.set_nodelay(false));
    /// ```
    #[must_use]
    pub fn prepare(
        mut self,
        prepare: impl Fn(&TcpStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.network = self.network.prepare(prepare);
        self
    }

    /// Trusts the certificates in this PEM file, and no others but those of further calls, for `wss` URIs and proxies that
    /// are spoken to by TLS.
    ///
    /// ```
    /// use hybi_blocking::{Connector, PemError};
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
    /// use hybi_blocking::Connector;
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
    /// use hybi_blocking::{Connector, rustls};
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
    pub fn rustls(mut self, config: Arc<ClientConfig>) -> Self {
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
    ) -> Result<(WebSocket, http::Response<()>), Error> {
        let (ws, response) = block_on(opening::connect(self, client, request))?;
        Ok((ws.into(), response))
    }
}

/// For what is connected within [`block_on`].
impl Dial for Connector {
    type Tls = tls::Tls;
    type Transport = Stream;
    type Timer = BlockingTimer;

    fn timer(&self) -> BlockingTimer {
        BlockingTimer::default()
    }

    async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.network.look_up(host, port, look_up(host, port)).await
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<Stream> {
        Ok(tcp(&self.network, address).await?.into())
    }

    #[cfg(unix)]
    async fn connect_unix(&self, path: &Path) -> io::Result<Stream> {
        Ok(BlockingIo::new(hybi_net::unix(path)?)?.into())
    }

    fn tls(&self, uri: &WsUri) -> Result<Option<tls::Tls>, Error> {
        tls::tls(self, uri)
    }

    async fn secure(&self, tls: tls::Tls, stream: Stream) -> io::Result<Stream> {
        tls::secure(tls, stream).await
    }
}

/// Connects to an address without blocking, so that the deadline holds.
#[cfg(unix)]
async fn tcp(
    network: &Network<TcpStream>,
    address: SocketAddr,
) -> io::Result<BlockingIo<TcpStream>> {
    let stream = BlockingIo::new(hybi_net::connecting(network, address)?)?;
    core::future::poll_fn(|_| stream.write(hybi_net::outcome)).await?;
    Ok(stream)
}

/// What a system says of a socket that could not connect differs too much elsewhere: the system itself knows.
#[cfg(not(unix))]
async fn tcp(
    network: &Network<TcpStream>,
    address: SocketAddr,
) -> io::Result<BlockingIo<TcpStream>> {
    let socket = hybi_net::socket(network, address)?;
    let connect = move || hybi_net::connect(&socket, address).map(|()| socket);
    BlockingIo::new(elsewhere("hybi-connect", connect).await?)
}
