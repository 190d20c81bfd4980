//! Proxies: their URLs, which to take, and what to say to one before it hands bytes through.

mod choice;
mod error;
mod socks;
mod tunnel;

use core::fmt;
use core::str::FromStr;

pub use self::choice::{EnvironmentError, Proxies};
pub use self::error::{SocksReply, TunnelError};
pub use self::tunnel::TunnelHandshake;
use crate::error::UriError;
use crate::uri::{WsUri, basic, credentials, parse_authority};

/// A proxy that hands bytes through: where it is, what it speaks, and as whom to ask it.
///
/// Printing it leaves the user-info out, so that it can be logged.
///
/// ```
/// use hybi_handshake::proxy::{Proxy, ProxyKind};
///
/// let proxy: Proxy = "http://user:secret@proxy.example.org:3128".parse()?;
/// assert_eq!((proxy.kind(), proxy.host(), proxy.port()), (ProxyKind::Http, "proxy.example.org", 3128));
/// assert_eq!(proxy.to_string(), "http://proxy.example.org:3128");
/// // As curl reads them: without a scheme it is HTTP, without a port 1080, and 443 with TLS.
/// assert_eq!("proxy".parse::<Proxy>()?.to_string(), "http://proxy:1080");
/// assert_eq!("https://proxy".parse::<Proxy>()?.port(), 443);
/// # Ok::<(), hybi_handshake::UriError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Proxy {
    kind: ProxyKind,
    /// Lower case; an IPv6 address without its brackets.
    host: String,
    port: u16,
    credentials: Option<Credentials>,
}

/// User name and password, percent-decoded, with a colon between.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Credentials {
    both: Vec<u8>,
    /// How long the name is, which may have a colon itself.
    user: usize,
}

impl Credentials {
    fn parse(user_info: &str) -> Result<Self, UriError> {
        let user = user_info.split(':').next().unwrap_or_default();
        // By itself it gets a colon behind it.
        let user = credentials(user)?.len() - 1;
        Ok(Self { both: credentials(user_info)?, user })
    }
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProxyKind {
    /// `http`: a CONNECT request (RFC 9110 §9.3.6), in the clear.
    Http,
    /// `https`: the same, through TLS with the proxy.
    Https,
    /// `socks5`: SOCKS version 5 (RFC 1928), which is given an address: the name is looked up here.
    Socks5,
    /// `socks5h`: the same, which is given the name and looks it up.
    Socks5h,
}

impl ProxyKind {
    const fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks5 => "socks5",
            Self::Socks5h => "socks5h",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http | Self::Socks5 | Self::Socks5h => 1080,
        }
    }

    const fn is_socks(self) -> bool {
        matches!(self, Self::Socks5 | Self::Socks5h)
    }
}

impl Proxy {
    /// What it speaks.
    #[must_use]
    pub const fn kind(&self) -> ProxyKind {
        self.kind
    }

    /// The host in lower case; an IPv6 address is without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// As the URI of a server, if TLS with the proxy comes first: for its certificate.
    #[must_use]
    pub fn secure_uri(&self) -> Option<WsUri> {
        let is_secure = self.kind == ProxyKind::Https;
        is_secure.then(|| WsUri::of_secure_host(&self.host, self.port))
    }

    /// Whether names are looked up before the proxy is asked, which is given an address then.
    #[must_use]
    pub const fn wants_address(&self) -> bool {
        matches!(self.kind, ProxyKind::Socks5)
    }

    /// The value of `Proxy-Authorization` (RFC 7617 §2), if there is any.
    fn basic_authorization(&self) -> Option<String> {
        self.credentials.as_ref().map(|credentials| basic(&credentials.both))
    }

    /// User name and password, if there are any.
    fn user_and_password(&self) -> Option<(&[u8], &[u8])> {
        let Credentials { both, user } = self.credentials.as_ref()?;
        Some((&both[..*user], &both[*user + 1..]))
    }
}

impl FromStr for Proxy {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let kinds = [ProxyKind::Http, ProxyKind::Https, ProxyKind::Socks5, ProxyKind::Socks5h];
        let kind = kinds.into_iter().find(|kind| scheme.eq_ignore_ascii_case(kind.scheme()));
        let kind = kind.ok_or(UriError::ProxyScheme)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            return Err(UriError::ProxyPath);
        }
        let (user_info, host, port) = parse_authority(authority, kind.default_port())?;
        let credentials = user_info.map(Credentials::parse).transpose()?;
        let proxy = Self { kind, host, port, credentials };
        if let Some((user, password)) = proxy.user_and_password() {
            let may_be_told = match kind.is_socks() {
                // Each has a length of one byte in front (RFC 1929 §2), and nobody has no name.
                true => !user.is_empty() && user.len().max(password.len()) <= 255,
                // The colon is what ends it (RFC 7617 §2).
                false => !user.contains(&b':'),
            };
            if !may_be_told {
                return Err(UriError::UserInfo);
            }
        }
        Ok(proxy)
    }
}

impl TryFrom<&str> for Proxy {
    type Error = UriError;

    fn try_from(text: &str) -> Result<Self, UriError> {
        text.parse()
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.kind.scheme(), Target { host: &self.host, port: self.port })
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

/// `host:port`, an IPv6 address in brackets.
#[derive(Clone, Copy)]
struct Target<'a> {
    host: &'a str,
    port: u16,
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        match host.contains(':') {
            true => write!(f, "[{host}]:{port}"),
            false => write!(f, "{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_they_are_written() {
        for (text, shown, user) in [
            ("http://proxy:3128", "http://proxy:3128", None),
            ("HTTPS://Proxy.Example/", "https://proxy.example:443", None),
            ("socks5://u:p@[2001:db8::1]:1081", "socks5://[2001:db8::1]:1081", Some("u p")),
            ("socks5h://a%40b:%3A@h", "socks5h://h:1080", Some("a@b :")),
            ("socks5h://a%3Ab:c:d@h", "socks5h://h:1080", Some("a:b c:d")),
            ("http://a:b:c@h", "http://h:1080", Some("a b:c")),
            ("u@127.0.0.1:8", "http://127.0.0.1:8", Some("u ")),
        ] {
            let proxy: Proxy = text.parse().expect("a proxy");
            assert_eq!(proxy.to_string(), shown);
            assert_eq!(format!("{proxy:?}"), format!("Proxy({shown})"));
            let words = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
            let known = proxy.user_and_password().map(|(u, p)| words(u) + " " + &words(p));
            assert_eq!(known.as_deref(), user);
        }
    }

    #[test]
    fn what_is_no_proxy_is_told_why() {
        let long = format!("socks5://{}@h", "u".repeat(256));
        for (text, error) in [
            ("ftp://proxy", UriError::ProxyScheme),
            ("socks4://proxy", UriError::ProxyScheme),
            ("http://proxy/path", UriError::ProxyPath),
            ("http://proxy?x", UriError::ProxyPath),
            ("http://", UriError::Host),
            ("", UriError::Host),
            ("http://a b", UriError::Host),
            ("http://proxy:0", UriError::Port),
            ("http://proxy:x", UriError::Port),
            ("http://%zz@proxy", UriError::UserInfo),
            ("socks5://:p@proxy", UriError::UserInfo),
            ("http://a%3Ab:c@proxy", UriError::UserInfo),
            (&long, UriError::UserInfo),
        ] {
            assert_eq!(text.parse::<Proxy>(), Err(error), "{text}");
        }
    }
}
