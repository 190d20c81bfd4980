//! Server: which requests to accept (RFC 6455 section 4.2), also for HTTP frameworks.

mod builder;

use std::sync::Arc;

use hybi_compression::Extensions;
use hybi_frame::Role;
use hybi_handshake::{HandshakeError, ServerAccepted, ServerPolicy, Version};

use crate::{
    connection::{Config, Connection, Negotiated, random},
    legacy::{self, FieldOrder},
    opening::carrier::Carrier,
    socket::{
        Chunk, WebSocket,
        io::{Timer, Transport},
    },
};

pub use builder::ServerBuilder;

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
    carrier: Carrier,
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
    /// A request over HTTP/2 is an extended CONNECT, whose `:protocol` is to be among its extensions as a
    /// [`Protocol`](crate::handshake::Protocol); the answer to it is 200 (RFC 8441 section 5).
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

    /// Answers a request that was checked, as the caller says: with another subprotocol, or more header fields.
    ///
    /// [`policy`](Self::policy) checks. The extensions are chosen now, by this server and among the `offers` that the
    /// caller left.
    ///
    /// ```
    /// # let request = hybi::http::Request::get("/chat")
    /// #     .header("Host", "example.org")
    /// #     .header("Upgrade", "websocket")
    /// #     .header("Connection", "Upgrade")
    /// #     .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    /// #     .header("Sec-WebSocket-Version", "13")
    /// #     .header("Sec-WebSocket-Protocol", "chat.v2, chat.v1")
    /// #     .body(())?;
    /// // To a request with "Sec-WebSocket-Protocol: chat.v2, chat.v1".
    /// let server = hybi::Server::default();
    /// let accepted = server.policy().check(&request)?.with_subprotocol(Some("chat.v1"))?;
    /// let (response, upgrade) = server.upgrade_as(accepted);
    /// assert_eq!(response.headers()["Sec-WebSocket-Protocol"], "chat.v1");
    /// assert_eq!(upgrade.negotiated().subprotocol.as_deref(), Some("chat.v1"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn upgrade_as(&self, accepted: ServerAccepted) -> (http::Response<()>, Upgrade) {
        self.accepted(accepted)
    }

    /// This server, for clients that come through TLS: its own origin is then `https` alone.
    #[must_use]
    pub fn with_secure(mut self, secure: bool) -> Self {
        self.policy = Arc::new(ServerPolicy::clone(&self.policy).with_secure(secure));
        self
    }

    /// This server, with other choices about connections: for one route of many, for example.
    ///
    /// ```
    /// use hybi::{Config, Server};
    ///
    /// let server = Server::builder().subprotocols(["chat.v2"]).build();
    /// let config = Config::clone(server.config()).max_message(256 * 1024 * 1024);
    /// let uploads = server.clone().with_config(config);
    /// ```
    #[must_use]
    pub fn with_config(mut self, config: Config) -> Self {
        self.config = Arc::new(config);
        self
    }

    /// This server, accepting other extensions; see [`ServerBuilder::extensions`].
    #[must_use]
    pub fn with_extensions(mut self, extensions: impl Into<Extensions>) -> Self {
        self.extensions = extensions.into();
        self
    }

    #[cfg(feature = "mux")]
    pub(crate) const fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// The same for transports within another connection; see [`Negotiated::unmasked`].
    #[cfg(feature = "mux")]
    pub(crate) fn unmasked(mut self) -> Self {
        self.carrier = Carrier::Connection;
        self
    }

    /// The answer, with the extensions chosen among the offers. Answers made by hand do not count:
    /// nothing would stand behind them.
    pub(crate) fn accepted(&self, accepted: ServerAccepted) -> (http::Response<()>, Upgrade) {
        let chosen = self.extensions.accept(&accepted.offers, accepted.version);
        let accepted =
            accepted.with_extensions(chosen.iter().map(|agreed| agreed.answer().clone()));
        let mut response = accepted.response();
        let terms = legacy::server_terms(&accepted, &mut response, random);
        let mut negotiated = Negotiated::new(accepted.version, accepted.subprotocol, chosen);
        if let Some(terms) = terms {
            negotiated = negotiated.under(terms);
        }
        let negotiated = self.carrier.settle(negotiated);
        (response, Upgrade { negotiated, config: self.config.clone(), input: Vec::new() })
    }

    /// Checks a request whose transport is at hand, so that every version can be answered.
    pub(crate) fn check(
        &self,
        request: &http::Request<()>,
    ) -> Result<ServerAccepted, HandshakeError> {
        let is_old_here = self.policy.versions().iter().any(|version| version < Version::HYBI_04);
        // Over HTTP/2 there is RFC 6455 alone.
        if is_old_here && request.version() < http::Version::HTTP_2 {
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
