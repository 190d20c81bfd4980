//! Control blocks: what is said about channels.

use core::iter::FusedIterator;

use crate::channel_id::ChannelId;
use crate::error::{DropCode, MuxError, MuxViolation};
use crate::number;
use crate::reader::Reader;
use crate::revision::Revision;

/// How a handshake is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete: other values are errors")]
pub enum HandshakeEncoding {
    /// As it is.
    Identity,
    /// What differs from the one before.
    Delta,
}

impl HandshakeEncoding {
    pub(crate) const fn of(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::Identity),
            1 => Some(Self::Delta),
            _ => None,
        }
    }

    pub(crate) const fn bits(self) -> u8 {
        match self {
            Self::Identity => 0,
            Self::Delta => 1,
        }
    }
}

/// Why a channel is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete: the formats have no more")]
pub enum DropReason<'a> {
    /// Nobody says.
    None,
    /// A code and a text, from ietf-05 on.
    Code(DropCode, &'a str),
    /// An error of multiplexing and a text, in ietf-03 and 04.
    MuxError(&'a str),
}

/// One thing that is said about channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete: other values are errors")]
pub enum ControlBlock<'a> {
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
    /// The peer may send so much more on a channel.
    FlowControl {
        /// Which.
        channel: ChannelId,
        /// How much, in octets; see [`Revision::cost`].
        quota: u64,
    },
    /// A channel ends without a closing handshake; channel 0 is all of them.
    DropChannel {
        /// Which.
        channel: ChannelId,
        /// Why.
        reason: DropReason<'a>,
    },
    /// The client may ask for so many more channels.
    NewChannelSlot {
        /// How many.
        slots: u64,
        /// What the client may send on each of them at first.
        quota: u64,
        /// There will be no more here: the client may open another connection.
        is_fallback: bool,
    },
}

impl<'a> ControlBlock<'a> {
    fn read(reader: &mut Reader<'a>, revision: Revision) -> Result<Self, MuxError> {
        let at = reader.at();
        let error = |violation| MuxError::new(violation, at);
        let first = reader.byte().ok_or_else(|| error(MuxViolation::BlockTruncated))?;
        let unused = |bits: u8| match first & bits {
            0 => Ok(()),
            set => Err(error(MuxViolation::ReservedBits(set))),
        };
        let new = revision.is_ietf_05();
        // The size of the number, before ietf-05.
        let number = |reader: &mut Reader<'a>, size: u8| {
            if new { number::read(reader) } else { number::read_sized(reader, size) }
        };
        match first >> 5 {
            kind @ (0 | 1) => {
                let is_request = kind == 0;
                let bits = if new { first } else { first >> 2 } & 0x03;
                unused(match (is_request, new) {
                    (true, true) => 0x1c,
                    (false, true) => 0x0c,
                    (true, false) => 0x10,
                    (false, false) => 0,
                })?;
                let encoding = HandshakeEncoding::of(bits).ok_or_else(|| {
                    error(if is_request {
                        MuxViolation::RequestEncoding(bits)
                    } else {
                        MuxViolation::ResponseEncoding(bits)
                    })
                })?;
                let channel = block_channel(reader)?;
                let len = number(reader, first)?;
                let handshake = reader.announced(len)?;
                Ok(if is_request {
                    Self::AddChannelRequest { channel, encoding, handshake }
                } else {
                    let is_rejected = first & 0x10 != 0;
                    Self::AddChannelResponse { channel, is_rejected, encoding, handshake }
                })
            }
            2 => {
                unused(if new { 0x1f } else { 0x1c })?;
                let channel = block_channel(reader)?;
                Ok(Self::FlowControl { channel, quota: number(reader, first)? })
            }
            3 => {
                unused(if new { 0x1f } else { 0x0c })?;
                let channel = block_channel(reader)?;
                let len = number(reader, first)?;
                let begin = reader.at();
                let bytes = reader.announced(len)?;
                let reason = if new { code(bytes) } else { text(bytes, first & 0x10 != 0) };
                let reason = reason.map_err(|violation| MuxError::new(violation, begin))?;
                Ok(Self::DropChannel { channel, reason })
            }
            4 if new => {
                unused(0x1e)?;
                let (slots, quota) = (number(reader, 0)?, number(reader, 0)?);
                let is_fallback = first & 1 != 0;
                // pywebsocket sends and expects zeros; Jetty's code, which was never finished, the contrary.
                if is_fallback && (slots, quota) != (0, 0) {
                    return Err(error(MuxViolation::FallbackWithSlots));
                }
                Ok(Self::NewChannelSlot { slots, quota, is_fallback })
            }
            4 => {
                // What this bit is for no source says.
                unused(0x10)?;
                let (slots, quota) = (number(reader, first >> 2)?, number(reader, first)?);
                Ok(Self::NewChannelSlot { slots, quota, is_fallback: false })
            }
            kind => Err(error(MuxViolation::UnknownBlock(kind))),
        }
    }

    /// Appends it; behind the channel id 0 of a message, or behind another.
    ///
    /// ```
    /// use hybi_mux::{ChannelId, ControlBlock, MuxMessage, Revision};
    ///
    /// let grant = ControlBlock::FlowControl { channel: ChannelId::FIRST, quota: 8192 };
    /// let mut message = vec![0];
    /// grant.encode(Revision::Ietf07, &mut message)?;
    /// assert_eq!(message, [0, 0x40, 1, 0x7e, 0x20, 0]);
    ///
    /// let MuxMessage::Control(mut blocks) = MuxMessage::parse(&message, Revision::Ietf07)? else {
    ///     unreachable!("channel 0 has no frames");
    /// };
    /// assert_eq!(blocks.next(), Some(Ok(grant)));
    /// assert_eq!(blocks.next(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CannotEncode`] for what the revision has no form for: a larger number, a code where there are none. Nothing is
    /// appended then.
    pub fn encode(&self, revision: Revision, out: &mut Vec<u8>) -> Result<(), CannotEncode> {
        let begin = out.len();
        let outcome = self.append(revision, out);
        if outcome.is_err() {
            out.truncate(begin);
        }
        outcome
    }

    fn append(&self, revision: Revision, out: &mut Vec<u8>) -> Result<(), CannotEncode> {
        let begin = out.len();
        let new = revision.is_ietf_05();
        let shift = if new { 0 } else { 2 };
        // Appends a number; says what its size makes of the first octet.
        let append_number = |number: u64, out: &mut Vec<u8>| match (new, u32::try_from(number)) {
            (true, _) if number <= number::MAX => {
                number::write(number, out);
                Ok(0)
            }
            (false, Ok(number)) => {
                number::write_sized(number, out);
                Ok(number::size_of(number))
            }
            _ => Err(CannotEncode::Number(number)),
        };
        out.push(0);
        let first = match *self {
            Self::AddChannelRequest { channel, encoding, handshake } => {
                channel.encode(out);
                let size = append_number(handshake.len() as u64, out)?;
                out.extend_from_slice(handshake);
                encoding.bits() << shift | size
            }
            Self::AddChannelResponse { channel, is_rejected, encoding, handshake } => {
                channel.encode(out);
                let size = append_number(handshake.len() as u64, out)?;
                out.extend_from_slice(handshake);
                1 << 5 | u8::from(is_rejected) << 4 | encoding.bits() << shift | size
            }
            Self::FlowControl { channel, quota } => {
                channel.encode(out);
                2 << 5 | append_number(quota, out)?
            }
            Self::DropChannel { channel, reason } => {
                channel.encode(out);
                let (code, text, is_error) = match reason {
                    DropReason::None => (None, "", false),
                    DropReason::Code(code, text) if new => (Some(code), text, false),
                    DropReason::MuxError(text) if !new => (None, text, true),
                    _ => return Err(CannotEncode::Reason),
                };
                let code = code.map(|code| code.get().to_be_bytes());
                let code = code.as_ref().map_or(&[][..], |code| &code[..]);
                let size = append_number((code.len() + text.len()) as u64, out)?;
                out.extend_from_slice(code);
                out.extend_from_slice(text.as_bytes());
                3 << 5 | u8::from(is_error) << 4 | size
            }
            Self::NewChannelSlot { slots, quota, is_fallback } => {
                if is_fallback && (!new || (slots, quota) != (0, 0)) {
                    return Err(CannotEncode::Fallback);
                }
                let of_slots = append_number(slots, out)?;
                let of_quota = append_number(quota, out)?;
                4 << 5 | of_slots << 2 | of_quota | u8::from(is_fallback)
            }
        };
        out[begin] = first;
        Ok(())
    }
}

