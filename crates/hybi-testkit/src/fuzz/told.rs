//! What a receiver told, in a form that can be compared.

use hybi_frame::{CloseFrame, Event, MessageAssembler};

/// One thing that an application would be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// With the payload as it came.
    Close(Option<CloseFrame>, Vec<u8>),
}

impl Told {
    /// An event; the payload of a Close frame has to be [asked for](Self::with_payload_of).
    pub(super) fn from_event(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Text(text.to_string()),
            Event::Binary(payload) => Self::Binary(payload.to_vec()),
            Event::Ping(payload) => Self::Ping(payload.to_vec()),
            Event::Pong(payload) => Self::Pong(payload.to_vec()),
            Event::Close(close) => Self::Close(close, Vec::new()),
        }
    }

    pub(super) fn with_payload_of(self, assembler: &MessageAssembler) -> Self {
        match self {
            Self::Close(close, _) => Self::Close(close, assembler.close_payload().to_vec()),
            told => told,
        }
    }

    pub(super) const fn is_close(&self) -> bool {
        matches!(self, Self::Close(..))
    }
}
