//! The room: who is in it, and one message on its way to all of them.

use core::{
    mem,
    task::{Context, Waker},
};
#[cfg(not(test))]
use std::sync::{Mutex, MutexGuard};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
};

// What threads share is the scheduler's in the model.
#[cfg(test)]
use shuttle::sync::{Mutex, MutexGuard};

use super::{
    Bounds, Sent, Slow,
    queue::{Entry, Put, Queue},
};
use crate::connection::Prepared;

/// What members and senders share.
///
/// A message is put into all queues under one lock, so that all members see all messages in one order. Tasks are
/// woken when it was let go.
pub(super) struct Room {
    pub(super) bounds: Bounds,
    members: Mutex<Members>,
    /// Space for the wakers of the members, which are many.
    spare: Mutex<Vec<Waker>>,
}

#[derive(Default)]
struct Members {
    queues: BTreeMap<u64, Arc<Queue>>,
    /// Numbers members, and senders that wait.
    next: u64,
}

/// Whom a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    All,
    AllBut(u64),
    One(u64),
}

impl To {
    fn includes(self, member: u64) -> bool {
        match self {
            Self::All => true,
            Self::AllBut(other) => member != other,
            Self::One(one) => member == one,
        }
    }
}

/// A message on its way into the queues, and where it waits for room.
pub(super) struct Sending<'a> {
    room: &'a Room,
    to: To,
    message: Prepared,
    key: Option<Arc<str>>,
    place: Option<Place>,
}

struct Place {
    queue: Arc<Queue>,
    sender: u64,
}

impl Room {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, members: Mutex::default(), spare: Mutex::default() }
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn join(&self) -> (u64, Arc<Queue>) {
        let queue = Arc::new(Queue::default());
        let mut members = self.members();
        let id = members.number();
        members.queues.insert(id, queue.clone());
        (id, queue)
    }

    pub(super) fn leave(&self, id: u64) {
        let left = self.members().queues.remove(&id);
        if let Some(queue) = left {
            queue.leave();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.members().queues.len()
    }

    pub(super) fn sending(&self, to: To, message: Prepared, key: Option<Arc<str>>) -> Sending<'_> {
        Sending { room: self, to, message, key, place: None }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Members {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl Sending<'_> {
    /// Puts the message into the queues of all that it is for; `None` if it is to wait for one of them, which
    /// wakes the task then.
    pub(super) fn put(&mut self, cx: Option<&Context<'_>>) -> Option<Sent> {
        let mut calls = mem::take(&mut *self.room.spare());
        let sent = self.put_into(cx, &mut calls);
        calls.drain(..).for_each(Waker::wake);
        *self.room.spare() = calls;
        sent
    }

    fn put_into(&mut self, cx: Option<&Context<'_>>, calls: &mut Vec<Waker>) -> Option<Sent> {
        let Self { room, to, message, key, place } = self;
        let bounds = &room.bounds;
        let len = message.message().len();
        let mut members = room.members();
        if bounds.slow == Slow::Wait {
            let sender = match (&*place, cx) {
                (Some(place), _) => place.sender,
                (None, Some(_)) => members.number(),
                (None, None) => 0,
            };
            let full =
                members.queues.iter().filter(|(id, _)| to.includes(**id)).find(|(_, queue)| {
                    !queue.has_room(key.as_deref(), len, bounds, cx.map(|cx| (sender, cx)))
                });
            if let Some((_, queue)) = full {
                let queue = queue.clone();
                drop(members);
                let before = place.replace(Place { queue, sender });
                if let Some(before) = before
                    && !place.as_ref().is_some_and(|now| Arc::ptr_eq(&now.queue, &before.queue))
                {
                    before.queue.forget(sender);
                }
                return None;
            }
        }
        let mut sent = Sent::default();
        let mut put = |queue: &Queue| {
            let entry = Entry { message: message.clone(), key: key.clone() };
            match queue.put(entry, bounds, calls) {
                Put::Taken => sent.members += 1,
                Put::TakenFor(dropped) => {
                    sent.members += 1;
                    sent.dropped += dropped;
                }
                Put::Dropped => sent.dropped += 1,
                Put::Closed(dropped) => {
                    sent.closed += 1;
                    sent.dropped += dropped;
                }
                Put::Gone => {}
            }
        };
        match *to {
            To::One(id) => members.queues.get(&id).into_iter().for_each(|queue| put(queue)),
            to => members
                .queues
                .iter()
                .filter(|(id, _)| to.includes(**id))
                .for_each(|(_, queue)| put(queue)),
        }
        Some(sent)
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        if let Some(Place { queue, sender }) = &self.place {
            queue.forget(*sender);
        }
    }
}
