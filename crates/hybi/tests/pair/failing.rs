//! Failing the connection: the peer is told once, input is discarded within bounds, and the error
//! stays (RFC 6455 section 7.1.7).

use core::time::Duration;
use std::io;

use hybi::{
    CloseCode, CloseFrame, Config, Connection, Endpoint, Error, Message, Role, State, Version,
    bytes::Bytes,
};

use crate::world::{BOTH, Pair, connection, discard};

/// Each role's peer breaks a rule: what it sends, and the code of the answer.
fn violations(role: Role) -> Vec<(Vec<u8>, u16)> {
    let masked = role == Role::Server;
    let frame = |first: u8, payload: &[u8]| {
        let mut frame = vec![first, payload.len() as u8 | if masked { 0x80 } else { 0 }];
        frame.extend(masked.then_some([0; 4]).into_iter().flatten());
        frame.extend(payload);
        frame
    };
    vec![
        (frame(0x83, b""), 1002),             // a reserved opcode
        (frame(0xc1, b""), 1002),             // a reserved bit
        (frame(0x80, b""), 1002),             // a Continuation of nothing
        (frame(0x09, b""), 1002),             // a fragmented Ping
        (frame(0x88, b"\x03"), 1002),         // half a close code
        (frame(0x88, b"\x03\xed"), 1002),     // 1005 on the wire
        (frame(0x88, b"\x03\xe8\xff"), 1007), // a reason that is not UTF-8
        (frame(0x81, b"\xc3("), 1007),        // text that is not UTF-8
        (frame(0x82, &[0; 101]), 1009),       // too long for the limit
        (vec![0x81, if masked { 0 } else { 0x80 }, 0, 0, 0, 0], 1002), // the wrong masking
    ]
}

fn small() -> Config {
    Config::default().max_message(100)
}

fn failed(role: Role) -> Connection {
    let mut own = connection(role, Version::RFC6455, small());
    discard(&mut own, &[0x83, 0x80]);
    own
}

/// Code and reason of the one Close frame in `wire`, which holds nothing else.
fn close(role: Role, wire: &[u8]) -> (u16, String) {
    let (header, key) = match role {
        Role::Server => (2, [0; 4]),
        Role::Client => (6, [wire[2], wire[3], wire[4], wire[5]]),
    };
    assert_eq!(wire[0], 0x88);
    let len = usize::from(wire[1] & 0x7f);
    assert_eq!(wire.len(), header + len, "one Close frame: {wire:02x?}");
    let payload = wire[header..].iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key);
    let mut code: Vec<u8> = payload.collect();
    let reason = code.split_off(2);
    (u16::from_be_bytes([code[0], code[1]]), String::from_utf8(reason).expect("text"))
}

/// What is told with 1009 about [`small`].
const ABOVE: &str = "frame of 101 bytes is above the limit of 100";

/// A limit is named in the reason; a broken rule is the code's own matter.
#[test]
fn a_close_for_a_limit_names_it() {
    let config = Config::default().max_message(100).max_frame(60).max_fragments(2);
    let inputs: [(&[u8], _); 3] = [
        (b"\x82\x3d", "frame of 61 bytes is above the limit of 60"),
        (b"\x02\0\0\0\0\0\0\0", "message goes on with more than 2 fragments"),
        (
            &[&[2, 60][..], &[0; 60], &[0x80, 41]].concat(),
            "message of at least 101 bytes is above the limit of 100",
        ),
    ];
    for (version, code) in
        [(Version::RFC6455, 1009), (Version::HYBI_08, 1004), (Version::HYBI_07, 1004)]
    {
        for (input, reason) in inputs {
            let mut client = connection(Role::Client, version, config.clone());
            let mut chunk = input.to_vec();
            let mut at = 0;
            while at < chunk.len() {
                at += client.handle_input(&mut chunk[at..]).0;
            }
            let told = close(Role::Client, &client.transmit_to_vec());
            assert_eq!(told, (code, reason.to_owned()), "{version:?}");
            let error = client.error().expect("failed");
            assert_eq!(error.close_reason().as_deref(), Some(reason));
        }
    }
    // The largest numbers there are leave it within a Close frame.
    for role in BOTH {
        let mask = if role == Role::Server { 0x80 } else { 0 };
        let config = Config::default().max_message(usize::MAX / 2).max_frame(u64::MAX >> 2);
        let mut own = connection(role, Version::RFC6455, config);
        discard(
            &mut own,
            &[0x82, 0x7f | mask, 0x7f, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0],
        );
        let (code, reason) = close(role, &own.transmit_to_vec());
        assert!(code == 1009 && reason.len() <= CloseFrame::MAX_REASON, "{reason}");
        assert!(reason.starts_with("frame of 9223372036854775807 bytes"), "{reason}");
    }
}

