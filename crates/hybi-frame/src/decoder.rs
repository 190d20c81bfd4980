//! FrameDecoder: bytes in, frames out, resumable at any byte (RFC 6455 §5.2).

use crate::error::FrameError;
use crate::header::{FrameHeader, HeaderRules};
use crate::limits::Limits;
use crate::mask;
use crate::opcode::Rsv;
use crate::role::Role;
use crate::rules::FrameRules;

/// Turns the bytes of a connection into frames, in place and without allocating.
///
/// The caller owns the bytes. The decoder keeps at most the 14 bytes of one header, and lends the
/// payload back, unmasked, out of the caller's chunk. Each rule about a header is checked as soon
/// as the byte that breaks it is there.
///
/// ```
/// use hybi_frame::{FrameDecoder, FrameRules, Limits, Opcode, Role};
///
/// let mut decoder = FrameDecoder::new(Role::Server, FrameRules::RFC6455, Limits::default());
/// // "Hello" as a client sends it, two of its bytes still on the way.
/// let mut chunk = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d";
/// let (taken, part) = decoder.decode(&mut chunk)?;
/// let part = part.expect("a part of a frame");
/// assert_eq!(taken, 9);
/// assert_eq!(part.header.opcode, Opcode::Text);
/// assert_eq!(part.payload(), b"Hel");
/// assert!(part.start && !part.end);
///
/// let mut chunk = [0x51, 0x58];
/// let (_, part) = decoder.decode(&mut chunk)?;
/// let part = part.expect("the rest");
/// assert_eq!(part.payload(), b"lo");
/// assert!(part.end && decoder.at_frame_boundary());
/// # Ok::<(), hybi_frame::FrameError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FrameDecoder {
    state: State,
    /// Stream bytes consumed.
    offset: u64,
    header_rules: HeaderRules,
    rules: FrameRules,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Between two frames.
    Boundary,
    /// Inside a header, of which the first `len` bytes are in `bytes`.
    Header { bytes: [u8; FrameHeader::MAX_LEN], len: u8 },
    /// Inside a payload, of which `remaining` bytes (not 0) are still to come.
    Payload { header: FrameHeader, remaining: u64, frame_offset: u64 },
    /// A rule was broken; every call says so again.
    Failed(FrameError),
}

impl FrameDecoder {
    /// A decoder for an endpoint in `role`, which therefore reads what its peer sends.
    #[must_use]
    pub const fn new(role: Role, rules: FrameRules, limits: Limits) -> Self {
        Self {
            state: State::Boundary,
            offset: 0,
            header_rules: HeaderRules {
                forbidden: Rsv::from_bits(u8::MAX),
                sender: Some(role.peer()),
                minimal_lengths: rules.minimal_lengths(),
                max_frame: limits.max_frame(),
            },
            rules,
        }
    }

    /// Takes reserved bits for lawful from now on, because a negotiated extension uses them.
    pub const fn allow_rsv(&mut self, bits: Rsv) {
        self.header_rules.forbidden = self.header_rules.forbidden.difference(bits);
    }

