//! Gathering a message that is not whole in one part: appended or read in directly, checked as text
//! while it arrives (RFC 6455 §5.4, §8.1).

use super::{Gathering, MessageAssembler};
use crate::decoder::FrameDecoder;
use crate::error::{FrameError, Violation};
use crate::part::FramePart;
use crate::payload::{Event, Payload, TextPayload};
use crate::rules::InvalidUtf8;
use crate::utf8::{self, DirectBuffer, Utf8Validator};
use crate::whole::Kind;

impl MessageAssembler {
    /// The fewest bytes for which it is worth reading around the chunk, for both what a message
    /// has already and what its frame still brings: 16 KiB.
    pub const DIRECT_READ_MIN: usize = 16 * 1024;

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
    ) -> Result<Option<Event<'static>>, FrameError> {
        self.sequence.check()?;
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

    /// Adds a part to the message in progress.
    pub(super) fn gather(
        &mut self,
        part: FramePart<'_>,
    ) -> Result<Option<Event<'static>>, FrameError> {
        if part.start {
            self.sequence.begin_frame(&part.header, part.frame_offset)?;
        }
        let seen = Seen::of(&part);
        let ceiling = self.ceiling(seen.fin);
        let ascii = self.buffer.append(part, ceiling);
        self.advance(seen, ascii)
    }

    /// Checks what was added to the message in progress, and ends it when it is complete.
    pub(super) fn advance(
        &mut self,
        seen: Seen,
        ascii: bool,
    ) -> Result<Option<Event<'static>>, FrameError> {
        let text = self.sequence.kind() == Some(Kind::Text);
        let fails = self.sequence.rules().invalid_utf8() == InvalidUtf8::Fail;
        if text
            && let Err(error) = self.buffer.check_text(ascii)
            && fails
        {
            // Where a decoded byte lay in the stream, nobody knows.
            let at = if self.decoding { 0 } else { error.offset() as u64 };
            let at = seen.offset + at;
            return Err(self.sequence.broken(Violation::InvalidUtf8, at));
        }
        if !(seen.end && seen.fin) {
            return Ok(None);
        }
        self.sequence.end_message();
        if !text {
            return Ok(Some(Event::Binary(Payload::Owned(self.buffer.take()))));
        }
        match self.buffer.take_text() {
            Ok(text) => Ok(Some(Event::Text(TextPayload::Owned(text)))),
            Err(_) if fails => {
                let end = seen.offset + seen.len as u64;
                Err(self.sequence.broken(Violation::InvalidUtf8, end))
            }
            Err(_) => {
                let text = utf8::replaced(&self.buffer.take());
                Ok(Some(Event::Text(TextPayload::Owned(text.into()))))
            }
        }
    }

    /// What becomes of a whole message of text that is not UTF-8.
    #[cold]
    pub(super) fn not_utf8(
        &mut self,
        text: &[u8],
        offset: u64,
    ) -> Result<Event<'static>, FrameError> {
        match self.sequence.rules().invalid_utf8() {
            InvalidUtf8::Fail => {
                let at = Utf8Validator::new().first_invalid(text) as u64;
                let error = self.sequence.broken(Violation::InvalidUtf8, offset + at);
                Err(self.fail(error))
            }
            InvalidUtf8::Replace => {
                Ok(Event::Text(TextPayload::Owned(utf8::replaced(text).into())))
            }
        }
    }

    /// The most room worth having for the message in progress: what it has with its current frame,
    /// or, while it goes on after that, twice what it has and no more than a message may have.
    fn ceiling(&self, fin: bool) -> usize {
        // Within the limit of a message, which is a `usize`.
        if self.sequence.gathering() == Gathering::Pieces {
            // What is there is taken before more comes.
            return 0;
        }
        let size = self.sequence.size() as usize;
        if fin { size } else { size.max(2 * self.buffer.len()).min(self.sequence.max_message()) }
    }
}

/// What is left to know of a part once its payload is in the buffer.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) fin: bool,
    pub(super) end: bool,
    pub(super) offset: u64,
    pub(super) len: usize,
}

impl Seen {
    pub(super) fn of(part: &FramePart<'_>) -> Self {
        Self { fin: part.header.fin, end: part.end, offset: part.offset, len: part.len() }
    }
}
