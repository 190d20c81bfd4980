//! The server's part: which draft a request speaks, whether it is accepted, and what is answered.

use http::{HeaderName, HeaderValue, Request};
use hybi_handshake::{HandshakeError, ServerAccepted, ServerPolicy};

use crate::terms::Terms;

/// How closely a request of hixie-75 has to follow the order and number of fields that the draft fixes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum FieldOrder {
    /// Any order, and other fields between, such as proxies add.
    #[default]
    Any,
    /// As the draft has it: `Upgrade`, `Connection`, `Host`, `Origin`, then perhaps
    /// `WebSocket-Protocol` and cookies, and nothing else.
    Fixed,
}

/// Checks a request of any version, hixie-75 to RFC 6455, against a server's policy.
///
/// # Errors
///
/// The first rule broken.
pub fn check<B>(
    policy: &ServerPolicy,
    request: &Request<B>,
    order: FieldOrder,
) -> Result<ServerAccepted, HandshakeError> {
    let _ = order;
    policy.check(request)
}

/// The answer to a request of hixie-75 to hybi-03, whose response is not one that [`http`] types can hold.
#[derive(Clone, Debug)]
pub struct ServerAnswer {
    head: Vec<u8>,
    terms: Terms,
}

impl ServerAnswer {
    /// How many bytes of the request's challenge follow its head: the eight of hixie-76.
    pub const CHALLENGE_LEN: usize = 8;

    /// Prepares the answer to a request that [`check`] accepted.
    ///
    /// # Errors
    ///
    /// As [`check`], should `accepted` belong to another request.
    pub fn new<B>(
        policy: &ServerPolicy,
        request: &Request<B>,
        accepted: &ServerAccepted,
    ) -> Result<Self, HandshakeError> {
        let _ = (policy, request, accepted);
        Err(HandshakeError::Method)
    }

    /// The head of the response. It may leave before the challenge is there: some proxies hold that
    /// back until they have seen a 101. Nothing else may leave before the answer to the challenge.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether a challenge follows the request's head, which is to be answered behind the response's.
    #[must_use]
    pub fn has_challenge(&self) -> bool {
        false
    }

    /// The answer to the challenge.
    #[must_use]
    pub fn answer(&self, challenge: [u8; Self::CHALLENGE_LEN]) -> [u8; 16] {
        let _ = challenge;
        [0; 16]
    }

    /// What follows.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }
}

/// The field that a server of hybi-04 adds to its response, and the terms that come of it. `random` is the
/// nonce: unpredictable, and new for each connection.
#[must_use]
pub fn hybi_04_nonce(
    accepted: &ServerAccepted,
    random: [u8; 16],
) -> (HeaderName, HeaderValue, Terms) {
    let _ = random;
    let terms = Terms::hybi_04(&accepted.key, "");
    (HeaderName::from_static("sec-websocket-nonce"), HeaderValue::from_static(""), terms)
}
