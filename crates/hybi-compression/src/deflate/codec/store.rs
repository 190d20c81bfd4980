//! Store: the states that connections left there between two messages, for the whole process and
//! within a budget in bytes.
//!
//! A connection holds a [`Ticket`] in the place of its state. When the budget is used up, the state
//! that was unused for longest makes room, and its connection makes another when it needs one.
//! Nobody has to be told, and nobody has to wake up for it.
//!
//! There is one store for all threads, since a connection moves from thread to thread. Its lock is
//! held for some hundred nanoseconds, twice a message; compressing takes microseconds, and is done
//! without it.

use core::{marker::PhantomData, mem};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::library::{Compressor, Decompressor};
use super::pool::{Deflater, Inflater};

/// The claim of one direction of a connection on a state of its own.
#[derive(Debug)]
pub(crate) struct Ticket<S: Stored> {
    /// When the state was left, by the clock of the store; 0 if none ever was.
    left: u64,
    /// There may be one still.
    valid: bool,
    state: PhantomData<fn() -> S>,
}

impl<S: Stored> Ticket<S> {
    pub(crate) const fn new() -> Self {
        Self { left: 0, valid: false, state: PhantomData }
    }

    /// The state that was left, unless it had to make room for others.
    pub(crate) fn take(&mut self) -> Option<S> {
        let valid = mem::take(&mut self.valid);
        let state = if valid { store().take(self.left) } else { None };
        state.and_then(S::out_of)
    }

    /// Leaves a state until it is needed again, or others need the room more.
    pub(crate) fn leave(&mut self, state: S) {
        self.give_back();
        let size = state.size();
        // States are released, or kept for this thread, when the lock is free again.
        let (left, kept) = store().leave(self.left, size, state.into());
        *self = Self { left, valid: kept.is_ok(), state: PhantomData };
        drop(kept);
    }

    /// Whether there may be a state.
    pub(crate) fn is_valid(&self) -> bool {
        self.valid
    }

    /// Has no use for the state any more.
    pub(crate) fn give_back(&mut self) {
        drop(self.take());
    }
}

impl<S: Stored> Drop for Ticket<S> {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// What can be left.
pub(crate) trait Stored: Into<State> {
    fn out_of(state: State) -> Option<Self>;

    /// Of the memory that it takes, in bytes.
    fn size(&self) -> usize;
}

#[derive(Debug)]
pub(crate) enum State {
    Deflater(Deflater),
    Inflater(Inflater),
}

impl From<Deflater> for State {
    fn from(deflater: Deflater) -> Self {
        Self::Deflater(deflater)
    }
}

impl From<Inflater> for State {
    fn from(inflater: Inflater) -> Self {
        Self::Inflater(inflater)
    }
}

impl Stored for Deflater {
    fn out_of(state: State) -> Option<Self> {
        if let State::Deflater(deflater) = state { Some(deflater) } else { None }
    }

    fn size(&self) -> usize {
        Compressor::size(self.kind())
    }
}

impl Stored for Inflater {
    fn out_of(state: State) -> Option<Self> {
        if let State::Inflater(inflater) = state { Some(inflater) } else { None }
    }

    fn size(&self) -> usize {
        Decompressor::SIZE
    }
}

/// How many bytes of states are kept at most, and how many are.
pub(in crate::deflate) fn budget() -> (usize, usize) {
    let store = store();
    (store.budget, store.used)
}

pub(in crate::deflate) fn set_budget(bytes: usize) {
    let gone = store().set_budget(bytes);
    drop(gone);
}

fn store() -> MutexGuard<'static, Store<State>> {
    STORE.lock().unwrap_or_else(PoisonError::into_inner)
}

static STORE: Mutex<Store<State>> = Mutex::new(Store::new(DEFAULT_BUDGET));

/// Enough for some 44 connections that send and receive at the same time. Those of more are not in
/// the processor's cache when they are needed, so that to make them again costs no more time; what
/// it does cost is some of the compression. Allocators keep part of what is released, so that much
/// more would be seen in the memory of idle connections.
const DEFAULT_BUDGET: usize = 16 << 20;

#[derive(Debug)]
struct Store<S> {
    budget: usize,
    used: usize,
    /// One more for each state that is left.
    clock: u64,
    /// With the size of each, by the time when it was left: the longest unused first.
    states: BTreeMap<u64, (usize, S)>,
}

impl<S> Store<S> {
    const fn new(budget: usize) -> Self {
        Self { budget, used: 0, clock: 0, states: BTreeMap::new() }
    }

    fn take(&mut self, left: u64) -> Option<S> {
        let (size, state) = self.states.remove(&left)?;
        self.used -= size;
        Some(state)
    }

