//! Test tools of the hybi workspace; never published, nothing but tests and benchmarks depends on it.
//!
//! - [`vectors`]: the machine-readable protocol vectors and how to expand them.

pub mod vectors;
