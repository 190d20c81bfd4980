//! The WebSocket protocol before hybi-07, without I/O: hixie-75, hixie-76 (which is hybi-00) and
//! hybi-01 to 06.
//!
//! The opening handshakes and framings of 2010 and early 2011, for both ends. They join the layers
//! of RFC 6455 on either side: [`check`] takes the place of [`ServerPolicy::check`] and hears every
//! version on one port, [`ClientHandshake`] that of [`hybi_handshake::ClientHandshake`], and what
//! [`FrameCodec`] reads goes into the same [`MessageAssembler`].
//!
//! Whoever uses this crate alone needs those two as well: [`hybi_frame`] for limits, messages and the
//! assembler, [`hybi_handshake`] for the heads of requests, the policy of a server, and
//! [`write_response`](hybi_handshake::write_response) for its refusals.
//!
//! | concern | where |
//! |---|---|
//! | which document says what | [`Draft`], the table below |
//! | server: which version a request speaks, accept or reject | [`check`] |
//! | server: the response of hixie-75 to hybi-03 | [`ServerAnswer`] |
//! | server: what hybi-04 adds to the response of RFC 6455 | [`hybi_04_nonce`] |
//! | client: request out, response checked | [`ClientHandshake`] |
//! | what the handshake settled | [`Terms`] |
//! | frames, both ways | [`FrameCodec`] |
//! | the keys of hixie-76 by themselves | [`key_number`], [`challenge_answer`] |
//!
//! # Risk
//!
//! Nothing here is on unless asked for, and hixie-75 to hybi-03 are not for the open internet.
//! Their clients do not mask, so that a page can write bytes of its choice to an intermediary that
//! may take them for requests; and in hixie-75 not even the handshake proves that the client means
//! WebSocket, or that the server does. [`Version::HIXIE_75`] and [`Version::HIXIE_76`] say more.
//!
//! # The drafts
//!
//! This is what [`Draft`] tells, oldest first: what a request names to select the draft, the field
//! with its origin, the family of handshake and framing by the name of its first draft, what a
//! Close frame carries, what becomes of text that is not UTF-8, how subprotocols are separated,
//! what extensions may look like, and whether a refusal lists the server's versions. Drafts of one
//! version cannot be told apart.
//!
//! | draft | selected by | origin in | handshake | framing | closing | bad UTF-8 | subprotocols | extensions | refusals list versions |
//! |---|---|---|---|---|---|---|---|---|---|
//! | hixie-75 | nothing | `Origin` | hixie-75 | hixie-75 | none | replaced | one | none | no |
//! | hixie-76 | two keys, draft 0 or none | `Origin` | hixie-76 | hixie-76 | FF 00 | replaced | spaces | none | no |
//! | hybi-01 | two keys, draft 1 or none | `Origin` | hixie-76 | hybi-01 | any payload | replaced | spaces | none | no |
//! | hybi-02 | two keys, draft 2 | `Origin` | hixie-76 | hybi-01 | any payload | replaced | spaces | none | no |
//! | hybi-03 | two keys, draft 2 or 3 | `Origin` | hixie-76 | hybi-01 | same payload | replaced | spaces | none | no |
//! | hybi-04 | version 4 | `Sec-WebSocket-Origin` | hybi-04 | hybi-04 | same payload | replaced | commas | names | no |
//! | hybi-05 | version 5 | `Sec-WebSocket-Origin` | hybi-05 | hybi-05 | a letter | replaced | commas | tokens | no |
//! | hybi-06 | version 6 | `Sec-WebSocket-Origin` | hybi-05 | hybi-05 | codes | replaced | commas | tokens | no |
//! | hybi-07 | version 7 | `Sec-WebSocket-Origin` | hybi-05 | hybi-07 | codes | replaced | commas | tokens | no |
//! | hybi-08 | version 8 | `Sec-WebSocket-Origin` | hybi-05 | hybi-07 | codes | replaced | tokens | tokens | no |
//! | hybi-09 | version 8 | `Sec-WebSocket-Origin` | hybi-05 | hybi-07 | codes | replaced | tokens | tokens | no |
//! | hybi-10 | version 8 | `Sec-WebSocket-Origin` | hybi-05 | hybi-07 | codes | fails | tokens | tokens | no |
//! | hybi-11 | version 8 | `Origin` | hybi-05 | hybi-07 | codes | fails | tokens | tokens | yes |
//! | hybi-12 | version 8 | `Origin` | hybi-05 | hybi-07 | codes | fails | tokens | tokens | yes |
//! | hybi-13 | version 13 | `Origin` | hybi-05 | hybi-07 | codes | fails | tokens | tokens | yes |
//! | hybi-14 | version 13 | `Origin` | hybi-05 | hybi-07 | codes | fails | tokens | quoted | yes |
//! | hybi-15 | version 13 | `Origin` | hybi-05 | hybi-07 | codes | fails | tokens | quoted | yes |
//! | hybi-16 | version 13 | `Origin` | hybi-05 | hybi-07 | codes | fails | tokens | quoted | yes |
//! | hybi-17 | version 13 | `Origin` | hybi-05 | hybi-07 | codes | fails | tokens | quoted | yes |
//! | rfc6455 | version 13 | `Origin` | hybi-05 | hybi-07 | codes | fails | tokens | quoted | yes |
//!
//! # Both ends of hixie-76
//!
//! ```
//! use hybi_frame::{Event, FrameHeader, Limits, MessageAssembler, Opcode, Role, Rsv};
//! use hybi_handshake::{ClientRequest, HeadLimits, ServerHandshake, ServerPolicy};
//! use hybi_legacy::{ClientHandshake, FieldOrder, FrameCodec, ServerAnswer, Version, check};
//!
//! // The client. A real one takes random bytes from the system.
//! let request = ClientRequest::new("ws://example.org/chat".parse()?).version(Version::HIXIE_76);
//! let mut random = |bytes: &mut [u8]| bytes.fill(0x5a);
//! let mut client = ClientHandshake::new(&request, &mut random, HeadLimits::default())?;
//!
//! // The server, for which the version has to be turned on.
//! let policy = ServerPolicy::new().with_versions([Version::RFC6455, Version::HIXIE_76]);
//! let mut server = ServerHandshake::new(HeadLimits::default());
//! let (consumed, request) = server.handle_input(client.request_bytes())?;
//! let request = request.expect("the whole head was in the chunk");
//! let accepted = check(&policy, &request, FieldOrder::Any)?;
//! let answer = ServerAnswer::new(&policy, &request, &accepted)?;
//! let mut out = answer.head().to_vec();
//! // The challenge follows the head. Here it is there; it may as well come later, and in pieces.
//! out.extend(answer.answer(client.request_bytes()[consumed..].try_into()?));
//!
//! // A frame may leave at once.
//! let mut frames = FrameCodec::new(answer.terms(), Role::Server, Limits::default());
//! let (fin, rsv, opcode) = (true, Rsv::NONE, Opcode::Text);
//! let header = FrameHeader { fin, rsv, opcode, masking_key: None, payload_len: 5 };
//! frames.encode(&mut out, &header, b"Hello");
//! assert!(out.ends_with(b"\x00Hello\xff"));
//!
//! // The client again. Bytes behind the answer are frames and are not consumed.
//! let (consumed, accepted) = client.handle_input(&out)?;
//! let (_, terms) = accepted.expect("accepted");
//! let mut frames = FrameCodec::new(&terms, Role::Client, Limits::default());
//! let mut assembler = MessageAssembler::new(frames.rules(), Limits::default());
//! let mut chunk = &mut out[consumed..];
//! let mut received = None;
//! while !chunk.is_empty() {
//!     let (taken, part) = frames.decode(chunk)?;
//!     let assembled = part.map(|part| assembler.push(part)).transpose()?.flatten();
//!     if let Some(Event::Text(text)) = assembled {
//!         received = Some(text.to_string());
//!     }
//!     chunk = &mut chunk[taken..];
//! }
//! assert_eq!(received.as_deref(), Some("Hello"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`ServerPolicy::check`]: hybi_handshake::ServerPolicy::check
//! [`MessageAssembler`]: hybi_frame::MessageAssembler

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
pub use handshake::{
    ClientHandshake, FieldOrder, ServerAnswer, challenge_answer, check, hybi_04_nonce, key_number,
};
pub use terms::Terms;

/// The examples of the page that a registry shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
