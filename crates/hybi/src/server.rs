//! Server: which requests to accept (RFC 6455 section 4.2), also for HTTP frameworks.

use std::sync::Arc;

use hybi_frame::Role;
use hybi_handshake::{
    HandshakeError, OriginPolicy, ServerAccepted, ServerPolicy, SubprotocolPreference, Version,
};

use crate::{
    Config, Connection, Negotiated, WebSocket,
    io::{Timer, Transport},
    pool::Chunk,
};

/// Which requests a server accepts, and the choices about the connections that follow.
///
/// The default is safe on the open internet: RFC 6455 only, and browsers only from pages of the
/// same origin.
///
/// ```
/// use hybi::{OriginPolicy, Server};
///
/// let server = Server::builder().subprotocols(["chat.v2", "chat.v1"]).build();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Server {
    policy: Arc<ServerPolicy>,
    config: Arc<Config>,
}

impl Server {
    /// Begins with the defaults.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
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
        let accepted = self.policy.check(request)?;
        let response = accepted.response();
        Ok((response, self.accepted(accepted)))
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

    pub(crate) fn accepted(&self, accepted: ServerAccepted) -> Upgrade {
        let extensions = accepted.extensions().to_vec();
        let negotiated = Negotiated::new(accepted.version, accepted.subprotocol, extensions);
        Upgrade { negotiated, config: self.config.clone(), input: Vec::new() }
    }
}

/// Whether [`Connection`] knows the framing of this version.
pub(crate) fn is_spoken(version: Version) -> bool {
    matches!(version, Version::HYBI_07 | Version::HYBI_08 | Version::RFC6455)
}

/// Checks a request that an HTTP framework has read against the default [`Server`].
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
/// use hybi::{HandshakeError, Server, Upgrade, WebSocket, http, io::{Timer, Transport}};
///
/// /// In a framework's handler: the response is sent by the framework.
/// fn answer(server: &Server, request: &http::Request<()>) -> http::Response<String> {
///     match server.upgrade(request) {
///         Ok((response, upgrade)) => {
///             // Where the framework hands over the connection: `serve(upgrade, stream, timer)`.
///             response.map(|()| String::new())
///         }
///         Err(error) => error.response(),
///     }
/// }
///
/// async fn serve<T: Transport, C: Timer>(upgrade: Upgrade, transport: T, timer: C) {
///     let chat = upgrade.negotiated().subprotocol.as_deref() == Some("chat.v2");
///     let mut ws: WebSocket<T, C> = upgrade.into_websocket(transport, timer);
///     // ...
/// }
/// # let page = http::Request::get("/").header("Host", "example.org").body(()).unwrap();
/// # assert_eq!(answer(&Server::default(), &page).status(), 426);
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
#[derive(Debug, Default)]
#[must_use]
pub struct ServerBuilder {
    policy: ServerPolicy,
    config: Config,
}

impl ServerBuilder {
    /// Sets the versions to accept; RFC 6455 alone by default.
    ///
    /// [`Version::RFC6455`], [`Version::HYBI_08`] and [`Version::HYBI_07`] can be spoken. A client
    /// that asks for any other is refused with 426 and the list of those that are accepted, also
    /// if the other is among `versions`: answering 101 would promise framing that nobody here knows.
    pub fn versions(mut self, versions: impl IntoIterator<Item = Version>) -> Self {
        let spoken = versions.into_iter().filter(|version| is_spoken(*version));
        self.policy = self.policy.with_versions(spoken);
        self
    }

    /// Sets from which origins requests are accepted: by default from the server's own and from
    /// clients that name none, which browsers always do.
    ///
    /// ```
    /// use hybi::{OriginPolicy, Server};
    ///
    /// // Pages of the server's own origin, of our other hosts, and programs that are no browsers.
    /// let origins = OriginPolicy::List(vec!["same".parse()?, "https://*.example.org".parse()?, "none".parse()?]);
    /// let server = Server::builder().origins(origins).build();
    /// # Ok::<(), hybi::FieldError>(())
    /// ```
    pub fn origins(mut self, origins: OriginPolicy) -> Self {
        self.policy = self.policy.with_origins(origins);
        self
    }

    /// Sets the subprotocols that the server speaks, the preferred one first.
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

    /// Says that clients reach the server through TLS: the server's own origin is then `https`.
    pub fn secure(mut self, secure: bool) -> Self {
        self.policy = self.policy.with_secure(secure);
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
        Server { policy: Arc::new(self.policy), config: Arc::new(self.config) }
    }
}
