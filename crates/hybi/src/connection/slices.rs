//! Slices: a long message on its way through codecs, a slice at a time, so that others have their turn;
//! and what waits to leave behind it.
//!
//! ```text
//!  queue --> Message: codecs over messages --> Frames: cut, codecs over frames --> outbox
//!    |                                              \--> Stream: the filter over all --> outbox
//!    \--> Behind: the next messages and our Close frame, while one is on its way
//! ```
//!
//! Whoever drives the connection goes on with it between two writes. Control frames pass meanwhile, except
//! in the middle of a frame that goes through the filter: what is encoded there is one stream, and they
//! leave right behind that frame. No other message passes: the history of codecs is that of the messages in
//! the order in which they leave. Nor does our Close frame, behind which no message may leave.
//!
//! Behind a message that is [written](super::written) as it comes others wait here as well.

use core::mem;
use std::collections::VecDeque;

use bytes::Bytes;
use hybi_compression::{Chain, Compress, Encoded, Encoding, Step};
use hybi_frame::{FrameHeader, Opcode, Payload, Rsv};

use super::{Connection, Prepared, buffers, outgoing::SharedStep, written::Written};

/// What a message that waits counts beside its payload, so that those without any are bounded as well: as
/// much as the longest frame header.
const OVERHEAD: usize = FrameHeader::MAX_LEN;

/// A message that is not all in the outbox yet, and what waits for it.
pub(super) struct Coding {
    message: InProgress,
    behind: VecDeque<Behind>,
    /// How many bytes wait in there.
    behind_len: usize,
}

/// What is not all in the outbox yet.
enum InProgress {
    /// It is between two messages.
    Nothing,
    Long(LongMessage),
    /// The application brings the rest.
    Written(Written),
}

/// A message that is longer than a slice and not all in the outbox yet.
struct LongMessage {
    /// How many bytes of payload it has.
    len: usize,
    work: Work,
}

/// What leaves behind a long message.
pub(super) enum Behind {
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

impl Coding {
    fn new(message: InProgress) -> Self {
        Self { message, behind: VecDeque::new(), behind_len: 0 }
    }

    pub(super) fn of(written: Written) -> Self {
        Self::new(InProgress::Written(written))
    }

    /// How many bytes wait to leave; of the message that is being encoded, those that it has.
    pub(super) fn len(&self) -> usize {
        let len = if let InProgress::Long(long) = &self.message { long.len } else { 0 };
        len + self.behind_len
    }

    fn is_done(&self) -> bool {
        matches!(self.message, InProgress::Nothing) && self.behind.is_empty()
    }

    /// Whether nothing is to be encoded before the application brings more.
    pub(super) fn is_written(&self) -> bool {
        matches!(self.message, InProgress::Written(_))
    }

    pub(super) fn written(&mut self) -> Option<&mut Written> {
        if let InProgress::Written(written) = &mut self.message { Some(written) } else { None }
    }

    pub(super) fn end_written(&mut self) {
        self.message = InProgress::Nothing;
    }

    /// Whether a frame has begun to leave whose end is still to be encoded: nothing passes it.
    pub(super) fn is_in_frame(&self) -> bool {
        matches!(&self.message, InProgress::Long(LongMessage { work: Work::Stream { .. }, .. }))
    }

    /// Lets `encode` append control frames to that frame: they leave right behind it.
    pub(super) fn follow_frame(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        let message = &mut self.message;
        if let InProgress::Long(LongMessage { len, work: Work::Stream { frame, .. } }) = message {
            let before = frame.len();
            encode(frame);
            *len += frame.len() - before;
        }
    }

    pub(super) fn push(&mut self, behind: Behind) {
        self.behind_len += behind.len();
        self.behind.push_back(behind);
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
                Self::Message(message) => message.payload.len(),
                Self::Close(payload) => payload.len(),
            }
    }
}

/// What is being done with it.
enum Work {
    /// Its payload goes through the codecs over messages.
    Message { opcode: Opcode, compress: Compress, encoding: Encoding<Bytes> },
    /// So it does for all connections that send it.
    Shared { opcode: Opcode, compress: Compress, payload: Bytes, prepared: Prepared },
    /// It is cut, and each frame goes through the codecs over frames.
    Frames { compress: Compress, next: Frame, rest: Bytes, encoding: Option<Encoding<Bytes>> },
    /// A frame of it goes through the filter over all frames.
    Stream { frame: Vec<u8>, at: usize, next: Option<Box<Self>> },
}

/// What the header of the next frame says.
#[derive(Clone, Copy)]
struct Frame {
    opcode: Opcode,
    rsv: Rsv,
}

impl Connection {
    /// Whether a long message is on its way through codecs, or others behind one are to be queued.
    pub(crate) fn is_encoding(&self) -> bool {
        self.outbound.coding.as_ref().is_some_and(|coding| !coding.is_written())
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
        let message = self.work_for(message);
        self.outbound.coding = Some(Box::new(Coding::new(message)));
    }

