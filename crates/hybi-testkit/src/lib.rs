//! Test tools for WebSocket programs: a simulated link with its own clock, tasks without a runtime, and a peer
//! that keeps to a script, lawful or not.
//!
//! - [`world`]: tasks on one thread, polled when they are woken and only then; when all of them sleep, time goes
//!   on to what is due. Its first example is a client and a server over a slow link.
//! - [`clock`]: that time, and timers by it.
//! - [`link`]: transports of two ends: delay, bounded room, reads and writes in pieces, stalls, ends, resets.
//! - [`faulty`]: a transport whose n-th call fails, moves one byte, is pending, or ends.
//! - [`script`]: the scripted peer; [`wire`]: frames as bytes, with lies if need be.
//! - [`choices`]: runs by seed; one that fails is made smaller, and can be run again.
//! - [`splits`]: bytes mean the same wherever they are cut.
//!
//! The tools that only this workspace uses are behind features that are off, and may change with any version:
//! - [`allocator`]: what a test holds in memory, counted.
//! - [`events`]: the JSON lines of the program `hybi`, checked field by field.
//! - [`hostile`]: what hostile clients send, as bytes.
//! - [`vectors`]: the machine-readable protocol vectors and how to expand them.
//! - `fuzz` (feature `fuzz`): what fuzzers run, a function a target.
//! - `peer` (feature `suite`): the scripted peer on TCP.
//! - [`produced!`]: the table of errors that tests produce.
//! - [`program`]: programs as their users run them.
//! - [`rfc1951`]: a slow inflater that judges what is compressed, and what decompresses.
//! - `simulation` (feature `simulation`): conversations by seed, over every version and extension.
//! - `told` (feature `told`): what a receiver told, kept.
//! - `suite` (feature `suite`): the behaviour suite, written once and run over every runtime.
//! - [`wire`]: frames as bytes, with a reader of its own (RFC 6455 section 5.2).

pub mod allocator;
#[cfg(feature = "world")]
pub mod choices;
#[cfg(feature = "world")]
pub mod clock;
pub mod events;
#[cfg(feature = "world")]
pub mod faulty;
#[cfg(feature = "fuzz")]
pub mod fuzz;
pub mod hostile;
#[cfg(feature = "world")]
pub mod link;
#[cfg(feature = "suite")]
pub mod peer;
mod produced;
pub mod program;
pub mod rfc1951;
#[cfg(feature = "world")]
pub mod script;
#[cfg(feature = "simulation")]
pub mod simulation;
pub mod splits;
#[cfg(feature = "suite")]
pub mod suite;
#[cfg(feature = "told")]
pub mod told;
pub mod vectors;
pub mod wire;
#[cfg(feature = "world")]
pub mod world;
