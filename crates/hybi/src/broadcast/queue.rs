//! What waits for one member, and what a full queue does: the policy for slow receivers.

use core::task::{Context, Waker};
#[cfg(not(test))]
use std::sync::{Mutex, MutexGuard};
use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError},
};

// What threads share is the scheduler's in the model.
#[cfg(test)]
use shuttle::sync::{Mutex, MutexGuard};

use super::{Bounds, Deliveries, Slow};
use crate::connection::Prepared;

/// A message that waits, and the key that a newer one would take its place by.
pub(super) struct Entry {
    pub(super) message: Prepared,
    pub(super) key: Option<Arc<str>>,
}

impl Entry {
    pub(super) fn len(&self) -> usize {
        self.message.message().len()
    }
}

/// The queue of one member. Its lock is held for a few steps, and nobody is woken under it.
#[derive(Default)]
pub(super) struct Queue(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    entries: VecDeque<Entry>,
    /// How many bytes of payload wait.
    bytes: usize,
    standing: Standing,
    /// The member's task.
    member: Option<Waker>,
    waits: Waits,
    deliveries: Deliveries,
    /// Those who wait for room here, each by its number.
    senders: Vec<(u64, Waker)>,
}

/// How the member stands in the room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Standing {
    #[default]
    In,
    /// Its queue was full, and the policy is to close.
    TooSlow,
    /// It takes nothing more.
    Gone,
}

/// Whether the member's task is to be woken for what comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Waits {
    #[default]
    No,
    Yes,
}

/// What became of a message at one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    Taken,
    /// So many that waited longer made room for it.
    TakenFor(u64),
    Dropped,
    /// The member is closed; so many are lost with it, this one included.
    Closed(u64),
    Gone,
}

