//! hybi-04: the nonce of the server, and the key that masks frames.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use hybi_handshake::HandshakeError;
use sha1::{Digest as _, Sha1};

use super::fields::single;
use super::rules;
use crate::terms::Terms;

pub(super) const NONCE: &str = "sec-websocket-nonce";

const GUID: &[u8] = b"61AC5F19-FBBA-4540-B96F-6561F1AB40A8";

/// The bits that the last character has to spare may be anything, as in a key: the text is what
/// counts.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The key of a connection, which each frame's mask is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectionKey(pub(crate) [u8; 20]);

impl ConnectionKey {
    pub(crate) fn new(key: &str, nonce: &str) -> Self {
        Self(Sha1::new().chain_update(key).chain_update(nonce).chain_update(GUID).finalize().into())
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_key_is_the_hash_of_both_texts() {
        let key = ConnectionKey::new("dGhlIHNhbXBsZSBub25jZQ==", "H+cNj5elaybfGIQv1esl2w==");
        let expected =
            *b"\x63\x22\xa2\xad\xc0\x2b\xc4\x33\xe3\x89\x6d\x34\x41\x0b\x74\xbb\x77\x39\xf9\x60";
        assert_eq!(key, ConnectionKey(expected));
    }
}
