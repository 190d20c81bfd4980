//! The library that does the work: zlib-rs itself, or whatever flate2 was built with.

#[cfg(not(feature = "zlib-rs"))]
mod by_flate2;
#[cfg(feature = "zlib-rs")]
mod by_zlib_rs;

#[cfg(not(feature = "zlib-rs"))]
pub(super) use by_flate2::{Compressor, Decompressor};
#[cfg(feature = "zlib-rs")]
pub(super) use by_zlib_rs::{Compressor, Decompressor};

/// Whether all that is made of the bytes so far has to come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flush {
    /// Some of it may stay inside until more comes.
    No,
    /// All of them can be decompressed: [`TAIL`](super::TAIL) is at the end.
    Yes,
}

impl Compressor {
    /// Appends what it makes of all the bytes. `false` if it gives up, or `out` would become longer
    /// than `most`.
    pub(super) fn run(
        &mut self,
        bytes: &[u8],
        flush: Flush,
        out: &mut Vec<u8>,
        most: usize,
    ) -> bool {
        let start = out.len();
        let mut rest = bytes;
        loop {
            let given = out.len();
            // Text becomes a fifth of its size or so; for what does not, the room grows by doubling.
            let room = (rest.len() / 4 + 64).max(given - start).min(most.saturating_sub(given));
            reserve(out, room, most);
            let Some(taken) = self.deflate(rest, flush, out, room) else { return false };
            rest = &rest[taken..];
            let made = out.len() - given;
            let done = match flush {
                Flush::No => rest.is_empty(),
                // All is out once there is room to spare and the tail, without which miniz_oxide may
                // have room to spare as well.
                Flush::Yes => {
                    made < room && rest.is_empty() && out[start..].ends_with(&super::TAIL)
                }
            };
            if done {
                return true;
            }
            if (taken, made) == (0, 0) {
                return false;
            }
        }
    }
}

/// Makes room as vectors do, by doubling, but for no more than `most` bytes in all.
fn reserve(out: &mut Vec<u8>, room: usize, most: usize) {
    let len = out.len() + room;
    if len > out.capacity() {
        let capacity = len.max(out.capacity().saturating_mul(2).min(most));
        out.reserve_exact(capacity - out.len());
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
