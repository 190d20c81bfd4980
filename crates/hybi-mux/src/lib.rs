//! The multiplexing extension: many logical WebSocket connections over one, without I/O.
//!
//! It was never finished as a standard, and browsers never shipped it. What is spoken here
//! interoperates with pywebsocket's mux: the block encodings of ietf-05, the quota rule of ietf-07 and the reason
//! codes of ietf-09. The table of [`Draft`] says what is known of each document, and from where.
//!
//! | concern | where |
//! |---|---|
//! | which document says what | [`Draft`] |
//! | which format is spoken | [`Revision`] |
//! | what is offered and answered, and every limit | [`Config`] |
//! | one end of a multiplexed connection | [`Endpoint`] |
//! | what a message of the physical connection carries | [`MuxMessage`], [`LogicalFrame`] |
//! | what is said about channels | [`ControlBlock`], [`ControlBlocks`] |
//! | what may be sent on a channel, and what may come; which channels may be added | [`SendQuota`], [`ReceiveQuota`], [`Slots`] |
//! | the order of the frames of a channel | [`FrameSequence`] |
//! | which rule a peer broke, and what a channel is dropped with | [`MuxError`], [`DropCode`] |
//! | formats of which fragments are known | [`fragments`] |
//!
//! Messages are borrowed, and nothing is allocated for what a peer only announces.

mod block;
mod channel_id;
mod config;
mod draft;
mod endpoint;
mod error;
mod flow;
pub mod fragments;
mod message;
mod negotiation;
mod number;
mod reader;
mod revision;
mod sequence;
mod slots;

pub use block::{CannotEncode, ControlBlock, ControlBlocks, DropReason, HandshakeEncoding};
pub use channel_id::ChannelId;
pub use config::Config;
pub use draft::{Draft, Known};
pub use endpoint::{CannotOpen, ChannelKey, Ended, Endpoint, Event, Read, release_buffers};
pub use error::{DropCode, MuxError, MuxViolation};
pub use flow::{ReceiveQuota, SendQuota};
pub use hybi_handshake::{ExtensionOffer, FieldError, HandshakeError, HeadLimits};
pub use message::{LogicalFrame, MuxMessage};
pub use negotiation::Found;
pub use revision::Revision;
pub use sequence::{FrameSequence, Piece};
pub use slots::Slots;

/// The examples of the page that a registry shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
