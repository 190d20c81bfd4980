//! Which of the wire formats is spoken.

/// A wire format. The default is what pywebsocket's last version speaks.
///
/// ```
/// use hybi_mux::Revision;
///
/// assert_eq!(Revision::default(), Revision::Ietf07);
/// assert_eq!(Revision::Ietf07.cost(true, 5), 6);
/// assert_eq!(Revision::Ietf05.cost(true, 5), 5);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Revision {
    /// ietf-03 and ietf-04: numbers of one to four octets, handshakes with all of their fields.
    Ietf03,
    /// ietf-05 and ietf-06: numbers like the lengths of frames, reasons with codes.
    Ietf05,
    /// ietf-07 to ietf-09: each frame that begins a message costs one octet more. What -10 and -11, the last,
    /// changed is not known: no implementation of them was found.
    #[default]
    Ietf07,
}

impl Revision {
    /// Whether numbers and reasons are those of ietf-05.
    pub(crate) const fn is_ietf_05(self) -> bool {
        matches!(self, Self::Ietf05 | Self::Ietf07)
    }

    /// What a frame costs of the quota of its channel: the octets of its payload, and from ietf-07 on one more if it
    /// `begins` a message, that is if it is no continuation.
    #[must_use]
    pub const fn cost(self, begins: bool, payload_len: u64) -> u64 {
        match self {
            Self::Ietf07 if begins => payload_len.saturating_add(1),
            _ => payload_len,
        }
    }
}