#[test]
fn a_violation_is_answered_with_its_code_and_the_end() {
    for role in BOTH {
        for (input, code) in violations(role) {
            let mut own = connection(role, Version::RFC6455, small());
            let mut chunk = [&input[..], b"whatever follows"].concat();
            let mut at = 0;
            while at < chunk.len() {
                let (consumed, event) = own.handle_input(&mut chunk[at..]);
                assert!(event.is_none(), "{role:?} {input:02x?}: {event:?}");
                at += consumed;
            }
            assert_eq!(own.state(), State::Closing, "{role:?} {input:02x?}");
            assert!(!own.is_receiving());
            let error = own.error().expect("an error").clone();
            assert!(matches!(error, Error::Protocol(_)), "{error}");
            assert_eq!(error.close_code(), Some(CloseCode::from(code)), "{error}");

            assert!(!own.wants_shutdown(), "the Close frame goes first");
            let reason = if code == 1009 { ABOVE } else { "" };
            let told = close(role, &own.transmit_to_vec());
            assert_eq!(told, (code, reason.to_owned()), "{role:?} {input:02x?}");
            assert!(own.wants_shutdown(), "after a failure either role ends the transport");
            own.shutdown_done();
            assert_eq!(own.state(), State::Closing, "input is still drained");
            own.handle_eof();
            assert_eq!(own.state(), State::Closed);

            let status = own.close_status().expect("a status");
            assert_eq!(status.sent(), Some(CloseCode::from(code)));
            assert_eq!(status.code(), CloseCode::ABNORMAL);
            assert_eq!(status.began_by(), Some(Endpoint::Local));
            assert!(!status.is_clean());
        }
    }
}

/// The peer sees the code and an orderly end, whatever it still sends.
#[test]
fn the_peer_is_told_over_the_link() {
    for role in BOTH {
        let mut pair = Pair::new();
        let (now, junk) = (pair.now, [0x83, 0x80, 0, 0, 0, 0]);
        let wire = pair.wire_from(role.peer());
        wire.latency = Duration::from_millis(50);
        pair.seen_by(role).0.input(&junk);
        pair.seen_by(role).1.queue("sent before it could know");
        assert_eq!(pair.now, now);
        pair.run_to_the_end();
        let (own, peer) = pair.seen_by(role);
        assert!(own.events.is_empty(), "{role:?}: input after a failure is discarded");
        assert_eq!(peer.status().code(), CloseCode::PROTOCOL_ERROR);
        assert!(peer.status().is_clean() && peer.error().is_none(), "it answered in order");
    }
}

#[test]
fn events_before_the_violation_are_delivered() {
    let mut pair = Pair::new();
    pair.client.queue("good");
    let mut wire = pair.client.connection.transmit_to_vec();
    wire.extend(b"\x83\x80\0\0\0\0");
    pair.server.input(&wire);
    assert_eq!(pair.server.events, [Message::text("good")]);
    let told = close(Role::Server, &pair.server.connection.transmit_to_vec());
    assert_eq!(told, (1002, String::new()));
}

