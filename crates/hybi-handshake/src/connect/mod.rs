//! WebSocket over HTTP/2 and later: extended CONNECT in place of an upgrade (RFC 8441 §5, RFC 9220 §3).

mod client;
mod protocol;
mod server;

pub use client::ConnectHandshake;
pub use protocol::Protocol;
pub(crate) use protocol::asked_for;
