//! Close codes and the payload of a Close frame (RFC 6455 §5.5.1, §7.4).

use alloc::string::String;
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;

use crate::error::Violation;
use crate::role::Role;
use crate::rules::{FrameRules, InvalidUtf8};
use crate::utf8::{Utf8Bytes, Utf8Validator};

/// The number in a Close frame that says why a connection ends.
///
/// Any 16-bit value can be held, since any can arrive; [`may_be_sent`](Self::may_be_sent) and
/// [`may_be_received`](Self::may_be_received) say which are lawful. RFC 6455 calls it a status code.
///
/// [RFC 6455 §7.4](https://www.rfc-editor.org/rfc/rfc6455#section-7.4)
///
/// ```
/// use hybi_frame::{CloseCode, FrameRules, Role};
///
/// let code = CloseCode::from(4001);
/// assert!(code.may_be_sent(FrameRules::RFC6455, Role::Client));
/// assert!(!CloseCode::NO_STATUS.may_be_received(FrameRules::RFC6455));
/// assert_eq!(CloseCode::NORMAL.to_string(), "1000 (normal)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: a server goes down, or a page was left.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a kind of data that cannot be accepted, such as binary where only text is.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1004 in hybi-06 to 12: a frame too large to process. Version 13 reserved the number, without
    /// a meaning, and has [`MESSAGE_TOO_BIG`](Self::MESSAGE_TOO_BIG) for what is too big.
    pub const DRAFT_FRAME_TOO_LARGE: Self = Self(1004);
    /// 1005: the Close frame had no code. Never on the wire.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006: the transport ended without a Close frame. Never on the wire.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: data that does not fit the type of its message, such as text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1008: a policy was violated, and no other code fits.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message too big to process. Drafts hybi-06 to 12 have
    /// [`DRAFT_FRAME_TOO_LARGE`](Self::DRAFT_FRAME_TOO_LARGE) instead.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1010: an extension that the client needs was not negotiated. Sent by clients only.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: an unexpected condition kept the endpoint from fulfilling a request.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service restarts. Registered after RFC 6455.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: the service is overloaded. Registered after RFC 6455.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway had an invalid answer from upstream. Registered after RFC 6455.
    pub const BAD_GATEWAY: Self = Self(1014);
    /// 1015: the TLS handshake failed. Never on the wire.
    pub const TLS_FAILURE: Self = Self(1015);

    /// The code of this number, whether it is of use or not: `CloseCode::from` in constants.
    #[inline]
    #[must_use]
    pub const fn from_u16(code: u16) -> Self {
        Self(code)
    }

    /// The code as a number.
    #[inline]
    #[must_use]
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// Whether an endpoint in `role` may put this code into a Close frame under `rules`.
    ///
    /// These are the codes that the version defines, and 3000 to 4999, which belong to
    /// libraries and applications. 1005, 1006 and 1015 never are, and 1010 is for clients. Before
    /// hybi-06 there were no codes.
    #[must_use]
    pub const fn may_be_sent(self, rules: FrameRules, role: Role) -> bool {
        match self.0 {
            _ if !rules.has_close_codes() => false,
            1010 => matches!(role, Role::Client) && rules.sends_protocol_code(1010),
            1000..=1015 => rules.sends_protocol_code(self.0),
            3000..=4999 => true,
            _ => false,
        }
    }

    /// Whether a Close frame with this code is accepted under `rules`; a received code that is not
    /// fails the connection with 1002.
    ///
    /// Version 13 accepts what may be sent. The tables of the drafts before it were in motion, so
    /// that versions 6 to 8 accept all of 1000 to 4999 except 1005, 1006 and 1015.
    #[must_use]
    pub const fn may_be_received(self, rules: FrameRules) -> bool {
        match self.0 {
            _ if !rules.has_close_codes() => false,
            1005 | 1006 | 1015 => false,
            1000..=4999 if rules.lenient_codes() => true,
            _ => self.may_be_sent(rules, Role::Client),
        }
    }

    /// This code, or what comes nearest to it in a Close frame by an endpoint in `role` under
    /// `rules`, for codes of another connection.
    ///
    /// What is too big is 1009 in version 13 and 1004 in hybi-06 to 12. Any other code that cannot be
    /// sent becomes 1011, and 1001 in those drafts, which have no other for an endpoint that gives up.
    ///
    /// ```
    /// use hybi_frame::{CloseCode, FrameRules, Role};
    ///
    /// let nearest = |code: CloseCode, rules| code.nearest(rules, Role::Server);
    /// let (rfc, draft) = (FrameRules::RFC6455, FrameRules::HYBI_08);
    /// assert_eq!(nearest(CloseCode::MESSAGE_TOO_BIG, draft), CloseCode::DRAFT_FRAME_TOO_LARGE);
    /// assert_eq!(nearest(CloseCode::TRY_AGAIN_LATER, draft), CloseCode::GOING_AWAY);
    /// assert_eq!(nearest(CloseCode::ABNORMAL, rfc), CloseCode::INTERNAL_ERROR);
    /// ```
    #[must_use]
    pub const fn nearest(self, rules: FrameRules, role: Role) -> Self {
        match self {
            _ if self.may_be_sent(rules, role) => self,
            Self::MESSAGE_TOO_BIG | Self::DRAFT_FRAME_TOO_LARGE => rules.too_big(),
            _ if Self::INTERNAL_ERROR.may_be_sent(rules, role) => Self::INTERNAL_ERROR,
            _ => Self::GOING_AWAY,
        }
    }

    /// The name in the table of codes; `None` for a code without one.
    const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NORMAL => "normal",
            Self::GOING_AWAY => "going away",
            Self::PROTOCOL_ERROR => "protocol error",
            Self::UNSUPPORTED_DATA => "unsupported data",
            Self::DRAFT_FRAME_TOO_LARGE => "frame too large, in drafts",
            Self::NO_STATUS => "no status",
            Self::ABNORMAL => "abnormal",
            Self::INVALID_PAYLOAD => "invalid payload",
            Self::POLICY_VIOLATION => "policy violation",
            Self::MESSAGE_TOO_BIG => "message too big",
            Self::MANDATORY_EXTENSION => "mandatory extension",
            Self::INTERNAL_ERROR => "internal error",
            Self::SERVICE_RESTART => "service restart",
            Self::TRY_AGAIN_LATER => "try again later",
            Self::BAD_GATEWAY => "bad gateway",
            Self::TLS_FAILURE => "TLS failure",
            _ => return None,
        })
    }
}

