//! Deadlines: a step of the opening handshake, but not beyond its time.

use core::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};
use std::time::Instant;

use crate::{connection::Config, socket::io::Timer};

/// Begins an opening handshake: a timer for the connection, and the deadline by which it has to be open.
///
/// ```
/// use hybi::{Error, Server, WebSocket, io::{Timer, Transport}, opening};
///
/// /// What an adapter's `accept_on` is.
/// async fn accept_on<T: Transport, C: Timer + Default>(
///     server: &Server,
///     transport: T,
/// ) -> Result<WebSocket<T, C>, Error> {
///     let (timer, deadline) = opening::begin(server.config());
///     opening::accept_on(server, transport, timer, deadline).await
/// }
/// ```
#[must_use]
pub fn begin<C: Timer + Default>(config: &Config) -> (C, Instant) {
    let timer = C::default();
    let deadline = config.handshake_deadline(timer.now());
    (timer, deadline)
}

/// Runs `future`, but not beyond `deadline`; `None` if that passed first.
///
/// ```
/// use std::{io, time::Instant};
/// use hybi::{Error, io::Timer, opening};
///
/// /// A step of the opening handshake that an adapter adds, a proxy's for example.
/// async fn step<S, C: Timer>(
///     timer: &mut C,
///     deadline: Instant,
///     step: impl Future<Output = io::Result<S>>,
/// ) -> io::Result<S> {
///     opening::within(timer, deadline, step).await.ok_or(io::ErrorKind::TimedOut)?
/// }
/// ```
pub async fn within<C: Timer, F: Future>(
    timer: &mut C,
    deadline: Instant,
    future: F,
) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => timer.poll_until(cx, deadline).map(|()| None),
    })
    .await
}
