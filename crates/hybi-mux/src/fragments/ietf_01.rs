//! ietf-01 as pywebsocket had it for a week of 2012, all but FlowControl, whose layout no source shows.
//!
//! A block begins with the id of the channel that it is about. Data is in no block: the frame of the physical
//! connection carries FIN and opcode of the logical one, and its payload is a channel id and the data.

use hybi_frame::Opcode;

use crate::block::HandshakeEncoding;
use crate::channel_id::ChannelId;
use crate::error::{MuxError, MuxViolation};
use crate::number;
use crate::reader::Reader;

/// One control block.
///
/// ```
/// use hybi_mux::{ChannelId, fragments::ietf_01::Block};
///
/// let (block, len) = Block::decode(&[0x03, 0x60, 0x00])?;
/// let channel = ChannelId::new(3).expect("a small one");
/// assert_eq!((block, len), (Block::DropChannel { channel, is_mux_error: false, reason: b"" }, 3));
/// # Ok::<(), hybi_mux::MuxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Block<'a> {
    /// The client wants a channel.
    AddChannelRequest {
        /// Which.
        channel: ChannelId,
        /// How the handshake is encoded.
        encoding: HandshakeEncoding,
        /// A request of HTTP/1.1.
        handshake: &'a [u8],
    },
    /// The server gives it, or does not.
    AddChannelResponse {
        /// Which.
        channel: ChannelId,
        /// It is refused.
        is_rejected: bool,
        /// How the handshake is encoded.
        encoding: HandshakeEncoding,
        /// A response of HTTP/1.1.
        handshake: &'a [u8],
    },
    /// A channel ends without a closing handshake.
    DropChannel {
        /// Which.
        channel: ChannelId,
        /// It is for an error of multiplexing.
        is_mux_error: bool,
        /// Why.
        reason: &'a [u8],
    },
    /// A control frame of a channel; it is not masked.
    EncapsulatedControlFrame {
        /// Which.
        channel: ChannelId,
        /// What it is.
        opcode: Opcode,
        /// Its payload, of 125 octets at most.
        payload: &'a [u8],
    },
}

impl<'a> Block<'a> {
    /// Reads one from the front of `bytes`; with it, how many octets it has.
    ///
    /// # Errors
    ///
    /// The rules of a control block. FlowControl counts as unknown.
    pub fn decode(bytes: &'a [u8]) -> Result<(Self, usize), MuxError> {
        let mut reader = Reader::new(bytes);
        let block = Self::read(&mut reader)?;
        Ok((block, reader.at()))
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, MuxError> {
        let channel = ChannelId::read(reader)?;
        let at = reader.at();
        let error = |violation| MuxError::new(violation, at);
        let first = reader.byte().ok_or_else(|| error(MuxViolation::BlockTruncated))?;
        let flag = first & 0x10 != 0;
        match first >> 5 {
            kind @ (0 | 1) => {
                let bits = first >> 2 & 0x03;
                let encoding = HandshakeEncoding::of(bits).ok_or_else(|| {
                    error(match kind {
                        0 => MuxViolation::RequestEncoding(bits),
                        _ => MuxViolation::ResponseEncoding(bits),
                    })
                })?;
                if kind == 0 && flag {
                    return Err(error(MuxViolation::ReservedBits(0x10)));
                }
                let handshake = sized(reader, first)?;
                Ok(match kind {
                    0 => Self::AddChannelRequest { channel, encoding, handshake },
                    _ => {
                        Self::AddChannelResponse { channel, is_rejected: flag, encoding, handshake }
                    }
                })
            }
            3 => {
                let reason = sized(reader, first)?;
                Ok(Self::DropChannel { channel, is_mux_error: flag, reason })
            }
            4 => {
                let header = reader.take(2).ok_or_else(|| error(MuxViolation::BlockTruncated))?;
                let (first, len) = (header[0], header[1]);
                let opcode = Opcode::from_bits(first & 0x0f).filter(|opcode| opcode.is_control());
                let opcode =
                    opcode.ok_or_else(|| error(MuxViolation::ReservedOpcode(first & 0x0f)))?;
                // FIN, no reserved bit, no mask, a short length.
                if first & 0xf0 != 0x80 || len > 125 {
                    return Err(error(MuxViolation::ReservedBits(first & 0x70)));
                }
                let payload =
                    reader.take(len.into()).ok_or_else(|| error(MuxViolation::BlockTruncated))?;
                Ok(Self::EncapsulatedControlFrame { channel, opcode, payload })
            }
            kind => Err(error(MuxViolation::UnknownBlock(kind))),
        }
    }

    /// Appends it; false, and nothing, for what has more octets than it can say.
    #[must_use]
    pub fn encode(&self, out: &mut Vec<u8>) -> bool {
        let (channel, first, bytes) = match *self {
            Self::AddChannelRequest { channel, encoding, handshake } => {
                (channel, encoding.bits() << 2, handshake)
            }
            Self::AddChannelResponse { channel, is_rejected, encoding, handshake } => {
                let first = 1 << 5 | u8::from(is_rejected) << 4 | encoding.bits() << 2;
                (channel, first, handshake)
            }
            Self::DropChannel { channel, is_mux_error, reason } => {
                (channel, 3 << 5 | u8::from(is_mux_error) << 4, reason)
            }
            Self::EncapsulatedControlFrame { channel, opcode, payload } => {
                if payload.len() > 125 || !opcode.is_control() {
                    return false;
                }
                channel.encode(out);
                out.extend_from_slice(&[4 << 5, 0x80 | opcode.bits(), payload.len() as u8]);
                out.extend_from_slice(payload);
                return true;
            }
        };
        let Ok(len) = u32::try_from(bytes.len()) else { return false };
        channel.encode(out);
        out.push(first | number::size_of(len));
        number::write_sized(len, out);
        out.extend_from_slice(bytes);
        true
    }
}

fn sized<'a>(reader: &mut Reader<'a>, size: u8) -> Result<&'a [u8], MuxError> {
    let len = number::read_sized(reader, size)?;
    reader.announced(len)
}

/// The channel and the data of a frame of the physical connection, by its payload.
///
/// ```
/// use hybi_mux::fragments::ietf_01;
///
/// let (channel, data) = ietf_01::data(b"\x02test")?;
/// assert_eq!((channel.get(), data), (2, &b"test"[..]));
/// # Ok::<(), hybi_mux::MuxError>(())
/// ```
///
/// # Errors
///
/// The rules of a channel id.
pub fn data(payload: &[u8]) -> Result<(ChannelId, &[u8]), MuxError> {
    let mut reader = Reader::new(payload);
    let channel = ChannelId::read(&mut reader)?;
    Ok((channel, reader.rest()))
}