/// The id of the channel that a block is about.
fn block_channel(reader: &mut Reader<'_>) -> Result<ChannelId, MuxError> {
    let at = reader.at();
    ChannelId::read(reader).map_err(|_| MuxError::new(MuxViolation::BlockChannelId, at))
}

/// The reason of ietf-05.
fn code(bytes: &[u8]) -> Result<DropReason<'_>, MuxViolation> {
    match bytes {
        [] => Ok(DropReason::None),
        [_] => Err(MuxViolation::ReasonTooShort),
        [high, low, text @ ..] => {
            let text = core::str::from_utf8(text).map_err(|_| MuxViolation::ReasonNotUtf8)?;
            Ok(DropReason::Code(DropCode::new(u16::from_be_bytes([*high, *low])), text))
        }
    }
}

/// The reason of ietf-03.
fn text(bytes: &[u8], is_error: bool) -> Result<DropReason<'_>, MuxViolation> {
    let text = core::str::from_utf8(bytes).map_err(|_| MuxViolation::ReasonNotUtf8)?;
    match (is_error, text) {
        (true, text) => Ok(DropReason::MuxError(text)),
        (false, "") => Ok(DropReason::None),
        (false, _) => Err(MuxViolation::ReasonWithoutError),
    }
}

/// What a revision has no form for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CannotEncode {
    /// A number that is too large: 2^63 from ietf-05 on, 2^32 before.
    Number(u64),
    /// A reason of another revision.
    Reason,
    /// A fallback that grants slots, or in a revision in which no source shows one.
    Fallback,
}

impl core::fmt::Display for CannotEncode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "the number {number} is too large for this revision"),
            Self::Reason => f.write_str("this revision has no such reason of a DropChannel"),
            Self::Fallback => f.write_str("this revision has no such NewChannelSlot"),
        }
    }
}

impl core::error::Error for CannotEncode {}

/// The control blocks of a message, one after the other. Behind an error there is nothing.
#[derive(Clone, Debug)]
pub struct ControlBlocks<'a> {
    reader: Reader<'a>,
    /// Where they begin in the message.
    begin: usize,
    revision: Revision,
}

impl<'a> ControlBlocks<'a> {
    pub(crate) const fn new(bytes: &'a [u8], begin: usize, revision: Revision) -> Self {
        Self { reader: Reader::new(bytes), begin, revision }
    }

    /// Where the next one begins in the message.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.begin + self.reader.at()
    }
}

impl<'a> Iterator for ControlBlocks<'a> {
    type Item = Result<ControlBlock<'a>, MuxError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let block = ControlBlock::read(&mut self.reader, self.revision);
        Some(block.map_err(|error| {
            self.reader.rest();
            error.behind(self.begin)
        }))
    }
}

impl FusedIterator for ControlBlocks<'_> {}
