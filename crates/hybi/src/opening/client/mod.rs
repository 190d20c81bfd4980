//! Client: how to ask for a connection (RFC 6455 section 4.1).

mod connect_handshake;
mod fallback;
mod handshake;
mod request;
mod route;
mod stage;

use std::sync::Arc;

use hybi_compression::Extensions;
use hybi_handshake::{ClientRequest, FieldError, Version, WsUri};

use crate::{
    connection::{Config, Error, random},
    legacy,
    opening::{carrier::Carrier, server::is_spoken},
};

pub use connect_handshake::ConnectHandshake;
pub use handshake::{ClientAccepted, ClientHandshake};
pub use request::Request;
use route::Route;
pub(crate) use route::Step;
use stage::Observer;
pub use stage::Stage;

/// What a client asks for, whatever the URI: header fields, subprotocols, version, limits.
///
/// One can serve many connections; cloning is cheap enough to do for each.
///
/// ```
/// use hybi::{Client, Config};
///
/// let client = Client::builder()
///     .header("Authorization", "Bearer 1234")
///     .subprotocol("chat.v2")
///     .config(Config::default().max_message(1024 * 1024))
///     .build()?;
/// # Ok::<(), hybi::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    /// Its URI is replaced by that of each connection.
    request: ClientRequest,
    extensions: Extensions,
    config: Arc<Config>,
    /// The versions to ask for next, should a server refuse this one.
    fallback: Vec<Version>,
    carrier: Carrier,
    route: Route,
    observer: Observer,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            request: ClientRequest::new(WsUri::default()),
            extensions: Extensions::none(),
            config: Config::by_default(),
            fallback: Vec::new(),
            carrier: Carrier::Network,
            route: Route::default(),
            observer: Observer::default(),
        }
    }
}

impl Client {
    /// Begins with the defaults: RFC 6455, no extension, no additional header field, no subprotocol.
    ///
    /// [`extensions`](ClientBuilder::extensions) turns compression on.
    pub fn builder() -> ClientBuilder {
        ClientBuilder { client: Ok(Self::default()) }
    }

    /// The defaults, and permessage-deflate: as what the adapters' `connect` asks.
    ///
    /// ```
    /// let client = hybi::Client::compressing();
    /// let handshake = client.handshake(&"ws://example.org/".parse()?);
    /// let head = core::str::from_utf8(handshake.request_bytes()).unwrap();
    /// assert!(head.contains("Sec-WebSocket-Extensions: permessage-deflate"));
    /// # Ok::<(), hybi::handshake::UriError>(())
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

    /// The opening handshake for one connection, without I/O (RFC 6455 section 4.1). Its nonce is
    /// from a cryptographic generator.
    ///
    /// ```
    /// let client = hybi::Client::default();
    /// let handshake = client.handshake(&"ws://example.org/chat".parse()?);
    /// assert!(handshake.request_bytes().starts_with(b"GET /chat HTTP/1.1\r\n"));
    /// # Ok::<(), hybi::handshake::UriError>(())
    /// ```
    #[must_use]
    pub fn handshake(&self, uri: &WsUri) -> ClientHandshake {
        let limits = self.config.head_limits;
        let request = self.request.clone().with_uri(uri.clone());
        let offers = self.extensions.offers(self.version());
        let request = offers.into_iter().fold(request, ClientRequest::extension);
        let random_fill = &mut |bytes: &mut [u8]| {
            for byte in bytes {
                [*byte] = random();
            }
        };
        // It takes what came before hybi-07.
        if let Ok(exchange) = legacy::ClientHandshake::new(&request, random_fill, limits) {
            return ClientHandshake::legacy(exchange, self.extensions.clone());
        }
        let exchange = hybi_handshake::ClientHandshake::new(&request, random(), limits);
        ClientHandshake::new(exchange, self.extensions.clone(), self.carrier)
    }

    /// The opening handshake for one connection over HTTP/2 (RFC 8441 section 5).
    ///
    /// Only RFC 6455 goes over HTTP/2, whatever [`version`](Self::version) says.
    ///
    /// ```
    /// let client = hybi::Client::default();
    /// let handshake = client.connect_handshake(&"wss://example.org/chat".parse()?);
    /// assert_eq!(handshake.request().uri(), "https://example.org/chat");
    /// # Ok::<(), hybi::handshake::UriError>(())
    /// ```
    #[must_use]
    pub fn connect_handshake(&self, uri: &WsUri) -> ConnectHandshake {
        let request = self.request.clone().with_uri(uri.clone()).version(Version::RFC6455);
        let offers = self.extensions.offers(Version::RFC6455);
        let request = offers.into_iter().fold(request, ClientRequest::extension);
        let exchange = hybi_handshake::ConnectHandshake::new(&request);
        ConnectHandshake::new(exchange, self.extensions.clone())
    }

