//! What can go wrong: one variant per broken rule, each with its section and HTTP status.

mod caller;

use core::{error, fmt, time::Duration};

use http::{HeaderValue, Response, StatusCode, header};

pub use caller::{FieldError, UriError};

use crate::body::BodyTruncated;
use crate::head::HeadLimits;
use crate::head::parse::ReasonPhrase;
use crate::origin::OriginPattern;
use crate::version::{Version, VersionSet, offered_versions};

/// A rule of the opening handshake that the peer broke, or a server's refusal.
///
/// Offsets count from the first byte of the handshake. [`status`](Self::status) is what a server
/// answers, [`response`](Self::response) the whole answer.
///
/// ```
/// use hybi_handshake::{HandshakeError, ServerPolicy};
///
/// let request = http::Request::get("/chat")
///     .header("Host", "example.org")
///     .header("Upgrade", "websocket")
///     .header("Connection", "Upgrade")
///     .header("Sec-WebSocket-Key", "too short")
///     .header("Sec-WebSocket-Version", "13")
///     .body(())?;
/// let error = ServerPolicy::new().check(&request).unwrap_err();
/// assert!(matches!(error, HandshakeError::MalformedKey));
/// assert_eq!(error.status(), Some(http::StatusCode::BAD_REQUEST));
/// println!("{error}, {}", error.section());
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HandshakeError {
    // The head, at either end.
    /// The first bytes cannot begin an HTTP/1 message; 0x15 and 0x16 are typical of TLS.
    NotHttp {
        /// The byte that gave it away.
        byte: u8,
    },
    /// The head is longer than [`HeadLimits::max_bytes`](crate::HeadLimits::max_bytes).
    HeadTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The request line alone is longer than a head may be.
    TargetTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// More fields than [`HeadLimits::max_fields`](crate::HeadLimits::max_fields).
    TooManyFields {
        /// The limit.
        limit: usize,
    },
    /// More names in a list than [`HeadLimits::MAX_NAMES`](crate::HeadLimits::MAX_NAMES).
    TooManyNames {
        /// The name of the field.
        field: &'static str,
    },
    /// A CR without LF, or an LF without CR.
    BareLineEnd {
        /// Where it is.
        offset: usize,
    },
    /// A control character, such as NUL, where text belongs.
    ControlByte {
        /// Where it is.
        offset: usize,
        /// The character.
        byte: u8,
    },
    /// A field line that begins with white space, the obsolete way to continue the line before.
    ObsoleteFold {
        /// Where the line begins.
        offset: usize,
    },
    /// The request line or status line does not follow its grammar.
    MalformedStartLine,
    /// A field line does not follow its grammar.
    MalformedField {
        /// Where the line begins.
        offset: Option<usize>,
    },
    /// The peer ended its half of the transport before the handshake was complete.
    UnexpectedEof {
        /// How many bytes of the head had come.
        received: usize,
    },
    /// The deadline of the handshake passed. Raised by whoever holds the clock.
    TimedOut,
    /// The server takes no more connections for now. Raised by whoever counts them.
    Unavailable {
        /// When another attempt may do better, as `Retry-After` says in whole seconds, rounded up.
        retry_after: Duration,
    },
    /// A field that may occur once occurs more often.
    DuplicateField {
        /// The name of the field.
        name: &'static str,
    },
    /// `Sec-WebSocket-Protocol` is not a list of distinct tokens (from a server: one token).
    MalformedSubprotocol,
    /// `Sec-WebSocket-Extensions` does not follow its grammar.
    MalformedExtensions,

    // What a client did.
    /// The request is of another version of HTTP than 1.1.
    HttpVersion,
    /// The method is not GET.
    Method,
    /// The request came by HTTP/2 or later and is not a CONNECT with `:protocol`, the one way to ask for a WebSocket there.
    NotConnect,
    /// The `:protocol` asked for is not `websocket`.
    UnknownProtocol,
    /// The version asked for does not go over HTTP/2, where there is 13 alone, or that is not accepted here.
    ConnectVersion {
        /// The versions that the server accepts over HTTP/2.
        accepted: VersionSet,
    },
    /// The request target is no path and no absolute `http` or `https` URI.
    MalformedTarget,
    /// `Host` is missing.
    MissingHost,
    /// `Host` is not a host with an optional port.
    MalformedHost,
    /// The request target names another host than `Host` does.
    HostMismatch,
    /// The server's [`HostPolicy`](crate::HostPolicy) does not have this host.
    HostNotServed {
        /// The value of `Host`.
        host: Box<str>,
    },
    /// The request announces a body.
    Body,
    /// The request has nothing of a WebSocket handshake.
    NotWebSocket {
        /// The versions that the server accepts.
        accepted: VersionSet,
    },
    /// `Upgrade` does not list `websocket`.
    MissingUpgrade,
    /// `Connection` does not list `Upgrade`.
    MissingConnection,
    /// `Sec-WebSocket-Version` is missing.
    MissingVersion {
        /// The versions that the server accepts.
        accepted: VersionSet,
    },
    /// `Sec-WebSocket-Version` is not one number without leading zero.
    MalformedVersion {
        /// The versions that the server accepts.
        accepted: VersionSet,
    },
    /// The version asked for is in no list: `Sec-WebSocket-Version` is above 255, or
    /// `Sec-WebSocket-Draft` has a number that no draft has.
    UnknownVersion {
        /// The versions that the server accepts.
        accepted: VersionSet,
    },
    /// The server does not accept this version.
    UnsupportedVersion {
        /// The version asked for.
        requested: Version,
        /// The versions that the server accepts.
        accepted: VersionSet,
    },
    /// `Sec-WebSocket-Key` is missing.
    MissingKey,
    /// `Sec-WebSocket-Key` is not base64 of 16 bytes, or before version 13 not base64.
    MalformedKey,
    /// The server's [`OriginPolicy`](crate::OriginPolicy) does not allow the origin.
    Origin(Box<RefusedOrigin>),
    /// The server insists on a subprotocol, and the client offers none that it knows.
    SubprotocolRequired,

    // What a server did.
    /// The response is 101, but not of HTTP/1.1: no older version has that status, and no newer one a
    /// head like this.
    ResponseHttpVersion,
    /// The server answered something else than 101. This is its whole response: a redirect, a
    /// request for credentials, a list of versions, a page that explains.
    ///
    /// The body is cut after 64 KiB; [`body_truncated`](HandshakeError::body_truncated) tells.
    Rejected(Box<Response<Vec<u8>>>),
    /// The `Upgrade` of the response is missing or is not `websocket`.
    ResponseUpgrade,
    /// The `Connection` of the response does not list `Upgrade`.
    ResponseConnection,
    /// The response has no `Sec-WebSocket-Accept`.
    MissingAccept,
    /// `Sec-WebSocket-Accept` is not the answer to our key.
    AcceptMismatch,
    /// The server chose a subprotocol that was not offered.
    SubprotocolNotOffered,
    /// The server chose an extension that was not offered.
    ExtensionNotOffered,
    /// The server answered an extension's offer with parameters that do not fit it, or chose
    /// extensions that exclude each other.
    ExtensionAnswer(Box<ExtensionAnswer>),
    /// A rule of a draft whose handshake is not the one of RFC 6455.
    Draft(&'static DraftRule),
}

/// A rule of an opening handshake before RFC 6455 that the peer broke.
///
/// ```
/// use hybi_handshake::{DraftRule, HandshakeError};
///
/// const NO_NONCE: &DraftRule = &DraftRule {
///     rule: "Sec-WebSocket-Nonce is missing",
///     document: "hybi-04",
///     by_client: false,
/// };
/// assert_eq!(HandshakeError::Draft(NO_NONCE).status(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "other crates make these")]
pub struct DraftRule {
    /// The rule in a few words, as it was broken.
    pub rule: &'static str,
    /// Where it is written.
    pub document: &'static str,
    /// Whether a client broke it: the server answers 400. Otherwise a server did.
    pub by_client: bool,
}

/// An origin that a server's policy does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedOrigin {
    /// The origin that the request names, if it names one.
    pub origin: Option<String>,
    /// A pattern that would have let it pass, for the log:
    /// [`that_allows`](OriginPattern::that_allows).
    pub allowed_by: OriginPattern,
}

