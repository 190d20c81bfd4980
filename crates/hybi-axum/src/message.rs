//! Message and CloseFrame as programs for axum write them (RFC 6455 sections 5.5 and 5.6).

use axum::{Error, body::Bytes};
use hybi::Utf8Bytes;

/// A code of a Close frame; [`close_code`](crate::close_code) has their names.
pub type CloseCode = u16;

/// What a Close frame says.
///
/// ```
/// use hybi_axum::{CloseFrame, Utf8Bytes, close_code};
///
/// let frame = CloseFrame { code: close_code::AWAY, reason: Utf8Bytes::from_static("restarting") };
/// assert_eq!(frame.code, 1001);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "programs for axum write it out")]
pub struct CloseFrame {
    /// Why (section 7.4).
    pub code: CloseCode,
    /// The same in words, of 123 bytes at the most.
    pub reason: Utf8Bytes,
}

/// One message, or a control frame.
///
/// Pings are shown and have been answered, as the peer's Close frame; there is nothing to do about either.
///
/// ```
/// use hybi_axum::Message;
///
/// let message = Message::text("hello");
/// assert_eq!(message, Message::from("hello"));
/// assert_eq!(message.to_text().unwrap(), "hello");
/// assert_eq!(message.into_data(), "hello");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete: RFC 6455 section 11.8 defines no other")]
pub enum Message {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
    /// A Ping frame with at most 125 bytes of payload.
    Ping(Bytes),
    /// A Pong frame with at most 125 bytes of payload.
    Pong(Bytes),
    /// A Close frame. One that is sent begins the end; go on receiving to finish it.
    Close(Option<CloseFrame>),
}

impl Message {
    /// A text message.
    pub fn text<S: Into<Utf8Bytes>>(text: S) -> Self {
        Self::Text(text.into())
    }

    /// A binary message.
    pub fn binary<B: Into<Bytes>>(bytes: B) -> Self {
        Self::Binary(bytes.into())
    }

    /// The payload without a copy; of a Close frame, its reason.
    #[must_use]
    pub fn into_data(self) -> Bytes {
        match self {
            Self::Text(text) => text.into(),
            Self::Binary(bytes) | Self::Ping(bytes) | Self::Pong(bytes) => bytes,
            Self::Close(frame) => frame.map(|frame| frame.reason.into()).unwrap_or_default(),
        }
    }

    /// The payload as text without a copy; of a Close frame, its reason.
    ///
    /// # Errors
    ///
    /// When it is not UTF-8.
    pub fn into_text(self) -> Result<Utf8Bytes, Error> {
        match self {
            Self::Text(text) => Ok(text),
            other => Utf8Bytes::try_from(other.into_data()).map_err(Error::new),
        }
    }

    /// The payload as text; of a Close frame, its reason.
    ///
    /// # Errors
    ///
    /// When it is not UTF-8.
    pub fn to_text(&self) -> Result<&str, Error> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Binary(bytes) | Self::Ping(bytes) | Self::Pong(bytes) => {
                core::str::from_utf8(bytes).map_err(Error::new)
            }
            Self::Close(frame) => Ok(frame.as_ref().map_or("", |frame| frame.reason.as_str())),
        }
    }

    /// As the layers below have it.
    pub(crate) fn into_hybi(self) -> Result<hybi::Message, Error> {
        Ok(match self {
            Self::Text(text) => hybi::Message::Text(text),
            Self::Binary(bytes) => hybi::Message::Binary(bytes),
            Self::Ping(bytes) => hybi::Message::Ping(bytes),
            Self::Pong(bytes) => hybi::Message::Pong(bytes),
            Self::Close(None) => hybi::Message::Close(None),
            Self::Close(Some(frame)) => {
                let code = hybi::CloseCode::from_u16(frame.code);
                let frame = hybi::CloseFrame::new(code, frame.reason).map_err(Error::new)?;
                hybi::Message::Close(Some(frame))
            }
        })
    }
}

impl From<hybi::Message> for Message {
    fn from(message: hybi::Message) -> Self {
        match message {
            hybi::Message::Text(text) => Self::Text(text),
            hybi::Message::Binary(bytes) => Self::Binary(bytes),
            hybi::Message::Ping(bytes) => Self::Ping(bytes),
            hybi::Message::Pong(bytes) => Self::Pong(bytes),
            hybi::Message::Close(frame) => Self::Close(frame.map(|frame| CloseFrame {
                code: frame.code().as_u16(),
                reason: frame.reason().clone(),
            })),
        }
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<&[u8]> for Message {
    fn from(bytes: &[u8]) -> Self {
        Self::Binary(Bytes::copy_from_slice(bytes))
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<Message> for Vec<u8> {
    fn from(message: Message) -> Self {
        message.into_data().into()
    }
}
