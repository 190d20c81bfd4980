//! TLS for the adapters: what of it belongs to rustls and to no runtime (RFC 6455 sections 3, 4.1 and 10.6).
//!
//! Programs depend on an adapter, which re-exports what they need of this. An adapter over streams of the
//! futures-io traits is written with all of it; one over other streams, with [`Needs`] alone.
//!
//! ```
//! # #[cfg(feature = "futures-rustls")]
//! # mod adapter {
//! use std::io;
//! use futures_io::{AsyncRead, AsyncWrite};
//! use hybi::{Error, WsUri};
//! use hybi_tls::{Chosen, MaybeTls, Needs, Otherwise};
//!
//! // The two calls of `hybi::opening::Dial` that are about TLS.
//! fn tls(uri: &WsUri) -> Result<Option<Needs>, Error> {
//!     Needs::of(uri, &Chosen::default(), Otherwise::TrustRoots)
//! }
//!
//! async fn secure<S>(needs: Needs, stream: MaybeTls<S>) -> io::Result<MaybeTls<S>>
//! where
//!     S: AsyncRead + AsyncWrite + Unpin,
//! {
//!     MaybeTls::connect(needs, stream).await
//! }
//! # }
//! ```
//!
//! # Features
//!
//! `rustls` brings [`Needs`] and [`Chosen`]; `rustls-native-roots` and `rustls-webpki-roots` say whom a client trusts that was told
//! nothing else; `futures-rustls` brings TLS over streams of the futures-io traits to [`MaybeTls`]. Without any of
//! them that is a plain stream, so that an adapter has one type in every build.

#![forbid(unsafe_code)]

#[cfg(feature = "rustls")]
mod chosen;
mod maybe;
#[cfg(feature = "rustls")]
mod needs;

#[cfg(feature = "rustls")]
pub use chosen::{Chosen, PemError};
#[cfg(feature = "futures-rustls")]
pub use futures_rustls;
pub use maybe::MaybeTls;
#[cfg(feature = "rustls")]
pub use needs::{Needs, Otherwise};
#[cfg(feature = "rustls")]
pub use rustls;
