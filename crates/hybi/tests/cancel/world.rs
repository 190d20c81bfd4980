//! The world of these tests: a `WebSocket` over a reluctant transport, a peer, and a plan of when
//! futures are dropped.

use core::pin::pin;

use hybi::{Config, Connection, Message, Role, WebSocket};

use crate::support::{
    clock::{Clock, ClockTimer},
    link::{End, Manners, link},
    peer::{Peer, connection, connection_with},
    tasks::poll_at_most,
};

pub(crate) type Socket = WebSocket<End, ClockTimer>;

/// When futures are dropped before they are complete.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Drops {
    Never,
    /// One future, after this many polls of it and all before it.
    Once(usize),
    /// Every future, after this many polls of its own.
    Each(usize),
}

pub(crate) struct World {
    pub(crate) socket: Socket,
    pub(crate) peer: Peer,
    pub(crate) drops: Drops,
    /// Polls so far, of all futures together.
    pub(crate) polls: usize,
    /// The most bytes that the peer takes between two polls.
    pace: usize,
}

impl World {
    pub(crate) fn new(role: Role, config: Config, manners: Manners, drops: Drops) -> Self {
        Self::between(connection_with(role, config), connection(role.peer()), manners, drops)
    }

    pub(crate) fn between(
        own: Connection,
        peer: Connection,
        manners: Manners,
        drops: Drops,
    ) -> Self {
        let (end, far) = link(manners);
        Self {
            socket: WebSocket::new(own, end, Clock::new().timer()),
            peer: Peer::over(peer, far),
            drops,
            polls: 0,
            pace: manners.capacity,
        }
    }

    /// Runs one future of the socket while the peer does its part; `None` if it was dropped.
    pub(crate) fn attempt<R>(
        &mut self,
        mut operation: impl AsyncFnMut(&mut Socket) -> R,
    ) -> Option<R> {
        let allowed = match self.drops {
            Drops::Never => 1_000_000,
            Drops::Once(polls) | Drops::Each(polls) => polls,
        };
        let (peer, pace) = (&mut self.peer, self.pace);
        let mut pending = 0;
        let output = poll_at_most(allowed, pin!(operation(&mut self.socket)), || {
            pending += 1;
            peer.step(pace);
        });
        let polls = pending + usize::from(output.is_some());
        self.polls += polls;
        if let Drops::Once(left) = self.drops {
            self.drops = if output.is_some() { Drops::Once(left - polls) } else { Drops::Never };
        }
        if output.is_none() {
            self.peer.step(pace);
        }
        output
    }

    /// Runs futures until one is complete.
    pub(crate) fn insist<R>(&mut self, mut operation: impl AsyncFnMut(&mut Socket) -> R) -> R {
        for _ in 0..1_000_000 {
            if let Some(output) = self.attempt(&mut operation) {
                return output;
            }
        }
        panic!("no progress under {:?}", self.drops);
    }

    /// Whatever is on its way arrives.
    pub(crate) fn settle(&mut self) {
        for _ in 0..3 {
            self.peer.step(usize::MAX);
        }
    }
}

/// Transports from obliging to impossible.
pub(crate) const MANNERS: [Manners; 4] = [
    Manners { reluctance: 1, read: usize::MAX, write: usize::MAX, capacity: usize::MAX },
    Manners { reluctance: 1, read: 1, write: 1, capacity: 16 },
    Manners { reluctance: 2, read: 7, write: 5, capacity: 5 },
    Manners { reluctance: 0, read: 3, write: 11, capacity: 32 },
];

/// Runs `scenario` without dropping anything, then with a drop at each single await point that
/// this run had, then with drops everywhere.
pub(crate) fn at_each_await_point(mut scenario: impl FnMut(Drops) -> usize) {
    let polls = scenario(Drops::Never);
    assert!(polls > 1, "a scenario that never waits shows nothing: {polls} polls");
    for at in 0..polls {
        scenario(Drops::Once(at));
    }
    for polls in 1..=4 {
        scenario(Drops::Each(polls));
    }
}

/// A binary message of distinct content.
pub(crate) fn binary(len: usize) -> Message {
    Message::binary((0..len).map(|at| (at * 7 + len) as u8).collect::<Vec<_>>())
}
