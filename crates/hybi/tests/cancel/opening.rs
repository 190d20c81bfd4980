//! The opening handshake: its futures own the transport, so that dropping one drops the transport;
//! what came behind a head is not lost (RFC 6455 sections 4.1 and 4.2).

use core::{future::Future, pin::pin};
use std::time::Instant;

use futures_util::future::join;
use hybi::{
    Client, Message, Server, WebSocket, WsUri,
    io::Timer,
    opening::{accept_on, connect_on, incoming_on},
};
use hybi_handshake::{HeadLimits, ServerHandshake, write_response};

use crate::{
    support::{
        clock::{Clock, ClockTimer},
        link::{End, Far, Manners, link, link_both},
        tasks::{poll_at_most, run},
    },
    world::MANNERS,
};

type Socket = WebSocket<End, ClockTimer>;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";
/// What a client sends at once behind its request: "early" and "bird".
const EARLY: &[u8] = b"\x81\x85\0\0\0\0early\x81\x84\0\0\0\0bird";

fn uri() -> WsUri {
    "ws://example.org/".parse().expect("a URI")
}

/// A server that reads a request, and answers it together with two messages.
struct Answering {
    handshake: Option<ServerHandshake>,
    request: Vec<u8>,
}

impl Answering {
    fn new() -> Self {
        Self { handshake: Some(ServerHandshake::new(HeadLimits::default())), request: Vec::new() }
    }

    fn step(&mut self, far: &Far) {
        let chunk = far.take(usize::MAX);
        self.request.extend(&chunk);
        let Some(handshake) = &mut self.handshake else { return };
        let (consumed, request) = handshake.handle_input(&chunk).expect("a lawful request");
        if let Some(request) = request {
            assert_eq!(consumed, chunk.len(), "a client waits for the answer");
            let (response, _) = Server::default().upgrade(&request).expect("accepted");
            let mut bytes = Vec::new();
            write_response(&response, &[], &mut bytes);
            bytes.extend(b"\x81\x05early\x81\x04bird");
            far.put(&bytes);
            self.handshake = None;
        }
    }
}

/// The two messages that came right behind the head.
fn expect_early_messages(socket: &mut Socket) {
    for expected in ["early", "bird"] {
        let received = run(socket.recv(), || {}).expect("open");
        assert_eq!(received, Some(Message::text(expected)));
    }
}

/// Drops `open` after each number of polls: the transport goes with it. Returns when it is
/// complete, with its output and the number of polls it took.
fn dropped_after_each_poll<O, F: Future<Output = O>>(
    manners: Manners,
    mut open: impl FnMut(End, ClockTimer) -> F,
    mut world: impl FnMut() -> Box<dyn FnMut(&Far)>,
) -> (O, Far, usize) {
    for polls in 0..100_000 {
        let (end, far) = link(manners);
        let mut step = world();
        step(&far);
        let output = {
            let future = pin!(open(end, Clock::new().timer()));
            poll_at_most(polls, future, || step(&far))
        };
        match output {
            Some(output) => return (output, far, polls),
            None => assert!(far.sees_drop(), "{manners:?}: alive after {polls} polls"),
        }
    }
    panic!("the handshake never ended");
}

#[test]
fn dropping_connect_on_drops_the_transport() {
    let (client, uri) = (Client::default(), uri());
    for manners in MANNERS {
        let (opened, far, polls) = dropped_after_each_poll(
            manners,
            |end, timer| {
                let deadline = client.config().handshake_deadline(timer.now());
                connect_on(&client, &uri, end, timer, deadline)
            },
            || {
                let mut server = Answering::new();
                Box::new(move |far| server.step(far))
            },
        );
        assert!(polls > 2, "{polls} await points");
        let (mut socket, response) = opened.expect("accepted");
        assert_eq!(response.status(), 101);
        expect_early_messages(&mut socket);
        assert!(!far.sees_drop());
        drop(socket);
        assert!(far.sees_drop());
    }
}

/// The far end of a client that sends its request and more at once, and takes what it is answered.
fn eager_client() -> Box<dyn FnMut(&Far)> {
    let mut sent = false;
    Box::new(move |far| {
        if !sent {
            sent = true;
            far.put(&[REQUEST, EARLY].concat());
        }
        far.take(20);
    })
}

