//! `:protocol`, the pseudo-header by which CONNECT asks for a WebSocket (RFC 8441 §4).

use core::fmt;
use std::borrow::Cow;

use http::{Method, Request};

/// The value of `:protocol`, among the extensions of a request that had one.
///
/// [`http::Request`] has no place of its own for it, so whoever reads frames of HTTP/2 puts it there; then
/// [`ServerPolicy::check`](crate::ServerPolicy::check) knows an opening handshake when it sees one. The
/// value is compared without regard to case, as upgrade tokens are.
///
/// [RFC 8441 §4](https://www.rfc-editor.org/rfc/rfc8441#section-4)
///
/// ```
/// use hybi_handshake::{Protocol, ServerPolicy};
///
/// let request = http::Request::connect("https://example.org/chat")
///     .version(http::Version::HTTP_2)
///     .extension(Protocol::WEBSOCKET)
///     .header("sec-websocket-version", "13")
///     .body(())?;
/// let response = ServerPolicy::new().check(&request)?.response();
/// assert_eq!(response.status(), 200);
/// assert!(!response.headers().contains_key("sec-websocket-accept"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol(Cow<'static, str>);

impl Protocol {
    /// What asks for a WebSocket.
    pub const WEBSOCKET: Self = Self(Cow::Borrowed("websocket"));

    /// Any value.
    #[must_use]
    pub fn new(value: &str) -> Self {
        if value == Self::WEBSOCKET.as_str() {
            Self::WEBSOCKET
        } else {
            Self(value.to_owned().into())
        }
    }

    /// The value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_websocket(&self) -> bool {
        self.0.eq_ignore_ascii_case("websocket")
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The protocol that a request asks for by extended CONNECT, if it is one.
pub(crate) fn asked_for<B>(request: &Request<B>) -> Option<&Protocol> {
    let protocol = request.extensions().get();
    protocol.filter(|_| request.method() == Method::CONNECT)
}
