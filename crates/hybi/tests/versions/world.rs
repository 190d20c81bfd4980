//! Connections of each version, with and without their opening handshake.

use futures_util::future::join;
use hybi::{
    Client, Error, Server, Version, WebSocket,
    io::Timer as _,
    opening::{accept_on, connect_on},
};

pub(crate) use crate::support::versions::{connection, input, terms};
use crate::support::{
    clock::{Clock, ClockTimer},
    link::{End, Manners, link_both},
    tasks::run,
};

pub(crate) type Socket = WebSocket<End, ClockTimer>;

/// The versions before hybi-07.
pub(crate) fn old() -> impl Iterator<Item = Version> {
    Version::ALL.into_iter().filter(|version| *version < Version::HYBI_07)
}

/// A link that takes and gives one byte at a time.
pub(crate) const BYTE_BY_BYTE: Manners =
    Manners { reluctance: 0, read: 1, write: 1, capacity: usize::MAX };

/// Both ends of a connection that asks and answers as these say.
pub(crate) fn open(
    client: &Client,
    server: &Server,
    manners: Manners,
) -> (Result<Socket, Error>, Result<Socket, Error>) {
    let (near, far) = link_both(manners, manners);
    let clock = Clock::new();
    let (asking, answering) = (clock.timer(), clock.timer());
    let deadline = client.config().handshake_deadline(asking.now());
    let uri = "ws://example.org:8080/chat?room=1";
    let (opened, accepted) = run(
        join(
            connect_on(client, uri, near, asking, deadline),
            accept_on(server, far, answering, deadline),
        ),
        || {},
    );
    (opened.map(|(socket, _)| socket), accepted)
}

pub(crate) fn client(version: Version) -> Client {
    Client::builder().version(version).build().expect("a version that is spoken")
}

pub(crate) fn server(versions: impl IntoIterator<Item = Version>) -> Server {
    Server::builder().versions(versions).build()
}
