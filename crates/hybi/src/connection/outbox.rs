//! Outbox: what waits to be written to the transport, as a list of owned segments.

use core::mem;
use std::{collections::VecDeque, io::IoSlice};

use bytes::Bytes;
use hybi_frame::FrameHeader;

use super::buffers;

/// The tail is closed and a new one begun at this length, so that no buffer grows without end.
const TAIL_LEN: usize = 64 * 1024;

/// So many bytes need no buffer of their own.
const FEW: usize = FrameHeader::MAX_LEN;

/// Encoded bytes in order: the queue first, then the tail.
///
/// Small frames are copied together into the tail, which is lent by the thread while it holds
/// anything; long payloads stand in the queue as they are. `unsent` is their length in all.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: VecDeque<Segment>,
    tail: Vec<u8>,
    /// Bytes of the foremost segment (the tail, if the queue is empty) that have left already.
    front_sent: usize,
    unsent: usize,
}

#[derive(Debug)]
enum Segment {
    /// Frames that were copied together.
    Frames(Vec<u8>),
    /// The same, so few bytes that they need no buffer: mostly the header of the payload behind them.
    Few(u8, [u8; FEW]),
    /// One payload, shared with the application.
    Payload(Bytes),
}

impl Segment {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Frames(frames) => frames,
            Self::Few(len, bytes) => &bytes[..usize::from(*len).min(FEW)],
            Self::Payload(payload) => payload,
        }
    }
}

impl Outbox {
    /// How many bytes have not left yet.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.unsent
    }

    /// Lets `encode` append to the tail.
    #[inline]
    pub(super) fn append(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        if self.tail.capacity() == 0 || self.tail.len() >= TAIL_LEN {
            self.begin_tail();
        }
        let before = self.tail.len();
        encode(&mut self.tail);
        self.unsent += self.tail.len() - before;
    }

    #[inline(never)]
    fn begin_tail(&mut self) {
        self.close_tail();
        self.tail = buffers::borrow_output();
    }

    /// Queues a payload as it is, behind everything appended so far.
    pub(super) fn append_payload(&mut self, payload: Bytes) {
        if self.queue.capacity() == 0 {
            // It is given back when all has left, which is soon if payloads are long.
            self.queue.reserve(16);
        }
        self.close_tail();
        self.unsent += payload.len();
        self.queue.push_back(Segment::Payload(payload));
    }

    fn close_tail(&mut self) {
        // An empty tail has nothing to say; a sent part of it is accounted for by `front_sent`
        // exactly when the queue is empty, and then this segment becomes the foremost one.
        if self.tail.is_empty() {
            return;
        }
        let mut few = [0; FEW];
        let segment = match few.get_mut(..self.tail.len()) {
            Some(bytes) => {
                bytes.copy_from_slice(&self.tail);
                let len = bytes.len() as u8;
                self.tail.clear();
                Segment::Few(len, few)
            }
            None => Segment::Frames(mem::take(&mut self.tail)),
        };
        self.queue.push_back(segment);
    }

    /// Fills `slices` with the foremost bytes; returns how many slices were used.
    pub(super) fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let segments = self.queue.iter().map(Segment::as_slice).chain([self.tail.as_slice()]);
        let mut skip = self.front_sent;
        let mut used = 0;
        for (segment, slice) in segments.zip(slices) {
            *slice = IoSlice::new(&segment[mem::take(&mut skip)..]);
            used += 1;
        }
        used
    }

    /// All that waits, if it lies in one piece.
    #[inline]
    pub(super) fn only_slice(&self) -> Option<&[u8]> {
        self.queue.is_empty().then(|| &self.tail[self.front_sent..])
    }

    /// Drops `len` bytes from the front: they have left.
    pub(super) fn sent(&mut self, len: usize) {
        self.unsent = self.unsent.saturating_sub(len);
        self.front_sent += len;
        while let Some(front) = self.queue.front() {
            let front_len = front.as_slice().len();
            if self.front_sent < front_len {
                return;
            }
            self.front_sent -= front_len;
            if let Some(Segment::Frames(frames)) = self.queue.pop_front() {
                buffers::return_output(frames);
            }
        }
        if self.front_sent >= self.tail.len() {
            self.clear();
        }
    }

    /// Forgets everything and gives the buffers back.
    pub(super) fn clear(&mut self) {
        buffers::return_output(mem::take(&mut self.tail));
        // A queue that was needed once would otherwise keep its space while the connection idles.
        if self.queue.capacity() > 0 {
            self.queue = VecDeque::new();
        }
        self.front_sent = 0;
        self.unsent = 0;
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.clear();
    }
}
