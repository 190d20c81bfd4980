//! Which of the two ends an endpoint is, and so which way frames are masked (RFC 6455 §5.1).

/// One of the two ends of a connection.
///
/// The client masks every frame it sends and the server masks none
/// ([RFC 6455 §5.1](https://www.rfc-editor.org/rfc/rfc6455#section-5.1)).
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
