//! The framing rules in which hybi-07, hybi-08 to 12 and RFC 6455 differ, as data.

use crate::close::CloseCode;

/// The rules of one protocol version, for the versions that share RFC 6455's frame layout.
///
/// | | header value | shortest length required | invalid UTF-8 | too big |
/// |---|---|---|---|---|
/// | [`RFC6455`](Self::RFC6455) | 13 | yes (drafts 14 on) | fails, 1007 | 1009 |
/// | [`HYBI_08`](Self::HYBI_08) | 8 | no | fails, 1007 | 1004 |
/// | [`HYBI_07`](Self::HYBI_07) | 7 | no | replaced by U+FFFD | 1004 |
///
/// The close codes accepted differ as well, see [`CloseCode::may_be_received`].
///
/// Drafts 08 and 09 asked for replacement and drafts 10 to 12 for failure under the same version
/// number, so that they cannot be told apart; failing is what peers of that number expect.
///
/// ```
/// use hybi_frame::{CloseCode, FrameDecoder, FrameRules, InvalidUtf8, Limits, Role};
///
/// // A length of 5 in the form for longer ones: an error in RFC 6455, lawful in its drafts.
/// let long_form = *b"\x82\x7e\x00\x05Hello";
/// let decode = |rules| {
///     let mut decoder = FrameDecoder::new(Role::Client, rules, Limits::default());
///     decoder.decode(&mut long_form.clone()).map(|(taken, _)| taken)
/// };
/// assert_eq!(decode(FrameRules::HYBI_08), Ok(9));
/// let error = decode(FrameRules::RFC6455).unwrap_err();
/// assert_eq!(error.close_code(), CloseCode::PROTOCOL_ERROR);
/// assert_eq!(FrameRules::HYBI_07.invalid_utf8(), InvalidUtf8::Replace);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameRules {
    minimal_lengths: bool,
    invalid_utf8: InvalidUtf8,
    too_big: CloseCode,
    /// Bit n: code 1000 + n may be sent.
    sendable: u16,
    /// Any code of 1000 to 4999 is received, except those that are never on the wire.
    lenient_codes: bool,
}

impl FrameRules {
    /// Version 13: RFC 6455 and drafts 13 to 17.
    pub const RFC6455: Self = Self {
        minimal_lengths: true,
        invalid_utf8: InvalidUtf8::Fail,
        too_big: CloseCode::TOO_BIG,
        sendable: 0b0111_1111_1000_1111,
        lenient_codes: false,
    };

    /// Version 8: drafts 08 to 12.
    pub const HYBI_08: Self = Self {
        minimal_lengths: false,
        invalid_utf8: InvalidUtf8::Fail,
        too_big: CloseCode::TOO_LARGE,
        sendable: 0b0000_0000_1001_1111,
        lenient_codes: true,
    };

    /// Version 7: draft 07.
    pub const HYBI_07: Self = Self {
        minimal_lengths: false,
        invalid_utf8: InvalidUtf8::Replace,
        too_big: CloseCode::TOO_LARGE,
        sendable: 0b0000_0000_0001_1111,
        lenient_codes: true,
    };

    /// Whether a payload length must use the shortest of its three forms (RFC 6455 §5.2).
    #[inline]
    #[must_use]
    pub const fn minimal_lengths(&self) -> bool {
        self.minimal_lengths
    }

    /// What happens to text that is not UTF-8.
    #[inline]
    #[must_use]
    pub const fn invalid_utf8(&self) -> InvalidUtf8 {
        self.invalid_utf8
    }

    /// The close code for a frame or message above a limit: 1009, or 1004 before version 13.
    #[inline]
    #[must_use]
    pub const fn too_big(&self) -> CloseCode {
        self.too_big
    }

    /// Whether the table of this version has `code`, one of 1000 to 1015, for sending.
    pub(crate) const fn sends_protocol_code(&self, code: u16) -> bool {
        matches!(code, 1000..=1015) && self.sendable >> (code - 1000) & 1 == 1
    }

    pub(crate) const fn lenient_codes(&self) -> bool {
        self.lenient_codes
    }
}

/// What a receiver does with a text message that is not UTF-8.
///
/// [RFC 6455 §8.1](https://www.rfc-editor.org/rfc/rfc6455#section-8.1)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "every published version does one of the two")]
pub enum InvalidUtf8 {
    /// Fails the connection with close code 1007 at the first byte that cannot belong to a
    /// character.
    Fail,
    /// Puts U+FFFD in the place of each bad sequence, as [`String::from_utf8_lossy`] does. The text
    /// may grow by it to three times the bytes that were received and counted.
    ///
    /// [`String::from_utf8_lossy`]: alloc::string::String::from_utf8_lossy
    Replace,
}
