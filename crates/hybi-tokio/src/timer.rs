//! Timer on tokio's clock, which tests may pause.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use std::time::Instant;

use hybi::io::Timer;
use tokio::time::{self, Sleep};

/// The one timer of a connection; it costs nothing until a connection first waits.
#[derive(Debug, Default)]
pub struct TokioTimer(Option<Pin<Box<Sleep>>>);

impl Timer for TokioTimer {
    fn now(&self) -> Instant {
        time::Instant::now().into_std()
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let deadline = time::Instant::from_std(deadline);
        let sleep = self.0.get_or_insert_with(|| Box::pin(time::sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx)
    }
}
