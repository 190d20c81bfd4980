//! Access: a driver that a handle has to itself, or that halves share.

#[cfg(not(test))]
use core::sync::atomic::AtomicU32;
use core::task::Waker;
#[cfg(not(test))]
use std::sync::Mutex;
use std::sync::{Arc, PoisonError};

// What threads share is the scheduler's in the model.
#[cfg(test)]
use shuttle::sync::{Mutex, atomic::AtomicU32};

use super::driver::Driver;

/// How a handle gets at its driver. No wait happens within: what is polled returns.
pub(super) trait Access<T, C> {
    fn with<R>(&mut self, f: impl FnOnce(&mut Driver<T, C>) -> R) -> R;
}

/// The handle has it to itself.
impl<T, C> Access<T, C> for Driver<T, C> {
    #[inline]
    fn with<R>(&mut self, f: impl FnOnce(&mut Self) -> R) -> R {
        let result = f(self);
        if self.wakers.has_called() {
            self.wakers.take_called().into_iter().for_each(Waker::wake);
        }
        result
    }
}

/// What the halves of a connection share.
///
/// The lock is held while a half is polled and never across a wait. Tasks of other halves are woken
/// after it was let go: a waker may do anything, even poll such a task at once.
#[derive(Debug)]
pub(super) struct Shared<T, C> {
    pub(super) driver: Mutex<Driver<T, C>>,
    /// How many senders there have been, which numbers them.
    pub(super) senders: AtomicU32,
}

impl<T, C> Access<T, C> for Arc<Shared<T, C>> {
    #[inline]
    fn with<R>(&mut self, f: impl FnOnce(&mut Driver<T, C>) -> R) -> R {
        self.look(f)
    }
}

impl<T, C> Shared<T, C> {
    pub(super) fn new(driver: Driver<T, C>) -> Self {
        Self { driver: Mutex::new(driver), senders: AtomicU32::new(0) }
    }

    /// Uses the driver, and wakes whom that concerns.
    pub(super) fn look<R>(&self, f: impl FnOnce(&mut Driver<T, C>) -> R) -> R {
        let mut driver = self.driver.lock().unwrap_or_else(PoisonError::into_inner);
        let result = f(&mut driver);
        if driver.wakers.has_called() {
            let called = driver.wakers.take_called();
            drop(driver);
            called.into_iter().for_each(Waker::wake);
        }
        result
    }
}

/// How what borrows from a handle gets at the connection.
#[derive(Debug)]
pub(super) enum Way<'a, T, C> {
    Own(&'a mut Driver<T, C>),
    Shared(&'a Shared<T, C>),
}

impl<T, C> Access<T, C> for Way<'_, T, C> {
    fn with<R>(&mut self, f: impl FnOnce(&mut Driver<T, C>) -> R) -> R {
        match self {
            Self::Own(driver) => driver.with(f),
            Self::Shared(shared) => shared.look(f),
        }
    }
}
