//! Parking: connections that went quiet keep the history alone, RFC 7692 §7.1.1, and nobody can tell
//! from what they send.

#![cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]

#[path = "../support/mod.rs"]
mod support;

mod window;
mod wire;
