//! Server: which requests to accept (RFC 6455 section 4.2), also for HTTP frameworks.

use std::sync::Arc;

use hybi_compression::Extensions;
use hybi_frame::Role;
use hybi_handshake::{
    FieldError, HandshakeError, HostPolicy, OriginPolicy, ServerAccepted, ServerPolicy,
    SubprotocolPreference, Version,
};

use crate::{
    connection::{Config, Connection, Negotiated},
    legacy::{self, FieldOrder},
    socket::{
        Chunk, WebSocket,
        io::{Timer, Transport},
    },
};

/// Which requests a server accepts, and the choices about the connections that follow.
///
/// The default is safe on the open internet: RFC 6455 only, browsers only from pages of the
/// same origin, no extension.
///
/// ```
/// use hybi::{OriginPolicy, Server};
///
/// let server = Server::builder().subprotocols(["chat.v2", "chat.v1"]).build();
/// ```
#[derive(Clone, Debug)]
pub struct Server {
    policy: Arc<ServerPolicy>,
    extensions: Extensions,
    config: Arc<Config>,
    hixie_75_fields: FieldOrder,
}

impl Default for Server {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl Server {
    /// Begins with the defaults.
    ///
    /// [`extensions`](ServerBuilder::extensions) turns compression on.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// The defaults, and permessage-deflate: as what the adapters' `accept` answers.
    ///
    /// ```
    /// # let request = hybi::http::Request::get("/")
    /// #     .header("Host", "example.org")
    /// #     .header("Upgrade", "websocket")
    /// #     .header("Connection", "Upgrade")
    /// #     .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    /// #     .header("Sec-WebSocket-Version", "13")
    /// #     .header("Sec-WebSocket-Extensions", "permessage-deflate")
    /// #     .body(())?;
    /// // To a request with "Sec-WebSocket-Extensions: permessage-deflate".
    /// let (response, _upgrade) = hybi::Server::compressing().upgrade(&request)?;
    /// assert_eq!(response.headers()["Sec-WebSocket-Extensions"], "permessage-deflate");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
    #[must_use]
    pub fn compressing() -> Self {
        Self { extensions: Extensions::default(), ..Self::default() }
    }

    /// The choices about connections.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Which requests are accepted.
    #[must_use]
    pub fn policy(&self) -> &ServerPolicy {
        &self.policy
    }

    /// Checks a request that an HTTP framework has read, and answers it.
    ///
    /// Versions before hybi-04 answer in a way that no framework can, so they are refused here whatever was
    /// [asked for](ServerBuilder::versions).
    ///
    /// Send the response; then turn the connection that the framework hands over into a
    /// WebSocket with [`Upgrade::into_websocket`] (the adapters have a shorter way).
    ///
    /// ```
    /// use hybi::Server;
    ///
    /// let request = http::Request::builder()
    ///     .uri("/chat")
    ///     .header("Host", "example.org")
    ///     .header("Upgrade", "websocket")
    ///     .header("Connection", "Upgrade")
    ///     .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    ///     .header("Sec-WebSocket-Version", "13")
    ///     .body(())?;
    /// let (response, upgrade) = Server::default().upgrade(&request)?;
    /// assert_eq!(response.status(), 101);
    /// assert_eq!(response.headers()["Sec-WebSocket-Accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] says which rule was broken; its
    /// [`response`](HandshakeError::response) is what to answer instead.
    pub fn upgrade<B>(
        &self,
        request: &http::Request<B>,
    ) -> Result<(http::Response<()>, Upgrade), HandshakeError> {
        Ok(self.accepted(self.policy.check(request)?))
    }

    /// This server, for clients that come through TLS: its own origin is then `https` alone.
    #[must_use]
    pub fn with_secure(mut self, secure: bool) -> Self {
        self.policy = Arc::new(ServerPolicy::clone(&self.policy).with_secure(secure));
        self
    }

    pub(crate) fn with_config(mut self, config: Config) -> Self {
        self.config = Arc::new(config);
        self
    }

    /// The answer, with the extensions chosen among the offers. Answers made by hand do not count:
    /// nothing would stand behind them.
    pub(crate) fn accepted(&self, accepted: ServerAccepted) -> (http::Response<()>, Upgrade) {
        let chosen = self.extensions.accept(&accepted.offers, accepted.version);
        let accepted =
            accepted.with_extensions(chosen.iter().map(|agreed| agreed.answer().clone()));
        let mut response = accepted.response();
        let terms = legacy::server_terms(&accepted, &mut response);
        let mut negotiated = Negotiated::new(accepted.version, accepted.subprotocol, chosen);
        if let Some(terms) = terms {
            negotiated = negotiated.with_terms(terms);
        }
        (response, Upgrade { negotiated, config: self.config.clone(), input: Vec::new() })
    }

