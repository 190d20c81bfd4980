//! Inbound: the frames of a channel that came, as the octets of a connection of its own, without masks.

use hybi_frame::{FrameHeader, Opcode, Rsv};

use super::bytes::Bytes;
use crate::revision::Revision;

/// What came and was not read.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    bytes: Bytes,
    /// How many octets at the front are no frames: a handshake.
    head: usize,
    /// What is left of the frame at the front, once its first octet was read.
    left: usize,
    /// What that frame costs.
    cost: u64,
}

impl Inbound {
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Appends a handshake, before any frame.
    pub(super) fn push_head(&mut self, head: &[u8]) {
        self.bytes.push(head);
        self.head += head.len();
    }

    /// Appends a frame.
    pub(super) fn push(&mut self, fin: bool, rsv: Rsv, opcode: Opcode, payload: &[u8]) {
        let payload_len = payload.len() as u64;
        let header = FrameHeader { fin, rsv, opcode, masking_key: None, payload_len };
        self.bytes.append(FrameHeader::MAX_LEN, |out| header.encode(out));
        self.bytes.push(payload);
    }

    /// Appends the front of a frame with an opcode that is reserved, for the connection to judge.
    pub(super) fn push_reserved(&mut self, opcode: u8) {
        self.bytes.push(&[0x80 | opcode, 0]);
    }

    /// Appends the header of a control frame that is too long, for the connection to judge.
    pub(super) fn push_too_long(&mut self, opcode: Opcode) {
        self.bytes.push(&[0x80 | opcode.bits(), 126, 0, 126]);
    }

    /// Reads into `out`: how many octets, and what the frames cost whose last octet is among them.
    pub(super) fn read(&mut self, out: &mut [u8], revision: Revision) -> (usize, u64) {
        let len = self.bytes.copy(0, out);
        let mut at = self.head.min(len);
        self.head -= at;
        let mut cost = 0;
        while at < len {
            if self.left == 0 {
                let mut front = [0; FrameHeader::MAX_LEN];
                let known = self.bytes.copy(at, &mut front);
                (self.left, self.cost) = match FrameHeader::parse(&front[..known]) {
                    Ok(Some((header, header_len))) => {
                        let begins = header.opcode != Opcode::Continuation;
                        // As long as the memory that it lies in.
                        let len = header_len + header.payload_len as usize;
                        (len, revision.cost(begins, header.payload_len))
                    }
                    // The last one, which the connection fails of.
                    _ => (self.bytes.len() - at, 0),
                };
            }
            let step = self.left.min(len - at);
            at += step;
            self.left -= step;
            if self.left == 0 {
                cost += self.cost;
            }
        }
        self.bytes.advance(len);
        (len, cost)
    }
}
