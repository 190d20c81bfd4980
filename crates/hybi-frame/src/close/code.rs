//! CloseCode: why a connection ends, as a number, and who may send which (RFC 6455 §7.4).

use core::fmt;

use crate::role::Role;
use crate::rules::FrameRules;

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
