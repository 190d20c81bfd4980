//! Elsewhere: what blocks and cannot be ended, on a thread of its own, and what waits for it.

use core::{
    future::poll_fn,
    task::{Poll, Waker},
};
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

/// Does this on a thread of this name. Dropping the future leaves the thread to end by itself, and nobody hears what it
/// came to.
pub(crate) async fn elsewhere<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let asked = Arc::new(Asked(Mutex::new(State { answer: None, waiting: None })));
    let answering = asked.clone();
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(move || answering.answer(work()))?;
    poll_fn(|cx| asked.poll(cx.waker())).await
}

/// What both threads have in common.
struct Asked<T>(Mutex<State<T>>);

struct State<T> {
    answer: Option<io::Result<T>>,
    waiting: Option<Waker>,
}

impl<T> Asked<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, answer: io::Result<T>) {
        let mut state = self.state();
        state.answer = Some(answer);
        let waiting = state.waiting.take();
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    fn poll(&self, waker: &Waker) -> Poll<io::Result<T>> {
        let mut state = self.state();
        match state.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                state.waiting = Some(waker.clone());
                Poll::Pending
            }
        }
    }
}
