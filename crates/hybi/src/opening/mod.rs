//! Opening: the opening handshake over a transport, as client and as server, written once.
//!
//! What a handshake needs is boxed while it runs: a task is as large as the largest thing it
//! ever awaits, and a server's tasks live on for as long as their connections.

mod accept;
mod answer;
pub(crate) mod carrier;
pub(crate) mod client;
pub(crate) mod connect;
mod deadline;
mod dial;
mod gate;
mod hixie;
mod incoming;
mod network;
mod requested;
pub(crate) mod server;
mod tunnel;
mod wire;

pub use accept::{accept_on, incoming_for, incoming_on, incoming_tls_on};
pub(crate) use accept::{incoming_behind, incoming_for_behind, tls_behind};
pub use client::Stage;
pub use connect::{connect, connect_anew, connect_on, opened};
pub use deadline::{begin, within};
pub use dial::{Dial, dial, reach, tls, without_tls};
pub(crate) use gate::Gate;
#[cfg(feature = "mux")]
pub(crate) use gate::Seat;
pub use incoming::Incoming;
pub use network::Network;
pub use requested::{Requested, Respond};
#[cfg(feature = "mux")]
pub(crate) use wire::Wire;
