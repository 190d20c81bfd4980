//! What the tests of this crate share: two endpoints without a connection between them, and an
//! inflater of our own to judge what they send.
#![allow(dead_code, reason = "not every test file needs all of it")]

pub(crate) mod endpoint;
pub(crate) mod inflate;
pub(crate) mod text;
