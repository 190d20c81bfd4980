//! Deadlines of an open connection, to the millisecond: nothing happens just before one, and it does at it
//! (RFC 6455 sections 5.5.2 and 5.5.3).

use core::time::Duration;
use std::time::Instant;

use hybi::{Config, Connection, Deadline, Error, Message, Role, State, Version};

use crate::support::versions::{connection, everyone, input, quiet, who_pings};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MOMENT: Duration = Duration::from_millis(1);

/// Lets the time be `now`, as a driver does before it waits.
pub(crate) fn tick(connection: &mut Connection, now: Instant) {
    let mut rounds = 0..100;
    while connection.poll_timeout(|| now).is_some_and(|deadline| deadline <= now) {
        assert!(rounds.next().is_some(), "what was due is due still: {connection:?}");
        connection.handle_timeout(now);
    }
}

/// Lets time pass up to `end`, stopping wherever something is due.
pub(crate) fn pass(connection: &mut Connection, now: Instant, end: Instant) {
    tick(connection, now);
    let mut rounds = 0..100;
    while let Some(due) = connection.poll_timeout(|| end).filter(|due| *due <= end) {
        assert!(rounds.next().is_some(), "it never comes to rest: {connection:?}");
        connection.handle_timeout(due);
    }
}

/// Which deadline ended a connection, if one did.
pub(crate) fn ended(connection: &Connection) -> Option<Deadline> {
    match connection.error()? {
        Error::Timeout(deadline) => Some(*deadline),
        error => panic!("{error}"),
    }
}

/// Lets time pass to just before `deadline` and to it; what was true of the connection then.
fn around<R>(
    own: &mut Connection,
    deadline: Duration,
    mut seen: impl FnMut(&mut Connection) -> R,
) -> [R; 2] {
    let start = Instant::now();
    pass(own, start, start + deadline - MOMENT);
    let before = seen(own);
    pass(own, start + deadline - MOMENT, start + deadline);
    [before, seen(own)]
}

/// The messages that a peer receives of what a connection sends now.
fn sent(own: &mut Connection, role: Role, version: Version) -> Vec<Message> {
    input(&mut connection(role.peer(), version, quiet()), &own.transmit_to_vec())
}

#[test]
fn a_ping_leaves_at_the_ping_interval() {
    for (role, version) in who_pings() {
        let config = Config::default().ping_interval(Some(SECOND * 20));
        let mut own = connection(role, version, config);
        let [before, at] = around(&mut own, SECOND * 20, |own| sent(own, role, version));
        assert_eq!((before, at), (vec![], vec![Message::Ping("".into())]), "{role:?} {version:?}");
    }
}

#[test]
fn an_answer_is_waited_for_up_to_the_ping_timeout() {
    for (role, version) in who_pings() {
        let config = Config::default().ping_interval(Some(SECOND * 20)).ping_timeout(SECOND * 10);
        let mut own = connection(role, version, config.clone());
        let seen = around(&mut own, SECOND * 30, |own| ended(own));
        assert_eq!(seen, [None, Some(Deadline::Pong)], "{role:?} {version:?}");

        // A byte in the last moment is an answer.
        let mut own = connection(role, version, config);
        let start = Instant::now();
        pass(&mut own, start, start + SECOND * 30 - MOMENT);
        let mut peer = connection(role.peer(), version, quiet());
        peer.queue(Message::Pong("".into())).expect("open");
        input(&mut own, &peer.transmit_to_vec());
        pass(&mut own, start + SECOND * 30 - MOMENT, start + SECOND * 30);
        assert_eq!(ended(&own), None, "{role:?} {version:?}");
    }
}

/// hixie-75 and 76 have no pings: nobody is asked, and nobody is missed.
#[test]
fn where_there_are_no_pings_silence_is_no_error() {
    for (role, version) in everyone().filter(|(_, version)| *version < Version::HYBI_01) {
        let mut own = connection(role, version, Config::default());
        let seen = around(&mut own, SECOND * 3600, |own| (ended(own), own.transmit_to_vec()));
        assert_eq!(seen, [(None, vec![]), (None, vec![])], "{role:?} {version:?}");
    }
}

