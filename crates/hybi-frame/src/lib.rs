//! The WebSocket framing codec, without I/O: hybi-07 to RFC 6455.
//!
//! Bytes go in as chunks, frames and messages come out; what is sent is appended to a buffer of
//! the caller. There is no socket, no clock and no random source here, and no `std` either: the
//! crate needs `alloc`, and the default feature `std` only chooses vector code by asking the
//! processor.
//!
//! ```text
//!  chunk --FrameDecoder--> FramePart --MessageAssembler--> Event
//!  &mut [u8]               lent payload                    a message or a control frame
//!
//!  payload --encode_frame--> Vec<u8>
//! ```
//!
//! - [`FrameDecoder`] parses headers, checks them, and unmasks payloads in place.
//! - [`MessageAssembler`] joins fragments, checks text, bounds sizes. A message that lay whole in
//!   one chunk is lent, and nothing is allocated for it.
//! - [`Chunk`] is a block to read into: it knows what is unread and where the last event lies, and
//!   hands out a large message without a copy.
//! - [`encode_frame`] and [`FrameHeader::encode`] write frames.
//! - [`FrameRules`] is what the versions differ in, [`Limits`] is what a peer may make us hold, and
//!   [`FrameError`] is what it did wrong: the rule, the byte, and the close code to answer with.
//!
//! # A receiver
//!
//! ```
//! use hybi_frame::{Event, FrameDecoder, FrameError, FrameRules, Limits, MessageAssembler, Role};
//!
//! # fn main() -> Result<(), FrameError> {
//! let (rules, limits) = (FrameRules::RFC6455, Limits::default());
//! let mut decoder = FrameDecoder::new(Role::Client, rules, limits);
//! let mut assembler = MessageAssembler::new(rules, limits);
//!
//! // Two fragments with a Ping between them, as a server may send them.
//! let mut chunk = *b"\x01\x03Hel\x89\x01p\x80\x02lo";
//! let mut at = 0;
//! let mut seen = Vec::new();
//! loop {
//!     let (taken, part) = decoder.decode(&mut chunk[at..])?;
//!     at += taken;
//!     let Some(part) = part else { break };
//!     match assembler.push(part)? {
//!         Some(Event::Text(text)) => seen.push(format!("text {}", &*text)),
//!         Some(Event::Ping(payload)) => seen.push(format!("ping {} byte", payload.len())),
//!         _ => {}
//!     }
//! }
//! assert_eq!(seen, ["ping 1 byte", "text Hello"]);
//! # Ok(())
//! # }
//! ```

#![no_std]
#![deny(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod chunk;
mod close;
mod counts;
mod decoder;
mod encoder;
mod error;
mod header;
mod limits;
mod located;
mod mask;
mod message;
mod opcode;
mod part;
mod payload;
mod role;
mod rules;
mod utf8;
mod whole;

// The public interface.
pub use chunk::Chunk;
pub use close::{CloseCode, CloseFrame, CloseFrameError};
pub use counts::Counts;
pub use decoder::FrameDecoder;
pub use encoder::encode_frame;
pub use error::{DraftViolation, ExtensionViolation, FrameError, Violation};
pub use header::FrameHeader;
pub use limits::Limits;
pub use located::Located;
pub use mask::{MaskingKey, apply_long_mask, apply_mask, extend_long_masked, extend_masked};
pub use message::{Gathering, MessageAssembler, PayloadDecoder};
pub use opcode::{Opcode, Rsv};
pub use part::FramePart;
pub use payload::{Event, Payload, TextPayload};
pub use role::{Masking, Role};
pub use rules::{Closing, FrameRules, InvalidUtf8};
pub use utf8::{DirectBuffer, Utf8Bytes, Utf8Error, Utf8Validator};

/// The examples of the page that a registry shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
