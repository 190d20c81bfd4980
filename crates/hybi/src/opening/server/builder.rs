//! ServerBuilder: what a server is told to accept (RFC 6455 sections 4.2 and 10).

use std::sync::Arc;

use hybi_compression::Extensions;
use hybi_handshake::{
    FieldError, HostPolicy, OriginPolicy, ServerPolicy, SubprotocolPreference, Version,
};

use super::{Server, is_spoken};
use crate::{
    connection::Config,
    legacy::{FieldOrder, with_legacy},
    opening::carrier::Carrier,
};

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
    config: Arc<Config>,
    hixie_75_fields: FieldOrder,
}

impl Default for ServerBuilder {
    fn default() -> Self {
        Self {
            policy: ServerPolicy::default(),
            extensions: Extensions::none(),
            config: Config::by_default(),
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

    with_legacy! {
        /// Sets how closely clients of hixie-75 have to follow the order of fields that their draft
        /// fixes; any order by default, since proxies add fields of their own.
        pub fn hixie_75_fields(mut self, order: FieldOrder) -> Self {
            self.hixie_75_fields = order;
            self
        }
    }

    /// Sets the choices about connections.
    pub fn config(mut self, config: Config) -> Self {
        self.config = Arc::new(config);
        self
    }

    /// The server.
    #[must_use]
    pub fn build(self) -> Server {
        Server {
            policy: Arc::new(self.policy),
            extensions: self.extensions,
            config: self.config,
            hixie_75_fields: self.hixie_75_fields,
            carrier: Carrier::Network,
        }
    }
}
