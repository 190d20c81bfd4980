//! Draft: every published document, and the one table of what each says.

use core::fmt;

use http::{HeaderName, header};
use hybi_frame::{FrameRules, InvalidUtf8};
use hybi_handshake::Version;

/// One published document of the protocol.
///
/// hixie-76 was published again as hybi-00; the two are one. Several drafts share a [`Version`]: on
/// the wire they cannot be told apart, and what is spoken is the newest of them.
///
/// ```
/// use hybi_legacy::{Draft, FramingFamily, HandshakeFamily, Version};
///
/// assert_eq!(Draft::Hybi10.version(), Version::HYBI_08);
/// assert_eq!(Draft::spoken_as(Version::HYBI_08), Some(Draft::Hybi12));
/// assert_eq!(Draft::Hybi03.handshake(), HandshakeFamily::Hixie76);
/// assert_eq!(Draft::Hybi03.framing(), FramingFamily::Hybi01);
/// assert_eq!("hybi-00".parse(), Ok(Draft::Hixie76));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "no further draft of this protocol will be published")]
pub enum Draft {
    /// draft-hixie-thewebsocketprotocol-75, February 2010.
    Hixie75,
    /// draft-hixie-thewebsocketprotocol-76 and draft-ietf-hybi-thewebsocketprotocol-00, May 2010.
    Hixie76,
    /// draft-ietf-hybi-thewebsocketprotocol-01, August 2010.
    Hybi01,
    /// Draft 02, September 2010.
    Hybi02,
    /// Draft 03, October 2010.
    Hybi03,
    /// Draft 04, January 2011.
    Hybi04,
    /// Draft 05, February 2011.
    Hybi05,
    /// Draft 06, February 2011.
    Hybi06,
    /// Draft 07, April 2011.
    Hybi07,
    /// Draft 08, June 2011.
    Hybi08,
    /// Draft 09, June 2011.
    Hybi09,
    /// Draft 10, July 2011.
    Hybi10,
    /// Draft 11, August 2011.
    Hybi11,
    /// Draft 12, August 2011.
    Hybi12,
    /// Draft 13, August 2011.
    Hybi13,
    /// Draft 14, September 2011.
    Hybi14,
    /// Draft 15, September 2011.
    Hybi15,
    /// Draft 16, September 2011.
    Hybi16,
    /// Draft 17, September 2011.
    Hybi17,
    /// RFC 6455, December 2011.
    Rfc6455,
}

/// How the opening handshake of a draft is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "every published draft has one of these")]
pub enum HandshakeFamily {
    /// Fields in a fixed order and no challenge.
    Hixie75,
    /// Two keys in fields and eight bytes behind the request head, answered by sixteen. hybi-01 to
    /// 03 add the field `Sec-WebSocket-Draft`.
    Hixie76,
    /// One key, answered by its hash and by a nonce of the server's.
    Hybi04,
    /// One key, answered by its hash.
    Hybi05,
}

/// How the frames of a draft are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "every published draft has one of these")]
pub enum FramingFamily {
    /// Text between 00 and FF; everything else is skipped.
    Hixie75,
    /// The same, and FF 00 closes.
    Hixie76,
    /// A header of two bytes and more with a MORE bit; nothing is masked.
    Hybi01,
    /// FIN instead of MORE; a client's frames are masked, header and all, with a hash of four bytes
    /// that precede them.
    Hybi04,
    /// The same, masked with those four bytes themselves.
    Hybi05,
    /// The layout of RFC 6455.
    Hybi07,
}

/// How requests and responses name subprotocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "every published draft has one of these")]
pub enum SubprotocolSyntax {
    /// One name of visible characters and spaces in `WebSocket-Protocol`, answered by the same.
    One,
    /// Names with single spaces between in `Sec-WebSocket-Protocol`.
    Spaces,
    /// Names with commas between, most wanted first.
    Commas,
    /// The same, and each name is a token.
    Tokens,
}

/// How requests and responses name extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "every published draft has one of these")]
pub enum ExtensionSyntax {
    /// Nothing is negotiated.
    Absent,
    /// Names without parameters.
    Names,
    /// Names with parameters, whose values are tokens.
    Tokens,
    /// Values may be quoted as well.
    Quoted,
}

