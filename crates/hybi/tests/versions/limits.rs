//! Limits and deadlines hold in each version, and bad input never does more than end the connection.

use core::time::Duration;
use std::time::Instant;

use hybi::{Config, Connection, Deadline, Error, Message, Role, State, Version, opening};
use proptest::prelude::*;

use crate::{
    support::{
        clock::Clock,
        link::{Manners, link},
        tasks::Task,
    },
    world::{client, connection, input, old, server},
};

const LIMIT: usize = 1000;

fn limited(role: Role, version: Version) -> Connection {
    connection(role, version, Config::default().max_message(LIMIT).max_fragments(10))
}

/// What a client of this version sends for a message, with limits of its own out of the way.
fn message(version: Version, len: usize, fragments: Option<usize>) -> Vec<u8> {
    let mut peer = connection(Role::Client, version, Config::default().fragment_size(fragments));
    peer.queue("x".repeat(len)).expect("open");
    peer.transmit_to_vec()
}

#[test]
fn messages_are_limited_in_one_frame_and_in_many() {
    for version in old() {
        for (len, fragments, fits) in [
            (LIMIT, None, true),
            (LIMIT + 1, None, false),
            (LIMIT, Some(100), true),
            (LIMIT + 1, Some(500), false),
            (20, Some(1), version < Version::HYBI_01),
        ] {
            let wire = message(version, len, fragments);
            for piece in [wire.len(), 1, 7] {
                let mut own = limited(Role::Server, version);
                let events: Vec<_> =
                    wire.chunks(piece).flat_map(|chunk| input(&mut own, chunk)).collect();
                let what = format!("{version:?} {len} {fragments:?} by {piece}");
                assert_eq!(events.is_empty(), !fits, "{what}");
                let failed = matches!(own.error(), Some(Error::Protocol(_)));
                assert_eq!(failed, !fits, "{what}: {:?}", own.error());
                assert_eq!(own.state() == State::Open, fits, "{what}");
            }
        }
    }
}

/// A text frame without an end, a length without an end, a length beyond all bounds, and things to be skipped
/// that are larger than any message.
#[test]
fn hixie_frames_are_bounded_although_nothing_announces_their_length() {
    for version in [Version::HIXIE_75, Version::HIXIE_76] {
        let endless: [(&[u8], &[u8]); 5] = [
            (b"\0", b"text"),
            (b"\x05", b"skip"),
            (b"\x80", b"\x80"),
            (b"\x80", b"\xff"),
            (b"\x80\x87\x69", b"skipped"),
        ];
        for (start, unit) in endless {
            let mut own = limited(Role::Server, version);
            input(&mut own, start);
            let mut sent = 0;
            while own.is_receiving() {
                assert_eq!(input(&mut own, unit), []);
                sent += unit.len();
                assert!(sent <= LIMIT + 8, "{version:?}: {start:x?} {unit:x?} goes on for ever");
            }
            assert!(matches!(own.error(), Some(Error::Protocol(_))), "{version:?} {start:x?}");
            let last: &[u8] = if version == Version::HIXIE_76 { b"\xff\0" } else { b"" };
            assert_eq!(own.transmit_to_vec(), last, "{version:?} {start:x?}");
        }
    }
}

#[test]
fn a_peer_that_does_not_read_is_given_up_after_the_write_timeout() {
    for version in old() {
        let mut own = connection(Role::Server, version, Config::default());
        own.queue("unread").expect("open");
        own.transmit_blocked();
        let now = Instant::now();
        let deadline = own.poll_timeout(|| now + Duration::from_secs(1)).expect("a deadline");
        own.handle_timeout(deadline.max(now + Duration::from_secs(31)));
        assert!(
            matches!(own.error(), Some(Error::Timeout(Deadline::Write))),
            "{version:?}: {:?}",
            own.error()
        );
    }
}

#[test]
fn a_peer_that_pings_and_never_reads_gets_the_newest_answer_only() {
    for version in old().filter(|version| *version >= Version::HYBI_01) {
        let mut peer = connection(Role::Client, version, Config::default());
        for ping in 0..1000 {
            peer.queue(Message::Ping(format!("{ping}").into())).expect("open");
        }
        let wire = peer.transmit_to_vec();
        let mut own = connection(Role::Server, version, Config::default());
        own.transmit_blocked();
        input(&mut own, &wire);
        assert_eq!(own.queued_bytes(), 0, "{version:?}");
        own.transmitted(0);
        assert_eq!(input(&mut peer, &own.transmit_to_vec()), [Message::Pong("999".into())]);
    }
}

