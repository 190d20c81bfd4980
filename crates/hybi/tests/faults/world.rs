//! The world of these tests: a handle of any role and version, a peer that is moved by hand, and a
//! clock that stands still.

use core::{pin::pin, task::Poll, time::Duration};

use hybi::{Config, Connection, Message, Role, Version, WebSocket};

pub(crate) use crate::support::versions::{BOTH, connection, everyone, quiet};
use crate::support::{
    clock::{Clock, ClockTimer},
    link::{End, Manners, link},
    peer::Peer,
    tasks::Task,
};

pub(crate) type Socket = WebSocket<End, ClockTimer>;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// The bytes of these messages, as the peer of an endpoint in `role` sends them.
pub(crate) fn wire(
    role: Role,
    version: Version,
    messages: impl IntoIterator<Item = Message>,
) -> Vec<u8> {
    let mut peer = connection(role.peer(), version, quiet());
    messages.into_iter().for_each(|message| peer.queue(message).expect("open"));
    peer.transmit_to_vec()
}

pub(crate) struct World {
    pub(crate) socket: Socket,
    pub(crate) peer: Peer,
    pub(crate) clock: Clock,
}

impl World {
    /// A socket in `role`, whose transport has room for `capacity` bytes on their way.
    pub(crate) fn new(role: Role, version: Version, config: Config, capacity: usize) -> Self {
        let peer = connection(role.peer(), version, quiet());
        Self::between(connection(role, version, config), peer, capacity)
    }

    pub(crate) fn between(own: Connection, peer: Connection, capacity: usize) -> Self {
        let clock = Clock::new();
        let (end, far) = link(Manners { capacity, ..Manners::PLAIN });
        let socket = WebSocket::new(own, end, clock.timer());
        Self { socket, peer: Peer::over(peer, far), clock }
    }
}

impl Peer {
    /// Sends these messages, and reads nothing.
    pub(crate) fn say(&mut self, messages: impl IntoIterator<Item = Message>) {
        messages.into_iter().for_each(|message| self.queue(message));
        let wire = self.connection.transmit_to_vec();
        self.far.put(&wire);
    }
}

/// Polls once a second, up to `limit` times, while `world` does what it does in a second; gives the
/// seconds that passed, and the output.
///
/// Within a second, a task that wakes itself is polled again, and what woke it is told.
pub(crate) fn seconds_until<F: Future>(
    clock: &Clock,
    limit: u32,
    future: F,
    mut world: impl FnMut(u32),
) -> Option<(u32, F::Output)> {
    let (task, mut future) = (Task::new(), pin!(future));
    for seconds in 0..=limit {
        for _ in 0..1_000 {
            if let Poll::Ready(output) = task.poll(future.as_mut()) {
                return Some((seconds, output));
            }
            if task.wakes() == 0 {
                break;
            }
        }
        world(seconds);
        clock.advance(SECOND);
    }
    None
}

/// One poll of a future that is dropped then.
pub(crate) fn poll_once<R>(task: &Task, future: impl Future<Output = R>) -> Poll<R> {
    task.poll(pin!(future))
}
