//! The deprecated extensions, as a peer of their time sees them.

#![cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]

mod deflate_frame;
mod deflate_stream;
mod messages;
#[cfg(feature = "zlib-rs")]
mod negotiation;
#[cfg(feature = "zlib-rs")]
mod parameters;
mod support;
#[cfg(not(feature = "zlib-rs"))]
mod without_windows;

use hybi_compression::{Agreed, Extensions};
use hybi_handshake::Version;

/// What both ends of an extension agree on under each of its names; the client's side first.
fn agree_by_name(client: &[Extensions; 3], server: &[Extensions; 3]) -> [[Vec<Agreed>; 2]; 3] {
    [0, 1, 2].map(|name| support::agree(&client[name], &server[name], Version::RFC6455))
}
