//! FrameDecoder: bytes in, frames out, resumable at any byte (RFC 6455 §5.2).

use crate::counts::Counts;
use crate::error::FrameError;
use crate::header::{FrameHeader, HeaderRules, LawfulRsv, Mask};
use crate::limits::Limits;
use crate::opcode::Rsv;
use crate::part::FramePart;
use crate::role::{Masking, Role};
use crate::rules::FrameRules;
use crate::whole::{WholeMessage, WholeMessages};

/// Turns the bytes of a connection into frames, in place and without allocating.
///
/// The caller owns the bytes. The decoder keeps at most the 14 bytes of one header, and lends the
/// payload back out of the caller's chunk, where it is unmasked. Each rule about a header is checked as soon
/// as the byte that breaks it is there.
///
/// ```
/// use hybi_frame::{FrameDecoder, FrameRules, Limits, Opcode, Role};
///
/// let mut decoder = FrameDecoder::new(Role::Server, FrameRules::RFC6455, Limits::default());
/// // "Hello" as a client sends it, two of its bytes still on the way.
/// let mut chunk = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d";
/// let (taken, part) = decoder.decode(&mut chunk)?;
/// let mut part = part.expect("a part of a frame");
/// assert_eq!(taken, 9);
/// assert_eq!(part.header.opcode, Opcode::Text);
/// assert_eq!(part.payload(), b"Hel");
/// assert!(part.start && !part.end);
///
/// let mut chunk = [0x51, 0x58];
/// let (_, part) = decoder.decode(&mut chunk)?;
/// let mut part = part.expect("the rest");
/// assert_eq!(part.payload(), b"lo");
/// assert!(part.end && decoder.at_frame_boundary());
/// # Ok::<(), hybi_frame::FrameError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FrameDecoder {
    state: State,
    /// Stream bytes consumed.
    offset: u64,
    messages: u64,
    payload_bytes: u64,
    /// How many frames have ended beside one for each message.
    more_frames: u64,
    header_rules: HeaderRules,
    whole: WholeMessages,
    rules: FrameRules,
    masking: Masking,
}

