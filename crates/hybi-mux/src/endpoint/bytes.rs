//! Bytes: octets on their way through a channel, which take no room when there are none.

/// From so many on, those that were taken are cut off.
const COMPACT_FROM: usize = 16 * 1024;

/// A queue of octets.
#[derive(Debug, Default)]
pub(super) struct Bytes {
    buf: Vec<u8>,
    /// How many at the front were taken.
    taken: usize,
}

impl Bytes {
    pub(super) fn len(&self) -> usize {
        self.buf.len() - self.taken
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.buf[self.taken..]
    }

    pub(super) fn push(&mut self, octets: &[u8]) {
        self.buf.extend_from_slice(octets);
    }

    /// Lets `write` append.
    pub(super) fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.buf);
    }

    /// Takes from the front.
    pub(super) fn advance(&mut self, octets: usize) {
        self.taken += octets;
        if self.taken == self.buf.len() {
            // An idle channel holds no room.
            *self = Self::default();
        } else if self.taken >= COMPACT_FROM && self.taken >= self.len() {
            self.buf.drain(..self.taken);
            self.taken = 0;
        }
    }
}
