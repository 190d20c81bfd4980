//! Sequence: which frame may follow which, and how much of them makes one message (RFC 6455 §5.4).

use crate::error::{FrameError, Violation};
use crate::header::{FrameHeader, max_encoded};
use crate::limits::Limits;
use crate::opcode::Opcode;
use crate::rules::FrameRules;
use crate::whole::Kind;

/// The place of a stream in its sequence of frames. It sees headers and counts bytes; what becomes of
/// payloads is nothing to it.
///
/// ```text
///     Text or Binary with FIN,                       Continuation without FIN,
///     Ping, Pong, Close                              Ping, Pong, Close
///            +---+                                       +---+
///            |   v                                       |   v
///      +-----------+  Text or Binary without FIN   +-----------------+
///      |  Between  | ----------------------------> |     Message     |
///      |           | <---------------------------- | its kind & size |
///      +-----------+     Continuation with FIN     +-----------------+
///            |                                              |
///            |  Continuation        Text or Binary, a limit |
///            +------------------+---------------------------+
///                               v
///                            Failed
/// ```
///
/// Control frames leave it as it is, so it is not asked about them. What else breaks a rule, in a
/// payload, is noted through [`fail`](Self::fail).
#[derive(Clone, Copy, Debug)]
pub(super) struct Sequence {
    state: State,
    rules: FrameRules,
    max_message: usize,
    max_fragments: u32,
    gathering: Gathering,
}

/// What becomes of messages that do not come whole.
///
/// [`MessageAssembler::set_gathering`](super::MessageAssembler::set_gathering) says which it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete: they are wanted whole, or not")]
pub enum Gathering {
    /// They are put together, within the limits.
    #[default]
    Whole,
    /// They are [taken in pieces](super::MessageAssembler::take_piece). Since nobody holds them, they may be of any
    /// length and have any number of fragments.
    Pieces,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// No message has begun.
    Between,
    /// A message has begun and not ended.
    Message(Progress),
    /// A rule was broken; every call says so again.
    Failed(FrameError),
}

/// A message in progress.
#[derive(Clone, Copy, Debug)]
struct Progress {
    kind: Kind,
    /// Bytes it has by the end of its current frame, or up to here where a decoder makes them.
    size: u64,
    /// Payload bytes that went, or will go with the current frame, through a decoder.
    encoded: u64,
    /// Frames that it went on with after its first.
    fragments: u64,
    /// Where in the stream its current frame begins.
    frame_offset: u64,
}

impl Sequence {
    /// Before the first message of a stream.
    pub(super) const fn new(rules: FrameRules, limits: Limits) -> Self {
        let (max_message, max_fragments) = (limits.max_message(), limits.max_fragments());
        let gathering = Gathering::Whole;
        Self { state: State::Between, rules, max_message, max_fragments, gathering }
    }

    /// Says what becomes of messages from now on. One in progress that is beyond the limits cannot be put together any
    /// more.
    pub(super) fn set_gathering(&mut self, gathering: Gathering) -> Result<(), FrameError> {
        self.gathering = gathering;
        match self.state {
            State::Message(progress) => self.begin(progress, progress.frame_offset),
            _ => Ok(()),
        }
    }

    pub(super) const fn gathering(&self) -> Gathering {
        self.gathering
    }

    /// The rules of the version.
    pub(super) const fn rules(&self) -> FrameRules {
        self.rules
    }

    /// The largest message in bytes.
    #[inline]
    pub(super) const fn max_message(&self) -> usize {
        self.max_message
    }

    /// The same as a number of bytes that may be more than memory has: a message that nobody gathers can be.
    const fn most(&self) -> u64 {
        match self.gathering {
            Gathering::Whole => self.max_message as u64,
            Gathering::Pieces => u64::MAX,
        }
    }

    /// Whether a message may begin.
    #[inline]
    pub(super) const fn is_between(&self) -> bool {
        matches!(self.state, State::Between)
    }

