//! The framing of hixie-75 and 76: text between the bytes 00 and FF, everything else to be skipped.
//!
//! ```text
//! 00 text FF            a message
//! 01..7F anything FF    skipped
//! 80..FF length bytes   skipped; the length in groups of seven bits, all but the last with the high bit
//! FF 00                 of these the one that closes, in hixie-76
//! ```
//!
//! RFC 6455 §5 has nothing of it: a frame of text is as long as it turns out to be. So the limits of
//! frames and messages are kept here, byte by byte.

use hybi_frame::{
    DraftViolation, FrameError, FrameHeader, FramePart, FrameRules, Limits, Opcode, Rsv, Violation,
};
use memchr::memchr;

use super::mask::extend_plain;

/// Text frames, in both directions.
#[derive(Clone, Debug)]
pub(super) struct HixieCodec {
    state: State,
    /// Stream bytes consumed.
    offset: u64,
    /// Where the frame in progress begins.
    frame_offset: u64,
    /// FF 00 closes.
    closes: bool,
    rules: FrameRules,
    limits: Limits,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Between two frames.
    Boundary,
    /// Inside a message, of which `received` bytes were lent.
    Text { received: u64 },
    /// Inside a frame that is skipped up to its FF.
    SkipDelimited { received: u64 },
    /// Inside the length of a frame, after `octets` bytes of it.
    Length { value: u64, octets: u8, may_close: bool },
    /// Inside a frame of which `remaining` bytes (not 0) are to be skipped.
    SkipCounted { remaining: u64 },
    /// A rule was broken; every call says so again.
    Failed(FrameError),
}

impl HixieCodec {
    pub(super) const fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    pub(super) const fn new(closes: bool, rules: FrameRules, limits: Limits) -> Self {
        Self { state: State::Boundary, offset: 0, frame_offset: 0, closes, rules, limits }
    }

    pub(super) const fn at_frame_boundary(&self) -> bool {
        matches!(self.state, State::Boundary)
    }

    /// Whether `chunk` goes on with, or begins with, what of FF 00 is there.
    ///
    /// The length may be written with zeros in front, as FF 80 00. With any other length it is a frame to be
    /// skipped, which decoding would leave behind for a text that follows.
    pub(super) fn next_is_control(&self, chunk: &[u8]) -> Option<bool> {
        let length = match (self.state, chunk) {
            (State::Boundary, [0xff, length @ ..]) => length,
            (State::Length { value: 0, may_close: true, .. }, length) => length,
            (State::Boundary, []) => return None,
            _ => return Some(false),
        };
        match length.iter().find(|&&byte| byte != 0x80) {
            None if self.closes => None,
            last => Some(self.closes && last == Some(&0)),
        }
    }