#[test]
fn errors_are_sticky() {
    for role in BOTH {
        let mut own = failed(role);
        let first = own.error().expect("an error").to_string();
        let sent = own.transmit_to_vec();
        assert_eq!(close(role, &sent), (1002, String::new()));
        let same = |own: &Connection, after: &str| {
            assert_eq!(own.error().expect("an error").to_string(), first, "after {after}");
        };
        for (input, _) in violations(role) {
            discard(&mut own, &input);
        }
        same(&own, "more violations");
        let refused = own.queue(Message::text("late")).expect_err("failed");
        assert_eq!(refused.error().to_string(), first);
        assert_eq!(refused.into_message(), Some(Message::text("late")));
        assert!(own.direct_buffer().is_none());
        own.handle_transport_error(io::ErrorKind::ConnectionReset.into());
        same(&own, "a transport error");
        own.handle_eof();
        same(&own, "the end of input");
        own.handle_timeout(std::time::Instant::now() + Duration::from_secs(3_600));
        same(&own, "every deadline");
        assert!(own.transmit_to_vec().is_empty(), "{role:?}: the peer is told once");
    }
}

#[test]
fn a_second_close_frame_is_never_sent() {
    for role in BOTH {
        let mut own = connection(role, Version::RFC6455, small());
        own.queue(Message::Close(None)).expect("open");
        let _ = own.transmit_to_vec();
        discard(&mut own, &[0x83, 0x80]);
        assert!(matches!(own.error(), Some(Error::Protocol(_))));
        assert!(own.transmit_to_vec().is_empty(), "{role:?}");
        assert!(own.wants_shutdown());
        assert_eq!(own.close_status().and_then(|status| status.sent()), Some(CloseCode::NO_STATUS));
    }
}

/// Reading on prevents a reset that overtakes the Close frame; a bound prevents that the peer
/// decides when the connection ends.
#[test]
fn a_mebibyte_is_discarded_and_no_more() {
    const CHUNK: usize = 64 * 1024;
    for role in BOTH {
        let mut own = failed(role);
        let _ = own.transmit_to_vec();
        own.shutdown_done();
        for _ in 0..16 {
            discard(&mut own, &[0x82; CHUNK]);
            assert_eq!(own.state(), State::Closing, "{role:?}: within the bound");
        }
        discard(&mut own, &[0x82]);
        assert_eq!(own.state(), State::Closed, "{role:?}: one byte beyond it");
    }
}

#[test]
fn a_second_is_waited_and_no_more() {
    for role in BOTH {
        let mut own = failed(role);
        let _ = own.transmit_to_vec();
        own.shutdown_done();
        let now = std::time::Instant::now();
        let end = now + Duration::from_secs(1);
        assert_eq!(own.poll_timeout(|| now), Some(end), "{role:?}");
        own.handle_timeout(end - Duration::from_millis(1));
        assert_eq!(own.state(), State::Closing);
        own.handle_timeout(end);
        assert_eq!(own.state(), State::Closed);
    }
}

#[test]
fn a_transport_that_fails_is_an_error_unless_the_outcome_was_settled() {
    for role in BOTH {
        let mut pair = Pair::new();
        let (own, _) = pair.seen_by(role);
        own.queue("lost");
        own.connection.handle_transport_error(io::ErrorKind::ConnectionReset.into());
        assert!(matches!(own.connection.error(), Some(Error::Transport(_))));
        assert_eq!((own.state(), own.connection.queued_bytes()), (State::Closed, 0));

        let mut pair = Pair::new();
        let (own, peer) = pair.seen_by(role);
        peer.close(1000, "bye");
        let close = peer.connection.transmit_to_vec();
        own.input(&close);
        let _ = own.connection.transmit_to_vec();
        own.connection.handle_transport_error(io::ErrorKind::ConnectionReset.into());
        assert!(own.connection.error().is_none(), "{role:?}: both Close frames were exchanged");
        assert_eq!(own.state(), State::Closed);
        assert!(own.status().is_clean());
    }
}

