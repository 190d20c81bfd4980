//! What an assembler hands out: messages and control frames, lent or owned (RFC 6455 §5.5, §5.6).

use core::ops::Deref;

use bytes::Bytes;

use crate::close::CloseFrame;
use crate::utf8::Utf8Bytes;

/// A complete message, or a control frame.
///
/// ```
/// use hybi_frame::Event;
///
/// fn describe(event: &Event<'_>) -> String {
///     match event {
///         Event::Text(text) => format!("text: {}", &**text),
///         Event::Binary(payload) => format!("{} bytes", payload.len()),
///         Event::Ping(_) | Event::Pong(_) => "a sign of life".to_owned(),
///         Event::Close(_) => "the end".to_owned(),
///     }
/// }
/// assert_eq!(describe(&Event::Close(None)), "the end");
/// ```
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "the wire format is frozen with these five")]
pub enum Event<'a> {
    /// A text message.
    Text(TextPayload<'a>),
    /// A binary message.
    Binary(Payload<'a>),
    /// A Ping, to be answered by a Pong with the same payload.
    Ping(Payload<'a>),
    /// A Pong, asked for or not.
    Pong(Payload<'a>),
    /// A Close frame; `None` when it had no code.
    Close(Option<CloseFrame>),
}

impl Event<'_> {
    /// Whether this is a message, text or binary, and no control frame.
    #[inline]
    #[must_use]
    pub const fn is_data(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Binary(_))
    }

    /// The same to keep: a copy where the payload was lent.
    #[must_use]
    pub fn into_owned(self) -> Event<'static> {
        match self {
            Self::Text(text) => Event::Text(TextPayload::Owned(text.into_owned())),
            Self::Binary(payload) => Event::Binary(Payload::Owned(payload.into_owned())),
            Self::Ping(payload) => Event::Ping(Payload::Owned(payload.into_owned())),
            Self::Pong(payload) => Event::Pong(Payload::Owned(payload.into_owned())),
            Self::Close(frame) => Event::Close(frame),
        }
    }
}

/// Bytes, lent or owned.
///
/// ```
/// # use hybi_frame::Payload;
/// fn keep(payload: Payload<'_>) -> bytes::Bytes {
///     payload.into_owned()
/// }
/// # assert_eq!(keep(Payload::Borrowed(b"ab")), "ab");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "lent or owned, there is no third")]
pub enum Payload<'a> {
    /// It lay whole in the chunk, and still does: nothing was copied.
    Borrowed(&'a [u8]),
    /// It came in pieces and was put together in a buffer of its own.
    Owned(Bytes),
}

impl Payload<'_> {
    /// The bytes to keep: a copy when they were lent, else the buffer itself.
    #[must_use]
    pub fn into_owned(self) -> Bytes {
        match self {
            Self::Borrowed(bytes) => Bytes::copy_from_slice(bytes),
            Self::Owned(bytes) => bytes,
        }
    }
}

impl Deref for Payload<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Owned(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for Payload<'_> {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self
    }
}

/// Text, lent or owned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "lent or owned, there is no third")]
pub enum TextPayload<'a> {
    /// It lay whole in the chunk, and still does: nothing was copied.
    Borrowed(&'a str),
    /// It came in pieces, or invalid parts of it were replaced.
    Owned(Utf8Bytes),
}

impl TextPayload<'_> {
    /// The text to keep: a copy when it was lent, else the buffer itself.
    #[must_use]
    pub fn into_owned(self) -> Utf8Bytes {
        match self {
            Self::Borrowed(text) => text.into(),
            Self::Owned(text) => text,
        }
    }
}

impl Deref for TextPayload<'_> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
        }
    }
}

impl AsRef<str> for TextPayload<'_> {
    #[inline]
    fn as_ref(&self) -> &str {
        self
    }
}
