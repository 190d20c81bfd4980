//! What a runtime gives, made by hand: a link, a clock, and tasks that are polled one step at a
//! time. Nothing here waits; whatever is pending says who is to wake it.
#![allow(dead_code, reason = "not every test file needs all of it")]

pub(crate) mod clock;
pub(crate) mod link;
pub(crate) mod noise;
pub(crate) mod peer;
pub(crate) mod recorded;
pub(crate) mod source;
pub(crate) mod tasks;
#[cfg(feature = "legacy")]
pub(crate) mod versions;
pub(crate) mod ways;
