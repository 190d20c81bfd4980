//! WebSocket in servers on hyper 1.
//!
//! [`accept`] answers a request and gives the WebSocket to a function: a service in one call, over HTTP/1.1 and over
//! HTTP/2 (RFC 8441). [`upgrade`] does the same in two steps, for those who look at either of them.
//!
//! ```
//! use http_body_util::Full;
//! use hybi_hyper::{Error, Server, http::Response};
//! use hyper::{body::Bytes, service::service_fn};
//! use hyper_util::rt::TokioIo;
//! use tokio::net::TcpListener;
//!
//! async fn echo(listener: TcpListener) -> std::io::Result<()> {
//!     loop {
//!         let (stream, _address) = listener.accept().await?;
//!         let service = service_fn(|mut request| async move {
//!             let response: Response<Full<Bytes>> =
//!                 hybi_hyper::accept(&Server::default(), &mut request, |mut ws| async move {
//!                     while let Some(message) = ws.recv().await? {
//!                         ws.feed(message).await?;
//!                     }
//!                     Ok::<_, Error>(())
//!                 });
//!             Ok::<_, hyper::Error>(response)
//!         });
//!         tokio::spawn(async move {
//!             let http = hybi_hyper::builder();
//!             http.serve_connection_with_upgrades(TokioIo::new(stream), service).await
//!         });
//!     }
//! }
//! ```
//!
//! [`serve`](serve()) is a server that is looked after: pages and WebSockets on one port, limits, deadlines, and an end in
//! order.
//!
//! All else is that of `hybi`, which this crate re-exports: [`Server`] says which requests are accepted, from which
//! origins, with which extensions, and [`Config`] has limits and deadlines.

#![forbid(unsafe_code)]

mod builder;
mod on_upgrade;
mod serving;
mod transport;
mod upgrade;

pub use hybi::*;

pub use hyper;

pub use builder::{builder, builder_with};
pub use on_upgrade::OnUpgrade;
pub use serving::{HyperListener, Serving, serve};
pub use transport::HyperIo;
pub use upgrade::{accept, check, is_upgrade, upgrade, upgrade_as};

/// An open WebSocket connection that hyper's server brought; see [`hybi::WebSocket`].
pub type WebSocket = hybi::WebSocket<HyperIo, hybi_tokio::TokioTimer>;

/// A request for a WebSocket that waits to be answered; see [`hybi::Incoming`], and [`HyperListener`] for where they come
/// from.
pub type Incoming = hybi::Incoming<HyperIo, hybi_tokio::TokioTimer>;

/// The examples of the page that a registry shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
