//! The WebSocket opening handshake, as client and as server, on [`http`] types and without I/O.
//!
//! Bytes go in, an [`http::Request`] or a verdict comes out; what to send comes out as bytes or as
//! an [`http::Response`]. There is no socket, no clock and no random source inside, so the crate
//! serves any runtime, and [`ServerPolicy::check`] serves any HTTP framework as it is.
//!
//! | concern | where | document |
//! |---|---|---|
//! | client: request out, response checked | [`ClientRequest`], [`ClientHandshake`] | RFC 6455 §4.1 |
//! | server: request head in, accept or reject | [`ServerHandshake`], [`ServerPolicy`] | RFC 6455 §4.2 |
//! | the same over HTTP/2 and later: extended CONNECT | [`Protocol`], [`ConnectHandshake`] | RFC 8441 §5 |
//! | `ws` and `wss` URIs | [`WsUri`] | RFC 6455 §3 |
//! | versions and their negotiation | [`Version`], [`VersionSet`] | RFC 6455 §4.4 |
//! | subprotocols | [`parse_subprotocols`], [`SubprotocolPreference`] | RFC 6455 §1.9 |
//! | extension negotiation syntax | [`ExtensionOffer`] | RFC 6455 §9.1 |
//! | which hosts a server answers for | [`HostPolicy`] | RFC 9110 §7.4 |
//! | proxies on the way to a server: CONNECT and SOCKS | [`proxy`] | RFC 9110 §9.3.6, RFC 1928 |
//! | who may connect from a browser | [`OriginPolicy`] | RFC 6455 §10.2 |
//!
//! The drafts hybi-05 to hybi-17 use the same exchange with another version number and, up to
//! hybi-10, another name for the `Origin` field; [`Version`] carries both.
//!
//! # A whole handshake
//!
//! ```
//! use hybi_handshake::{
//!     ClientHandshake, ClientRequest, HeadLimits, ServerHandshake, ServerPolicy, write_response,
//! };
//!
//! // The client. A real one takes the 16 bytes from a random source, anew for each connection.
//! let request = ClientRequest::new("ws://example.org/chat".parse()?).subprotocol("chat.v2")?;
//! let mut client = ClientHandshake::new(&request, *b"sixteen bytes ok", HeadLimits::default());
//!
//! // The server.
//! let policy = ServerPolicy::new().with_subprotocols(["chat.v2", "chat.v1"]);
//! let mut server = ServerHandshake::new(HeadLimits::default());
//! let (consumed, request) = server.handle_input(client.request_bytes())?;
//! let request = request.expect("the whole head was in the chunk");
//! let mut answer = Vec::new();
//! match policy.check(&request) {
//!     Ok(accepted) => write_response(&accepted.response(), b"", &mut answer),
//!     Err(error) => {
//!         let response = error.response();
//!         write_response(&response, response.body().as_bytes(), &mut answer);
//!     }
//! }
//!
//! // The client again. Bytes that follow the head are frames and are not consumed.
//! answer.extend(b"\x81\x05Hello");
//! let (consumed, accepted) = client.handle_input(&answer)?;
//! assert_eq!(&answer[consumed..], b"\x81\x05Hello");
//! assert_eq!(accepted.expect("accepted").subprotocol.as_deref(), Some("chat.v2"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
// Everything here reads what a peer sent.
#![warn(clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation)]

mod authority;
mod body;
mod client;
mod connect;
mod error;
mod extension;
mod head;
mod host;
mod key;
mod origin;
mod policy;
pub mod proxy;
mod request;
mod response;
mod server;
mod subprotocol;
mod target;
mod uri;
mod version;

// The public interface of the crate.
pub use client::{ClientAccepted, ClientHandshake};
pub use connect::{ConnectHandshake, Protocol};
pub use error::{DraftRule, ExtensionAnswer, FieldError, HandshakeError, RefusedOrigin, UriError};
pub use extension::{ExtensionOffer, ExtensionParam};
pub use head::{HeadLimits, write_fields, write_response, write_response_head};
pub use host::{HostPattern, HostPolicy};
pub use key::accept_key;
pub use origin::{OriginPattern, OriginPolicy};
pub use policy::{ServerAccepted, ServerPolicy, is_upgrade};
pub use request::ClientRequest;
pub use response::{ResponseHead, ResponseReader};
pub use server::ServerHandshake;
pub use subprotocol::{SubprotocolPreference, parse_subprotocols};
pub use uri::WsUri;
pub use version::{Version, VersionSet};

/// The examples of the page that a registry shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
