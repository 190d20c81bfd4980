//! The contract of the crate, as a peer or an application sees it.

mod client_rules;
mod connect;
mod grammar;
mod head;
mod origin;
mod produced;
mod rejection;
mod round_trip;
mod server_rules;
mod support;
mod target;
mod uri;
mod values;
mod vectors;
