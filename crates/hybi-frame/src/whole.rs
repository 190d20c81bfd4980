//! Whole messages: one frame with FIN and without reserved bits, all of it in the chunk
//! (RFC 6455 §5.2, §5.4).
//!
//! Nearly all messages are such, and a few comparisons tell. Whatever is not, or breaks a rule, goes
//! the long way through decoder and assembler, which finds the same messages.

use crate::header::FrameHeader;
use crate::limits::Limits;
use crate::mask::MaskingKey;
use crate::opcode::{Opcode, Rsv};

/// What tells a whole message of one sender.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WholeMessages {
    /// The bit above the length: set in each frame that is masked, clear in any other.
    mask_bit: u8,
    /// The largest payload.
    max_frame: u64,
}

/// A whole message at the front of a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WholeMessage {
    pub(crate) kind: Kind,
    pub(crate) key: Option<MaskingKey>,
    /// Where its payload begins in the chunk, which is the length of the header.
    pub(crate) start: usize,
    /// Where it ends.
    pub(crate) end: usize,
}

/// What a message is, as its first frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Binary,
}

impl WholeMessage {
    /// The header of its frame.
    #[inline(always)]
    pub(crate) const fn header(self) -> FrameHeader {
        let opcode = match self.kind {
            Kind::Text => Opcode::Text,
            Kind::Binary => Opcode::Binary,
        };
        let payload_len = (self.end - self.start) as u64;
        FrameHeader { fin: true, rsv: Rsv::NONE, opcode, masking_key: self.key, payload_len }
    }
}

impl WholeMessages {
    /// Those of a sender who masks all frames, or none.
    pub(crate) const fn of(masks: bool, limits: Limits) -> Self {
        let mask_bit = if masks { MASK_BIT } else { 0 };
        Self { mask_bit, max_frame: limits.max_frame() }
    }

    /// The largest payload of a data frame, in one piece or in several.
    pub(crate) const fn max_frame(self) -> u64 {
        self.max_frame
    }

    pub(crate) const fn set_max_frame(&mut self, bytes: u64) {
        self.max_frame = bytes;
    }

    /// The one that begins `chunk`, which begins with a frame.
    #[inline(always)]
    pub(crate) fn find(self, chunk: &[u8]) -> Option<WholeMessage> {
        let &[first, second, ref rest @ ..] = chunk else { return None };
        let kind = match first {
            FIN_TEXT => Kind::Text,
            FIN_BINARY => Kind::Binary,
            _ => return None,
        };
        // A wrong mask bit makes it larger than any. So do lengths that are not in the shortest
        // form: whether that is lawful is for others to judge.
        let (len, at) = match second.wrapping_sub(self.mask_bit) {
            len @ 0..=125 => (u64::from(len), 2),
            126 => match u64::from(u16::from_be_bytes(*rest.first_chunk()?)) {
                len @ 126.. => (len, 4),
                _ => return None,
            },
            127 => match u64::from_be_bytes(*rest.first_chunk()?) {
                len @ 0x1_0000..=MAX_LEN => (len, 10),
                _ => return None,
            },
            _ => return None,
        };
        // The key has four bytes where there is one.
        let start = at + usize::from(self.mask_bit / (MASK_BIT / 4));
        let end = start as u64 + len;
        if len > self.max_frame || end > chunk.len() as u64 {
            return None;
        }
        let key = if self.mask_bit == 0 {
            None
        } else {
            Some(MaskingKey::from_bytes(*chunk.get(at..)?.first_chunk()?))
        };
        Some(WholeMessage { kind, key, start, end: end as usize })
    }
}

/// The largest length, of which the top bit is clear.
const MAX_LEN: u64 = u64::MAX / 2;
const MASK_BIT: u8 = 0x80;
const FIN_TEXT: u8 = 0x81;
const FIN_BINARY: u8 = 0x82;
