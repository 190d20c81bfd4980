//! Every version that was ever published, through the whole of this crate: opening handshakes of each
//! client with each server, framing, closing, what a version lacks, and its limits.

mod closing;
mod counting;
mod detection;
mod extensions;
mod fallback;
mod forwarding;
mod lacking;
mod limits;
mod matrix;
mod narrow;
mod refusals;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod vectors;
mod world;