    /// Checks a request whose transport is at hand, so that every version can be answered.
    pub(crate) fn check(
        &self,
        request: &http::Request<()>,
    ) -> Result<ServerAccepted, HandshakeError> {
        if self.policy.versions().iter().any(|version| version < Version::HYBI_04) {
            return legacy::check(&self.policy, request, self.hixie_75_fields);
        }
        self.policy.check(request)
    }
}

/// Whether [`Connection`] knows the framing of this version.
pub(crate) fn is_spoken(version: Version) -> bool {
    version >= legacy::OLDEST && Version::ALL.contains(&version)
}

/// Checks a request that an HTTP framework has read against the default [`Server`].
///
/// ```
/// let page = hybi::http::Request::get("/").header("Host", "example.org").body(()).unwrap();
/// let error = hybi::upgrade(&page).unwrap_err();
/// assert_eq!(error.response().status(), 426);
/// ```
///
/// # Errors
///
/// As [`Server::upgrade`].
pub fn upgrade<B>(
    request: &http::Request<B>,
) -> Result<(http::Response<()>, Upgrade), HandshakeError> {
    Server::default().upgrade(request)
}

/// A request that was accepted and waits for its connection.
///
/// ```
/// use hybi::{Error, Upgrade, io::{Timer, Transport}};
///
/// /// After the framework sent the response and handed over the connection.
/// async fn serve<T: Transport, C: Timer>(
///     upgrade: Upgrade,
///     transport: T,
///     timer: C,
/// ) -> Result<(), Error> {
///     let greeting = format!("you speak {:?}", upgrade.negotiated().subprotocol);
///     let mut ws = upgrade.into_websocket(transport, timer);
///     ws.send(greeting).await?;
///     while ws.recv().await?.is_some() {}
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Upgrade {
    negotiated: Negotiated,
    config: Arc<Config>,
    input: Vec<u8>,
}

impl Upgrade {
    /// What the opening handshake settled.
    #[must_use]
    pub fn negotiated(&self) -> &Negotiated {
        &self.negotiated
    }

    /// Adds bytes that the framework had already read behind the request, however many: the
    /// client's first frames. [`into_websocket`](Self::into_websocket) reads them before the
    /// transport.
    #[must_use]
    pub fn with_input(mut self, bytes: &[u8]) -> Self {
        self.input.extend_from_slice(bytes);
        self
    }

    /// The connection without I/O. Bytes of [`with_input`](Self::with_input) are not in it: give
    /// them to [`Connection::handle_input`], as everything that is read.
    #[must_use]
    pub fn into_connection(self) -> Connection {
        Connection::new(Role::Server, self.negotiated, self.config)
    }

    /// The connection over a transport on which the response has been sent.
    #[must_use]
    pub fn into_websocket<T: Transport, C: Timer>(self, transport: T, timer: C) -> WebSocket<T, C> {
        let input = (!self.input.is_empty()).then(|| Chunk::holding(&self.input));
        WebSocket::with_input(self.into_connection(), transport, timer, input)
    }
}

/// Collects what a [`Server`] accepts.
///
/// ```
/// use std::time::Duration;
/// use hybi::{Config, Server};
///
/// let server = Server::builder()
///     .subprotocols(["chat.v2", "chat.v1"])
///     .subprotocol_required(true)
///     .secure(true)
///     .config(Config::default().ping_interval(Some(Duration::from_secs(60))))
///     .build();
/// ```
#[derive(Debug)]
#[must_use]
pub struct ServerBuilder {
    policy: ServerPolicy,
    extensions: Extensions,
    config: Config,
    pub(crate) hixie_75_fields: FieldOrder,
}

impl Default for ServerBuilder {
    fn default() -> Self {
        Self {
            policy: ServerPolicy::default(),
            extensions: Extensions::none(),
            config: Config::default(),
            hixie_75_fields: FieldOrder::default(),
        }
    }
}

impl ServerBuilder {
    /// Sets the versions to accept (RFC 6455 section 4.4); RFC 6455 alone by default.
    ///
    /// [`Version::RFC6455`], [`Version::HYBI_08`] and [`Version::HYBI_07`] can be spoken; with the
    /// feature `legacy` all of [`Version::ALL`], each client's told by its request. A client
    /// that asks for any other is refused with 426 and the list of those that are accepted, also
    /// if the other is among `versions`: answering 101 would promise framing that nobody here knows.
    ///
    /// The versions before hybi-04 mask nothing, and hixie-75 does not even prove that a client of
    /// WebSocket is asking: read [`Version::HIXIE_75`] before accepting them on a port that can be reached by
    /// more than the peers that need them.
    ///
    /// ```
    /// use hybi::{Server, Version};
    ///
    /// // Old clients too: hybi-07 to hybi-12.
    /// let versions = [Version::RFC6455, Version::HYBI_08, Version::HYBI_07];
    /// let server = Server::builder().versions(versions).build();
    /// ```
    pub fn versions(mut self, versions: impl IntoIterator<Item = Version>) -> Self {
        let spoken = versions.into_iter().filter(|version| is_spoken(*version));
        self.policy = self.policy.with_versions(spoken);
        self
    }