#[test]
fn a_message_is_waited_for_up_to_the_idle_timeout() {
    for (role, version) in everyone() {
        let mut own = connection(role, version, quiet().idle_timeout(Some(SECOND * 60)));
        let seen = around(&mut own, SECOND * 60, |own| ended(own));
        assert_eq!(seen, [None, Some(Deadline::Idle)], "{role:?} {version:?}");
    }
}

#[test]
fn progress_is_waited_for_up_to_the_write_timeout() {
    for (role, version) in everyone() {
        let mut own = connection(role, version, quiet().write_timeout(Some(SECOND * 30)));
        own.queue("unread").expect("open");
        own.transmit_blocked();
        let seen = around(&mut own, SECOND * 30, |own| (ended(own), own.state()));
        let given_up = (Some(Deadline::Write), State::Closed);
        assert_eq!(seen, [(None, State::Open), given_up], "{role:?} {version:?}");

        // A byte that it takes in the last moment is progress.
        let mut own = connection(role, version, quiet().write_timeout(Some(SECOND * 30)));
        own.queue("unread").expect("open");
        own.transmit_blocked();
        let start = Instant::now();
        pass(&mut own, start, start + SECOND * 30 - MOMENT);
        own.transmitted(1);
        own.transmit_blocked();
        pass(&mut own, start + SECOND * 30 - MOMENT, start + SECOND * 60 - MOMENT * 2);
        assert_eq!(ended(&own), None, "{role:?} {version:?}");
        pass(&mut own, start + SECOND * 60 - MOMENT * 2, start + SECOND * 60 - MOMENT);
        assert_eq!(ended(&own), Some(Deadline::Write), "{role:?} {version:?}");
    }
}

/// What is parked is nothing that a peer sees; there is nothing left to wait for.
#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
#[test]
fn a_codec_is_parked_when_it_was_quiet_for_as_long_as_park_after_says() {
    use hybi::{Client, Compress, Deflate, Extensions, Outgoing, Server};

    for version in Version::ALL.into_iter().filter(|version| *version >= Version::HYBI_07) {
        let config = quiet().park_after(Some(SECOND));
        let client = Client::builder().version(version).extensions(Deflate::default());
        let client = client.config(config.clone()).build().expect("a client");
        let server = Server::builder().versions([version]).config(config);
        let server = server.extensions(Extensions::from(Deflate::default())).build();
        for [mut own, mut peer] in both_ways(&client, &server) {
            let message = Outgoing::from("again and again").compress(Compress::Always);
            own.queue(message).expect("open");
            assert_eq!(input(&mut peer, &own.transmit_to_vec()).len(), 1, "{version:?}");
            for end in [&mut own, &mut peer] {
                let seen = around(end, SECOND, |end| end.poll_timeout(Instant::now).is_some());
                assert_eq!(seen, [true, false], "{version:?} {:?}", end.role());
            }
        }
    }
}

/// Two pairs of connections that agreed on extensions, the client first in one and last in the other.
#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
fn both_ways(client: &hybi::Client, server: &hybi::Server) -> [[Connection; 2]; 2] {
    use hybi::handshake::HeadLimits;
    use hybi_handshake::{ServerHandshake, write_response};

    [false, true].map(|server_first| {
        let uri = "ws://example.org/".parse().expect("a URI");
        let mut asking = client.handshake(&uri);
        let mut reading = ServerHandshake::new(HeadLimits::default());
        let (_, request) = reading.handle_input(asking.request_bytes()).expect("a head");
        let (response, upgrade) = server.upgrade(&request.expect("whole")).expect("accepted");
        let mut bytes = Vec::new();
        write_response(&response, &[], &mut bytes);
        let (_, accepted) = asking.handle_input(&bytes).expect("an answer");
        let negotiated = accepted.expect("whole").negotiated;
        assert_eq!(negotiated.extensions.len(), 1);
        let client = Connection::new(Role::Client, negotiated, client.config().clone());
        let server = upgrade.into_connection();
        if server_first { [server, client] } else { [client, server] }
    })
}
