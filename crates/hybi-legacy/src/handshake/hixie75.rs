//! hixie-75: fields in a fixed order and no challenge.

use http::{HeaderMap, Request};
use hybi_handshake::{
    ClientRequest, HandshakeError, ResponseHead, ServerAccepted, ServerPolicy, Version,
};

use super::FieldOrder;
use super::hixie::{HIXIE_75, Named, put};
use super::rules;

/// Applies the rules for a request.
pub(super) fn check<B>(
    policy: &ServerPolicy,
    request: &Request<B>,
    order: FieldOrder,
) -> Result<ServerAccepted, HandshakeError> {
    let accepted = HIXIE_75.check(policy, request, Version::HIXIE_75)?;
    if order == FieldOrder::Fixed && !is_ordered(request.headers()) {
        return Err(HandshakeError::Draft(&rules::FIELD_ORDER));
    }
    Ok(accepted)
}

/// Whether the fields are those of the draft, in its order.
fn is_ordered(headers: &HeaderMap) -> bool {
    let mut fields =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).peekable();
    fields.next() == Some(("upgrade", b"WebSocket"))
        && fields.next() == Some(("connection", b"Upgrade"))
        && fields.next().is_some_and(|(name, _)| name == "host")
        && fields.next().is_some_and(|(name, _)| name == "origin")
        && {
            fields.next_if(|(name, _)| *name == "websocket-protocol");
            fields.all(|(name, _)| matches!(name, "cookie" | "cookie2"))
        }
        && headers.get_all("cookie2").iter().nth(1).is_none()
}

/// The request. The field has room for one subprotocol, which is the most wanted.
pub(super) fn request(request: &ClientRequest) -> (Vec<u8>, Named) {
    let mut named = Named::new(&HIXIE_75, request);
    named.subprotocols.truncate(1);
    let mut out = format!("GET {} HTTP/1.1\r\n", request.uri().resource()).into_bytes();
    put(&mut out, "Upgrade", b"WebSocket");
    put(&mut out, "Connection", b"Upgrade");
    put(&mut out, "Host", request.uri().host_header().as_bytes());
    put(&mut out, "Origin", &named.origin);
    if let Some(name) = named.subprotocols.first() {
        put(&mut out, HIXIE_75.subprotocol, name.as_bytes());
    }
    request.write_fields(&mut out);
    out.extend(b"\r\n");
    (out, named)
}

/// Applies the rules for the head of a response; gives the subprotocol.
pub(super) fn check_response(
    head: &ResponseHead,
    named: &Named,
) -> Result<Option<String>, HandshakeError> {
    // Order, letter case and number of spaces included.
    if !head.bytes.starts_with(HIXIE_75.first_lines.as_bytes()) {
        return Err(HandshakeError::Draft(&rules::FIRST_LINES));
    }
    named.check(head.response.headers())
}
