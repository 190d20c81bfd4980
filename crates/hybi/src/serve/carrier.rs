//! Carrier: a transport that brings many requests, each with a stream of its own (RFC 9113 section 5).

use core::{
    fmt,
    task::{Context, Poll},
};

use crate::opening::Requested;

/// What a transport turned out to be once it was open.
#[expect(clippy::exhaustive_enums, reason = "complete: one connection or many")]
pub enum Opened<T> {
    /// One request is to come on it, in HTTP/1.1.
    Single(T),
    /// It carries many, as HTTP/2 does.
    Carrier(Box<dyn Carrier<T>>),
}

impl<T> From<T> for Opened<T> {
    fn from(transport: T) -> Self {
        Self::Single(transport)
    }
}

impl<T> fmt::Debug for Opened<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Single(_) => "Single",
            Self::Carrier(_) => "Carrier",
        })
    }
}

/// A connection of HTTP/2 as a server sees it: requests, each with its own transport.
///
/// What is looked after is looked after here as well. The connection itself counts as one, from when it was accepted, and
/// each request as another, from when it came until its transport is dropped; beyond the limits it is answered with 503.
/// Each request has a task of its own, and the time for its handshake begins when it came. What the requests need to get
/// on is done in [`poll_next`](Self::poll_next), which has a task of its own too.
///
/// ```
/// use std::{collections::VecDeque, task::{Context, Poll}};
/// use hybi::{opening::Requested, serve::Carrier};
///
/// /// One that brings what it was given.
/// struct Given<T>(VecDeque<Requested<T>>);
///
/// impl<T: Send> Carrier<T> for Given<T> {
///     fn poll_next(&mut self, _cx: &mut Context<'_>) -> Poll<Option<Requested<T>>> {
///         Poll::Ready(self.0.pop_front())
///     }
///
///     fn close(&mut self) {
///         self.0.clear();
///     }
/// }
/// ```
pub trait Carrier<T>: Send {
    /// The next request; `None` when the connection is over, with all that it carried.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Requested<T>>>;

    /// Is over once the requests that are there have ended, of which the peer is told behind the last word of each; what
    /// still comes meanwhile is dropped. The task is polled after it.
    fn close(&mut self);
}
