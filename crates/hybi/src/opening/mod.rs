//! Opening: the opening handshake over a transport, as client and as server, written once.
//!
//! What a handshake needs is boxed while it runs: a task is as large as the largest thing it
//! ever awaits, and a server's tasks live on for as long as their connections.

mod answer;
pub(crate) mod client;
mod connect;
mod deadline;
mod dial;
mod hixie;
mod incoming;
mod request;
pub(crate) mod server;
mod wire;

pub use connect::{connect, open_client};
pub use deadline::within;
pub use dial::{dial, tls};
pub use incoming::Incoming;
pub use request::{accept, incoming};
