//! Slices: a long message, or a long piece of one, on its way through codecs, a slice at a time, so that
//! others have their turn; and what waits to leave behind it.
//!
//! ```text
//!  queue --> Payload: codecs over messages --> Frames: cut, codecs over frames --> outbox
//!    |                                              \--> Stream: the filter over all --> outbox
//!    \--> Behind: the next pieces, the next messages and our Close frame, while one is on its way
//! ```
//!
//! Whoever drives the connection goes on with it between two writes. Control frames pass meanwhile, except
//! in the middle of a frame that goes through the filter: what is encoded there is one stream, and they
//! leave right behind that frame. No other message passes: the history of codecs is that of the messages in
//! the order in which they leave. Nor does our Close frame, behind which no message may leave.
//!
//! Behind a message that is [written](super::written) as it comes others wait here as well, until its last
//! piece: its pieces are queued in front of them.

use std::collections::VecDeque;

use bytes::Bytes;
use hybi_compression::{Chain, Compress, Encoded, Encoding, Step};
use hybi_frame::{FrameHeader, Opcode, Payload, Rsv};

use super::{Connection, Prepared, buffers, outgoing::SharedStep, written::Written};

/// What a message that waits counts beside its payload, so that those without any are bounded as well: as
/// much as the longest frame header.
const OVERHEAD: usize = FrameHeader::MAX_LEN;

/// What is not all in the outbox yet, and what waits for it.
pub(super) struct Coding {
    long: Option<Long>,
    /// A message that the application brings the rest of.
    written: Option<Written>,
    behind: VecDeque<Behind>,
    /// How many bytes wait in there.
    behind_len: usize,
}

/// A message, or a piece of one, that is longer than a slice and not all in the outbox yet.
struct Long {
    /// How many bytes of payload it has.
    len: usize,
    work: Work,
}

/// What leaves behind something long.
pub(super) enum Behind {
    /// These are in front of all else.
    Piece(Piece),
    Message(Waiting),
    /// The payload of a Close frame.
    Close(Box<[u8]>),
}

/// A message that codecs have not begun with.
pub(super) struct Waiting {
    pub(super) opcode: Opcode,
    pub(super) payload: Bytes,
    pub(super) compress: Compress,
    pub(super) prepared: Option<Prepared>,
}

/// A piece of a message that is written as it comes, to be a frame.
pub(super) struct Piece<P = Bytes> {
    /// Whether it begins the message, and ends it.
    pub(super) head: Head,
    pub(super) payload: P,
    /// Codecs over messages have it first.
    pub(super) encodes: bool,
}

/// What the frames of a message or a piece are to say.
#[derive(Clone, Copy)]
pub(super) struct Head {
    /// Of the first. The bits of codecs over messages are with that of a message.
    pub(super) opcode: Opcode,
    pub(super) rsv: Rsv,
    /// Whether the last of them ends the message.
    pub(super) last: bool,
    pub(super) compress: Compress,
}

impl Coding {
    fn new() -> Self {
        Self { long: None, written: None, behind: VecDeque::new(), behind_len: 0 }
    }

    pub(super) fn of(written: Written) -> Self {
        Self { written: Some(written), ..Self::new() }
    }

    /// How many bytes wait to leave; of what is being encoded, those that it has.
    pub(super) fn len(&self) -> usize {
        self.long.as_ref().map_or(0, |long| long.len) + self.behind_len
    }

    fn is_done(&self) -> bool {
        self.written.is_none() && self.long.is_none() && self.behind.is_empty()
    }

    /// Whether the end of a message is still to be brought.
    pub(super) fn is_written(&self) -> bool {
        self.written.is_some()
    }

    /// Whether there is something to encode or to queue now. Nothing passes a message that is written but
    /// its own pieces.
    pub(super) fn is_busy(&self) -> bool {
        let next = self.behind.front();
        let may_leave = |next: &Behind| !self.is_written() || matches!(next, Behind::Piece(_));
        self.long.is_some() || next.is_some_and(may_leave)
    }

