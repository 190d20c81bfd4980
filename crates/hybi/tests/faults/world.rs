//! The world of these tests: a handle of any role and version, a peer that is moved by hand, and a
//! clock that stands still.

use core::{pin::pin, task::Poll, time::Duration};
use std::sync::Arc;

use hybi::{
    Config, Connection, Message, Negotiated, Role, Version, WebSocket, frame::MaskingKey,
    legacy::Terms,
};

use crate::support::{
    clock::{Clock, ClockTimer},
    link::{End, Manners, link},
    peer::Peer,
    tasks::Task,
};

pub(crate) type Socket = WebSocket<End, ClockTimer>;

pub(crate) const BOTH: [Role; 2] = [Role::Client, Role::Server];
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// What the handshake of the vectors settles for hybi-04.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const NONCE: &str = "H+cNj5elaybfGIQv1esl2w==";

/// A connection past its handshake, with a masking key that changes nothing.
pub(crate) fn connection(role: Role, version: Version, config: Config) -> Connection {
    let negotiated = if version < Version::HYBI_07 {
        let terms = Terms::new(version).unwrap_or_else(|| Terms::hybi_04(KEY, NONCE));
        Negotiated::default().with_terms(terms)
    } else {
        Negotiated::new(version, None, Vec::new())
    };
    Connection::new(role, negotiated, Arc::new(config))
        .with_masking_keys(|| MaskingKey::from_bytes([0; 4]))
}

/// No pings but those that a test asks for.
pub(crate) fn quiet() -> Config {
    Config::default().ping_interval(None)
}

/// Both roles in each version.
pub(crate) fn everyone() -> impl Iterator<Item = (Role, Version)> {
    Version::ALL.into_iter().flat_map(|version| BOTH.map(|role| (role, version)))
}

/// Both roles in each version that has pings.
pub(crate) fn who_pings() -> impl Iterator<Item = (Role, Version)> {
    everyone().filter(|(_, version)| *version > Version::HIXIE_76)
}

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