/// What a request says to select a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "every published draft has one of these")]
pub enum Selector {
    /// `Upgrade: WebSocket`, and none of the fields below.
    Nothing,
    /// `Sec-WebSocket-Key1` and `-Key2`, with `Sec-WebSocket-Draft` of one of these values. A
    /// client sends the first; a client of hixie-76, which does not know the field, sends none.
    Keys {
        /// The values of `Sec-WebSocket-Draft`.
        draft: &'static [u8],
        /// Whether requests without that field may be of this draft, too.
        optional: bool,
    },
    /// `Sec-WebSocket-Version` with the number of the draft's [`Version`].
    Version,
}

impl Draft {
    /// Every draft, oldest first.
    pub const ALL: [Self; 20] = {
        let mut all = [Self::Rfc6455; 20];
        let mut at = 0;
        while at < TABLE.len() {
            all[at] = TABLE[at].draft;
            at += 1;
        }
        all
    };

    /// The draft whose rules are followed when this version is spoken: the newest that has it.
    #[must_use]
    pub fn spoken_as(version: Version) -> Option<Self> {
        Self::ALL.into_iter().rev().find(|draft| draft.version() == version)
    }

    /// The usual name, such as `hybi-10` or `rfc6455`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// How peers tell the draft on the wire.
    #[must_use]
    pub const fn version(self) -> Version {
        self.row().version
    }

    /// What a request says to select it.
    #[must_use]
    pub const fn selector(self) -> Selector {
        self.row().selector
    }

    /// The field in which a client names its origin.
    #[must_use]
    pub const fn origin_field(self) -> HeaderName {
        match self.row().origin {
            OriginField::Origin => header::ORIGIN,
            OriginField::SecWebSocketOrigin => SEC_WEBSOCKET_ORIGIN,
        }
    }

    /// How the opening handshake is made.
    #[must_use]
    pub const fn handshake(self) -> HandshakeFamily {
        self.row().handshake
    }

    /// How frames are laid out.
    #[must_use]
    pub const fn framing(self) -> FramingFamily {
        self.row().framing
    }

    /// The rules about messages and their end that are followed when its version is spoken.
    #[must_use]
    pub const fn rules(self) -> FrameRules {
        self.row().rules
    }

    /// What the document wants done with text that is not UTF-8. In version 8 the later drafts
    /// decide for all: see [`rules`](Self::rules).
    #[must_use]
    pub const fn invalid_utf8(self) -> InvalidUtf8 {
        self.row().invalid_utf8
    }

    /// How subprotocols are named.
    #[must_use]
    pub const fn subprotocols(self) -> SubprotocolSyntax {
        self.row().subprotocols
    }

    /// How extensions are named.
    #[must_use]
    pub const fn extensions(self) -> ExtensionSyntax {
        self.row().extensions
    }

    /// Whether a server that refuses a version lists those that it speaks: from hybi-11 on.
    #[must_use]
    pub const fn refusal_lists_versions(self) -> bool {
        matches!(self as u8, first if first >= Self::Hybi11 as u8)
    }

    const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no draft has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownDraft;

impl fmt::Display for UnknownDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "there is no draft of this name (hixie-75, hixie-76, hybi-00 to hybi-17, rfc6455)",
        )
    }
}

impl core::error::Error for UnknownDraft {}

impl core::str::FromStr for Draft {
    type Err = UnknownDraft;

    fn from_str(name: &str) -> Result<Self, UnknownDraft> {
        let name = if name == "hybi-00" { "hixie-76" } else { name };
        Self::ALL.into_iter().find(|draft| draft.name() == name).ok_or(UnknownDraft)
    }
}

#[derive(Clone, Copy)]
enum OriginField {
    Origin,
    SecWebSocketOrigin,
}

pub(crate) const SEC_WEBSOCKET_ORIGIN: HeaderName = HeaderName::from_static("sec-websocket-origin");

/// What one draft says.
struct Row {
    draft: Draft,
    name: &'static str,
    version: Version,
    selector: Selector,
    origin: OriginField,
    handshake: HandshakeFamily,
    framing: FramingFamily,
    rules: FrameRules,
    invalid_utf8: InvalidUtf8,
    subprotocols: SubprotocolSyntax,
    extensions: ExtensionSyntax,
}

const HIXIE_75: Row = Row {
    draft: Draft::Hixie75,
    name: "hixie-75",
    version: Version::HIXIE_75,
    selector: Selector::Nothing,
    origin: OriginField::Origin,
    handshake: HandshakeFamily::Hixie75,
    framing: FramingFamily::Hixie75,
    rules: FrameRules::HIXIE_75,
    invalid_utf8: InvalidUtf8::Replace,
    subprotocols: SubprotocolSyntax::One,
    extensions: ExtensionSyntax::Absent,
};

