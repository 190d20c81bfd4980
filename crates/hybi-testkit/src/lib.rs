//! Test tools of the hybi workspace; never published, nothing but tests and benchmarks depends on it.
//!
//! - [`allocator`]: what a test holds in memory, counted.
//! - [`events`]: the JSON lines of the program `hybi`, checked field by field.
//! - [`vectors`]: the machine-readable protocol vectors and how to expand them.
//! - `fuzz` (feature `fuzz`): what fuzzers run, a function a target.
//! - `peer` and `wire` (feature `suite`): the scripted peer, which sends any bytes at all and judges what
//!   comes back with a frame reader of its own (RFC 6455 section 5.2).
//! - [`produced!`]: the table of errors that tests produce.
//! - [`program`]: programs as their users run them.
//! - [`rfc1951`]: a slow inflater that judges what is compressed, and what decompresses.
//! - `suite` (feature `suite`): the behaviour suite, written once and run over every runtime.

pub mod allocator;
pub mod events;
#[cfg(feature = "fuzz")]
pub mod fuzz;
#[cfg(feature = "suite")]
pub mod peer;
mod produced;
pub mod program;
pub mod rfc1951;
#[cfg(feature = "suite")]
pub mod suite;
pub mod vectors;
#[cfg(feature = "suite")]
pub mod wire;
