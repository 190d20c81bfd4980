//! What extensions make of the payloads of received frames, on their way into a message
//! (RFC 6455 §5.8, §9).

use super::MessageAssembler;
use super::gathering::Seen;
use crate::error::{FrameError, Violation};
use crate::header::FrameHeader;
use crate::part::FramePart;
use crate::payload::Event;

/// What extensions make of the payloads of received data frames before they are assembled.
///
/// [`MessageAssembler::push_decoded`] has an example.
///
/// [RFC 6455 §9](https://www.rfc-editor.org/rfc/rfc6455#section-9)
pub trait PayloadDecoder {
    /// Notes that a data frame begins; says whether its payload is to be decoded. Which reserved
    /// bits are lawful on it was judged before.
    fn begin_frame(&mut self, header: &FrameHeader) -> bool;

    /// Decodes the next piece of the frame's payload; `end` says that it is the last. What comes of
    /// it goes to `out`, in as many pieces as there are.
    ///
    /// # Errors
    ///
    /// The rule that the payload breaks, or the limit that `out` says was reached: then nothing
    /// more is to be decoded.
    fn decode(
        &mut self,
        piece: &[u8],
        end: bool,
        out: &mut dyn FnMut(&[u8]) -> Result<(), Violation>,
    ) -> Result<(), Violation>;
}

impl MessageAssembler {
    /// The same for a connection with extensions: `decoder` gets the payload of each data frame that
    /// it claims, and what it makes of that is what is assembled, checked and limited.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push), and what the decoder finds. [`Limits::max_message`](crate::Limits::max_message) counts decoded
    /// bytes; a message that needs an eighth and 1 KiB more than that before it is decoded is too
    /// large as well, or one that decodes to nothing could go on for ever.
    ///
    /// ```
    /// use hybi_frame::{
    ///     Event, FrameDecoder, FrameHeader, FrameRules, Limits, MessageAssembler, PayloadDecoder,
    ///     Role, Rsv, Violation,
    /// };
    ///
    /// /// Makes capitals of messages with RSV2.
    /// struct Louder;
    ///
    /// impl PayloadDecoder for Louder {
    ///     fn begin_frame(&mut self, header: &FrameHeader) -> bool {
    ///         header.rsv.contains(Rsv::RSV2)
    ///     }
    ///
    ///     fn decode(
    ///         &mut self,
    ///         piece: &[u8],
    ///         _end: bool,
    ///         out: &mut dyn FnMut(&[u8]) -> Result<(), Violation>,
    ///     ) -> Result<(), Violation> {
    ///         out(&piece.to_ascii_uppercase())
    ///     }
    /// }
    ///
    /// let (rules, limits) = (FrameRules::RFC6455, Limits::default());
    /// let mut decoder = FrameDecoder::new(Role::Client, rules, limits);
    /// decoder.allow_rsv(Rsv::RSV2);
    /// let mut assembler = MessageAssembler::new(rules, limits);
    /// let mut chunk = *b"\xa1\x05Hello";
    /// let (_, part) = decoder.decode(&mut chunk)?;
    /// let event = assembler.push_decoded(part.expect("a whole frame"), &mut Louder)?;
    /// let Some(Event::Text(text)) = event else { panic!("a whole message") };
    /// assert_eq!(text.into_owned(), "HELLO");
    /// # Ok::<(), hybi_frame::FrameError>(())
    /// ```
    pub fn push_decoded<'a>(
        &mut self,
        part: FramePart<'a>,
        decoder: &mut impl PayloadDecoder,
    ) -> Result<Option<Event<'a>>, FrameError> {
        if part.header.opcode.is_control() {
            return self.push(part);
        }
        if part.start {
            self.decoding = decoder.begin_frame(&part.header);
        }
        if !self.decoding {
            return self.push(part);
        }
        self.sequence.check()?;
        self.gather_decoded(part, decoder).map_err(|error| self.fail(error))
    }

    /// Adds what `decoder` makes of a part to the message in progress.
    fn gather_decoded(
        &mut self,
        mut part: FramePart<'_>,
        decoder: &mut impl PayloadDecoder,
    ) -> Result<Option<Event<'static>>, FrameError> {
        let frame_offset = part.frame_offset;
        if part.start {
            self.sequence.begin_encoded_frame(&part.header, frame_offset)?;
        }
        let limit = self.sequence.max_message();
        let (sequence, buffer) = (&mut self.sequence, &mut self.buffer);
        let mut out = |bytes: &[u8]| {
            sequence.decoded(bytes.len())?;
            buffer.extend(bytes, limit);
            Ok(())
        };
        let end = part.end;
        let decoded = decoder.decode(part.payload(), end, &mut out);
        decoded.map_err(|violation| self.sequence.broken(violation, frame_offset))?;
        let seen = Seen { offset: frame_offset, len: 0, ..Seen::of(&part) };
        self.advance(seen, false)
    }
}
