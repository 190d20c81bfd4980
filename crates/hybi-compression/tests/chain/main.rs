//! Several extensions on one connection, and extensions that others write (RFC 6455 §9).

#![cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]

mod conflicts;
mod of_messages;
mod order;
mod produced;
mod slices;
#[path = "../legacy/support.rs"]
mod support;
mod user_extension;
