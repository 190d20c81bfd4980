//! The frame header: 2 to 14 bytes, both directions (RFC 6455 §5.2).

use alloc::vec::Vec;

use crate::error::{FrameError, Violation};
use crate::mask::MaskingKey;
use crate::opcode::{Opcode, Rsv};
use crate::rules::FrameRules;

/// The header of one frame.
///
/// [RFC 6455 §5.2](https://www.rfc-editor.org/rfc/rfc6455#section-5.2)
///
/// ```
/// use hybi_frame::{FrameHeader, Opcode, Rsv};
///
/// let header = FrameHeader {
///     fin: true,
///     rsv: Rsv::NONE,
///     opcode: Opcode::Binary,
///     masking_key: None,
///     payload_len: 256,
/// };
/// let mut out = Vec::new();
/// header.encode(&mut out);
/// assert_eq!(out, [0x82, 0x7e, 0x01, 0x00]);
/// assert_eq!(FrameHeader::parse(&out)?, Some((header, 4)));
/// # Ok::<(), hybi_frame::FrameError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the header has these fields on the wire")]
pub struct FrameHeader {
    /// Whether this frame is the last of its message.
    pub fin: bool,
    /// The reserved bits, each for an extension.
    pub rsv: Rsv,
    /// What the frame is.
    pub opcode: Opcode,
    /// The key that the payload is masked with; `None` in frames of a server.
    pub masking_key: Option<MaskingKey>,
    /// Bytes of payload, less than 2^63.
    pub payload_len: u64,
}

impl FrameHeader {
    /// The longest header in bytes.
    pub const MAX_LEN: usize = 14;

    /// Reads one frame header from the front of `input`, under the rules of RFC 6455 that hold in
    /// both directions: reserved bits and masking are for the caller to judge.
    ///
    /// Returns the header and the number of bytes it took (2 to 14), or `None` when `input` ends
    /// inside the header; call again with the same bytes and more.
    ///
    /// # Errors
    ///
    /// [`Violation::ReservedOpcode`], [`Violation::FragmentedControl`],
    /// [`Violation::ControlTooLong`], [`Violation::LengthNotMinimal`] and
    /// [`Violation::LengthTopBit`], each as soon as the byte that breaks the rule is there; all
    /// fail the connection with close code 1002. The offset is counted from the front of `input`.
    pub fn parse(input: &[u8]) -> Result<Option<(Self, usize)>, FrameError> {
        HeaderRules::ANY.parse(input, u64::MAX).map_err(|broken| broken.at(0, FrameRules::RFC6455))
    }

    /// The bytes that [`encode`](Self::encode) appends: 2 to 14.
    #[inline]
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        let length = match self.payload_len {
            0..=125 => 2,
            126..=0xffff => 4,
            _ => 10,
        };
        length + if self.masking_key.is_some() { 4 } else { 0 }
    }

    /// Appends the header to `out`, its length in the shortest form.
    ///
    /// For payloads that travel untouched, such as one part of a vectored write. A masked payload
    /// is the caller's to mask; [`encode_frame`](crate::encode_frame) does both.
    #[inline(always)]
    pub fn encode(&self, out: &mut Vec<u8>) {
        encode_header(out, self.first_byte(), self.payload_len, self.masking_key);
    }

    /// FIN, the reserved bits and the opcode.
    #[inline(always)]
    pub(crate) const fn first_byte(&self) -> u8 {
        (self.fin as u8) << 7 | self.rsv.bits() | self.opcode.bits()
    }
}

/// Appends a header, its length in the shortest form.
#[inline(always)]
pub(crate) fn encode_header(
    out: &mut Vec<u8>,
    first: u8,
    payload_len: u64,
    key: Option<MaskingKey>,
) {
    let (mask_bit, key_word, key_len) = mask_fields(key);
    // A header of up to eight bytes is put together in a register and appended as one word,
    // of which the surplus is cut off again.
    let (word, len) = match payload_len {
        len @ 0..=125 => (short_header(first, len, key), 2 + key_len),
        len @ 126..=0xffff => {
            let len = u64::from((len as u16).swap_bytes());
            let front = u64::from(first) | u64::from(126 | mask_bit) << 8;
            (front | len << 16 | key_word << 32, 4 + key_len)
        }
        len => {
            out.extend_from_slice(&[first, 127 | mask_bit]);
            out.extend_from_slice(&len.to_be_bytes());
            (key_word, key_len)
        }
    };
    let end = out.len() + len;
    out.extend_from_slice(&word.to_le_bytes());
    out.truncate(end);
}

/// The header of a payload of at most 125 bytes, as a word whose lowest byte is the first.
#[inline(always)]
pub(crate) fn short_header(first: u8, payload_len: u64, key: Option<MaskingKey>) -> u64 {
    let (mask_bit, key, _) = mask_fields(key);
    u64::from(first) | (payload_len | u64::from(mask_bit)) << 8 | key << 16
}

/// The mask bit, and the key with its length.
#[inline(always)]
fn mask_fields(key: Option<MaskingKey>) -> (u8, u64, usize) {
    match key {
        Some(key) => (MASK_BIT, u64::from(u32::from_le_bytes(key.to_bytes())), 4),
        None => (0, 0, 0),
    }
}

