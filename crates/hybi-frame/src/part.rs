//! FramePart: a frame, or what of it was in a chunk (RFC 6455 §5.2, §5.3).

use alloc::vec::Vec;

use crate::header::FrameHeader;
use crate::mask::{self, Key, MaskingKey};

/// A frame, or the part of one that was in a chunk, which lends the payload.
///
/// The payload is unmasked when it is first used: [`payload`](Self::payload) does it in place, and
/// an assembler that has to gather it does it while copying.
///
/// ```
/// use hybi_frame::{FrameDecoder, FrameRules, Limits, Opcode, Role};
///
/// let mut decoder = FrameDecoder::new(Role::Server, FrameRules::RFC6455, Limits::default());
/// // The header and two of five bytes, masked by the client.
/// let mut chunk = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f";
/// let (taken, part) = decoder.decode(&mut chunk)?;
/// let mut part = part.expect("the header is complete");
/// assert_eq!((taken, part.header.opcode, part.header.payload_len), (8, Opcode::Text, 5));
/// assert_eq!((part.start, part.end, part.offset), (true, false, 6));
/// assert_eq!(part.payload(), b"He");
/// # Ok::<(), hybi_frame::FrameError>(())
/// ```
#[derive(Debug)]
pub struct FramePart<'a> {
    /// The header of the frame; its `payload_len` is that of the whole frame.
    pub header: FrameHeader,
    /// Whether this is the first part of the frame.
    pub start: bool,
    /// Whether this is the last part of the frame.
    pub end: bool,
    /// The position in the stream of the payload's first byte.
    pub offset: u64,
    /// The position in the stream of the header's first byte.
    pub frame_offset: u64,
    /// What the payload is still masked with.
    pub(crate) mask: Option<Key>,
    pub(crate) payload: &'a mut [u8],
}

impl<'a> FramePart<'a> {
    /// A part found by a decoder of another layout: the first part of a frame, and the last, unless
    /// told otherwise through its fields.
    ///
    /// `offset` is the position in the stream of the payload's first byte, `frame_offset` that of the
    /// header's. With `mask` the payload is still masked; the number is the position in the frame's
    /// masked bytes of the payload's first byte.
    ///
    /// Where the layout does not tell how long a frame is, each part that is not the last has `fin`
    /// clear and says in `payload_len` what has come so far; the decoder keeps the limits itself.
    #[must_use]
    pub fn new(
        header: FrameHeader,
        payload: &'a mut [u8],
        offset: u64,
        frame_offset: u64,
        mask: Option<(MaskingKey, u64)>,
    ) -> Self {
        let mask = mask.map(|(key, position)| key.at(position));
        Self { header, start: true, end: true, offset, frame_offset, mask, payload }
    }

    /// The payload bytes of this part, unmasked where they lie.
    #[inline]
    #[must_use]
    pub fn payload(&mut self) -> &[u8] {
        if let Some(key) = self.mask.take() {
            mask::apply(self.payload, key);
        }
        self.payload
    }

    /// The number of payload bytes in this part.
    #[inline]
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a part is seldom empty and nobody asks")]
    pub const fn len(&self) -> usize {
        self.payload.len()
    }

    /// The same part, field by field.
    ///
    /// What an out-of-line function returns lives in memory; joined with this copy of it, the part
    /// of a whole frame need not.
    #[inline(always)]
    pub(crate) fn rebuilt(self) -> Self {
        let Self { header, start, end, offset, frame_offset, mask, payload } = self;
        let FrameHeader { fin, rsv, opcode, masking_key, payload_len } = header;
        let header = FrameHeader { fin, rsv, opcode, masking_key, payload_len };
        Self { header, start, end, offset, frame_offset, mask, payload }
    }

    /// Unmasks the payload where it lies; says whether it is known to be ASCII.
    #[inline(always)]
    pub(crate) fn into_payload(self) -> (&'a mut [u8], bool) {
        let ascii = self.mask.is_some_and(|key| mask::apply(self.payload, key));
        (self.payload, ascii)
    }

    /// Appends the payload to `out`, unmasking it on the way; says whether it is known to be ASCII.
    pub(crate) fn append_to(self, out: &mut Vec<u8>) -> bool {
        match self.mask {
            Some(key) => mask::extend(out, self.payload, key),
            None => mask::extend_unmasked(out, self.payload),
        }
    }
}
