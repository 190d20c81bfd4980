//! What SECURITY.md promises of memory and of work, as one table: each attack, in every version and both roles, and
//! what a connection may hold of it beyond what it held before (RFC 6455 section 10.4).
//!
//! What compressed bytes can do is in `tests/extensions/memory.rs`, and heads in `hybi-tokio`.

mod frames;
mod rooms;
mod streams;
#[path = "../support/mod.rs"]
mod support;

#[global_allocator]
static COUNTING: hybi_suite::allocator::Counting = hybi_suite::allocator::Counting;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
