//! A clock that stands still until it is advanced, and timers that wait by it.

use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use hybi::io::Timer;

/// The time of a simulation. Clones are the same clock.
///
/// It stands still: nothing passes but what [`advance`](Self::advance) says, or what a
/// [`World`](crate::world::World) lets pass when everybody sleeps.
///
/// ```
/// use std::time::Duration;
/// use hybi_testkit::clock::Clock;
///
/// let clock = Clock::new();
/// clock.advance(Duration::from_secs(3600));
/// assert_eq!(clock.elapsed(), Duration::from_secs(3600));
/// ```
#[derive(Clone, Debug)]
pub struct Clock(Arc<Mutex<Hands>>);

#[derive(Debug)]
struct Hands {
    began: Instant,
    now: Instant,
    /// One for each timer, which remembers one waker, as those of runtimes do.
    waiting: Vec<Option<(Instant, Waker)>>,
    /// Places in `waiting` whose timers are gone.
    free: Vec<usize>,
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock {
    /// A clock at its beginning.
    #[must_use]
    pub fn new() -> Self {
        let began = Instant::now();
        let hands = Hands { began, now: began, waiting: Vec::new(), free: Vec::new() };
        Self(Arc::new(Mutex::new(hands)))
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.hands().now
    }

    /// How much has passed since the clock was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        let hands = self.hands();
        hands.now - hands.began
    }

    /// A timer of this clock, for one connection.
    #[must_use]
    pub fn timer(&self) -> ClockTimer {
        let hands = &mut *self.hands();
        let index = hands.free.pop().unwrap_or_else(|| {
            hands.waiting.push(None);
            hands.waiting.len() - 1
        });
        ClockTimer { clock: self.clone(), index }
    }

    /// Lets time pass, and wakes whoever waited for what it is then.
    pub fn advance(&self, time: Duration) {
        let mut due = Vec::new();
        {
            let hands = &mut *self.hands();
            hands.now += time;
            for waiting in &mut hands.waiting {
                due.extend(waiting.take_if(|(deadline, _)| *deadline <= hands.now));
            }
        }
        // Whoever is woken may ask for the time at once.
        due.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// The earliest moment that anybody waits for.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.hands().waiting.iter().flatten().map(|(deadline, _)| *deadline).min()
    }

    /// Waits until so much has passed.
    ///
    /// ```
    /// use std::time::Duration;
    /// use hybi_testkit::world::World;
    ///
    /// let mut world = World::new();
    /// let clock = world.clock().clone();
    /// world.block_on(async move { clock.sleep(Duration::from_secs(20)).await });
    /// assert_eq!(world.clock().elapsed(), Duration::from_secs(20));
    /// ```
    pub async fn sleep(&self, time: Duration) {
        let mut timer = self.timer();
        let deadline = timer.now() + time;
        core::future::poll_fn(|cx| timer.poll_until(cx, deadline)).await;
    }
}

/// A timer by a [`Clock`], as a [`WebSocket`](hybi::WebSocket) wants it.
#[derive(Debug)]
pub struct ClockTimer {
    clock: Clock,
    index: usize,
}

impl Timer for ClockTimer {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let hands = &mut *self.clock.hands();
        let waiting = &mut hands.waiting[self.index];
        if deadline <= hands.now {
            *waiting = None;
            return Poll::Ready(());
        }
        *waiting = Some((deadline, cx.waker().clone()));
        Poll::Pending
    }
}

impl Drop for ClockTimer {
    fn drop(&mut self) {
        let hands = &mut *self.clock.hands();
        hands.waiting[self.index] = None;
        hands.free.push(self.index);
    }
}
