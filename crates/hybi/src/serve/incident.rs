//! Incident: what a server meets that no caller is told by a return.

use core::{error, fmt, net::SocketAddr, time::Duration};
use std::{io, time::Instant};

#[cfg(doc)]
use hybi_handshake::HandshakeError;

use crate::connection::Error;

/// Something that happened to a server and ended at most one connection; see
/// [`Serving::on_incident`](super::Serving::on_incident).
///
/// ```
/// use hybi::serve::Incident;
///
/// fn log(incident: &Incident<'_>) {
///     match incident {
///         // Port scanners and browsers of other origins: of interest to few.
///         Incident::NotOpened { .. } => {}
///         incident => eprintln!("{incident}"),
///     }
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Incident<'a> {
    /// No transport could be accepted. Waits for a pause, or goes on if only one transport was lost.
    NotAccepted {
        /// Why.
        error: &'a io::Error,
        /// How long it is waited before the next attempt.
        pause: Option<Duration>,
    },
    /// There are as many connections as there may be, in all or of this peer's address.
    TooMany {
        /// Who wanted one more.
        peer: Option<SocketAddr>,
        /// Whether it is answered with 503, of which [`NotOpened`](Self::NotOpened) will tell; with too many of those as
        /// well, it is dropped.
        answered: bool,
    },
    /// TLS or the opening handshake came to nothing, without the handler of
    /// [`requests`](super::Serving::requests) having seen it.
    #[non_exhaustive]
    NotOpened {
        /// With whom.
        peer: Option<SocketAddr>,
        /// Why; its [status](HandshakeError::status), if it has one, was the answer.
        error: &'a Error,
        /// What was asked for, as far as that is known.
        request: Option<&'a http::Request<()>>,
        /// When the stream was accepted, by the clock of its timer.
        accepted_at: Instant,
    },
    /// The handler gave an error.
    Failed {
        /// Of the connection with whom.
        peer: Option<SocketAddr>,
        /// Which.
        error: &'a (dyn error::Error + Send + Sync + 'static),
    },
    /// The handler panicked, and its connection was dropped.
    Panicked {
        /// Of the connection with whom.
        peer: Option<SocketAddr>,
        /// What it said; the hook of the standard library was told as well.
        message: &'a str,
    },
}

impl fmt::Display for Incident<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peer = match self {
            Self::NotAccepted { error, .. } => return write!(f, "cannot accept: {error}"),
            Self::TooMany { peer, .. }
            | Self::NotOpened { peer, .. }
            | Self::Failed { peer, .. }
            | Self::Panicked { peer, .. } => peer,
        };
        if let Some(peer) = peer {
            write!(f, "{peer}: ")?;
        }
        match self {
            Self::NotAccepted { .. } => Ok(()),
            Self::TooMany { answered: true, .. } => f.write_str("too many connections"),
            Self::TooMany { answered: false, .. } => f.write_str("too many connections, dropped"),
            Self::NotOpened { error, .. } => write!(f, "not opened: {error}"),
            Self::Failed { error, .. } => write!(f, "{error}"),
            Self::Panicked { message, .. } => write!(f, "the handler panicked: {message}"),
        }
    }
}
