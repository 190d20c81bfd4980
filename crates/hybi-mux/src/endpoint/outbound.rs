//! Outbound: what the connection of a channel writes, cut into frames of the channel that fit the quota.

use hybi_frame::{FrameError, FrameHeader, Opcode, Rsv};

use super::bytes::Bytes;
use crate::channel_id::ChannelId;
use crate::flow::SendQuota;
use crate::message::LogicalFrame;

/// A channel id of four octets at the most, and the first octet of a frame.
const HEADER: usize = 5;

/// What was written and not sent: whole frames of RFC 6455 without masks, the last perhaps in part.
#[derive(Debug, Default)]
pub(super) struct Outbound {
    bytes: Bytes,
    /// The frame whose header was taken from the front.
    frame: Option<Cutting>,
}

/// A frame that leaves, in one piece or several.
#[derive(Clone, Copy, Debug)]
struct Cutting {
    header: FrameHeader,
    /// What is left of its payload.
    left: u64,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    First,
    Later,
}

/// What left, and what that means for the channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left {
    pub(super) payload_len: usize,
    /// The last piece of a Close frame.
    pub(super) is_close: bool,
}

impl Outbound {
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether all that was written left.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.frame.is_none()
    }

    /// Whether all that was written may leave: nobody has to grant more. What there is costs less than its octets, since
    /// a header has two.
    pub(super) fn fits(&self, quota: &SendQuota) -> bool {
        self.is_empty() || (self.bytes.len() as u64) < quota.left()
    }

    pub(super) fn push(&mut self, octets: &[u8]) {
        self.bytes.push(octets);
    }

    /// Appends the next frame to `out`, with at most `most` octets of payload; `None` if there is none, or none yet.
    pub(super) fn pop(
        &mut self,
        channel: ChannelId,
        quota: &mut SendQuota,
        most: usize,
        out: &mut Vec<u8>,
    ) -> Result<Option<Left>, FrameError> {
        let Some(Cutting { header, left, place }) = self.at_the_front()? else { return Ok(None) };
        let begins = place == Place::First && header.opcode != Opcode::Continuation;
        let Some(room) = quota.room(begins, left) else { return Ok(None) };
        let len = self.bytes.len().min(most).min(usize::try_from(room).unwrap_or(usize::MAX));
        if len == 0 && left > 0 {
            return Ok(None);
        }
        let is_last = len as u64 == left;
        let (opcode, rsv) = match place {
            Place::First => (header.opcode, header.rsv),
            Place::Later => (Opcode::Continuation, Rsv::NONE),
        };
        let fin = header.fin && is_last;
        out.reserve(HEADER + len);
        LogicalFrame { channel, fin, rsv, opcode, payload: &[] }.encode(out);
        let mut missing = len;
        for piece in self.bytes.pieces(0) {
            let piece = &piece[..piece.len().min(missing)];
            out.extend_from_slice(piece);
            missing -= piece.len();
            if missing == 0 {
                break;
            }
        }
        quota.spend(begins, len as u64);
        self.bytes.advance(len);
        let left = left - len as u64;
        self.frame = (!is_last).then_some(Cutting { header, left, place: Place::Later });
        let is_close = is_last && header.opcode == Opcode::Close;
        Ok(Some(Left { payload_len: len, is_close }))
    }

    /// The frame that leaves next, if its header is there.
    fn at_the_front(&mut self) -> Result<Option<Cutting>, FrameError> {
        let mut front = [0; FrameHeader::MAX_LEN];
        let front = match self.frame {
            None => {
                let len = self.bytes.copy(0, &mut front);
                &front[..len]
            }
            Some(_) => return Ok(self.frame),
        };
        if let Some((header, len)) = FrameHeader::parse(front)? {
            self.bytes.advance(len);
            let left = header.payload_len;
            self.frame = Some(Cutting { header, left, place: Place::First });
        }
        Ok(self.frame)
    }
}
