//! Client: how to ask for a connection (RFC 6455 section 4.1).

use std::sync::Arc;

use hybi_compression::Extensions;
use hybi_handshake::{
    ClientAccepted, ClientHandshake, ClientRequest, FieldError, HeadLimits, Version, WsUri,
};
use rand::Rng;

use crate::{Config, Error, Negotiated, server::is_spoken};

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
}

impl Default for Client {
    fn default() -> Self {
        let request = ClientRequest::new(WsUri::default());
        Self { request, extensions: Extensions::default(), config: Arc::default() }
    }
}

impl Client {
    /// Begins with the defaults: RFC 6455, permessage-deflate if it is compiled in, no additional
    /// header field, no subprotocol.
    pub fn builder() -> ClientBuilder {
        ClientBuilder { client: Ok(Self::default()) }
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
    /// # Ok::<(), hybi::UriError>(())
    /// ```
    #[must_use]
    pub fn handshake(&self, uri: &WsUri) -> ClientHandshake {
        let mut nonce = [0; 16];
        rand::rng().fill_bytes(&mut nonce);
        let limits: HeadLimits = self.config.head_limits;
        let request = self.request.clone().with_uri(uri.clone());
        let offers = self.extensions.offers(request.requested_version());
        let request = offers.into_iter().fold(request, ClientRequest::extension);
        ClientHandshake::new(&request, nonce, limits)
    }

    /// What the handshake settled: judges the server's choice of extensions (section 4.1).
    ///
    /// # Errors
    ///
    /// [`Error::Handshake`] if an extension was not offered, or with other parameters.
    pub fn negotiated(&self, accepted: &ClientAccepted) -> Result<Negotiated, Error> {
        let extensions = self.extensions.confirm(&accepted.extensions, accepted.version)?;
        Ok(Negotiated::new(accepted.version, accepted.subprotocol.clone(), extensions))
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
    client: Result<Client, FieldError>,
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

    /// Asks for another version than RFC 6455: [`Version::HYBI_08`] or [`Version::HYBI_07`]. A
    /// version whose framing is not known here is a mistake.
    pub fn version(self, version: Version) -> Self {
        self.request(|request| {
            if is_spoken(version) {
                Ok(request.version(version))
            } else {
                Err(FieldError::UnsupportedVersion { requested: version })
            }
        })
    }

    /// Sets which extensions to offer, most wanted first (RFC 6455 section 9);
    /// permessage-deflate by default, if it is compiled in.
    ///
    /// ```
    /// use hybi::{Client, Deflate, Extensions};
    ///
    /// let fast = Client::builder().extensions(Deflate::default().level(1)).build()?;
    /// let plain = Client::builder().extensions(Extensions::none()).build()?;
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
    /// [`Error::Field`] for the first field, origin, subprotocol or version that cannot be sent.
    pub fn build(self) -> Result<Client, Error> {
        Ok(self.client?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_asks_only_for_versions_that_it_can_speak() {
        for number in 0..=u8::MAX {
            let requested = Version::new(number);
            match Client::builder().version(requested).build() {
                Ok(_) => assert!([7, 8, 13].contains(&number), "{number}"),
                Err(Error::Field(error)) => {
                    assert_eq!(error, FieldError::UnsupportedVersion { requested });
                    assert!(![7, 8, 13].contains(&number), "{number}");
                }
                Err(error) => panic!("{number}: {error}"),
            }
        }
    }
}
