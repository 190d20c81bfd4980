//! A complete head to `http` types (RFC 9112 §3, §4, §5).

use core::mem::MaybeUninit;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use httparse::Header;

use super::fields;
use super::scan::Head;
use crate::error::HandshakeError;

/// Heads of up to this many fields are parsed without a table on the heap.
const STACK_FIELDS: usize = 100;

/// Reads a request head.
pub(crate) fn request(head: &Head) -> Result<Request<()>, HandshakeError> {
    with_table(head, |table| {
        let mut parsed = httparse::Request::new(&mut []);
        parsed
            .parse_with_uninit_headers(&head.bytes, table)
            .map_err(|error| violation(&head.bytes, error, HandshakeError::HttpVersion))?;
        let (Some(method), Some(target), Some(version)) =
            (parsed.method, parsed.path, parsed.version)
        else {
            return Err(HandshakeError::MalformedStartLine);
        };
        // `Uri` would drop a fragment without a word, but a request target has none.
        if target.contains('#') {
            return Err(HandshakeError::MalformedTarget);
        }
        let mut request = Request::new(());
        *request.method_mut() = Method::from_bytes(method.as_bytes())
            .map_err(|_| HandshakeError::MalformedStartLine)?;
        *request.uri_mut() = Uri::from_maybe_shared(head.bytes.slice_ref(target.as_bytes()))
            .map_err(|_| HandshakeError::MalformedTarget)?;
        *request.version_mut() = http_version(version);
        *request.headers_mut() = header_map(head, parsed.headers)?;
        Ok(request)
    })
}

/// The words behind the status code, where they are not the usual ones.
#[derive(Clone, Debug)]
pub(crate) struct ReasonPhrase(pub(crate) Box<str>);

/// Reads a response head.
pub(crate) fn response(head: &Head) -> Result<Response<()>, HandshakeError> {
    with_table(head, |table| {
        let mut parsed = httparse::Response::new(&mut []);
        httparse::ParserConfig::default()
            .parse_response_with_uninit_headers(&mut parsed, &head.bytes, table)
            .map_err(|error| violation(&head.bytes, error, HandshakeError::ResponseHttpVersion))?;
        let status = parsed.code.and_then(|code| StatusCode::from_u16(code).ok());
        let (Some(status), Some(version)) = (status, parsed.version) else {
            return Err(HandshakeError::MalformedStartLine);
        };
        let mut response = Response::new(());
        *response.status_mut() = status;
        *response.version_mut() = http_version(version);
        *response.headers_mut() = header_map(head, parsed.headers)?;
        let reason = parsed.reason.unwrap_or_default().trim();
        if !reason.is_empty() && status.canonical_reason() != Some(reason) {
            response.extensions_mut().insert(ReasonPhrase(reason.into()));
        }
        Ok(response)
    })
}

/// Runs `parse` with a table of exactly the fields that the head has.
fn with_table<'b, T>(
    head: &'b Head,
    parse: impl FnOnce(&mut [MaybeUninit<Header<'b>>]) -> Result<T, HandshakeError>,
) -> Result<T, HandshakeError> {
    if head.fields <= STACK_FIELDS {
        let mut table = [const { MaybeUninit::uninit() }; STACK_FIELDS];
        parse(&mut table[..head.fields])
    } else {
        let mut table: Vec<_> =
            core::iter::repeat_with(MaybeUninit::uninit).take(head.fields).collect();
        parse(&mut table)
    }
}

const fn http_version(minor: u8) -> http::Version {
    if minor == 0 { http::Version::HTTP_10 } else { http::Version::HTTP_11 }
}

fn header_map(head: &Head, table: &[Header<'_>]) -> Result<HeaderMap, HandshakeError> {
    let limit = table.len();
    let mut headers =
        HeaderMap::try_with_capacity(limit).map_err(|_| HandshakeError::TooManyFields { limit })?;
    for field in table {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        let value = HeaderValue::from_maybe_shared(head.bytes.slice_ref(field.value));
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(HandshakeError::MalformedField { offset: None });
        };
        headers.try_append(name, value).map_err(|_| HandshakeError::TooManyFields { limit })?;
    }
    Ok(headers)
}

/// The rule that a head broke, given what the parser stumbled over, and how it is called if that is
/// the version of HTTP.
fn violation(head: &[u8], error: httparse::Error, of_version: HandshakeError) -> HandshakeError {
    match error {
        httparse::Error::Version if names_other_version(head) => of_version,
        httparse::Error::HeaderName | httparse::Error::HeaderValue => {
            HandshakeError::MalformedField { offset: bad_field(head) }
        }
        _ => HandshakeError::MalformedStartLine,
    }
}

/// Whether the start line names a version of HTTP, but none that we speak.
fn names_other_version(head: &[u8]) -> bool {
    let line = head.trim_ascii_start().split(|&byte| byte == b'\r').next().unwrap_or_default();
    let number = line.split(|&byte| byte == b' ').find_map(|word| word.strip_prefix(b"HTTP/"));
    match number {
        Some(b"1.0" | b"1.1") | None => false,
        Some([major, b'.', minor]) => major.is_ascii_digit() && minor.is_ascii_digit(),
        Some(_) => false,
    }
}

/// Where the first field line begins whose name is not a token.
fn bad_field(head: &[u8]) -> Option<usize> {
    let mut offset = 0;
    let mut start_line_seen = false;
    for line in head.split_inclusive(|&byte| byte == b'\n') {
        let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
        if start_line_seen && fields::token(name).is_none() {
            return Some(offset);
        }
        start_line_seen |= line != b"\r\n";
        offset += line.len();
    }
    None
}
