//! The origin of a browser's request and the check a server makes (RFC 6455 §10.2, RFC 6454).

use core::fmt;
use core::str::FromStr;

use crate::authority::{
    Authority, default_port, host_matches, is_host_pattern, parse_port, same_host, split_host_port,
};
use crate::error::FieldError;

/// Which origins a server accepts.
///
/// Browsers name the page that opens a connection in `Origin` and do not stop it from reaching a
/// foreign server, with that server's cookies: this check is what stands between any page on the web and
/// the user's session. Other clients may send what they like, or nothing.
///
/// What is the server's own origin is told by `Host`, which is trusted here. A page whose name was made
/// to resolve to this server's address (DNS rebinding) names itself in both fields and passes for the
/// server's own; only a list of hosts stops it, see [`HostPolicy`](crate::HostPolicy).
///
/// [RFC 6455 §10.2](https://www.rfc-editor.org/rfc/rfc6455#section-10.2)
///
/// ```
/// use hybi_handshake::OriginPolicy;
///
/// let policy = OriginPolicy::default();
/// assert!(policy.allows(Some("https://example.org"), "example.org", true));
/// assert!(policy.allows(None, "example.org", true));
/// assert!(!policy.allows(Some("https://evil.example"), "example.org", true));
///
/// let policy = OriginPolicy::List(vec!["https://*.example.org".parse()?]);
/// assert!(policy.allows(Some("https://app.example.org"), "api.example.org", true));
/// # Ok::<(), hybi_handshake::FieldError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginPolicy {
    /// The origin of the server itself, which is the one that `Host` says, or no origin at all.
    #[default]
    SameOrNone,
    /// Every origin. Dangerous when requests carry cookies or reach a private network.
    Any,
    /// What one of the patterns matches.
    List(Vec<OriginPattern>),
}

impl OriginPolicy {
    /// Whether a request with this `Origin`, or none, to this `Host` may open a connection.
    ///
    /// `secure` says that the client's transport is TLS here; a server behind a proxy that ends
    /// TLS says false and then takes both schemes for its own.
    #[must_use]
    pub fn allows(&self, origin: Option<&str>, host: &str, secure: bool) -> bool {
        match self {
            Self::Any => true,
            Self::SameOrNone => origin.is_none_or(|origin| is_same(origin, host, secure)),
            Self::List(patterns) => {
                patterns.iter().any(|pattern| pattern.matches(origin, host, secure))
            }
        }
    }
}

/// One line of an [`OriginPolicy::List`].
///
/// As text:
///
/// | pattern | matches |
/// |---|---|
/// | `same` | the origin of the server itself, as `Host` says it |
/// | `same-host` | the same host with any port and scheme: for proxies that change either, and pages of other ports. Every program on that host may serve such a page, and without TLS everyone on its way |
/// | `none` | no `Origin` at all: clients that are no browsers |
/// | `null` | `Origin: null`: files, sandboxed frames, redirected requests |
/// | `*` | everything |
/// | `scheme://host[:port]` | that origin; `*` may stand for a whole label of the host and matches exactly one |
///
/// ```
/// use hybi_handshake::OriginPattern;
///
/// let pattern: OriginPattern = "https://*.example.org:8443".parse()?;
/// assert_eq!(pattern.to_string(), "https://*.example.org:8443");
/// assert!("https://a*.example.org".parse::<OriginPattern>().is_err());
/// # Ok::<(), hybi_handshake::FieldError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginPattern(Pattern);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Same,
    SameHost,
    None,
    Null,
    Any,
    /// Scheme and host in lower case.
    Origin {
        scheme: String,
        host: String,
        port: Option<u16>,
    },
}

