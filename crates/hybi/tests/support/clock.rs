//! A clock that stands still until the test advances it, and timers that wait by it.

use core::{
    cell::RefCell,
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{rc::Rc, time::Instant};

use hybi::io::Timer;

#[derive(Clone, Debug)]
pub(crate) struct Clock(Rc<RefCell<State>>);

#[derive(Debug)]
struct State {
    now: Instant,
    /// One for each timer, which remembers one waker, as those of runtimes do.
    waiting: Vec<Option<(Instant, Waker)>>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Rc::new(RefCell::new(State { now: Instant::now(), waiting: Vec::new() })))
    }

    pub(crate) fn now(&self) -> Instant {
        self.0.borrow().now
    }

    pub(crate) fn timer(&self) -> ClockTimer {
        let waiting = &mut self.0.borrow_mut().waiting;
        waiting.push(None);
        ClockTimer { clock: self.clone(), index: waiting.len() - 1 }
    }

    /// Lets time pass and wakes whoever waited for it.
    pub(crate) fn advance(&self, time: Duration) {
        let mut due = Vec::new();
        {
            let state = &mut *self.0.borrow_mut();
            state.now += time;
            for waiting in &mut state.waiting {
                due.extend(waiting.take_if(|(deadline, _)| *deadline <= state.now));
            }
        }
        due.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// The earliest deadline that anybody waits for.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let state = self.0.borrow();
        state.waiting.iter().flatten().map(|(deadline, _)| *deadline).min()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct ClockTimer {
    clock: Clock,
    index: usize,
}

impl Timer for ClockTimer {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let state = &mut *self.clock.0.borrow_mut();
        let waiting = &mut state.waiting[self.index];
        if deadline <= state.now {
            *waiting = None;
            return Poll::Ready(());
        }
        *waiting = Some((deadline, cx.waker().clone()));
        Poll::Pending
    }
}
