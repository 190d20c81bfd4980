//! Wakers: two tasks on one connection, one receiving and one sending, and neither forgotten.

use core::task::{Context, Waker};
use std::{sync::Arc, task::Wake};

/// Which half of a connection a task is using.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    Receive,
    Send,
}

/// The tasks that wait on a connection.
///
/// A transport's writing half and a timer remember one waker each, but both halves of a
/// connection wait on them: the receiving half sends pongs, and deadlines concern both. With two
/// tasks, the second to wait would replace the first, which would then sleep for ever. So they
/// are given a waker that wakes both.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    receive: Option<Waker>,
    send: Option<Waker>,
    both: Option<Waker>,
}

struct Both([Waker; 2]);

impl Wake for Both {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        for waker in &self.0 {
            waker.wake_by_ref();
        }
    }
}

impl Wakers {
    /// Notes that the task of `cx` waits on `half`, and returns the waker to leave with whatever
    /// the two halves share; `None` if that is the task's own.
    pub(crate) fn wait(&mut self, half: Half, cx: &Context<'_>) -> Option<&Waker> {
        let (own, other) = match half {
            Half::Receive => (&mut self.receive, &self.send),
            Half::Send => (&mut self.send, &self.receive),
        };
        if !own.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            *own = Some(cx.waker().clone());
            self.both = None;
        }
        let other = other.as_ref().filter(|other| !other.will_wake(cx.waker()))?;
        let both = self
            .both
            .get_or_insert_with(|| Arc::new(Both([cx.waker().clone(), other.clone()])).into());
        Some(both)
    }

    /// Wakes the task of the half that is not `half`: what it waits for has changed.
    pub(crate) fn wake_other(&self, half: Half) {
        let other = match half {
            Half::Receive => &self.send,
            Half::Send => &self.receive,
        };
        if let Some(waker) = other {
            waker.wake_by_ref();
        }
    }
}
