//! The opening handshake over transports with little room: an end that writes reads as well, so that
//! two ends that both have much to say never wait for each other.

use core::{cell::Cell, future::poll_fn, pin::pin, task::Poll, time::Duration};
use std::io::IoSlice;

use futures_util::future::{Either, join, select};
use hybi::{
    Client, Deadline, Error, HandshakeError, Server, Version,
    http::Response,
    io::{Timer as _, Transport},
    opening::{accept_on, connect_on, incoming_on},
};

use crate::{
    support::{
        clock::Clock,
        link::{End, Manners, link_both},
        tasks::{Task, run},
    },
    world::{client, open, server},
};

/// How many bytes may be on their way in each direction.
const ROOM: [usize; 2] = [1, 64];

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

fn narrow(capacity: usize) -> Manners {
    Manners { capacity, ..Manners::PLAIN }
}

/// A peer that knows no better: it writes everything before it reads anything, until the end of input.
async fn write_then_read(mut end: End, bytes: &[u8]) -> Vec<u8> {
    let mut left = bytes;
    while !left.is_empty() {
        let slices = [IoSlice::new(left)];
        let taken = poll_fn(|cx| end.poll_write(cx, &slices)).await.expect("room at last");
        left = &left[taken..];
    }
    let mut answer = Vec::new();
    let mut chunk = [0; 100];
    loop {
        let len = poll_fn(|cx| end.poll_read(cx, &mut chunk)).await.expect("an end in order");
        if len == 0 {
            return answer;
        }
        answer.extend(&chunk[..len]);
    }
}

fn refused(error: &Error) -> &Response<Vec<u8>> {
    match error.handshake() {
        Some(HandshakeError::Rejected(response)) => response,
        _ => panic!("{error}"),
    }
}

#[test]
fn every_version_opens() {
    for room in ROOM {
        for version in Version::ALL {
            let (opened, accepted) = open(&client(version), &server([version]), narrow(room));
            assert_eq!(opened.expect("accepted").version(), version, "{room}");
            assert_eq!(accepted.expect("a lawful request").version(), version, "{room}");
        }
    }
}

/// The client of hixie-76 writes its challenge behind its request, and the answer does not wait for that.
#[test]
fn a_challenge_and_the_head_of_its_answer_pass_each_other() {
    for room in ROOM {
        let (near, far) = link_both(narrow(room), narrow(room));
        let clock = Clock::new();
        let server = server([Version::HIXIE_76]);
        let accepting = async {
            let deadline = clock.now() + Duration::from_secs(10);
            let request = incoming_on(&server, far, clock.timer(), deadline).await;
            request.expect("a request").accept().await.expect("accepted").version()
        };
        let request = b"GET / HTTP/1.1\r\nHost: example.org\r\nUpgrade: WebSocket\r\n\
            Connection: Upgrade\r\nOrigin: http://example.org\r\n\
            Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n\
            Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n\r\n^n:ds[4U";
        let (answer, version) = run(join(write_then_read(near, request), accepting), || {});
        assert_eq!(version, Version::HIXIE_76);
        assert!(answer.ends_with(b"\r\n\r\n8jKS'y:G*Co,Wxa-"), "{}", answer.escape_ascii());
    }
}

/// A server refuses when it has seen enough; the client has not said all yet, and never stops for it.
#[test]
fn a_head_that_is_too_large_is_refused_while_it_is_still_being_written() {
    for room in ROOM {
        let long = "x".repeat(40_000);
        let asking = Client::builder().header("X-Long", &long).build().expect("a field");
        let (opened, accepted) = open(&asking, &Server::default(), narrow(room));
        assert_eq!(refused(&opened.expect_err("refused")).status(), 431);
        assert!(accepted.expect_err("too large").handshake().is_some());

        let (near, far) = link_both(narrow(room), narrow(room));
        let clock = Clock::new();
        let deadline = clock.now() + Duration::from_secs(10);
        let server = Server::default();
        let request = format!("GET / HTTP/1.1\r\nX-Long: {long}\r\n\r\n");
        let accepting = incoming_on(&server, far, clock.timer(), deadline);
        let peer = write_then_read(near, request.as_bytes());
        let (answer, accepted) = run(join(peer, accepting), || {});
        assert!(answer.starts_with(b"HTTP/1.1 431 "), "{}", answer.escape_ascii());
        assert!(accepted.is_err());
    }
}

#[test]
fn a_request_with_a_long_body_is_answered_in_full() {
    for room in ROOM {
        let (near, far) = link_both(narrow(room), narrow(room));
        let clock = Clock::new();
        let server = Server::default();
        let answering = async {
            let deadline = clock.now() + Duration::from_secs(10);
            let request = incoming_on(&server, far, clock.timer(), deadline).await;
            request.expect("a request").respond(Response::new("a page ".repeat(100))).await;
        };
        let mut request =
            b"POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 100000\r\n\r\n".to_vec();
        request.resize(request.len() + 100_000, b'x');
        let (answer, ()) = run(join(write_then_read(near, &request), answering), || {});
        assert!(answer.ends_with(b"a page a page "), "{}", answer.escape_ascii());
    }
}

/// Proxies refuse so, when they have nobody to pass a request on to.
#[test]
fn a_server_that_answers_before_it_reads_is_heard() {
    for room in ROOM {
        for version in Version::ALL {
            let (near, far) = link_both(narrow(room), narrow(room));
            let clock = Clock::new();
            let (client, timer) = (client(version), clock.timer());
            let deadline = client.config().handshake_deadline(timer.now());
            let uri = "ws://example.org/";
            let opening = connect_on(&client, uri, near, timer, deadline);
            let answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 100\r\n\r\n";
            let mut answer = answer.to_vec();
            answer.resize(answer.len() + 100, b'x');
            let (opened, _) = run(join(opening, write_then_read(far, &answer)), || {});
            let error = opened.map(|_| ()).expect_err("refused");
            let response = refused(&error);
            assert_eq!((response.status().as_u16(), response.body().len()), (503, 100), "{room}");
        }
    }
}

/// Frames behind a request are kept while the answer waits for room, but not without end.
#[test]
fn what_is_kept_of_a_peer_that_only_writes_is_bounded() {
    let (near, mut far) = link_both(narrow(64), narrow(64));
    let clock = Clock::new();
    let (server, timer) = (Server::default(), clock.timer());
    let deadline = server.config().handshake_deadline(timer.now());
    let taken = Cell::new(0);
    let flooding = async {
        let mut left = REQUEST.as_bytes();
        loop {
            let slices = [IoSlice::new(left)];
            let len = poll_fn(|cx| far.poll_write(cx, &slices)).await.expect("room");
            taken.set(taken.get() + len);
            left = if len < left.len() { &left[len..] } else { &[0; 1000] };
        }
    };
    let accepting = pin!(accept_on(&server, near, timer, deadline));
    let flooding = pin!(flooding);
    let mut both = pin!(select(accepting, flooding));
    let task = Task::new();
    loop {
        assert!(task.poll(both.as_mut()).is_pending());
        if task.wakes() == 0 {
            break;
        }
        assert!(taken.get() < 200_000, "{} bytes, and more", taken.get());
    }
    assert!(taken.get() > 60_000, "{} bytes", taken.get());
    clock.advance(Duration::from_secs(10));
    let Poll::Ready(Either::Left((accepted, _))) = task.poll(both.as_mut()) else { panic!() };
    let late = accepted.map(|_| ()).expect_err("the answer was never read");
    assert!(matches!(late, Error::Timeout(Deadline::Handshake)), "{late}");
}
