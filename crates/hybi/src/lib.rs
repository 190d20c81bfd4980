//! The WebSocket protocol for Rust, whole and on any runtime.
//!
//! This crate joins the layers below it and does no I/O of its own. Most programs depend on an
//! adapter instead, `hybi-tokio`, `hybi-smol` or `hybi-blocking`, which re-exports all of this.
//!
//! ```text
//!  your program
//!  ------------------------------------------------------------------
//!  hybi-tokio, hybi-smol          transport, timer, connect, accept
//!  hybi-blocking                  the same without a runtime
//!  hybi                           WebSocket      messages, async
//!                                 Connection     messages, without I/O
//!  hybi-compression               what extensions make of payloads
//!  hybi-legacy                    frames and handshakes before hybi-07
//!  hybi-mux                       channels within one connection
//!  hybi-frame   hybi-handshake    frames, and the exchange before them
//! ```
//!
//! # A server, in any HTTP framework
//!
//! [`Server::upgrade`] answers an [`http::Request`]; what the framework hands over afterwards
//! becomes a [`WebSocket`] through [`Upgrade::into_websocket`].
//!
//! # A connection without I/O
//!
//! ```
//! use hybi::{Config, Connection, Event, Message, Negotiated, Role, State};
//!
//! let config = std::sync::Arc::new(Config::default());
//! let mut server = Connection::new(Role::Server, Negotiated::default(), config);
//!
//! // What a client sends: a masked text frame with "Hello", then an empty Close frame.
//! let mut input = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x88\x80\0\0\0\0";
//! let mut at = 0;
//! while at < input.len() {
//!     let (consumed, event) = server.handle_input(&mut input[at..]);
//!     at += consumed;
//!     match event {
//!         Some(Event::Text(text)) => server.queue(Message::text(text.into_owned()))?,
//!         Some(Event::Close(frame)) => assert_eq!(frame, None),
//!         _ => {}
//!     }
//! }
//! assert_eq!(server.transmit_to_vec(), b"\x81\x05Hello\x88\x00");
//! assert_eq!(server.state(), State::Closing);
//! # Ok::<(), hybi::Error>(())
//! ```
//!
//! # Extensions
//!
//! A client offers and a server accepts the extensions that [`ClientBuilder::extensions`] and
//! [`ServerBuilder::extensions`] were given, those here or those of your own
//! ([`extension::Extension`]), and none otherwise: what is compiled in changes no default, since any
//! package of a build may turn a feature on for all of them. The feature `compression`, which is on by
//! default, brings `Deflate`, permessage-deflate, and `Client::compressing` and
//! `Server::compressing` with it, which are what the adapters' `connect` and `accept` use. An
//! [`Outgoing`] message says whether it is to be compressed, a [`Secret`] never is, and a [`Prepared`]
//! is compressed once for many peers.
//!
//! # One message for many
//!
//! A [`Broadcast`] is a room: each connection that joins it becomes a [`Member`], which delivers what others send
//! while it receives what its peer says. What becomes of members that read slowly is for [`Slow`] to say.
//!
//! # Old versions
//!
//! RFC 6455 alone is spoken unless [`ServerBuilder::versions`] or [`ClientBuilder::version`] say
//! otherwise. hybi-07 to 12 are always there to be asked for; with the feature `legacy` so is every
//! version before them, back to [`Version::HIXIE_75`], which says what the risk is.
//! [`Capabilities`] tells what the version of a connection lacks, and `legacy::Draft` has the table of
//! all documents.
//!
//! # Many connections over one
//!
//! With the feature `mux`, the module of that name offers and accepts multiplexing: a channel is a
//! [`WebSocket`] like any other.
//!
//! # What becomes of a connection
//!
//! [`Connection::stats`] and the same of the handles tell what went each way, and how long a ping takes. With the
//! feature `tracing` each connection is a span, and its opening, failure and end are events in it.
//!
//! # An adapter for another runtime
//!
//! Implement the two traits of [`io`]; [`io::FuturesIo`] is the transport already for anything
//! with the futures-io traits. Then [`opening::connect_on`] and [`opening::accept_on`] give connections,
//! and with [`opening::Dial`] so does [`opening::connect`]; with [`serve::Accept`], [`serve::Serving`] is a server
//! that is looked after.