/// What a member took out of its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) standing: Standing,
    /// There is more than it had room for.
    pub(super) more: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that is done under the lock leaves it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message in, or does what the policy says; whom that concerns is to be woken.
    pub(super) fn put(&self, entry: Entry, bounds: &Bounds, calls: &mut Vec<Waker>) -> Put {
        let inner = &mut *self.lock();
        if inner.standing != Standing::In {
            return Put::Gone;
        }
        let mut place = inner.place_of(entry.key.as_deref());
        let mut made_room = 0;
        while !inner.has_room(place, entry.len(), bounds) {
            match bounds.slow {
                Slow::Close | Slow::TryAgainLater => {
                    let lost = inner.entries.len() as u64 + 1;
                    inner.deliveries.dropped += lost;
                    inner.clear();
                    inner.standing = Standing::TooSlow;
                    inner.call_member(calls);
                    return Put::Closed(lost);
                }
                Slow::DropNewest => {
                    inner.deliveries.dropped += 1;
                    return Put::Dropped;
                }
                Slow::DropOldest => {
                    // The one whose place it takes is not lost, but replaced.
                    let oldest = usize::from(place == Some(0));
                    place = place.map(|place| place.saturating_sub(1 - oldest));
                    if let Some(dropped) = inner.entries.remove(oldest) {
                        inner.bytes -= dropped.len();
                    }
                    inner.deliveries.dropped += 1;
                    made_room += 1;
                }
                // Whoever sends has asked before, under the lock of the room.
                Slow::Wait => break,
            }
        }
        inner.bytes += entry.len();
        match place {
            Some(place) => {
                let replaced = core::mem::replace(&mut inner.entries[place], entry);
                inner.bytes -= replaced.len();
                inner.deliveries.replaced += 1;
            }
            None => inner.entries.push_back(entry),
        }
        inner.call_member(calls);
        if made_room > 0 { Put::TakenFor(made_room) } else { Put::Taken }
    }

    /// Whether there is room; if not, and somebody wants to know, it is woken when there is.
    pub(super) fn has_room(
        &self,
        key: Option<&str>,
        len: usize,
        bounds: &Bounds,
        sender: Option<(u64, &Context<'_>)>,
    ) -> bool {
        let mut inner = self.lock();
        let place = inner.place_of(key);
        if inner.standing != Standing::In || inner.has_room(place, len, bounds) {
            return true;
        }
        let Some((sender, cx)) = sender else { return false };
        let at = inner.senders.iter().position(|(known, _)| *known == sender);
        let known = at.map(|at| inner.senders.swap_remove(at));
        inner.senders.push((sender, cx.waker().clone()));
        drop(inner);
        // Dropping a waker may do anything.
        drop(known);
        false
    }

    /// A sender waits no longer.
    pub(super) fn forget(&self, sender: u64) {
        let mut inner = self.lock();
        let at = inner.senders.iter().position(|(known, _)| *known == sender);
        let forgotten = at.map(|at| inner.senders.swap_remove(at));
        drop(inner);
        drop(forgotten);
    }

    /// Moves what waits to `batch`, up to so many bytes; the task is woken for what comes next.
    pub(super) fn take(&self, cx: &Context<'_>, room: usize, batch: &mut Vec<Entry>) -> Taken {
        let mut inner = self.lock();
        inner.waits = Waits::Yes;
        let mut known = None;
        if !inner.member.as_ref().is_some_and(|member| member.will_wake(cx.waker())) {
            known = inner.member.replace(cx.waker().clone());
        }
        let mut taken = 0;
        while taken < room
            && let Some(entry) = inner.entries.pop_front()
        {
            taken += entry.len() + OVERHEAD;
            inner.bytes -= entry.len();
            inner.deliveries.delivered += 1;
            batch.push(entry);
        }
        let more = !inner.entries.is_empty();
        if !more && inner.entries.capacity() > KEPT {
            inner.entries = VecDeque::new();
        }
        let standing = inner.standing;
        let senders =
            if batch.is_empty() { Vec::new() } else { core::mem::take(&mut inner.senders) };
        drop(inner);
        drop(known);
        senders.into_iter().for_each(|(_, sender)| sender.wake());
        Taken { standing, more }
    }

    /// What was taken could not be sent: the version has no such messages, or the connection is over.
    pub(super) fn was_dropped(&self, count: u64) {
        let mut inner = self.lock();
        inner.deliveries.delivered -= count;
        inner.deliveries.dropped += count;
    }

    /// Takes nothing more, and lets go whoever waits for room. What waits is lost.
    pub(super) fn leave(&self) {
        let mut inner = self.lock();
        inner.standing = Standing::Gone;
        inner.deliveries.dropped += inner.entries.len() as u64;
        let entries = inner.clear();
        let (member, senders) = (inner.member.take(), core::mem::take(&mut inner.senders));
        drop(inner);
        drop((entries, member));
        senders.into_iter().for_each(|(_, sender)| sender.wake());
    }

    pub(super) fn deliveries(&self) -> Deliveries {
        let inner = self.lock();
        Deliveries { waiting: inner.entries.len() as u64, ..inner.deliveries }
    }
}

impl Inner {
    /// Where the message of this key waits.
    fn place_of(&self, key: Option<&str>) -> Option<usize> {
        let key = key?;
        self.entries.iter().position(|entry| entry.key.as_deref() == Some(key))
    }

    /// Whether there is room for so many bytes in this place, or at the end. Nothing else waits, or all that
    /// waits stays within the bounds.
    fn has_room(&self, place: Option<usize>, len: usize, bounds: &Bounds) -> bool {
        let replaced = place.map_or(0, |place| self.entries[place].len());
        let others = self.entries.len() - usize::from(place.is_some());
        others == 0
            || others < bounds.max_messages && self.bytes - replaced + len <= bounds.max_bytes
    }

    fn clear(&mut self) -> VecDeque<Entry> {
        self.bytes = 0;
        core::mem::take(&mut self.entries)
    }

    fn call_member(&mut self, calls: &mut Vec<Waker>) {
        if self.waits == Waits::Yes {
            self.waits = Waits::No;
            calls.extend(self.member.clone());
        }
    }
}

/// What a message counts of the room for a batch beside its payload: a frame header, about.
const OVERHEAD: usize = 8;

/// A queue that became empty keeps its space for so many messages.
const KEPT: usize = 16;
