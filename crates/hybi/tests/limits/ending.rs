//! How long the end of a connection may take, and how much is read and discarded in it (RFC 6455 section
//! 7.1).

use std::time::Instant;

use hybi::{CloseCode, Connection, Deadline, Message, Role, State, Version};

use crate::{
    deadlines::{MOMENT, SECOND, ended, pass},
    support::versions::{connection, everyone, input, quiet},
};

/// What a connection that began to close waits for: the answer of the peer, or in hixie-75 its end of the
/// transport, which changes nothing.
#[test]
fn an_answer_is_waited_for_up_to_the_close_timeout() {
    for (role, version) in everyone() {
        let what = format!("{role:?} {version:?}");
        let mut own = connection(role, version, quiet().close_timeout(SECOND * 3));
        own.queue(Message::Close(None)).expect("open");
        let close = own.transmit_to_vec();
        assert_eq!(close.is_empty(), version == Version::HIXIE_75, "{what}");
        if own.wants_shutdown() {
            own.shutdown_done();
        }
        let start = Instant::now();
        pass(&mut own, start, start + SECOND * 3 - MOMENT);
        assert_eq!(own.state(), State::Closing, "{what}");
        pass(&mut own, start + SECOND * 3 - MOMENT, start + SECOND * 3);
        assert_eq!(own.state(), State::Closed, "{what}");
        let missed = (version != Version::HIXIE_75).then_some(Deadline::Close);
        assert_eq!(ended(&own), missed, "{what}");
    }
}

/// A peer that takes a byte a second makes progress, and the end of a connection takes no longer for it.
#[test]
fn what_is_queued_leaves_within_the_end_timeout() {
    for (role, version) in everyone() {
        let what = format!("{role:?} {version:?}");
        let mut own = connection(role, version, quiet().end_timeout(SECOND * 30));
        own.queue("x".repeat(100)).expect("open");
        own.queue(Message::Close(None)).expect("open");
        let start = Instant::now();
        for second in 0..30 {
            own.transmitted(1);
            own.transmit_blocked();
            pass(&mut own, start + SECOND * second, start + SECOND * (second + 1) - MOMENT);
            assert_eq!((ended(&own), own.state()), (None, State::Closing), "{what}: {second} s");
        }
        let left = own.queued_bytes();
        pass(&mut own, start + SECOND * 30 - MOMENT, start + SECOND * 30);
        assert_eq!((ended(&own), own.state()), (Some(Deadline::Write), State::Closed), "{what}");
        assert_eq!(own.discarded_bytes(), left, "{what}");
    }
}

/// A connection that failed, has told the peer, and has ended its half of the transport.
fn failed(role: Role, version: Version) -> Connection {
    let mut own = connection(role, version, quiet().max_message(1));
    let mut peer = connection(role.peer(), version, quiet());
    peer.queue("too long").expect("open");
    assert_eq!(input(&mut own, &peer.transmit_to_vec()), []);
    assert!(own.error().is_some(), "{role:?} {version:?}");
    let _ = own.transmit_to_vec();
    assert!(own.wants_shutdown(), "{role:?} {version:?}");
    own.shutdown_done();
    assert_eq!(own.state(), State::Closing, "{role:?} {version:?}");
    own
}

#[test]
fn what_still_comes_is_discarded_for_a_second() {
    for (role, version) in everyone() {
        let mut own = failed(role, version);
        let start = Instant::now();
        pass(&mut own, start, start + SECOND - MOMENT);
        assert_eq!(own.state(), State::Closing, "{role:?} {version:?}");
        pass(&mut own, start + SECOND - MOMENT, start + SECOND);
        assert_eq!(own.state(), State::Closed, "{role:?} {version:?}");
    }
}

#[test]
fn what_still_comes_is_discarded_up_to_a_mebibyte() {
    const DISCARDED: usize = 1024 * 1024;
    for (role, version) in everyone() {
        for piece in [DISCARDED, DISCARDED / 2, 64 * 1024] {
            let mut own = failed(role, version);
            for _ in 0..DISCARDED / piece {
                assert_eq!(input(&mut own, &vec![0; piece]), []);
            }
            assert_eq!(own.state(), State::Closing, "{role:?} {version:?} {piece}");
            assert_eq!(input(&mut own, b"!"), []);
            assert_eq!(own.state(), State::Closed, "{role:?} {version:?} {piece}");
        }
    }
}

/// The same behind a Close frame in order, which is answered before anything is given up.
#[test]
fn behind_a_close_frame_a_mebibyte_is_discarded_before_the_answer_and_after_it() {
    const DISCARDED: usize = 1024 * 1024;
    for (role, version) in everyone().filter(|(_, version)| *version != Version::HIXIE_75) {
        let what = format!("{role:?} {version:?}");
        let mut own = connection(role, version, quiet());
        let mut peer = connection(role.peer(), version, quiet());
        peer.queue(Message::Close(None)).expect("open");
        assert_eq!(input(&mut own, &peer.transmit_to_vec()), [Message::Close(None)], "{what}");
        input(&mut own, &vec![0; DISCARDED]);
        assert_eq!(own.queued_bytes(), 0, "{what}: what answers messages may still be queued");
        input(&mut own, b"!");
        assert!(own.queued_bytes() > 0, "{what}: the answer");
        let _ = own.transmit_to_vec();
        if own.wants_shutdown() {
            own.shutdown_done();
        }
        input(&mut own, &vec![0; DISCARDED]);
        assert_eq!(own.state(), State::Closing, "{what}");
        input(&mut own, b"!");
        if own.wants_shutdown() {
            own.shutdown_done();
        }
        assert_eq!((own.state(), ended(&own)), (State::Closed, None), "{what}");
        let status = own.close_status().expect("it ended");
        assert!(status.is_clean() && status.code() == CloseCode::NO_STATUS, "{what}: {status:?}");
    }
}
