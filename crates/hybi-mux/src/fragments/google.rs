//! google-mux as libwebsockets had it from May 2011 to January 2013 under the token `x-google-mux`, "very draft".
//!
//! Blocks are the payload of frames with the opcode 7. Channel 0 is none, channel 1 the first connection, and
//! 8192 the largest.

use crate::error::{MuxError, MuxViolation};
use crate::reader::Reader;

/// The opcode of the frames that carry blocks; the draft said 15.
pub const OPCODE: u8 = 7;

/// The largest number of a channel.
pub const MAX_CHANNEL: u16 = 8192;

/// This number of a channel says that the real one follows.
const ESCAPE: u16 = 31;

/// One block. A DATA block has no length: it is as long as the frame in it, which is what stands there.
///
/// ```
/// use hybi_mux::fragments::google::Block;
///
/// let (block, len) = Block::decode(&[0x13, 0x00, 0x01, 0x00, 0x00])?;
/// assert_eq!((block, len), (Block::FlowControl { channel: 2, quota: 65_536 }, 5));
/// # Ok::<(), hybi_mux::MuxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Block<'a> {
    /// A frame of a channel follows, header and mask included, as it would be without this extension.
    Data {
        /// Which.
        channel: u16,
        /// All that follows, of which the frame says how much is its own.
        rest: &'a [u8],
    },
    /// A channel is asked for, or given.
    AddChannel {
        /// Which.
        channel: u16,
        /// In the draft the fields that differ from the first handshake, in libwebsockets a whole request; in answer
        /// to it the response.
        headers: &'a [u8],
    },
    /// A channel ends.
    DropChannel {
        /// Which.
        channel: u16,
    },
    /// The peer may send so much on a channel; it was read and not heeded.
    FlowControl {
        /// Which.
        channel: u16,
        /// How many octets.
        quota: u32,
    },
}

impl<'a> Block<'a> {
    /// Reads one from the front of `bytes`; with it, how many octets it has, without the frame of DATA.
    ///
    /// # Errors
    ///
    /// An unknown kind, a channel that is none, and what ends too early.
    pub fn decode(bytes: &'a [u8]) -> Result<(Self, usize), MuxError> {
        let mut reader = Reader::new(bytes);
        let truncated = MuxError::new(MuxViolation::BlockTruncated, 0);
        let first = reader.byte().ok_or(truncated)?;
        let channel = match u16::from(first >> 3) {
            ESCAPE => reader.number(2).ok_or(truncated)? as u16,
            channel => channel,
        };
        if channel == 0 || channel > MAX_CHANNEL {
            return Err(MuxError::new(MuxViolation::BlockChannelId, 0));
        }
        let block = match first & 0x07 {
            0 => {
                let at = reader.at();
                return Ok((Self::Data { channel, rest: reader.rest() }, at));
            }
            1 => {
                let len = match reader.byte().ok_or(truncated)? {
                    0xfe => reader.number(2),
                    0xff => reader.number(4),
                    short => Some(short.into()),
                };
                let len = len.and_then(|len| usize::try_from(len).ok()).ok_or(truncated)?;
                Self::AddChannel { channel, headers: reader.take(len).ok_or(truncated)? }
            }
            2 => Self::DropChannel { channel },
            3 => {
                let quota = reader.number(4).ok_or(truncated)? as u32;
                Self::FlowControl { channel, quota }
            }
            kind => return Err(MuxError::new(MuxViolation::UnknownBlock(kind), 0)),
        };
        Ok((block, reader.at()))
    }

    /// Appends it; false, and nothing, for a channel that is none and for what is too long.
    #[must_use]
    pub fn encode(&self, out: &mut Vec<u8>) -> bool {
        let (channel, kind) = match *self {
            Self::Data { channel, .. } => (channel, 0),
            Self::AddChannel { channel, .. } => (channel, 1),
            Self::DropChannel { channel } => (channel, 2),
            Self::FlowControl { channel, .. } => (channel, 3),
        };
        let is_too_long = matches!(self, Self::AddChannel { headers, .. } if u32::try_from(headers.len()).is_err());
        if channel == 0 || channel > MAX_CHANNEL || is_too_long {
            return false;
        }
        if channel < ESCAPE {
            out.push((channel as u8) << 3 | kind);
        } else {
            out.push((ESCAPE as u8) << 3 | kind);
            out.extend_from_slice(&channel.to_be_bytes());
        }
        match *self {
            Self::Data { rest, .. } => out.extend_from_slice(rest),
            Self::AddChannel { headers, .. } => {
                match headers.len() {
                    len @ 0..=0xfd => out.push(len as u8),
                    len @ 0xfe..=0xffff => {
                        out.push(0xfe);
                        out.extend_from_slice(&(len as u16).to_be_bytes());
                    }
                    len => {
                        out.push(0xff);
                        out.extend_from_slice(&(len as u32).to_be_bytes());
                    }
                }
                out.extend_from_slice(headers);
            }
            Self::DropChannel { .. } => {}
            Self::FlowControl { quota, .. } => out.extend_from_slice(&quota.to_be_bytes()),
        }
        true
    }
}