/// What a receiver asks of a header, but for the limit on its payload, which stands beside them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeaderRules {
    pub(crate) lawful: LawfulRsv,
    pub(crate) mask: Mask,
    pub(crate) minimal_lengths: bool,
}

/// Whether frames have to be masked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mask {
    Required,
    Forbidden,
    /// For others to judge.
    Either,
}

/// The reserved bits that may be set, by the kind of frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LawfulRsv {
    /// On text and binary frames, with which a message begins.
    pub(crate) first: Rsv,
    pub(crate) continuation: Rsv,
    pub(crate) control: Rsv,
}

impl LawfulRsv {
    const ALL: Self = Self { first: Rsv::ALL, continuation: Rsv::ALL, control: Rsv::ALL };
    pub(crate) const NONE: Self =
        Self { first: Rsv::NONE, continuation: Rsv::NONE, control: Rsv::NONE };

    const fn on(self, opcode_bits: u8) -> Rsv {
        match opcode_bits {
            0 => self.continuation,
            1..=7 => self.first,
            _ => self.control,
        }
    }
}

impl HeaderRules {
    const ANY: Self = Self { lawful: LawfulRsv::ALL, mask: Mask::Either, minimal_lengths: true };

    /// Parses the header at the front of `input`; `None` when it is not all there. A data frame has `max_frame` bytes
    /// of payload at most.
    ///
    /// Each rule is checked in the order of the bytes, so that the outcome for a stream does not
    /// depend on where it was cut.
    #[inline(always)]
    pub(crate) fn parse(
        &self,
        input: &[u8],
        max_frame: u64,
    ) -> Result<Option<(FrameHeader, usize)>, Broken> {
        let Some(&first) = input.first() else { return Ok(None) };
        let fin = first & 0x80 != 0;
        let rsv = Rsv::from_bits(first);
        if !rsv.is_empty() {
            let unlawful = rsv.difference(self.lawful.on(first & 0x0f));
            if !unlawful.is_empty() {
                return Err(Broken(Violation::ReservedBits(unlawful), 0));
            }
        }
        let Some(opcode) = Opcode::from_bits(first & 0x0f) else {
            return Err(Broken(Violation::ReservedOpcode(first & 0x0f), 0));
        };
        if opcode.is_control() && !fin {
            return Err(Broken(Violation::FragmentedControl(opcode), 0));
        }

        let Some(&second) = input.get(1) else { return Ok(None) };
        let masked = second & MASK_BIT != 0;
        match self.mask {
            Mask::Required if !masked => return Err(Broken(Violation::NotMasked, 1)),
            Mask::Forbidden if masked => return Err(Broken(Violation::Masked, 1)),
            _ => {}
        }
        let short = second & !MASK_BIT;
        if opcode.is_control() && short > 125 {
            return Err(Broken(Violation::ControlTooLong(opcode), 1));
        }

        let (payload_len, at) = match short {
            126 => {
                let Some(len) = input[2..].first_chunk() else { return Ok(None) };
                (u64::from(u16::from_be_bytes(*len)), 4)
            }
            127 => {
                if input.get(2).is_some_and(|&byte| byte & 0x80 != 0) {
                    return Err(Broken(Violation::LengthTopBit, 2));
                }
                let Some(len) = input[2..].first_chunk() else { return Ok(None) };
                (u64::from_be_bytes(*len), 10)
            }
            len => (u64::from(len), 2),
        };
        let shortest = match at {
            4 => 126,
            10 => 0x1_0000,
            _ => 0,
        };
        if payload_len < shortest && self.minimal_lengths {
            return Err(Broken(Violation::LengthNotMinimal, 2));
        }
        // Control frames are bounded by their own rule, however small the limit.
        if payload_len > max_frame && opcode.is_data() {
            let limit = if rsv.is_empty() { max_frame } else { max_encoded(max_frame) };
            if payload_len > limit {
                return Err(Broken(Violation::FrameTooLarge { size: payload_len, limit }, 0));
            }
        }

        let (masking_key, len) = if masked {
            let Some(key) = input[at..].first_chunk() else { return Ok(None) };
            (Some(MaskingKey::from_bytes(*key)), at + 4)
        } else {
            (None, at)
        };
        Ok(Some((FrameHeader { fin, rsv, opcode, masking_key, payload_len }, len)))
    }
}

/// The most bytes that `bytes` may become by what an extension does to them.
///
/// Encodings that compress make some payloads longer: an eighth is what the simplest Huffman code
/// of DEFLATE costs, and each flush of its stream a few bytes.
pub(crate) const fn max_encoded(bytes: u64) -> u64 {
    bytes.saturating_add(bytes / 8).saturating_add(1024)
}

/// A broken rule, and the position of the offending byte in the header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Broken(Violation, u8);

impl Broken {
    /// The error for a header that begins at `offset` of the stream.
    #[cold]
    pub(crate) fn at(self, offset: u64, rules: FrameRules) -> FrameError {
        FrameError::new(self.0, offset + u64::from(self.1), rules)
    }
}

const MASK_BIT: u8 = 0x80;
