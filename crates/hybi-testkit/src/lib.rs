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

pub mod choices;
pub mod clock;
pub mod faulty;
pub mod link;
pub mod script;
pub mod splits;
pub mod wire;
pub mod world;

/// The examples of the page that a registry shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
