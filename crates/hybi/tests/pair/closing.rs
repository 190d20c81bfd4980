//! The closing handshake in all orders, and its deadline (RFC 6455 sections 5.5.1, 7.1 and 7.4).

use core::time::Duration;

use hybi::{CloseCode, Config, Endpoint, Error, Message, Role, State, Version};

use crate::world::{BOTH, Pair, close_frame, connection};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn one_endpoint_begins_and_the_other_answers() {
    for role in BOTH {
        let mut pair = Pair::new();
        pair.seen_by(role).0.close(4001, "enough");
        assert_eq!(pair.seen_by(role).0.state(), State::Closing);
        pair.drive();

        let (own, peer) = pair.seen_by(role);
        assert_eq!((own.state(), peer.state()), (State::Closed, State::Closed), "{role:?}");
        assert_eq!(own.events, [Message::Close(Some(close_frame(4001, "enough")))]);
        assert_eq!(peer.events, [Message::Close(Some(close_frame(4001, "enough")))]);

        assert_eq!(own.status().began_by(), Some(Endpoint::Local));
        assert_eq!(peer.status().began_by(), Some(Endpoint::Peer));
        for status in [own.status(), peer.status()] {
            assert!(status.is_clean());
            assert_eq!(status.code(), CloseCode::from(4001));
            assert_eq!(status.sent(), Some(CloseCode::from(4001)));
        }
        assert_eq!(own.status().reason(), "enough", "the answer repeats the reason");
        assert_eq!(peer.status().reason(), "enough");
        assert!(own.error().is_none() && peer.error().is_none(), "an end in order is no error");
    }
}

#[test]
fn both_begin_at_once() {
    for latency in [Duration::ZERO, SECOND / 10] {
        let mut pair = Pair::new();
        (pair.up.latency, pair.down.latency) = (latency, latency);
        pair.client.close(4001, "client");
        pair.server.close(4002, "server");
        pair.advance(SECOND / 2);
        for (role, code, reason) in [(Role::Client, 4002, "server"), (Role::Server, 4001, "client")]
        {
            let (own, _) = pair.seen_by(role);
            assert_eq!(own.state(), State::Closed, "{role:?}");
            assert_eq!(own.events, [Message::Close(Some(close_frame(code, reason)))]);
            assert_eq!(own.status().began_by(), Some(Endpoint::Local));
            assert_eq!(own.status().code().as_u16(), code);
            assert_eq!(own.status().reason(), reason);
            assert!(own.status().is_clean());
        }
        assert_eq!(pair.down.sent, b"\x88\x08\x0f\xa2server", "one Close frame and no answer");
        assert_eq!(pair.up.sent.len(), 2 + 4 + 8, "one Close frame and no answer");
    }
}

/// An application may close when it is told that the peer did, with a code of its own for an answer.
#[test]
fn who_closes_behind_the_peers_close_frame_did_not_begin() {
    for role in BOTH {
        let mut pair = Pair::new();
        let (own, peer) = pair.seen_by(role);
        own.input(&{
            peer.close(4001, "enough");
            peer.connection.transmit_to_vec()
        });
        own.close(4002, "as you like");
        pair.drive();
        let (own, peer) = pair.seen_by(role);
        assert_eq!(own.status().began_by(), Some(Endpoint::Peer), "{role:?}");
        assert_eq!(own.status().sent(), Some(CloseCode::from(4002)));
        assert_eq!(peer.status().began_by(), Some(Endpoint::Local));
        assert_eq!(peer.events, [Message::Close(Some(close_frame(4002, "as you like")))]);
        assert!(own.status().is_clean() && peer.status().is_clean());
    }
}

#[test]
fn a_close_frame_may_be_empty() {
    for role in BOTH {
        let mut pair = Pair::new();
        pair.seen_by(role).0.queue(Message::Close(None));
        pair.drive();
        for one in BOTH {
            let (own, _) = pair.seen_by(one);
            assert_eq!(own.events, [Message::Close(None)]);
            assert_eq!(own.status().code(), CloseCode::NO_STATUS);
            assert_eq!(own.status().sent(), Some(CloseCode::NO_STATUS));
            assert!(own.status().is_clean());
        }
        assert_eq!(pair.down.sent, b"\x88\x00", "1005 is never on the wire");
    }
}

