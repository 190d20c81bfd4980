//! WebSocket clients and servers without a runtime: the calls of this crate block.
//!
//! A client:
//!
//! ```no_run
//! # #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
//! # fn client() -> Result<(), hybi_blocking::Error> {
//! let (mut ws, _response) = hybi_blocking::connect("ws://127.0.0.1:8080/echo")?;
//! ws.send("hello")?;
//! while let Some(message) = ws.recv()? {
//!     println!("{message:?}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A server that sends everything back, with a thread for each connection, which [`serve`](serve()) starts and looks after:
//! limits, panics of handlers, an end in order. What one read brought is answered with one write:
//!
//! ```no_run
//! # fn main() -> std::io::Result<()> {
//! use hybi_blocking::{Error, Server};
//!
//! let listener = std::net::TcpListener::bind("127.0.0.1:8080")?;
//! let serving = hybi_blocking::serve(listener, Server::default(), |mut ws| {
//!     while let Some(message) = ws.recv()? {
//!         ws.feed(message)?;
//!     }
//!     Ok::<_, Error>(())
//! });
//! println!("{}", serving.run());
//! # Ok(())
//! # }
//! ```
//!
//! [`accept_with`] and its kin are for threads of your own.
//!
//! # How it blocks
//!
//! Sockets do not block; threads do, in the operating system's `poll`, each for what its own call waits for: a socket, a
//! deadline of the connection, another thread that has the other half. There is no thread behind that; only
//! [`serve`](serve()) starts any that last, one for each connection, and a name is looked up on one. So all of
//! [`Config`] holds here as well: pings are sent and answered, and a peer that vanished is noticed, while a thread waits in
//! [`recv`](WebSocket::recv). A connection on which no thread waits does nothing.
//!
//! While a thread waits, it holds no buffer: an idle connection costs some 600 bytes beside its thread, whose stack has
//! 2 MiB of addresses, and as much memory as was ever written to. That is 34 KB together on Linux, where a thousand wait.
//!
//! What has no blocking form here is done within [`block_on`]: rooms ([`Broadcast`]), channels (`mux`).
//!
//! # Windows
//!
//! Sockets alone can be waited for there, and connecting has a thread of its own, as looking up a name has everywhere. It
//! compiles for Windows with all features, and its tests have been run by Wine 8, where all pass but one: a peer that leaves
//! something unread ends there, and resets nothing. On Windows itself nobody has run it yet.
//!
//! # Features
//!
//! `compression`, which is on by default, brings permessage-deflate, and with it `connect` and `accept`,
//! which use it. A `Client` or `Server` of your own uses what its builder's `extensions` says, and none
//! if it says nothing, so that it does not matter whether another package of the build turned the
//! feature on. `compression-miniz_oxide` does the same with another library. `legacy` brings the versions
//! before hybi-07: without it they can be named, but a server accepts none of them and a client refuses
//! to ask. `mux` brings
//! the module `mux`, many connections over one. `tracing` tells of the life of each connection, in a span of its own.
//! `rustls` brings `wss` with a configuration of your own (`Connector::rustls`);
//! `rustls-native-roots` and `rustls-webpki-roots` add one that trusts the operating system's roots or
//! Mozilla's. The cryptography is always that of `ring`, handed over explicitly. A server accepts with
//! `accept_tls` or `serve_tls` and a `rustls::ServerConfig`.

#![forbid(unsafe_code)]

mod bell;
mod client;
mod descriptor;
mod elsewhere;
#[cfg(all(test, unix))]
mod faults;
mod halves;
mod incoming;
mod lookup;
mod reactor;
mod server;
mod serving;
mod stream;
mod streams;
mod timer;
#[cfg_attr(not(feature = "rustls"), path = "no_tls.rs")]
mod tls;
mod transport;
mod websocket;

pub use hybi::*;
#[cfg(feature = "rustls")]
pub use hybi_tls::{PemError, rustls};

#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
pub use client::connect;
#[cfg(feature = "rustls")]
pub use client::connect_tls_on;
pub use client::{Connector, connect_on, connect_with};
pub use halves::{Receiver, Sender};
pub use incoming::Incoming;
pub use reactor::block_on;
#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
pub use server::accept;
pub use server::{accept_on, accept_with, incoming, incoming_on, upgraded};
#[cfg(feature = "rustls")]
pub use server::{accept_tls, incoming_tls, incoming_tls_on};
pub use serving::{Serving, serve, serve_requests};
#[cfg(feature = "rustls")]
pub use serving::{serve_requests_tls, serve_tls};
pub use stream::{MaybeTls, Stream};
pub use streams::{MessageReader, MessageWriter};
pub use timer::BlockingTimer;
#[cfg(feature = "rustls")]
pub use tls::TlsStream;
pub use transport::{BlockingIo, Socket};
pub use websocket::WebSocket;

/// The examples of the page that a registry shows.
#[cfg(all(doctest, any(feature = "compression", feature = "compression-miniz_oxide")))]
#[doc = include_str!("../README.md")]
struct Readme;
