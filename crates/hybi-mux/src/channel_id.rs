//! The number of a logical channel, and how it is written.

use core::fmt;

use crate::error::{MuxError, MuxViolation};
use crate::reader::Reader;

/// The number of a logical channel: 29 bits, written in one to four octets, the shortest form alone.
///
/// Channel 0 is that of control blocks, channel 1 the connection that the physical handshake opened.
///
/// ```
/// use hybi_mux::ChannelId;
///
/// let id = ChannelId::new(300).expect("it fits in 29 bits");
/// let mut out = Vec::new();
/// id.encode(&mut out);
/// assert_eq!(out, [0x81, 0x2c]);
/// assert_eq!(ChannelId::decode(&out), Ok((id, 2)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(u32);

impl ChannelId {
    /// The channel of control blocks.
    pub const CONTROL: Self = Self(0);
    /// The channel that the physical handshake opened.
    pub const FIRST: Self = Self(1);
    /// The largest.
    pub const MAX: Self = Self((1 << 29) - 1);

    /// The channel of this number; `None` if that has more than 29 bits.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if number <= Self::MAX.0 { Some(Self(number)) } else { None }
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Reads one from the front of `bytes`; with it, how many octets it has.
    ///
    /// # Errors
    ///
    /// [`MuxViolation::ChannelIdTruncated`], and [`MuxViolation::ChannelIdNotShortest`] for one that fits in fewer.
    pub fn decode(bytes: &[u8]) -> Result<(Self, usize), MuxError> {
        let mut reader = Reader::new(bytes);
        let id = Self::read(&mut reader)?;
        Ok((id, reader.at()))
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, MuxError> {
        let begin = reader.at();
        let truncated = || MuxError::new(MuxViolation::ChannelIdTruncated, begin);
        let first = reader.byte().ok_or_else(truncated)?;
        let more = match first {
            0..0x80 => 0,
            0x80..0xc0 => 1,
            0xc0..0xe0 => 2,
            0xe0.. => 3,
        };
        let rest = reader.take(more).ok_or_else(truncated)?;
        let marks = [0x7f, 0x3f, 0x1f, 0x1f][more];
        let number = rest
            .iter()
            .fold(u32::from(first & marks), |number, &byte| number << 8 | u32::from(byte));
        let id = Self(number);
        if id.len() <= more {
            return Err(MuxError::new(MuxViolation::ChannelIdNotShortest, begin));
        }
        Ok(id)
    }

    /// How many octets it has on the wire.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it has at least one")]
    pub const fn len(self) -> usize {
        match self.0 {
            0..0x80 => 1,
            0x80..0x4000 => 2,
            0x4000..0x0020_0000 => 3,
            0x0020_0000.. => 4,
        }
    }

    /// Appends it.
    pub fn encode(self, out: &mut Vec<u8>) {
        let len = self.len();
        let mark = [0, 0x80, 0xc0, 0xe0][len - 1];
        let mut bytes = self.0.to_be_bytes();
        bytes[4 - len] |= mark;
        out.extend_from_slice(&bytes[4 - len..]);
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
