//! `ws` and `wss` URIs: host, port, resource name (RFC 6455 §3); and `ws+unix`, which names a socket of this machine.

use core::fmt;
use core::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;

use crate::authority::{is_name_byte, parse_port, same_host, split_host_port};
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
///
/// `ws+unix:PATH:/TARGET` is a WebSocket behind a Unix socket of this machine, whose path ends with the first colon and is
/// taken as it stands there; the server is told `localhost`. No RFC has it; the `ws` package for Node reads it so.
///
/// ```
/// use hybi_handshake::WsUri;
///
/// let uri: WsUri = "ws+unix:/run/chat.socket:/chat?room=1".parse()?;
/// assert_eq!(uri.unix_socket(), Some("/run/chat.socket"));
/// assert_eq!((uri.host(), uri.resource()), ("localhost", "/chat?room=1"));
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
    /// The path of the Unix socket, if that is where it is; then the rest is as in `ws://localhost`.
    unix_socket: Option<String>,
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

    /// The path of the Unix socket that the server is behind, if its scheme is `ws+unix`.
    #[must_use]
    pub fn unix_socket(&self) -> Option<&str> {
        self.unix_socket.as_deref()
    }

    /// The resource name: path and query, at least `/`.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The root of a server that is reached through TLS: what is asked for the sake of its certificate alone.
    pub(crate) fn of_secure_host(host: &str, port: u16) -> Self {
        Self { secure: true, host: host.to_owned(), port, ..Self::default() }
    }

    /// The `Authorization` value that the user-info of the URI stands for, if there is any.
    ///
    /// [RFC 7617 §2](https://www.rfc-editor.org/rfc/rfc7617#section-2)
    #[must_use]
    pub fn basic_authorization(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::try_from(basic(self.credentials.as_ref()?)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Where a reference in an answer from here leads, such as the value of `Location` (RFC 9110 §10.2.2): any URI, or
    /// a part of one (RFC 3986 §5). `http` and `https` are `ws` and `wss`; a fragment is dropped. Within the
    /// [origin](Self::is_same_origin) the user-info stays what it is, and elsewhere there is none: as whom to ask is not for
    /// whoever answers to say. Nor is a socket of this machine: none leads to `ws+unix`, but for a path on the same one.
    ///
    /// ```
    /// use hybi_handshake::WsUri;
    ///
    /// let uri: WsUri = "wss://user@example.org/chat/room?a=1".parse()?;
    /// for (reference, leads_to) in [
    ///     ("https://elsewhere.org:8443/x#y", "wss://elsewhere.org:8443/x"),
    ///     ("//elsewhere.org", "wss://elsewhere.org/"),
    ///     ("/login", "wss://example.org/login"),
    ///     ("../hall", "wss://example.org/hall"),
    ///     ("?b=2", "wss://example.org/chat/room?b=2"),
    /// ] {
    ///     assert_eq!(uri.join(reference)?.to_string(), leads_to);
    /// }
    /// # Ok::<(), hybi_handshake::UriError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What is wrong with the URI that comes of it.
    pub fn join(&self, reference: &str) -> Result<Self, UriError> {
        let reference = reference.split('#').next().unwrap_or_default();
        if let Some((scheme, rest)) = scheme_of(reference) {
            let is = |name: &str| scheme.eq_ignore_ascii_case(name);
            let whole = match () {
                () if is("http") => written_as(format!("ws:{rest}"), reference),
                () if is("https") => written_as(format!("wss:{rest}"), reference),
                () if is(UNIX) => Err(UriError::Scheme),
                () => reference.parse(),
            };
            return Ok(self.leading_to(whole?));
        }
        if reference.starts_with("//") {
            let scheme = if self.secure { "wss" } else { "ws" };
            return Ok(self.leading_to(written_as(format!("{scheme}:{reference}"), reference)?));
        }
        let (own, _) = self.resource.split_once('?').unwrap_or((&self.resource, ""));
        let (path, query) = match reference.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (reference, None),
        };
        let mut resource = match path {
            "" if query.is_none() => return Ok(self.clone()),
            "" => own.to_owned(),
            path if path.starts_with('/') => without_dots(path),
            path => {
                let folder = own.rfind('/').map_or("/", |slash| &own[..=slash]);
                without_dots(&format!("{folder}{path}"))
            }
        };
        if let Some(query) = query {
            resource.push('?');
            resource.push_str(query);
        }
        if let Some(offset) = wrong_byte(reference) {
            return Err(UriError::Character { offset });
        }
        Ok(Self { resource, ..self.clone() })
    }

    /// What a whole URI in an answer from here stands for.
    fn leading_to(&self, whole: Self) -> Self {
        let credentials = self.credentials.clone().filter(|_| self.is_same_origin(&whole));
        let resource = match whole.resource.split_once('?') {
            Some((path, query)) => without_dots(path) + "?" + query,
            None => without_dots(&whole.resource),
        };
        Self { resource, credentials, ..whole }
    }

    /// Whether another URI is of the same origin: scheme, host and port (RFC 6454 §5), or Unix socket.
    #[must_use]
    pub fn is_same_origin(&self, other: &Self) -> bool {
        let is_same_place = self.unix_socket == other.unix_socket && self.port == other.port;
        self.secure == other.secure && is_same_place && same_host(&self.host, &other.host)
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
            unix_socket: None,
        }
    }
}

const fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

impl FromStr for WsUri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        match scheme_of(text) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(UNIX) => {
                return behind_unix_socket(rest, text.len() - rest.len());
            }
            _ => {}
        }
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
        if let Some(at) = wrong_byte(resource) {
            return Err(UriError::Character { offset: text.len() - resource.len() + at });
        }
        let (user_info, host, port) = parse_authority(authority, default_port(secure))?;
        let slash = if resource.starts_with('/') { "" } else { "/" };
        Ok(Self {
            secure,
            host,
            port,
            resource: format!("{slash}{resource}"),
            credentials: user_info.map(credentials).transpose()?,
            unix_socket: None,
        })
    }
}

/// The scheme of what is behind a Unix socket.
const UNIX: &str = "ws+unix";

/// What stands behind that scheme: `PATH`, or `PATH:/TARGET`. An authority in front may be there, and is empty then.
fn behind_unix_socket(rest: &str, offset: usize) -> Result<WsUri, UriError> {
    let local = rest.strip_prefix("//").unwrap_or(rest);
    let is_local = local.len() == rest.len() || local.starts_with('/');
    let (path, resource) = local.split_once(':').unwrap_or((local, "/"));
    let is_path = !path.is_empty() && !path.starts_with("//") && !path.contains(char::is_control);
    if !is_local || !is_path || !resource.starts_with('/') {
        return Err(UriError::UnixSocket);
    }
    if resource.contains('#') {
        return Err(UriError::Fragment);
    }
    if let Some(at) = wrong_byte(resource) {
        let begin = offset + rest.len() - resource.len();
        return Err(UriError::Character { offset: begin + at });
    }
    let (resource, unix_socket) = (resource.to_owned(), Some(path.to_owned()));
    Ok(WsUri { resource, unix_socket, ..WsUri::default() })
}

impl TryFrom<&http::Uri> for WsUri {
    type Error = UriError;

    fn try_from(uri: &http::Uri) -> Result<Self, UriError> {
        uri.to_string().parse()
    }
}

impl fmt::Display for WsUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.unix_socket {
            return write!(f, "{UNIX}:{path}:{}", self.resource);
        }
        let scheme = if self.secure { "wss" } else { "ws" };
        write!(f, "{scheme}://{}{}", self.host_header(), self.resource)
    }
}

impl fmt::Debug for WsUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WsUri({self})")
    }
}

/// Reads a URI that is written in another way than it was given.
fn written_as(text: String, given: &str) -> Result<WsUri, UriError> {
    text.parse().map_err(|error| match error {
        UriError::Character { offset } => {
            UriError::Character { offset: (offset + given.len()).saturating_sub(text.len()) }
        }
        error => error,
    })
}

/// The scheme of a reference that has one, and what is behind its colon (RFC 3986 §3.1).
fn scheme_of(reference: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = reference.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme.then_some((scheme, rest))
}

/// A path without its dot segments (RFC 3986 §5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            segment => {
                kept.push(segment);
                continue;
            }
        }
        if is_last {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

/// Where the first byte of a resource is that it may not hold.
fn wrong_byte(resource: &str) -> Option<usize> {
    let query = resource.find('?').unwrap_or(resource.len());
    let is_lawful = |(at, byte)| is_resource_byte(byte) && (byte != b'`' || at > query);
    resource.bytes().enumerate().position(|place| !is_lawful(place))
}

/// What the resource may hold: everything visible except what RFC 3986 wants encoded and HTTP
/// parsers are known to disagree about. `|`, `{` and their like are left to pass, as browsers do. So is
/// the backtick in a query; in a path browsers encode it, and servers, ours too, refuse it as it is.
const fn is_resource_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\')
}

/// Reads `[user-info@]host[:port]` (RFC 3986 §3.2): the user-info as it stands there, the host in lower case and an IPv6
/// address without its brackets, and the port or else the default.
pub(crate) fn parse_authority(
    authority: &str,
    default_port: u16,
) -> Result<(Option<&str>, String, u16), UriError> {
    let (user_info, host_port) = match authority.rsplit_once('@') {
        Some((user_info, host_port)) => (Some(user_info), host_port),
        None => (None, authority),
    };
    let (host, port) = split_host_port(host_port).ok_or(UriError::Host)?;
    let port = match port {
        None | Some("") => default_port,
        Some(digits) => parse_port(digits).ok_or(UriError::Port)?,
    };
    Ok((user_info, host.to_ascii_lowercase(), port))
}

/// Credentials with a colon between, as fields have them (RFC 7617 §2).
pub(crate) fn basic(credentials: &[u8]) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(credentials))
}

/// Decodes user-info to the form that basic credentials have.
pub(crate) fn credentials(user_info: &str) -> Result<Vec<u8>, UriError> {
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
