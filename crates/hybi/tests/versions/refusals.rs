//! When a client is told that it was refused: its answer is known with the head, and the body is what
//! comes within a second behind it.

use core::{pin::pin, task::Poll, time::Duration};

use hybi::{Client, Error, HandshakeError, Version, io::Timer as _, opening::connect_on};

use crate::support::{
    clock::Clock,
    link::{Manners, link},
    tasks::Task,
};

/// What a client of this version is told that is sent `pieces`, each at its time in milliseconds, and
/// when. The server never ends the transport.
fn told(version: Version, pieces: &[(u64, &str)]) -> (Error, u64) {
    let (end, far) = link(Manners::PLAIN);
    let clock = Clock::new();
    let (start, timer) = (clock.now(), clock.timer());
    let client = Client::builder().version(version).build().expect("a client");
    let deadline = client.config().handshake_deadline(timer.now());
    let uri = "ws://example.org/";
    let mut opening = pin!(connect_on(&client, uri, end, timer, deadline));
    let task = Task::new();
    let mut pieces = pieces.iter().peekable();
    loop {
        let elapsed = (clock.now() - start).as_millis() as u64;
        if let Some((_, piece)) = pieces.next_if(|(at, _)| *at <= elapsed) {
            far.put(piece.as_bytes());
        }
        if let Poll::Ready(opened) = task.poll(opening.as_mut()) {
            return (opened.expect_err("a refusal"), elapsed);
        }
        let deadline = clock.next_deadline().expect("a client that waits has a deadline");
        let deadline = (deadline - start).as_millis() as u64;
        let next = pieces.peek().map_or(deadline, |(at, _)| deadline.min(*at));
        assert!(next > elapsed, "a deadline that has passed at {elapsed} ms ends nothing");
        clock.advance(Duration::from_millis(next - elapsed));
    }
}

fn body(error: &Error) -> (u16, &str, bool) {
    let Some(refusal @ HandshakeError::Rejected(response)) = error.handshake() else {
        panic!("{error}");
    };
    let text = core::str::from_utf8(response.body()).expect("text");
    (response.status().as_u16(), text, refusal.body_truncated())
}

#[test]
fn a_body_without_an_end_is_waited_for_for_a_second() {
    for version in Version::ALL {
        for status in [200, 302, 400, 401, 404, 426, 500, 503] {
            for fields in ["", "Content-Length: 9\r\n", "Connection: keep-alive\r\n"] {
                let head = format!("HTTP/1.1 {status} Reason\r\n{fields}\r\n");
                let (error, at) = told(version, &[(0, &head), (999, "why"), (1001, "late")]);
                assert_eq!(body(&error), (status, "why", true), "{version:?} {fields}");
                assert_eq!(at, 1000, "{version:?} {status} {fields}");
            }
        }
    }
}

#[test]
fn the_second_begins_with_the_head_and_pieces_do_not_prolong_it() {
    let chunked = "HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (pieces, text, expected) in [
        (&[(0, "HTTP/1.1 401 No\r\n"), (5000, "\r\n"), (5500, "wh"), (5900, "y")][..], "why", 6000),
        (
            &[(0, chunked), (600, "1\r\na\r\n"), (900, "1\r\nb\r\n"), (1200, "1\r\nc\r\n")],
            "ab",
            1000,
        ),
        // The deadline of the handshake holds all the same.
        (&[(9700, "HTTP/1.1 401 No\r\n\r\nwhy")], "why", 10_000),
    ] {
        let (error, at) = told(Version::RFC6455, pieces);
        assert_eq!((body(&error), at), ((401, text, true), expected));
    }
}

#[test]
fn a_body_that_is_complete_is_not_waited_for() {
    for version in Version::ALL {
        for answer in [
            "HTTP/1.1 401 No\r\nContent-Length: 3\r\n\r\nwhy",
            "HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nwhy\r\n0\r\n\r\n",
        ] {
            let (error, at) = told(version, &[(0, answer)]);
            assert_eq!((body(&error), at), ((401, "why", false), 0), "{version:?}");
        }
        let (error, at) = told(version, &[(0, "HTTP/1.1 204 Nothing\r\n\r\n")]);
        assert_eq!((body(&error), at), ((204, "", false), 0), "{version:?}");
    }
}
