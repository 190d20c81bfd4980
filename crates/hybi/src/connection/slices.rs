//! Slices: a long message on its way through codecs, a slice at a time, so that others have their turn.
//!
//! ```text
//!  queue --> Message: codecs over messages --> Frames: cut, codecs over frames --> outbox
//!                                                   \--> Stream: the filter over all --> outbox
//! ```
//!
//! Whoever drives the connection goes on with it between two writes. Control frames pass meanwhile, except
//! in the middle of a frame that goes through the filter: what is encoded there is one stream. No other
//! message does: the history of codecs is that of the messages in the order in which they leave.

use bytes::Bytes;
use hybi_compression::{Chain, Compress, Encoded, Encoding, Step};
use hybi_frame::{FrameHeader, Opcode, Payload, Rsv};

use super::{Connection, Prepared, buffers, outgoing::SharedStep};

/// A message that is longer than a slice and not all in the outbox yet.
pub(super) struct LongMessage {
    /// How many bytes of payload it has.
    pub(super) len: usize,
    work: Work,
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
    /// Whether a long message is on its way through codecs.
    pub(crate) fn is_encoding(&self) -> bool {
        self.outbound.work.is_some()
    }

    /// Whether a frame has begun to leave whose end is still to be encoded: nothing passes it.
    pub(super) fn is_encoding_frame(&self) -> bool {
        self.outbound.work.as_ref().is_some_and(|long| matches!(long.work, Work::Stream { .. }))
    }

    /// Begins to encode a long message.
    pub(super) fn start_work(
        &mut self,
        opcode: Opcode,
        payload: Bytes,
        compress: Compress,
        prepared: Option<Prepared>,
    ) {
        let Some(chain) = &mut self.extensions else { return };
        let len = payload.len();
        let work = match prepared {
            Some(prepared) => Work::Shared { opcode, compress, payload, prepared },
            None => {
                let encoding = chain.start_message(payload, compress);
                Work::Message { opcode, compress, encoding }
            }
        };
        self.outbound.work = Some(Box::new(LongMessage { len, work }));
    }

    /// Encodes the next slice of a long message; says whether there is more. It costs half a millisecond
    /// or so.
    pub(crate) fn encode_slice(&mut self) -> bool {
        if let Some(long) = self.outbound.work.take() {
            self.deadlines.coded();
            let LongMessage { len, work } = *long;
            let work = self.advance(work);
            self.outbound.work = work.map(|work| Box::new(LongMessage { len, work }));
        }
        self.is_encoding()
    }

    /// Encodes all that is left of a long message, because something has to leave behind it.
    pub(super) fn finish_encoding(&mut self) {
        while self.encode_slice() {}
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
                        let rsv = chain.sent_shared(&payload);
                        let next = Frame { opcode, rsv };
                        Some(Work::Frames { compress, next, rest: encoded, encoding: None })
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
        // Without a filter there is nothing left to do that takes long.
        if self.filter.is_none() || payload.len() <= Chain::ENCODE_SLICE {
            self.queue_frame(fin, first | rsv, opcode, Payload::Owned(payload));
            return more;
        }
        let masking_key = self.masking_key();
        let payload_len = payload.len() as u64;
        let header = FrameHeader { fin, rsv: first | rsv, opcode, masking_key, payload_len };
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
