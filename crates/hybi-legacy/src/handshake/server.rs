//! The server's part: which draft a request speaks, whether it is accepted, and what is answered.

use core::fmt;

use base64::Engine as _;
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use hybi_handshake::{HandshakeError, ServerAccepted, ServerPolicy, Version, VersionSet};

use super::fields::lists;
use super::hixie::{HIXIE_75, HIXIE_76};
use super::key::challenge_answer;
use super::{hixie75, hixie76, hybi04};
use crate::terms::Terms;

/// How closely a request of hixie-75 has to follow the order and number of fields that the draft
/// fixes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum FieldOrder {
    /// Any order, and other fields between, such as proxies add.
    #[default]
    Any,
    /// As the draft has it: `Upgrade`, `Connection`, `Host`, `Origin`, then perhaps
    /// `WebSocket-Protocol` and cookies, and nothing else.
    ///
    /// The letter case of the names is not looked at: [`http`] types keep the order of fields, but
    /// not that.
    Fixed,
}

/// Checks a request of any version, hixie-75 to RFC 6455, against a server's policy.
///
/// Which version a request speaks is told by its fields, those of later versions first:
///
/// | the request has | it speaks |
/// |---|---|
/// | `Sec-WebSocket-Version` or `Sec-WebSocket-Key` | hybi-04 to RFC 6455, see [`ServerPolicy::check`] |
/// | `Sec-WebSocket-Key1` and `-Key2`, no `Sec-WebSocket-Draft` | hixie-76 or hybi-01 |
/// | both, and `Sec-WebSocket-Draft: 0` | hixie-76 |
/// | both, and `Sec-WebSocket-Draft: 1`, `2` or `3` | hybi-01; hybi-03 or else hybi-02; hybi-03 |
/// | `Upgrade: WebSocket`, `Connection: Upgrade` and no `Sec-WebSocket-*` field | hixie-75 |
///
/// Only versions of the policy are accepted, and a request that looks like hixie-75 is no attempt
/// at it where that is not one of them. Where hixie-76 and hybi-01 to 03 are both accepted, the
/// first byte behind the handshake may decide: [`ServerAnswer::terms`].
///
/// The drafts hixie-75 to hybi-03 want an origin in each request; one without is accepted where the
/// policy allows none, and its answer repeats none. Their keys are worked out here, so that nothing
/// is answered to a request that can have no answer.
///
/// # Errors
///
/// The first rule broken, as [`ServerPolicy::check`]; [`HandshakeError::Draft`] for rules that RFC
/// 6455 does not have, answered with 400; [`HandshakeError::UnsupportedVersion`] for a draft that
/// the policy does not accept, and [`HandshakeError::UnknownVersion`] for one that does not exist.
///
/// ```
/// use hybi_handshake::{ServerPolicy, Version};
/// use hybi_legacy::{FieldOrder, check};
///
/// let request = http::Request::get("/demo")
///     .header("Host", "example.com")
///     .header("Upgrade", "WebSocket")
///     .header("Connection", "Upgrade")
///     .header("Origin", "http://example.com")
///     .header("Sec-WebSocket-Key1", "4 @1  46546xW%0l 1 5")
///     .header("Sec-WebSocket-Key2", "12998 5 Y3 1  .P00")
///     .body(())?;
/// let refusal = check(&ServerPolicy::new(), &request, FieldOrder::Any).unwrap_err().response();
/// assert_eq!(refusal.status(), 426);
/// assert_eq!(refusal.headers()["sec-websocket-version"], "13");
///
/// let policy = ServerPolicy::new().with_versions([Version::RFC6455, Version::HIXIE_76]);
/// assert_eq!(check(&policy, &request, FieldOrder::Any)?.version, Version::HIXIE_76);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn check<B>(
    policy: &ServerPolicy,
    request: &Request<B>,
    order: FieldOrder,
) -> Result<ServerAccepted, HandshakeError> {
    match Heard::in_request(policy.versions(), request.headers()) {
        Heard::Hixie75 => hixie75::check(policy, request, order),
        Heard::Hixie76 => hixie76::check(policy, request),
        Heard::Later => policy.check(request),
    }
}

/// Whose handshake a request makes.
enum Heard {
    Hixie75,
    /// That of hixie-76 to hybi-03.
    Hixie76,
    /// That of hybi-04 to RFC 6455, or none at all.
    Later,
}

impl Heard {
    fn in_request(accepted: VersionSet, headers: &HeaderMap) -> Self {
        if headers.contains_key(header::SEC_WEBSOCKET_VERSION)
            || headers.contains_key(header::SEC_WEBSOCKET_KEY)
        {
            Self::Later
        } else if hixie76::has_key(headers) {
            Self::Hixie76
        } else if accepted.contains(Version::HIXIE_75)
            && !headers.keys().any(|name| name.as_str().starts_with("sec-websocket-"))
            && lists(headers, "Upgrade", "websocket")
            && lists(headers, "Connection", "upgrade")
        {
            Self::Hixie75
        } else {
            Self::Later
        }
    }
}

