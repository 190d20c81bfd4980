//! Terms: what an opening handshake before hybi-07 settled about the bytes that follow it.

use hybi_handshake::Version;
use sha1::{Digest as _, Sha1};

/// What an opening handshake settled about the bytes that follow it: the version, for hybi-04 the
/// connection's masking key, and what the first byte may still decide.
///
/// ```
/// use hybi_legacy::{Terms, Version};
///
/// assert_eq!(Terms::new(Version::HYBI_06).map(|terms| terms.version()), Some(Version::HYBI_06));
/// assert_eq!(Terms::new(Version::HYBI_04), None, "its frames need a key");
/// assert_eq!(Terms::new(Version::RFC6455), None, "hybi-frame has its framing");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub(crate) version: Version,
    /// hixie-76 or one of hybi-01 to 03, if the client's first byte may show that it speaks that.
    pub(crate) alternative: Option<Version>,
    /// hybi-04 only, and always there.
    pub(crate) key: Option<ConnectionKey>,
}

impl Terms {
    /// The terms of a version whose framing needs to know nothing else: hixie-75 to hybi-03,
    /// hybi-05 and hybi-06.
    #[must_use]
    pub fn new(version: Version) -> Option<Self> {
        let known = version < Version::HYBI_07 && version != Version::HYBI_04;
        known.then_some(Self { version, alternative: None, key: None })
    }

    /// The terms of hybi-04, from the text of `Sec-WebSocket-Key` and `Sec-WebSocket-Nonce`.
    #[must_use]
    pub fn hybi_04(key: &str, nonce: &str) -> Self {
        let key = Some(ConnectionKey::new(key, nonce));
        Self { version: Version::HYBI_04, alternative: None, key }
    }

    /// Lets the client's first byte choose between this version and `other`, one being hixie-76 and
    /// the other one of hybi-01 to 03. A server that speaks first speaks this version. Between any
    /// other two versions that byte tells nothing, and this one stays.
    ///
    /// ```
    /// use hybi_frame::{Limits, Role};
    /// use hybi_legacy::{FrameCodec, Terms, Version};
    ///
    /// let terms = Terms::new(Version::HYBI_03).expect("it needs no key").or(Version::HIXIE_76);
    /// let mut codec = FrameCodec::new(&terms, Role::Server, Limits::default());
    /// codec.decode(&mut b"\x00Hello\xff".clone())?;
    /// assert_eq!(codec.version(), Version::HIXIE_76);
    /// # Ok::<(), hybi_frame::FrameError>(())
    /// ```
    #[must_use]
    pub fn or(mut self, other: Version) -> Self {
        let hixie = self.version == Version::HIXIE_76;
        let binary = Version::HYBI_01..=Version::HYBI_03;
        let fits = if hixie { binary.contains(&other) } else { other == Version::HIXIE_76 };
        let open = hixie || binary.contains(&self.version);
        self.alternative = (fits && open).then_some(other);
        self
    }

    /// The version, unless the first byte decides otherwise.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }
}

/// The key of a connection, which each frame's mask is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectionKey(pub(crate) [u8; 20]);

impl ConnectionKey {
    pub(crate) fn new(key: &str, nonce: &str) -> Self {
        Self(Sha1::new().chain_update(key).chain_update(nonce).chain_update(GUID).finalize().into())
    }
}

const GUID: &[u8] = b"61AC5F19-FBBA-4540-B96F-6561F1AB40A8";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_key_is_the_hash_of_both_texts() {
        let key = ConnectionKey::new("dGhlIHNhbXBsZSBub25jZQ==", "H+cNj5elaybfGIQv1esl2w==");
        let expected =
            *b"\x63\x22\xa2\xad\xc0\x2b\xc4\x33\xe3\x89\x6d\x34\x41\x0b\x74\xbb\x77\x39\xf9\x60";
        assert_eq!(key, ConnectionKey(expected));
    }
    #[test]
    fn a_byte_decides_only_between_hixie_76_and_hybi_01_to_03() {
        for version in Version::ALL {
            for other in Version::ALL {
                let Some(terms) = Terms::new(version) else { continue };
                let binary = |one: Version| (Version::HYBI_01..=Version::HYBI_03).contains(&one);
                let fits = version == Version::HIXIE_76 && binary(other)
                    || binary(version) && other == Version::HIXIE_76;
                let alternative = terms.or(other).alternative;
                assert_eq!(alternative, fits.then_some(other), "{version:?} or {other:?}");
            }
        }
    }
}
