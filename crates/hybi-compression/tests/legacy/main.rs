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
