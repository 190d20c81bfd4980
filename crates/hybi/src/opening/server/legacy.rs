//! What a server adds to its answer for clients of hybi-04 to 06, whose handshake is otherwise that of RFC 6455.

use http::Response;
use hybi_handshake::{ServerAccepted, Version};
use hybi_legacy::{Terms, hybi_04_nonce};

use crate::connection::random;

/// The terms of a version before hybi-07; `None` from there on. hybi-04 has a field for its nonce.
pub(super) fn terms(accepted: &ServerAccepted, response: &mut Response<()>) -> Option<Terms> {
    if accepted.version != Version::HYBI_04 {
        return Terms::new(accepted.version);
    }
    let (name, value, terms) = hybi_04_nonce(accepted, random());
    response.headers_mut().insert(name, value);
    Some(terms)
}