    /// Takes bytes from the front of `chunk`; returns how many, and at most one part of a frame.
    ///
    /// The part's payload lies in `chunk`, unmasked in place. A frame that is whole in `chunk` is
    /// one part; any other comes in parts as its bytes arrive, the first possibly empty. Call
    /// again with what was not taken until there is no part; all bytes are taken then.
    ///
    /// # Errors
    ///
    /// The first broken rule of the header, at every call from then on. Nothing more of the stream
    /// can be understood; fail the connection with [`FrameError::close_code`].
    #[inline]
    pub fn decode<'a>(
        &mut self,
        chunk: &'a mut [u8],
    ) -> Result<(usize, Option<FramePart<'a>>), FrameError> {
        if !matches!(self.state, State::Boundary) {
            return self.resume(chunk);
        }
        match self.header_rules.parse(chunk) {
            Ok(Some((header, len))) => Ok(self.begin(chunk, header, len, self.offset)),
            Ok(None) => Ok((self.keep(chunk), None)),
            Err(broken) => Err(self.fail(broken.at(self.offset, self.rules))),
        }
    }

    /// Payload bytes of the current frame that are still to come; 0 between frames.
    #[inline]
    #[must_use]
    pub const fn remaining(&self) -> u64 {
        match self.state {
            State::Payload { remaining, .. } => remaining,
            _ => 0,
        }
    }

    /// Stream bytes taken so far.
    #[inline]
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the stream may end here: all bytes taken belong to complete frames.
    #[inline]
    #[must_use]
    pub const fn at_frame_boundary(&self) -> bool {
        matches!(self.state, State::Boundary)
    }

    /// The header of the frame in progress, once its payload has begun.
    pub(crate) const fn current_header(&self) -> Option<&FrameHeader> {
        match &self.state {
            State::Payload { header, .. } => Some(header),
            _ => None,
        }
    }

    /// Inside a header or a payload, or after an error.
    fn resume<'a>(
        &mut self,
        chunk: &'a mut [u8],
    ) -> Result<(usize, Option<FramePart<'a>>), FrameError> {
        match self.state {
            State::Boundary => Ok((0, None)),
            State::Failed(error) => Err(error),
            State::Header { bytes, len } => self.resume_header(chunk, bytes, usize::from(len)),
            State::Payload { .. } if chunk.is_empty() => Ok((0, None)),
            State::Payload { header, remaining, frame_offset } => {
                let part = self.lend(chunk, header, remaining, frame_offset, false);
                Ok((part.payload.len(), Some(part)))
            }
        }
    }

    /// Completes a header that came in pieces from `bytes[..len]` and the front of `chunk`.
    fn resume_header<'a>(
        &mut self,
        chunk: &'a mut [u8],
        mut bytes: [u8; FrameHeader::MAX_LEN],
        len: usize,
    ) -> Result<(usize, Option<FramePart<'a>>), FrameError> {
        let frame_offset = self.offset - len as u64;
        let taken = chunk.len().min(bytes.len() - len);
        bytes[len..len + taken].copy_from_slice(&chunk[..taken]);
        match self.header_rules.parse(&bytes[..len + taken]) {
            Ok(Some((header, header_len))) => {
                Ok(self.begin(chunk, header, header_len - len, frame_offset))
            }
            Ok(None) => {
                self.state = State::Header { bytes, len: (len + taken) as u8 };
                self.offset += taken as u64;
                Ok((taken, None))
            }
            Err(broken) => Err(self.fail(broken.at(frame_offset, self.rules))),
        }
    }

    /// Starts the frame whose header ends `header_len` bytes into `chunk`.
    #[inline]
    fn begin<'a>(
        &mut self,
        chunk: &'a mut [u8],
        header: FrameHeader,
        header_len: usize,
        frame_offset: u64,
    ) -> (usize, Option<FramePart<'a>>) {
        self.offset += header_len as u64;
        let remaining = header.payload_len;
        let part = self.lend(&mut chunk[header_len..], header, remaining, frame_offset, true);
        (header_len + part.payload.len(), Some(part))
    }

    /// Lends what `chunk` has of the `remaining` payload bytes.
    #[inline]
    fn lend<'a>(
        &mut self,
        chunk: &'a mut [u8],
        header: FrameHeader,
        remaining: u64,
        frame_offset: u64,
        start: bool,
    ) -> FramePart<'a> {
        let end = remaining <= chunk.len() as u64;
        let payload = if end { &mut chunk[..remaining as usize] } else { chunk };
        let ascii = match header.masking_key {
            Some(key) => mask::apply(payload, key, header.payload_len - remaining),
            None => false,
        };
        let offset = self.offset;
        self.offset += payload.len() as u64;
        self.state = if end {
            State::Boundary
        } else {
            State::Payload { header, remaining: remaining - payload.len() as u64, frame_offset }
        };
        FramePart { header, start, end, offset, frame_offset, ascii, payload }
    }

    /// Keeps the first bytes of a header; returns how many, which is all.
    #[cold]
    fn keep(&mut self, chunk: &[u8]) -> usize {
        if !chunk.is_empty() {
            let mut bytes = [0; FrameHeader::MAX_LEN];
            bytes[..chunk.len()].copy_from_slice(chunk);
            self.state = State::Header { bytes, len: chunk.len() as u8 };
            self.offset += chunk.len() as u64;
        }
        chunk.len()
    }

    #[cold]
    fn fail(&mut self, error: FrameError) -> FrameError {
        self.state = State::Failed(error);
        error
    }
}

/// A frame, or the part of one that was in a chunk. The payload is lent and unmasked.
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
    /// The payload is known to be ASCII. Private, as is the payload that it speaks of.
    pub(crate) ascii: bool,
    pub(crate) payload: &'a mut [u8],
}

impl FramePart<'_> {
    /// The payload bytes of this part, unmasked.
    #[inline]
    #[must_use]
    pub const fn payload(&self) -> &[u8] {
        self.payload
    }
}
