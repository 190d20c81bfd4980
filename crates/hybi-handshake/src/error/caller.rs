//! What the caller can get wrong: fields that may not be sent, and URIs.

use core::{error, fmt};

use crate::version::Version;

/// A field that the caller may not send, or not like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldError {
    /// `Host`, `Upgrade`, `Connection` and `Sec-WebSocket-*` are written by the handshake itself.
    Reserved,
    /// An opening handshake is a GET request (RFC 6455 §4.1), whatever the method asked for.
    NotGet,
    /// The name of the field is not a token.
    InvalidName,
    /// The value of the field holds a character that would end it, such as CR, LF or NUL.
    InvalidValue,
    /// The name or value of a subprotocol or extension is not a token.
    NotAToken,
    /// The subprotocol is already in the list.
    DuplicateSubprotocol,
    /// The client did not offer this subprotocol.
    SubprotocolNotOffered,
    /// This version of the protocol is not spoken here, so nobody may be asked for it.
    UnsupportedVersion {
        /// The version asked for.
        requested: Version,
    },
    /// A host is not `host[:port]`, or `*` is not a whole label of it.
    InvalidHost,
    /// An origin is not `scheme://host[:port]`, or `*` is not a whole label of its host.
    InvalidOrigin,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reserved => "this field is written by the handshake itself",
            Self::NotGet => "an opening handshake is a GET request",
            Self::InvalidName => "the field name is not a token",
            Self::InvalidValue => "the field value holds a character that no field may hold",
            Self::NotAToken => "a name or value is not a token of HTTP",
            Self::DuplicateSubprotocol => "the subprotocol is already offered",
            Self::SubprotocolNotOffered => "the client did not offer this subprotocol",
            Self::UnsupportedVersion { requested } => {
                return write!(f, "{} is not spoken here", requested.describe());
            }
            Self::InvalidHost => "a host is written host[:port]",
            Self::InvalidOrigin => "an origin is written scheme://host[:port]",
        })
    }
}

impl error::Error for FieldError {}

/// Why a text is not a WebSocket URI, or not the URL of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UriError {
    /// The scheme is `http` or `https`; the WebSocket schemes are `ws` and `wss`.
    HttpScheme,
    /// The scheme is neither `ws` nor `wss`, or there is none.
    Scheme,
    /// A WebSocket URI has no fragment; a `#` in the resource is written `%23`.
    Fragment,
    /// The host is missing or malformed. A name in another script is written in its `xn--` form.
    Host,
    /// The port is not a number from 1 to 65535.
    Port,
    /// The user-info is malformed, or not what a proxy of its kind can be told.
    UserInfo,
    /// A `ws+unix` URI is `ws+unix:PATH:/TARGET`, and its path has no control characters.
    UnixSocket,
    /// The scheme of a proxy is `http`, `https`, `socks5` or `socks5h`.
    ProxyScheme,
    /// The URL of a proxy has neither path, query nor fragment.
    ProxyPath,
    /// A character that a URI cannot hold and that has to be percent-encoded.
    Character {
        /// Where it is, in bytes.
        offset: usize,
    },
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HttpScheme => "an http URI is not a WebSocket URI (write ws:// or wss://)",
            Self::Scheme => "a WebSocket URI begins with ws:// or wss://",
            Self::Fragment => "a WebSocket URI has no fragment (write %23 for #)",
            Self::Host => "the host of the URI is missing or malformed",
            Self::Port => "the port of the URI is not a number from 1 to 65535",
            Self::UserInfo => "the user-info of the URI is malformed",
            Self::UnixSocket => "the URI of a Unix socket is ws+unix:PATH:/TARGET",
            Self::ProxyScheme => "the scheme of a proxy is http, https, socks5 or socks5h",
            Self::ProxyPath => "the URL of a proxy has neither path, query nor fragment",
            Self::Character { offset } => {
                return write!(f, "byte {offset} of the URI has to be percent-encoded");
            }
        })
    }
}

impl error::Error for UriError {}