    #[cfg(feature = "mux")]
    pub(crate) const fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    #[cfg(feature = "mux")]
    pub(crate) fn with_extensions(mut self, extensions: impl Into<Extensions>) -> Self {
        self.extensions = extensions.into();
        self
    }

    #[cfg(feature = "mux")]
    pub(crate) fn with_config(mut self, config: Config) -> Self {
        self.config = config.into();
        self
    }

    /// The same for transports within another connection; see [`Negotiated::unmasked`](crate::Negotiated::unmasked).
    #[cfg(feature = "mux")]
    pub(crate) const fn unmasked(mut self) -> Self {
        self.carrier = Carrier::Connection;
        self
    }

    /// The version that is asked for.
    #[must_use]
    pub fn version(&self) -> Version {
        self.request.requested_version()
    }
}

/// Collects what a [`Client`] asks for.
///
/// Mistakes are kept until [`build`](Self::build), so that calls can be chained.
///
/// ```
/// use hybi::{Client, Error};
///
/// // A name that no field can have is noticed at the end of the chain.
/// let mistaken = Client::builder().header("not a name", "1").subprotocol("chat.v2").build();
/// assert!(matches!(mistaken, Err(Error::Field(_))));
/// ```
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    client: Result<Client, Error>,
}

impl ClientBuilder {
    fn request(
        mut self,
        change: impl FnOnce(ClientRequest) -> Result<ClientRequest, FieldError>,
    ) -> Self {
        self.client = self
            .client
            .and_then(|client| Ok(Client { request: change(client.request)?, ..client }));
        self
    }

    /// Adds a header field. Those that the handshake owns (`Host`, `Upgrade`, `Connection` and
    /// `Sec-WebSocket-*`) are refused, and so is any value with a line break or NUL in it.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.request(|request| request.header(name, value))
    }

    /// Says which origin the request comes from (RFC 6455 section 10.2); browsers must, other
    /// clients may.
    pub fn origin(self, origin: &str) -> Self {
        self.request(|request| request.origin(origin))
    }

    /// Offers a subprotocol (RFC 6455 section 1.9); the first offered is preferred most.
    pub fn subprotocol(self, name: &str) -> Self {
        self.request(|request| request.subprotocol(name))
    }

    /// Asks for another version than RFC 6455: [`Version::HYBI_08`], [`Version::HYBI_07`] or, with the
    /// feature `legacy`, any that was ever published. A version whose framing is not known here is a
    /// mistake.
    ///
    /// hixie-75, hixie-76 and hybi-01 to 03 mask nothing: whoever chooses what this client sends can plant
    /// bytes in the stream that a proxy takes for requests. See [`Version::HIXIE_75`].
    pub fn version(self, version: Version) -> Self {
        self.request(|request| Ok(request.version(spoken(version)?)))
    }

    /// Sets which versions to ask for next, in this order, if a server refuses the first; none by
    /// default. See [`Client::fall_back`].
    ///
    /// An attacker who can break connections can make a client fall back. List no version whose
    /// weakness matters: those before hybi-04 mask nothing (see [`Version::HIXIE_75`]).
    pub fn fallback(mut self, versions: impl IntoIterator<Item = Version>) -> Self {
        self.client = self.client.and_then(|mut client| {
            client.fallback = versions.into_iter().map(spoken).collect::<Result<_, _>>()?;
            Ok(client)
        });
        self
    }

    /// Replaces what the request says in the field that names its version: for tests of servers, and
    /// for those that want a `Sec-WebSocket-Draft` of 3 for hybi-03, whose document says 2. What is
    /// spoken stays the [`version`](Self::version); hixie-75 has no such field.
    pub fn version_header(self, value: &str) -> Self {
        self.request(|request| request.version_header(value))
    }

    /// Sets which extensions to offer, most wanted first (RFC 6455 section 9); none by default.
    ///
    /// ```
    /// # #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))] {
    /// use hybi::{Client, Deflate};
    ///
    /// let fast = Client::builder().extensions(Deflate::default().level(1)).build()?;
    /// # }
    /// # Ok::<(), hybi::Error>(())
    /// ```
    pub fn extensions(mut self, extensions: impl Into<Extensions>) -> Self {
        if let Ok(client) = &mut self.client {
            client.extensions = extensions.into();
        }
        self
    }

    /// Sets the choices about connections.
    pub fn config(mut self, config: Config) -> Self {
        if let Ok(client) = &mut self.client {
            client.config = Arc::new(config);
        }
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// The first mistake: [`Error::Field`] for a field, origin, subprotocol or version that cannot be sent,
    /// [`Error::Uri`] for the URL of a proxy, [`Error::Environment`] for a variable that has none.
    pub fn build(self) -> Result<Client, Error> {
        self.client
    }
}

/// The version, if it can be spoken here.
fn spoken(version: Version) -> Result<Version, FieldError> {
    if is_spoken(version) {
        Ok(version)
    } else {
        Err(FieldError::UnsupportedVersion { requested: version })
    }
}
