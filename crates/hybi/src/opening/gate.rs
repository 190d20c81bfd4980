//! Gate: who looks after the connections of a server, as an opening handshake sees it.

#[cfg(feature = "mux")]
use core::task::Waker;
use core::{fmt, net::SocketAddr};
#[cfg(feature = "mux")]
use std::sync::Arc;
use std::time::Instant;

use hybi_handshake::HandshakeError;

use crate::{connection::Error, socket::Closer};

/// Somebody who counts connections, and may want no more of them at any moment.
pub(crate) trait Gate: fmt::Debug + Send + Sync {
    /// Whether no request will be accepted any more. The task is woken when that changes.
    fn is_closing(&self) -> bool;

    /// Why the request is not to be accepted, if so; the peer is told.
    fn refusal(&self) -> Option<HandshakeError>;

    /// The connection is open.
    fn opened(&self, closer: Closer);

    /// It comes to nothing, which nobody else is told; before the peer has read an answer, if there is one.
    fn not_opened(&self, error: &Error, request: Option<&http::Request<()>>);

    /// There are channels in it, of which the one that is open is the first; this closes what is around them.
    #[cfg(feature = "mux")]
    fn carries(&self, physical: Closer);

    /// Where it comes from.
    fn peer(&self) -> Option<SocketAddr>;

    /// When it was accepted, or asked for as a channel.
    fn accepted_at(&self) -> Instant;

    /// Has the task of `waker`, which takes in channels, woken when no request will be accepted any more.
    #[cfg(feature = "mux")]
    fn wake_at_closing(&self, waker: &Waker);

    /// Counts a channel in it; `None` if even an answer is too much.
    #[cfg(feature = "mux")]
    fn channel(&self, asked_at: Instant) -> Option<(Arc<dyn Gate>, Seat)>;
}

/// What counts a channel for as long as it is kept.
#[cfg(feature = "mux")]
#[derive(Debug)]
#[expect(dead_code, reason = "kept to be dropped")]
pub(crate) struct Seat(Box<dyn fmt::Debug + Send + Sync>);

#[cfg(feature = "mux")]
impl Seat {
    pub(crate) fn new(member: impl fmt::Debug + Send + Sync + 'static) -> Self {
        Self(Box::new(member))
    }
}