    pub(super) fn written(&mut self) -> Option<&mut Written> {
        self.written.as_mut()
    }

    pub(super) fn end_written(&mut self) {
        self.written = None;
    }

    /// Lets go of the messages that wait; says how many bytes that were.
    pub(super) fn cut_off(&mut self) -> usize {
        let before = self.behind_len;
        self.written = None;
        self.behind.retain(|behind| matches!(behind, Behind::Piece(_)));
        self.behind_len = self.behind.iter().map(Behind::len).sum();
        before - self.behind_len
    }

    /// Whether a frame has begun to leave whose end is still to be encoded: nothing passes it.
    pub(super) fn is_in_frame(&self) -> bool {
        matches!(&self.long, Some(Long { work: Work::Stream { .. }, .. }))
    }

    /// Lets `encode` append control frames to that frame: they leave right behind it.
    pub(super) fn follow_frame(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        if let Some(Long { len, work: Work::Stream { frame, .. } }) = &mut self.long {
            let before = frame.len();
            encode(frame);
            *len += frame.len() - before;
        }
    }

    pub(super) fn push(&mut self, behind: Behind) {
        self.behind_len += behind.len();
        let is_piece = |behind: &Behind| matches!(behind, Behind::Piece(_));
        let at = match is_piece(&behind) {
            true => self.behind.iter().take_while(|behind| is_piece(behind)).count(),
            false => self.behind.len(),
        };
        self.behind.insert(at, behind);
    }

    fn pop(&mut self) -> Option<Behind> {
        let behind = self.behind.pop_front()?;
        self.behind_len -= behind.len();
        Some(behind)
    }
}

impl Behind {
    fn len(&self) -> usize {
        OVERHEAD
            + match self {
                Self::Piece(piece) => piece.payload.len(),
                Self::Message(message) => message.payload.len(),
                Self::Close(payload) => payload.len(),
            }
    }
}

/// What is being done with it.
enum Work {
    /// Its payload goes through the codecs over messages.
    Payload { head: Head, cut: usize, encoding: Encoding<Bytes> },
    /// So it does for all connections that send it.
    Shared { head: Head, payload: Bytes, prepared: Prepared },
    /// It is cut to frames of so many bytes, and each goes through the codecs over frames.
    Frames { head: Head, cut: usize, rest: Bytes, encoding: Option<Encoding<Bytes>> },
    /// A frame of it goes through the filter over all frames.
    Stream { frame: Vec<u8>, at: usize, next: Option<Box<Self>> },
}

impl Connection {
    /// How many bytes are encoded at once, of whatever is sent; all that there are where nothing encodes.
    pub(crate) fn slice_len(&mut self) -> usize {
        self.extensions.as_mut().map_or(usize::MAX, |chain| chain.slice_len())
    }

    /// Whether what is sent passes through codecs.
    pub(crate) fn has_codecs(&self) -> bool {
        self.extensions.is_some()
    }

    /// Whether something long is on its way through codecs, or what waits behind it is to be queued.
    #[inline]
    pub(crate) fn is_encoding(&self) -> bool {
        self.outbound.coding.as_ref().is_some_and(|coding| coding.is_busy())
    }

    /// Whether something waits for the end of a message that is being written.
    pub(crate) fn has_behind_written(&self) -> bool {
        self.outbound
            .coding
            .as_ref()
            .is_some_and(|coding| coding.is_written() && !coding.behind.is_empty())
    }

    /// Begins to encode a long message.
    pub(super) fn start_work(&mut self, message: Waiting) {
        let long = self.work_for(message);
        self.outbound.coding = Some(Box::new(Coding { long, ..Coding::new() }));
    }

    /// Encodes the next slice of what is long, and begins with what waits behind it; says whether there is
    /// more. It costs half a millisecond or so.
    pub(crate) fn encode_slice(&mut self) -> bool {
        if !self.is_encoding() {
            return false;
        }
        let Some(mut coding) = self.outbound.coding.take() else { return false };
        self.deadlines.coded();
        match coding.long.take() {
            Some(Long { len, work }) => {
                coding.long = self.advance(work).map(|work| Long { len, work });
            }
            None => self.go_on_behind(&mut coding),
        }
        self.outbound.coding = Some(coding);
        self.drop_idle_coding();
        self.is_encoding()
    }

