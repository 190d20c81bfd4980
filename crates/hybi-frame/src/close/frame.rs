//! CloseFrame: the payload of a Close frame, made, read and written (RFC 6455 §5.5.1).

use alloc::vec::Vec;
use core::error::Error;
use core::fmt;

use super::code::CloseCode;
use super::reason;
use crate::error::Violation;
use crate::role::Role;
use crate::rules::FrameRules;
use crate::utf8::Utf8Bytes;

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
    pub const MAX_REASON: usize = reason::MAX_LEN;

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
        let code = CloseCode::from_u16(u16::from_be_bytes(code));
        if !code.may_be_received(rules) {
            return Err((Violation::InvalidCloseCode(code.as_u16()), 0));
        }
        match reason::received(reason, rules) {
            Ok(reason) => Ok(Some(Self { code, reason })),
            Err(error) => Err((Violation::InvalidCloseReason, 2 + error.offset())),
        }
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
        out.extend_from_slice(&self.code.as_u16().to_be_bytes());
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
