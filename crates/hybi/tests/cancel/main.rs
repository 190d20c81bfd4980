//! Cancel safety: each public future is dropped at each of its await points in turn, and no byte
//! is lost, doubled or torn.

#[path = "../support/mod.rs"]
mod support;

mod closing;
#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
mod compressed;
mod opening;
mod receiving;
mod sending;
mod within;
mod world;