/// ```text
///                 a whole frame
///                    +---+
///                    |   v
///               +----------+   the chunk ends      +---------+
///               | Boundary | --------------------> |  Header |
///               +----------+                       +---------+
///                 ^     |    the chunk ends in the      |
///   its last byte |     |    payload                    | the header is complete
///               +----------+                            |
///               | Payload  | <--------------------------+
///               +----------+
/// ```
///
/// Any header that breaks a rule leads to `Failed`.
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
        Self::with_masking(Masking::Client, role, rules, limits)
    }

    /// The same for a connection of which other frames are masked than RFC 6455 has it. A masked frame
    /// breaks [the same rule](crate::Violation::Masked) then, whoever sends it.
    ///
    /// ```
    /// use hybi_frame::{FrameDecoder, FrameRules, Limits, Masking, Role, Violation};
    ///
    /// let (rules, limits) = (FrameRules::RFC6455, Limits::default());
    /// let mut server = FrameDecoder::with_masking(Masking::Nobody, Role::Server, rules, limits);
    /// let (taken, _) = server.decode(&mut *b"\x81\x05Hello".to_vec())?;
    /// assert_eq!(taken, 7);
    /// let error = server.decode(&mut *b"\x81\x85abcd".to_vec()).unwrap_err();
    /// assert_eq!(error.violation(), Violation::Masked);
    /// # Ok::<(), hybi_frame::FrameError>(())
    /// ```
    #[must_use]
    pub const fn with_masking(
        masking: Masking,
        role: Role,
        rules: FrameRules,
        limits: Limits,
    ) -> Self {
        let masks = masking.masks(role.peer());
        Self {
            state: State::Boundary,
            offset: 0,
            messages: 0,
            payload_bytes: 0,
            more_frames: 0,
            header_rules: HeaderRules {
                lawful: LawfulRsv::NONE,
                mask: if masks { Mask::Required } else { Mask::Forbidden },
                minimal_lengths: rules.minimal_lengths(),
            },
            whole: WholeMessages::of(masks, limits),
            rules,
            masking,
        }
    }

    /// Sets the limit on frames anew, for headers that come from now on.
    pub const fn set_max_frame(&mut self, bytes: u64) {
        self.whole.set_max_frame(bytes);
    }

    /// Takes reserved bits for lawful on the first frame of each message from now on, because a
    /// negotiated extension uses them.
    ///
    /// A data frame that has any of them set may be an eighth and 1 KiB longer than
    /// [`Limits::max_frame`]: what the extension makes of it is what is limited.
    pub const fn allow_rsv(&mut self, bits: Rsv) {
        let lawful = &mut self.header_rules.lawful;
        lawful.first = lawful.first.union(bits);
    }

    /// The same on every data frame, for an extension that works frame by frame.
    pub const fn allow_rsv_on_every_frame(&mut self, bits: Rsv) {
        self.allow_rsv(bits);
        let lawful = &mut self.header_rules.lawful;
        lawful.continuation = lawful.continuation.union(bits);
    }

    /// Takes bytes from the front of `chunk`; returns how many, and at most one part of a frame.
    ///
    /// The part's payload lies in `chunk`. A frame that is whole in `chunk` is one part; any other
    /// comes in parts as its bytes arrive, the first possibly empty. Call again with what was not
    /// taken until there is no part; all bytes are taken then.
    ///
    /// # Errors
    ///
    /// The first broken rule of the header, at every call from then on. Nothing more of the stream
    /// can be understood; fail the connection with [`FrameError::close_code`].
    // Inlined for messages that are whole, so that their parts stay in registers: a part is slow to
    // copy right after its fields were stored one by one.
    #[inline(always)]
    pub fn decode<'a>(
        &mut self,
        chunk: &'a mut [u8],
    ) -> Result<(usize, Option<FramePart<'a>>), FrameError> {
        let Some(message) = self.find_whole(chunk) else {
            let (taken, part) = self.resume(chunk)?;
            return Ok((taken, part.map(FramePart::rebuilt)));
        };
        let frame_offset = self.take_whole(message);
        let part = FramePart {
            header: message.header(),
            start: true,
            end: true,
            offset: frame_offset + message.start as u64,
            frame_offset,
            mask: message.key.map(|key| key.at(0)),
            payload: &mut chunk[message.start..message.end],
        };
        Ok((message.end, Some(part)))
    }

    /// The bytes that `chunk` lacks of the frame that begins it, if it is one of 126 bytes or more.
    ///
    /// `None` when the frame is whole, when it is short and not worth the trouble, and when nothing
    /// can be told: inside a frame, or without a complete and lawful header. A reader with room
    /// behind its chunk can read on there before it decodes; the frame is one part then, and its
    /// message is lent where it would be gathered. If nothing comes, decoding what there is gives
    /// the chunk free.
    ///
    /// ```
    /// use hybi_frame::{FrameDecoder, FrameRules, Limits, Role};
    ///
    /// let decoder = FrameDecoder::new(Role::Client, FrameRules::RFC6455, Limits::default());
    /// let chunk = b"\x82\x7e\x01\x00the first 20 bytes..";
    /// assert_eq!(decoder.missing(chunk), Some(256 - 20));
    /// ```
    #[inline]
    #[must_use]
    pub fn missing(&self, chunk: &[u8]) -> Option<u64> {
        if *chunk.get(1)? & 0x7f < 126 || !self.at_frame_boundary() {
            return None;
        }
        let (header, len) = self.header_rules.parse(chunk, self.whole.max_frame()).ok()??;
        header.payload_len.checked_sub((chunk.len() - len) as u64).filter(|&missing| missing > 0)
    }

    /// Whether the next bytes belong to a control frame: one is in progress, or `chunk`, which comes
    /// next, begins with the first byte of one. `None` as long as nothing is there that tells.
    ///
    /// Whoever only sends may take in control frames, and leaves messages for the one who receives.
    ///
    /// ```
    /// use hybi_frame::{FrameDecoder, FrameRules, Limits, Role};
    ///
    /// let mut decoder = FrameDecoder::new(Role::Client, FrameRules::RFC6455, Limits::default());
    /// assert_eq!(decoder.next_is_control(b"\x89\x02"), Some(true));
    /// assert_eq!(decoder.next_is_control(b"\x81\x05Hello"), Some(false));
    /// assert_eq!(decoder.next_is_control(b""), None);
    ///
    /// decoder.decode(&mut *b"\x89\x02p".to_vec())?;
    /// assert_eq!(decoder.next_is_control(b"q\x81\x05Hello"), Some(true), "the Ping goes on");
    /// # Ok::<(), hybi_frame::FrameError>(())
    /// ```
    ///
    /// [RFC 6455 §5.5](https://www.rfc-editor.org/rfc/rfc6455#section-5.5)
    #[inline]
    #[must_use]
    pub fn next_is_control(&self, chunk: &[u8]) -> Option<bool> {
        // Whatever is neither a message nor goes on with one.
        let says_so = |first: u8| first & 0x0f > 0x02;
        match &self.state {
            State::Boundary => chunk.first().copied().map(says_so),
            State::Header { bytes, .. } => Some(says_so(bytes[0])),
            State::Payload { header, .. } => Some(header.opcode.is_control()),
            State::Failed(_) => Some(false),
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

    /// The rules of the version.
    #[inline]
    #[must_use]
    pub const fn rules(&self) -> FrameRules {
        self.rules
    }

    /// Which frames of the connection are masked.
    #[inline]
    #[must_use]
    pub const fn masking(&self) -> Masking {
        self.masking
    }

    /// Stream bytes taken so far.
    #[inline]
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// How much was taken so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        Counts {
            bytes: self.offset,
            frames: self.messages + self.more_frames,
            messages: self.messages,
            payload_bytes: self.payload_bytes,
        }
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

    /// The whole message that begins `chunk`; it is not [taken](Self::take_whole) then.
    #[inline(always)]
    pub(crate) fn find_whole(&self, chunk: &[u8]) -> Option<WholeMessage> {
        let State::Boundary = self.state else { return None };
        self.whole.find(chunk)
    }

    /// Takes a whole message; returns where in the stream its frame begins.
    #[inline(always)]
    pub(crate) const fn take_whole(&mut self, message: WholeMessage) -> u64 {
        let frame_offset = self.offset;
        self.offset += message.end as u64;
        self.messages += 1;
        self.payload_bytes += (message.end - message.start) as u64;
        frame_offset
    }

    /// All but whole messages.
    #[inline(never)]
    pub(crate) fn resume<'a>(
        &mut self,
        chunk: &'a mut [u8],
    ) -> Result<(usize, Option<FramePart<'a>>), FrameError> {
        match self.state {
            State::Failed(error) => Err(error),
            _ if chunk.is_empty() => Ok((0, None)),
            State::Boundary => self.resume_header(chunk, [0; FrameHeader::MAX_LEN], 0),
            State::Header { bytes, len } => self.resume_header(chunk, bytes, usize::from(len)),
            State::Payload { header, remaining, frame_offset } => {
                let part = self.lend(chunk, header, remaining, frame_offset, false);
                Ok((part.payload.len(), Some(part)))
            }
        }
    }

    /// Goes on with a header of which `bytes[..len]` came before, and begins its frame.
    fn resume_header<'a>(
        &mut self,
        chunk: &'a mut [u8],
        mut bytes: [u8; FrameHeader::MAX_LEN],
        len: usize,
    ) -> Result<(usize, Option<FramePart<'a>>), FrameError> {
        let frame_offset = self.offset - len as u64;
        let known = bytes.len().min(len + chunk.len());
        bytes[len..known].copy_from_slice(&chunk[..known - len]);
        match self.header_rules.parse(&bytes[..known], self.whole.max_frame()) {
            Ok(Some((header, header_len))) => {
                let taken = header_len - len;
                self.offset += taken as u64;
                let payload = &mut chunk[taken..];
                let part = self.lend(payload, header, header.payload_len, frame_offset, true);
                Ok((taken + part.payload.len(), Some(part)))
            }
            Ok(None) => {
                self.state = State::Header { bytes, len: known as u8 };
                self.offset += (known - len) as u64;
                Ok((known - len, None))
            }
            Err(broken) => {
                let error = broken.at(frame_offset, self.rules);
                self.state = State::Failed(error);
                Err(error)
            }
        }
    }

    /// Lends what `chunk` has of the `remaining` payload bytes.
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
        let done = header.payload_len - remaining;
        let mask = header.masking_key.map(|key| key.at(done));
        let offset = self.offset;
        self.offset += payload.len() as u64;
        self.state = if end {
            State::Boundary
        } else {
            State::Payload { header, remaining: remaining - payload.len() as u64, frame_offset }
        };
        let part = FramePart { header, start, end, offset, frame_offset, mask, payload };
        let mut counts = Counts { bytes: 0, frames: 0, messages: 0, payload_bytes: 0 };
        counts.add(&part);
        self.messages += counts.messages;
        self.payload_bytes += counts.payload_bytes;
        self.more_frames += counts.frames - counts.messages;
        part
    }
}
