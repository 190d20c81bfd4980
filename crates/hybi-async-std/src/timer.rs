//! Timer on async-std's clock.

use core::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use std::time::Instant;

use hybi::io::Timer;

/// The one timer of a connection; it costs nothing until a connection first waits.
#[derive(Default)]
pub struct AsyncStdTimer(Option<(Instant, Sleep)>);

type Sleep = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

impl Timer for AsyncStdTimer {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        if self.0.as_ref().is_none_or(|(armed, _)| *armed != deadline) {
            let wait = deadline.saturating_duration_since(self.now());
            self.0 = Some((deadline, Box::pin(async_std::task::sleep(wait))));
        }
        let Some((_, sleep)) = &mut self.0 else { return Poll::Pending };
        let passed = sleep.as_mut().poll(cx);
        if passed.is_ready() {
            self.0 = None;
        }
        passed
    }
}

impl fmt::Debug for AsyncStdTimer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AsyncStdTimer").field(&self.0.as_ref().map(|(armed, _)| armed)).finish()
    }
}