/// An answer that does not fit the offer of an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "extensions of other crates make these")]
pub struct ExtensionAnswer {
    /// The extension's name.
    pub name: String,
    /// The rule in a few words, as it was broken.
    pub rule: &'static str,
    /// Where it is written.
    pub document: &'static str,
}

impl HandshakeError {
    /// The status that a server answers; `None` for what only a client meets.
    #[must_use]
    pub const fn status(&self) -> Option<StatusCode> {
        Some(match self {
            Self::HttpVersion => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::Method | Self::NotConnect => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnknownProtocol => StatusCode::NOT_IMPLEMENTED,
            Self::NotWebSocket { .. }
            | Self::UnknownVersion { .. }
            | Self::UnsupportedVersion { .. } => StatusCode::UPGRADE_REQUIRED,
            Self::HostNotServed { .. } => StatusCode::MISDIRECTED_REQUEST,
            Self::Origin(_) => StatusCode::FORBIDDEN,
            Self::TargetTooLong { .. } => StatusCode::URI_TOO_LONG,
            Self::HeadTooLarge { .. } | Self::TooManyFields { .. } | Self::TooManyNames { .. } => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::ResponseHttpVersion
            | Self::Rejected(_)
            | Self::ResponseUpgrade
            | Self::ResponseConnection
            | Self::MissingAccept
            | Self::AcceptMismatch
            | Self::SubprotocolNotOffered
            | Self::ExtensionNotOffered
            | Self::ExtensionAnswer(_)
            | Self::Draft(DraftRule { by_client: false, .. }) => return None,
            _ => StatusCode::BAD_REQUEST,
        })
    }

