//! hybi-04: the nonce of the server, which the key that masks frames is made from.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use hybi_handshake::HandshakeError;

use super::fields::single;
use super::rules;
use crate::terms::Terms;

pub(super) const NONCE: &str = "sec-websocket-nonce";

/// The bits that the last character has to spare may be anything, as in a key: the text is what
/// counts.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// What a client that sent `key` reads from the head of an accepted response.
pub(super) fn terms(key: &str, headers: &HeaderMap) -> Result<Terms, HandshakeError> {
    let nonce = single(headers, "Sec-WebSocket-Nonce")?
        .ok_or(HandshakeError::Draft(&rules::NONCE_MISSING))?;
    let fits = BASE64.decode(nonce).is_ok_and(|bytes| bytes.len() == 16);
    match core::str::from_utf8(nonce) {
        Ok(nonce) if fits => Ok(Terms::hybi_04(key, nonce)),
        _ => Err(HandshakeError::Draft(&rules::NONCE_MALFORMED)),
    }
}
