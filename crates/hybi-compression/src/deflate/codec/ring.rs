//! Ring: the last bytes of one direction as they are.

/// Up to so many bytes, written round and round.
#[derive(Debug)]
pub(super) struct Ring {
    most: usize,
    bytes: Vec<u8>,
    /// Where the oldest byte is.
    start: usize,
}

impl Ring {
    pub(super) const fn new(most: usize) -> Self {
        Self { most, bytes: Vec::new(), start: 0 }
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(self.most)..];
        let (front, back) = bytes.split_at(bytes.len().min(self.most - self.bytes.len()));
        let len = self.bytes.len() + front.len();
        if len > self.bytes.capacity() {
            let room = len.max(2 * self.bytes.capacity()).min(self.most);
            self.bytes.reserve_exact(room - self.bytes.len());
        }
        self.bytes.extend_from_slice(front);
        let (front, back) = back.split_at(back.len().min(self.bytes.len() - self.start));
        self.bytes[self.start..self.start + front.len()].copy_from_slice(front);
        self.bytes[..back.len()].copy_from_slice(back);
        if !back.is_empty() || self.start + front.len() == self.most {
            self.start = back.len();
        } else {
            self.start += front.len();
        }
    }

    /// All of them, oldest first, as they lie.
    pub(super) fn parts(&self) -> (&[u8], &[u8]) {
        let (newer, older) = self.bytes.split_at(self.start);
        (older, newer)
    }

    /// All of them, oldest first, in one piece.
    pub(super) fn bytes(&mut self) -> &[u8] {
        self.bytes.rotate_left(self.start);
        self.start = 0;
        &self.bytes
    }

    pub(super) fn clear(&mut self) {
        (self.bytes, self.start) = (Vec::new(), 0);
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.bytes.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_last_bytes_in_order() {
        for most in [1, 250, 512, 4096] {
            for step in [1, 7, 100, most, most + 1, 3 * most] {
                for read_every in [1, 3, 10] {
                    let (mut ring, mut all) = (Ring::new(most), Vec::new());
                    for round in 0..(5 * most / step).max(30) {
                        let bytes: Vec<u8> =
                            (0..step).map(|at| (at * 7 + round * round) as u8).collect();
                        ring.push(&bytes);
                        all.extend_from_slice(&bytes);
                        let last = &all[all.len().saturating_sub(most)..];
                        assert_eq!(ring.len(), last.len());
                        let (older, newer) = ring.parts();
                        assert!([older, newer].concat() == last, "{most} {step} {round}");
                        if round % read_every == 0 {
                            assert!(ring.bytes() == last, "{most} {step} {round}");
                        }
                    }
                    assert!(ring.bytes.capacity() <= most);
                }
            }
        }
    }
}