impl From<u16> for CloseCode {
    #[inline]
    fn from(code: u16) -> Self {
        Self(code)
    }
}

impl From<CloseCode> for u16 {
    #[inline]
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} ({name})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

/// What a Close frame with a code says: the code, and a reason for logs and people.
///
/// The reason has at most 123 bytes, so that both fit a control frame. A Close frame without a
/// code has no `CloseFrame`: it is `None` wherever one may be.
///
/// [RFC 6455 §5.5.1](https://www.rfc-editor.org/rfc/rfc6455#section-5.5.1)
///
/// ```
/// use hybi_frame::{CloseCode, CloseFrame};
///
/// let close = CloseFrame::new(CloseCode::NORMAL, "done")?;
/// let mut payload = Vec::new();
/// close.encode(&mut payload);
/// assert_eq!(payload, b"\x03\xe8done");
///
/// assert!(CloseFrame::new(CloseCode::ABNORMAL, "").is_err(), "1006 is never on the wire");
/// # Ok::<(), hybi_frame::CloseFrameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CloseFrame {
    code: CloseCode,
    reason: Utf8Bytes,
}

impl CloseFrame {
    /// The longest reason in bytes.
    pub const MAX_REASON: usize = 123;

    /// A Close frame to be sent under RFC 6455.
    ///
    /// # Errors
    ///
    /// [`CloseFrameError::Code`] when neither role may send the code, [`CloseFrameError::Reason`] when
    /// the reason has more than 123 bytes. Nothing is sent in either case.
    pub fn new(code: CloseCode, reason: impl Into<Utf8Bytes>) -> Result<Self, CloseFrameError> {
        Self::for_version(FrameRules::RFC6455, Role::Client, code, reason)
    }

