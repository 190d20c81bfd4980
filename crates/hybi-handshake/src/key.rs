//! `Sec-WebSocket-Key` and `Sec-WebSocket-Accept` (RFC 6455 §4.1, §4.2.2 item 5.4).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest as _, Sha1};

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The `Sec-WebSocket-Accept` value that answers a `Sec-WebSocket-Key`.
///
/// The key is hashed as the text that was received, without white space around it; it is not decoded.
///
/// [RFC 6455 §4.2.2](https://www.rfc-editor.org/rfc/rfc6455#section-4.2.2)
///
/// ```
/// use hybi_handshake::accept_key;
///
/// assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// ```
#[must_use]
pub fn accept_key(key: &str) -> String {
    BASE64_STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

/// The key of a nonce: 24 characters.
pub(crate) fn key_of(nonce: [u8; 16]) -> String {
    BASE64_STANDARD.encode(nonce)
}

/// Whether the text is base64 of 16 bytes.
///
/// The four bits that the last character has to spare may be anything: the sample key of RFC 6455
/// §4.1 has them set, so a decoder that wants them to be zero would refuse the RFC's own example.
pub(crate) fn is_key(text: &[u8]) -> bool {
    let alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    text.len() == 24 && text.ends_with(b"==") && text[..22].iter().all(alphabet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_nonce_is_a_key() {
        for nonce in [[0; 16], [255; 16], *b"the sample nonce"] {
            assert!(is_key(key_of(nonce).as_bytes()));
        }
        assert_eq!(key_of(*b"the sample nonce"), "dGhlIHNhbXBsZSBub25jZQ==");
    }

    #[test]
    fn a_key_is_base64_of_16_bytes() {
        for (text, expected) in [
            ("dGhlIHNhbXBsZSBub25jZQ==", true),
            ("AQIDBAUGBwgJCgsMDQ4PEC==", true),
            ("+/+/+/+/+/+/+/+/+/+/+/==", true),
            ("ZmlmdGVlbiBieXRlcyEh", false),
            ("c2V2ZW50ZWVuIGJ5dGVzISE=", false),
            ("dGhlIHNhbXBsZSBub25jZ*==", false),
            ("dGhlIHNhbXBsZSBub25jZ===", false),
            ("dGhlIHNhbXBsZSBub25jZQ", false),
            ("dGhlIHNhbXBsZSBub25jZQAAAA==", false),
            ("-_-_-_-_-_-_-_-_-_-_-_==", false),
            ("", false),
        ] {
            assert_eq!(is_key(text.as_bytes()), expected, "{text}");
        }
    }
}