/// Section 7.1.1: the server ends the transport first, whoever began, so that the client is not
/// left holding the port.
#[test]
fn the_server_ends_the_transport_first() {
    for role in BOTH {
        let mut pair = Pair::new();
        (pair.up.latency, pair.down.latency) = (SECOND / 10, SECOND / 10);
        pair.seen_by(role).0.close(1000, "");
        for _ in 0..20 {
            pair.advance(SECOND / 100);
            assert!(pair.down.has_ended || !pair.up.has_ended, "the client was first");
            if pair.down.has_ended && pair.client.state() != State::Closed {
                assert!(!pair.up.has_ended, "the client waits for the server's end");
                assert!(!pair.client.connection.wants_shutdown());
            }
        }
        pair.advance(SECOND / 2);
        assert!(pair.up.has_ended && pair.down.has_ended);
    }
}

#[test]
fn what_is_under_way_when_the_closing_begins_still_arrives() {
    for role in BOTH {
        let mut pair = Pair::new();
        (pair.up.latency, pair.down.latency) = (SECOND / 10, SECOND / 10);
        let (own, peer) = pair.seen_by(role);
        own.queue("before");
        peer.queue("under way");
        peer.queue(Message::Ping("too".into()));
        own.close(1000, "");
        pair.advance(SECOND);

        let (own, peer) = pair.seen_by(role);
        let close = Message::Close(Some(close_frame(1000, "")));
        let ping = Message::Ping("too".into());
        assert_eq!(own.events, [Message::text("under way"), ping, close.clone()], "{role:?}");
        assert_eq!(peer.events, [Message::text("before"), close], "{role:?}");
    }
}

#[test]
fn nothing_can_be_queued_once_the_closing_began() {
    for role in BOTH {
        let mut pair = Pair::new();
        pair.seen_by(role).0.close(1000, "");
        pair.wire_from(role).latency = SECOND;
        pair.drive();
        let refused = |own: &mut crate::world::Endpoint| {
            for message in
                [Message::text("late"), Message::Ping("late".into()), Message::Close(None)]
            {
                let error = own.connection.queue(message.clone()).expect_err("closing");
                assert!(matches!(error.error(), Error::Closed), "{error}");
                assert_eq!(error.into_message(), Some(message));
            }
        };
        refused(pair.seen_by(role).0);
        let len = pair.wire_from(role).sent.len();
        pair.advance(SECOND * 2);
        assert_eq!(pair.wire_from(role).sent.len(), len, "{role:?}: nothing follows a Close frame");
        let (own, peer) = pair.seen_by(role);
        assert_eq!((own.state(), peer.state()), (State::Closed, State::Closed));
        refused(own);
        refused(peer);
    }
}

#[test]
fn codes_that_may_not_be_sent_come_back_and_the_connection_stays_open() {
    let mut server = connection(Role::Server, Version::RFC6455, Config::default());
    let close = Message::Close(Some(close_frame(1010, "extensions")));
    let error = server.queue(close.clone()).expect_err("1010 is the client's");
    assert!(matches!(error.error(), Error::CloseFrame(_)), "{error}");
    assert_eq!(error.into_message(), Some(close.clone()));
    assert_eq!(server.state(), State::Open);
    assert_eq!(server.queued_bytes(), 0);

    let mut client = connection(Role::Client, Version::RFC6455, Config::default());
    client.queue(close).expect("the client may say so");
    let mut old = connection(Role::Client, Version::HYBI_08, Config::default());
    let unknown = Message::Close(Some(close_frame(1011, "")));
    old.queue(unknown).expect_err("hybi-08 has no 1011");
    assert_eq!(old.state(), State::Open);
}

#[test]
fn a_peer_that_never_answers_is_dropped_at_the_close_deadline() {
    for role in BOTH {
        let mut pair = Pair::with(Config::default().close_timeout(SECOND * 3));
        pair.wire_from(role.peer()).latency = SECOND * 60;
        pair.seen_by(role).0.close(1001, "");
        pair.advance(SECOND * 3 - Duration::from_millis(1));
        assert_eq!(pair.seen_by(role).0.state(), State::Closing, "{role:?}");
        pair.advance(Duration::from_millis(1));
        let (own, _) = pair.seen_by(role);
        assert_eq!(own.state(), State::Closed, "{role:?}");
        assert_eq!(own.status().code(), CloseCode::ABNORMAL);
        assert_eq!(own.status().sent(), Some(CloseCode::GOING_AWAY));
        assert!(!own.status().is_clean());
        assert_eq!(own.error().as_deref(), Some("the peer did not answer the Close frame in time"));
        assert_eq!(own.connection.poll_timeout(|| panic!("the clock is asked")), None);
    }
}

