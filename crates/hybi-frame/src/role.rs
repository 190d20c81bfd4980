//! Which of the two ends an endpoint is, and which way frames are masked (RFC 6455 §5.1).

/// One of the two ends of a connection.
///
/// The client masks every frame it sends and the server masks none
/// ([RFC 6455 §5.1](https://www.rfc-editor.org/rfc/rfc6455#section-5.1)), unless it was agreed that
/// [nobody](Masking::Nobody) does.
///
/// ```
/// use hybi_frame::Role;
///
/// assert!(Role::Client.masks_outgoing());
/// assert_eq!(Role::Client.peer(), Role::Server);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a connection has these two ends and no third")]
pub enum Role {
    /// The end that opened the connection.
    Client,
    /// The end that accepted it.
    Server,
}

impl Role {
    /// Whether frames sent by this end carry a masking key.
    #[inline]
    #[must_use]
    pub const fn masks_outgoing(self) -> bool {
        matches!(self, Self::Client)
    }

    /// The other end.
    #[inline]
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Which frames of a connection are masked.
///
/// ```
/// use hybi_frame::{Masking, Role};
///
/// assert!(Masking::Client.masks(Role::Client) && !Masking::Client.masks(Role::Server));
/// assert!(!Masking::Nobody.masks(Role::Client));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a server that masks is in no document")]
pub enum Masking {
    /// Those of the client
    /// ([RFC 6455 §5.1](https://www.rfc-editor.org/rfc/rfc6455#section-5.1)).
    #[default]
    Client,
    /// None, which breaks that rule. Masks keep a page from choosing the bytes that intermediaries see
    /// ([§10.3](https://www.rfc-editor.org/rfc/rfc6455#section-10.3)); only frames that travel within
    /// something that is masked or encrypted as a whole may do without, if both ends know.
    Nobody,
}

impl Masking {
    /// Whether the frames that `sender` sends carry a masking key.
    #[inline]
    #[must_use]
    pub const fn masks(self, sender: Role) -> bool {
        match self {
            Self::Client => sender.masks_outgoing(),
            Self::Nobody => false,
        }
    }
}