    /// Once nothing waits behind a message, messages need no more than before.
    pub(super) fn drop_idle_coding(&mut self) {
        if self.outbound.coding.as_ref().is_some_and(|coding| coding.is_done()) {
            self.outbound.coding = None;
            self.outbound.lane = self.lane();
            self.release_extensions();
        }
    }

    /// Queues what waited, as much as makes a slice, or up to the next that is long.
    fn go_on_behind(&mut self, coding: &mut Coding) {
        let (slice, mut done) = (self.slice_len(), 0);
        while done < slice.min(Chain::ENCODE_SLICE)
            && coding.is_busy()
            && let Some(behind) = coding.pop()
        {
            done += behind.len();
            match behind {
                Behind::Piece(piece) if piece.payload.len() > slice => {
                    coding.long = self.work_for_piece(piece);
                    return;
                }
                Behind::Piece(Piece { head, payload, encodes }) => {
                    let payload = Payload::Owned(payload);
                    self.queue_piece_at_once(Piece { head, payload, encodes });
                }
                Behind::Message(message) if message.payload.len() > slice => {
                    coding.long = self.work_for(message);
                    return;
                }
                Behind::Message(Waiting { opcode, payload, compress, prepared }) => {
                    let payload = Payload::Owned(payload);
                    self.queue_encoded(opcode, payload, compress, prepared.as_ref());
                }
                Behind::Close(payload) => {
                    self.queue_control(Opcode::Close, &payload);
                    self.outbound.behind_close = 0;
                }
            }
        }
    }

    /// What is to be done for a long message.
    fn work_for(&mut self, message: Waiting) -> Option<Long> {
        let chain = self.extensions.as_mut()?;
        let Waiting { opcode, payload, compress, prepared } = message;
        let len = payload.len();
        let cut = self.config.fragment_size.unwrap_or(usize::MAX);
        let head = Head { opcode, rsv: Rsv::NONE, last: true, compress };
        // What is shared is the payload of a single frame.
        let work = match prepared.filter(|_| len <= cut) {
            Some(prepared) => Work::Shared { head, payload, prepared },
            None => {
                let encoding = chain.start_message(payload, compress);
                Work::Payload { head, cut, encoding }
            }
        };
        Some(Long { len, work })
    }

    /// The same for a long piece of one, whose frame it is.
    fn work_for_piece(&mut self, piece: Piece) -> Option<Long> {
        let chain = self.extensions.as_mut()?;
        let Piece { head, payload, encodes } = piece;
        let (len, cut) = (payload.len(), usize::MAX);
        let work = match encodes {
            true => Work::Payload { head, cut, encoding: chain.start_piece(payload, head.last) },
            false => Work::Frames { head, cut, rest: payload, encoding: None },
        };
        Some(Long { len, work })
    }

