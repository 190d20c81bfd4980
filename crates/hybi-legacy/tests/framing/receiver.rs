//! A receiver made of codec and assembler, and what it saw, in a form that can be compared.

use hybi_frame::{
    CloseFrame, Event, FrameError, FrameHeader, Limits, MaskingKey, MessageAssembler, Opcode, Rsv,
};
use hybi_legacy::{FrameCodec, Role, Terms, Version};

/// The fields of the handshake that all records of hybi-04 share.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const NONCE: &str = "H+cNj5elaybfGIQv1esl2w==";

/// Every version before hybi-07.
pub(crate) const VERSIONS: [Version; 8] = [
    Version::HIXIE_75,
    Version::HIXIE_76,
    Version::HYBI_01,
    Version::HYBI_02,
    Version::HYBI_03,
    Version::HYBI_04,
    Version::HYBI_05,
    Version::HYBI_06,
];

pub(crate) fn terms(version: Version) -> Terms {
    Terms::new(version).unwrap_or_else(|| Terms::hybi_04(KEY, NONCE))
}

/// One thing that an application would be told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// With the payload as it came.
    Close(Option<CloseFrame>, Vec<u8>),
}

impl Told {
    pub(crate) fn opcode(&self) -> Opcode {
        match self {
            Self::Text(_) => Opcode::Text,
            Self::Binary(_) => Opcode::Binary,
            Self::Ping(_) => Opcode::Ping,
            Self::Pong(_) => Opcode::Pong,
            Self::Close(..) => Opcode::Close,
        }
    }

    pub(crate) fn payload(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(payload)
            | Self::Ping(payload)
            | Self::Pong(payload)
            | Self::Close(_, payload) => payload,
        }
    }
}

/// What became of a stream: events, and the rule broken.
pub(crate) type Outcome = (Vec<Told>, Result<(), FrameError>);

/// Codec and assembler of one endpoint.
pub(crate) struct Receiver {
    pub(crate) codec: FrameCodec,
    pub(crate) assembler: MessageAssembler,
    pub(crate) events: Vec<Told>,
}

impl Receiver {
    pub(crate) fn new(terms: &Terms, role: Role, limits: Limits) -> Self {
        let codec = FrameCodec::new(terms, role, limits);
        let assembler = MessageAssembler::new(codec.rules(), limits);
        Self { codec, assembler, events: Vec::new() }
    }

    /// Receives one chunk, to its last byte unless a rule is broken or the peer closes.
    pub(crate) fn chunk(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        let mut chunk = bytes.to_vec();
        let mut at = 0;
        while !matches!(self.events.last(), Some(Told::Close(..))) {
            let (taken, part) = self.codec.decode(&mut chunk[at..])?;
            at += taken;
            let Some(part) = part else {
                assert_eq!(at, chunk.len(), "all bytes are taken");
                return Ok(());
            };
            let event = match self.assembler.push(part)? {
                Some(Event::Text(text)) => Told::Text(text.to_string()),
                Some(Event::Binary(payload)) => Told::Binary(payload.to_vec()),
                Some(Event::Ping(payload)) => Told::Ping(payload.to_vec()),
                Some(Event::Pong(payload)) => Told::Pong(payload.to_vec()),
                Some(Event::Close(close)) => {
                    Told::Close(close, self.assembler.close_payload().to_vec())
                }
                None => continue,
            };
            self.events.push(event);
        }
        Ok(())
    }
}

/// What a receiver makes of a stream that arrives in these chunks.
pub(crate) fn receive<'a>(
    terms: &Terms,
    role: Role,
    limits: Limits,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Outcome {
    let mut receiver = Receiver::new(terms, role, limits);
    let result = chunks.into_iter().try_for_each(|chunk| receiver.chunk(chunk));
    (receiver.events, result)
}

/// The header of a whole frame.
pub(crate) fn header(opcode: Opcode, key: Option<[u8; 4]>, payload: &[u8]) -> FrameHeader {
    FrameHeader {
        fin: true,
        rsv: Rsv::NONE,
        opcode,
        masking_key: key.map(MaskingKey::from_bytes),
        payload_len: payload.len() as u64,
    }
}
