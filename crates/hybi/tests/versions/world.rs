//! Connections of each version, with and without their opening handshake.

use std::sync::Arc;

use futures_util::future::join;
use hybi::{
    Client, Config, Connection, Error, Message, Negotiated, Role, Server, Version, WebSocket,
    frame::MaskingKey,
    io::Timer as _,
    legacy::Terms,
    opening::{accept_on, connect_on},
};

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

/// What the handshake of the vectors settles for hybi-04.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const NONCE: &str = "H+cNj5elaybfGIQv1esl2w==";

pub(crate) fn terms(version: Version) -> Terms {
    Terms::new(version).unwrap_or_else(|| Terms::hybi_04(KEY, NONCE))
}

/// A connection past its handshake.
pub(crate) fn connection(role: Role, version: Version, config: Config) -> Connection {
    let negotiated = if version < Version::HYBI_07 {
        Negotiated::default().with_terms(terms(version))
    } else {
        Negotiated::new(version, None, Vec::new())
    };
    Connection::new(role, negotiated, Arc::new(config))
        .with_masking_keys(|| MaskingKey::from_bytes([0; 4]))
}

/// Hands over all of the bytes; gives the events.
pub(crate) fn input(connection: &mut Connection, bytes: &[u8]) -> Vec<Message> {
    let mut chunk = bytes.to_vec();
    let mut at = 0;
    let mut events = Vec::new();
    while at < chunk.len() {
        let (consumed, event) = connection.handle_input(&mut chunk[at..]);
        assert!(consumed > 0, "bytes are left and none is consumed");
        events.extend(event.map(Message::from));
        at += consumed;
    }
    events
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
