//! Utf8Bytes: text that is known to be UTF-8, over a shared buffer (RFC 6455 §8.1).
#![expect(unsafe_code, reason = "turns bytes that were checked into str without a second check")]

use alloc::string::String;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt;
use core::ops::Deref;

use bytes::{Bytes, BytesMut};

use super::ascii::is_short_ascii;
use super::{Utf8Error, Utf8Validator};

/// Text over [`Bytes`]: cheap to clone, checked once, used as a `str`.
///
/// ```
/// use bytes::Bytes;
/// use hybi_frame::Utf8Bytes;
///
/// let text = Utf8Bytes::try_from(Bytes::from_static(b"caf\xc3\xa9"))?;
/// assert_eq!(text, "café");
/// assert_eq!(text.to_uppercase(), "CAFÉ");
/// assert!(Utf8Bytes::try_from(&b"caf\xe9"[..]).is_err());
/// # Ok::<(), hybi_frame::Utf8Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Utf8Bytes(
    /// Always UTF-8.
    Bytes,
);

impl Utf8Bytes {
    /// Text of static lifetime, without a copy.
    #[inline]
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// Takes bytes for text without checking them.
    ///
    /// # Safety
    ///
    /// The bytes are valid UTF-8.
    #[inline]
    #[must_use]
    pub const unsafe fn from_bytes_unchecked(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The text.
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> &str {
        // SAFETY: the field is always UTF-8: each constructor checks it, starts from `str`, or has
        // the caller's word.
        unsafe { str::from_utf8_unchecked(&self.0) }
    }

    /// The bytes of the text, without a copy.
    #[inline]
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

/// The text of `bytes`, which are not looked at when they are known to be `ascii`.
///
/// `ascii` comes from the masking kernels alone, in the same call that wrote the bytes.
#[inline]
pub(crate) fn checked_text(bytes: &[u8], ascii: bool) -> Result<&str, Utf8Error> {
    if !ascii {
        return check(bytes);
    }
    debug_assert!(bytes.is_ascii());
    // SAFETY: the caller has just had them unmasked by a kernel, which saw no top bit in what it
    // wrote.
    Ok(unsafe { str::from_utf8_unchecked(bytes) })
}

/// Checks a whole text.
#[inline]
fn check(bytes: &[u8]) -> Result<&str, Utf8Error> {
    if is_short_ascii(bytes) {
        // SAFETY: ASCII is UTF-8.
        return Ok(unsafe { str::from_utf8_unchecked(bytes) });
    }
    check_any(bytes)
}

#[inline(never)]
fn check_any(bytes: &[u8]) -> Result<&str, Utf8Error> {
    simdutf8::basic::from_utf8(bytes)
        .map_err(|_| Utf8Error { offset: Utf8Validator::new().first_invalid(bytes) })
}

impl Deref for Utf8Bytes {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Utf8Bytes {
    #[inline]
    fn as_ref(&self) -> &str {
        self
    }
}

impl AsRef<[u8]> for Utf8Bytes {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

// The hash and the order of this type are those of its text, as `Borrow` demands.
impl Borrow<str> for Utf8Bytes {
    #[inline]
    fn borrow(&self) -> &str {
        self
    }
}

impl core::hash::Hash for Utf8Bytes {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// Copies the text; [`Utf8Bytes::from_static`] does not need to.
impl From<&str> for Utf8Bytes {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Utf8Bytes {
    #[inline]
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&String> for Utf8Bytes {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl TryFrom<Bytes> for Utf8Bytes {
    type Error = Utf8Error;

    fn try_from(bytes: Bytes) -> Result<Self, Utf8Error> {
        check(&bytes)?;
        Ok(Self(bytes))
    }
}

impl TryFrom<BytesMut> for Utf8Bytes {
    type Error = Utf8Error;

    fn try_from(bytes: BytesMut) -> Result<Self, Utf8Error> {
        bytes.freeze().try_into()
    }
}

impl TryFrom<Vec<u8>> for Utf8Bytes {
    type Error = Utf8Error;

    fn try_from(bytes: Vec<u8>) -> Result<Self, Utf8Error> {
        Bytes::from(bytes).try_into()
    }
}

impl TryFrom<&[u8]> for Utf8Bytes {
    type Error = Utf8Error;

    fn try_from(bytes: &[u8]) -> Result<Self, Utf8Error> {
        check(bytes).map(Self::from)
    }
}

impl From<Utf8Bytes> for Bytes {
    #[inline]
    fn from(text: Utf8Bytes) -> Self {
        text.0
    }
}

impl From<Utf8Bytes> for String {
    fn from(text: Utf8Bytes) -> Self {
        Self::from(text.as_str())
    }
}

impl PartialEq<str> for Utf8Bytes {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Utf8Bytes {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for Utf8Bytes {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<Utf8Bytes> for str {
    fn eq(&self, other: &Utf8Bytes) -> bool {
        self == other.as_str()
    }
}

impl PartialEq<Utf8Bytes> for &str {
    fn eq(&self, other: &Utf8Bytes) -> bool {
        *self == other.as_str()
    }
}

impl PartialEq<Utf8Bytes> for String {
    fn eq(&self, other: &Utf8Bytes) -> bool {
        self == other.as_str()
    }
}

impl fmt::Debug for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}
