//! MessageAssembler: fragments to messages, control frames in between (RFC 6455 §5.4, §5.5, §8.1).

mod decoded;

use alloc::vec::Vec;

use bytes::Bytes;

use crate::close::CloseFrame;
use crate::decoder::{FrameDecoder, FramePart};
use crate::error::{FrameError, Violation};
use crate::header::FrameHeader;
use crate::limits::Limits;
use crate::opcode::Opcode;
use crate::payload::{Assembled, Payload, TextPayload};
use crate::rules::{FrameRules, InvalidUtf8};
use crate::utf8::{self, DirectBuffer, MessageBuffer, Utf8Validator, checked_text};

pub use decoded::PayloadDecoder;

/// Puts the parts that a [`FrameDecoder`] finds together to messages.
///
/// A message that is whole in one part is lent on, and nothing is allocated for it. Any other is
/// gathered in one buffer, which grows with the bytes received and is handed over with the message,
/// so that between messages there is none. Text is checked as it arrives.
///
/// The front page of this crate has an example with a whole receiver.
///
/// [RFC 6455 §5.4](https://www.rfc-editor.org/rfc/rfc6455#section-5.4)
///
/// ```
/// use hybi_frame::{Assembled, FrameDecoder, FrameRules, Limits, MessageAssembler, Role};
///
/// let (rules, limits) = (FrameRules::RFC6455, Limits::default());
/// let mut decoder = FrameDecoder::new(Role::Client, rules, limits);
/// let mut assembler = MessageAssembler::new(rules, limits);
///
/// // The first of two fragments: nothing is complete yet.
/// let mut chunk = *b"\x01\x03Hel";
/// let (_, part) = decoder.decode(&mut chunk)?;
/// assert!(assembler.push(part.expect("a whole frame"))?.is_none());
/// assert_eq!((assembler.in_message(), assembler.buffered()), (true, 3));
///
/// // The second.
/// let mut chunk = *b"\x80\x02lo";
/// let (_, part) = decoder.decode(&mut chunk)?;
/// let Some(Assembled::Text(text)) = assembler.push(part.expect("a whole frame"))? else {
///     panic!("the message is complete");
/// };
/// assert_eq!(text.into_owned(), "Hello");
/// # Ok::<(), hybi_frame::FrameError>(())
/// ```
#[derive(Debug)]
pub struct MessageAssembler {
    state: State,
    buffer: MessageBuffer,
    /// Bytes it has by the end of its current frame.
    announced: usize,
    /// Frames that the message in progress went on with after its first.
    fragments: u32,
    /// The payload of the current data frame goes through a decoder.
    decoding: bool,
    /// Payload bytes of the message in progress that went through it.
    encoded: u64,
    /// What came of a control frame that arrives in pieces, or the last Close frame's payload: at most
    /// 125 bytes.
    control: Vec<u8>,
    rules: FrameRules,
    limits: Limits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No message has begun.
    Between,
    Text,
    Binary,
    /// A rule was broken; every call says so again.
    Failed(FrameError),
}

impl MessageAssembler {
    /// The fewest bytes for which it is worth reading around the chunk, for both what a message
    /// has already and what its frame still brings: 16 KiB.
    pub const DIRECT_READ_MIN: usize = 16 * 1024;

    /// An assembler between messages; it owns no memory yet.
    #[must_use]
    pub fn new(rules: FrameRules, limits: Limits) -> Self {
        Self {
            state: State::Between,
            buffer: MessageBuffer::default(),
            announced: 0,
            fragments: 0,
            decoding: false,
            encoded: 0,
            control: Vec::new(),
            rules,
            limits,
        }
    }

