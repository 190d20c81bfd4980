//! HTTP/2 beside HTTP/1.1: the same listeners, each stream of whose connections may be a WebSocket (RFC 8441).

use hybi_h2::{Http2Listener, Settings};

use super::listen::Listeners;
use super::shared::Shared;

/// What HTTP/2 counts for each field beside its name and value (RFC 9113 section 6.5.2).
const FIELD: usize = 32;

/// These listeners for both versions of HTTP, with the limits of the options.
pub(super) fn listener(shared: &Shared, listeners: Listeners) -> Http2Listener<Listeners> {
    let limits = &shared.args.limits;
    let head = limits.max_headers.saturating_mul(FIELD).saturating_add(limits.max_header_bytes);
    let head = u32::try_from(head).unwrap_or(u32::MAX);
    Http2Listener::new(listeners).settings(Settings::default().max_header_list(head))
}
