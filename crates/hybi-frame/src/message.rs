//! MessageAssembler: fragments to messages, control frames in between (RFC 6455 §5.4, §5.5, §8.1).

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::close::CloseFrame;
use crate::decoder::{FrameDecoder, FramePart};
use crate::error::{FrameError, Violation};
use crate::limits::Limits;
use crate::opcode::Opcode;
use crate::payload::{Assembled, Payload, TextPayload};
use crate::rules::{FrameRules, InvalidUtf8};
use crate::utf8::{DirectBuffer, MessageBuffer, Utf8Error, checked_text};

/// Puts the parts that a [`FrameDecoder`] finds together to messages.
///
/// A message that is whole in one part is lent on, and nothing is allocated for it. Any other is
/// gathered in one buffer, which grows with the bytes received and is handed over with the message,
/// so that between messages there is none. Text is checked as it arrives.
///
/// The front page of this crate has an example.
///
/// [RFC 6455 §5.4](https://www.rfc-editor.org/rfc/rfc6455#section-5.4)
#[derive(Debug)]
pub struct MessageAssembler {
    /// The message in progress.
    message: Option<Kind>,
    buffer: MessageBuffer,
    /// Bytes it has by the end of its current frame.
    announced: usize,
    /// Frames of the message in progress.
    fragments: u32,
    /// What came of a control frame that arrives in pieces: at most 125 bytes.
    control: Vec<u8>,
    failed: Option<FrameError>,
    rules: FrameRules,
    limits: Limits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
}

impl MessageAssembler {
    /// The fewest bytes for which it is worth reading around the chunk, for both what a message
    /// has already and what its frame still brings: 16 KiB.
    pub const DIRECT_READ_MIN: usize = 16 * 1024;

