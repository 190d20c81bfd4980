//! Extensions that compress, seen from outside of a whole `Connection`: what is negotiated, what is
//! on the wire, what arrives, what is held in memory, and what a peer can do wrong (RFC 6455
//! section 9, RFC 7692).
#![cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]

#[path = "../support/mod.rs"]
mod support;

mod dialogue;
mod limits;
mod memory;
mod negotiation;
mod outbox;
mod parking;
mod prepared;
mod secrets;
mod sending;
mod stream;
mod unmasked;
mod vectors;
mod violations;
mod wire;
mod world;

#[global_allocator]
static COUNTING: hybi_suite::allocator::Counting = hybi_suite::allocator::Counting;
