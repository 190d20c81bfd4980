//! What flate2 was built with: miniz_oxide, or a C library. None says whether it is inside a block.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::{End, Flush, Inflated, Payload};
use crate::deflate::codec::pool::{Kind, Scratch};

pub(in super::super) struct Compressor(Compress);

impl Compressor {
    /// The window is the largest, whatever is asked for.
    pub(in super::super) fn new(Kind { level, .. }: Kind) -> Self {
        Self(Compress::new(Compression::new(level.into()), false))
    }

    /// What one takes, in bytes, with miniz_oxide; the C libraries take less.
    pub(in super::super) fn size(_: Kind) -> usize {
        324 << 10
    }

    pub(in super::super) fn reset(&mut self) {
        self.0.reset();
    }

    /// Compressing them once more is the one way that all libraries have.
    pub(in super::super) fn remember(&mut self, bytes: &[u8]) -> bool {
        self.run(bytes, Flush::Yes, &mut Vec::new(), usize::MAX)
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
            Flush::No => FlushCompress::None,
            Flush::Yes => FlushCompress::Sync,
        };
        let (total_in, total_out, start) = (self.0.total_in(), self.0.total_out(), out.len());
        out.resize(start + room, 0);
        let status = self.0.compress(input, &mut out[start..], flush);
        out.truncate(start + (self.0.total_out() - total_out) as usize);
        status.ok()?;
        Some((self.0.total_in() - total_in) as usize)
    }
}

pub(in super::super) struct Decompressor(Decompress);

impl Decompressor {
    /// What one takes, in bytes.
    pub(in super::super) const SIZE: usize = 48 << 10;

    pub(in super::super) fn new() -> Self {
        Self(Decompress::new(false))
    }

    pub(in super::super) fn reset(&mut self) {
        self.0.reset(false);
    }

    /// Lets what comes next refer back to these bytes, at most a window of them: as a stored block.
    pub(in super::super) fn remember(&mut self, bytes: &[u8]) -> bool {
        let Ok(len) = u16::try_from(bytes.len()) else { return false };
        let ([a, b], [c, d]) = (len.to_le_bytes(), (!len).to_le_bytes());
        self.swallow(&[0, a, b, c, d]) && self.swallow(bytes)
    }

    fn swallow(&mut self, mut input: &[u8]) -> bool {
        let mut scratch = Scratch::take();
        while !input.is_empty() {
            match self.inflate(input, scratch.room()) {
                (Inflated { taken: 0, made: 0, .. }, _) | (_, false) => return false,
                (Inflated { taken, .. }, true) => input = &input[taken..],
            }
        }
        true
    }

    /// As much as there is input, or room for what comes of it; whether that was DEFLATE data.
    pub(in super::super) fn inflate(&mut self, input: &[u8], out: &mut [u8]) -> (Inflated, bool) {
        let (total_in, total_out) = (self.0.total_in(), self.0.total_out());
        let status = self.0.decompress(input, out, FlushDecompress::None);
        let taken = (self.0.total_in() - total_in) as usize;
        let made = (self.0.total_out() - total_out) as usize;
        let end = matches!(status, Ok(Status::StreamEnd));
        (Inflated { taken, made, end }, status.is_ok())
    }

    /// Makes sure that a payload ended with a block, and ends the one whose tail was taken off.
    pub(in super::super) fn end(&mut self, payload: Payload) -> End {
        let probe = probe(payload);
        let tail = if payload.has_tail() { 0 } else { 4 };
        let mut scratch = Scratch::take();
        let (Inflated { taken, made, end }, valid) = self.inflate(probe, scratch.room());
        // A final block that needed the tail, or some of it; the rest of the tail means nothing.
        let by_tail = end && taken <= tail;
        let by_probe = end != payload.takeover && taken == probe.len();
        match valid && made == 0 {
            true if by_tail => End::Final,
            true if by_probe => End::Flushed,
            _ => End::Inside,
        }
    }
}

/// What to feed behind a payload: the tail that its sender took off, and what shows that it ended a
/// block.
///
/// Empty blocks do: between blocks they leave no trace, inside one they come out as data, are no
/// DEFLATE data, or, in the middle of the tables of a block, are taken for more of those, of which
/// there are 300 bytes at most.
fn probe(payload: Payload) -> &'static [u8] {
    let with_tail = match payload {
        // Nothing is built on this history, so a final block can prove it.
        Payload { takeover: false, .. } => &PROOF,
        // So ends what was flushed by any library known: with three bits that say what kind of
        // block the tail is, and zeros up to the next byte. Of tables, one byte in eight does, but
        // seldom those of a payload that had something before them.
        Payload { last: 0..0x20, made: true, .. } => &PROBE[..9],
        Payload { .. } => &PROBE[..],
    };
    if payload.has_tail() { &with_tail[4..] } else { with_tail }
}

/// The tail, and a final block behind it.
const PROOF: [u8; 9] = [0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff];

/// The tail, and 60 empty blocks behind it.
const PROBE: [u8; 304] = {
    let mut probe = [0; 304];
    let mut at = 4;
    while at <= probe.len() {
        probe[at - 2] = 0xff;
        probe[at - 1] = 0xff;
        at += 5;
    }
    probe
};