/// Client or server, what the other end leaves unsaid is waited for no longer than the handshake may take.
#[test]
fn silent_handshakes_end() {
    let clock = Clock::new();
    let second = Duration::from_secs(1);
    for version in Version::ALL {
        let (end, _far) = link(Manners::PLAIN);
        let (client, timer) = (client(version), clock.timer());
        let uri = "ws://example.org/";
        let deadline = client.config().handshake_deadline(clock.now());
        let mut opening = Box::pin(opening::connect_on(&client, uri, end, timer, deadline));
        assert_ends_at_ten(&clock, opening.as_mut());
    }
    // A challenge that never comes, of which some came, or a head that never ends.
    let head = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\
        Origin: http://a\r\nSec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n\
        Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n\r\n";
    for said in [&b""[..], &head[..40], head, &[&head[..], b"^n:ds[4"].concat()] {
        let (end, far) = link(Manners::PLAIN);
        far.put(said);
        let server = server(Version::ALL);
        let deadline = clock.now() + second * 10;
        let mut opening = Box::pin(opening::accept_on(&server, end, clock.timer(), deadline));
        assert_ends_at_ten(&clock, opening.as_mut());
    }
}

/// Polls at 9 seconds, when it waits, and at 10, 12 and 13, by when it has given up.
fn assert_ends_at_ten<O: core::fmt::Debug>(
    clock: &Clock,
    mut opening: core::pin::Pin<&mut impl Future<Output = Result<O, Error>>>,
) {
    let task = Task::new();
    assert!(task.poll(opening.as_mut()).is_pending());
    clock.advance(Duration::from_secs(9));
    assert!(task.poll(opening.as_mut()).is_pending());
    for seconds in [1, 2, 1] {
        clock.advance(Duration::from_secs(seconds));
        if let core::task::Poll::Ready(outcome) = task.poll(opening.as_mut()) {
            let error = outcome.expect_err("nobody spoke");
            assert!(matches!(error, Error::Timeout(Deadline::Handshake)), "{error}");
            return;
        }
    }
    panic!("still waiting");
}

proptest! {
    /// Whatever comes, however it is cut: the same events, error and answer, and never a panic.
    #[test]
    fn garbage_ends_alike_however_it_is_cut(
        version in 0..8_usize,
        server in any::<bool>(),
        bytes in prop::collection::vec(
            prop_oneof![any::<u8>(), prop::sample::select(&[0, 0xff, 0x04, 0x84, 0x80, 1, 2][..])],
            0..200,
        ),
        cut in 1..50_usize,
    ) {
        let version = old().nth(version).expect("eight of them");
        let role = if server { Role::Server } else { Role::Client };
        let outcome = |piece: usize| {
            let mut own = limited(role, version);
            let events: Vec<_> =
                bytes.chunks(piece).flat_map(|chunk| input(&mut own, chunk)).collect();
            (events, own.error().map(ToString::to_string), own.state(), own.transmit_to_vec())
        };
        prop_assert_eq!(outcome(bytes.len().max(1)), outcome(cut));
    }

    #[test]
    fn messages_come_back_in_every_version(
        version in 0..8_usize,
        texts in prop::collection::vec(".{0,300}", 1..8),
        fragment in prop::option::of(1..100_usize),
        piece in 1..64_usize,
    ) {
        let version = old().nth(version).expect("eight of them");
        for role in [Role::Client, Role::Server] {
            let config = Config::default().fragment_size(fragment);
            let mut own = connection(role, version, config);
            let mut peer = connection(role.peer(), version, Config::default());
            for text in &texts {
                own.queue(text.clone()).expect("open");
            }
            let wire = own.transmit_to_vec();
            let received: Vec<_> =
                wire.chunks(piece).flat_map(|chunk| input(&mut peer, chunk)).collect();
            let sent: Vec<_> = texts.iter().cloned().map(Message::text).collect();
            prop_assert_eq!(received, sent);
        }
    }
}
