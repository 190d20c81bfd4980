//! What may be negotiated beside the WebSocket protocol itself: the interface of extensions, and
//! every one that compresses.
//!
//! - [`Extensions`] is what an endpoint is willing to use; a client gets its offers from it and a
//!   server its choice, both as [`Agreed`].
//! - [`Chain`] is what was agreed on at work on one connection: on messages and frames as
//!   [`hybi_frame`] has them, or on the whole stream.
//! - [`Deflate`] is permessage-deflate ([RFC 7692](https://www.rfc-editor.org/rfc/rfc7692)), and with
//!   its choices are made [`PermessageDeflateDraft`], [`PermessageCompress`], [`PerframeCompress`],
//!   [`DeflateFrame`] and [`DeflateStream`], which came before it and are for old peers alone.
//!
//! There is no I/O in here, and no connection: the crate `hybi` has those.
//!
//! ```
//! # #[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))] {
//! use hybi_compression::{Chain, Compress, Deflate, Extensions};
//! use hybi_frame::{
//!     Event, FrameDecoder, FrameRules, Limits, MessageAssembler, Opcode, Role, encode_frame,
//! };
//! use hybi_handshake::Version;
//!
//! // The opening handshake: `Sec-WebSocket-Extensions` there and back.
//! let extensions = Extensions::from(Deflate::default());
//! let accepted = extensions.accept(&extensions.offers(Version::RFC6455), Version::RFC6455);
//! let answers: Vec<_> = accepted.iter().map(|agreed| agreed.answer().clone()).collect();
//! let confirmed = extensions.confirm(&answers, Version::RFC6455)?;
//!
//! // The server sends a message.
//! let mut server = Chain::new(&accepted);
//! let (mut payload, mut wire) = (Vec::new(), Vec::new());
//! let text = "All work and no play makes Jack a dull boy. ".repeat(20);
//! let rsv = server.encode_message(text.as_bytes(), Compress::Auto, &mut payload);
//! let rsv = rsv.expect("it is long enough to be compressed");
//! encode_frame(&mut wire, true, rsv, Opcode::Text, &payload, None);
//! assert!(wire.len() < 100);
//!
//! // The client receives it.
//! let mut client = Chain::new(&confirmed);
//! let (rules, limits) = (FrameRules::RFC6455, Limits::default());
//! let mut decoder = FrameDecoder::new(Role::Client, rules, limits);
//! client.allow_rsv(&mut decoder);
//! let mut assembler = MessageAssembler::new(rules, limits);
//! let (_, part) = decoder.decode(&mut wire)?;
//! let message = assembler.push_decoded(part.expect("a frame"), &mut client)?;
//! let Some(Event::Text(received)) = message else { panic!("a message") };
//! assert_eq!(*received, *text);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Over frames of another codec
//!
//! A codec that has frames of its own needs two calls: [`Chain::encode_message`] takes a message and
//! says whether RSV1 is to be set on the payload that came of it, and [`Chain::decode_message`] takes
//! a payload with its bits, gives the message, and holds it to a limit. The second has the example.
//!
//! # Long messages
//!
//! To compress a message of many megabytes takes a good part of a second. [`Chain::start_message`]
//! gives an [`Encoding`], which [`Chain::advance`] goes on with a slice at a time, so that others have
//! their turn in between.
//!
//! # An extension of your own
//!
//! [`Extension`] is what it says in the handshake, and its page has an example; [`PayloadCodec`] is
//! what it does to messages or frames, [`StreamCodec`] to the stream. The workspace's example
//! `custom_extension` shows one over a real connection.
//!
//! # Features
//!
//! `zlib-rs`, on by default, and `miniz_oxide` bring the algorithm; without either, the interface
//! alone is here, and with both, zlib-rs does the work. It says exactly where a block ends, so that a
//! payload that ends inside one is always refused.
//!
//! `miniz_oxide` is for programs that want no other. It has no choice of the window, takes references
//! to before the first byte for zeros where others fail, needs microseconds for each final block, and
//! may take a payload that ends in the tables of a block for a whole one, if it was made to look so.
//! It comes by way of `flate2`, which prefers a C library as soon as a feature of its own (`zlib`,
//! `zlib-ng`, `cloudflare_zlib`) is turned on anywhere: add `flate2` to your own dependencies, and
//! turn the default features off here, to use one. It is then held to what miniz_oxide can do.
//!
//! A window of 8 bits is made of one of 9, which is safe with zlib-rs.

#![forbid(unsafe_code)]

mod accept_only;
mod chain;
mod codec;
#[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]
mod deflate;
mod extension;
mod extensions;
mod of_messages;
mod only_received;
mod sharing;

// The public interface.
pub use accept_only::AcceptOnly;
pub use chain::{Chain, Encoded, Encoding, Step};
pub use codec::{Compress, EncodingKey, PayloadCodec, Progress, StreamCodec};
#[cfg(any(feature = "zlib-rs", feature = "miniz_oxide"))]
pub use deflate::{
    Deflate, DeflateFrame, DeflateStream, PerframeCompress, PermessageCompress,
    PermessageDeflateDraft,
};
pub use extension::{Agreed, AnswerError, Extension};
pub use extensions::Extensions;
pub use sharing::share_buffers;
// What the signatures above need from the layers below.
pub use hybi_frame::{ExtensionViolation, Rsv, Violation};
pub use hybi_handshake::{ExtensionOffer, Version};

/// The examples of the page that a registry shows.
#[cfg(all(doctest, any(feature = "zlib-rs", feature = "miniz_oxide")))]
#[doc = include_str!("../README.md")]
struct Readme;
