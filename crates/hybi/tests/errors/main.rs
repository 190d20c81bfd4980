//! What errors tell: each thing once, the step and the address of what failed while connecting, and
//! the same over TLS as over TCP (RFC 6455 sections 4.1 and 7.1).

#[path = "../support/mod.rs"]
mod support;

mod chains;
mod dialling;
mod goodbye;
mod produced;
mod values;
