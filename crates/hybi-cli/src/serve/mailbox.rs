//! A mailbox: messages that others send to one connection, bounded in bytes.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hybi::Message;
use tokio::sync::Notify;

/// What each message costs beside its payload, so that empty messages are bounded too.
const OVERHEAD: usize = 64;

/// Messages on their way to one connection.
#[derive(Debug)]
pub(crate) struct Mailbox {
    capacity: usize,
    inner: Mutex<Inner>,
    filled: Notify,
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<Message>,
    bytes: usize,
    overflowed: bool,
    closed: bool,
}

/// What the owner of a mailbox finds in it.
#[derive(Debug)]
pub(crate) enum Mail {
    Message(Message),
    /// The owner was too slow and is to be closed.
    Overflowed,
}

impl Mailbox {
    /// A mailbox for `capacity` bytes; a single message that is longer is taken alone.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, inner: Mutex::default(), filled: Notify::new(), emptied: Notify::new() }
    }

    /// Puts a message in, or gives it back when there is no room. A closed mailbox swallows.
    pub(crate) fn try_put(&self, message: Message) -> Result<(), Message> {
        let mut inner = self.lock();
        let cost = message.len() + OVERHEAD;
        if inner.closed || inner.overflowed {
            return Ok(());
        }
        if inner.bytes > 0 && inner.bytes + cost > self.capacity {
            return Err(message);
        }
        inner.bytes += cost;
        inner.waiting.push_back(message);
        drop(inner);
        self.filled.notify_one();
        Ok(())
    }

    /// Puts a message in as soon as there is room.
    pub(crate) async fn put(&self, mut message: Message) {
        loop {
            let emptied = self.emptied.notified();
            match self.try_put(message) {
                Ok(()) => return,
                Err(back) => message = back,
            }
            emptied.await;
        }
    }

    /// Marks the owner as too slow: what waits is dropped, and the owner is told.
    pub(crate) fn overflow(&self) {
        let mut inner = self.lock();
        inner.overflowed = true;
        inner.waiting.clear();
        drop(inner);
        self.filled.notify_one();
        self.emptied.notify_waiters();
    }

    /// Waits for the next message. Cancel safe; one caller at a time.
    pub(crate) async fn take(&self) -> Mail {
        loop {
            {
                let mut inner = self.lock();
                if inner.overflowed {
                    return Mail::Overflowed;
                }
                if let Some(message) = inner.waiting.pop_front() {
                    inner.bytes -= message.len() + OVERHEAD;
                    drop(inner);
                    self.emptied.notify_waiters();
                    return Mail::Message(message);
                }
            }
            self.filled.notified().await;
        }
    }

    /// Waits until the owner was marked as too slow. Cancel safe.
    pub(crate) async fn overflowed(&self) {
        loop {
            if self.lock().overflowed {
                return;
            }
            self.filled.notified().await;
        }
    }

    /// Takes nothing more, and lets go whoever waits for room.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.waiting.clear();
        drop(inner);
        self.emptied.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each critical section leaves the queue and its byte count in step.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounded_in_bytes_and_not_in_one_long_message() {
        let mailbox = Mailbox::new(2 * (OVERHEAD + 10));
        assert!(mailbox.try_put(Message::text("0123456789")).is_ok());
        assert!(mailbox.try_put(Message::text("0123456789")).is_ok());
        let back = mailbox.try_put(Message::text("x")).unwrap_err();
        assert_eq!(back, Message::text("x"));
        let alone = Mailbox::new(1);
        assert!(alone.try_put(Message::text("longer than the mailbox")).is_ok());
    }

    #[tokio::test]
    async fn taking_makes_room() {
        let mailbox = Mailbox::new(1);
        mailbox.put(Message::text("a")).await;
        let (_, taken) = tokio::join!(mailbox.put(Message::text("b")), mailbox.take());
        assert!(matches!(taken, Mail::Message(message) if message == Message::text("a")));
        assert!(
            matches!(mailbox.take().await, Mail::Message(message) if message == Message::text("b"))
        );
    }

    #[tokio::test]
    async fn an_overflow_reaches_the_owner_and_frees_the_senders() {
        let mailbox = Mailbox::new(1);
        mailbox.put(Message::text("a")).await;
        tokio::join!(mailbox.put(Message::text("b")), async { mailbox.overflow() });
        assert!(matches!(mailbox.take().await, Mail::Overflowed));
        mailbox.overflowed().await;
    }
}
