//! History: the bytes that the next message may refer back to, as few as possible of them
//! (RFC 7692 §7.1.1).

use super::pool::{Deflater, Inflater, Kind};

/// The last bytes of one direction, up to its window.
///
/// A state of the library has them as well, but none gives them back; this copy is what a parked
/// connection keeps in its place.
#[derive(Debug)]
pub(super) struct History {
    /// The most bytes that can be referred back to.
    window: usize,
    /// Those before `recent`, compressed.
    packed: Option<Packed>,
    /// Written round and round once it has the size of the window.
    recent: Vec<u8>,
    /// Where the oldest byte of `recent` is.
    start: usize,
    /// Bytes that came since compressing them was last tried.
    fresh: usize,
}

#[derive(Debug)]
struct Packed {
    bytes: Box<[u8]>,
    /// How many they stand for.
    len: usize,
}

impl History {
    pub(super) fn new(window_bits: u8) -> Self {
        let window = 1 << window_bits;
        Self { window, packed: None, recent: Vec::new(), start: 0, fresh: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packed.is_none() && self.recent.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.packed = None;
        self.recent.clear();
        self.start = 0;
        self.fresh = 0;
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.fresh = self.fresh.saturating_add(bytes.len());
        let bytes = &bytes[bytes.len().saturating_sub(self.window)..];
        let (front, back) = bytes.split_at(bytes.len().min(self.window - self.recent.len()));
        let len = self.recent.len() + front.len();
        if len > self.recent.capacity() {
            let room = len.max(2 * self.recent.capacity()).min(self.window);
            self.recent.reserve_exact(room - self.recent.len());
        }
        self.recent.extend_from_slice(front);
        let (front, back) = back.split_at(back.len().min(self.recent.len() - self.start));
        self.recent[self.start..self.start + front.len()].copy_from_slice(front);
        self.recent[..back.len()].copy_from_slice(back);
        if !back.is_empty() || self.start + front.len() == self.window {
            self.start = back.len();
        } else {
            self.start += front.len();
        }
        if self.recent.len() == self.window {
            self.packed = None;
        }
    }

    /// All of it, oldest first.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let packed = self.packed.as_ref();
        let len = packed.map_or(0, |packed| packed.len);
        let mut bytes = Vec::with_capacity(len + self.recent.len());
        if let Some(packed) = packed {
            bytes.resize(len, 0);
            Inflater::take().inflate(&packed.bytes, &mut bytes);
        }
        let (newer, older) = self.recent.split_at(self.start);
        bytes.extend_from_slice(older);
        bytes.extend_from_slice(newer);
        bytes.drain(..bytes.len().saturating_sub(self.window));
        bytes
    }

    /// Whether [`pack`](Self::pack) is worth its time, which all that there is takes: part of that
    /// has to be new.
    pub(super) fn is_packable(&self) -> bool {
        let packed = self.packed.as_ref().map_or(0, |packed| packed.len);
        self.fresh >= PACK_MIN.max((packed + self.recent.len()) / 8)
    }

    /// Gives back all memory that can be done without.
    pub(super) fn pack(&mut self) {
        if self.is_packable() {
            self.fresh = 0;
            self.recent = self.bytes();
            self.start = 0;
            self.packed = pack(&self.recent);
            if self.packed.is_some() {
                self.recent = Vec::new();
            }
        }
        self.recent.shrink_to_fit();
    }
}

fn pack(bytes: &[u8]) -> Option<Packed> {
    let mut packed = Vec::new();
    let smaller =
        Deflater::take(PACKING).finish(bytes, &mut packed) && packed.len() < bytes.len() / 4 * 3;
    smaller.then(|| Packed { bytes: packed.into_boxed_slice(), len: bytes.len() })
}

/// The fewest new bytes.
const PACK_MIN: usize = 2048;

/// Fast: what a connection exchanges is like itself, so that the rest gives little more.
const PACKING: Kind = Kind { level: 1, window_bits: 15 };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_last_bytes_in_order() {
        for bits in [8, 9, 12] {
            let window = 1 << bits;
            for step in [1, 7, 100, window - 1, window, window + 1, 3 * window] {
                for pack_every in [usize::MAX, 1, 3, 10] {
                    let (mut history, mut all) = (History::new(bits), Vec::new());
                    for round in 0..(5 * window / step).max(5) {
                        let bytes: Vec<u8> =
                            (0..step).map(|at| (at * 7 + round * round) as u8).collect();
                        history.push(&bytes);
                        all.extend_from_slice(&bytes);
                        if round % pack_every == 0 {
                            history.pack();
                        }
                        let last = &all[all.len().saturating_sub(window)..];
                        assert!(history.bytes() == last, "{bits} {step} {pack_every} {round}");
                    }
                }
            }
        }
    }

    #[test]
    fn packed_it_is_smaller() {
        let mut history = History::new(15);
        let text = "{\"id\":17,\"kind\":\"trade\",\"price\":\"1.2500\"}".repeat(250);
        history.push(text.as_bytes());
        assert!(history.is_packable());
        history.pack();
        assert!(!history.is_packable() && history.recent.capacity() == 0);
        assert!(history.packed.as_ref().is_some_and(|packed| packed.bytes.len() < 1000));
        assert_eq!(history.bytes(), text.as_bytes());

        history.clear();
        assert!(history.is_empty() && history.bytes().is_empty());
    }
}
