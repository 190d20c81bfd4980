//! What the tests of this workspace share. Not published; the tools for users are in `hybi-testkit`.
//!
//! - [`allocator`]: what a test holds in memory, counted.
//! - [`events`]: the JSON lines of the program `hybi`, checked field by field.
//! - [`vectors`]: the machine-readable protocol vectors and how to expand them.
//! - [`produced!`]: the table of errors that tests produce.
//! - [`program`]: programs as their users run them.
//! - [`rfc1951`]: a slow inflater that judges what is compressed, and what decompresses.
//! - `certificate` (feature `suite`): a certificate, and whoever trusts it.
//! - `fuzz` (feature `fuzz`): what fuzzers run, a function a target.
//! - `hostile` (feature `hostile`): what hostile clients send, as bytes.
//! - `peer` (feature `suite`): the scripted peer on TCP.
//! - `secure` (feature `suite`): TLS over a blocking socket.
//! - `simulation` (feature `simulation`): conversations by seed, over every version and extension.
//! - `suite` (feature `suite`): the behaviour suite, written once and run over every runtime.
//! - `told` (feature `told`): what a receiver told, kept.

pub mod allocator;
#[cfg(feature = "suite")]
pub mod certificate;
pub mod events;
#[cfg(feature = "fuzz")]
pub mod fuzz;
#[cfg(feature = "hostile")]
pub mod hostile;
#[cfg(feature = "suite")]
pub mod peer;
mod produced;
pub mod program;
pub mod rfc1951;
#[cfg(feature = "suite")]
pub mod secure;
#[cfg(feature = "simulation")]
pub mod simulation;
#[cfg(feature = "suite")]
pub mod suite;
#[cfg(feature = "told")]
pub mod told;
pub mod vectors;
