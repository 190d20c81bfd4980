//! MessageAssembler: fragments to messages, control frames in between (RFC 6455 §5.4, §5.5, §8.1).

mod control;
mod decoded;
mod gathering;
mod sequence;

use bytes::Bytes;

use crate::error::FrameError;
use crate::limits::Limits;
use crate::opcode::Opcode;
use crate::part::FramePart;
use crate::payload::{Event, Payload, TextPayload};
use crate::rules::{FrameRules, InvalidUtf8};
use crate::utf8::{self, MessageBuffer, checked_text};
use crate::whole::Kind;

use control::ControlFrames;
use sequence::Sequence;

pub use decoded::PayloadDecoder;
pub use sequence::Gathering;

/// Puts the parts that a [`FrameDecoder`](crate::FrameDecoder) finds together to messages.
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
/// use hybi_frame::{Event, FrameDecoder, FrameRules, Limits, MessageAssembler, Role};
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
/// let Some(Event::Text(text)) = assembler.push(part.expect("a whole frame"))? else {
///     panic!("the message is complete");
/// };
/// assert_eq!(text.into_owned(), "Hello");
/// # Ok::<(), hybi_frame::FrameError>(())
/// ```
#[derive(Debug)]
pub struct MessageAssembler {
    /// Where the stream is between and in messages.
    sequence: Sequence,
    /// What has come of the message in progress.
    buffer: MessageBuffer,
    /// The payload of the current data frame goes through a decoder.
    decoding: bool,
    control: ControlFrames,
}

impl MessageAssembler {
    /// An assembler between messages; it owns no memory yet.
    #[must_use]
    pub fn new(rules: FrameRules, limits: Limits) -> Self {
        Self {
            sequence: Sequence::new(rules, limits),
            buffer: MessageBuffer::default(),
            decoding: false,
            control: ControlFrames::default(),
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
    pub fn push<'a>(&mut self, part: FramePart<'a>) -> Result<Option<Event<'a>>, FrameError> {
        let FramePart { header, start, end, offset, .. } = part;
        let whole = start && end && header.fin && self.sequence.is_between();
        if whole && header.payload_len <= self.sequence.max_message() as u64 {
            let (payload, ascii) = match header.opcode {
                Opcode::Text | Opcode::Binary => part.into_payload(),
                _ => return self.push_other(part),
            };
            if header.opcode == Opcode::Binary {
                return Ok(Some(Event::Binary(Payload::Borrowed(payload))));
            }
            if let Ok(text) = checked_text(payload, ascii) {
                return Ok(Some(Event::Text(TextPayload::Borrowed(text))));
            }
            return self.not_utf8(payload, offset).map(Some);
        }
        self.push_other(part)
    }

    /// Says what becomes of messages that do not come whole, from now on.
    ///
    /// Frames have a limit of their own, which is the decoder's:
    /// [`FrameDecoder::set_max_frame`](crate::FrameDecoder::set_max_frame).
    ///
    /// # Errors
    ///
    /// A limit, if the message in progress is beyond it and would be put together from now on.
    pub fn set_gathering(&mut self, gathering: Gathering) -> Result<(), FrameError> {
        self.sequence.set_gathering(gathering).map_err(|error| self.fail(error))
    }

    /// Whether [`take_piece`](Self::take_piece) would give more than an empty piece.
    #[must_use]
    pub fn has_piece(&self) -> bool {
        self.kind().is_some_and(|kind| self.buffer.has_piece(kind == Opcode::Text))
    }

    /// Takes what has come of the message in progress, and its kind: for whoever does not want it whole. A
    /// message that ends is an event with the rest. Pieces of text are text each: a character is never
    /// cut. `None` between messages; a piece may be empty.
    ///
    /// ```
    /// use hybi_frame::{
    ///     Event, FrameDecoder, FrameRules, Gathering, Limits, MessageAssembler, Opcode, Role,
    /// };
    ///
    /// let (rules, limits) = (FrameRules::RFC6455, Limits::default());
    /// let mut decoder = FrameDecoder::new(Role::Client, rules, limits);
    /// let mut assembler = MessageAssembler::new(rules, limits);
    /// assembler.set_gathering(Gathering::Pieces)?;
    /// // A message of "caf\u{e9}s" that arrives in two pieces, cut within the character.
    /// let mut chunk = *b"\x81\x06caf\xc3";
    /// let (_, part) = decoder.decode(&mut chunk)?;
    /// assert!(assembler.push(part.expect("a part"))?.is_none());
    /// assert_eq!(assembler.take_piece(), Some((Opcode::Text, (&b"caf"[..]).into())));
    /// let mut chunk = *b"\xa9s";
    /// let (_, part) = decoder.decode(&mut chunk)?;
    /// let Some(Event::Text(rest)) = assembler.push(part.expect("a part"))? else {
    ///     panic!("the message ended");
    /// };
    /// assert_eq!(rest.into_owned(), "\u{e9}s");
    /// assert_eq!(assembler.take_piece(), None);
    /// # Ok::<(), hybi_frame::FrameError>(())
    /// ```
    pub fn take_piece(&mut self) -> Option<(Opcode, Bytes)> {
        let opcode = self.kind()?;
        let text = opcode == Opcode::Text;
        let replaces = text && self.sequence.rules().invalid_utf8() == InvalidUtf8::Replace;
        let piece = self.buffer.take_piece(text);
        let piece = if replaces { utf8::replaced(&piece).into() } else { piece };
        Some((opcode, piece))
    }

    /// Whether a whole message of `len` bytes may come next.
    #[inline(always)]
    pub(crate) const fn may_take(&self, len: usize) -> bool {
        self.sequence.is_between() && len <= self.sequence.max_message()
    }

    /// Whether a message has begun and not ended.
    #[inline]
    #[must_use]
    pub const fn in_message(&self) -> bool {
        self.sequence.kind().is_some()
    }

    /// The kind of the message in progress: text or binary.
    #[inline]
    #[must_use]
    pub const fn kind(&self) -> Option<Opcode> {
        match self.sequence.kind() {
            Some(Kind::Text) => Some(Opcode::Text),
            Some(Kind::Binary) => Some(Opcode::Binary),
            None => None,
        }
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
        self.control.close_payload()
    }

    /// Bytes of memory allocated for messages and control frames in progress.
    #[inline]
    #[must_use]
    pub fn memory(&self) -> usize {
        self.buffer.memory() + self.control.memory()
    }

    /// All but data frames that are a whole message.
    #[inline(never)]
    fn push_other<'a>(&mut self, part: FramePart<'a>) -> Result<Option<Event<'a>>, FrameError> {
        self.sequence.check()?;
        let assembled = if part.header.opcode.is_data() {
            self.gather(part)
        } else {
            self.control.push(part, self.sequence.rules())
        };
        assembled.map_err(|error| self.fail(error))
    }

    /// Remembers the error and lets go of what was gathered.
    #[cold]
    fn fail(&mut self, error: FrameError) -> FrameError {
        self.sequence.fail(error);
        self.buffer = MessageBuffer::default();
        self.control = ControlFrames::default();
        error
    }
}
