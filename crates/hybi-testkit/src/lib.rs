//! Test tools of the hybi workspace; never published, nothing but tests and benchmarks depends on it.
//!
//! - [`allocator`]: what a test holds in memory, counted.
//! - [`events`]: the JSON lines of the program `hybi`, checked field by field.
//! - [`hostile`]: what hostile clients send, as bytes.
//! - [`vectors`]: the machine-readable protocol vectors and how to expand them.
//! - `fuzz` (feature `fuzz`): what fuzzers run, a function a target.
//! - `peer` (feature `suite`): the scripted peer, which sends any bytes at all and judges what comes back.
//! - [`produced!`]: the table of errors that tests produce.
//! - [`program`]: programs as their users run them.
//! - [`rfc1951`]: a slow inflater that judges what is compressed, and what decompresses.
//! - `suite` (feature `suite`): the behaviour suite, written once and run over every runtime.
//! - [`wire`]: frames as bytes, with a reader of its own (RFC 6455 section 5.2).

pub mod allocator;
pub mod events;
#[cfg(feature = "fuzz")]
pub mod fuzz;
pub mod hostile;
#[cfg(feature = "suite")]
pub mod peer;
mod produced;
pub mod program;
pub mod rfc1951;
#[cfg(feature = "suite")]
pub mod suite;
pub mod vectors;
pub mod wire;
