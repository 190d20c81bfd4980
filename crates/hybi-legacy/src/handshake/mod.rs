//! The opening handshakes before hybi-05, as client and as server.

mod client;
mod fields;
mod hixie;
mod hixie75;
mod hixie76;
mod hybi04;
mod key;
mod rules;
mod server;

pub use client::ClientHandshake;
pub use key::{challenge_answer, key_number};
pub use server::{FieldOrder, ServerAnswer, check, hybi_04_nonce};
