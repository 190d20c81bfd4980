//! Bytes: octets on their way through a channel, in blocks that the thread lends while there are many.

use core::cell::RefCell;
use core::mem;
use std::collections::VecDeque;

/// The size of a block. None ever grows beyond it, so that what a channel holds is never moved.
const BLOCK: usize = 16 * 1024;

/// From so many octets on, a block is lent. Before, room grows with what comes: a short message that nobody reads takes no
/// whole block.
const LENT_FROM: usize = 1024;

/// How many blocks a thread keeps: a mebibyte.
const KEPT: usize = 64;

thread_local! {
    static BLOCKS: RefCell<Vec<Vec<u8>>> = RefCell::default();
}

fn lend() -> Vec<u8> {
    let kept = BLOCKS.try_with(|blocks| blocks.borrow_mut().pop());
    kept.ok().flatten().unwrap_or_else(|| Vec::with_capacity(BLOCK))
}

fn give_back(mut block: Vec<u8>) {
    if block.capacity() != BLOCK {
        return;
    }
    block.clear();
    let _ = BLOCKS.try_with(|blocks| {
        let mut blocks = blocks.borrow_mut();
        if blocks.len() < KEPT {
            blocks.push(block);
        }
    });
}

/// Releases the blocks that this thread keeps for octets on their way through its channels, at most a mebibyte.
///
/// It is for threads that wait for one connection alone, before they do; `hybi::io::share_buffers` calls it. Threads
/// that serve many connections keep what they have.
///
/// ```
/// hybi_mux::release_buffers();
/// ```
pub fn release_buffers() {
    let _ = BLOCKS.try_with(|blocks| blocks.borrow_mut().clear());
}

/// A queue of octets.
#[derive(Debug, Default)]
pub(super) struct Bytes {
    /// The first block, of which so many octets were taken.
    front: Vec<u8>,
    taken: usize,
    rest: VecDeque<Vec<u8>>,
    len: usize,
}

impl Bytes {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn push(&mut self, mut octets: &[u8]) {
        self.len += octets.len();
        while !octets.is_empty() {
            let last = self.last(1, octets.len());
            let (fitting, more) = octets.split_at((BLOCK - last.len()).min(octets.len()));
            last.extend_from_slice(fitting);
            octets = more;
        }
    }

    /// Lets `write` append up to `most` octets, which lie next to each other.
    pub(super) fn append(&mut self, most: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let last = self.last(most, most);
        let before = last.len();
        write(last);
        let written = last.len() - before;
        self.len += written;
    }

    /// The last block, which has room for `least` octets more. So many are `coming`.
    fn last(&mut self, least: usize, coming: usize) -> &mut Vec<u8> {
        let last = self.rest.back().unwrap_or(&self.front);
        if BLOCK - last.len() < least {
            self.rest.push_back(Vec::new());
        }
        let last = self.rest.back_mut().unwrap_or(&mut self.front);
        if last.capacity() < BLOCK && last.len() + coming > LENT_FROM {
            let mut block = lend();
            block.extend_from_slice(last);
            *last = block;
        }
        last
    }

    /// The octets from the one at `at` on, in as many pieces as they lie in.
    pub(super) fn pieces(&self, at: usize) -> impl Iterator<Item = &[u8]> {
        let mut skip = self.taken + at;
        core::iter::once(&self.front).chain(&self.rest).filter_map(move |block| {
            let skipped = skip.min(block.len());
            skip -= skipped;
            let piece = &block[skipped..];
            (!piece.is_empty()).then_some(piece)
        })
    }

    /// Copies octets from the one at `at` on, as many as there are and fit; gives how many.
    pub(super) fn copy(&self, at: usize, out: &mut [u8]) -> usize {
        let mut copied = 0;
        for piece in self.pieces(at) {
            let len = piece.len().min(out.len() - copied);
            out[copied..copied + len].copy_from_slice(&piece[..len]);
            copied += len;
            if copied == out.len() {
                break;
            }
        }
        copied
    }

    /// Takes from the front.
    pub(super) fn advance(&mut self, octets: usize) {
        self.len -= octets;
        self.taken += octets;
        while self.taken >= self.front.len() && self.taken > 0 {
            self.taken -= self.front.len();
            let next = self.rest.pop_front().unwrap_or_default();
            give_back(mem::replace(&mut self.front, next));
        }
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        give_back(mem::take(&mut self.front));
        self.rest.drain(..).for_each(give_back);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_whatever_the_pieces() {
        for (write, read) in [(1, 1), (7, 3), (700, 1100), (20_000, 16_384), (16_384, 50_000)] {
            let (mut bytes, mut written, mut seen) = (Bytes::default(), 0_u32, 0_u32);
            for _ in 0..100 {
                let octets: Vec<u8> = (0..write).map(|at| (written + at) as u8).collect();
                written += write;
                bytes.push(&octets);
                let mut out = vec![0; read.min(bytes.len())];
                assert_eq!(bytes.copy(0, &mut out), out.len());
                assert!(out.iter().zip(seen..).all(|(octet, at)| *octet == at as u8));
                seen += out.len() as u32;
                bytes.advance(out.len());
                assert_eq!(bytes.len(), (written - seen) as usize);
            }
            let mut out = vec![0; bytes.len() + 10];
            assert_eq!(bytes.copy(0, &mut out), bytes.len());
            bytes.advance(bytes.len());
            assert!(bytes.is_empty() && bytes.front.capacity() == 0 && bytes.rest.is_empty());
        }
    }
}