    /// The refusal that a server sends (a client finds the one it got in
    /// [`Rejected`](Self::Rejected)): the status, the fields that go with it, and the reason as a
    /// line of plain text. Without a [`status`](Self::status) it is 400.
    ///
    /// ```
    /// use hybi_handshake::ServerPolicy;
    ///
    /// let request = http::Request::get("/chat").header("Host", "example.org").body(()).unwrap();
    /// let refusal = ServerPolicy::new().check(&request).unwrap_err().response();
    /// assert_eq!(refusal.status(), 426);
    /// assert_eq!(refusal.headers()["sec-websocket-version"], "13");
    /// ```
    #[must_use]
    pub fn response(&self) -> Response<String> {
        let mut response = Response::new(format!("{self}\n"));
        let status = self.status().unwrap_or(StatusCode::BAD_REQUEST);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            let method = if matches!(self, Self::NotConnect) { "CONNECT" } else { "GET" };
            headers.insert(header::ALLOW, HeaderValue::from_static(method));
        }
        if status == StatusCode::UPGRADE_REQUIRED {
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            // RFC 9110 §7.8: who sends Upgrade also names it in Connection.
            headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade, close"));
        }
        if let Self::Unavailable { retry_after } = self {
            let seconds =
                retry_after.as_secs().saturating_add(u64::from(retry_after.subsec_nanos() > 0));
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        // The list of a server that accepts no version would be an empty field, which is none.
        let accepted = self.accepted().filter(|set| set.listed().next().is_some());
        if let Some(Ok(list)) = accepted.map(|set| set.to_string().try_into()) {
            headers.insert(header::SEC_WEBSOCKET_VERSION, list);
        }
        response
    }

    const fn accepted(&self) -> Option<VersionSet> {
        match self {
            Self::NotWebSocket { accepted }
            | Self::MissingVersion { accepted }
            | Self::MalformedVersion { accepted }
            | Self::UnknownVersion { accepted }
            | Self::ConnectVersion { accepted }
            | Self::UnsupportedVersion { accepted, .. } => Some(*accepted),
            _ => None,
        }
    }

    /// The versions that a server's refusal lists, in its order, whatever the status is.
    ///
    /// [RFC 6455 §4.4](https://www.rfc-editor.org/rfc/rfc6455#section-4.4)
    #[must_use]
    pub fn versions_offered(&self) -> Vec<Version> {
        match self {
            Self::Rejected(response) => offered_versions(response.headers()),
            _ => Vec::new(),
        }
    }

    /// The reason phrase of [`Rejected`](Self::Rejected): the server's words behind the status code, or
    /// the usual ones if it has none. It may be anything that fits a line, so escape it.
    ///
    /// [RFC 9112 §4](https://www.rfc-editor.org/rfc/rfc9112#section-4)
    #[must_use]
    pub fn reason_phrase(&self) -> Option<&str> {
        match self {
            Self::Rejected(response) => match response.extensions().get::<ReasonPhrase>() {
                Some(phrase) => Some(&phrase.0),
                None => response.status().canonical_reason(),
            },
            _ => None,
        }
    }

