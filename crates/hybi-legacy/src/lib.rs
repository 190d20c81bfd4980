//! The WebSocket protocol before hybi-07, without I/O: hixie-75 to hybi-06.

#![forbid(unsafe_code)]
// Everything here reads what a peer sent.
#![warn(clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation)]

mod draft;
mod framing;
mod handshake;
mod terms;

// The public interface of the crate, and what its signatures need from the layers below.
pub use hybi_frame::{FrameRules, Role};
pub use hybi_handshake::Version;

pub use draft::{
    Draft, ExtensionSyntax, FramingFamily, HandshakeFamily, Selector, SubprotocolSyntax,
    UnknownDraft,
};
pub use framing::FrameCodec;
pub use handshake::{ClientHandshake, FieldOrder, ServerAnswer, check, hybi_04_nonce};
pub use terms::Terms;
