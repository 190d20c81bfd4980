//! What a receiver told, in a form that can be kept and compared.

use hybi_frame::{CloseFrame, Event, MessageAssembler, Opcode};

/// One thing that an application would be told.
///
/// ```
/// use hybi_frame::Event;
/// use hybi_suite::told::Told;
///
/// assert_eq!(Told::from(Event::Close(None)), Told::close(None));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there are no more kinds of messages and control frames"
)]
pub enum Told {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A Ping frame.
    Ping(Vec<u8>),
    /// A Pong frame.
    Pong(Vec<u8>),
    /// A Close frame: what it says, and its payload.
    Close(Option<CloseFrame>, Vec<u8>),
}

impl Told {
    /// A Close frame with the payload that says this.
    #[must_use]
    pub fn close(close: Option<CloseFrame>) -> Self {
        let mut payload = Vec::new();
        close.iter().for_each(|close| close.encode(&mut payload));
        Self::Close(close, payload)
    }

    /// With the payload as it came, if it is a Close frame: drafts have some that say nothing.
    #[must_use]
    pub fn with_payload_of(self, assembler: &MessageAssembler) -> Self {
        match self {
            Self::Close(close, _) => Self::Close(close, assembler.close_payload().to_vec()),
            told => told,
        }
    }

    /// Whether nothing that comes after it counts.
    #[must_use]
    pub const fn is_close(&self) -> bool {
        matches!(self, Self::Close(..))
    }

    /// The opcode of the frame that it was, or of the first of several.
    #[must_use]
    pub const fn opcode(&self) -> Opcode {
        match self {
            Self::Text(_) => Opcode::Text,
            Self::Binary(_) => Opcode::Binary,
            Self::Ping(_) => Opcode::Ping,
            Self::Pong(_) => Opcode::Pong,
            Self::Close(..) => Opcode::Close,
        }
    }

    /// Its payload, decoded and put together.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(payload)
            | Self::Ping(payload)
            | Self::Pong(payload)
            | Self::Close(_, payload) => payload,
        }
    }
}

impl From<Event<'_>> for Told {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Text(text.to_string()),
            Event::Binary(payload) => Self::Binary(payload.to_vec()),
            Event::Ping(payload) => Self::Ping(payload.to_vec()),
            Event::Pong(payload) => Self::Pong(payload.to_vec()),
            Event::Close(close) => Self::close(close),
        }
    }
}
