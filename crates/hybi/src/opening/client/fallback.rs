//! Falling back: which version to ask for after a server refused another (RFC 6455 section 4.4).

use http::StatusCode;
use hybi_handshake::{HandshakeError, Version};

use super::Client;
use crate::connection::{Error, OpeningError};

impl Client {
    /// The client for another attempt on a new transport, after an attempt of this one failed with
    /// `error`; `None` if the version was not the matter, or none is left to try.
    ///
    /// The versions are those of [`ClientBuilder::fallback`](super::ClientBuilder::fallback), in that order
    /// and each once. If the server's answer lists versions, whatever its status, one of those is next, or
    /// one that no list can name. Without a list, the version is taken for the matter when the server
    /// refused with 400, 426, 501 or 505, answered 101 without `Sec-WebSocket-Accept`, or ended the
    /// transport: that is what servers do that are older than the list.
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
            Error::Handshake(error) => {
                let offered = error.versions_offered();
                if offered.contains(&self.version()) || offered.is_empty() && !is_of_old(error) {
                    return None;
                }
                offered
            }
            Error::Transport(_) => Vec::new(),
            Error::Opening(step) if matches!(**step, OpeningError::Handshake(_)) => Vec::new(),
            _ => return None,
        };
        let left = || self.fallback.iter().copied().filter(|version| *version != self.version());
        let listed = |version: &Version| offered.contains(version);
        let may_work =
            |version: &Version| offered.is_empty() || !version.is_in_field() || listed(version);
        let chosen = left().find(listed).or_else(|| left().find(may_work))?;
        let mut next = self.clone();
        next.fallback = left().filter(|version| *version != chosen && may_work(version)).collect();
        next.request = next.request.version(chosen).without_version_header();
        Some(next)
    }
}

/// Whether servers that know other versions, and no list of them, fail so.
fn is_of_old(error: &HandshakeError) -> bool {
    match error {
        HandshakeError::Rejected(response) => matches!(
            response.status(),
            StatusCode::BAD_REQUEST
                | StatusCode::UPGRADE_REQUIRED
                | StatusCode::NOT_IMPLEMENTED
                | StatusCode::HTTP_VERSION_NOT_SUPPORTED
        ),
        HandshakeError::MissingAccept | HandshakeError::UnexpectedEof { .. } => true,
        _ => false,
    }
}
