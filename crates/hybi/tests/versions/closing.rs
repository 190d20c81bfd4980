//! How each version ends: who began, what is said, and what crosses on the way (RFC 6455 section 7, and
//! what came before it).

use core::time::Duration;
use std::time::Instant;

use hybi::{
    CloseCode, CloseFrame, Config, Connection, Endpoint, Error, Message, Role, State, Version,
};

use crate::world::{connection, input, old};

fn pair(version: Version) -> (Connection, Connection) {
    let of = |role| connection(role, version, Config::default());
    (of(Role::Client), of(Role::Server))
}

/// Moves bytes and ends of the transport until both are closed.
fn run_to_the_end(one: &mut Connection, other: &mut Connection) {
    let mut ended = [false; 2];
    for _ in 0..10 {
        for (turn, ended) in ended.iter_mut().enumerate() {
            let (from, to) =
                if turn == 0 { (&mut *one, &mut *other) } else { (&mut *other, &mut *one) };
            let wire = from.transmit_to_vec();
            if !wire.is_empty() && to.state() != State::Closed {
                input(to, &wire);
            }
            if from.wants_shutdown() {
                from.shutdown_done();
                *ended = true;
                to.handle_eof();
            }
            if from.state() == State::Closed && !*ended {
                *ended = true;
                to.handle_eof();
            }
        }
    }
    assert_eq!((one.state(), other.state()), (State::Closed, State::Closed));
}

#[test]
fn either_end_may_begin_and_both_end_in_order() {
    for version in old() {
        for began in [Role::Client, Role::Server] {
            let (mut client, mut server) = pair(version);
            let (own, peer) = match began {
                Role::Client => (&mut client, &mut server),
                Role::Server => (&mut server, &mut client),
            };
            own.queue("last words").expect("open");
            own.queue(Message::Close(None)).expect("open");
            run_to_the_end(own, peer);
            for (end, who) in [(&*own, Endpoint::Local), (&*peer, Endpoint::Peer)] {
                let what = format!("{version:?}, {began:?} began, {who:?}");
                let status = end.close_status().expect("it ended");
                assert!(end.error().is_none() && status.is_clean(), "{what}: {end:?}");
                assert_eq!(status.code(), CloseCode::NO_STATUS, "{what}");
                assert_eq!(status.began_by(), Some(who), "{what}");
            }
        }
    }
}

#[test]
fn both_may_begin_at_once() {
    for version in old() {
        let (mut client, mut server) = pair(version);
        client.queue(Message::Close(None)).expect("open");
        server.queue(Message::Close(None)).expect("open");
        let (up, down) = (client.transmit_to_vec(), server.transmit_to_vec());
        input(&mut server, &up);
        input(&mut client, &down);
        run_to_the_end(&mut client, &mut server);
        for end in [&client, &server] {
            assert!(end.close_status().is_some_and(|status| status.is_clean()), "{version:?}");
            assert!(end.error().is_none(), "{version:?}");
        }
    }
}

/// hybi-03 and 04: an answer has the payload of what it answers.
#[test]
fn a_close_frame_that_crosses_ours_is_answered_and_ours_goes_on_waiting() {
    for (version, close, answer) in [
        (Version::HYBI_03, &b"\x01\x03xyz"[..], &b"\x01\0"[..]),
        (Version::HYBI_04, b"\x81\x03xyz", b"\x81\0"),
    ] {
        let mut client = connection(Role::Client, version, Config::default());
        client.queue(Message::Close(None)).expect("open");
        let ours = client.transmit_to_vec();
        assert_eq!(input(&mut client, close), [Message::Close(None)], "{version:?}");
        let answered = client.transmit_to_vec();
        if version == Version::HYBI_03 {
            assert_eq!((&ours[..], &answered[..]), (&b"\x01\0"[..], close));
        }
        let mut server = connection(Role::Server, version, Config::default());
        assert_eq!(input(&mut server, &ours), [Message::Close(None)]);
        assert!(!client.wants_shutdown() && client.is_receiving(), "{version:?}");
        // Behind the peer's Close frame nothing counts but the answer to ours.
        let (text, ping): (&[u8], &[u8]) = match version {
            Version::HYBI_03 => (b"\x04\x04late", b"\x02\0"),
            _ => (b"\x84\x04late", b"\x82\0"),
        };
        assert_eq!(input(&mut client, &[text, ping, answer].concat()), []);
        assert_eq!(client.transmit_to_vec(), b"");
        assert!(!client.is_receiving(), "{version:?}");
        client.handle_eof();
        let status = client.close_status().expect("it ended");
        assert!(status.is_clean(), "{version:?}");
        assert_eq!(status.began_by(), Some(Endpoint::Local));
    }
}

