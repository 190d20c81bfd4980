//! What a peer can do wrong in the framing layer: one variant per broken rule, each with its close
//! code and RFC 6455 section (§5, §7.4.1, §8.1, §10.4).

use alloc::string::{String, ToString};
use core::error::Error;
use core::fmt;

use crate::close::CloseCode;
use crate::opcode::{Opcode, Rsv};
use crate::rules::FrameRules;

/// A rule that the peer broke, and where in the stream.
///
/// It is always the peer's fault and always ends the connection: send a Close frame with
/// [`close_code`](Self::close_code), then close the transport
/// ([RFC 6455 §7.1.7](https://www.rfc-editor.org/rfc/rfc6455#section-7.1.7)).
///
/// ```
/// use hybi_frame::{FrameDecoder, FrameRules, Limits, Role};
///
/// let mut decoder = FrameDecoder::new(Role::Server, FrameRules::RFC6455, Limits::default());
/// let error = decoder.decode(&mut [0x81, 0x05]).unwrap_err();
/// assert_eq!(error.close_code().as_u16(), 1002);
/// assert_eq!(error.to_string(), "frame from a client is not masked (RFC 6455 section 5.1), at byte 1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameError {
    violation: Violation,
    offset: u64,
    close_code: CloseCode,
}

impl FrameError {
    /// A violation at a byte of the stream, for decoders of other layouts and for extensions over the
    /// whole stream.
    #[cold]
    #[must_use]
    pub fn new(violation: Violation, offset: u64, rules: FrameRules) -> Self {
        Self { violation, offset, close_code: violation.close_code(rules) }
    }

    /// The broken rule.
    #[must_use]
    pub const fn violation(&self) -> Violation {
        self.violation
    }

    /// Where the rule was broken: the position of the offending byte, counted from the first byte
    /// after the opening handshake.
    ///
    /// For a rule about a whole frame or message (fragmentation, sizes), and for all that an
    /// extension decodes, this is the first byte of the frame's header. It does not depend on how
    /// the stream was cut into chunks.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The close code to send to the peer.
    #[must_use]
    pub const fn close_code(&self) -> CloseCode {
        self.close_code
    }

    /// The reason to send with the code, at most 123 bytes: which limit was passed. Broken rules have
    /// none, since their code tells the peer's author to look for them.
    ///
    /// | limit | reason |
    /// |---|---|
    /// | [`max_frame`](crate::Limits::max_frame) | `frame of 70000 bytes is above the limit of 65536` |
    /// | [`max_message`](crate::Limits::max_message) | `message of at least 70000 bytes is above the limit of 65536` |
    /// | [`max_fragments`](crate::Limits::max_fragments) | `message goes on with more than 65536 fragments` |
    #[must_use]
    pub fn close_reason(&self) -> Option<String> {
        match self.violation {
            Violation::FrameTooLarge { .. }
            | Violation::MessageTooLarge { .. }
            | Violation::TooManyFragments { .. } => Some(self.violation.to_string()),
            _ => None,
        }
    }

    /// The section of RFC 6455 that states the rule, such as `"5.2"`.
    #[must_use]
    pub const fn section(&self) -> &'static str {
        self.violation.section()
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { violation, offset, .. } = self;
        match violation {
            Violation::Extension(ExtensionViolation { document, .. })
            | Violation::Draft(DraftViolation { document, .. }) => {
                write!(f, "{violation} ({document}), at byte {offset}")
            }
            _ => write!(f, "{violation} (RFC 6455 section {}), at byte {offset}", self.section()),
        }
    }
}

impl Error for FrameError {}

/// A rule of a negotiated extension that the peer broke (RFC 6455 §9).
///
/// ```
/// use hybi_frame::{CloseCode, ExtensionViolation};
///
/// const NOT_DEFLATE: &ExtensionViolation = &ExtensionViolation {
///     rule: "payload is not DEFLATE data",
///     document: "RFC 7692 section 7.2.2",
///     close_code: CloseCode::INVALID_PAYLOAD,
/// };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "extensions of other crates make these")]
pub struct ExtensionViolation {
    /// The rule in a few words, as it was broken.
    pub rule: &'static str,
    /// Where it is written.
    pub document: &'static str,
    /// The close code to send.
    pub close_code: CloseCode,
}

/// A rule of an old draft that RFC 6455 does not have. Its close code is 1002 where there are codes.
///
/// ```
/// use hybi_frame::DraftViolation;
///
/// const RSV4: &DraftViolation = &DraftViolation {
///     rule: "reserved bit RSV4 is set",
///     document: "drafts hybi-01 to hybi-06",
/// };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "other crates make these")]
pub struct DraftViolation {
    /// The rule in a few words, as it was broken.
    pub rule: &'static str,
    /// Where it is written.
    pub document: &'static str,
}