#[test]
fn the_end_of_input_without_a_close_frame_is_a_loss() {
    for role in BOTH {
        for closing in [false, true] {
            let mut pair = Pair::new();
            let (own, _) = pair.seen_by(role);
            if closing {
                own.close(1000, "");
            }
            own.connection.handle_eof();
            assert!(matches!(own.connection.error(), Some(Error::Lost)), "{role:?} {closing}");
            assert_eq!(own.state(), State::Closed);
            assert_eq!(own.status().code(), CloseCode::ABNORMAL);
            assert!(!own.status().is_clean());
        }
    }
}

/// A peer that gave up on us said why before it stopped reading: a write that fails is no reason
/// not to listen.
#[test]
fn the_last_words_of_a_peer_that_reads_no_more_are_heard() {
    for role in BOTH {
        let mut pair = Pair::new();
        let (own, peer) = pair.seen_by(role);
        own.queue("too much for it");
        peer.queue("an answer");
        peer.connection.queue(Message::Ping(Bytes::from_static(b"?"))).expect("open");
        peer.close(1009, "");
        let last_words = peer.connection.transmit_to_vec();
        own.close(1000, "not before the rest");
        own.connection.handle_write_error(io::ErrorKind::BrokenPipe.into());
        assert_eq!((own.state(), own.error()), (State::Closing, None));
        let refused = own.connection.queue(Message::from("more")).expect_err("nothing can leave");
        assert!(matches!(refused.error(), Error::Transport(_)), "{refused}");
        assert_eq!(refused.into_message(), Some(Message::from("more")));
        own.input(&last_words);
        assert_eq!(own.events[0], Message::from("an answer"));
        assert_eq!(own.connection.transmit_to_vec(), b"", "and nothing was even tried to be sent");
        assert_eq!((own.state(), own.error()), (State::Closed, None));
        assert_eq!(own.status().code(), CloseCode::MESSAGE_TOO_BIG);
        assert_eq!((own.status().began_by(), own.status().sent()), (Some(Endpoint::Peer), None));
        assert!(!own.status().is_clean());
    }
}

#[test]
fn without_last_words_the_failed_write_is_the_error() {
    for role in BOTH {
        for ends in [true, false] {
            let mut pair = Pair::new();
            let now = pair.now;
            let (own, _) = pair.seen_by(role);
            own.connection.handle_write_error(io::ErrorKind::BrokenPipe.into());
            if ends {
                own.connection.handle_eof();
            } else {
                let deadline = own.deadline(now).expect("a bound on listening");
                assert!(deadline <= now + Duration::from_secs(1));
                own.connection.handle_timeout(deadline);
            }
            assert_eq!(own.state(), State::Closed);
            assert!(matches!(own.connection.error(), Some(Error::Transport(_))), "{role:?}");
            assert_eq!(own.status().code(), CloseCode::ABNORMAL);
        }
    }
}

/// Behind our Close frame, Pings are still answered: an answer that does not leave takes nothing back.
#[test]
fn an_answer_that_cannot_leave_does_not_undo_our_close_frame() {
    for role in BOTH {
        let mut pair = Pair::new();
        let (own, peer) = pair.seen_by(role);
        own.close(4001, "enough");
        let _ = own.connection.transmit_to_vec();
        peer.connection.queue(Message::Ping(Bytes::from_static(b"?"))).expect("open");
        peer.close(4002, "me too");
        let wire = peer.connection.transmit_to_vec();
        let close_at = wire.len() - if role == Role::Client { 10 } else { 14 };
        own.input(&wire[..close_at]);
        assert!(own.connection.queued_bytes() > 0, "{role:?}: the Ping is answered");
        own.connection.handle_write_error(io::ErrorKind::BrokenPipe.into());
        assert_eq!(own.status().sent(), Some(CloseCode::from(4001)), "{role:?}");
        own.input(&wire[close_at..]);
        assert_eq!((own.state(), own.error()), (State::Closed, None), "{role:?}");
        assert_eq!(own.status().began_by(), Some(Endpoint::Local));
        assert_eq!(own.status().sent(), Some(CloseCode::from(4001)));
        assert!(own.status().is_clean(), "both Close frames passed");
    }
}