    /// Sets which hosts the server answers for (RFC 9110 section 7.4); any by default. Requests for
    /// others, plain ones too, are refused with 421.
    ///
    /// It is what stops DNS rebinding: a page whose name was made to resolve to this server passes for
    /// the server's own by every other rule. Set it where no proxy in front does, above all on a loopback
    /// address or in a private network.
    ///
    /// ```
    /// use hybi::{HostPolicy, Server};
    ///
    /// let hosts = ["example.org", "*.example.org:8443"].map(str::parse);
    /// let hosts = HostPolicy::List(hosts.into_iter().collect::<Result<_, _>>()?);
    /// let server = Server::builder().hosts(hosts).build();
    ///
    /// // A server for programs and pages of this machine alone.
    /// let local = HostPolicy::local("127.0.0.1".parse().unwrap());
    /// let server = Server::builder().hosts(local).build();
    /// # Ok::<(), hybi::handshake::FieldError>(())
    /// ```
    pub fn hosts(mut self, hosts: HostPolicy) -> Self {
        self.policy = self.policy.with_hosts(hosts);
        self
    }

    /// Sets from which origins requests are accepted (RFC 6455 section 10.2): by default from the
    /// server's own and from clients that name none. Browsers always name one. What is the server's own
    /// origin is told by `Host`; see [`hosts`](Self::hosts).
    ///
    /// ```
    /// use hybi::{OriginPolicy, Server};
    ///
    /// // Pages of the server's own origin, of our other hosts, and programs that are no browsers.
    /// let allowed = ["same", "https://*.example.org", "none"].map(str::parse);
    /// let origins = OriginPolicy::List(allowed.into_iter().collect::<Result<_, _>>()?);
    /// let server = Server::builder().origins(origins).build();
    /// # Ok::<(), hybi::handshake::FieldError>(())
    /// ```
    pub fn origins(mut self, origins: OriginPolicy) -> Self {
        self.policy = self.policy.with_origins(origins);
        self
    }

    /// Sets the subprotocols that the server speaks, the preferred one first (RFC 6455
    /// section 1.9); none by default.
    pub fn subprotocols<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.policy = self.policy.with_subprotocols(names);
        self
    }

    /// Sets whose order decides between several subprotocols; the server's by default.
    pub fn subprotocol_preference(mut self, preference: SubprotocolPreference) -> Self {
        self.policy = self.policy.with_subprotocol_preference(preference);
        self
    }

    /// Refuses clients that offer none of the server's subprotocols; off by default.
    pub fn subprotocol_required(mut self, required: bool) -> Self {
        self.policy = self.policy.with_subprotocol_required(required);
        self
    }

    /// Says that clients reach the server through TLS: the server's own origin is then `https`, and the
    /// location that hixie-75 to hybi-03 repeat to their clients, who compare it, is `wss`.
    pub fn secure(mut self, secure: bool) -> Self {
        self.policy = self.policy.with_secure(secure);
        self
    }

    /// Adds a field that every response has, such as `Server`: the 101, and the refusals and answers of
    /// [`Incoming`](crate::Incoming), those of bad heads included.
    ///
    /// ```
    /// let server = hybi::Server::builder().header("Server", "example/1.0")?.build();
    /// # Ok::<(), hybi::handshake::FieldError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`FieldError::Reserved`] for fields that the handshake writes itself and those that announce a
    /// body; [`FieldError::InvalidName`] and [`FieldError::InvalidValue`] for what no field can hold.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, FieldError> {
        self.policy = self.policy.with_header(name, value)?;
        Ok(self)
    }

    /// Sets which extensions to accept (RFC 6455 section 9); none by default. The client's order decides
    /// between several.
    ///
    /// ```
    /// # #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))] {
    /// use hybi::{Deflate, Server};
    ///
    /// // Small windows make small compressors, here and at the other end.
    /// let deflate = Deflate::default().own_window_bits(12).peer_window_bits(12);
    /// let server = Server::builder().extensions(deflate).build();
    /// # }
    /// ```
    pub fn extensions(mut self, extensions: impl Into<Extensions>) -> Self {
        self.extensions = extensions.into();
        self
    }

    /// Sets the choices about connections.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// The server.
    #[must_use]
    pub fn build(self) -> Server {
        Server {
            policy: Arc::new(self.policy),
            extensions: self.extensions,
            config: Arc::new(self.config),
            hixie_75_fields: self.hixie_75_fields,
        }
    }
}