    /// Keeps the state of a connection that left one at `before`, 0 if this is its first. Returns
    /// when it was left, and what has to go for it, or the state itself if it is not kept.
    ///
    /// Only what has been unused for longer than this connection was has to go. So a crowd of
    /// newcomers does not push out those that are busy, and of more busy connections than there is
    /// room for, some keep their states, where by the last use alone none would have its own when
    /// its turn comes.
    fn leave(&mut self, before: u64, size: usize, state: S) -> (u64, Result<Vec<S>, S>) {
        self.clock += 1;
        let needed = (self.used + size).saturating_sub(self.budget);
        let mut room = 0;
        for (_, (size, _)) in self.states.range(..before) {
            if room >= needed {
                break;
            }
            room += size;
        }
        if room < needed {
            return (self.clock, Err(state));
        }
        let gone = self.shrink(self.budget - size);
        self.used += size;
        self.states.insert(self.clock, (size, state));
        (self.clock, Ok(gone))
    }

    fn set_budget(&mut self, bytes: usize) -> Vec<S> {
        self.budget = bytes;
        self.shrink(bytes)
    }

    /// Takes out the longest unused, until no more than this is left.
    fn shrink(&mut self, bytes: usize) -> Vec<S> {
        let mut gone = Vec::new();
        while self.used > bytes
            && let Some((_, (size, state))) = self.states.pop_first()
        {
            self.used -= size;
            gone.push(state);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Connections that each have a state of one byte, named as they are.
    struct World {
        store: Store<usize>,
        left: Vec<u64>,
    }

    impl World {
        fn new(budget: usize, connections: usize) -> Self {
            Self { store: Store::new(budget), left: vec![0; connections] }
        }

        /// A message; says whether the state was there.
        fn message(&mut self, connection: usize) -> bool {
            self.message_of_size(connection, 1)
        }

        fn message_of_size(&mut self, connection: usize, size: usize) -> bool {
            let state = self.store.take(self.left[connection]);
            assert!(state.is_none_or(|state| state == connection), "that of another");
            let (left, _) = self.store.leave(self.left[connection], size, connection);
            self.left[connection] = left;
            let used: usize = self.store.states.values().map(|(size, _)| size).sum();
            assert!(self.store.used == used && used <= self.store.budget);
            state.is_some()
        }

        fn has(&self) -> Vec<usize> {
            self.store.states.values().map(|(_, connection)| *connection).collect()
        }
    }

    #[test]
    fn within_the_budget_everyone_has_its_own() {
        let mut world = World::new(10, 10);
        for turn in 0..5 {
            for connection in 0..10 {
                assert_eq!(world.message(connection), turn > 0);
            }
        }
    }

    #[test]
    fn the_longest_quiet_goes_first() {
        let mut world = World::new(3, 5);
        for connection in [0, 1, 2, 0, 2] {
            world.message(connection);
        }
        assert_eq!(world.has(), [1, 0, 2]);
        // Those that are new need a message to show that they are busy.
        world.message(3);
        assert_eq!(world.has(), [1, 0, 2]);
        world.message(0);
        world.message(3);
        assert_eq!(world.has(), [2, 0, 3]);
        // As many bytes as it takes.
        world.message(2);
        world.message(4);
        world.message_of_size(4, 2);
        assert_eq!(world.has(), [2, 4]);
        world.message_of_size(4, 4);
        assert_eq!(world.has(), [2], "too large for any budget, which is no reason to empty it");
    }

    /// A crowd that takes turns with those that are busy, each of it once or now and then.
    #[test]
    fn a_crowd_does_not_push_out_the_busy() {
        let mut world = World::new(20, 1000);
        let mut missed = 0;
        for turn in 0..2000 {
            missed += usize::from(!world.message(turn % 10));
            world.message(10 + turn % 990);
        }
        assert_eq!(missed, 10, "but for the first message of each");
    }

    /// By the last use alone, not one would find its own.
    #[test]
    fn of_more_than_there_is_room_for_some_keep_theirs() {
        let mut world = World::new(50, 200);
        let mut found = 0;
        for turn in 0..10 {
            for connection in 0..200 {
                found += usize::from(world.message(connection) && turn > 0);
            }
        }
        assert!((400..=450).contains(&found), "{found}");
        // When others are busy instead, the room is theirs.
        for _ in 0..2 {
            for connection in 0..50 {
                world.message(150 + connection);
            }
        }
        assert!((150..200).all(|connection| world.message(connection)));
    }

    #[test]
    fn a_smaller_budget_holds_at_once() {
        let mut world = World::new(10, 10);
        for connection in 0..10 {
            world.message(connection);
        }
        assert_eq!(world.store.set_budget(3), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!((world.has(), world.store.used), (vec![7, 8, 9], 3));
        assert_eq!(world.store.set_budget(0).len(), 3);
        assert!(!world.message(9) && !world.message(9));
    }
}
