//! Which hosts a server answers for (RFC 9110 §7.4, §15.5.20).

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use crate::authority::{Authority, host_matches, is_host_pattern};
use crate::error::FieldError;

/// Which hosts a server answers for: what `Host` may name.
///
/// A page can let its own name resolve to an address of its victim's network or machine (DNS
/// rebinding). The browser then takes the server there for the page's own, and both `Host` and
/// `Origin` name the attacker, so that no [`OriginPolicy`](crate::OriginPolicy) that trusts `Host`
/// can tell. A server that is not behind a proxy with such a list, above all one on a loopback
/// address or in a private network, should have one of its own.
///
/// [RFC 9110 §7.4](https://www.rfc-editor.org/rfc/rfc9110#section-7.4)
///
/// ```
/// use hybi_handshake::{HandshakeError, HostPolicy, ServerPolicy};
///
/// let hosts = HostPolicy::List(vec!["example.org".parse()?, "*.example.org".parse()?]);
/// assert!(hosts.allows("API.example.org:8080", false));
/// assert!(!hosts.allows("evil.example", false));
///
/// let request = http::Request::get("/").header("Host", "evil.example").body(())?;
/// let refusal = ServerPolicy::new().with_hosts(hosts).check(&request).unwrap_err();
/// assert!(matches!(refusal, HandshakeError::HostNotServed { .. }));
/// assert_eq!(refusal.response().status(), 421);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostPolicy {
    /// Every host.
    #[default]
    Any,
    /// What one of the patterns matches.
    List(Vec<HostPattern>),
}

impl HostPolicy {
    /// For a server that listens on `address` alone: the names of this machine (`localhost`,
    /// `*.localhost`, `127.0.0.1` and `[::1]`) and that address, with any port. No other page can get one
    /// of these names.
    ///
    /// ```
    /// use hybi_handshake::HostPolicy;
    ///
    /// let hosts = HostPolicy::local("127.0.0.1".parse().unwrap());
    /// assert!(hosts.allows("localhost:8080", false));
    /// assert!(!hosts.allows("rebound.example:8080", false));
    /// ```
    #[must_use]
    pub fn local(address: IpAddr) -> Self {
        let name = |host: &str| HostPattern { host: host.to_owned(), port: None };
        let mut patterns = ["localhost", "*.localhost", "127.0.0.1", "::1"].map(name).to_vec();
        patterns.push(address.into());
        Self::List(patterns)
    }

    /// Whether requests with this value of `Host` are answered; none that is malformed is.
    ///
    /// `secure` says that the client's transport is TLS here, which tells the port that a `Host`
    /// without one means: 443. Without, a proxy may end TLS, so that it means 80 or 443.
    #[must_use]
    pub fn allows(&self, host: &str, secure: bool) -> bool {
        let Self::List(patterns) = self else { return true };
        let asked = Authority::parse(host);
        asked.is_some_and(|asked| patterns.iter().any(|pattern| pattern.matches(asked, secure)))
    }
}

/// One line of a [`HostPolicy::List`].
///
/// As text: `*` for every host, or `host[:port]`, where `*` may stand for a whole label of the host
/// and matches exactly one. Names are compared without regard to case, and a dot at their end does
/// not count. A pattern without a port matches every port: which name a page may have matters, and
/// ports are forwarded in many ways.
///
/// ```
/// use hybi_handshake::HostPattern;
///
/// let pattern: HostPattern = "*.example.org:8443".parse()?;
/// assert_eq!(pattern.to_string(), "*.example.org:8443");
/// assert!("http://example.org".parse::<HostPattern>().is_err());
/// # Ok::<(), hybi_handshake::FieldError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    /// Lower case; an IPv6 address is without its brackets.
    host: String,
    port: Option<u16>,
}

impl HostPattern {
    fn matches(&self, asked: Authority<'_>, secure: bool) -> bool {
        let port_fits = match (self.port, asked.port) {
            (None, _) => true,
            (Some(port), None) => port == 443 || (!secure && port == 80),
            (port, asked) => port == asked,
        };
        let host = asked.host.strip_suffix('.').unwrap_or(asked.host);
        port_fits && (self.host == "*" || host_matches(&self.host, host))
    }
}

/// This address, with any port.
impl From<IpAddr> for HostPattern {
    fn from(address: IpAddr) -> Self {
        Self { host: address.to_canonical().to_string(), port: None }
    }
}

impl FromStr for HostPattern {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let parsed = Authority::parse(text).filter(|parsed| is_host_pattern(parsed.host));
        let Authority { host, port } = parsed.ok_or(FieldError::InvalidHost)?;
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        Ok(Self { host, port })
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(&self.host)?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}