    /// An assembler between messages; it owns no memory yet.
    #[must_use]
    pub fn new(rules: FrameRules, limits: Limits) -> Self {
        Self {
            message: None,
            buffer: MessageBuffer::default(),
            announced: 0,
            fragments: 0,
            control: Vec::new(),
            failed: None,
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
    #[inline]
    pub fn push<'a>(
        &mut self,
        part: FramePart<'a>,
    ) -> Result<Option<Assembled<'a>>, FrameError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let assembled = if part.header.opcode.is_data() {
            self.push_data(part)
        } else {
            self.push_control(part)
        };
        assembled.map_err(|error| self.fail(error))
    }

    /// Room to read the rest of a large data frame into, past the chunk and without a copy.
    ///
    /// `Some` while a frame is in progress of which at least [`DIRECT_READ_MIN`] bytes are to
    /// come, in a message that has at least as many. The room is about as large as what was
    /// received, never as large as a peer says, and ends with the frame. After reading, call
    /// [`push_direct`](Self::push_direct) before anything else.
    ///
    /// [`DIRECT_READ_MIN`]: Self::DIRECT_READ_MIN
    pub fn direct_buffer<'a>(&'a mut self, decoder: &FrameDecoder) -> Option<DirectBuffer<'a>> {
        let least = Self::DIRECT_READ_MIN;
        let remaining = decoder.remaining();
        let header = decoder.current_header()?;
        if self.failed.is_some()
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
        if let Some(error) = self.failed {
            return Err(error);
        }
        let fresh = self.buffer.fresh();
        if fresh.is_empty() {
            return Ok(None);
        }
        let (taken, part) = decoder.decode(fresh)?;
        let Some(part) = part else { return Ok(None) };
        let seen = Seen::of(&part);
        self.buffer.take_fresh(taken);
        self.advance(seen).map_err(|error| self.fail(error))
    }

    /// Whether a message has begun and not ended.
    #[inline]
    #[must_use]
    pub const fn in_message(&self) -> bool {
        self.message.is_some()
    }

    /// Bytes held for the message in progress.
    #[inline]
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Bytes of memory allocated for messages and control frames in progress.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.buffer.memory() + self.control.capacity()
    }

    #[inline]
    fn push_data<'a>(
        &mut self,
        part: FramePart<'a>,
    ) -> Result<Option<Assembled<'a>>, FrameError> {
        if part.start {
            self.begin_frame(&part)?;
            if part.end && part.header.fin && part.header.opcode != Opcode::Continuation {
                return self.lend(part).map(Some);
            }
        }
        self.gather(part)
    }

    /// Checks what a data frame may be at this point, and how large.
    #[inline]
    fn begin_frame(&mut self, part: &FramePart<'_>) -> Result<(), FrameError> {
        let opcode = part.header.opcode;
        let kind = match (opcode, self.message) {
            (Opcode::Continuation, None) => {
                return Err(self.broken(Violation::UnexpectedContinuation, part.frame_offset));
            }
            (Opcode::Continuation, Some(kind)) => kind,
            (_, Some(_)) => {
                return Err(self.broken(Violation::ExpectedContinuation(opcode), part.frame_offset));
            }
            (Opcode::Text, None) => Kind::Text,
            (_, None) => Kind::Binary,
        };
        let size = (self.buffer.len() as u64).saturating_add(part.header.payload_len);
        let limit = self.limits.max_message();
        if size > limit as u64 {
            return Err(self.broken(Violation::MessageTooLarge { size, limit }, part.frame_offset));
        }
        let limit = self.limits.max_fragments();
        if self.fragments >= limit {
            return Err(self.broken(Violation::TooManyFragments { limit }, part.frame_offset));
        }
        self.message = Some(kind);
        self.announced = size as usize;
        self.fragments += 1;
        Ok(())
    }

    /// Lends a message that is whole in one part.
    #[inline]
    fn lend<'a>(&mut self, part: FramePart<'a>) -> Result<Assembled<'a>, FrameError> {
        let kind = self.message.take();
        self.fragments = 0;
        if kind != Some(Kind::Text) {
            return Ok(Assembled::Binary(Payload::Borrowed(part.payload)));
        }
        match checked_text(part.payload, part.ascii) {
            Ok(text) => Ok(Assembled::Text(TextPayload::Borrowed(text))),
            Err(error) if self.rules.invalid_utf8() == InvalidUtf8::Fail => {
                Err(self.invalid_utf8(error, part.offset))
            }
            Err(_) => Ok(Assembled::Text(TextPayload::Owned(replaced(part.payload).into()))),
        }
    }

    /// Adds a part to the message in progress.
    fn gather(&mut self, part: FramePart<'_>) -> Result<Option<Assembled<'static>>, FrameError> {
        let seen = Seen::of(&part);
        let ceiling = self.ceiling(seen.fin);
        self.buffer.append(part.payload, ceiling);
        self.advance(seen)
    }

    /// Checks what was added to the message in progress, and ends it when it is complete.
    fn advance(&mut self, seen: Seen) -> Result<Option<Assembled<'static>>, FrameError> {
        let text = self.message == Some(Kind::Text);
        let check = text && self.rules.invalid_utf8() == InvalidUtf8::Fail;
        if check {
            let checked = self.buffer.check_text(seen.ascii);
            checked.map_err(|error| self.invalid_utf8(error, seen.offset))?;
        }
        if !(seen.end && seen.fin) {
            return Ok(None);
        }
        self.message = None;
        self.fragments = 0;
        Ok(Some(if check {
            let end = seen.offset + seen.len as u64;
            let ended = self.buffer.take_text();
            let text = ended.map_err(|_| self.broken(Violation::InvalidUtf8, end))?;
            Assembled::Text(TextPayload::Owned(text))
        } else if text {
            Assembled::Text(TextPayload::Owned(replaced(&self.buffer.take()).into()))
        } else {
            Assembled::Binary(Payload::Owned(self.buffer.take()))
        }))
    }

    fn push_control<'a>(
        &mut self,
        part: FramePart<'a>,
    ) -> Result<Option<Assembled<'a>>, FrameError> {
        let FramePart { header, start, end, offset, payload, .. } = part;
        if !(start && end) {
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
                Assembled::Close(close)
            }
        }))
    }

    /// The most room worth having for the message in progress: no more than it has with its
    /// current frame, if that is the last.
    const fn ceiling(&self, fin: bool) -> usize {
        if fin { self.announced } else { self.limits.max_message() }
    }

    #[cold]
    fn invalid_utf8(&self, error: Utf8Error, offset: u64) -> FrameError {
        self.broken(Violation::InvalidUtf8, offset + error.offset() as u64)
    }

    #[cold]
    fn broken(&self, violation: Violation, offset: u64) -> FrameError {
        FrameError::new(violation, offset, self.rules)
    }

    /// Remembers the error and lets go of what was gathered.
    #[cold]
    fn fail(&mut self, error: FrameError) -> FrameError {
        self.failed = Some(error);
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
    ascii: bool,
    offset: u64,
    len: usize,
}

impl Seen {
    fn of(part: &FramePart<'_>) -> Self {
        Self {
            fin: part.header.fin,
            end: part.end,
            ascii: part.ascii,
            offset: part.offset,
            len: part.payload.len(),
        }
    }
}

fn replaced(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
