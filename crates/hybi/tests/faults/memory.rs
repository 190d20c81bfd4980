//! What a connection holds while its application is at work: not more than the little that it has
//! not taken yet (RFC 6455 section 10.4).

use hybi::{
    Connection, Deflate, Message, Negotiated, Server, Version,
    extension::{DeflateStream, Extension as _},
    io::Timer as _,
    opening,
};
use hybi_suite::allocator::Meter;

use crate::{
    support::{
        clock::Clock,
        link::{Manners, link},
        tasks::{Task, run},
        ways::Receives,
    },
    world::{BOTH, World, everyone, poll_once, quiet, wire},
};

/// So many that the buffers that a thread keeps do not count.
const CONNECTIONS: usize = 512;

/// The most that one of them may hold of a few bytes.
const HELD: usize = 2 * 1024;

/// What each of some connections holds after `step`.
fn held<W>(mut worlds: Vec<W>, mut step: impl FnMut(&mut W)) -> usize {
    let meter = Meter::start();
    worlds.iter_mut().for_each(&mut step);
    meter.held() / worlds.len()
}

/// Two messages in one segment, of which the application works on the first.
#[test]
fn a_small_rest_does_not_hold_a_chunk() {
    for (role, version) in everyone() {
        for receives in [Receives::Recv, Receives::Stream] {
            for rest in [2, 10] {
                let messages = ["one", "two"].map(Message::text).into_iter().cycle().take(rest);
                let bytes = wire(role, version, messages);
                let worlds = (0..CONNECTIONS).map(|_| {
                    let world = World::new(role, version, quiet(), usize::MAX);
                    world.peer.far.put(&bytes);
                    world
                });
                let held = held(worlds.collect(), |world| {
                    let received = run(receives.next(&mut world.socket), || {});
                    assert_eq!(received.expect("open"), Some(Message::text("one")));
                });
                assert!(held < HELD, "{role:?} {version:?} {receives:?}: {held} bytes each");
            }
        }
    }
}

/// The same for what was lent, as soon as the next call waits for something else: to send.
#[test]
fn a_small_rest_behind_a_lent_message_does_not_hold_a_chunk() {
    for role in BOTH {
        let bytes = wire(role, Version::RFC6455, ["one", "two"].map(Message::text));
        let worlds = (0..CONNECTIONS).map(|_| {
            let world = World::new(role, Version::RFC6455, quiet(), 10);
            world.peer.far.put(&bytes);
            world
        });
        let held = held(worlds.collect(), |world| {
            let received = run(Receives::RecvRef.next(&mut world.socket), || {});
            assert_eq!(received.expect("open"), Some(Message::text("one")));
            let task = Task::new();
            assert!(poll_once(&task, world.socket.send("more than ten bytes")).is_pending());
        });
        assert!(held < 2 * HELD, "{role:?}: {held} bytes each");
    }
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// A message right behind the request, of an application that does something else first.
#[test]
fn what_came_behind_a_request_does_not_hold_a_chunk() {
    let server = Server::default();
    let links = (0..CONNECTIONS).map(|_| {
        let (end, far) = link(Manners::PLAIN);
        far.put(&[REQUEST, b"\x81\x85\0\0\0\0early"].concat());
        (Some(end), far, None)
    });
    let held = held(links.collect(), |(end, _, accepted)| {
        let (end, timer) = (end.take().expect("once"), Clock::new().timer());
        let deadline = server.config().handshake_deadline(timer.now());
        let socket = run(opening::accept_on(&server, end, timer, deadline), || {});
        *accepted = Some(socket.expect("a lawful request"));
    });
    assert!(held < HELD, "{held} bytes each");
}

/// Drafts whose frames are compressed as one stream: a few bytes stand for many frames, but what is
/// left of them is small here.
#[test]
fn a_small_rest_of_an_encoded_stream_does_not_hold_its_buffer() {
    let deflate = DeflateStream::new(Deflate::default());
    let agreed = deflate.accept(&deflate.offers()[0]).expect("acceptable");
    let negotiated = Negotiated::new(Version::HYBI_08, None, vec![agreed]);
    let make = |role| Connection::new(role, negotiated.clone(), quiet().into());
    for role in BOTH {
        let worlds = (0..CONNECTIONS / 4).map(|_| {
            let mut world = World::between(make(role), make(role.peer()), usize::MAX);
            world.peer.say(["one", "two"].map(Message::text));
            world
        });
        let held = held(worlds.collect(), |world| {
            let received = run(world.socket.recv(), || {});
            assert_eq!(received.expect("open"), Some(Message::text("one")));
        });
        // What is decoded refers back to as much as the window of the codec holds, 32 KiB.
        assert!(held < 48 * 1024, "{role:?}: {held} bytes each");
    }
}
