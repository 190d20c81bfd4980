//! How long the opening handshake may take, and an answer to it that is decided late (RFC 6455 sections 4.1
//! and 4.2).

use core::{pin::pin, task::Poll};

use hybi::{
    Client, Config, Deadline, Error, Server, Version, WebSocket, WsUri,
    http::Response,
    opening::{accept_on, connect_on, incoming_on},
};

use crate::{
    deadlines::{MOMENT, SECOND},
    support::{
        clock::Clock,
        link::{Manners, link},
        tasks::{Task, run},
    },
};

pub(crate) fn uri() -> WsUri {
    "ws://example.org/".parse().expect("a URI")
}

pub(crate) fn client(version: Version, config: Config) -> Client {
    Client::builder().version(version).config(config).build().expect("a version that is spoken")
}

pub(crate) fn server(version: Version, config: Config) -> Server {
    Server::builder().versions([version]).config(config).build()
}

/// What a server of this version answers to a request, in all.
pub(crate) fn answer(version: Version, request: &[u8]) -> Vec<u8> {
    let clock = Clock::new();
    let (end, far) = link(Manners::PLAIN);
    far.put(request);
    let server = server(version, Config::default());
    let deadline = server.config().handshake_deadline(clock.now());
    let opened = run(accept_on(&server, end, clock.timer(), deadline), || {});
    opened.expect("accepted");
    far.take(usize::MAX)
}

fn is_late<T>(polled: &Poll<Result<T, Error>>) -> bool {
    matches!(polled, Poll::Ready(Err(Error::Timeout(Deadline::Handshake))))
}

/// A server that says all but the last byte of its answer, at once or in the last moment.
#[test]
fn a_client_waits_for_the_answer_up_to_the_handshake_timeout() {
    for version in Version::ALL {
        for last in [false, true] {
            let clock = Clock::new();
            let (end, far) = link(Manners::PLAIN);
            let client = client(version, Config::default().handshake_timeout(SECOND * 10));
            let deadline = client.config().handshake_deadline(clock.now());
            let mut opening = pin!(connect_on(&client, uri(), end, clock.timer(), deadline));
            let task = Task::new();
            assert!(task.poll(opening.as_mut()).is_pending(), "{version:?}");
            let answer = answer(version, &far.take(usize::MAX));
            let (front, back) = answer.split_at(answer.len() - 1);
            far.put(front);
            assert!(task.poll(opening.as_mut()).is_pending(), "{version:?}");
            clock.advance(SECOND * 10 - MOMENT);
            if last {
                far.put(back);
                let opened = task.poll(opening.as_mut());
                assert!(matches!(opened, Poll::Ready(Ok(_))), "{version:?}: {opened:?}");
                continue;
            }
            assert!(task.poll(opening.as_mut()).is_pending(), "{version:?}");
            clock.advance(MOMENT);
            let late = task.poll(opening.as_mut());
            assert!(is_late(&late), "{version:?}: {late:?}");
        }
    }
}

/// The same of a client and its request, which with old versions ends behind the head.
#[test]
fn a_server_waits_for_the_request_up_to_the_handshake_timeout() {
    for version in Version::ALL {
        let request = client(version, Config::default()).handshake(&uri()).request_bytes().to_vec();
        let (front, back) = request.split_at(request.len() - 1);
        for last in [false, true] {
            let clock = Clock::new();
            let (end, far) = link(Manners::PLAIN);
            let server = server(version, Config::default().handshake_timeout(SECOND * 10));
            let deadline = server.config().handshake_deadline(clock.now());
            let mut opening = pin!(accept_on(&server, end, clock.timer(), deadline));
            let task = Task::new();
            far.put(front);
            assert!(task.poll(opening.as_mut()).is_pending(), "{version:?}");
            // A head is answered before what stands behind it has come.
            let (early, has_challenge) = (far.take(usize::MAX), version < Version::HYBI_04);
            let answers_early = has_challenge && version != Version::HIXIE_75;
            assert_eq!(!early.is_empty(), answers_early, "{version:?}");
            clock.advance(SECOND * 10 - MOMENT);
            if last {
                far.put(back);
                let opened = task.poll(opening.as_mut());
                assert!(matches!(opened, Poll::Ready(Ok(_))), "{version:?}: {opened:?}");
                continue;
            }
            assert!(task.poll(opening.as_mut()).is_pending(), "{version:?}");
            assert_eq!(far.take(usize::MAX), b"", "{version:?}");
            clock.advance(MOMENT);
            let mut ended = task.poll(opening.as_mut());
            let refusal = far.take(usize::MAX);
            assert_eq!(refusal.starts_with(b"HTTP/1.1 408 "), !answers_early, "{version:?}");
            // What was refused is read for a second, lest it cause a reset.
            if ended.is_pending() {
                far.end();
                ended = task.poll(opening.as_mut());
            }
            assert!(is_late(&ended), "{version:?}: {ended:?}");
        }
    }
}

/// An application that thought for longer than the handshake may take: its answer has two seconds to be read.
#[test]
fn an_answer_that_comes_late_has_two_seconds() {
    for version in Version::ALL {
        for refuses in [false, true] {
            let clock = Clock::new();
            let (end, far) = link(Manners { capacity: 10, ..Manners::PLAIN });
            let client = client(version, Config::default());
            far.put(client.handshake(&uri()).request_bytes());
            let server = server(version, Config::default().handshake_timeout(SECOND * 10));
            let deadline = server.config().handshake_deadline(clock.now());
            let incoming = incoming_on(&server, end, clock.timer(), deadline);
            let incoming = run(incoming, || {}).expect("a request");
            clock.advance(SECOND * 60);
            let what = format!("{version:?}, refuses: {refuses}");
            let task = Task::new();
            let mut answering: core::pin::Pin<Box<dyn Future<Output = bool>>> = if refuses {
                let refusal = Response::builder().status(404).body("no").expect("a response");
                Box::pin(async move {
                    incoming.respond(refusal).await;
                    true
                })
            } else {
                let accepted = incoming.check().expect("lawful");
                Box::pin(async move {
                    let opened: Result<WebSocket<_, _>, _> = incoming.accept_as(accepted).await;
                    matches!(opened, Err(Error::Timeout(Deadline::Handshake)))
                })
            };
            assert!(task.poll(answering.as_mut()).is_pending(), "{what}");
            clock.advance(SECOND * 2 - MOMENT);
            assert!(task.poll(answering.as_mut()).is_pending(), "{what}");
            clock.advance(MOMENT);
            assert_eq!(task.poll(answering.as_mut()), Poll::Ready(true), "{what}");
            assert_eq!(far.take(usize::MAX).len(), 10, "{what}: what had room");
        }
    }
}
