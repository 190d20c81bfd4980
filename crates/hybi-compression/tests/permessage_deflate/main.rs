//! permessage-deflate (RFC 7692) as a peer sees it.

#![cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]

#[path = "../support/mod.rs"]
mod support;

mod frames;
mod negotiation;
mod round_trips;
mod shared;
