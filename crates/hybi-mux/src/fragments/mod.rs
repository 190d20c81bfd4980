//! Formats of which fragments are known: codecs without an endpoint.
//!
//! Nothing here is negotiated. What no source shows is not there: see [`Draft`](crate::Draft).

pub mod google;
pub mod ietf_01;