    pub(super) fn decode<'a>(
        &mut self,
        chunk: &'a mut [u8],
    ) -> Result<(usize, Option<FramePart<'a>>), FrameError> {
        let mut at = 0;
        // Frames that are skipped make no parts, so that a chunk may hold any number before one that does.
        while at < chunk.len() {
            let (taken, found) = self.step(&chunk[at..]).inspect_err(|error| {
                self.state = State::Failed(*error);
            })?;
            let offset = self.offset;
            self.offset += taken as u64;
            let begin = at;
            at += taken;
            if let Some(found) = found {
                let payload = &mut chunk[begin..begin + found.len];
                let mut part =
                    FramePart::new(found.header(), payload, offset, self.frame_offset, None);
                (part.start, part.end) = (found.start, found.end);
                return Ok((at, Some(part)));
            }
        }
        match self.state {
            State::Failed(error) => Err(error),
            _ => Ok((at, None)),
        }
    }

    /// Takes bytes from the front of `bytes`, which are not empty: as far as the state stays the same.
    fn step(&mut self, bytes: &[u8]) -> Result<(usize, Option<Found>), FrameError> {
        match self.state {
            State::Boundary => {
                self.frame_offset = self.offset;
                self.state = match bytes[0] {
                    0 => State::Text { received: 0 },
                    1..0x80 => State::SkipDelimited { received: 0 },
                    kind => State::Length { value: 0, octets: 0, may_close: kind == 0xff },
                };
                Ok((1, None))
            }
            State::Text { received } => self.text(bytes, received),
            State::SkipDelimited { received } => self.skip_delimited(bytes, received),
            State::Length { value, octets, may_close } => {
                let found = self.length(bytes[0], value, octets, may_close)?;
                Ok((1, found))
            }
            State::SkipCounted { remaining } => {
                let taken =
                    usize::try_from(remaining).map_or(bytes.len(), |len| len.min(bytes.len()));
                let remaining = remaining - taken as u64;
                self.state =
                    if remaining == 0 { State::Boundary } else { State::SkipCounted { remaining } };
                Ok((taken, None))
            }
            State::Failed(error) => Err(error),
        }
    }

    fn text(&mut self, bytes: &[u8], before: u64) -> Result<(usize, Option<Found>), FrameError> {
        let end = memchr(DELIMITER, bytes);
        let len = end.unwrap_or(bytes.len());
        let received = before + len as u64;
        if received > self.max_text() {
            return Err(self.text_too_long());
        }
        self.state = if end.is_some() { State::Boundary } else { State::Text { received } };
        let found =
            Found { opcode: Opcode::Text, len, received, start: before == 0, end: end.is_some() };
        Ok((len + usize::from(found.end), Some(found)))
    }

    fn skip_delimited(
        &mut self,
        bytes: &[u8],
        before: u64,
    ) -> Result<(usize, Option<Found>), FrameError> {
        let end = memchr(DELIMITER, bytes);
        let len = end.unwrap_or(bytes.len());
        let received = before + len as u64;
        let limit = self.limits.max_frame();
        if received > limit {
            return Err(self.frame_too_large(limit.saturating_add(1)));
        }
        self.state =
            if end.is_some() { State::Boundary } else { State::SkipDelimited { received } };
        Ok((len + usize::from(end.is_some()), None))
    }

    /// Takes one byte of a length.
    fn length(
        &mut self,
        byte: u8,
        value: u64,
        octets: u8,
        may_close: bool,
    ) -> Result<Option<Found>, FrameError> {
        let value = value << 7 | u64::from(byte & 0x7f);
        let octets = octets + 1;
        if byte & 0x80 != 0 {
            if octets == MAX_LENGTH_OCTETS {
                let violation = Violation::Draft(ENDLESS_LENGTH);
                return Err(FrameError::new(violation, self.offset, self.rules));
            }
            self.state = State::Length { value, octets, may_close };
            return Ok(None);
        }
        if value > self.limits.max_frame() {
            return Err(self.frame_too_large(value));
        }
        if value > 0 {
            self.state = State::SkipCounted { remaining: value };
            return Ok(None);
        }
        self.state = State::Boundary;
        let close = Found { opcode: Opcode::Close, len: 0, received: 0, start: true, end: true };
        Ok((may_close && self.closes).then_some(close))
    }

    /// The most bytes of a text, which is both a frame and a message.
    fn max_text(&self) -> u64 {
        self.limits.max_frame().min(self.limits.max_message() as u64)
    }

    /// What is wrong with a text of more than [`max_text`](Self::max_text) bytes. Its size is not known and
    /// may never be, and what has come of it depends on the chunks.
    #[cold]
    fn text_too_long(&self) -> FrameError {
        let size = self.max_text().saturating_add(1);
        let limit = self.limits.max_message();
        if limit as u64 > self.limits.max_frame() {
            return self.frame_too_large(size);
        }
        let violation = Violation::MessageTooLarge { size, limit };
        FrameError::new(violation, self.frame_offset, self.rules)
    }

    #[cold]
    fn frame_too_large(&self, size: u64) -> FrameError {
        let violation = Violation::FrameTooLarge { size, limit: self.limits.max_frame() };
        FrameError::new(violation, self.frame_offset, self.rules)
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>, header: &FrameHeader, payload: &[u8]) {
        // Nothing stands around what the framing does not have, and nothing is sent of it.
        if header.opcode == Opcode::Text {
            out.reserve(payload.len() + 2);
            out.push(0);
            extend_plain(out, payload);
            out.push(DELIMITER);
        } else {
            self.encode_around(out, header);
        }
    }

    pub(super) fn encode_around(&self, out: &mut Vec<u8>, header: &FrameHeader) -> &'static [u8] {
        match header.opcode {
            Opcode::Text => {
                out.push(0);
                &[DELIMITER]
            }
            Opcode::Close if self.closes => {
                out.extend_from_slice(&[0xff, 0]);
                &[]
            }
            _ => &[],
        }
    }
}

/// What lies at the front of some bytes.
struct Found {
    opcode: Opcode,
    len: usize,
    /// Bytes of the frame up to here.
    received: u64,
    start: bool,
    end: bool,
}

impl Found {
    const fn header(&self) -> FrameHeader {
        FrameHeader {
            fin: self.end,
            rsv: Rsv::NONE,
            opcode: self.opcode,
            masking_key: None,
            payload_len: self.received,
        }
    }
}

/// Ends a text; UTF-8 has no such byte.
const DELIMITER: u8 = 0xff;

/// The most bytes of a length, leading zeros included: nine groups of seven bits are a length below 2^63, as
/// in later versions, and a peer that sends length bytes without end is not listened to for ever.
const MAX_LENGTH_OCTETS: u8 = 9;

const ENDLESS_LENGTH: &DraftViolation = &DraftViolation {
    rule: "length of a frame to be skipped has more than nine bytes",
    document: "drafts hixie-75 and hixie-76",
};