    /// Whether the body of [`Rejected`](Self::Rejected) is not complete: it was cut at 64 KiB, or
    /// the server stopped before its end.
    #[must_use]
    pub fn body_truncated(&self) -> bool {
        match self {
            Self::Rejected(response) => response.extensions().get::<BodyTruncated>().is_some(),
            _ => false,
        }
    }

    /// Where in the handshake the rule was broken, in bytes from its beginning, if that is one place.
    #[must_use]
    pub const fn offset(&self) -> Option<usize> {
        match self {
            Self::NotHttp { .. } => Some(0),
            Self::BareLineEnd { offset }
            | Self::ControlByte { offset, .. }
            | Self::ObsoleteFold { offset }
            | Self::UnexpectedEof { received: offset } => Some(*offset),
            Self::MalformedField { offset } => *offset,
            Self::HeadTooLarge { limit } | Self::TargetTooLong { limit } => Some(*limit),
            _ => None,
        }
    }

    /// The document and section that has the rule.
    #[must_use]
    pub const fn section(&self) -> &'static str {
        match self {
            Self::NotHttp { .. } | Self::BareLineEnd { .. } => "RFC 9112 §2.2",
            Self::HeadTooLarge { .. } | Self::TooManyFields { .. } | Self::TooManyNames { .. } => {
                "RFC 9110 §5.4"
            }
            Self::TargetTooLong { .. } => "RFC 9112 §3",
            Self::ControlByte { .. } => "RFC 9110 §5.5",
            Self::ObsoleteFold { .. } => "RFC 9112 §5.2",
            Self::MalformedStartLine => "RFC 9112 §2.1",
            Self::MalformedField { .. } => "RFC 9112 §5",
            Self::UnexpectedEof { .. } => "RFC 9112 §8",
            Self::TimedOut => "RFC 9110 §15.5.9",
            Self::Unavailable { .. } => "RFC 9110 §15.6.4",
            Self::DuplicateField { name } => match name.as_bytes() {
                b"Host" => "RFC 9112 §3.2",
                [b'S', ..] => "RFC 6455 §11.3",
                _ => "RFC 9110 §5.3",
            },
            Self::HttpVersion | Self::Method => "RFC 6455 §4.2.1 item 1",
            Self::NotConnect | Self::ConnectVersion { .. } => "RFC 8441 §5",
            Self::UnknownProtocol => "RFC 9220 §3",
            Self::MissingHost => "RFC 6455 §4.2.1 item 2",
            Self::MalformedTarget | Self::MalformedHost | Self::HostMismatch => "RFC 9112 §3.2",
            Self::Body => "RFC 6455 §4.1",
            Self::NotWebSocket { .. } | Self::MissingUpgrade => "RFC 6455 §4.2.1 item 3",
            Self::MissingConnection => "RFC 6455 §4.2.1 item 4",
            Self::MissingKey | Self::MalformedKey => "RFC 6455 §4.2.1 item 5",
            Self::MissingVersion { .. } => "RFC 6455 §4.2.1 item 6",
            Self::MalformedVersion { .. } => "RFC 6455 §4.3",
            Self::UnknownVersion { .. } | Self::UnsupportedVersion { .. } => "RFC 6455 §4.4",
            Self::HostNotServed { .. } => "RFC 9110 §15.5.20",
            Self::Origin(_) => "RFC 6455 §10.2",
            Self::MalformedSubprotocol => "RFC 6455 §11.3.4",
            Self::SubprotocolRequired => "RFC 6455 §4.2.2",
            Self::MalformedExtensions => "RFC 6455 §9.1",
            Self::ResponseHttpVersion => "RFC 9110 §15.2",
            Self::Rejected(_) => "RFC 6455 §4.1 response item 1",
            Self::ResponseUpgrade => "RFC 6455 §4.1 response item 2",
            Self::ResponseConnection => "RFC 6455 §4.1 response item 3",
            Self::MissingAccept | Self::AcceptMismatch => "RFC 6455 §4.1 response item 4",
            Self::ExtensionNotOffered => "RFC 6455 §4.1 response item 5",
            Self::ExtensionAnswer(answer) => answer.document,
            Self::Draft(rule) => rule.document,
            Self::SubprotocolNotOffered => "RFC 6455 §4.1 response item 6",
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotHttp { byte: byte @ (0x15 | 0x16) } => {
                return write!(
                    f,
                    "the peer does not speak HTTP but, it seems, TLS (byte {byte:#04x})"
                );
            }
            Self::NotHttp { byte } => {
                return write!(f, "the peer does not speak HTTP/1 (byte {byte:#04x})");
            }
            Self::HeadTooLarge { limit } => {
                return write!(f, "the head is longer than {limit} bytes");
            }
            Self::TargetTooLong { limit } => {
                return write!(f, "the request line is longer than {limit} bytes");
            }
            Self::TooManyFields { limit } => {
                return write!(f, "the head has more than {limit} fields");
            }
            Self::TooManyNames { field } => {
                return write!(f, "{field} lists more than {} names", HeadLimits::MAX_NAMES);
            }
            Self::ControlByte { byte, .. } => {
                return write!(f, "the head contains the control character {byte:#04x}");
            }
            Self::UnexpectedEof { received } => {
                return write!(f, "the peer left after {received} bytes of the opening handshake");
            }
            Self::DuplicateField { name } => return write!(f, "{name} occurs more than once"),
            Self::UnsupportedVersion { requested, .. } => {
                return write!(f, "{} is not accepted here", requested.describe());
            }
            Self::HostNotServed { host } => return write!(f, "{host} is not served here"),
            Self::Origin(refused) => {
                return match &refused.origin {
                    Some(origin) => write!(f, "the origin {origin:?} may not connect"),
                    None => f.write_str("requests without an origin may not connect"),
                };
            }
            Self::Rejected(response) => {
                write!(f, "the server rejected the handshake with {}", response.status())?;
                let place = response.headers().get(header::LOCATION);
                return match place.and_then(|place| place.to_str().ok()) {
                    Some(place) if response.status().is_redirection() => {
                        write!(f, ", which points to {place}")
                    }
                    _ => Ok(()),
                };
            }
            Self::ExtensionAnswer(answer) => {
                return write!(f, "the server's answer for {}: {}", answer.name, answer.rule);
            }
            Self::Draft(rule) => rule.rule,
            Self::BareLineEnd { .. } => "a line of the head does not end in CR LF",
            Self::ObsoleteFold { .. } => "a field is continued on a second line",
            Self::MalformedStartLine => "the first line is not one of HTTP",
            Self::MalformedField { .. } => "a field line is malformed",
            Self::TimedOut => "the opening handshake took too long",
            Self::Unavailable { .. } => "the server takes no more connections for now",
            Self::HttpVersion => "HTTP/1.1 is needed",
            Self::MalformedSubprotocol => "Sec-WebSocket-Protocol is malformed",
            Self::MalformedExtensions => "Sec-WebSocket-Extensions is malformed",
            Self::NotConnect => {
                "over HTTP/2 the method of an opening handshake is CONNECT, with :protocol"
            }
            Self::UnknownProtocol => "the protocol asked for is not websocket",
            Self::ConnectVersion { .. } => "only version 13 goes over HTTP/2",
            Self::Method => "the method of an opening handshake is GET",
            Self::MalformedTarget => "the request target is malformed",
            Self::MissingHost => "Host is missing",
            Self::MalformedHost => "Host is malformed",
            Self::HostMismatch => "the request target and Host name different hosts",
            Self::Body => "an opening handshake has no body",
            Self::NotWebSocket { .. } => "this resource is for WebSocket clients",
            Self::MissingUpgrade => "Upgrade does not list websocket",
            Self::MissingConnection => "Connection does not list Upgrade",
            Self::MissingVersion { .. } => "Sec-WebSocket-Version is missing",
            Self::MalformedVersion { .. } => "Sec-WebSocket-Version is malformed",
            Self::UnknownVersion { .. } => "no version that was ever published is asked for",
            Self::MissingKey => "Sec-WebSocket-Key is missing",
            Self::MalformedKey => "Sec-WebSocket-Key is not base64, in version 13 of 16 bytes",
            Self::SubprotocolRequired => "none of the subprotocols offered is known here",
            Self::ResponseHttpVersion => "a 101 is a response of HTTP/1.1",
            Self::ResponseUpgrade => "Upgrade in the response is not websocket",
            Self::ResponseConnection => "Connection in the response does not list Upgrade",
            Self::MissingAccept => "Sec-WebSocket-Accept is missing",
            Self::AcceptMismatch => "Sec-WebSocket-Accept does not answer the key",
            Self::SubprotocolNotOffered => "the server chose a subprotocol that was not offered",
            Self::ExtensionNotOffered => "the server chose an extension that was not offered",
        })
    }
}

impl error::Error for HandshakeError {}
