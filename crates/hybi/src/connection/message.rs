//! Message and MessageRef: what applications exchange (RFC 6455 section 5.6).

use bytes::Bytes;
use hybi_frame::{CloseFrame, Event, Utf8Bytes};

/// One message, owned.
///
/// Text is checked UTF-8 and binary is any bytes; both are cheap to clone, so that sending one
/// message to many peers copies nothing. Receiving yields only `Text` and `Binary` unless
/// [`Config::show_control_frames`](crate::Config::show_control_frames) says otherwise, and never
/// `Close`, whose content is in [`close_status`](crate::WebSocket::close_status).
///
/// ```
/// use hybi::Message;
///
/// let message = Message::from("hello");
/// assert_eq!(message, Message::text("hello"));
/// assert_eq!(message.as_text(), Some("hello"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete: RFC 6455 section 11.8 defines no other")]
pub enum Message {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
    /// A Ping frame with at most 125 bytes of payload (section 5.5.2). Pings are answered by the
    /// library; sending one is useful only to measure a round trip.
    Ping(Bytes),
    /// A Pong frame with at most 125 bytes of payload (section 5.5.3).
    Pong(Bytes),
    /// A Close frame: sending it starts the closing handshake (section 7.1.2).
    Close(Option<CloseFrame>),
}

impl Message {
    /// A text message.
    ///
    /// ```
    /// use hybi::{Message, Utf8Bytes};
    ///
    /// let literal = Message::text(Utf8Bytes::from_static("not copied"));
    /// let built = Message::text(format!("{} items", 3));
    /// assert_eq!(built.as_text(), Some("3 items"));
    /// # let _ = literal;
    /// ```
    pub fn text(text: impl Into<Utf8Bytes>) -> Self {
        Self::Text(text.into())
    }

    /// A binary message.
    ///
    /// ```
    /// use hybi::{Message, bytes::Bytes};
    ///
    /// let message = Message::binary(Bytes::from_static(b"not copied"));
    /// assert_eq!(message.as_bytes(), b"not copied");
    /// assert_eq!(Message::binary(vec![1, 2, 3]).len(), 3);
    /// ```
    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self::Binary(bytes.into())
    }

    /// The text of a text message.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The payload: the text's bytes, the binary's, the control frame's; empty for `Close`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) | Self::Ping(bytes) | Self::Pong(bytes) => bytes,
            Self::Close(_) => &[],
        }
    }

    /// The payload without a copy; empty for `Close`.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Text(text) => text.into(),
            Self::Binary(bytes) | Self::Ping(bytes) | Self::Pong(bytes) => bytes,
            Self::Close(_) => Bytes::new(),
        }
    }

    /// How many bytes of payload there are; of a text, bytes of UTF-8.
    #[must_use]
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether there is no payload.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether this is a text message.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// Whether this is a binary message.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        matches!(self, Self::Binary(_))
    }

    /// Whether this is a text or binary message and no control frame.
    #[must_use]
    pub fn is_data(&self) -> bool {
        self.is_text() || self.is_binary()
    }
}

/// What a message is that comes or goes as a stream (RFC 6455 section 5.6).
///
/// ```
/// use hybi::{Error, MessageKind, WebSocket, io::{Timer, Transport}};
///
/// /// Whether the next message is text, be it longer than memory.
/// async fn is_text<T: Transport, C: Timer>(ws: &mut WebSocket<T, C>) -> Result<bool, Error> {
///     let reader = ws.recv_reader().await?;
///     Ok(reader.is_some_and(|reader| reader.kind() == MessageKind::Text))
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete: RFC 6455 section 11.8 defines no other")]
pub enum MessageKind {
    /// UTF-8, which is checked on the way.
    Text,
    /// Any bytes.
    Binary,
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<Utf8Bytes> for Message {
    fn from(text: Utf8Bytes) -> Self {
        Self::Text(text)
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::binary(bytes)
    }
}

impl From<&[u8]> for Message {
    fn from(bytes: &[u8]) -> Self {
        Self::Binary(Bytes::copy_from_slice(bytes))
    }
}

/// One message, borrowed from the connection until the next call.
///
/// ```
/// use hybi::{Message, MessageRef};
///
/// let lent = MessageRef::Text("hello");
/// assert_eq!(lent.as_bytes(), b"hello");
/// let kept: Message = lent.to_owned();
/// assert_eq!(kept, Message::text("hello"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete: RFC 6455 section 11.8 defines no other")]
pub enum MessageRef<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
    /// A Ping frame, already answered.
    Ping(&'a [u8]),
    /// A Pong frame.
    Pong(&'a [u8]),
}

impl<'a> MessageRef<'a> {
    /// The payload.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) | Self::Ping(bytes) | Self::Pong(bytes) => bytes,
        }
    }

    /// A message, lent; `None` for a Close frame.
    pub(crate) fn of(message: &'a Message) -> Option<Self> {
        Some(match message {
            Message::Text(text) => Self::Text(text),
            Message::Binary(bytes) => Self::Binary(bytes),
            Message::Ping(bytes) => Self::Ping(bytes),
            Message::Pong(bytes) => Self::Pong(bytes),
            Message::Close(_) => return None,
        })
    }

    /// An owned copy.
    #[must_use]
    pub fn to_owned(&self) -> Message {
        match *self {
            Self::Text(text) => Message::text(text),
            Self::Binary(bytes) => Message::from(bytes),
            Self::Ping(bytes) => Message::Ping(Bytes::copy_from_slice(bytes)),
            Self::Pong(bytes) => Message::Pong(Bytes::copy_from_slice(bytes)),
        }
    }
}

/// A copy if the payload was lent, else the payload itself.
impl From<Event<'_>> for Message {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Text(text.into_owned()),
            Event::Binary(payload) => Self::Binary(payload.into_owned()),
            Event::Ping(payload) => Self::Ping(payload.into_owned()),
            Event::Pong(payload) => Self::Pong(payload.into_owned()),
            Event::Close(frame) => Self::Close(frame),
        }
    }
}
