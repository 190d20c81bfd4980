//! WebSocket clients and servers on tokio.
//!
//! A client:
//!
//! ```no_run
//! # #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
//! # async fn client() -> Result<(), hybi_tokio::Error> {
//! let (mut ws, _response) = hybi_tokio::connect("ws://127.0.0.1:8080/echo").await?;
//! ws.send("hello").await?;
//! while let Some(message) = ws.recv().await? {
//!     println!("{message:?}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A server that sends everything back; what one read brought is answered with one write:
//!
//! ```no_run
//! # #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
//! # async fn server() -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! loop {
//!     let (stream, _address) = listener.accept().await?;
//!     tokio::spawn(async move {
//!         let mut ws = hybi_tokio::accept(stream).await?;
//!         while let Some(message) = ws.recv().await? {
//!             ws.feed(message).await?;
//!         }
//!         Ok::<(), hybi_tokio::Error>(())
//!     });
//! }
//! # }
//! ```
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
//! `accept_tls` and a `TlsAcceptor`.

#![forbid(unsafe_code)]

mod client;
mod server;
mod serving;
mod stream;
mod timer;
#[cfg_attr(not(feature = "rustls"), path = "no_tls.rs")]
mod tls;
mod transport;

pub use hybi::*;

#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
pub use client::connect;
pub use client::{Connector, connect_on, connect_with};
#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
pub use server::accept;
pub use server::{Incoming, accept_on, accept_with, incoming, incoming_on, upgraded};
#[cfg(feature = "rustls")]
pub use server::{accept_tls, incoming_tls, incoming_tls_on};
pub use serving::{Serving, TokioListener, serve, serve_requests};
#[cfg(feature = "rustls")]
pub use serving::{serve_requests_tls, serve_tls};
pub use stream::{MaybeTls, Stream};
pub use timer::TokioTimer;
pub use transport::{Socket, TokioIo};
#[cfg(feature = "rustls")]
pub use {
    hybi_tls::{PemError, rustls},
    tokio_rustls::{self, TlsAcceptor, TlsConnector},
};

/// An open WebSocket connection on tokio; see [`hybi::WebSocket`].
///
/// `S` is the stream underneath. Left out, it is that of TCP with or without TLS, so that one type is for what
/// `connect`, `accept` and their kin give, as client and as server.
///
/// ```
/// use hybi_tokio::{Error, WebSocket};
///
/// // Accepted by a server, or made by `connect`.
/// async fn ask(mut ws: WebSocket) -> Result<(), Error> {
///     ws.send("who is there?").await?;
///     Ok(())
/// }
/// ```
pub type WebSocket<S = Stream> = hybi::WebSocket<TokioIo<S>, TokioTimer>;

/// The examples of the page that a registry shows.
#[cfg(all(doctest, any(feature = "compression", feature = "compression-miniz_oxide")))]
#[doc = include_str!("../README.md")]
struct Readme;