    /// The kind of the message in progress.
    #[inline]
    pub(super) const fn kind(&self) -> Option<Kind> {
        match self.state {
            State::Message(Progress { kind, .. }) => Some(kind),
            _ => None,
        }
    }

    /// Bytes that the message in progress has by the end of its current frame.
    pub(super) const fn size(&self) -> u64 {
        match self.state {
            State::Message(Progress { size, .. }) => size,
            _ => 0,
        }
    }

    /// The first error, once there was one.
    #[inline]
    pub(super) const fn check(&self) -> Result<(), FrameError> {
        match self.state {
            State::Failed(error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Takes the header of a data frame, found at `offset` of the stream: it may stand here, and its
    /// payload is not too much.
    pub(super) fn begin_frame(
        &mut self,
        header: &FrameHeader,
        offset: u64,
    ) -> Result<(), FrameError> {
        let mut progress = self.next(header.opcode, offset)?;
        progress.size = progress.size.saturating_add(header.payload_len);
        self.begin(progress, offset)
    }

    /// The same for a frame whose payload goes through a decoder: what its header announces is not
    /// yet what counts, [what comes out](Self::decoded) is.
    ///
    /// But a message that decodes to nothing could go on for ever; so what goes in is limited, too.
    pub(super) fn begin_encoded_frame(
        &mut self,
        header: &FrameHeader,
        offset: u64,
    ) -> Result<(), FrameError> {
        let mut progress = self.next(header.opcode, offset)?;
        progress.encoded = progress.encoded.saturating_add(header.payload_len);
        self.begin(progress, offset)?;
        let limit = self.max_message();
        if progress.encoded > max_encoded(self.most()) {
            let size = progress.encoded;
            return Err(self.broken(Violation::MessageTooLarge { size, limit }, offset));
        }
        Ok(())
    }

    /// Counts bytes that a decoder made of the current frame.
    pub(super) fn decoded(&mut self, len: usize) -> Result<(), Violation> {
        let (limit, most) = (self.max_message(), self.most());
        let State::Message(progress) = &mut self.state else { return Ok(()) };
        progress.size = progress.size.saturating_add(len as u64);
        if progress.size > most {
            // How much more there is in a piece depends on how the stream was cut.
            return Err(Violation::MessageTooLarge { size: limit as u64 + 1, limit });
        }
        Ok(())
    }

    /// Ends the message in progress with its current frame.
    pub(super) const fn end_message(&mut self) {
        self.state = State::Between;
    }

    /// An error at `offset` of the stream.
    #[cold]
    pub(super) fn broken(&self, violation: Violation, offset: u64) -> FrameError {
        FrameError::new(violation, offset, self.rules)
    }

    /// Remembers an error for ever.
    #[cold]
    pub(super) const fn fail(&mut self, error: FrameError) {
        self.state = State::Failed(error);
    }

    /// The message that a frame with this opcode begins or goes on with.
    fn next(&self, opcode: Opcode, offset: u64) -> Result<Progress, FrameError> {
        let frame_offset = offset;
        let first = |kind| Progress { kind, size: 0, encoded: 0, fragments: 0, frame_offset };
        match (opcode, self.state) {
            (_, State::Failed(error)) => Err(error),
            (Opcode::Continuation, State::Message(progress)) => {
                Ok(Progress { fragments: progress.fragments + 1, frame_offset, ..progress })
            }
            (Opcode::Continuation, State::Between) => {
                Err(self.broken(Violation::UnexpectedContinuation, offset))
            }
            (opcode, State::Message(_)) => {
                Err(self.broken(Violation::ExpectedContinuation(opcode), offset))
            }
            (Opcode::Text, State::Between) => Ok(first(Kind::Text)),
            (_, State::Between) => Ok(first(Kind::Binary)),
        }
    }

    /// Goes on with what is within the limits.
    fn begin(&mut self, progress: Progress, offset: u64) -> Result<(), FrameError> {
        let Progress { size, fragments, .. } = progress;
        let limit = self.max_message;
        if size > self.most() {
            return Err(self.broken(Violation::MessageTooLarge { size, limit }, offset));
        }
        let limit = self.max_fragments;
        if self.gathering == Gathering::Whole && fragments > u64::from(limit) {
            return Err(self.broken(Violation::TooManyFragments { limit }, offset));
        }
        self.state = State::Message(progress);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Sequence};
    use crate::error::{FrameError, Violation};
    use crate::header::FrameHeader;
    use crate::limits::Limits;
    use crate::opcode::{Opcode, Rsv};
    use crate::rules::FrameRules;

    fn header(opcode: Opcode, payload_len: u64) -> FrameHeader {
        FrameHeader { fin: false, rsv: Rsv::NONE, opcode, masking_key: None, payload_len }
    }

    fn sequence() -> Sequence {
        let limits = Limits::default().with_max_message(10).with_max_fragments(2);
        Sequence::new(FrameRules::RFC6455, limits)
    }

    fn rule(result: Result<(), FrameError>) -> Option<Violation> {
        result.err().map(|error| error.violation())
    }

    #[test]
    fn each_data_frame_in_each_state() {
        let begun = |opcode| {
            let mut sequence = sequence();
            sequence.begin_frame(&header(opcode, 1), 0).expect("it may begin");
            sequence
        };
        let (text, binary) = (begun(Opcode::Text), begun(Opcode::Binary));
        for (state, opcode, expected) in [
            (sequence(), Opcode::Text, Ok(Kind::Text)),
            (sequence(), Opcode::Binary, Ok(Kind::Binary)),
            (sequence(), Opcode::Continuation, Err(Violation::UnexpectedContinuation)),
            (text, Opcode::Continuation, Ok(Kind::Text)),
            (binary, Opcode::Continuation, Ok(Kind::Binary)),
            (text, Opcode::Text, Err(Violation::ExpectedContinuation(Opcode::Text))),
            (text, Opcode::Binary, Err(Violation::ExpectedContinuation(Opcode::Binary))),
            (binary, Opcode::Text, Err(Violation::ExpectedContinuation(Opcode::Text))),
        ] {
            let mut sequence = state;
            let begun = sequence.begin_frame(&header(opcode, 1), 7);
            match expected {
                Ok(kind) => assert_eq!((begun, sequence.kind()), (Ok(()), Some(kind))),
                Err(violation) => assert_eq!(rule(begun), Some(violation)),
            }
            sequence.end_message();
            assert!(sequence.is_between());
            assert_eq!(sequence.size(), 0);
        }
    }

    #[test]
    fn bytes_and_frames_are_counted_for_each_message_anew() {
        let mut sequence = sequence();
        for _ in 0..3 {
            sequence.begin_frame(&header(Opcode::Text, 4), 0).expect("4 bytes");
            sequence.begin_encoded_frame(&header(Opcode::Continuation, 900), 0).expect("0 bytes");
            assert_eq!(sequence.decoded(5), Ok(()));
            let mut full = sequence;
            let too_large = Violation::MessageTooLarge { size: 11, limit: 10 };
            assert_eq!(full.decoded(2), Err(too_large));
            let mut full = sequence;
            let begun = full.begin_frame(&header(Opcode::Continuation, 2), 0);
            assert_eq!(rule(begun), Some(too_large));
            sequence.begin_frame(&header(Opcode::Continuation, 1), 0).expect("10 bytes");
            assert_eq!(sequence.size(), 10);
            let mut full = sequence;
            let begun = full.begin_frame(&header(Opcode::Continuation, 0), 0);
            assert_eq!(rule(begun), Some(Violation::TooManyFragments { limit: 2 }));
            sequence.end_message();
        }
    }

    #[test]
    fn an_error_is_said_again() {
        let mut sequence = sequence();
        let error = sequence.begin_frame(&header(Opcode::Continuation, 0), 3).expect_err("alone");
        sequence.fail(error);
        assert_eq!(sequence.check(), Err(error));
        assert_eq!(sequence.begin_frame(&header(Opcode::Text, 0), 9), Err(error));
    }
}
