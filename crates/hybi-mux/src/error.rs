//! What a peer can do wrong, one variant a broken rule, and the code that a channel is dropped with for it.

use core::error::Error;
use core::fmt;

use hybi_frame::Opcode;

use crate::channel_id::ChannelId;

/// Why a channel was dropped, as a number (the list of ietf-09).
///
/// ```
/// use hybi_mux::DropCode;
///
/// assert_eq!(DropCode::SEND_QUOTA_VIOLATION.get(), 3005);
/// assert_eq!(DropCode::SEND_QUOTA_VIOLATION.to_string(), "3005 (send quota violation)");
/// assert!(DropCode::UNKNOWN_OPCODE.is_physical());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DropCode(u16);

macro_rules! codes {
    ($($(#[$docs:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        impl DropCode {
            $($(#[$docs])* pub const $name: Self = Self($code);)*

            /// What the code means; `None` where no source gives it a meaning.
            #[must_use]
            pub const fn meaning(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

codes! {
    /// The channel ends in order.
    NORMAL = 1000, "normal";
    /// The physical connection failed.
    PHYSICAL_CONNECTION_FAILED = 2000, "physical connection failed";
    /// A message of the physical connection is not binary.
    INVALID_ENCAPSULATING_MESSAGE = 2001, "invalid encapsulating message";
    /// A message ends within the id of its channel, or that is not as short as it could be.
    CHANNEL_ID_TRUNCATED = 2002, "channel id truncated";
    /// A message has a channel id and no frame.
    ENCAPSULATED_FRAME_TRUNCATED = 2003, "encapsulated frame truncated";
    /// A control block is of no known kind.
    UNKNOWN_OPCODE = 2004, "unknown mux opcode";
    /// A control block breaks a rule.
    INVALID_CONTROL_BLOCK = 2005, "invalid control block";
    /// A channel was to be added that is there.
    CHANNEL_ALREADY_EXISTS = 2006, "channel already exists";
    /// A channel was to be added without a slot for it.
    NEW_CHANNEL_SLOT_VIOLATION = 2007, "new channel slot violation";
    /// More slots were granted than can be counted.
    NEW_CHANNEL_SLOT_OVERFLOW = 2008, "new channel slot overflow";
    /// The request for a channel is none.
    BAD_REQUEST = 2009, "bad request";
    /// The request for a channel is encoded in a way that is not known; 3002 before ietf-07.
    UNKNOWN_REQUEST_ENCODING = 2010, "unknown request encoding";
    /// The response for a channel is none, or agrees to what was not offered.
    BAD_RESPONSE = 2011, "bad response";
    /// The response for a channel is encoded in a way that is not known.
    UNKNOWN_RESPONSE_ENCODING = 2012, "unknown response encoding";
    /// The channel failed.
    LOGICAL_CHANNEL_FAILED = 3000, "logical channel failed";
    /// The peer sent more than it was granted.
    SEND_QUOTA_VIOLATION = 3005, "send quota violation";
    /// The peer granted more than can be counted.
    SEND_QUOTA_OVERFLOW = 3006, "send quota overflow";
    /// Nothing was heard for too long.
    IDLE_TIMEOUT = 3007, "idle timeout";
    /// The answer to a DropChannel.
    DROP_CHANNEL_ACK = 3008, "DropChannel acknowledged";
    /// Fragments are not in the order that makes messages.
    BAD_FRAGMENTATION = 3009, "bad fragmentation";
    /// Another physical connection is to be used; known from Jetty's list alone.
    USE_ANOTHER_PHYSICAL_CONNECTION = 4001, "use another physical connection";
    /// The server is busy; known from Jetty's list alone.
    BUSY = 4002, "busy";
}

impl DropCode {
    /// The code of this number.
    #[must_use]
    pub const fn new(code: u16) -> Self {
        Self(code)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether it says that the physical connection failed, and all of its channels with it: 2000 to 2999.
    #[must_use]
    pub const fn is_physical(self) -> bool {
        matches!(self.0, 2000..=2999)
    }
}

impl fmt::Display for DropCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.meaning() {
            Some(meaning) => write!(f, "{} ({meaning})", self.0),
            None => self.0.fmt(f),
        }
    }
}

/// A rule that the peer broke, and where in the message.
///
/// ```
/// use hybi_mux::{DropCode, MuxMessage, Revision};
///
/// let error = MuxMessage::parse(&[0x00, 0xa0, 0x01], Revision::Ietf07)
///     .and_then(|message| match message {
///         MuxMessage::Control(mut blocks) => blocks.next().expect("one"),
///         MuxMessage::Frame(_) => unreachable!("channel 0 has no frames"),
///     })
///     .unwrap_err();
/// assert_eq!(error.drop_code(), DropCode::UNKNOWN_OPCODE);
/// assert_eq!(error.to_string(), "control block of the unknown kind 5, at octet 1 of the message");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MuxError {
    violation: MuxViolation,
    offset: usize,
}

impl MuxError {
    /// This rule, at this octet of the message.
    #[must_use]
    pub const fn new(violation: MuxViolation, offset: usize) -> Self {
        Self { violation, offset }
    }

    /// The broken rule.
    #[must_use]
    pub const fn violation(&self) -> MuxViolation {
        self.violation
    }

    /// The octet of the message that breaks it, or where the field begins that does, counted from 0.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// What a channel is dropped with for it, or all of them.
    #[must_use]
    pub const fn drop_code(&self) -> DropCode {
        self.violation.drop_code()
    }

    /// The same rule, broken so many octets further on.
    pub(crate) const fn behind(self, offset: usize) -> Self {
        Self { offset: self.offset + offset, ..self }
    }
}

impl fmt::Display for MuxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at octet {} of the message", self.violation, self.offset)
    }
}

impl Error for MuxError {}

/// Rules that a peer can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MuxViolation {
    /// A message ends before its channel id does, or has no octets.
    ChannelIdTruncated,
    /// A channel id has more octets than it needs.
    ChannelIdNotShortest,
    /// A message of a channel has no frame.
    FrameTruncated,
    /// The opcode of a frame is reserved.
    ReservedOpcode(u8),
    /// A control block is of no known kind.
    UnknownBlock(u8),
    /// Bits of a control block are set that are for nothing.
    ReservedBits(u8),
    /// A control block ends before the id of the channel that it is about, or has a longer one than it needs.
    BlockChannelId,
    /// A control block ends within a number.
    NumberTruncated,
    /// A number has more octets than it needs.
    NumberNotShortest,
    /// A number is 2^63 or more.
    NumberTooLarge,
    /// A control block is shorter than it says.
    BlockTruncated,
    /// The reason of a DropChannel has one octet, which is no code.
    ReasonTooShort,
    /// The reason of a DropChannel is not UTF-8.
    ReasonNotUtf8,
    /// The reason of a DropChannel without an error, which has none in ietf-03 and 04.
    ReasonWithoutError,
    /// The last slots, with others among them.
    FallbackWithSlots,
    /// A request is encoded in a way that is not known.
    RequestEncoding(u8),
    /// A response is encoded in a way that is not known.
    ResponseEncoding(u8),
    /// The peer sent more on a channel than it was granted.
    QuotaViolation,
    /// The peer granted 2^63 octets or more on a channel.
    QuotaOverflow,
    /// The server granted more slots than can be counted, or in more different ways than anybody needs.
    SlotOverflow,
    /// A frame of this kind may not come in the middle of what is in progress, or nothing is that it goes on with.
    Fragmentation(Opcode),
    /// A control frame has more than 125 octets, all of its fragments together.
    ControlTooLong,
    /// More empty messages came than anybody needs; before ietf-07 they cost no quota.
    EmptyMessages,
    /// A control block of this kind came from the end that does not send it.
    WrongSender(u8),
    /// A channel was asked for that is there, or that is none.
    ChannelExists(ChannelId),
    /// A channel was asked for without a slot.
    NoSlot,
    /// What came as a difference from another request makes none.
    BadRequest,
    /// The response for a channel is none, or comes when none was asked for.
    BadResponse,
}

impl MuxViolation {
    /// What a channel is dropped with for it, or all of them.
    #[must_use]
    pub const fn drop_code(self) -> DropCode {
        match self {
            Self::ChannelIdTruncated | Self::ChannelIdNotShortest => DropCode::CHANNEL_ID_TRUNCATED,
            Self::FrameTruncated => DropCode::ENCAPSULATED_FRAME_TRUNCATED,
            Self::ReservedOpcode(_) | Self::ControlTooLong | Self::EmptyMessages => {
                DropCode::LOGICAL_CHANNEL_FAILED
            }
            Self::ChannelExists(_) => DropCode::CHANNEL_ALREADY_EXISTS,
            Self::NoSlot => DropCode::NEW_CHANNEL_SLOT_VIOLATION,
            Self::BadRequest => DropCode::BAD_REQUEST,
            Self::BadResponse => DropCode::BAD_RESPONSE,
            Self::QuotaViolation => DropCode::SEND_QUOTA_VIOLATION,
            Self::QuotaOverflow => DropCode::SEND_QUOTA_OVERFLOW,
            Self::SlotOverflow => DropCode::NEW_CHANNEL_SLOT_OVERFLOW,
            Self::Fragmentation(_) => DropCode::BAD_FRAGMENTATION,
            Self::UnknownBlock(_) => DropCode::UNKNOWN_OPCODE,
            Self::RequestEncoding(_) => DropCode::UNKNOWN_REQUEST_ENCODING,
            Self::ResponseEncoding(_) => DropCode::UNKNOWN_RESPONSE_ENCODING,
            Self::ReservedBits(_)
            | Self::BlockChannelId
            | Self::NumberTruncated
            | Self::NumberNotShortest
            | Self::NumberTooLarge
            | Self::BlockTruncated
            | Self::ReasonTooShort
            | Self::ReasonNotUtf8
            | Self::ReasonWithoutError
            | Self::FallbackWithSlots
            | Self::WrongSender(_) => DropCode::INVALID_CONTROL_BLOCK,
        }
    }
}

impl Error for MuxViolation {}

impl fmt::Display for MuxViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ChannelIdTruncated => f.write_str("message without a whole channel id"),
            Self::ChannelIdNotShortest => {
                f.write_str("channel id that is longer than it needs to be")
            }
            Self::FrameTruncated => f.write_str("message of a channel without a frame"),
            Self::ReservedOpcode(opcode) => write!(f, "frame with the reserved opcode {opcode}"),
            Self::UnknownBlock(kind) => write!(f, "control block of the unknown kind {kind}"),
            Self::ReservedBits(bits) => {
                write!(f, "control block with the bits {bits:#04x} set, which are for nothing")
            }
            Self::BlockChannelId => f.write_str(
                "control block without a whole channel id, or with one that is too long",
            ),
            Self::NumberTruncated => f.write_str("control block that ends within a number"),
            Self::NumberNotShortest => f.write_str("number that is longer than it needs to be"),
            Self::NumberTooLarge => f.write_str("number of 2^63 or more"),
            Self::BlockTruncated => f.write_str("control block that is shorter than it says"),
            Self::ReasonTooShort => f.write_str("DropChannel with a reason of one octet"),
            Self::ReasonNotUtf8 => f.write_str("DropChannel with a reason that is not UTF-8"),
            Self::ReasonWithoutError => f.write_str("DropChannel with a reason and no error"),
            Self::FallbackWithSlots => {
                f.write_str("NewChannelSlot that grants slots and is the last")
            }
            Self::RequestEncoding(encoding) => {
                write!(f, "AddChannelRequest in the unknown encoding {encoding}")
            }
            Self::ResponseEncoding(encoding) => {
                write!(f, "AddChannelResponse in the unknown encoding {encoding}")
            }
            Self::QuotaViolation => f.write_str("more on a channel than was granted"),
            Self::QuotaOverflow => f.write_str("more granted on a channel than can be counted"),
            Self::SlotOverflow => f.write_str("more slots for channels than can be counted"),
            Self::Fragmentation(opcode) => write!(f, "{opcode} frame that may not come here"),
            Self::ControlTooLong => f.write_str("control frame of more than 125 octets"),
            Self::EmptyMessages => f.write_str("more empty messages than are kept"),
            Self::WrongSender(kind) => {
                write!(f, "control block of the kind {kind} from the end that does not send it")
            }
            Self::ChannelExists(channel) => {
                write!(f, "request for channel {channel}, which is there")
            }
            Self::NoSlot => f.write_str("request for a channel without a slot"),
            Self::BadRequest => f.write_str("request for a channel that is none"),
            Self::BadResponse => {
                f.write_str("response for a channel that is none, or is not awaited")
            }
        }
    }
}