/// What was queued before the peer's Close frame has as long to leave as the end of a connection may
/// take in all; only then does the moment begin that is left for the peer's end of the transport.
#[test]
fn a_slow_reader_that_closes_gets_what_was_queued() {
    let mut pair = Pair::new();
    let now = pair.now;
    let (own, peer) = pair.seen_by(Role::Server);
    own.queue("queued before");
    peer.close(1000, "");
    let close = peer.connection.transmit_to_vec();
    own.input(&close);
    let answered = own.connection.poll_transmit(&mut [std::io::IoSlice::new(&[])]);
    assert_eq!(answered, 1, "what was queued, and the answer behind it");
    assert_eq!(own.deadline(now), Some(now + SECOND * 30));
    own.connection.handle_timeout(now + SECOND * 29);
    assert!(own.connection.transmit_to_vec().ends_with(b"\x88\x02\x03\xe8"));
    assert!(own.connection.wants_shutdown());
    own.connection.shutdown_done();
    let now = now + SECOND * 29;
    assert_eq!(own.deadline(now), Some(now + SECOND));
    own.connection.handle_timeout(now + SECOND);
    assert_eq!((own.state(), own.error()), (State::Closed, None));
    assert!(own.status().is_clean());
}

/// The endpoint that answered holds on for a moment only: a server for the drain time, a client
/// until the close deadline.
#[test]
fn a_peer_that_never_ends_the_transport_is_dropped() {
    for (role, limit) in [(Role::Server, SECOND), (Role::Client, SECOND * 5)] {
        let mut pair = Pair::new();
        pair.seen_by(role).1.close(1000, "");
        let close = pair.seen_by(role).1.connection.transmit_to_vec();
        let (own, _) = pair.seen_by(role);
        own.input(&close);
        assert_eq!(own.state(), State::Closing);
        assert!(!own.connection.transmit_to_vec().is_empty(), "the answer");
        assert_eq!(own.connection.wants_shutdown(), role == Role::Server);
        if role == Role::Server {
            own.connection.shutdown_done();
        }
        let now = pair.now;
        let (own, _) = pair.seen_by(role);
        assert_eq!(own.deadline(now), Some(now + limit), "{role:?}");
        own.connection.handle_timeout(now + limit);
        if role == Role::Client {
            assert!(own.connection.wants_shutdown(), "it waits for its server no longer");
            own.connection.shutdown_done();
        }
        assert_eq!(own.state(), State::Closed);
        assert!(own.status().is_clean(), "both Close frames were exchanged");
    }
}

/// A peer that ends its half right behind its Close frame still gets everything that was queued.
#[test]
fn a_half_closed_transport_still_takes_the_answer() {
    for role in BOTH {
        let mut pair = Pair::new();
        pair.wire_from(role).room = 3;
        let (own, peer) = pair.seen_by(role);
        own.queue("queued before");
        peer.close(1000, "");
        let now = pair.now;
        let close = pair.seen_by(role).1.connection.transmit_to_vec();
        pair.drive();
        let (own, _) = pair.seen_by(role);
        own.input(&close);
        own.connection.handle_eof();
        pair.drive();
        assert_eq!(pair.seen_by(role).0.state(), State::Closing, "{role:?}: bytes are to be sent");
        pair.wire_from(role).room = usize::MAX;
        assert_eq!(pair.now, now);
        pair.drive();
        let (own, peer) = pair.seen_by(role);
        assert_eq!(own.state(), State::Closed);
        assert!(own.status().is_clean());
        let close = Message::Close(Some(close_frame(1000, "")));
        assert_eq!(peer.events, [Message::text("queued before"), close]);
    }
}

/// Bytes that were accepted and never left make the end unclean, and an error where nobody else
/// told the application.
#[test]
fn an_end_with_bytes_unsent_is_not_clean() {
    for role in BOTH {
        let mut pair = Pair::with(Config::default().end_timeout(SECOND * 2));
        pair.wire_from(role).room = 0;
        let (own, _) = pair.seen_by(role);
        own.queue("stuck");
        own.close(1000, "");
        pair.advance(SECOND * 2);
        let (own, _) = pair.seen_by(role);
        assert_eq!(own.state(), State::Closed, "{role:?}");
        assert!(!own.status().is_clean());
        assert_eq!(own.connection.queued_bytes(), 0, "nothing will be sent any more");
        let error = own.connection.error().expect("a message was lost");
        assert!(error.is_timeout(), "{error}");
    }
}
