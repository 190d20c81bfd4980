//! Header fields: the value of one that may occur once, and the elements of a list (RFC 9110 §5).

use http::HeaderMap;
use hybi_handshake::HandshakeError;

/// The one value of a field that may not be repeated, without white space around it.
pub(super) fn single<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<Option<&'a [u8]>, HandshakeError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(HandshakeError::DuplicateField { name });
    }
    Ok(first.map(|value| value.as_bytes().trim_ascii()))
}

/// Whether a field with a comma separated list names this element, without regard to case.
pub(super) fn lists(headers: &HeaderMap, name: &str, wanted: &str) -> bool {
    let values = headers.get_all(name).iter();
    let mut elements = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    elements.any(|element| element.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()))
}

/// The text of a value that is neither empty nor holds anything but visible characters and spaces.
pub(super) fn printable(value: &[u8]) -> Option<&str> {
    let fits = !value.is_empty() && value.iter().all(|byte| (b' '..=b'~').contains(byte));
    if fits { core::str::from_utf8(value).ok() } else { None }
}