const HIXIE_76: Row = Row {
    draft: Draft::Hixie76,
    name: "hixie-76",
    version: Version::HIXIE_76,
    selector: Selector::Keys { draft: &[0], optional: true },
    handshake: HandshakeFamily::Hixie76,
    framing: FramingFamily::Hixie76,
    rules: FrameRules::HIXIE_76,
    subprotocols: SubprotocolSyntax::Spaces,
    ..HIXIE_75
};

const HYBI_01: Row = Row {
    draft: Draft::Hybi01,
    name: "hybi-01",
    version: Version::HYBI_01,
    selector: Selector::Keys { draft: &[1], optional: true },
    framing: FramingFamily::Hybi01,
    rules: FrameRules::HYBI_01,
    ..HIXIE_76
};

const HYBI_02: Row = Row {
    draft: Draft::Hybi02,
    name: "hybi-02",
    version: Version::HYBI_02,
    selector: Selector::Keys { draft: &[2], optional: false },
    ..HYBI_01
};

const HYBI_03: Row = Row {
    draft: Draft::Hybi03,
    name: "hybi-03",
    version: Version::HYBI_03,
    selector: Selector::Keys { draft: &[2, 3], optional: false },
    rules: FrameRules::HYBI_03,
    ..HYBI_02
};

const HYBI_04: Row = Row {
    draft: Draft::Hybi04,
    name: "hybi-04",
    version: Version::HYBI_04,
    selector: Selector::Version,
    origin: OriginField::SecWebSocketOrigin,
    handshake: HandshakeFamily::Hybi04,
    framing: FramingFamily::Hybi04,
    subprotocols: SubprotocolSyntax::Commas,
    extensions: ExtensionSyntax::Names,
    ..HYBI_03
};

const HYBI_05: Row = Row {
    draft: Draft::Hybi05,
    name: "hybi-05",
    version: Version::HYBI_05,
    handshake: HandshakeFamily::Hybi05,
    framing: FramingFamily::Hybi05,
    rules: FrameRules::HYBI_05,
    extensions: ExtensionSyntax::Tokens,
    ..HYBI_04
};

const HYBI_06: Row = Row {
    draft: Draft::Hybi06,
    name: "hybi-06",
    version: Version::HYBI_06,
    rules: FrameRules::HYBI_06,
    ..HYBI_05
};

const HYBI_07: Row = Row {
    draft: Draft::Hybi07,
    name: "hybi-07",
    version: Version::HYBI_07,
    framing: FramingFamily::Hybi07,
    rules: FrameRules::HYBI_07,
    ..HYBI_06
};

const HYBI_08: Row = Row {
    draft: Draft::Hybi08,
    name: "hybi-08",
    version: Version::HYBI_08,
    rules: FrameRules::HYBI_08,
    subprotocols: SubprotocolSyntax::Tokens,
    ..HYBI_07
};

const HYBI_10: Row =
    Row { draft: Draft::Hybi10, name: "hybi-10", invalid_utf8: InvalidUtf8::Fail, ..HYBI_08 };

const HYBI_11: Row =
    Row { draft: Draft::Hybi11, name: "hybi-11", origin: OriginField::Origin, ..HYBI_10 };

const HYBI_13: Row = Row {
    draft: Draft::Hybi13,
    name: "hybi-13",
    version: Version::RFC6455,
    rules: FrameRules::RFC6455,
    ..HYBI_11
};

const HYBI_14: Row =
    Row { draft: Draft::Hybi14, name: "hybi-14", extensions: ExtensionSyntax::Quoted, ..HYBI_13 };

/// The table: each row says what changed since the one before.
const TABLE: [Row; 20] = [
    HIXIE_75,
    HIXIE_76,
    HYBI_01,
    HYBI_02,
    HYBI_03,
    HYBI_04,
    HYBI_05,
    HYBI_06,
    HYBI_07,
    HYBI_08,
    Row { draft: Draft::Hybi09, name: "hybi-09", ..HYBI_08 },
    HYBI_10,
    HYBI_11,
    Row { draft: Draft::Hybi12, name: "hybi-12", ..HYBI_11 },
    HYBI_13,
    HYBI_14,
    Row { draft: Draft::Hybi15, name: "hybi-15", ..HYBI_14 },
    Row { draft: Draft::Hybi16, name: "hybi-16", ..HYBI_14 },
    Row { draft: Draft::Hybi17, name: "hybi-17", ..HYBI_14 },
    Row { draft: Draft::Rfc6455, name: "rfc6455", ..HYBI_14 },
];
