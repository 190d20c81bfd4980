//! A receiver made of decoder and assembler, and what it saw, in a form that can be compared.
#![allow(dead_code, reason = "not every test file needs all of it")]

use hybi_frame::{FrameDecoder, FrameError, FrameRules, Limits, MessageAssembler, Role};
pub(crate) use hybi_suite::told::Told;

/// Decoder and assembler of one endpoint.
pub(crate) struct Receiver {
    pub(crate) decoder: FrameDecoder,
    pub(crate) assembler: MessageAssembler,
    pub(crate) events: Vec<Told>,
}

impl Receiver {
    pub(crate) fn new(role: Role, rules: FrameRules, limits: Limits) -> Self {
        Self {
            decoder: FrameDecoder::new(role, rules, limits),
            assembler: MessageAssembler::new(rules, limits),
            events: Vec::new(),
        }
    }

    /// Receives one chunk, to its last byte unless a rule is broken.
    pub(crate) fn chunk(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        let mut chunk = bytes.to_vec();
        let mut at = 0;
        loop {
            let (taken, part) = self.decoder.decode(&mut chunk[at..])?;
            at += taken;
            let Some(part) = part else {
                assert_eq!(at, chunk.len(), "all bytes are taken");
                return Ok(());
            };
            self.events.extend(self.assembler.push(part)?.map(Told::from));
        }
    }
}

/// What a receiver with `limits` makes of a stream that arrives in these chunks.
pub(crate) fn receive_within<'a>(
    limits: Limits,
    role: Role,
    rules: FrameRules,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Told>, Result<(), FrameError>) {
    let mut receiver = Receiver::new(role, rules, limits);
    let result = chunks.into_iter().try_for_each(|chunk| receiver.chunk(chunk));
    (receiver.events, result)
}

/// The same with the default limits.
pub(crate) fn receive<'a>(
    role: Role,
    rules: FrameRules,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Told>, Result<(), FrameError>) {
    receive_within(Limits::default(), role, rules, chunks)
}
