//! zlib-rs, without flate2 in between: it stops where a block ends, and takes a history without
//! decompressing it.

use zlib_rs::{Deflate, DeflateFlush, Inflate, InflateFlush, Status};

use super::{End, Flush, Inflated, Payload};
use crate::deflate::codec::pool::Kind;

pub(in super::super) struct Compressor(Box<Deflate>);

impl Compressor {
    pub(in super::super) fn new(Kind { level, window_bits }: Kind) -> Self {
        // A window of 8 bits is not to be had, and not needed: with 9, nothing refers back more than
        // 512 - 262 = 250 bytes, since matches stop short of the end of the window by the longest
        // of them and what is read ahead to find them.
        Self(Box::new(Deflate::new(level.into(), false, window_bits.clamp(9, 15))))
    }

    /// What one takes, in bytes: twice the window, links between what is alike in it, and whatever
    /// the window the heads of these and what waits to be written.
    pub(in super::super) fn size(Kind { window_bits, .. }: Kind) -> usize {
        (4 << window_bits.max(9)) + (200 << 10)
    }

    pub(in super::super) fn reset(&mut self) {
        self.0.reset();
    }

    pub(in super::super) fn remember(&mut self, bytes: &[u8]) -> bool {
        self.0.set_dictionary(bytes).is_ok()
    }

    /// Appends up to `room` bytes of what it makes of `input`, and says how much of that it used up.
    /// `None`: it gives up.
    pub(super) fn deflate(
        &mut self,
        input: &[u8],
        flush: Flush,
        out: &mut Vec<u8>,
        room: usize,
    ) -> Option<usize> {
        let flush = match flush {
            Flush::No => DeflateFlush::NoFlush,
            Flush::Yes => DeflateFlush::SyncFlush,
        };
        let (total_in, total_out, start) = (self.0.total_in(), self.0.total_out(), out.len());
        out.resize(start + room, 0);
        let status = self.0.compress(input, &mut out[start..], flush);
        out.truncate(start + (self.0.total_out() - total_out) as usize);
        status.ok()?;
        Some((self.0.total_in() - total_in) as usize)
    }
}

pub(in super::super) struct Decompressor(Box<Inflate>);

impl Decompressor {
    /// What one takes, in bytes.
    pub(in super::super) const SIZE: usize = 48 << 10;

    pub(in super::super) fn new() -> Self {
        Self(Box::new(Inflate::new(false, 15)))
    }

    pub(in super::super) fn reset(&mut self) {
        self.0.reset(false);
    }

    /// Lets what comes next refer back to these bytes, at most a window of them.
    pub(in super::super) fn remember(&mut self, bytes: &[u8]) -> bool {
        self.0.set_dictionary(bytes).is_ok()
    }

    /// As much as there is input, or room for what comes of it; whether that was DEFLATE data.
    pub(in super::super) fn inflate(&mut self, input: &[u8], out: &mut [u8]) -> (Inflated, bool) {
        self.step(input, out, InflateFlush::NoFlush)
    }

    /// Makes sure that a payload ended with a block, and ends the one whose tail was taken off.
    pub(in super::super) fn end(&mut self, payload: Payload) -> End {
        if !payload.has_tail() {
            match self.next_block([0x00, 0x00, 0xff, 0xff, 0x00]) {
                Some(Inflated { taken: 4, .. }) if self.is_after_final() => return End::Final,
                Some(Inflated { taken: 4, .. }) => {}
                _ => return End::Inside,
            }
        }
        // Tables that the tail was taken for may have had the end of their block in it as well, with
        // some of its bits to spare. To these, an empty block is not one.
        match self.next_block([0x00, 0x00, 0x00, 0xff, 0xff, 0x00]) {
            Some(Inflated { taken: 5, end: false, .. }) => End::Flushed,
            _ => End::Inside,
        }
    }

    /// Whether the block that has just ended was a final one: that is told at the next step alone.
    fn is_after_final(&mut self) -> bool {
        self.step(&[], &mut [], InflateFlush::NoFlush).0.end
    }

    /// Goes on to the end of the next block; `None` if that gives anything.
    fn next_block<const N: usize>(&mut self, input: [u8; N]) -> Option<Inflated> {
        let (inflated, valid) = self.step(&input, &mut [0; 8], InflateFlush::Block);
        (valid && inflated.made == 0).then_some(inflated)
    }

    fn step(&mut self, input: &[u8], out: &mut [u8], flush: InflateFlush) -> (Inflated, bool) {
        let (total_in, total_out) = (self.0.total_in(), self.0.total_out());
        let status = self.0.decompress(input, out, flush);
        let taken = (self.0.total_in() - total_in) as usize;
        let made = (self.0.total_out() - total_out) as usize;
        (Inflated { taken, made, end: status == Ok(Status::StreamEnd) }, status.is_ok())
    }
}
