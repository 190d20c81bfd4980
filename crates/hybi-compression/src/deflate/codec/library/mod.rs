//! The library that does the work: zlib-rs itself, or whatever flate2 was built with.

#[cfg(not(feature = "zlib-rs"))]
mod by_flate2;
#[cfg(feature = "zlib-rs")]
mod by_zlib_rs;

#[cfg(not(feature = "zlib-rs"))]
pub(super) use by_flate2::{Compressor, Decompressor};
#[cfg(feature = "zlib-rs")]
pub(super) use by_zlib_rs::{Compressor, Decompressor};

impl Compressor {
    /// Appends what it makes of all the bytes, with [`TAIL`](super::TAIL) at its end: all of them can
    /// be decompressed. `false` if it gives up.
    pub(super) fn flush(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let mut rest = bytes;
        loop {
            let given = out.len();
            // Text becomes a fifth of its size or so; for what does not, the room grows by doubling.
            let room = (rest.len() / 4 + 64).max(given - start);
            let Some(taken) = self.deflate(rest, out, room) else { return false };
            rest = &rest[taken..];
            let made = out.len() - given;
            // All is out once there is room to spare and the tail, without which miniz_oxide may
            // have room to spare as well.
            if made < room && rest.is_empty() && out[start..].ends_with(&super::TAIL) {
                return true;
            }
            if (taken, made) == (0, 0) {
                return false;
            }
        }
    }
}

/// What a decompressor made of its input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inflated {
    /// Bytes of input used up.
    pub(crate) taken: usize,
    /// Bytes of output.
    pub(crate) made: usize,
    /// A final block ended with the last byte taken.
    pub(crate) end: bool,
}

/// What is known of a payload behind its last byte, as long as no final block ended there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Payload {
    /// That byte.
    pub(super) last: u8,
    /// Something came of it.
    pub(super) made: bool,
    /// The next one may refer to it.
    pub(super) takeover: bool,
}

impl Payload {
    /// Whether the tail was left on. Behind the bits that say what kind of block it is, which are
    /// zeros, nothing but the tail itself ends with this byte.
    pub(super) fn has_tail(self) -> bool {
        self.last == super::TAIL[3]
    }
}

/// How a payload ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// As what was flushed does: the next goes on behind it.
    Flushed,
    /// With a final block, which needed the tail or some of it: the next is a new stream.
    Final,
    /// Inside a block.
    Inside,
}
