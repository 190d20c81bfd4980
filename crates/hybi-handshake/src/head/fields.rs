//! Header fields: names, spelling on the wire, lists and tokens (RFC 9110 §5, RFC 6455 §11.3).

use http::header::{self, HeaderMap, HeaderName};

use super::HeadLimits;
use crate::error::HandshakeError;

/// The origin of a client up to hybi-10.
pub(crate) const SEC_WEBSOCKET_ORIGIN: HeaderName = HeaderName::from_static("sec-websocket-origin");

/// Whether the handshake writes this field itself, so that nobody else may.
pub(crate) fn is_owned(name: &HeaderName) -> bool {
    *name == header::HOST
        || *name == header::UPGRADE
        || *name == header::CONNECTION
        || name.as_str().starts_with("sec-websocket-")
        // hixie-75 spells them so.
        || name.as_str().starts_with("websocket-")
}

/// Appends a name in the RFC's spelling: each word capitalised, `WebSocket` with two capitals.
///
/// [`HeaderName`] holds lower case. Names are compared without regard to case, but old peers and
/// people reading a trace expect what the RFC prints.
pub(crate) fn write_name(name: &HeaderName, out: &mut Vec<u8>) {
    for (index, word) in name.as_str().split('-').enumerate() {
        if index > 0 {
            out.push(b'-');
        }
        match word {
            "websocket" => out.extend(b"WebSocket"),
            "www" => out.extend(b"WWW"),
            "etag" => out.extend(b"ETag"),
            _ => {
                let start = out.len();
                out.extend(word.as_bytes());
                out[start..].iter_mut().take(1).for_each(u8::make_ascii_uppercase);
            }
        }
    }
}

/// The one value of a field that may not be repeated, without white space around it.
pub(crate) fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    spelling: &'static str,
) -> Result<Option<&'a [u8]>, HandshakeError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(HandshakeError::DuplicateField { name: spelling });
    }
    Ok(first.map(|value| value.as_bytes().trim_ascii()))
}

/// The values of the fields of this name, without the empty ones: peers are known to send a list that
/// way when they have nothing to put into it, and mean that there is none.
pub(crate) fn filled<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a [u8]> {
    let values = headers.get_all(name).iter().map(|value| value.as_bytes().trim_ascii());
    values.filter(|value| !value.is_empty())
}

/// The elements of all fields of this name, in order, without the empty ones.
pub(crate) fn list_elements<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a [u8]> {
    headers.get_all(name).iter().flat_map(|value| elements(value.as_bytes()))
}

/// The elements of one comma separated value, trimmed, without the empty ones.
///
/// [RFC 9110 §5.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.1)
pub(crate) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|element| !element.is_empty())
}

/// Counts the names that the fields of one list have, against the limit.
pub(crate) struct NameCount {
    field: &'static str,
    names: usize,
}

impl NameCount {
    pub(crate) const fn new(field: &'static str) -> Self {
        Self { field, names: 0 }
    }

    /// Takes the next value: names lie between commas, those of parameters behind semicolons.
    pub(crate) fn add(&mut self, value: &[u8]) -> Result<(), HandshakeError> {
        self.names += 1 + value.iter().filter(|byte| matches!(byte, b',' | b';')).count();
        if self.names > HeadLimits::MAX_NAMES {
            return Err(HandshakeError::TooManyNames { field: self.field });
        }
        Ok(())
    }
}

/// Whether a list field contains this element, without regard to case.
pub(crate) fn list_contains(headers: &HeaderMap, name: &HeaderName, wanted: &[u8]) -> bool {
    list_elements(headers, name).any(|element| element.eq_ignore_ascii_case(wanted))
}

/// The text, if it is a token.
///
/// [RFC 9110 §5.6.2](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2)
pub(crate) fn token(text: &[u8]) -> Option<&str> {
    let is_token = !text.is_empty() && text.iter().all(|&byte| is_token_byte(byte));
    if is_token { core::str::from_utf8(text).ok() } else { None }
}

/// Whether the byte may be part of a token.
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_out_in_the_spelling_of_the_rfc() {
        for (name, expected) in [
            ("host", "Host"),
            ("sec-websocket-key", "Sec-WebSocket-Key"),
            ("www-authenticate", "WWW-Authenticate"),
            ("x-api-key", "X-Api-Key"),
            ("etag", "ETag"),
            ("x--y-", "X--Y-"),
        ] {
            let mut out = Vec::new();
            write_name(&HeaderName::from_static(name), &mut out);
            assert_eq!(out, expected.as_bytes());
        }
    }
}