/// The rules of the framing layer that a peer can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// Reserved bits are set that no negotiated extension uses there. §5.2, close code 1002.
    ReservedBits(Rsv),
    /// The opcode is one of 3 to 7 or 11 to 15. §5.2, close code 1002.
    ReservedOpcode(u8),
    /// A client's frame is not masked. §5.1, close code 1002.
    NotMasked,
    /// A server's frame is masked, or anybody's where [nobody](crate::Masking::Nobody) masks. §5.1, close
    /// code 1002.
    Masked,
    /// The length is not in the shortest of its forms. §5.2, close code 1002.
    LengthNotMinimal,
    /// The most significant bit of a 64-bit length is set. §5.2, close code 1002.
    LengthTopBit,
    /// A control frame has FIN clear. §5.5, close code 1002.
    FragmentedControl(Opcode),
    /// A control frame has more than 125 bytes of payload. §5.5, close code 1002.
    ControlTooLong(Opcode),
    /// A continuation frame while no message is in progress. §5.4, close code 1002.
    UnexpectedContinuation,
    /// A text or binary frame before the message in progress has ended. §5.4, close code 1002.
    ExpectedContinuation(Opcode),
    /// Text that is not UTF-8. §8.1, close code 1007.
    InvalidUtf8,
    /// A Close frame's payload of one byte. §5.5.1, close code 1002.
    ClosePayloadTooShort,
    /// A close code that may not be on the wire. §7.4, close code 1002.
    InvalidCloseCode(u16),
    /// A close reason that is not UTF-8. §5.5.1, close code 1007.
    InvalidCloseReason,
    /// A data frame that declares more bytes than [`Limits::max_frame`](crate::Limits::max_frame).
    /// §10.4, close code 1009.
    FrameTooLarge {
        /// Payload bytes declared by the header.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A message of more bytes than [`Limits::max_message`](crate::Limits::max_message). §10.4,
    /// close code 1009.
    MessageTooLarge {
        /// Bytes of the message up to the end of the frame that went past the limit; of what an
        /// extension decodes, one more than the limit.
        size: u64,
        /// The limit in bytes.
        limit: usize,
    },
    /// A message that goes on with more frames than
    /// [`Limits::max_fragments`](crate::Limits::max_fragments). §10.4, close code 1009.
    TooManyFragments {
        /// The limit in frames.
        limit: u32,
    },
    /// A rule of an extension. §9, close code as the extension has it.
    Extension(&'static ExtensionViolation),
    /// A rule of an old draft, close code 1002.
    Draft(&'static DraftViolation),
}

impl Violation {
    /// The close code to send when this rule is broken under `rules`.
    #[must_use]
    pub const fn close_code(&self, rules: FrameRules) -> CloseCode {
        match self {
            Self::InvalidUtf8 | Self::InvalidCloseReason => CloseCode::INVALID_PAYLOAD,
            Self::FrameTooLarge { .. }
            | Self::MessageTooLarge { .. }
            | Self::TooManyFragments { .. } => rules.too_big(),
            Self::Extension(violation) => violation.close_code,
            Self::ReservedBits(_)
            | Self::ReservedOpcode(_)
            | Self::NotMasked
            | Self::Masked
            | Self::LengthNotMinimal
            | Self::LengthTopBit
            | Self::FragmentedControl(_)
            | Self::ControlTooLong(_)
            | Self::UnexpectedContinuation
            | Self::ExpectedContinuation(_)
            | Self::ClosePayloadTooShort
            | Self::InvalidCloseCode(_)
            | Self::Draft(_) => CloseCode::PROTOCOL_ERROR,
        }
    }

    /// The section of RFC 6455 that states the rule, such as `"5.2"`; of a rule of an old draft, the
    /// section about the same things.
    #[must_use]
    pub const fn section(&self) -> &'static str {
        match self {
            Self::NotMasked | Self::Masked => "5.1",
            Self::ReservedBits(_)
            | Self::ReservedOpcode(_)
            | Self::LengthNotMinimal
            | Self::LengthTopBit
            | Self::Draft(_) => "5.2",
            Self::UnexpectedContinuation | Self::ExpectedContinuation(_) => "5.4",
            Self::FragmentedControl(_) | Self::ControlTooLong(_) => "5.5",
            Self::ClosePayloadTooShort | Self::InvalidCloseReason => "5.5.1",
            Self::InvalidCloseCode(_) => "7.4",
            Self::InvalidUtf8 => "8.1",
            Self::Extension(_) => "9",
            Self::FrameTooLarge { .. }
            | Self::MessageTooLarge { .. }
            | Self::TooManyFragments { .. } => "10.4",
        }
    }
}

/// Codecs of extensions fail of one by itself, where there is no frame whose place could be told.
impl Error for Violation {}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedBits(bits) => {
                write!(f, "reserved bits {bits} are set where no extension uses them")
            }
            Self::ReservedOpcode(opcode) => write!(f, "opcode {opcode} is reserved"),
            Self::NotMasked => f.write_str("frame from a client is not masked"),
            Self::Masked => f.write_str("frame is masked where none may be"),
            Self::LengthNotMinimal => f.write_str("payload length is not in its shortest form"),
            Self::LengthTopBit => f.write_str("top bit of the 64-bit payload length is set"),
            Self::FragmentedControl(opcode) => write!(f, "{opcode} frame is fragmented"),
            Self::ControlTooLong(opcode) => {
                write!(f, "{opcode} frame has more than 125 bytes of payload")
            }
            Self::UnexpectedContinuation => {
                f.write_str("continuation frame without a message to continue")
            }
            Self::ExpectedContinuation(opcode) => {
                write!(f, "{opcode} frame before the message in progress has ended")
            }
            Self::InvalidUtf8 => f.write_str("text message is not UTF-8"),
            Self::ClosePayloadTooShort => f.write_str("close frame has a payload of one byte"),
            Self::InvalidCloseCode(code) => write!(f, "close code {code} may not be sent"),
            Self::InvalidCloseReason => f.write_str("close reason is not UTF-8"),
            Self::FrameTooLarge { size, limit } => {
                write!(f, "frame of {size} bytes is above the limit of {limit}")
            }
            Self::MessageTooLarge { size, limit } => {
                write!(f, "message of at least {size} bytes is above the limit of {limit}")
            }
            Self::TooManyFragments { limit } => {
                write!(f, "message goes on with more than {limit} fragments")
            }
            Self::Extension(violation) => f.write_str(violation.rule),
            Self::Draft(violation) => f.write_str(violation.rule),
        }
    }
}
