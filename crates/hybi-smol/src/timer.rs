//! Timer on the clock of async-io, smol's reactor.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use std::time::Instant;

use async_io::Timer as Sleep;
use hybi::io::Timer;

/// The one timer of a connection; it costs nothing until a connection first waits.
#[derive(Debug, Default)]
pub struct SmolTimer(Option<Box<Armed>>);

#[derive(Debug)]
struct Armed {
    deadline: Instant,
    sleep: Sleep,
}

impl Timer for SmolTimer {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let armed =
            self.0.get_or_insert_with(|| Box::new(Armed { deadline, sleep: Sleep::at(deadline) }));
        if armed.deadline != deadline {
            armed.deadline = deadline;
            armed.sleep.set_at(deadline);
        }
        let passed = Pin::new(&mut armed.sleep).poll(cx).map(drop);
        if passed.is_ready() {
            // It fires once: who asks again for a time that passed has to have an answer again.
            self.0 = None;
        }
        passed
    }
}
