//! `Sec-WebSocket-Version`: the number, its grammar and its negotiation (RFC 6455 §4.1, §4.4, §11.6).

use core::fmt;

use http::{HeaderMap, HeaderName, header};

use crate::head::{HeadLimits, fields};

/// A version of the protocol as it can be told on the wire: the number of a `Sec-WebSocket-Version`
/// field, or hixie-75, which came before there were numbers.
///
/// The constants are all versions that were ever published. The registry has numbers for hixie-76 and
/// hybi-01 to 03 as well, but their clients never sent one. hybi-07 and later share the frame layout of
/// RFC 6455, hybi-05 and later its opening handshake; what the others need is in `hybi-legacy`.
///
/// [RFC 6455 §11.6](https://www.rfc-editor.org/rfc/rfc6455#section-11.6)
///
/// ```
/// use hybi_handshake::Version;
///
/// assert_eq!(Version::parse("13"), Some(Version::RFC6455));
/// assert_eq!(Version::parse("013"), None);
/// assert!(Version::HIXIE_75 < Version::HIXIE_76 && Version::HIXIE_76 < Version::HYBI_01);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(Option<u8>);

impl Version {
    /// hixie-75, the first version that browsers shipped.
    ///
    /// # Risk
    ///
    /// Nothing in its handshake proves that the client is one of WebSocket, and nothing is masked. Any
    /// program that can be made to send a chosen request reaches the server's connections, and a page may
    /// plant bytes of its choice in the stream that an intermediary takes for requests of its own.
    /// Speak it on a port that nothing else trusts, or not at all.
    ///
    /// There are no pings either: a peer that vanished without a word is only noticed by whoever limits how
    /// long a connection may idle.
    pub const HIXIE_75: Self = Self(None);
    /// hixie-76, which was published again as hybi-00; the registry has it as number 0.
    ///
    /// # Risk
    ///
    /// The handshake proves that a client of WebSocket asks, but nothing is masked: a page can plant bytes
    /// of its choice in the stream that an intermediary takes for requests of its own, with which
    /// caches were poisoned in 2010. Browsers turned the version off for that. As in hixie-75 there are no
    /// pings.
    pub const HIXIE_76: Self = Self::new(0);
    /// hybi-01. Not masked, as [`HIXIE_76`](Self::HIXIE_76).
    pub const HYBI_01: Self = Self::new(1);
    /// hybi-02. Not masked, as [`HIXIE_76`](Self::HIXIE_76).
    pub const HYBI_02: Self = Self::new(2);
    /// hybi-03. Not masked, as [`HIXIE_76`](Self::HIXIE_76).
    pub const HYBI_03: Self = Self::new(3);
    /// hybi-04.
    pub const HYBI_04: Self = Self::new(4);
    /// hybi-05.
    pub const HYBI_05: Self = Self::new(5);
    /// hybi-06.
    pub const HYBI_06: Self = Self::new(6);
    /// hybi-07.
    pub const HYBI_07: Self = Self::new(7);
    /// hybi-08 to hybi-12, which share one number.
    pub const HYBI_08: Self = Self::new(8);
    /// hybi-13 to hybi-17 and RFC 6455.
    pub const RFC6455: Self = Self::new(13);

    /// Every version that was ever published, the newest first.
    pub const ALL: [Self; 11] = [
        Self::RFC6455,
        Self::HYBI_08,
        Self::HYBI_07,
        Self::HYBI_06,
        Self::HYBI_05,
        Self::HYBI_04,
        Self::HYBI_03,
        Self::HYBI_02,
        Self::HYBI_01,
        Self::HIXIE_76,
        Self::HIXIE_75,
    ];

