//! The codes of Close frames by the names that axum gives them (RFC 6455 section 7.4.1).
//!
//! ```
//! use hybi_axum::{CloseFrame, Message, close_code};
//!
//! let goodbye = CloseFrame { code: close_code::NORMAL, reason: "goodbye".into() };
//! let message = Message::Close(Some(goodbye));
//! # let _ = message;
//! ```

use hybi::CloseCode;

/// What was to be done is done.
pub const NORMAL: u16 = CloseCode::NORMAL.as_u16();
/// The endpoint goes away: a server ends, a page is left.
pub const AWAY: u16 = CloseCode::GOING_AWAY.as_u16();
/// The peer broke a rule of the protocol.
pub const PROTOCOL: u16 = CloseCode::PROTOCOL_ERROR.as_u16();
/// The peer sent a kind of data that is not taken here, such as bytes where text is meant.
pub const UNSUPPORTED: u16 = CloseCode::UNSUPPORTED_DATA.as_u16();
/// There was no code. It is not sent.
pub const STATUS: u16 = CloseCode::NO_STATUS.as_u16();
/// There was no Close frame. It is not sent.
pub const ABNORMAL: u16 = CloseCode::ABNORMAL.as_u16();
/// A payload is not what its type says: text that is not UTF-8.
pub const INVALID: u16 = CloseCode::INVALID_PAYLOAD.as_u16();
/// The peer did what it may not do here.
pub const POLICY: u16 = CloseCode::POLICY_VIOLATION.as_u16();
/// A message is longer than what is taken here.
pub const SIZE: u16 = CloseCode::MESSAGE_TOO_BIG.as_u16();
/// The server did not agree on an extension that the client needs. Only clients send it.
pub const EXTENSION: u16 = CloseCode::MANDATORY_EXTENSION.as_u16();
/// Something went wrong in the server.
pub const ERROR: u16 = CloseCode::INTERNAL_ERROR.as_u16();
/// The server starts anew: it is worth to come back.
pub const RESTART: u16 = CloseCode::SERVICE_RESTART.as_u16();
/// The server has too much to do: it is worth to come back later.
pub const AGAIN: u16 = CloseCode::TRY_AGAIN_LATER.as_u16();