#![forbid(unsafe_code)]

mod broadcast;
mod connection;
pub mod legacy;
#[cfg(feature = "mux")]
pub mod mux;
pub mod opening;
pub mod reconnect;
pub mod serve;
mod socket;

// The public interface of the crate: here what a service is written with, in modules what it is made of.
pub use bytes;
pub use http;
#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
pub use hybi_compression::Deflate;
pub use hybi_compression::{Compress, Extensions};
pub use hybi_frame::{CloseCode, CloseFrame, Event, Role, Utf8Bytes};
pub use hybi_handshake::{HandshakeError, HostPolicy, OriginPolicy, Version, WsUri};
#[cfg(feature = "tracing")]
pub use tracing;

pub use broadcast::{Broadcast, BroadcastBuilder, Deliveries, Direct, Member, Sent, Slow};
pub use connection::{
    Capabilities, CloseStatus, Config, Connection, Deadline, Endpoint, Error, Message, MessageKind,
    MessageRef, Negotiated, OpeningError, Outgoing, Prepared, ProxyError, RedirectError, Secret,
    SendError, State, Stats, Traffic, Unsupported,
};
pub use opening::Incoming;
pub use opening::client::{Client, ClientBuilder, Request};
pub use opening::server::{Server, ServerBuilder, Upgrade, upgrade};
pub use socket::{
    Answering, ByteStream, Closer, MessageReader, MessageWriter, Permit, Receiver, ReuniteError,
    Sender, WebSocket, io,
};

pub mod extension {
    //! Extensions by themselves: which there are, how they are negotiated, and what one of your own is
    //! (RFC 6455 section 9).

    pub use hybi_compression::{
        AcceptOnly, Agreed, AnswerError, EncodingKey, Extension, PayloadCodec, Progress,
        StreamCodec,
    };
    #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
    pub use hybi_compression::{
        DeflateFrame, DeflateStream, PerframeCompress, PermessageCompress, PermessageDeflateDraft,
    };
    pub use hybi_frame::ExtensionViolation;
    pub use hybi_handshake::{ExtensionAnswer, ExtensionOffer, ExtensionParam};
}

pub mod proxy {
    //! Proxies on the way to a server: their URLs, which to take, and what they may answer
    //! (RFC 9110 section 9.3.6, RFC 1928). [`ClientBuilder::proxy`](crate::ClientBuilder::proxy) is where to begin.

    pub use hybi_handshake::proxy::{
        EnvironmentError, Proxies, Proxy, ProxyKind, SocksReply, TunnelError, TunnelHandshake,
    };
}

pub mod frame {
    //! Frames and what holds of them: rules, limits, what breaks them, and payloads as events show them
    //! (RFC 6455 sections 5 to 8).

    pub use hybi_frame::{
        CloseFrameError, Closing, DraftViolation, FrameError, FrameRules, Gathering, Limits,
        MaskingKey, Payload, Rsv, TextPayload, Violation,
    };
}

pub mod handshake {
    //! The opening handshake without I/O, its limits and patterns, and the mistakes that a caller can make in
    //! it (RFC 6455 section 4).

    pub use hybi_handshake::{
        DraftRule, FieldError, HeadLimits, HostPattern, OriginPattern, Protocol, RefusedOrigin,
        ServerAccepted, ServerPolicy, SubprotocolPreference, UriError, VersionSet, is_upgrade,
    };

    pub use crate::opening::client::{ClientAccepted, ClientHandshake, ConnectHandshake};
}

/// The examples of the page that a registry shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
