//! Wakers: tasks that use one connection, one receiving and some sending, and none forgotten.

use core::task::Waker;
use std::{sync::Arc, task::Wake};

/// Which half of a connection a task is using.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    Receive,
    /// One of the senders, by number.
    Send(u32),
}

/// The tasks that wait on a connection.
///
/// A transport's two directions and a timer remember one waker each, but every half of a connection
/// may wait on each of them: the receiving half sends pongs, a sending half sees the peer's Close
/// frame, deadlines concern all. With several tasks, the last to wait would replace the others, which
/// would then sleep for ever. So when more than one waits, they leave a waker that wakes all.
///
/// Whoever changes what others wait for [calls them](Self::call_others). They are woken when nobody
/// uses the connection any more, since a waker may do anything, even poll a task of the same connection
/// at once.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    receive: Slot,
    /// Only a connection whose sending ever had to wait has this.
    senders: Option<Box<Senders>>,
}

#[derive(Debug, Default)]
struct Senders {
    slots: Vec<(u32, Slot)>,
    /// Wakes all that are known; made anew when one of them changes.
    all: Option<Waker>,
}

/// The task that used a half last.
#[derive(Debug, Default)]
struct Slot {
    waker: Option<Waker>,
    wait: Wait,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Wait {
    /// It went on, or is gone.
    #[default]
    No,
    Yes,
    /// It did, and is to be woken.
    Called,
}

struct All(Vec<Waker>);

impl Wake for All {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        for waker in &self.0 {
            waker.wake_by_ref();
        }
    }
}

impl Slot {
    /// Notes that the task of `waker` waits; says whether it is another one than before.
    fn waits(&mut self, waker: &Waker) -> bool {
        self.wait = Wait::Yes;
        let known = self.waker.as_ref().is_some_and(|known| known.will_wake(waker));
        if !known {
            self.waker = Some(waker.clone());
        }
        !known
    }

    fn call(&mut self) {
        if self.wait == Wait::Yes {
            self.wait = Wait::Called;
        }
    }

    fn take_called(&mut self) -> Option<Waker> {
        if self.wait != Wait::Called {
            return None;
        }
        self.wait = Wait::No;
        self.waker.clone()
    }
}

impl Wakers {
    /// Notes that the task of `waker` waits on `half`; returns the waker to leave with whatever the
    /// halves share.
    #[inline]
    pub(crate) fn join<'a>(&'a mut self, half: Half, waker: &'a Waker) -> &'a Waker {
        match (half, &mut self.senders) {
            (Half::Receive, None) => {
                self.receive.waits(waker);
                waker
            }
            _ => self.join_others(half, waker),
        }
    }

    fn join_others<'a>(&'a mut self, half: Half, waker: &'a Waker) -> &'a Waker {
        let senders = self.senders.get_or_insert_default();
        let is_new = match half {
            Half::Receive => self.receive.waits(waker),
            Half::Send(id) => senders.slot(id).waits(waker),
        };
        if is_new {
            senders.all = None;
        }
        let waiting = senders.slots.iter().map(|(_, slot)| slot).chain([&self.receive]);
        let alone = waiting
            .filter(|slot| slot.wait != Wait::No)
            .all(|slot| slot.waker.as_ref().is_some_and(|other| other.will_wake(waker)));
        if alone {
            return waker;
        }
        let all = || {
            let slots = senders.slots.iter().map(|(_, slot)| slot).chain([&self.receive]);
            Arc::new(All(slots.filter_map(|slot| slot.waker.clone()).collect())).into()
        };
        senders.all.get_or_insert_with(all)
    }

    /// The task of this half went on.
    #[inline]
    pub(crate) fn went_on(&mut self, half: Half) {
        match half {
            Half::Receive => self.receive.wait = Wait::No,
            Half::Send(id) => {
                if let Some(senders) = &mut self.senders {
                    senders.slot(id).wait = Wait::No;
                }
            }
        }
    }

    /// This half is gone.
    pub(crate) fn leave(&mut self, half: Half) {
        match (half, &mut self.senders) {
            (Half::Receive, _) => self.receive = Slot::default(),
            (Half::Send(id), Some(senders)) => senders.slots.retain(|(other, _)| *other != id),
            (Half::Send(_), None) => {}
        }
        if let Some(senders) = &mut self.senders {
            senders.all = None;
        }
    }

    pub(crate) fn receiver_waits(&self) -> bool {
        self.receive.wait == Wait::Yes
    }

    pub(crate) fn sender_waits(&self) -> bool {
        let mut slots = self.senders.iter().flat_map(|senders| &senders.slots);
        slots.any(|(_, slot)| slot.wait == Wait::Yes)
    }

    /// Whether the task of `waker` is the one that received last.
    pub(crate) fn receives_in(&self, waker: &Waker) -> bool {
        self.receive.waker.as_ref().is_some_and(|other| other.will_wake(waker))
    }

    /// Calls the tasks of all halves but this one: what they wait for may have changed.
    pub(crate) fn call_others(&mut self, half: Half) {
        if half != Half::Receive {
            self.receive.call();
        }
        for (id, slot) in self.senders.iter_mut().flat_map(|senders| &mut senders.slots) {
            if half != Half::Send(*id) {
                slot.call();
            }
        }
    }

    /// The tasks that were called, to be woken.
    #[inline]
    pub(crate) fn take_called(&mut self) -> Vec<Waker> {
        let mut called: Vec<_> = self.receive.take_called().into_iter().collect();
        if let Some(senders) = &mut self.senders {
            called.extend(senders.slots.iter_mut().filter_map(|(_, slot)| slot.take_called()));
        }
        called
    }
}

impl Senders {
    fn slot(&mut self, id: u32) -> &mut Slot {
        let at = self.slots.iter().position(|(other, _)| *other == id).unwrap_or_else(|| {
            self.slots.push((id, Slot::default()));
            self.slots.len() - 1
        });
        &mut self.slots[at].1
    }
}