    /// Takes the next part of the stream; returns what is complete with it.
    ///
    /// # Errors
    ///
    /// The first broken rule about fragmentation, text, Close frames or limits, at every call from
    /// then on. Fail the connection with [`FrameError::close_code`].
    // Inlined as far as the most frequent case goes, for the same reason as the decoder.
    #[inline(always)]
    pub fn push<'a>(&mut self, part: FramePart<'a>) -> Result<Option<Assembled<'a>>, FrameError> {
        let FramePart { header, start, end, offset, .. } = part;
        let whole = start && end && header.fin && self.state == State::Between;
        if whole && header.payload_len <= self.limits.max_message() as u64 {
            let (payload, ascii) = match header.opcode {
                Opcode::Text | Opcode::Binary => part.into_payload(),
                _ => return self.push_other(part),
            };
            if header.opcode == Opcode::Binary {
                return Ok(Some(Assembled::Binary(Payload::Borrowed(payload))));
            }
            if let Ok(text) = checked_text(payload, ascii) {
                return Ok(Some(Assembled::Text(TextPayload::Borrowed(text))));
            }
            return self.not_utf8(payload, offset).map(Some);
        }
        self.push_other(part)
    }

    /// Room to read the rest of a large data frame into, past the chunk and without a copy.
    ///
    /// `Some` while a frame is in progress of which at least [`DIRECT_READ_MIN`] bytes are to
    /// come, in a message that has at least as many. The room is earned, at most sixteen times
    /// what was received whatever a peer announces, and it ends with the frame. After reading,
    /// call [`push_direct`](Self::push_direct) before anything else.
    ///
    /// [`DIRECT_READ_MIN`]: Self::DIRECT_READ_MIN
    pub fn direct_buffer<'a>(&'a mut self, decoder: &FrameDecoder) -> Option<DirectBuffer<'a>> {
        let least = Self::DIRECT_READ_MIN;
        let remaining = decoder.remaining();
        let header = decoder.current_header()?;
        if !self.in_message()
            || self.decoding
            || header.opcode.is_control()
            || self.buffer.len() < least
            || remaining < least as u64
        {
            return None;
        }
        let limit = usize::try_from(remaining).unwrap_or(usize::MAX);
        let ceiling = self.ceiling(header.fin);
        Some(self.buffer.room(least, limit, ceiling))
    }

    /// Takes in what was read into the [`direct_buffer`](Self::direct_buffer): unmasks it in place,
    /// checks it, and returns the message when it is complete.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    pub fn push_direct(
        &mut self,
        decoder: &mut FrameDecoder,
    ) -> Result<Option<Assembled<'static>>, FrameError> {
        if let State::Failed(error) = self.state {
            return Err(error);
        }
        let fresh = self.buffer.fresh();
        if fresh.is_empty() || decoder.current_header().is_none() {
            return Ok(None);
        }
        let (taken, part) = decoder.resume(fresh)?;
        let Some(part) = part else { return Ok(None) };
        let seen = Seen::of(&part);
        let (_, ascii) = part.into_payload();
        self.buffer.take_fresh(taken);
        self.advance(seen, ascii).map_err(|error| self.fail(error))
    }

    /// Whether a message has begun and not ended.
    #[inline]
    #[must_use]
    pub const fn in_message(&self) -> bool {
        matches!(self.state, State::Text | State::Binary)
    }

    /// Bytes held for the message in progress.
    #[inline]
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// The payload of the Close frame that was handed out last, as it came: some old drafts want it
    /// back. Empty before there is one.
    #[inline]
    #[must_use]
    pub fn close_payload(&self) -> &[u8] {
        &self.control
    }

    /// Bytes of memory allocated for messages and control frames in progress.
    #[inline]
    #[must_use]
    pub fn memory(&self) -> usize {
        self.buffer.memory() + self.control.capacity()
    }

    /// All but data frames that are a whole message.
    #[inline(never)]
    fn push_other<'a>(&mut self, part: FramePart<'a>) -> Result<Option<Assembled<'a>>, FrameError> {
        if let State::Failed(error) = self.state {
            return Err(error);
        }
        let assembled =
            if part.header.opcode.is_data() { self.gather(part) } else { self.push_control(part) };
        assembled.map_err(|error| self.fail(error))
    }

    /// Checks what a data frame may be at this point, and how large.
    fn begin_frame(&mut self, header: FrameHeader, offset: u64) -> Result<(), FrameError> {
        let state = match (header.opcode, self.state) {
            (Opcode::Continuation, State::Between) => {
                return Err(self.broken(Violation::UnexpectedContinuation, offset));
            }
            (Opcode::Continuation, state) => state,
            (Opcode::Text, State::Between) => State::Text,
            (_, State::Between) => State::Binary,
            (opcode, _) => {
                return Err(self.broken(Violation::ExpectedContinuation(opcode), offset));
            }
        };
        let size = (self.buffer.len() as u64).saturating_add(header.payload_len);
        let limit = self.limits.max_message();
        if size > limit as u64 {
            return Err(self.broken(Violation::MessageTooLarge { size, limit }, offset));
        }
        let limit = self.limits.max_fragments();
        if header.opcode == Opcode::Continuation {
            if self.fragments >= limit {
                return Err(self.broken(Violation::TooManyFragments { limit }, offset));
            }
            self.fragments += 1;
        }
        self.state = state;
        self.announced = size as usize;
        Ok(())
    }

    /// What becomes of a whole message of text that is not UTF-8.
    #[cold]
    fn not_utf8(&mut self, text: &[u8], offset: u64) -> Result<Assembled<'static>, FrameError> {
        match self.rules.invalid_utf8() {
            InvalidUtf8::Fail => {
                let at = Utf8Validator::new().first_invalid(text) as u64;
                let error = self.broken(Violation::InvalidUtf8, offset + at);
                Err(self.fail(error))
            }
            InvalidUtf8::Replace => {
                Ok(Assembled::Text(TextPayload::Owned(utf8::replaced(text).into())))
            }
        }
    }

    /// Adds a part to the message in progress.
    fn gather(&mut self, part: FramePart<'_>) -> Result<Option<Assembled<'static>>, FrameError> {
        if part.start {
            self.begin_frame(part.header, part.frame_offset)?;
        }
        let seen = Seen::of(&part);
        let ceiling = self.ceiling(seen.fin);
        let ascii = self.buffer.append(part, ceiling);
        self.advance(seen, ascii)
    }

    /// Checks what was added to the message in progress, and ends it when it is complete.
    fn advance(
        &mut self,
        seen: Seen,
        ascii: bool,
    ) -> Result<Option<Assembled<'static>>, FrameError> {
        let text = self.state == State::Text;
        let fails = self.rules.invalid_utf8() == InvalidUtf8::Fail;
        if text
            && let Err(error) = self.buffer.check_text(ascii)
            && fails
        {
            // Where a decoded byte lay in the stream, nobody knows.
            let at = if self.decoding { 0 } else { error.offset() as u64 };
            let at = seen.offset + at;
            return Err(self.broken(Violation::InvalidUtf8, at));
        }
        if !(seen.end && seen.fin) {
            return Ok(None);
        }
        self.state = State::Between;
        self.fragments = 0;
        self.encoded = 0;
        if !text {
            return Ok(Some(Assembled::Binary(Payload::Owned(self.buffer.take()))));
        }
        match self.buffer.take_text() {
            Ok(text) => Ok(Some(Assembled::Text(TextPayload::Owned(text)))),
            Err(_) if fails => {
                let end = seen.offset + seen.len as u64;
                Err(self.broken(Violation::InvalidUtf8, end))
            }
            Err(_) => {
                let text = utf8::replaced(&self.buffer.take());
                Ok(Some(Assembled::Text(TextPayload::Owned(text.into()))))
            }
        }
    }

    fn push_control<'a>(
        &mut self,
        part: FramePart<'a>,
    ) -> Result<Option<Assembled<'a>>, FrameError> {
        let FramePart { header, start, end, offset, .. } = part;
        let (payload, _) = part.into_payload();
        if !(start && end) {
            if start {
                self.control.clear();
            }
            self.control.extend_from_slice(payload);
            if !end {
                return Ok(None);
            }
        }
        let payload_offset = offset + payload.len() as u64 - header.payload_len;
        let payload = if start {
            Payload::Borrowed(payload)
        } else {
            Payload::Owned(Bytes::from(core::mem::take(&mut self.control)))
        };
        Ok(Some(match header.opcode {
            Opcode::Ping => Assembled::Ping(payload),
            Opcode::Pong => Assembled::Pong(payload),
            _ => {
                let close = CloseFrame::parse_at(&payload, self.rules);
                let close = close.map_err(|(violation, at)| {
                    self.broken(violation, payload_offset + at as u64)
                })?;
                self.control = payload.to_vec();
                Assembled::Close(close)
            }
        }))
    }

    /// The most room worth having for the message in progress: what it has with its current frame,
    /// or, while it goes on after that, twice what it has and no more than a message may have.
    fn ceiling(&self, fin: bool) -> usize {
        if fin {
            return self.announced;
        }
        self.announced.max(2 * self.buffer.len()).min(self.limits.max_message())
    }

    #[cold]
    fn broken(&self, violation: Violation, offset: u64) -> FrameError {
        FrameError::new(violation, offset, self.rules)
    }

    /// Remembers the error and lets go of what was gathered.
    #[cold]
    fn fail(&mut self, error: FrameError) -> FrameError {
        self.state = State::Failed(error);
        self.buffer = MessageBuffer::default();
        self.control = Vec::new();
        error
    }
}

/// What is left to know of a part once its payload is in the buffer.
#[derive(Clone, Copy)]
struct Seen {
    fin: bool,
    end: bool,
    offset: u64,
    len: usize,
}

impl Seen {
    fn of(part: &FramePart<'_>) -> Self {
        Self { fin: part.header.fin, end: part.end, offset: part.offset, len: part.len() }
    }
}
