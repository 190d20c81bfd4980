//! Counts: how much a decoder took in.

use crate::part::FramePart;

/// How much was received so far.
///
/// ```
/// use hybi_frame::{Counts, FrameDecoder, FrameRules, Limits, Role};
///
/// let mut decoder = FrameDecoder::new(Role::Client, FrameRules::RFC6455, Limits::default());
/// for mut frame in [b"\x01\x03Hel".to_vec(), b"\x89\x01?".to_vec(), b"\x80\x02lo".to_vec()] {
///     decoder.decode(&mut frame)?;
/// }
/// let Counts { bytes, frames, messages, payload_bytes, .. } = decoder.counts();
/// assert_eq!((bytes, frames, messages, payload_bytes), (12, 3, 1, 5));
/// # Ok::<(), hybi_frame::FrameError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Bytes of the stream.
    pub bytes: u64,
    /// Frames that have ended, control frames among them.
    pub frames: u64,
    /// Messages that have ended.
    pub messages: u64,
    /// Bytes of payload of messages, as frames carry them: extensions may make more of them.
    pub payload_bytes: u64,
}

impl Counts {
    /// Counts a part of a frame, but not the bytes of its header.
    pub const fn add(&mut self, part: &FramePart<'_>) {
        if part.header.opcode.is_data() {
            self.payload_bytes += part.payload.len() as u64;
            self.messages += (part.end && part.header.fin) as u64;
        }
        self.frames += part.end as u64;
    }
}