/// Both Close frames were seen, whatever became of the answers.
#[test]
fn a_transport_that_ends_after_close_frames_crossed_is_no_loss() {
    let mut client = connection(Role::Client, Version::HYBI_03, Config::default());
    client.queue(Message::Close(None)).expect("open");
    input(&mut client, b"\x01\x03xyz");
    assert_eq!(client.transmit_to_vec(), b"\x01\0\x01\x03xyz");
    client.handle_eof();
    assert!(client.wants_shutdown());
    client.shutdown_done();
    assert_eq!(client.state(), State::Closed);
    assert!(client.error().is_none() && client.close_status().is_some_and(|end| end.is_clean()));
}

#[test]
fn what_hixie_75_could_not_send_any_more_is_an_error() {
    let mut own = connection(Role::Server, Version::HIXIE_75, Config::default());
    own.queue("unsent").expect("open");
    own.handle_eof();
    own.handle_write_error(std::io::ErrorKind::BrokenPipe.into());
    assert!(matches!(own.error(), Some(Error::Transport(_))), "{own:?}");
    let status = own.close_status().expect("it ended");
    assert!(!status.is_clean());
    assert_eq!((status.code(), status.sent()), (CloseCode::ABNORMAL, None));
}

/// Whoever closes a socket with unread bytes in it resets it.
#[test]
fn a_reset_after_our_end_of_hixie_75_is_no_error() {
    let mut own = connection(Role::Client, Version::HIXIE_75, Config::default());
    own.queue(Message::Close(None)).expect("open");
    own.shutdown_done();
    own.handle_transport_error(std::io::ErrorKind::ConnectionReset.into());
    assert!(own.error().is_none() && own.close_status().is_some_and(|end| end.is_clean()));
    assert_eq!(own.state(), State::Closed);

    let mut own = connection(Role::Client, Version::HIXIE_75, Config::default());
    own.queue(Message::Close(None)).expect("open");
    own.shutdown_done();
    input(&mut own, b"\0cut of");
    own.handle_transport_error(std::io::ErrorKind::ConnectionReset.into());
    assert!(matches!(own.error(), Some(Error::Transport(_))));
}

#[test]
fn a_blocked_transport_of_hixie_75_ends_as_one_that_cannot_be_written_to() {
    let mut own = connection(Role::Client, Version::HIXIE_75, Config::default());
    own.queue("unread").expect("open");
    own.queue(Message::Close(None)).expect("open");
    own.transmit_blocked();
    let now = Instant::now();
    let deadline = own.poll_timeout(|| now).expect("a deadline");
    own.handle_timeout(deadline);
    assert!(matches!(own.error(), Some(Error::Timeout(hybi::Deadline::Write))), "{own:?}");
}

/// Only FF is a close; what has another type or a length is skipped.
#[test]
fn other_frames_of_length_zero_do_not_close_hixie_76() {
    let mut own = connection(Role::Server, Version::HIXIE_76, Config::default());
    for skipped in [&b"\x80\0"[..], b"\xfe\0", b"\xff\x01x"] {
        assert_eq!(input(&mut own, skipped), []);
        assert_eq!(own.state(), State::Open, "{skipped:x?}");
    }
    assert_eq!(input(&mut own, b"\xff\0"), [Message::Close(None)]);
}

/// Another Close frame that is no answer either ends it: nobody closes three times.
#[test]
fn a_peer_cannot_keep_a_closing_connection_by_closing_on_and_on() {
    let mut client = connection(Role::Client, Version::HYBI_03, Config::default());
    client.queue(Message::Close(None)).expect("open");
    input(&mut client, b"\x01\x01a\x01\x01b\x01\x01c");
    assert!(!client.is_receiving());
    assert_eq!(client.transmit_to_vec(), b"\x01\0\x01\x01a");
}

