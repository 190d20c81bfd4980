//! Programs for axum on its own WebSockets and on these, and what only these have.

#![expect(clippy::duplicate_mod, reason = "one program from one text, compiled both ways")]

#[path = "../../../hybi-hyper/tests/hyper/client.rs"]
mod client;
mod http2;
mod on_axum;
mod on_hybi;
mod same;
mod sockets;
mod world;
