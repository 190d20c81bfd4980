//! The first byte of a frame after FIN: the three reserved bits and the opcode (RFC 6455 §5.2, §11.8).

use core::fmt;
use core::ops::BitOr;

/// What a frame is: one of the six opcodes that RFC 6455 defines.
///
/// Values 3 to 7 are reserved for further data frames, 11 to 15 for further control frames.
///
/// [RFC 6455 §5.2](https://www.rfc-editor.org/rfc/rfc6455#section-5.2)
///
/// ```
/// use hybi_frame::Opcode;
///
/// assert_eq!(Opcode::from_bits(9), Some(Opcode::Ping));
/// assert_eq!(Opcode::from_bits(11), None);
/// assert!(Opcode::Ping.is_control());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(clippy::exhaustive_enums, reason = "the wire format is frozen with these six")]
pub enum Opcode {
    /// A further fragment of the message in progress.
    Continuation = 0,
    /// The first or only frame of a text message.
    Text = 1,
    /// The first or only frame of a binary message.
    Binary = 2,
    /// A Close frame.
    Close = 8,
    /// A Ping frame.
    Ping = 9,
    /// A Pong frame.
    Pong = 10,
}

impl Opcode {
    /// The opcode of this four-bit value; `None` when it is reserved or larger than 15.
    #[inline]
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::Continuation),
            1 => Some(Self::Text),
            2 => Some(Self::Binary),
            8 => Some(Self::Close),
            9 => Some(Self::Ping),
            10 => Some(Self::Pong),
            _ => None,
        }
    }

    /// The four-bit value on the wire.
    #[inline]
    #[must_use]
    pub const fn bits(self) -> u8 {
        self as u8
    }

    /// Whether this is Close, Ping or Pong.
    #[inline]
    #[must_use]
    pub const fn is_control(self) -> bool {
        self.bits() & 0x8 != 0
    }

    /// Whether this is Continuation, Text or Binary.
    #[inline]
    #[must_use]
    pub const fn is_data(self) -> bool {
        !self.is_control()
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Continuation => "continuation",
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Close => "close",
            Self::Ping => "ping",
            Self::Pong => "pong",
        })
    }
}

/// A set of the three reserved bits of a frame header.
///
/// Each bit belongs to at most one negotiated extension; without one it must be clear
/// ([RFC 6455 §5.2](https://www.rfc-editor.org/rfc/rfc6455#section-5.2)).
///
/// ```
/// use hybi_frame::Rsv;
///
/// let bits = Rsv::RSV1 | Rsv::RSV3;
/// assert!(bits.contains(Rsv::RSV1) && !bits.contains(Rsv::RSV2));
/// assert_eq!(bits.bits(), 0x50);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Rsv(u8);

impl Rsv {
    /// No bit.
    pub const NONE: Self = Self(0);
    /// The first reserved bit, which permessage-deflate uses.
    pub const RSV1: Self = Self(0x40);
    /// The second reserved bit.
    pub const RSV2: Self = Self(0x20);
    /// The third reserved bit.
    pub const RSV3: Self = Self(0x10);
    /// All three.
    pub const ALL: Self = Self(0x70);

    /// The reserved bits of a header's first byte; all other bits are left out.
    #[inline]
    #[must_use]
    pub const fn from_bits(first_byte: u8) -> Self {
        Self(first_byte & 0x70)
    }

    /// The bits where they stand in a header's first byte (mask `0x70`).
    #[inline]
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether every bit of `other` is in this set.
    #[inline]
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits of either set.
    #[inline]
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The bits of this set that are not in `other`.
    #[inline]
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether no bit is set.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for Rsv {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl fmt::Debug for Rsv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rsv(")?;
        fmt::Display::fmt(self, f)?;
        f.write_str(")")
    }
}

impl fmt::Display for Rsv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [(Self::RSV1, "RSV1"), (Self::RSV2, "RSV2"), (Self::RSV3, "RSV3")];
        let mut separator = "";
        for (bit, name) in names {
            if self.contains(bit) {
                write!(f, "{separator}{name}")?;
                separator = "|";
            }
        }
        if self.is_empty() { f.write_str("none") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::{Opcode, Rsv};

    #[test]
    fn opcodes_keep_their_values_and_all_others_are_reserved() {
        for bits in 0..=u8::MAX {
            match Opcode::from_bits(bits) {
                Some(opcode) => {
                    assert_eq!(opcode.bits(), bits);
                    assert_eq!(opcode.is_control(), bits >= 8);
                }
                None => assert!(matches!(bits, 3..=7 | 11..), "{bits}"),
            }
        }
    }

    #[test]
    fn reserved_bits_are_a_set() {
        assert_eq!(Rsv::from_bits(0xff), Rsv::RSV1 | Rsv::RSV2 | Rsv::RSV3);
        assert_eq!(Rsv::from_bits(0x8f), Rsv::NONE);
        assert_eq!((Rsv::RSV1 | Rsv::RSV2).difference(Rsv::RSV1), Rsv::RSV2);
        assert_eq!((Rsv::RSV1 | Rsv::RSV3).to_string(), "RSV1|RSV3");
        assert_eq!(Rsv::NONE.to_string(), "none");
    }
}