#[test]
fn a_close_frame_is_answered_as_its_version_has_it() {
    for (version, close, answer) in [
        (Version::HIXIE_76, &b"\xff\0"[..], &b"\xff\0"[..]),
        (Version::HYBI_01, b"\x01\x03xyz", b"\x01\0"),
        (Version::HYBI_03, b"\x01\x03xyz", b"\x01\x03xyz"),
        (Version::HYBI_05, b"\0\0\0\0\x81\x01C", b"\x81\x01S"),
        (Version::HYBI_05, b"\0\0\0\0\x81\x04S or", b"\x81\x01S"),
        (Version::HYBI_06, b"\0\0\0\0\x81\0", b"\x81\0"),
        (Version::HYBI_06, b"\0\0\0\0\x81\x05\x03\xe9bye", b"\x81\x05\x03\xe9bye"),
        (Version::HYBI_06, b"\0\0\0\0\x81\x05\x03\xe9b\xffe", b"\x81\x03\x03\xe9b"),
        (Version::HYBI_06, b"\0\0\0\0\x81\x02\x0b\xb8", b"\x81\x02\x0b\xb8"),
        (Version::HYBI_07, b"\x88\x85\0\0\0\0\x03\xe9bye", b"\x88\x05\x03\xe9bye"),
        (Version::HYBI_07, b"\x88\x84\0\0\0\0\x03\xe9\xffe", b"\x88\x02\x03\xe9"),
        (Version::HYBI_08, b"\x88\x85\0\0\0\0\x03\xe9bye", b"\x88\x05\x03\xe9bye"),
        (Version::RFC6455, b"\x88\x85\0\0\0\0\x03\xe9bye", b"\x88\x05\x03\xe9bye"),
        (Version::RFC6455, b"\x88\x80\0\0\0\0", b"\x88\0"),
    ] {
        let mut server = connection(Role::Server, version, Config::default());
        input(&mut server, close);
        assert_eq!(server.transmit_to_vec(), answer, "{version:?} {close:x?}");
        assert!(server.wants_shutdown());
        assert!(server.error().is_none(), "{version:?}");
    }
}

/// Nothing but the end of the transport closes hixie-75, and between two messages it is no error.
#[test]
fn hixie_75_ends_in_order_between_messages_and_is_lost_inside_one() {
    for role in [Role::Client, Role::Server] {
        for (bytes, in_order) in [
            (&b""[..], true),
            (b"\0whole\xff", true),
            (b"\xff\0", true),
            (b"\0whole\xff\0ha", false),
            (b"\x80", false),
            (b"\x80\x05ab", false),
        ] {
            let mut own = connection(role, Version::HIXIE_75, Config::default());
            input(&mut own, bytes);
            own.queue("on its way").expect("open");
            own.handle_eof();
            let what = format!("{role:?} {bytes:x?}");
            if in_order {
                assert_eq!(own.transmit_to_vec(), b"\0on its way\xff", "{what}");
                assert!(own.wants_shutdown(), "{what}");
                own.shutdown_done();
                assert!(own.error().is_none(), "{what}");
                assert_eq!(own.close_status().map(|end| end.is_clean()), Some(true), "{what}");
                assert_eq!(own.close_status().map(|end| end.code()), Some(CloseCode::NO_STATUS));
            } else {
                assert!(matches!(own.error(), Some(Error::Lost)), "{what}: {:?}", own.error());
                assert_eq!(own.close_status().map(|end| end.code()), Some(CloseCode::ABNORMAL));
            }
            assert_eq!(own.state(), State::Closed, "{what}");
        }
    }
}

/// Its end of the transport is all that a peer sees of our close, and until then it may send.
#[test]
fn messages_that_cross_our_end_of_hixie_75_still_arrive() {
    for role in [Role::Client, Role::Server] {
        let mut own = connection(role, Version::HIXIE_75, Config::default());
        own.queue("goodbye").expect("open");
        own.queue(Message::Close(None)).expect("open");
        assert_eq!(own.transmit_to_vec(), b"\0goodbye\xff");
        assert_eq!(input(&mut own, b"\0early\xff"), [Message::text("early")]);
        assert!(own.wants_shutdown());
        own.shutdown_done();
        assert_eq!(input(&mut own, b"\0late\xff"), [Message::text("late")]);
        assert_eq!(own.state(), State::Closing);
        own.handle_eof();
        assert_eq!(own.state(), State::Closed);
        let status = own.close_status().expect("it ended");
        assert!(own.error().is_none() && status.is_clean(), "{role:?}: {own:?}");
        assert_eq!(status.began_by(), Some(Endpoint::Local));
    }
}