    /// A Close frame to be sent by an endpoint in `role` under the rules of any version.
    ///
    /// # Errors
    ///
    /// [`CloseFrameError::Code`] unless [`CloseCode::may_be_sent`], and
    /// [`CloseFrameError::Reason`] when the reason has more than 123 bytes.
    pub fn for_version(
        rules: FrameRules,
        role: Role,
        code: CloseCode,
        reason: impl Into<Utf8Bytes>,
    ) -> Result<Self, CloseFrameError> {
        let reason = reason.into();
        if !code.may_be_sent(rules, role) {
            return Err(CloseFrameError::Code(code));
        }
        if reason.len() > Self::MAX_REASON {
            return Err(CloseFrameError::Reason { len: reason.len() });
        }
        Ok(Self { code, reason })
    }

    /// This frame as an endpoint in `role` can send it under `rules`: with the
    /// [nearest](CloseCode::nearest) code and the same reason.
    #[must_use]
    pub fn nearest(&self, rules: FrameRules, role: Role) -> Self {
        Self { code: self.code.nearest(rules, role), reason: self.reason.clone() }
    }

    /// Reads the payload of a received Close frame; `None` when it is empty, or when the version
    /// gives its bytes no meaning (before hybi-06).
    ///
    /// Where `rules` replace invalid UTF-8, a reason that grows past 123 bytes by it is cut at a
    /// character.
    ///
    /// # Errors
    ///
    /// [`Violation::ClosePayloadTooShort`], [`Violation::InvalidCloseCode`] (both 1002) and
    /// [`Violation::InvalidCloseReason`] (1007).
    pub fn parse(payload: &[u8], rules: FrameRules) -> Result<Option<Self>, Violation> {
        match Self::parse_at(payload, rules) {
            Ok(close) => Ok(close),
            Err((violation, _)) => Err(violation),
        }
    }

    /// The same; an error comes with the position of the offending byte in the payload.
    pub(crate) fn parse_at(
        payload: &[u8],
        rules: FrameRules,
    ) -> Result<Option<Self>, (Violation, usize)> {
        if !rules.has_close_codes() {
            return Ok(None);
        }
        let Some((&code, reason)) = payload.split_first_chunk::<2>() else {
            return match payload {
                [] => Ok(None),
                _ => Err((Violation::ClosePayloadTooShort, 0)),
            };
        };
        let code = CloseCode(u16::from_be_bytes(code));
        if !code.may_be_received(rules) {
            return Err((Violation::InvalidCloseCode(code.0), 0));
        }
        let reason = match (Utf8Bytes::try_from(reason), rules.invalid_utf8()) {
            (Ok(reason), _) => reason,
            (Err(_), InvalidUtf8::Fail) => {
                let at = Utf8Validator::new().first_invalid(reason);
                return Err((Violation::InvalidCloseReason, 2 + at));
            }
            (Err(_), InvalidUtf8::Replace) => {
                let mut replaced = String::from_utf8_lossy(reason).into_owned();
                let mut end = Self::MAX_REASON.min(replaced.len());
                while !replaced.is_char_boundary(end) {
                    end -= 1;
                }
                replaced.truncate(end);
                replaced.into()
            }
        };
        Ok(Some(Self { code, reason }))
    }

    /// The code.
    #[inline]
    #[must_use]
    pub const fn code(&self) -> CloseCode {
        self.code
    }

    /// The reason, empty when none was given.
    #[inline]
    #[must_use]
    pub const fn reason(&self) -> &Utf8Bytes {
        &self.reason
    }

    /// Appends the payload of the Close frame to `out`: 2 to 125 bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.code.0.to_be_bytes());
        out.extend_from_slice(self.reason.as_bytes());
    }
}

impl fmt::Display for CloseFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.code, f)?;
        if self.reason.is_empty() { Ok(()) } else { write!(f, ": {}", self.reason) }
    }
}

/// Why a Close frame cannot be sent as asked: the caller's fault, noticed before a byte leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseFrameError {
    /// The code may not be on the wire in this version, or not from this role. RFC 6455 §7.4.
    Code(CloseCode),
    /// The reason is longer than 123 bytes. RFC 6455 §5.5.
    Reason {
        /// Its length in bytes.
        len: usize,
    },
}

impl fmt::Display for CloseFrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => {
                write!(f, "close code {code} may not be sent (RFC 6455 section 7.4)")
            }
            Self::Reason { len } => write!(
                f,
                "close reason of {len} bytes is longer than {} (RFC 6455 section 5.5)",
                CloseFrame::MAX_REASON
            ),
        }
    }
}

impl Error for CloseFrameError {}
