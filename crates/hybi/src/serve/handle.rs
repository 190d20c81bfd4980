//! Handle: to ask a server and to end it, from any task.

use core::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};
use std::sync::Arc;

use super::{Drain, Drained, registry::Registry};

/// By which a server is asked, and ended; [`Serving::handle`](super::Serving::handle) gives it, and clones are for
/// the same server.
///
/// ```
/// use hybi::serve::{Accept, Drain, Serving};
///
/// /// Serves until `signal` comes, and then to the end of all connections.
/// async fn until<A: Accept>(serving: Serving<A>, signal: impl Future<Output = ()>) {
///     let handle = serving.handle();
///     let ending = async {
///         signal.await;
///         handle.drain(Drain::default()).await
///     };
///     let (report, _) = futures_util::future::join(serving, ending).await;
///     println!("{report}");
/// }
/// ```
#[derive(Clone)]
pub struct Handle(Arc<Registry>);

impl Handle {
    pub(super) fn new(registry: &Arc<Registry>) -> Self {
        Self(registry.clone())
    }

    pub(super) const fn registry(&self) -> &Arc<Registry> {
        &self.0
    }

    /// Ends the server in order, as [`Serving`](super::Serving) tells. It begins with this call; what comes back
    /// waits for the end and need not be polled. Only the first call says how.
    ///
    /// The end comes by the [deadline](Drain::deadline) and a second more for what was cut to be gone, if the
    /// [`Serving`](super::Serving) is polled or dropped.
    pub fn drain(&self, drain: Drain) -> Draining {
        self.0.drain(drain);
        Draining { registry: self.0.clone(), number: self.0.wait() }
    }

    /// Cuts what is left, now; a server that was not asked to end does so. For the second signal.
    pub fn cut(&self) {
        self.0.cut_now();
    }

    /// Whether the end was asked for: what a health check says to those who send clients here.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.is_draining()
    }

    /// How many connections there are, those in their opening handshake included.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&self.0).finish()
    }
}

/// A server on its way to its end; it gives the report. Dropping it changes nothing.
pub struct Draining {
    registry: Arc<Registry>,
    number: u64,
}

impl Future for Draining {
    type Output = Drained;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Drained> {
        self.registry.poll_over(self.number, cx.waker())
    }
}

impl Drop for Draining {
    fn drop(&mut self) {
        self.registry.wait_no_more(self.number);
    }
}

impl fmt::Debug for Draining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Draining").field(&self.registry).finish()
    }
}
