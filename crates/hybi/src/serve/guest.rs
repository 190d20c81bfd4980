//! Guest: a connection that something else accepted, and that is looked after like a server's own.

use core::{
    fmt,
    future::poll_fn,
    net::SocketAddr,
    pin::{Pin, pin},
    task::{Context, Poll},
};
use std::time::Instant;

use hybi_handshake::HandshakeError;

use super::{Handle, registry::Member};
use crate::{opening::Gate as _, socket::Closer};

/// A connection that something else accepted, an HTTP framework for example, and that is looked after like a server's
/// own: it counts until this is dropped, and has its part in the end.
///
/// [`Handle::admit`] gives it.
///
/// ```
/// use std::net::SocketAddr;
/// use hybi::{HandshakeError, WebSocket, io::{Timer, Transport}, serve::Handle};
///
/// /// In the task of a connection that a framework handed over.
/// async fn looked_after<T: Transport, C: Timer>(
///     handle: &Handle,
///     peer: SocketAddr,
///     mut ws: WebSocket<T, C>,
///     timer: &C,
/// ) -> Result<(), HandshakeError> {
///     // Before the answer: beyond the limits, and at the end, it is to be another.
///     let guest = handle.admit(Some(peer), timer.now())?;
///     guest.opened(ws.closer());
///     let serving = async { while let Ok(Some(_)) = ws.recv().await {} };
///     // None when it was cut, at the deadline of the end.
///     let _ = guest.until_cut(serving).await;
///     Ok(())
/// }
/// ```
pub struct Guest(Member);

impl Handle {
    /// Takes in a connection that something else accepted, at this time. Until [`opened`](Guest::opened) it counts as
    /// one in its opening handshake.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Unavailable`] when there are as many as there may be, in all or of this address, and at the end of
    /// the server: what to answer its request.
    pub fn admit(
        &self,
        peer: Option<SocketAddr>,
        accepted_at: Instant,
    ) -> Result<Guest, HandshakeError> {
        let registry = self.registry();
        let Some(member) = registry.enter(peer, accepted_at) else {
            return Err(HandshakeError::Unavailable { retry_after: registry.retry_after() });
        };
        match member.0.refusal() {
            None => Ok(Guest(member)),
            Some(refusal) => Err(refusal),
        }
    }
}

impl Guest {
    /// The connection is open; this closes it.
    pub fn opened(&self, closer: Closer) {
        self.0.0.opened(closer);
    }

    /// Does this until it is done, or until the connection is cut; then it is dropped, when it has had a last turn, and
    /// `None` comes of it.
    pub async fn until_cut<F: Future>(&self, work: F) -> Option<F::Output> {
        let mut work = pin!(work);
        poll_fn(|cx| self.poll_work(work.as_mut(), cx)).await
    }

    fn poll_work<F: Future>(
        &self,
        work: Pin<&mut F>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<F::Output>> {
        let place = &self.0.0;
        // After the waker is left: whoever cuts from now on wakes. Before the last turn: what is asked for before the
        // cut is seen in it.
        place.wake(cx.waker());
        let is_last = place.is_over();
        match work.poll(cx) {
            Poll::Pending if is_last => Poll::Ready(None),
            polled => polled.map(Some),
        }
    }
}

impl fmt::Debug for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guest").field(&self.0).finish()
    }
}
