//! Timer: a deadline that the thread keeps which waits.

use core::task::{Context, Poll};
use std::time::Instant;

use hybi::io::Timer;

use crate::reactor;

/// The one timer of a connection: the thread that waits for the connection waits no longer than this says.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct BlockingTimer {}

impl Timer for BlockingTimer {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn poll_until(&mut self, _: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        if deadline <= Instant::now() {
            return Poll::Ready(());
        }
        reactor::wait_until(deadline);
        Poll::Pending
    }
}
