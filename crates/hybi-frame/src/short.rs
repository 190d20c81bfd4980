//! Short messages: one frame of at most 125 bytes without reserved bits, whole in the chunk
//! (RFC 6455 §5.2).
//!
//! Most messages on most connections are such, and a few comparisons tell. Whatever is not, or
//! breaks a rule, goes the long way through decoder and assembler, which finds the same messages.

use crate::header::FrameHeader;
use crate::limits::Limits;
use crate::mask::MaskingKey;
use crate::opcode::{Opcode, Rsv};
use crate::role::Role;

/// What tells a short message of one sender by the first two bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShortMessages {
    /// The bit above the length: set in each frame of a client, clear in each of a server.
    mask_bit: u8,
    /// The longest payload that the second byte has room for and the limit of frames allows.
    max_len: u8,
}

/// A short message at the front of a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShortMessage {
    pub(crate) kind: Kind,
    pub(crate) key: Option<MaskingKey>,
    /// Where its payload begins in the chunk, which is the length of the header.
    pub(crate) start: usize,
    /// Where it ends.
    pub(crate) end: usize,
}

impl ShortMessage {
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

/// What a message is, as its first frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Binary,
}

impl ShortMessages {
    /// Those that a peer of an endpoint in `role` sends.
    pub(crate) const fn to(role: Role, limits: Limits) -> Self {
        let mask_bit = match role {
            Role::Client => 0,
            Role::Server => MASK_BIT,
        };
        let limit = limits.max_frame();
        Self { mask_bit, max_len: if limit < MAX_LEN as u64 { limit as u8 } else { MAX_LEN } }
    }

    /// The one that begins `chunk`, which begins with a frame.
    #[inline(always)]
    pub(crate) fn find(self, chunk: &[u8]) -> Option<ShortMessage> {
        let &[first, second, ref rest @ ..] = chunk else { return None };
        let kind = match first {
            FIN_TEXT => Kind::Text,
            FIN_BINARY => Kind::Binary,
            _ => return None,
        };
        // A wrong mask bit makes it larger than any.
        let len = second.wrapping_sub(self.mask_bit);
        if len > self.max_len {
            return None;
        }
        let (key, start) = if self.mask_bit == 0 {
            (None, 2)
        } else {
            (Some(MaskingKey::from_bytes(*rest.first_chunk()?)), 6)
        };
        let end = start + usize::from(len);
        (end <= chunk.len()).then_some(ShortMessage { kind, key, start, end })
    }
}

/// The longest payload whose length is in the second byte itself.
const MAX_LEN: u8 = 125;
const MASK_BIT: u8 = 0x80;
const FIN_TEXT: u8 = 0x81;
const FIN_BINARY: u8 = 0x82;
