//! hixie-76 and hybi-01 to 03: two keys, eight bytes, and the sixteen that answer them.

use http::{HeaderMap, Request};
use hybi_handshake::{
    ClientRequest, HandshakeError, ResponseHead, ServerAccepted, ServerPolicy, Version, VersionSet,
};

use super::fields::single;
use super::hixie::{HIXIE_76, Named, put};
use super::key::{challenge_answer, key_number, make_key, shuffle};
use super::rules;
use crate::draft::{Draft, Selector};
use crate::terms::Terms;

const KEY1: &str = "Sec-WebSocket-Key1";
const KEY2: &str = "Sec-WebSocket-Key2";
const DRAFT: &str = "Sec-WebSocket-Draft";

/// Whether a request has one of the keys, so that it is none of an earlier or later version.
pub(super) fn has_key(headers: &HeaderMap) -> bool {
    headers.contains_key(KEY1) || headers.contains_key(KEY2)
}

/// Applies the rules for a request.
pub(super) fn check<B>(
    policy: &ServerPolicy,
    request: &Request<B>,
) -> Result<ServerAccepted, HandshakeError> {
    let headers = request.headers();
    let terms = terms(policy.versions(), headers)?;
    let accepted = HIXIE_76.check(policy, request, terms.version())?;
    // Refused before a byte of the response has left.
    numbers(headers)?;
    Ok(accepted)
}

/// What the two keys of a request stand for.
pub(super) fn numbers(headers: &HeaderMap) -> Result<[u32; 2], HandshakeError> {
    let key1 = single(headers, KEY1)?.ok_or(HandshakeError::Draft(&rules::KEY1_MISSING))?;
    let key2 = single(headers, KEY2)?.ok_or(HandshakeError::Draft(&rules::KEY2_MISSING))?;
    Ok([key_number(key1)?, key_number(key2)?])
}

/// Which of the accepted versions a request speaks.
///
/// Without `Sec-WebSocket-Draft` it is one of hixie-76 or of hybi-01, and the first byte tells. A
/// draft that is named is believed, but clients are known that name one and send the frames of
/// hixie-76, so that the first byte may tell otherwise.
pub(super) fn terms(accepted: VersionSet, headers: &HeaderMap) -> Result<Terms, HandshakeError> {
    let unknown = HandshakeError::UnknownVersion { accepted };
    let number = match single(headers, DRAFT)?.map(core::str::from_utf8) {
        None => None,
        Some(Ok(value)) if Version::is_number(value) => {
            let parsed = Version::parse(value).and_then(Version::number);
            Some(parsed.ok_or_else(|| unknown.clone())?)
        }
        Some(_) => return Err(HandshakeError::Draft(&rules::MALFORMED_DRAFT)),
    };
    let fitting = || {
        let fits = |draft: &Draft| match draft.selector() {
            Selector::Keys { draft, optional } => number.map_or(optional, |n| draft.contains(&n)),
            Selector::Nothing | Selector::Version => false,
        };
        Draft::ALL.into_iter().filter(fits).map(Draft::version)
    };
    let requested = fitting().next().ok_or(unknown)?;
    let is_accepted = |version: &Version| accepted.contains(*version);
    let (version, other) = match number {
        None => (fitting().find(is_accepted), Version::HYBI_01),
        Some(_) => (fitting().rfind(is_accepted), Version::HIXIE_76),
    };
    let version = version.ok_or(HandshakeError::UnsupportedVersion { requested, accepted })?;
    let alternative = Some(other).filter(|other| *other != version && is_accepted(other));
    Ok(Terms { version, alternative, key: None })
}

/// The request with its challenge, and the answer expected.
pub(super) fn request(
    request: &ClientRequest,
    random: &mut dyn FnMut(&mut [u8]),
) -> (Vec<u8>, Named, [u8; 16]) {
    let named = Named::new(&HIXIE_76, request);
    let (key1, first) = make_key(random);
    let (key2, second) = make_key(random);
    let mut key3 = [0; 8];
    random(&mut key3);

    let field = |name, value: &[u8]| {
        let mut line = Vec::new();
        put(&mut line, name, value);
        line
    };
    let mut fields = vec![
        field("Upgrade", b"WebSocket"),
        field("Connection", b"Upgrade"),
        field("Host", request.uri().host_header().as_bytes()),
        field("Origin", &named.origin),
        field(KEY1, &key1),
        field(KEY2, &key2),
    ];
    if !named.subprotocols.is_empty() {
        fields.push(field(HIXIE_76.subprotocol, named.subprotocols.join(" ").as_bytes()));
    }
    let draft = match request.version_value() {
        Some(value) => Some(value.as_bytes().to_vec()),
        None => draft_number(request.requested_version()).map(|n| n.to_string().into_bytes()),
    };
    if let Some(draft) = draft {
        fields.push(field(DRAFT, &draft));
    }
    // The application's fields stay together, since the order of equal names has a meaning.
    let mut own = Vec::new();
    request.write_fields(&mut own);
    fields.push(own);
    // The draft wants it, so that no server comes to rely on an order.
    shuffle(&mut fields, random);

    let mut out = format!("GET {} HTTP/1.1\r\n", request.uri().resource()).into_bytes();
    fields.iter().for_each(|field| out.extend(field));
    out.extend(b"\r\n");
    out.extend(key3);
    (out, named, challenge_answer(first, second, key3))
}

/// What a client says in `Sec-WebSocket-Draft`, if it has that field.
fn draft_number(version: Version) -> Option<u8> {
    match Draft::spoken_as(version)?.selector() {
        Selector::Keys { draft, .. } => draft.first().copied().filter(|&number| number != 0),
        Selector::Nothing | Selector::Version => None,
    }
}

/// Applies the rules for the head of a response; gives the subprotocol.
pub(super) fn check_response(
    head: &ResponseHead,
    named: &Named,
) -> Result<Option<String>, HandshakeError> {
    let headers = head.response.headers();
    let is = |value: Option<&[u8]>, wanted: &str| {
        value.is_some_and(|value| value.eq_ignore_ascii_case(wanted.as_bytes()))
    };
    if !is(single(headers, "Upgrade")?, "websocket") {
        return Err(HandshakeError::Draft(&rules::RESPONSE_UPGRADE));
    }
    if !is(single(headers, "Connection")?, "upgrade") {
        return Err(HandshakeError::Draft(&rules::RESPONSE_CONNECTION));
    }
    named.check(headers)
}
