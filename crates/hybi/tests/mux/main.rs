//! Multiplexing: two ends over a simulated link, and one end beside a peer that is written out.

mod alone;
mod closing;
mod conversations;
mod crowd;
mod dialling;
mod drops;
mod fairness;
mod faulted;
mod handles;
mod limits;
mod memory;
mod offers;
mod opening;
mod peer;
mod quota;
mod rules;
mod sessions;
mod support;
mod waking;

#[global_allocator]
static COUNTING: hybi_suite::allocator::Counting = hybi_suite::allocator::Counting;