impl OriginPattern {
    /// A pattern that would let this `Origin`, or none, in at this `Host`: what to tell whoever runs a
    /// server that refused it. It is `same-host` where no more than scheme or port differ, which a proxy
    /// may have changed, and else the origin itself.
    ///
    /// ```
    /// use hybi_handshake::OriginPattern;
    ///
    /// let passing = |origin| OriginPattern::that_allows(origin, "example.org").to_string();
    /// assert_eq!(passing(Some("https://example.org:3001")), "same-host");
    /// assert_eq!(passing(Some("https://app.example")), "https://app.example");
    /// assert_eq!(passing(None), "none");
    /// ```
    #[must_use]
    pub fn that_allows(origin: Option<&str>, host: &str) -> Self {
        Self(match origin {
            None => Pattern::None,
            Some("null") => Pattern::Null,
            Some(origin) if is_same_host(origin, host) => Pattern::SameHost,
            // What is no origin in writing is matched by nothing else.
            Some(origin) => origin.parse().map_or(Pattern::Any, |Self(pattern)| pattern),
        })
    }

    fn matches(&self, origin: Option<&str>, host: &str, secure: bool) -> bool {
        match (&self.0, origin) {
            (Pattern::Any, _) | (Pattern::None, None) => true,
            (Pattern::Null, Some(origin)) => origin == "null",
            (Pattern::Same, Some(origin)) => is_same(origin, host, secure),
            (Pattern::SameHost, Some(origin)) => is_same_host(origin, host),
            (Pattern::Origin { scheme, host, port }, Some(origin)) => Origin::parse(origin)
                .is_some_and(|origin| {
                    origin.scheme.eq_ignore_ascii_case(scheme)
                        && origin.port == port.or_else(|| default_port(scheme))
                        && host_matches(host, origin.host)
                }),
            _ => false,
        }
    }
}

impl FromStr for OriginPattern {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        Ok(Self(match text {
            "same" => Pattern::Same,
            "same-host" => Pattern::SameHost,
            "none" => Pattern::None,
            "null" => Pattern::Null,
            "*" => Pattern::Any,
            _ => {
                let Some((scheme, host, port)) = split(text) else {
                    return Err(FieldError::InvalidOrigin);
                };
                if !is_host_pattern(host) {
                    return Err(FieldError::InvalidOrigin);
                }
                let (scheme, host) = (scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
                Pattern::Origin { scheme, host, port }
            }
        }))
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pattern::Origin { scheme, host, port } = &self.0 else {
            return f.write_str(match self.0 {
                Pattern::Same => "same",
                Pattern::SameHost => "same-host",
                Pattern::None => "none",
                Pattern::Null => "null",
                _ => "*",
            });
        };
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]")?;
        } else {
            write!(f, "{scheme}://{host}")?;
        }
        port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// An `Origin` value taken apart.
struct Origin<'a> {
    scheme: &'a str,
    host: &'a str,
    /// The port named, else that of the scheme, if it is a scheme we know.
    port: Option<u16>,
}

impl<'a> Origin<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (scheme, host, port) = split(text)?;
        Some(Self { scheme, host, port: port.or_else(|| default_port(scheme)) })
    }
}

/// Splits `scheme://host[:port]`, with nothing before, after or between.
fn split(text: &str) -> Option<(&str, &str, Option<u16>)> {
    let (scheme, authority) = text.split_once("://")?;
    let scheme_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    if scheme.is_empty() || !scheme.bytes().all(scheme_byte) {
        return None;
    }
    let (host, port) = split_host_port(authority)?;
    let port = match port {
        Some(digits) => Some(parse_port(digits)?),
        None => None,
    };
    Some((scheme, host, port))
}

/// Whether an origin is that of the server which the client calls `host`.
///
/// A page that came without TLS may have been written by anyone on its way, so it is never the same
/// origin as a server with TLS.
fn is_same(origin: &str, host: &str, secure: bool) -> bool {
    let Some(origin) = Origin::parse(origin) else { return false };
    let https = origin.scheme.eq_ignore_ascii_case("https");
    let scheme_fits = https || (!secure && origin.scheme.eq_ignore_ascii_case("http"));
    let Some(host) = Authority::parse(host) else { return false };
    let port = host.port.or_else(|| default_port(origin.scheme));
    scheme_fits && origin.port == port && same_host(origin.host, host.host)
}

/// Whether an origin is of the host that the client calls the server, whatever scheme and port.
fn is_same_host(origin: &str, host: &str) -> bool {
    let both = Origin::parse(origin).zip(Authority::parse(host));
    both.is_some_and(|(origin, host)| same_host(origin.host, host.host))
}
