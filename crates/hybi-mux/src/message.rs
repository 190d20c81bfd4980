//! What a message of the physical connection carries: control blocks, or a frame of a channel.

use hybi_frame::{Opcode, Rsv};

use crate::block::ControlBlocks;
use crate::channel_id::ChannelId;
use crate::error::{MuxError, MuxViolation};
use crate::reader::Reader;
use crate::revision::Revision;

/// What a binary message of the physical connection carries.
///
/// ```
/// use hybi_frame::Opcode;
/// use hybi_mux::{ChannelId, MuxMessage, Revision};
///
/// let MuxMessage::Frame(frame) = MuxMessage::parse(b"\x01\x81Hello world", Revision::Ietf07)? else {
///     unreachable!("channel 1 has no control blocks");
/// };
/// assert_eq!((frame.channel, frame.fin, frame.opcode), (ChannelId::FIRST, true, Opcode::Text));
/// assert_eq!(frame.payload, b"Hello world");
/// # Ok::<(), hybi_mux::MuxError>(())
/// ```
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "complete: the formats have no third")]
pub enum MuxMessage<'a> {
    /// What concerns channels.
    Control(ControlBlocks<'a>),
    /// A frame of one.
    Frame(LogicalFrame<'a>),
}

impl<'a> MuxMessage<'a> {
    /// Looks at a whole message. Of control blocks it looks at none.
    ///
    /// # Errors
    ///
    /// The rules of a channel id and of the first octet of a frame.
    pub fn parse(message: &'a [u8], revision: Revision) -> Result<Self, MuxError> {
        let mut reader = Reader::new(message);
        let channel = ChannelId::read(&mut reader)?;
        if channel == ChannelId::CONTROL {
            let begin = reader.at();
            return Ok(Self::Control(ControlBlocks::new(reader.rest(), begin, revision)));
        }
        let at = reader.at();
        let first = reader.byte().ok_or_else(|| MuxError::new(MuxViolation::FrameTruncated, at))?;
        let bits = first & 0x0f;
        let opcode = Opcode::from_bits(bits);
        let opcode = opcode.ok_or_else(|| MuxError::new(MuxViolation::ReservedOpcode(bits), at))?;
        Ok(Self::Frame(LogicalFrame {
            channel,
            fin: first & 0x80 != 0,
            rsv: Rsv::from_bits(first),
            opcode,
            payload: reader.rest(),
        }))
    }
}

/// A frame of a channel, which fills the rest of its message: without a length, and never masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "complete: the formats have no more")]
pub struct LogicalFrame<'a> {
    /// The channel.
    pub channel: ChannelId,
    /// Whether it ends its message.
    pub fin: bool,
    /// The reserved bits, which are the channel's.
    pub rsv: Rsv,
    /// What it is. A control frame may have fragments here.
    pub opcode: Opcode,
    /// Its payload.
    pub payload: &'a [u8],
}

impl LogicalFrame<'_> {
    /// Appends the whole message, channel id and all.
    ///
    /// ```
    /// use hybi_frame::{Opcode, Rsv};
    /// use hybi_mux::{ChannelId, LogicalFrame};
    ///
    /// let ping = LogicalFrame {
    ///     channel: ChannelId::new(2).expect("a small one"),
    ///     fin: true,
    ///     rsv: Rsv::NONE,
    ///     opcode: Opcode::Ping,
    ///     payload: b"p",
    /// };
    /// let mut message = Vec::new();
    /// ping.encode(&mut message);
    /// assert_eq!(message, b"\x02\x89p");
    /// ```
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.channel.encode(out);
        out.push(u8::from(self.fin) << 7 | self.rsv.bits() | self.opcode.bits());
        out.extend_from_slice(self.payload);
    }

    /// What it costs of the quota of its channel.
    #[must_use]
    pub const fn cost(&self, revision: Revision) -> u64 {
        let begins = !matches!(self.opcode, Opcode::Continuation);
        revision.cost(begins, self.payload.len() as u64)
    }
}
