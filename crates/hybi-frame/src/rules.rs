//! The rules about messages and their end in which the published versions differ, as data.

use crate::close::CloseCode;
use crate::role::Role;

/// The rules of one protocol version, as far as they do not depend on the layout of its frames.
///
/// | | drafts | shortest length required | invalid UTF-8 | too big | [closing](Closing) |
/// |---|---|---|---|---|---|
/// | [`RFC6455`](Self::RFC6455) | 13 to 17, the RFC | yes (drafts 14 on) | fails, 1007 | 1009 | codes |
/// | [`HYBI_08`](Self::HYBI_08) | 08 to 12 | no | fails, 1007 | 1004 | codes |
/// | [`HYBI_07`](Self::HYBI_07) | 07 | no | replaced by U+FFFD | 1004 | codes |
/// | [`HYBI_06`](Self::HYBI_06) | 06 | no | replaced by U+FFFD | 1004 | codes |
/// | [`HYBI_05`](Self::HYBI_05) | 05 | no | replaced by U+FFFD | | a letter |
/// | [`HYBI_03`](Self::HYBI_03) | 03, 04 | no | replaced by U+FFFD | | echoed |
/// | [`HYBI_01`](Self::HYBI_01) | 01, 02 | no | replaced by U+FFFD | | any frame |
/// | [`HIXIE_76`](Self::HIXIE_76) | hixie-76, hybi-00 | | replaced by U+FFFD | | FF 00 |
/// | [`HIXIE_75`](Self::HIXIE_75) | hixie-75 | | replaced by U+FFFD | | none |
///
/// The first three share the frame layout of RFC 6455, which is the one that
/// [`FrameDecoder`](crate::FrameDecoder) reads. The layouts of the others are in `hybi-legacy`.
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
    closing: Closing,
    /// Text messages are all there is: neither binary ones nor control frames.
    text_only: bool,
}

impl FrameRules {
    /// Version 13: RFC 6455 and drafts 13 to 17.
    pub const RFC6455: Self = Self {
        minimal_lengths: true,
        invalid_utf8: InvalidUtf8::Fail,
        too_big: CloseCode::MESSAGE_TOO_BIG,
        sendable: 0b0111_1111_1000_1111,
        lenient_codes: false,
        closing: Closing::Codes,
        text_only: false,
    };

    /// Version 8: drafts 08 to 12.
    pub const HYBI_08: Self = Self {
        minimal_lengths: false,
        invalid_utf8: InvalidUtf8::Fail,
        too_big: CloseCode::DRAFT_FRAME_TOO_LARGE,
        sendable: 0b0000_0000_1001_1111,
        lenient_codes: true,
        ..Self::RFC6455
    };

    /// Version 7: draft 07.
    pub const HYBI_07: Self = Self {
        minimal_lengths: false,
        invalid_utf8: InvalidUtf8::Replace,
        too_big: CloseCode::DRAFT_FRAME_TOO_LARGE,
        sendable: 0b0000_0000_0001_1111,
        lenient_codes: true,
        ..Self::RFC6455
    };

    /// Version 6: draft 06.
    pub const HYBI_06: Self = Self::HYBI_07;

    /// Version 5: draft 05.
    pub const HYBI_05: Self = Self { closing: Closing::Letter, ..Self::HYBI_06 };

    /// Drafts 03 and 04.
    pub const HYBI_03: Self = Self { closing: Closing::Echo, ..Self::HYBI_06 };

    /// Drafts 01 and 02.
    pub const HYBI_01: Self = Self { closing: Closing::Frame, ..Self::HYBI_06 };

    /// hixie-76, which is also hybi-00.
    pub const HIXIE_76: Self = Self { closing: Closing::Marker, text_only: true, ..Self::HYBI_06 };

    /// hixie-75.
    pub const HIXIE_75: Self = Self { closing: Closing::Transport, ..Self::HIXIE_76 };

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

    /// How connections end.
    #[inline]
    #[must_use]
    pub const fn closing(&self) -> Closing {
        self.closing
    }

    /// Whether Close frames carry codes and reasons: from hybi-06 on.
    #[inline]
    #[must_use]
    pub const fn has_close_codes(&self) -> bool {
        matches!(self.closing, Closing::Codes)
    }

    /// Whether text messages are all there is, without binary ones, fragments, Pings and Pongs: up to
    /// hybi-00.
    #[inline]
    #[must_use]
    pub const fn text_only(&self) -> bool {
        self.text_only
    }

    /// Whether the table of this version has `code`, one of 1000 to 1015, for sending.
    pub(crate) const fn sends_protocol_code(&self, code: u16) -> bool {
        matches!(code, 1000..=1015) && self.sendable >> (code - 1000) & 1 == 1
    }

    pub(crate) const fn lenient_codes(&self) -> bool {
        self.lenient_codes
    }
}

/// How the connections of a version end: its closing family, oldest first.
///
/// [RFC 6455 §7](https://www.rfc-editor.org/rfc/rfc6455#section-7)
///
/// ```
/// use hybi_frame::{Closing, FrameRules, Role};
///
/// assert_eq!(FrameRules::HYBI_05.closing(), Closing::Letter);
/// assert_eq!(Closing::Letter.answer(Role::Server, b"C"), b"S");
/// assert_eq!(Closing::Echo.answer(Role::Server, b"bye"), b"bye");
/// assert_eq!(Closing::Codes.answer(Role::Server, b"\x03\xe8bye"), b"\x03\xe8bye");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "every published version does one of these")]
pub enum Closing {
    /// hixie-75: there is no closing handshake, whoever is done ends the transport.
    Transport,
    /// hixie-76: the two bytes FF 00, answered by the same.
    Marker,
    /// hybi-01 and 02: a Close frame with any payload, answered by a Close frame.
    Frame,
    /// hybi-03 and 04: the answer has the payload of the frame that it answers, so that two Close
    /// frames that cross are told from an answer.
    Echo,
    /// hybi-05: the first byte of the payload is `C` from a client and `S` from a server.
    Letter,
    /// hybi-06 on: empty, or a close code and a reason, answered with the same.
    Codes,
}

impl Closing {
    /// The payload of a Close frame that begins the closing handshake and has no code.
    ///
    /// In hybi-03 and 04 it may be anything. It is empty here, so that the peer's own Close frame, if it
    /// crosses this one, most often passes for the answer.
    #[must_use]
    pub const fn opening(self, role: Role) -> &'static [u8] {
        match (self, role) {
            (Self::Letter, Role::Client) => b"C",
            (Self::Letter, Role::Server) => b"S",
            _ => b"",
        }
    }

    /// The payload of the Close frame that answers one with the payload `received`.
    #[must_use]
    pub fn answer(self, role: Role, received: &[u8]) -> &[u8] {
        match self {
            Self::Echo => received,
            // RFC 6455 section 5.5.1 asks for the code; most peers repeat the reason, too. Of one that is
            // not text, which hybi-06 and 07 tolerate, only what is text goes back.
            Self::Codes => received.get(2..).map_or(b"", |reason| {
                let text = reason.utf8_chunks().next().map_or("", |chunk| chunk.valid());
                &received[..2 + text.len()]
            }),
            _ => self.opening(role),
        }
    }

    /// Whether a Close frame with the payload `received` answers ours with the payload `sent`; if not,
    /// it is the peer's own, which crossed ours and wants an answer.
    #[must_use]
    pub fn is_answer(self, sent: &[u8], received: &[u8]) -> bool {
        self != Self::Echo || sent == received
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