/// The answer to a request of hixie-75 to hybi-03, whose response is not one that [`http`] types
/// can hold.
///
/// ```
/// use hybi_handshake::{ServerPolicy, Version};
/// use hybi_legacy::{FieldOrder, ServerAnswer, check};
///
/// let request = http::Request::get("/demo")
///     .header("Host", "example.com")
///     .header("Upgrade", "WebSocket")
///     .header("Connection", "Upgrade")
///     .header("Origin", "http://example.com")
///     .header("Sec-WebSocket-Key1", "4 @1  46546xW%0l 1 5")
///     .header("Sec-WebSocket-Key2", "12998 5 Y3 1  .P00")
///     .body(())?;
/// let policy = ServerPolicy::new().with_versions([Version::HIXIE_76]);
/// let accepted = check(&policy, &request, FieldOrder::Any)?;
/// let answer = ServerAnswer::new(&policy, &request, &accepted)?;
/// assert!(answer.head().starts_with(b"HTTP/1.1 101 WebSocket Protocol Handshake\r\n"));
/// assert!(answer.has_challenge());
/// assert_eq!(&answer.answer(*b"^n:ds[4U"), b"8jKS'y:G*Co,Wxa-");
/// assert_eq!(answer.terms().version(), Version::HIXIE_76);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ServerAnswer {
    head: Vec<u8>,
    /// What the keys of the request stand for, if it has a challenge.
    numbers: Option<[u32; 2]>,
    terms: Terms,
}

impl ServerAnswer {
    /// How many bytes of the request's challenge follow its head: the eight of hixie-76.
    pub const CHALLENGE_LEN: usize = 8;

    /// Prepares the answer to a request that [`check`] accepted.
    ///
    /// The response repeats the origin, if the request names one, and the place that the client asks for. The latter is put
    /// together from [`ServerPolicy::secure`], `Host` and the request target; a client compares it
    /// with its URI, so that `secure` has to tell the truth about the client's end even behind a
    /// proxy.
    ///
    /// # Errors
    ///
    /// As [`check`], and [`HandshakeError::UnsupportedVersion`] if the request makes another handshake: it
    /// has to be the one that `accepted` came of.
    pub fn new<B>(
        policy: &ServerPolicy,
        request: &Request<B>,
        accepted: &ServerAccepted,
    ) -> Result<Self, HandshakeError> {
        let headers = request.headers();
        let (spelling, numbers, terms) = match Heard::in_request(policy.versions(), headers) {
            Heard::Hixie75 => {
                let terms = Terms { version: Version::HIXIE_75, alternative: None, key: None };
                (&HIXIE_75, None, terms)
            }
            Heard::Hixie76 => {
                let terms = hixie76::terms(policy.versions(), headers)?;
                (&HIXIE_76, Some(hixie76::numbers(headers)?), terms)
            }
            Heard::Later => {
                let (requested, accepted) = (accepted.version, policy.versions());
                return Err(HandshakeError::UnsupportedVersion { requested, accepted });
            }
        };
        Ok(Self { head: spelling.response_head(policy, request, accepted)?, numbers, terms })
    }

    /// The head of the response. It may leave before the challenge is there: some proxies hold that
    /// back until they have seen a 101. Nothing else may leave before the answer to the challenge.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether a challenge follows the request's head, which is to be answered behind the
    /// response's.
    #[must_use]
    pub const fn has_challenge(&self) -> bool {
        self.numbers.is_some()
    }

    /// The answer to the challenge. Any bytes may be one, line ends included. Without a challenge,
    /// in hixie-75, it means nothing.
    #[must_use]
    pub fn answer(&self, challenge: [u8; Self::CHALLENGE_LEN]) -> [u8; 16] {
        let [first, second] = self.numbers.unwrap_or_default();
        challenge_answer(first, second, challenge)
    }

    /// What follows. The client's first byte may still decide between hixie-76 and a later draft
    /// where the policy accepts both, unless the request names hixie-76 for certain.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }
}

impl fmt::Debug for ServerAnswer {
    /// Leaves the head out, which may hold cookies.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerAnswer").field("terms", &self.terms).finish_non_exhaustive()
    }
}

/// The field that a server of hybi-04 adds to its response, and the terms that come of it. `accepted`
/// has to be of that version; `random` is the nonce: unpredictable, and new for each connection.
///
/// ```
/// use hybi_handshake::{ServerPolicy, Version};
/// use hybi_legacy::hybi_04_nonce;
///
/// let request = http::Request::get("/demo")
///     .header("Host", "example.com")
///     .header("Upgrade", "websocket")
///     .header("Connection", "Upgrade")
///     .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
///     .header("Sec-WebSocket-Version", "4")
///     .body(())?;
/// let policy = ServerPolicy::new().with_versions([Version::HYBI_04]);
/// let accepted = policy.check(&request)?;
/// let (name, value, terms) = hybi_04_nonce(&accepted, *b"sixteen bytes ok");
/// let mut response = accepted.response();
/// response.headers_mut().insert(name, value);
/// assert_eq!(response.headers()["sec-websocket-nonce"], "c2l4dGVlbiBieXRlcyBvaw==");
/// assert_eq!(terms.version(), Version::HYBI_04);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn hybi_04_nonce(
    accepted: &ServerAccepted,
    random: [u8; 16],
) -> (HeaderName, HeaderValue, Terms) {
    let nonce = hybi04::BASE64.encode(random);
    let terms = Terms::hybi_04(&accepted.key, &nonce);
    let value = HeaderValue::try_from(nonce).unwrap_or(HeaderValue::from_static(""));
    (HeaderName::from_static(hybi04::NONCE), value, terms)
}
