//! `ws` and `wss` URIs: host, port, resource name (RFC 6455 §3).

use core::fmt;
use core::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;

use crate::authority::{is_name_byte, parse_port, split_host_port};
use crate::error::UriError;

/// A WebSocket URI.
///
/// Printing it leaves the user-info out, so that it can be logged.
///
/// [RFC 6455 §3](https://www.rfc-editor.org/rfc/rfc6455#section-3)
///
/// ```
/// use hybi_handshake::WsUri;
///
/// let uri: WsUri = "wss://Example.org/chat?room=1".parse()?;
/// assert!(uri.is_secure());
/// assert_eq!((uri.host(), uri.port()), ("example.org", 443));
/// assert_eq!(uri.resource(), "/chat?room=1");
/// assert_eq!(uri.host_header(), "example.org");
/// # Ok::<(), hybi_handshake::UriError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WsUri {
    secure: bool,
    /// Lower case; an IPv6 address without its brackets.
    host: String,
    port: u16,
    /// Path and query, never empty.
    resource: String,
    /// User name and password, percent-decoded, with a colon between.
    credentials: Option<Vec<u8>>,
}

impl WsUri {
    /// Whether the scheme is `wss`, so that TLS comes before the handshake.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host in lower case; an IPv6 address is without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, which is 80 for `ws` and 443 for `wss` when the URI names none.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The resource name: path and query, at least `/`.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The `Authorization` value that the user-info of the URI stands for, if there is any.
    ///
    /// [RFC 7617 §2](https://www.rfc-editor.org/rfc/rfc7617#section-2)
    #[must_use]
    pub fn basic_authorization(&self) -> Option<HeaderValue> {
        let text = format!("Basic {}", BASE64_STANDARD.encode(self.credentials.as_ref()?));
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The value of `Host`: the host, and the port unless it is the scheme's own.
    #[must_use]
    pub fn host_header(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let default = default_port(self.secure);
        if self.port == default { host } else { format!("{host}:{}", self.port) }
    }
}

/// The root of this machine, `ws://localhost/`.
impl Default for WsUri {
    fn default() -> Self {
        Self {
            secure: false,
            host: "localhost".to_owned(),
            port: default_port(false),
            resource: "/".to_owned(),
            credentials: None,
        }
    }
}

const fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

impl FromStr for WsUri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        let (scheme, rest) = text.split_once("://").ok_or(UriError::Scheme)?;
        let is = |name: &str| scheme.eq_ignore_ascii_case(name);
        let secure = match () {
            () if is("wss") => true,
            () if is("ws") => false,
            () if is("http") || is("https") => return Err(UriError::HttpScheme),
            () => return Err(UriError::Scheme),
        };
        if rest.contains('#') {
            return Err(UriError::Fragment);
        }
        let (authority, resource) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let query = resource.find('?').unwrap_or(resource.len());
        let is_lawful = |(at, byte)| is_resource_byte(byte) && (byte != b'`' || at > query);
        let wrong = resource.bytes().enumerate().position(|place| !is_lawful(place));
        if let Some(at) = wrong {
            return Err(UriError::Character { offset: text.len() - resource.len() + at });
        }
        let (user_info, host_port) = match authority.rsplit_once('@') {
            Some((user_info, host_port)) => (Some(user_info), host_port),
            None => (None, authority),
        };
        let (host, port) = split_host_port(host_port).ok_or(UriError::Host)?;
        let slash = if resource.starts_with('/') { "" } else { "/" };
        Ok(Self {
            secure,
            host: host.to_ascii_lowercase(),
            port: match port {
                None | Some("") => default_port(secure),
                Some(digits) => parse_port(digits).ok_or(UriError::Port)?,
            },
            resource: format!("{slash}{resource}"),
            credentials: user_info.map(credentials).transpose()?,
        })
    }
}

impl TryFrom<&http::Uri> for WsUri {
    type Error = UriError;

    fn try_from(uri: &http::Uri) -> Result<Self, UriError> {
        uri.to_string().parse()
    }
}

impl fmt::Display for WsUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        write!(f, "{scheme}://{}{}", self.host_header(), self.resource)
    }
}

impl fmt::Debug for WsUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WsUri({self})")
    }
}

/// What the resource may hold: everything visible except what RFC 3986 wants encoded and HTTP
/// parsers are known to disagree about. `|`, `{` and their like are left to pass, as browsers do. So is
/// the backtick in a query; in a path browsers encode it, and servers, ours too, refuse it as it is.
const fn is_resource_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\')
}

/// Decodes user-info to the form that basic credentials have.
fn credentials(user_info: &str) -> Result<Vec<u8>, UriError> {
    let mut decoded = Vec::with_capacity(user_info.len() + 1);
    let mut bytes = user_info.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || (bytes.next()? as char).to_digit(16);
                let (high, low) = digit().zip(digit()).ok_or(UriError::UserInfo)?;
                u8::try_from(high * 16 + low).map_err(|_| UriError::UserInfo)?
            }
            b':' => b':',
            _ if is_name_byte(byte) => byte,
            _ => return Err(UriError::UserInfo),
        });
    }
    if !user_info.contains(':') {
        decoded.push(b':');
    }
    Ok(decoded)
}
