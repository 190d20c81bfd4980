//! Inbound: the frames of a channel that came, as the octets of a connection of its own, without masks.

use hybi_frame::{Opcode, Rsv};

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
        let first = u8::from(fin) << 7 | rsv.bits() | opcode.bits();
        match payload_len {
            0..126 => self.bytes.push(&[first, payload_len as u8]),
            126..65_536 => {
                let [high, low] = (payload_len as u16).to_be_bytes();
                self.bytes.push(&[first, 126, high, low]);
            }
            _ => {
                let mut header = [first, 127, 0, 0, 0, 0, 0, 0, 0, 0];
                header[2..].copy_from_slice(&payload_len.to_be_bytes());
                self.bytes.push(&header);
            }
        }
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
                let mut header = [0; MAX_HEADER];
                let _ = self.bytes.copy(at, &mut header);
                (self.left, self.cost) = size_and_cost(header, revision);
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

/// The longest header of a frame that is not masked.
const MAX_HEADER: usize = 10;

/// How many octets the frame at the front has, and what it costs. It was encoded here, so all of its header is there.
fn size_and_cost(header: [u8; MAX_HEADER], revision: Revision) -> (usize, u64) {
    let [first, short, a, b, c, d, e, f, g, h] = header;
    let (header, len) = match short {
        126 => (4, u64::from(u16::from_be_bytes([a, b]))),
        127 => (10, u64::from_be_bytes([a, b, c, d, e, f, g, h])),
        _ => (2, u64::from(short)),
    };
    let begins = first & 0x0f != Opcode::Continuation.bits();
    // As long as the memory that it lies in.
    (header + len as usize, revision.cost(begins, len))
}
