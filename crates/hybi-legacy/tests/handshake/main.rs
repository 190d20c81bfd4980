//! The contract of the opening handshakes from hixie-75 on, as client and as server, and of the
//! table of drafts.

mod client_rules;
mod detection;
mod garbage;
mod keys;
mod server_rules;
mod support;
mod table;
mod vectors;
