//! Two connections over TLS, each with a half that sends and a half that receives, on four tasks of
//! several threads that wait most of the time: everything arrives, in order (RFC 6455 section 10.6).
#![cfg(feature = "rustls")]

mod exchange;
mod halves;
mod pipes;
mod split;
mod tls;
