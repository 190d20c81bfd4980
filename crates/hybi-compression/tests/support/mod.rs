//! What the tests of this crate share: two endpoints without a connection between them.
#![allow(dead_code, reason = "not every test file needs all of it")]

pub(crate) mod endpoint;
pub(crate) mod text;
