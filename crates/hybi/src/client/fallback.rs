//! Falling back: which version to ask for after a server refused another (RFC 6455 section 4.4).

use http::StatusCode;
use hybi_handshake::{HandshakeError, Version};

use super::Client;
use crate::Error;

impl Client {
    /// The client for another attempt on a new transport, after an attempt of this one failed with
    /// `error`; `None` if the version was not the matter, or none is left to try.
    ///
    /// The versions are those of [`ClientBuilder::fallback`](super::ClientBuilder::fallback), in that order and each once. A
    /// list of versions in the server's answer counts, whatever its status: of the versions that such a
    /// list can name, only those in it are tried. A server without such a list may be older than the list,
    /// and then most often breaks a rule of the answer or just ends the transport.
    ///
    /// The adapters do this by themselves when they connect.
    ///
    /// ```
    /// use hybi::{Client, Version};
    ///
    /// let client = Client::builder().fallback([Version::HYBI_08, Version::HYBI_07]).build()?;
    /// let mut attempt = client.handshake(&"ws://example.org/".parse()?);
    /// let refusal = b"HTTP/1.1 400 Bad Request\r\nSec-WebSocket-Version: 7\r\nContent-Length: 0\r\n\r\n";
    /// let error = attempt.handle_input(refusal).unwrap_err();
    /// let next = client.fall_back(&error).expect("one of them is listed");
    /// assert_eq!(next.version(), Version::HYBI_07);
    /// assert!(next.fall_back(&error).is_none());
    /// # Ok::<(), hybi::Error>(())
    /// ```
    #[must_use]
    pub fn fall_back(&self, error: &Error) -> Option<Self> {
        let offered = match error {
            Error::Handshake(error) => match &**error {
                HandshakeError::Rejected(response) if is_about_more(response.status()) => {
                    return None;
                }
                error => error.versions_offered(),
            },
            Error::Transport(_) => Vec::new(),
            _ => return None,
        };
        let may_work = |version: &Version| {
            offered.is_empty() || !version.is_in_field() || offered.contains(version)
        };
        let chosen = self.fallback.iter().copied().find(may_work)?;
        let mut next = self.clone();
        next.fallback.retain(|version| *version != chosen && may_work(version));
        next.request = next.request.version(chosen);
        Some(next)
    }
}

/// Whether a refusal with this status would meet another version, too.
fn is_about_more(status: StatusCode) -> bool {
    status.is_redirection()
        || matches!(
            status,
            StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::NOT_FOUND
                | StatusCode::PROXY_AUTHENTICATION_REQUIRED
                | StatusCode::TOO_MANY_REQUESTS
                | StatusCode::SERVICE_UNAVAILABLE
        )
}
