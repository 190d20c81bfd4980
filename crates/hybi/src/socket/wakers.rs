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
    /// The first sender, which most connections have alone.
    send: Slot,
    /// What only connections have on which several tasks waited.
    several: Option<Box<Several>>,
    calls: Calls,
}

/// Whether anybody was called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Calls {
    #[default]
    None,
    Some,
}

#[derive(Debug, Default)]
struct Several {
    /// All senders but the first.
    senders: Vec<(u32, Slot)>,
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
    #[inline]
    fn waits(&mut self, waker: &Waker) -> bool {
        self.wait = Wait::Yes;
        let known = self.is_task_of(waker);
        if !known {
            self.waker = Some(waker.clone());
        }
        !known
    }

    #[inline]
    fn is_task_of(&self, waker: &Waker) -> bool {
        self.waker.as_ref().is_some_and(|known| known.will_wake(waker))
    }

    /// Whether waking the task of `waker` does for this one, too.
    #[inline]
    fn is_served_by(&self, waker: &Waker) -> bool {
        self.wait == Wait::No || self.is_task_of(waker)
    }

    #[inline]
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
        let is_new = match half {
            Half::Receive => self.receive.waits(waker),
            Half::Send(0) => self.send.waits(waker),
            Half::Send(id) => self.several.get_or_insert_default().sender(id).waits(waker),
        };
        // A waker need not know its own clone again, so its own slot is not asked.
        let alone = self.several.is_none()
            && (half == Half::Receive || self.receive.is_served_by(waker))
            && (half == Half::Send(0) || self.send.is_served_by(waker));
        if alone { waker } else { self.join_others(half, is_new, waker) }
    }

    #[inline(never)]
    fn join_others<'a>(&'a mut self, half: Half, is_new: bool, waker: &'a Waker) -> &'a Waker {
        let several = self.several.get_or_insert_default();
        if is_new {
            several.all = None;
        }
        let slots = || {
            let senders = several.senders.iter().map(|(id, slot)| (Half::Send(*id), slot));
            senders.chain([(Half::Receive, &self.receive), (Half::Send(0), &self.send)])
        };
        if slots().all(|(other, slot)| other == half || slot.is_served_by(waker)) {
            return waker;
        }
        if several.all.is_none() {
            let wakers = slots().filter_map(|(_, slot)| slot.waker.clone()).collect();
            several.all = Some(Arc::new(All(wakers)).into());
        }
        several.all.as_ref().unwrap_or(waker)
    }

    /// The task of this half went on.
    #[inline]
    pub(crate) fn went_on(&mut self, half: Half) {
        match half {
            Half::Receive => self.receive.wait = Wait::No,
            Half::Send(0) => self.send.wait = Wait::No,
            Half::Send(id) => {
                if let Some(several) = &mut self.several {
                    several.sender(id).wait = Wait::No;
                }
            }
        }
    }

    /// This half is gone.
    pub(crate) fn leave(&mut self, half: Half) {
        match (half, &mut self.several) {
            (Half::Receive, _) => self.receive = Slot::default(),
            (Half::Send(0), _) => self.send = Slot::default(),
            (Half::Send(id), Some(several)) => several.senders.retain(|(other, _)| *other != id),
            (Half::Send(_), None) => {}
        }
        if let Some(several) = &mut self.several {
            several.all = None;
        }
    }

    pub(crate) fn receiver_waits(&self) -> bool {
        self.receive.wait == Wait::Yes
    }

    pub(crate) fn sender_waits(&self) -> bool {
        let others = self.several.iter().flat_map(|several| &several.senders);
        others.map(|(_, slot)| slot).chain([&self.send]).any(|slot| slot.wait == Wait::Yes)
    }

    /// Whether the task of `waker` is the one that received last.
    pub(crate) fn receives_in(&self, waker: &Waker) -> bool {
        self.receive.is_task_of(waker)
    }

    /// Calls the tasks of all halves but this one: what they wait for may have changed.
    #[inline]
    pub(crate) fn call_others(&mut self, half: Half) {
        if half != Half::Receive && self.receive.wait == Wait::Yes {
            self.receive.wait = Wait::Called;
            self.calls = Calls::Some;
        }
        if half != Half::Send(0) && self.send.wait == Wait::Yes {
            self.send.wait = Wait::Called;
            self.calls = Calls::Some;
        }
        if let Some(several) = &mut self.several {
            for (_, slot) in several.senders.iter_mut().filter(|(id, _)| half != Half::Send(*id)) {
                slot.call();
                self.calls = Calls::Some;
            }
        }
    }

    /// Calls the tasks of all halves: there is something new to wait for.
    pub(crate) fn call_all(&mut self) {
        self.call_others(Half::Receive);
        self.call_others(Half::Send(0));
    }

    /// Whether tasks are to be woken.
    #[inline]
    pub(crate) fn has_called(&self) -> bool {
        self.calls == Calls::Some
    }

    /// The tasks that were called, to be woken.
    #[inline(never)]
    pub(crate) fn take_called(&mut self) -> Vec<Waker> {
        self.calls = Calls::None;
        let others = self.several.iter_mut().flat_map(|several| &mut several.senders);
        let slots = others.map(|(_, slot)| slot).chain([&mut self.receive, &mut self.send]);
        slots.filter_map(Slot::take_called).collect()
    }
}

impl Several {
    fn sender(&mut self, id: u32) -> &mut Slot {
        let at = self.senders.iter().position(|(other, _)| *other == id).unwrap_or_else(|| {
            self.senders.push((id, Slot::default()));
            self.senders.len() - 1
        });
        &mut self.senders[at].1
    }
}
