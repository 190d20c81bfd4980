//! Wakers: two tasks on one connection, one receiving and one sending, and neither forgotten.

use core::task::{Context, Poll, Waker};
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
    /// Only a connection whose sending ever had to wait has this.
    send: Option<Box<Send>>,
}

#[derive(Debug)]
struct Send {
    waker: Waker,
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
    /// Polls something that both halves wait on, for the task of `cx` on `half`.
    pub(crate) fn poll_shared<R>(
        &mut self,
        half: Half,
        cx: &mut Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        let polled = poll(cx);
        if polled.is_ready() {
            return polled;
        }
        match self.wait(half, cx.waker()) {
            // The poll left the task's own waker there, in place of the other task's.
            Some(both) => poll(&mut Context::from_waker(both)),
            None => polled,
        }
    }

    /// Notes that the task of `waker` waits on `half`; returns the waker to leave with whatever
    /// the halves share, if that is not the task's own.
    fn wait(&mut self, half: Half, waker: &Waker) -> Option<&Waker> {
        let known = match half {
            Half::Receive => self.receive.as_ref(),
            Half::Send => self.send.as_ref().map(|send| &send.waker),
        };
        if !known.is_some_and(|known| known.will_wake(waker)) {
            match (half, &mut self.send) {
                (Half::Receive, send) => {
                    self.receive = Some(waker.clone());
                    send.iter_mut().for_each(|send| send.both = None);
                }
                (Half::Send, send) => {
                    *send = Some(Box::new(Send { waker: waker.clone(), both: None }));
                }
            }
        }
        let receive = self.receive.as_ref()?;
        let send = self.send.as_deref_mut()?;
        if receive.will_wake(&send.waker) {
            return None;
        }
        let both = || Arc::new(Both([receive.clone(), send.waker.clone()])).into();
        Some(send.both.get_or_insert_with(both))
    }

    /// Wakes the task of the half that is not `half`: what it waits for has changed.
    pub(crate) fn wake_other(&self, half: Half) {
        let other = match half {
            Half::Receive => self.send.as_ref().map(|send| &send.waker),
            Half::Send => self.receive.as_ref(),
        };
        if let Some(waker) = other {
            waker.wake_by_ref();
        }
    }
}