#[test]
fn dropping_accept_drops_the_transport() {
    let server = Server::default();
    for manners in MANNERS {
        let (accepted, far, polls) = dropped_after_each_poll(
            manners,
            |end, timer| {
                let deadline = server.config().handshake_deadline(timer.now());
                accept_on(&server, end, timer, deadline)
            },
            eager_client,
        );
        assert!(polls > 2, "{polls} await points");
        let mut socket = accepted.expect("a lawful request");
        expect_early_messages(&mut socket);
        drop(socket);
        assert!(far.sees_drop());
    }
}

#[test]
fn dropping_incoming_before_or_after_the_request_drops_the_transport() {
    let server = Server::default();
    for manners in MANNERS {
        let (request, far, polls) = dropped_after_each_poll(
            manners,
            |end, timer| {
                let deadline = server.config().handshake_deadline(timer.now());
                incoming_on(&server, end, timer, deadline)
            },
            eager_client,
        );
        assert!(polls > 0, "{polls} await points");
        let request = request.expect("a lawful request");
        assert!(!far.sees_drop());
        drop(request);
        assert!(far.sees_drop());
    }
}

/// What of a response was written before its future was dropped is no more than a part of it.
#[test]
fn dropping_the_acceptance_drops_the_transport() {
    let manners = Manners { reluctance: 1, read: usize::MAX, write: 7, capacity: 20 };
    let mut complete = None;
    for polls in 0..1_000 {
        let (end, far) = link(manners);
        far.put(&[REQUEST, EARLY].concat());
        let server = Server::default();
        let clock = Clock::new();
        let deadline = server.config().handshake_deadline(clock.now());
        let request = run(incoming_on(&server, end, clock.timer(), deadline), || {});
        let request = request.expect("a lawful request");
        let mut written = Vec::new();
        let accepted = {
            let future = pin!(request.accept());
            poll_at_most(polls, future, || written.extend(far.take(usize::MAX)))
        };
        written.extend(far.take(usize::MAX));
        if let Some(accepted) = accepted {
            expect_early_messages(&mut accepted.expect("accepted"));
            complete = Some((polls, written));
            break;
        }
        assert!(far.sees_drop());
        let whole = b"HTTP/1.1 101 Switching Protocols\r\n";
        let len = whole.len().min(written.len());
        assert_eq!(written[..len], whole[..len]);
    }
    let (polls, written) = complete.expect("an end");
    assert!(polls > 5 && written.ends_with(b"\r\n\r\n"), "{polls} polls");
}

/// Both ends are ours, and neither is obliging.
#[test]
fn two_reluctant_ends_open_echo_and_close() {
    for one in MANNERS {
        for other in MANNERS {
            let clock = Clock::new();
            let (near, far) = link_both(one, other);
            let (client_timer, server_timer) = (clock.timer(), clock.timer());
            let client = async {
                let deadline: Instant = clock.now() + core::time::Duration::from_secs(10);
                let (client, uri) = (Client::default(), uri());
                let opened = connect_on(&client, &uri, near, client_timer, deadline);
                let (mut socket, _) = opened.await.expect("accepted");
                for len in [0, 1, 126, 700] {
                    let message = Message::binary(vec![len as u8; len]);
                    socket.send(message.clone()).await.expect("open");
                    assert_eq!(socket.recv().await.expect("open"), Some(message));
                }
                socket.close(1000.into(), "done").await.expect("lawful")
            };
            let server = async {
                let server = Server::default();
                let deadline = server.config().handshake_deadline(clock.now());
                let request = incoming_on(&server, far, server_timer, deadline);
                let request = request.await.expect("a request");
                let mut socket = request.accept().await.expect("accepted");
                while let Some(message) = socket.recv().await.expect("open") {
                    socket.feed(message).await.expect("open");
                }
                socket.close_status().expect("a status")
            };
            let (client, server) = run(join(client, server), || {});
            assert!(client.is_clean() && server.is_clean(), "{one:?} {other:?}");
            assert_eq!(server.reason(), "done");
        }
    }
}
