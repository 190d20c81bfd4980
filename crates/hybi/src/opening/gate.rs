//! Gate: who looks after the connections of a server, as an opening handshake sees it.

use core::{fmt, net::SocketAddr};

use hybi_handshake::HandshakeError;

use crate::socket::Closer;

/// Somebody who counts connections, and may want no more of them at any moment.
pub(crate) trait Gate: fmt::Debug + Send + Sync {
    /// Whether no request will be accepted any more. The task is woken when that changes.
    fn is_closing(&self) -> bool;

    /// Why the request is not to be accepted, if so; the peer is told.
    fn refusal(&self) -> Option<HandshakeError>;

    /// The connection is open.
    fn opened(&self, closer: Closer);

    /// Where it comes from.
    fn peer(&self) -> Option<SocketAddr>;
}
