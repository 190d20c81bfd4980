//! Tasks without a runtime: futures polled by hand, with wakers that count.

use core::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, Waker},
};
use std::{sync::Arc, task::Wake};

/// Counts how often a task was woken.
#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// One task: its waker, and how often that was used.
pub(crate) struct Task {
    wakes: Arc<Wakes>,
    waker: Waker,
}

impl Task {
    pub(crate) fn new() -> Self {
        let wakes = Arc::new(Wakes::default());
        Self { waker: wakes.clone().into(), wakes }
    }

    pub(crate) fn poll<F: Future + ?Sized>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&self.waker))
    }

    /// How often it was woken since it was last asked.
    pub(crate) fn wakes(&self) -> usize {
        self.wakes.0.swap(0, Ordering::Relaxed)
    }
}

/// Polls at most `polls` times, and lets `world` go on after each that is pending; `None` if the
/// future is still pending then.
pub(crate) fn poll_at_most<F: Future>(
    polls: usize,
    mut future: Pin<&mut F>,
    mut world: impl FnMut(),
) -> Option<F::Output> {
    let task = Task::new();
    for _ in 0..polls {
        if let Poll::Ready(output) = task.poll(future.as_mut()) {
            return Some(output);
        }
        world();
        assert!(task.wakes() > 0, "pending, and nobody will ever wake it");
    }
    None
}

/// Polls to the end.
pub(crate) fn run<F: Future>(future: F, world: impl FnMut()) -> F::Output {
    let future = core::pin::pin!(future);
    poll_at_most(1_000_000, future, world).expect("an end within a million polls")
}
