//! RedirectError: why a redirect was not followed.

use core::fmt;

use hybi_handshake::{UriError, WsUri};

/// Why a redirect of the server was not followed (RFC 9110 section 15.4), although
/// [some are to be](crate::ClientBuilder::follow_redirects).
///
/// ```
/// use hybi::{Error, RedirectError};
///
/// fn is_unsafe(error: &Error) -> bool {
///     matches!(error, Error::Redirect(why) if matches!(**why, RedirectError::Downgrade { .. }))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedirectError {
    /// It was one more than was to be followed.
    TooMany {
        /// How many were.
        followed: u8,
    },
    /// It leads from `wss` to `ws`: what was to be encrypted would not be.
    Downgrade {
        /// Where it leads.
        to: WsUri,
    },
    /// It has more than one `Location`, and which of them is meant nobody knows (RFC 9110 section 5.3).
    Ambiguous {
        /// How many it has.
        locations: usize,
    },
    /// It leads to what is no URI of a WebSocket.
    Location {
        /// The value of `Location`, without the user-info that it may have.
        location: String,
        /// What is wrong with it.
        error: UriError,
    },
}

impl fmt::Display for RedirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany { followed } => {
                write!(f, "the server redirects again, after {followed} redirects")
            }
            Self::Downgrade { to } => {
                write!(f, "the server redirects to {to}, where nothing would be encrypted")
            }
            Self::Ambiguous { locations } => {
                write!(f, "the server redirects to {locations} places at once")
            }
            Self::Location { location, error } => {
                write!(f, "the server redirects to {location:?}: {error}")
            }
        }
    }
}

impl core::error::Error for RedirectError {}
