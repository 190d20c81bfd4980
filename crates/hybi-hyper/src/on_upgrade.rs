//! OnUpgrade: from an answer that is on its way to the open WebSocket.

use core::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};
use std::{io, time::Instant};

use hybi::{Deadline, Error, Negotiated, OpeningError, Upgrade, http::Version, io::Timer as _};
use hybi_tokio::TokioTimer;

use crate::{HyperIo, WebSocket};

/// A WebSocket on its way, as a future: it is open once hyper has sent the answer.
///
/// hyper sends what the service returns, so this is for a task of its own: a service that waits for it before it
/// returns waits for ever, or until the [deadline](crate::Config::handshake_timeout). [`upgrade`](crate::upgrade) has
/// an example.
///
/// # Errors
///
/// [`Error::Opening`] if the connection was lost before the answer was sent; [`Error::Timeout`] if it was not sent in time.
#[must_use = "without somebody who waits for it, the connection is dropped"]
pub struct OnUpgrade {
    upgrading: hyper::upgrade::OnUpgrade,
    /// None once it is over.
    upgrade: Option<Upgrade>,
    version: Version,
    timer: TokioTimer,
    deadline: Instant,
}

impl OnUpgrade {
    pub(crate) fn new(
        upgrading: hyper::upgrade::OnUpgrade,
        upgrade: Upgrade,
        version: Version,
        deadline: Instant,
    ) -> Self {
        Self { upgrading, upgrade: Some(upgrade), version, timer: TokioTimer::default(), deadline }
    }

    /// What the opening handshake settled; `None` once it is over.
    #[must_use]
    pub fn negotiated(&self) -> Option<&Negotiated> {
        self.upgrade.as_ref().map(Upgrade::negotiated)
    }
}

impl Future for OnUpgrade {
    type Output = Result<WebSocket, Error>;

    /// # Panics
    ///
    /// When it is polled after it was over.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { upgrading, upgrade, version, timer, deadline } = &mut *self;
        let upgraded = match Pin::new(upgrading).poll(cx) {
            Poll::Ready(upgraded) => upgraded.map_err(|error| {
                Error::Opening(OpeningError::Handshake(io::Error::other(error)).into())
            }),
            Poll::Pending => {
                if timer.poll_until(cx, *deadline).is_pending() {
                    return Poll::Pending;
                }
                Err(Error::Timeout(Deadline::Handshake))
            }
        };
        let upgrade = upgrade.take().expect("polled after it was over");
        Poll::Ready(upgraded.map(|upgraded| {
            let transport = HyperIo::new(upgraded, *version);
            upgrade.into_websocket(transport, TokioTimer::default())
        }))
    }
}

impl fmt::Debug for OnUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnUpgrade").field("upgrade", &self.upgrade).finish_non_exhaustive()
    }
}
