//! Text that is checked as it arrives (RFC 6455 §8.1, RFC 3629).

mod ascii;
mod buffer;
mod bytes;
mod replaced;

use core::error::Error;
use core::fmt;

pub use buffer::DirectBuffer;
pub(crate) use buffer::MessageBuffer;
pub use bytes::Utf8Bytes;
pub(crate) use bytes::checked_text;
pub(crate) use replaced::replaced;

/// Checks text that comes in pieces, cut anywhere, and fails at the first byte after which no
/// continuation could make it UTF-8.
///
/// It keeps three bytes of state and none of the text.
///
/// ```
/// use hybi_frame::Utf8Validator;
///
/// let mut validator = Utf8Validator::new();
/// validator.feed(b"caf\xc3")?;
/// assert!(!validator.is_complete());
/// validator.feed(b"\xa9")?;
/// assert!(validator.is_complete());
/// // No character begins with F4 90: no need to wait for two more bytes.
/// assert_eq!(validator.feed(b"ab\xf4\x90").unwrap_err().offset(), 3);
/// # Ok::<(), hybi_frame::Utf8Error>(())
/// ```
///
/// [RFC 6455 §8.1](https://www.rfc-editor.org/rfc/rfc6455#section-8.1)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Utf8Validator {
    /// Bytes that the character in progress still needs; 0 between characters.
    needed: u8,
    /// The range of the next of them.
    low: u8,
    high: u8,
}

impl Utf8Validator {
    /// A validator at the beginning of a text.
    #[must_use]
    pub const fn new() -> Self {
        Self { needed: 0, low: 0x80, high: 0xbf }
    }

    /// Checks the next bytes of the text.
    ///
    /// # Errors
    ///
    /// [`Utf8Error`] with the position, in `bytes`, of the first byte that cannot stand where it
    /// does. The text is lost then; a new one needs a new validator.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Utf8Error> {
        let mut at = 0;
        while self.needed != 0 {
            let Some(&byte) = bytes.get(at) else { return Ok(()) };
            self.step(byte).ok_or(Utf8Error { offset: at })?;
            at += 1;
        }
        if let Err(error) = simdutf8::compat::from_utf8(&bytes[at..]) {
            // What follows is a bad sequence, or the beginning of a character that goes on in the
            // next piece: a few bytes either way.
            at += error.valid_up_to();
            for (offset, &byte) in bytes.iter().enumerate().skip(at) {
                self.step(byte).ok_or(Utf8Error { offset })?;
            }
        }
        Ok(())
    }

    /// Whether the text may end here: no character is in progress.
    #[inline]
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.needed == 0
    }

    /// The position of the byte at which a text ending with `bytes` goes wrong: past the end when
    /// it only stops too early.
    pub(crate) fn first_invalid(mut self, bytes: &[u8]) -> usize {
        match self.feed(bytes) {
            Ok(()) => bytes.len(),
            Err(error) => error.offset,
        }
    }

    /// One byte, by the table of well-formed sequences of RFC 3629 section 4.
    const fn step(&mut self, byte: u8) -> Option<()> {
        if self.needed != 0 {
            if byte < self.low || byte > self.high {
                return None;
            }
            *self = Self { needed: self.needed - 1, ..Self::new() };
            return Some(());
        }
        let (needed, low, high) = match byte {
            0x00..=0x7f => (0, 0x80, 0xbf),
            0xc2..=0xdf => (1, 0x80, 0xbf),
            0xe0 => (2, 0xa0, 0xbf),
            0xed => (2, 0x80, 0x9f),
            0xe1..=0xef => (2, 0x80, 0xbf),
            0xf0 => (3, 0x90, 0xbf),
            0xf1..=0xf3 => (3, 0x80, 0xbf),
            0xf4 => (3, 0x80, 0x8f),
            0x80..=0xc1 | 0xf5.. => return None,
        };
        *self = Self { needed, low, high };
        Some(())
    }
}

impl Default for Utf8Validator {
    fn default() -> Self {
        Self::new()
    }
}

/// Bytes that are not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Utf8Error {
    offset: usize,
}

impl Utf8Error {
    /// The position of the first byte that cannot stand where it does; the length of the bytes when
    /// they end inside a character.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for Utf8Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not UTF-8 at byte {}", self.offset)
    }
}

impl Error for Utf8Error {}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::Utf8Validator;

    /// The position of the first byte that ends all hope, from the definition: the shortest front
    /// that `str::from_utf8` finds wrong and not merely short.
    fn by_definition(text: &[u8]) -> Option<usize> {
        (1..=text.len()).find_map(|len| {
            let error = str::from_utf8(&text[..len]).err()?;
            error.error_len().map(|_| len - 1)
        })
    }

    fn assert_as_defined(text: &[u8]) {
        let expected = by_definition(text);
        for cut in 0..=text.len() {
            let mut validator = Utf8Validator::new();
            let got = validator
                .feed(&text[..cut])
                .map_err(|error| error.offset())
                .and_then(|()| validator.feed(&text[cut..]).map_err(|error| cut + error.offset()));
            assert_eq!(got.err(), expected, "{text:x?} cut at {cut}");
            if got.is_ok() {
                assert_eq!(validator.is_complete(), str::from_utf8(text).is_ok(), "{text:x?}");
            }
        }
    }

    #[test]
    fn all_sequences_of_two_and_many_of_four_bytes() {
        for first in 0..=u8::MAX {
            for second in 0..=u8::MAX {
                assert_as_defined(&[first, second]);
            }
        }
        let edges = [
            0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0,
            0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
        ];
        for first in 0xe0..=0xf5 {
            for second in edges {
                for third in edges {
                    for fourth in [0x41, 0x7f, 0x80, 0xbf, 0xc2] {
                        assert_as_defined(&[first, second, third, fourth]);
                    }
                }
            }
        }
    }

    #[test]
    fn every_character_byte_by_byte() {
        for character in '\0'..=char::MAX {
            let mut bytes = [0; 4];
            let mut validator = Utf8Validator::new();
            for byte in character.encode_utf8(&mut bytes).bytes() {
                assert_eq!(validator.feed(&[byte]), Ok(()), "{character:?}");
            }
            assert!(validator.is_complete(), "{character:?}");
        }
    }

    #[test]
    fn long_texts_with_one_bad_place() {
        let text: Vec<u8> = "κόσμε and some ASCII, 漢字 𝄞 ".bytes().cycle().take(200).collect();
        for at in (0..text.len()).step_by(7) {
            for bad in [0xff, 0xc0, 0x80, b'a', 0xed, 0xf4] {
                let mut text = text.clone();
                text[at] = bad;
                assert_as_defined(&text);
            }
        }
    }
}
