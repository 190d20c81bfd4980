//! WebSocket in axum 0.8, in place of its own: the same names, over HTTP/1.1 and HTTP/2.
//!
//! What `axum::extract::ws` has is here by the same names, so that a program changes one line:
//!
//! ```
//! // use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
//! use hybi_axum::{Message, WebSocket, WebSocketUpgrade};
//! use axum::{Router, response::Response, routing::any};
//!
//! async fn route(ws: WebSocketUpgrade) -> Response {
//!     ws.on_upgrade(shout)
//! }
//!
//! async fn shout(mut ws: WebSocket) {
//!     while let Some(Ok(message)) = ws.recv().await {
//!         if let Message::Text(text) = message
//!             && ws.send(Message::text(text.to_uppercase())).await.is_err()
//!         {
//!             return;
//!         }
//!     }
//! }
//!
//! // `any`: GET over HTTP/1.1, CONNECT over HTTP/2.
//! let app: Router = Router::new().route("/shout", any(route));
//! # let _ = app;
//! ```
//!
//! # What else there is
//!
//! - Compression: [`WebSocketUpgrade::extensions`], or [`Server::compressing`] in [`Sockets`].
//! - Origins: pages of other origins are refused, unless the [`Server`] of the [`Sockets`] says otherwise.
//! - Deadlines and keep-alive: [`WebSocketUpgrade::config`].
//! - Limits on how many there are, and an end in order: [`Sockets`].
//!
//! # What differs
//!
//! - A message has 16 MiB at the most, not 64; 1 MiB may wait to be sent, and then sending waits.
//! - A peer that breaks a rule is told by a Close frame. One that vanishes is noticed: it is asked every 20 s.
//! - `accept_unmasked_frames` is not there: a client that does not mask is failed (RFC 6455 section 5.1).
//! - Over HTTP/2 a stuck WebSocket stalls others of its connection as long as hyper's windows are what they are by
//!   default, which `axum::serve` does not change; [`hybi_hyper::builder`] gives a server of hyper that has others.

#![forbid(unsafe_code)]

pub mod close_code;
mod extract;
mod message;
pub mod rejection;
mod socket;
mod sockets;

#[cfg(feature = "compression")]
pub use hybi::Deflate;
pub use hybi::{Config, HandshakeError, HostPolicy, OriginPolicy, Server, Utf8Bytes, serve};
pub use hybi_hyper;

pub use extract::{DefaultOnFailedUpgrade, OnFailedUpgrade, WebSocketUpgrade};
pub use message::{CloseCode, CloseFrame, Message};
pub use socket::WebSocket;
pub use sockets::Sockets;

/// The examples of the page that a registry shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