    /// Encodes the next slice of what is long, and begins with what waits behind it; says whether there is
    /// more. It costs half a millisecond or so.
    pub(crate) fn encode_slice(&mut self) -> bool {
        if !self.is_encoding() {
            return false;
        }
        let Some(mut coding) = self.outbound.coding.take() else { return false };
        self.deadlines.coded();
        match mem::replace(&mut coding.message, InProgress::Nothing) {
            InProgress::Long(LongMessage { len, work }) => {
                if let Some(work) = self.advance(work) {
                    coding.message = InProgress::Long(LongMessage { len, work });
                }
            }
            _ => self.go_on_behind(&mut coding),
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

    /// Queues what waited, as much as makes a slice, or up to the next long message.
    fn go_on_behind(&mut self, coding: &mut Coding) {
        let mut done = 0;
        while done < Chain::ENCODE_SLICE
            && let Some(behind) = coding.pop()
        {
            done += behind.len();
            match behind {
                Behind::Message(message) if self.extensions.is_none() => {
                    let outgoing = Payload::Owned(message.payload);
                    self.cut(message.opcode, outgoing, |this, fin, opcode, payload| {
                        this.queue_frame(fin, Rsv::NONE, opcode, payload);
                    });
                }
                Behind::Message(message) if message.payload.len() > Chain::ENCODE_SLICE => {
                    coding.message = self.work_for(message);
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
    fn work_for(&mut self, message: Waiting) -> InProgress {
        let Some(chain) = self.extensions.as_mut() else { return InProgress::Nothing };
        let Waiting { opcode, payload, compress, prepared } = message;
        let len = payload.len();
        // What is shared is the payload of a single frame.
        let whole = self.config.fragment_size.is_none_or(|size| len <= size);
        let work = match prepared.filter(|_| whole) {
            Some(prepared) => Work::Shared { opcode, compress, payload, prepared },
            None => {
                let encoding = chain.start_message(payload, compress);
                Work::Message { opcode, compress, encoding }
            }
        };
        InProgress::Long(LongMessage { len, work })
    }

    fn advance(&mut self, work: Work) -> Option<Work> {
        let chain = self.extensions.as_mut()?;
        match work {
            Work::Message { opcode, compress, encoding } => {
                match chain.advance(encoding, Chain::ENCODE_SLICE) {
                    Step::More(encoding) => Some(Work::Message { opcode, compress, encoding }),
                    Step::Done(encoded) => Some(frames(opcode, compress, encoded)),
                }
            }
            Work::Shared { opcode, compress, payload, prepared } => {
                match prepared.advance(chain, &payload, compress) {
                    // Whichever connection comes next encodes the next slice.
                    SharedStep::More => Some(Work::Shared { opcode, compress, payload, prepared }),
                    SharedStep::Encoded(encoded) => {
                        // It is what a frame carries already, whatever the codec is over.
                        let rsv = chain.sent_shared(&payload);
                        self.queue_coded(true, rsv, opcode, encoded, None)
                    }
                    // There is none to share here, or it would not pay: as any other message.
                    SharedStep::AsIs => {
                        let encoding = chain.start_message(payload, compress);
                        Some(Work::Message { opcode, compress, encoding })
                    }
                }
            }
            Work::Frames { compress, next, rest, encoding } => {
                self.advance_frames(compress, next, rest, encoding)
            }
            Work::Stream { frame, at, next } => {
                // Encoded bytes of a frame may leave before its last ones exist, so nothing else may be
                // encoded until they do: the peer would find it within the frame.
                let end = frame.len().min(at + Chain::ENCODE_SLICE);
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

    /// Queues the next frame of a message, or goes on with encoding it.
    fn advance_frames(
        &mut self,
        compress: Compress,
        next: Frame,
        mut rest: Bytes,
        encoding: Option<Encoding<Bytes>>,
    ) -> Option<Work> {
        let per_frame = self.extensions.as_ref().is_some_and(|chain| chain.is_per_frame());
        let chain = self.extensions.as_mut()?;
        let (rsv, payload) = match encoding {
            Some(encoding) => match chain.advance(encoding, Chain::ENCODE_SLICE) {
                Step::More(encoding) => {
                    let encoding = Some(encoding);
                    return Some(Work::Frames { compress, next, rest, encoding });
                }
                Step::Done(encoded) => (encoded.rsv(), bytes(encoded)),
            },
            None => {
                let len = rest.len().min(self.config.fragment_size.unwrap_or(usize::MAX));
                let payload = rest.split_to(len);
                if per_frame && len > Chain::ENCODE_SLICE {
                    let encoding = Some(chain.start_frame(payload, compress));
                    return Some(Work::Frames { compress, next, rest, encoding });
                }
                (Rsv::NONE, payload)
            }
        };
        // Only the first frame of a message has its opcode and the bits of codecs over messages.
        let fin = rest.is_empty();
        let Frame { opcode, rsv: first } = next;
        let next = Frame { opcode: Opcode::Continuation, rsv: Rsv::NONE };
        let more = (!fin).then_some(Work::Frames { compress, next, rest, encoding: None });
        if rsv == Rsv::NONE && per_frame && payload.len() <= Chain::ENCODE_SLICE {
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
        if self.filter.is_none() || payload.len() <= Chain::ENCODE_SLICE {
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

/// What is left to do when the codecs over messages are done.
fn frames(opcode: Opcode, compress: Compress, encoded: Encoded<Bytes>) -> Work {
    let next = Frame { opcode, rsv: encoded.rsv() };
    Work::Frames { compress, next, rest: bytes(encoded), encoding: None }
}

fn bytes(encoded: Encoded<Bytes>) -> Bytes {
    match encoded {
        Encoded::AsIs(payload) => payload,
        Encoded::Coded { payload, .. } => payload.into(),
    }
}