#[test]
fn a_transport_that_ends_inside_a_message_is_lost_also_after_our_end_of_hixie_75() {
    let mut own = connection(Role::Client, Version::HIXIE_75, Config::default());
    own.queue(Message::Close(None)).expect("open");
    own.shutdown_done();
    input(&mut own, b"\0cut of");
    own.handle_eof();
    assert!(matches!(own.error(), Some(Error::Lost)));
    let status = own.close_status().expect("it ended");
    assert!(!status.is_clean());
    assert_eq!(status.code(), CloseCode::ABNORMAL);
}

#[test]
fn other_versions_are_lost_when_the_transport_ends_without_a_close_frame() {
    for version in old().filter(|version| *version != Version::HIXIE_75) {
        let mut own = connection(Role::Server, version, Config::default());
        own.handle_eof();
        assert!(matches!(own.error(), Some(Error::Lost)), "{version:?}");
    }
}

#[test]
fn a_peer_that_never_answers_ours_is_waited_for_no_longer_than_the_close_timeout() {
    for version in old() {
        let mut own = connection(
            Role::Client,
            version,
            Config::default().close_timeout(Duration::from_secs(3)),
        );
        own.queue(Message::Close(None)).expect("open");
        let _ = own.transmit_to_vec();
        if own.wants_shutdown() {
            own.shutdown_done();
        }
        let now = Instant::now();
        let deadline = own.poll_timeout(|| now).expect("a deadline");
        assert!(deadline <= now + Duration::from_secs(3), "{version:?}");
        own.handle_timeout(deadline);
        assert_eq!(own.state(), State::Closed, "{version:?}");
        let clean = own.close_status().is_some_and(|status| status.is_clean());
        assert_eq!(clean, version == Version::HIXIE_75, "{version:?}");
    }
}

#[test]
fn codes_and_reasons_travel_from_hybi_06_on() {
    let frame = CloseFrame::new(CloseCode::GOING_AWAY, "restarting").expect("a code");
    let (mut client, mut server) = pair(Version::HYBI_06);
    server.queue(Message::Close(Some(frame.clone()))).expect("open");
    run_to_the_end(&mut server, &mut client);
    let status = client.close_status().expect("it ended");
    assert_eq!((status.code(), status.reason()), (CloseCode::GOING_AWAY, "restarting"));
    assert_eq!(server.close_status().map(|end| end.code()), Some(CloseCode::GOING_AWAY));
}

/// Over TLS, the end of hixie-75 that nobody announced may be an attacker's: it is no orderly one.
#[test]
fn hixie_75_is_not_ended_in_order_by_an_end_without_goodbye() {
    for role in [Role::Client, Role::Server] {
        let mut own = connection(role, Version::HIXIE_75, Config::default());
        own.handle_transport_error(std::io::ErrorKind::UnexpectedEof.into());
        assert!(matches!(own.error(), Some(Error::Lost)), "{role:?}: {own:?}");
        let clean = own.close_status().map(|end| end.is_clean());
        assert_eq!(clean, Some(false));
    }
}

/// Our own Close frame left, whatever becomes of the answer to the one that crossed it.
#[test]
fn an_answer_that_cannot_leave_does_not_undo_our_close_frame() {
    let mut client = connection(Role::Client, Version::HYBI_03, Config::default());
    client.queue(Message::Close(None)).expect("open");
    assert_eq!(client.transmit_to_vec(), b"\x01\0");
    input(&mut client, b"\x01\x03xyz");
    client.handle_write_error(std::io::ErrorKind::BrokenPipe.into());
    client.handle_eof();
    let status = client.close_status().expect("it ended");
    assert_eq!(status.sent(), Some(CloseCode::NO_STATUS));
    assert_eq!(status.began_by(), Some(Endpoint::Local));
}

/// However it turns out, an end of the transport that was made is not to be made again.
#[test]
fn the_transport_of_hixie_75_is_ended_once() {
    let mut own = connection(Role::Server, Version::HIXIE_75, Config::default());
    own.queue(Message::Close(None)).expect("open");
    assert!(own.wants_shutdown());
    own.shutdown_done();
    input(&mut own, b"\0cut of");
    own.handle_eof();
    assert!(matches!(own.error(), Some(Error::Lost)));
    assert!(!own.wants_shutdown());
    assert_eq!(own.state(), State::Closed);
}