    fn advance(&mut self, work: Work) -> Option<Work> {
        let cut = self.config.fragment_size.unwrap_or(usize::MAX);
        let slice = self.slice_len();
        let chain = self.extensions.as_mut()?;
        match work {
            Work::Payload { head, cut, encoding } => match chain.advance(encoding, slice) {
                Step::More(encoding) => Some(Work::Payload { head, cut, encoding }),
                Step::Done(encoded) => {
                    // Only the first frame of a message has the bits of codecs over messages.
                    let is_first = head.opcode != Opcode::Continuation;
                    let rsv = if is_first { encoded.rsv() } else { Rsv::NONE };
                    let (head, rest) = (Head { rsv, ..head }, bytes(encoded));
                    Some(Work::Frames { head, cut, rest, encoding: None })
                }
            },
            Work::Shared { head, payload, prepared } => {
                match prepared.advance(chain, &payload, head.compress) {
                    // Whichever connection comes next encodes the next slice.
                    SharedStep::More => Some(Work::Shared { head, payload, prepared }),
                    SharedStep::Encoded(encoded) => {
                        // It is what a frame carries already, whatever the codec is over.
                        let rsv = chain.sent_shared(&payload);
                        self.queue_coded(true, rsv, head.opcode, encoded, None)
                    }
                    // There is none to share here, or it would not pay: as any other message.
                    SharedStep::AsIs => {
                        let encoding = chain.start_message(payload, head.compress);
                        Some(Work::Payload { head, cut, encoding })
                    }
                }
            }
            Work::Frames { head, cut, rest, encoding } => {
                self.advance_frames(head, cut, rest, encoding)
            }
            Work::Stream { frame, at, next } => {
                // Encoded bytes of a frame may leave before its last ones exist, so nothing else may be
                // encoded until they do: the peer would find it within the frame.
                let end = frame.len().min(at + slice);
                if let Some(codec) = chain.stream() {
                    self.outbound.outbox.append(|out| codec.encode(&frame[at..end], out));
                }
                if end < frame.len() {
                    return Some(Work::Stream { frame, at: end, next });
                }
                next.map(|work| *work)
            }
        }
    }

    /// Queues the next frame of a message or a piece, or goes on with encoding it.
    fn advance_frames(
        &mut self,
        head: Head,
        cut: usize,
        mut rest: Bytes,
        encoding: Option<Encoding<Bytes>>,
    ) -> Option<Work> {
        let slice = self.slice_len();
        let per_frame = self.extensions.as_ref().is_some_and(|chain| chain.is_per_frame());
        let chain = self.extensions.as_mut()?;
        let (rsv, payload) = match encoding {
            Some(encoding) => match chain.advance(encoding, slice) {
                Step::More(encoding) => {
                    return Some(Work::Frames { head, cut, rest, encoding: Some(encoding) });
                }
                Step::Done(encoded) => (encoded.rsv(), bytes(encoded)),
            },
            None => {
                let payload = rest.split_to(rest.len().min(cut));
                if per_frame && payload.len() > slice {
                    let encoding = Some(chain.start_frame(payload, head.compress));
                    return Some(Work::Frames { head, cut, rest, encoding });
                }
                (Rsv::NONE, payload)
            }
        };
        let is_end = rest.is_empty();
        let fin = is_end && head.last;
        let Head { opcode, rsv: first, compress, .. } = head;
        let head = Head { opcode: Opcode::Continuation, rsv: Rsv::NONE, ..head };
        let more = (!is_end).then_some(Work::Frames { head, cut, rest, encoding: None });
        if rsv == Rsv::NONE && per_frame && payload.len() <= slice {
            self.queue_coded_frame(fin, first, opcode, Payload::Owned(payload), compress);
            return more;
        }
        self.queue_coded(fin, first | rsv, opcode, payload, more)
    }

    /// Queues a frame with which all but the filter have done, and behind it `more`.
    fn queue_coded(
        &mut self,
        fin: bool,
        rsv: Rsv,
        opcode: Opcode,
        payload: Bytes,
        more: Option<Work>,
    ) -> Option<Work> {
        // Without a filter there is nothing left to do that takes long.
        if self.filter.is_none() || payload.len() <= self.slice_len() {
            self.queue_frame(fin, rsv, opcode, Payload::Owned(payload));
            return more;
        }
        self.outbound.counted.count_frame(true, payload.len());
        let masking_key = self.masking_key();
        let payload_len = payload.len() as u64;
        let header = FrameHeader { fin, rsv, opcode, masking_key, payload_len };
        let mut frame = buffers::borrow_output();
        self.inbound.framing.encode(&mut frame, &header, &payload);
        Some(Work::Stream { frame, at: 0, next: more.map(Box::new) })
    }
}

fn bytes(encoded: Encoded<Bytes>) -> Bytes {
    match encoded {
        Encoded::AsIs(payload) => payload,
        Encoded::Coded { payload, .. } => payload.into(),
    }
}
