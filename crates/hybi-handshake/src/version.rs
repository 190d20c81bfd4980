//! `Sec-WebSocket-Version`: the number, its grammar and its negotiation (RFC 6455 §4.1, §4.4, §11.6).

use core::fmt;

use http::{HeaderMap, HeaderName, header};

use crate::head::fields;

/// The number of a `Sec-WebSocket-Version` field, 0 to 255.
///
/// The constants are the numbers whose framing is that of RFC 6455. Other numbers can be named with
/// [`Version::new`]; the handshake here also fits 5 and 6, whose framing differs.
///
/// [RFC 6455 §11.6](https://www.rfc-editor.org/rfc/rfc6455#section-11.6)
///
/// ```
/// use hybi_handshake::Version;
///
/// assert_eq!(Version::parse("13"), Some(Version::RFC6455));
/// assert_eq!(Version::parse("013"), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u8);

impl Version {
    /// hybi-07.
    pub const HYBI_07: Self = Self(7);
    /// hybi-08 to hybi-12, which share one number.
    pub const HYBI_08: Self = Self(8);
    /// hybi-13 to hybi-17 and RFC 6455.
    pub const RFC6455: Self = Self(13);

    /// The version of this number, whether or not a document ever used it.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        Self(number)
    }

    /// The number, as the field carries it.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Reads the value of a request's field: decimal, 0 to 255, no leading zero, one value.
    ///
    /// [RFC 6455 §4.3](https://www.rfc-editor.org/rfc/rfc6455#section-4.3)
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
        // The standard parser also takes a sign and leading zeros.
        let canonical = digits && (value == "0" || !value.starts_with('0'));
        if canonical { value.parse().ok().map(Self) } else { None }
    }

    /// The field in which a client of this version names its origin: `Sec-WebSocket-Origin` up to
    /// version 8, `Origin` from 13 on.
    ///
    /// hybi-11 and hybi-12 share number 8 with drafts that use the longer name, so a server looks
    /// for both when it reads version 8.
    #[must_use]
    pub const fn origin_field(self) -> HeaderName {
        if self.0 <= 8 { fields::SEC_WEBSOCKET_ORIGIN } else { header::ORIGIN }
    }

    /// Whether an extension parameter may be a quoted string (hybi-14 on, so version 13).
    pub(crate) const fn quotes_parameters(self) -> bool {
        self.0 >= 13
    }
}

/// Version 13, RFC 6455.
impl Default for Version {
    fn default() -> Self {
        Self::RFC6455
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({})", self.0)
    }
}

/// The versions a server accepts; RFC 6455 alone by default.
///
/// It prints as the `Sec-WebSocket-Version` list of a refusal, best first. Numbers above 15 were
/// never assigned and are left out.
///
/// ```
/// use hybi_handshake::{Version, VersionSet};
///
/// let all = VersionSet::from_iter([Version::HYBI_07, Version::HYBI_08, Version::RFC6455]);
/// assert_eq!(all.to_string(), "13, 8, 7");
/// assert_eq!(VersionSet::default().to_string(), "13");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct VersionSet(u16);

impl VersionSet {
    /// Whether the set holds `version`.
    #[must_use]
    pub const fn contains(self, version: Version) -> bool {
        version.0 < 16 && self.0 & (1 << version.0) != 0
    }

    /// The versions, highest number first.
    pub fn iter(self) -> impl Iterator<Item = Version> {
        (0..16).rev().map(Version).filter(move |&version| self.contains(version))
    }
}

impl Default for VersionSet {
    fn default() -> Self {
        Self::from_iter([Version::RFC6455])
    }
}

impl FromIterator<Version> for VersionSet {
    fn from_iter<I: IntoIterator<Item = Version>>(versions: I) -> Self {
        let bits = versions.into_iter().filter(|version| version.0 < 16);
        Self(bits.fold(0, |set, version| set | 1 << version.0))
    }
}

impl fmt::Display for VersionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, version) in self.iter().enumerate() {
            write!(f, "{}{version}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Debug for VersionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Version::number)).finish()
    }
}

/// The versions a server's refusal lists, in its order; elements that are no version are skipped.
pub(crate) fn offered_versions(headers: &HeaderMap) -> Vec<Version> {
    fields::list_elements(headers, &header::SEC_WEBSOCKET_VERSION)
        .filter_map(|element| Version::parse(core::str::from_utf8(element).ok()?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_decimal_0_to_255_without_leading_zero() {
        for (value, expected) in [
            ("0", Some(0)),
            ("7", Some(7)),
            ("13", Some(13)),
            ("255", Some(255)),
            ("256", None),
            ("013", None),
            ("00", None),
            ("+13", None),
            ("-1", None),
            ("", None),
            ("13, 8", None),
            ("1 3", None),
            ("0x0d", None),
            ("13.0", None),
        ] {
            assert_eq!(Version::parse(value).map(Version::number), expected, "{value:?}");
        }
    }

    #[test]
    fn a_set_lists_its_versions_best_first() {
        let set = VersionSet::from_iter([7, 13, 8, 5, 200].map(Version::new));
        assert_eq!(set.to_string(), "13, 8, 7, 5");
        assert!(set.contains(Version::HYBI_08));
        assert!(!set.contains(Version::new(200)));
        assert!(!set.contains(Version::new(6)));
    }
}
