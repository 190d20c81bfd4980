//! `Sec-WebSocket-Key` and `Sec-WebSocket-Accept` (RFC 6455 §4.1, §4.2.2 item 5.4).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha1_smol::Sha1;

use crate::version::Version;

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
    let mut hash = Sha1::from(key);
    hash.update(GUID);
    BASE64_STANDARD.encode(hash.digest().bytes())
}

/// The key of a nonce: 24 characters.
pub(crate) fn key_of(nonce: [u8; 16]) -> String {
    BASE64_STANDARD.encode(nonce)
}

/// Whether the text is a key of this version: base64 of 16 bytes.
///
/// The drafts before version 13 want the same, but no server of their time looked, and clients are
/// known whose keys are shorter. There any digits of base64 will do: nobody decodes them, the text
/// is what is hashed.
///
/// The four bits that the last character has to spare may be anything: the sample key of RFC 6455
/// §4.1 has them set, so a decoder that wants them to be zero would refuse the RFC's own example.
pub(crate) fn is_key(text: &[u8], version: Version) -> bool {
    let alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let digits = text.iter().take_while(|byte| alphabet(byte)).count();
    match &text[digits..] {
        b"==" if digits == 22 => true,
        b"" | b"=" | b"==" => digits > 0 && version < Version::RFC6455,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_nonce_is_a_key() {
        for nonce in [[0; 16], [255; 16], *b"the sample nonce"] {
            assert!(is_key(key_of(nonce).as_bytes(), Version::RFC6455));
        }
        assert_eq!(key_of(*b"the sample nonce"), "dGhlIHNhbXBsZSBub25jZQ==");
    }

    #[test]
    fn a_key_is_base64_of_16_bytes_and_before_version_13_of_any_number() {
        for (text, expected, before) in [
            ("dGhlIHNhbXBsZSBub25jZQ==", true, true),
            ("AQIDBAUGBwgJCgsMDQ4PEC==", true, true),
            ("+/+/+/+/+/+/+/+/+/+/+/==", true, true),
            ("ZmlmdGVlbiBieXRlcyEh", false, true),
            ("OC0xNzk1NzI5OTYzOTY3", false, true),
            ("c2V2ZW50ZWVuIGJ5dGVzISE=", false, true),
            ("dGhlIHNhbXBsZSBub25jZ*==", false, false),
            ("dGhlIHNhbXBsZSBub25jZ===", false, false),
            ("dGhlIHNhbXBsZSBub25jZQ", false, true),
            ("dGhlIHNhbXBsZSBub25jZQAAAA==", false, true),
            ("dGhlIHNhbXBsZSB=b25jZQ==", false, false),
            ("-_-_-_-_-_-_-_-_-_-_-_==", false, false),
            ("==", false, false),
            ("", false, false),
        ] {
            assert_eq!(is_key(text.as_bytes(), Version::RFC6455), expected, "{text}");
            for version in [Version::HYBI_04, Version::HYBI_08] {
                assert_eq!(is_key(text.as_bytes(), version), before, "{text} in {version}");
            }
        }
    }
}
