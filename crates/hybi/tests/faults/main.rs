//! Faults that a core with both directions in one state had, each with its kind: other roles, other
//! versions, other ways to receive and to send.

#[path = "../support/mod.rs"]
mod support;

mod behind;
mod blocked;
mod control;
mod endings;
mod fairness;
mod forwarding;
mod halves;
mod handover;
mod hixie;
mod lending;
mod memory;
mod new_api;
mod only_sending;
mod silence;
mod slices;
mod steps;
mod transport_end;
mod world;

/// Some of these tests are about what a connection holds.
#[global_allocator]
static COUNTING: hybi_suite::allocator::Counting = hybi_suite::allocator::Counting;