    /// The version of this number, whether or not a document ever used it.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        Self(Some(number))
    }

    /// The number in the registry; `None` for hixie-75.
    #[must_use]
    pub const fn number(self) -> Option<u8> {
        self.0
    }

    /// The name of the first draft that had this version, or of the RFC; `None` for a number that no
    /// document ever used.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            None => "hixie-75",
            Some(0) => "hixie-76",
            Some(1) => "hybi-01",
            Some(2) => "hybi-02",
            Some(3) => "hybi-03",
            Some(4) => "hybi-04",
            Some(5) => "hybi-05",
            Some(6) => "hybi-06",
            Some(7) => "hybi-07",
            Some(8) => "hybi-08",
            Some(13) => "rfc6455",
            Some(_) => return None,
        })
    }

    /// The version in words, for messages.
    pub fn describe(self) -> impl fmt::Display {
        struct Described(Version);
        impl fmt::Display for Described {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "WebSocket version {}", self.0),
                }
            }
        }
        Described(self)
    }

    /// Whether requests name this version in `Sec-WebSocket-Version`: from hybi-04 on. The numbers
    /// below are only in the registry.
    #[must_use]
    pub const fn is_in_field(self) -> bool {
        matches!(self.0, Some(4..))
    }

    /// Reads the value of a request's field: decimal, 0 to 255, no leading zero, one value.
    ///
    /// [RFC 6455 §4.3](https://www.rfc-editor.org/rfc/rfc6455#section-4.3)
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        if Self::is_number(value) { value.parse().ok().map(Self::new) } else { None }
    }

    /// Whether the value of a request's field is a number at all, in decimal and without leading zero.
    /// One above 255 asks for a version that nobody has, which is no mistake of grammar to its client.
    ///
    /// ```
    /// use hybi_handshake::Version;
    ///
    /// assert!(Version::is_number("9999") && Version::parse("9999").is_none());
    /// assert!(!Version::is_number("013") && !Version::is_number("13, 8"));
    /// ```
    #[must_use]
    pub fn is_number(value: &str) -> bool {
        let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        digits && (value == "0" || !value.starts_with('0'))
    }

    /// The field in which a client of this version names its origin: `Sec-WebSocket-Origin` in
    /// versions 4 to 8, `Origin` before and from 13 on.
    ///
    /// hybi-11 and hybi-12 share number 8 with drafts that use the longer name, so a server looks
    /// for both when it reads version 8.
    #[must_use]
    pub const fn origin_field(self) -> HeaderName {
        match self.0 {
            Some(4..=8) => fields::SEC_WEBSOCKET_ORIGIN,
            _ => header::ORIGIN,
        }
    }

    /// Whether an extension parameter may be a quoted string (hybi-14 on, so version 13).
    pub(crate) const fn quotes_parameters(self) -> bool {
        matches!(self.0, Some(13..))
    }
}

/// Version 13, RFC 6455.
impl Default for Version {
    fn default() -> Self {
        Self::RFC6455
    }
}

/// The number, as `Sec-WebSocket-Version` has it; [`name`](Version::name) is for people.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number() {
            Some(number) => number.fmt(f),
            None => f.write_str("hixie-75"),
        }
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "Version({name})"),
            None => write!(f, "Version({self})"),
        }
    }
}

/// The versions a server accepts; RFC 6455 alone by default.
///
/// It prints as the `Sec-WebSocket-Version` list of a refusal, best first, without the versions that are
/// not named in that field. Numbers above 15 were never assigned and are left out of the set.
///
/// ```
/// use hybi_handshake::{Version, VersionSet};
///
/// let some = VersionSet::from_iter([Version::HYBI_07, Version::HIXIE_76, Version::RFC6455]);
/// assert_eq!(some.to_string(), "13, 7");
/// assert_eq!(VersionSet::from_iter(Version::ALL).to_string(), "13, 8, 7, 6, 5, 4");
/// assert_eq!(VersionSet::default().to_string(), "13");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct VersionSet(u32);

impl VersionSet {
    /// Whether the set holds `version`.
    #[must_use]
    pub const fn contains(self, version: Version) -> bool {
        self.0 & Self::bit(version) != 0
    }

    /// hixie-75 has the first bit, numbers have those behind it.
    const fn bit(version: Version) -> u32 {
        match version.0 {
            None => 1,
            Some(number @ ..16) => 2 << number,
            Some(_) => 0,
        }
    }

    /// The versions, newest first.
    pub fn iter(self) -> impl Iterator<Item = Version> {
        let numbered = (0..16).rev().map(Version::new);
        let all = numbered.chain([Version::HIXIE_75]);
        all.filter(move |&version| self.contains(version))
    }

    /// Those that a refusal lists.
    pub(crate) fn listed(self) -> impl Iterator<Item = Version> {
        self.iter().filter(|version| version.is_in_field())
    }
}

impl Default for VersionSet {
    fn default() -> Self {
        Self::from_iter([Version::RFC6455])
    }
}

impl FromIterator<Version> for VersionSet {
    fn from_iter<I: IntoIterator<Item = Version>>(versions: I) -> Self {
        Self(versions.into_iter().fold(0, |set, version| set | Self::bit(version)))
    }
}

impl fmt::Display for VersionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, version) in self.listed().enumerate() {
            write!(f, "{}{version}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Debug for VersionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The versions a server's refusal lists, in its order; elements that are no version are skipped, and
/// those beyond what a list may have.
pub(crate) fn offered_versions(headers: &HeaderMap) -> Vec<Version> {
    fields::list_elements(headers, &header::SEC_WEBSOCKET_VERSION)
        .take(HeadLimits::MAX_NAMES)
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
            assert_eq!(Version::parse(value), expected.map(Version::new), "{value:?}");
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
