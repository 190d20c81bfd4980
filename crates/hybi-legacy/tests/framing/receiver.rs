//! A receiver made of codec and assembler, and what it saw, in a form that can be compared.

use hybi_frame::{FrameError, FrameHeader, Limits, MaskingKey, MessageAssembler, Opcode, Rsv};
use hybi_legacy::{FrameCodec, Role, Terms, Version};
pub(crate) use hybi_suite::told::Told;

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
        while !self.events.last().is_some_and(Told::is_close) {
            let (taken, part) = self.codec.decode(&mut chunk[at..])?;
            at += taken;
            let Some(part) = part else {
                assert_eq!(at, chunk.len(), "all bytes are taken");
                return Ok(());
            };
            let event = self.assembler.push(part)?.map(Told::from);
            self.events.extend(event.map(|told| told.with_payload_of(&self.assembler)));
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
