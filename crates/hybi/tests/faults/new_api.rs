//! Permits, and the bound on the whole end: what they promise (RFC 6455 section 7.1).

use core::pin::pin;

use futures_util::SinkExt;
use hybi::{CloseCode, Error, Message, Role, Version};

use crate::{
    support::{
        peer::Peer,
        tasks::{Task, poll_at_most, run},
    },
    world::{BOTH, SECOND, World, everyone, poll_once, quiet, seconds_until},
};

fn text(number: usize) -> Message {
    Message::text(number.to_string().repeat(20))
}

fn data(peer: &Peer) -> Vec<Message> {
    peer.events.iter().filter(|event| event.is_data()).cloned().collect()
}

/// `ready` is dropped after each number of polls, everywhere: the message is still the caller's then,
/// and it is sent once.
#[test]
fn a_dropped_ready_loses_nothing() {
    for (role, version) in everyone() {
        for polls in 1..5 {
            let what = format!("{role:?} {version:?}, {polls} polls");
            let mut world = World::new(role, version, quiet().outbox_limit(50), 10);
            let World { socket, peer, .. } = &mut world;
            let sent: Vec<_> = (0..10).map(text).collect();
            for message in &sent {
                let permit = (0..1_000).find_map(|_| {
                    // What is dropped here has nothing to lose.
                    let ready = poll_at_most(polls, pin!(socket.ready()), || peer.step(3));
                    ready.map(|permit| permit.map(drop))
                });
                permit.expect("a peer that reads").expect("open");
                // There is room now, and nobody else to take it.
                socket.try_send(message.clone()).unwrap_or_else(|error| panic!("{what}: {error}"));
            }
            run(socket.flush(), || peer.step(10)).expect("open");
            peer.step(usize::MAX);
            assert!(data(peer) == sent, "{what}: {:?}", peer.events);
        }
    }
}

/// Whatever the length of the message, and however full the queue was.
#[test]
fn what_has_a_permit_is_queued() {
    for role in BOTH {
        let mut world = World::new(role, Version::RFC6455, quiet().outbox_limit(50), 10);
        let World { socket, peer, .. } = &mut world;
        let sent: Vec<_> =
            [1, 49, 50, 51, 5_000, 0].map(|len| Message::text("x".repeat(len))).into();
        for message in &sent {
            let permit = run(socket.ready(), || peer.step(10)).expect("open");
            permit.send(message.clone()).expect("room");
        }
        run(socket.flush(), || peer.step(10)).expect("open");
        peer.step(usize::MAX);
        assert!(data(peer) == sent, "{role:?}");
    }
}

/// A permit that is not used is no message, and takes no room.
#[test]
fn a_permit_may_be_dropped() {
    let mut world = World::new(Role::Server, Version::RFC6455, quiet(), usize::MAX);
    drop(run(world.socket.ready(), || {}).expect("open"));
    assert_eq!(world.socket.queued_bytes(), 0);
    world.socket.try_send("sent").expect("room");
    run(world.socket.flush(), || {}).expect("open");
    assert_eq!(world.peer.far.take(10), b"\x81\x04sent");
}

/// How the one message is queued that there is leave for.
#[derive(Clone, Copy, Debug)]
enum Uses {
    Permit,
    TrySend,
    Feed,
    Send,
    Sink,
}

/// Leave is for one message, however it is queued: the next that there is no room for comes back.
#[test]
fn leave_is_for_one_message() {
    for role in BOTH {
        for uses in [Uses::Permit, Uses::TrySend, Uses::Feed, Uses::Send, Uses::Sink] {
            let one = || Message::text("x".repeat(100));
            let make = || World::new(role, Version::RFC6455, quiet().outbox_limit(150), 10);
            macro_rules! use_it {
                ($handle:ident) => {{
                    let task = Task::new();
                    let permit = run($handle.ready(), || {}).expect("open");
                    if matches!(uses, Uses::Permit) {
                        permit.send(one()).expect("leave");
                    }
                    match uses {
                        Uses::Permit => {}
                        Uses::TrySend => $handle.try_send(one()).expect("leave"),
                        Uses::Feed => run($handle.feed(one()), || {}).expect("room"),
                        // The transport takes a part of it.
                        Uses::Send => assert!(poll_once(&task, $handle.send(one())).is_pending()),
                        Uses::Sink => run(SinkExt::feed(&mut $handle, one()), || {}).expect("room"),
                    }
                    let refused = $handle.try_send(one()).expect_err("leave is used up");
                    assert!(matches!(refused.error(), Error::Full), "{role:?} {uses:?}: {refused}");
                }};
            }
            let World { mut socket, .. } = make();
            use_it!(socket);
            let (mut sender, _receiver) = make().socket.split();
            use_it!(sender);
        }
    }
}

/// The same for who answers a message that is lent.
#[test]
fn leave_is_for_one_message_also_if_that_is_an_answer() {
    for role in BOTH {
        let mut world = World::new(role, Version::RFC6455, quiet().outbox_limit(150), 10);
        world.peer.say([Message::text("x".repeat(100))]);
        let World { socket, .. } = &mut world;
        drop(run(socket.ready(), || {}).expect("open"));
        let asked = run(socket.recv_to_answer(), || {}).expect("open");
        let (message, mut answering) = asked.expect("a message");
        answering.try_send(message).expect("leave");
        let refused = answering.try_send(message).expect_err("leave is used up");
        assert!(matches!(refused.error(), Error::Full), "{role:?}: {refused}");
        let refused = socket.try_send("x".repeat(100)).expect_err("leave is used up");
        assert!(matches!(refused.error(), Error::Full), "{role:?}: {refused}");
    }
}

#[test]
fn there_is_no_permit_after_the_end() {
    for role in BOTH {
        let mut world = World::new(role, Version::RFC6455, quiet(), usize::MAX);
        world.socket.try_send(Message::Close(None)).expect("room");
        let refused = run(world.socket.ready(), || {}).map(drop);
        assert!(matches!(refused, Err(Error::Closed)), "{role:?}: {refused:?}");
    }
}

/// The whole end is bounded, whatever it still has to do.
#[test]
fn the_end_takes_no_longer_than_its_bound() {
    for (role, version) in everyone() {
        for bound in [10, 60] {
            let config = quiet().end_timeout(SECOND * bound);
            // A little each second, which is progress and not enough.
            let mut world = World::new(role, version, config, 1_000);
            world.socket.try_send("x".repeat(1_000_000)).expect("room");
            let World { socket, peer, clock } = &mut world;
            let close = socket.close(CloseCode::NORMAL, "");
            let ended = seconds_until(clock, 200, close, |_| drop(peer.far.take(1_000)));
            let (seconds, _) = ended.expect("an end");
            let what = format!("{role:?} {version:?}: {seconds} s of {bound}");
            assert!((bound - 1..=bound + 2).contains(&seconds), "{what}");
            assert!(!world.socket.close_status().expect("it ended").is_clean(), "{what}");
        }
    }
}

#[test]
fn a_slow_reader_gets_everything_within_a_longer_bound() {
    let config = quiet().end_timeout(SECOND * 100);
    let mut world = World::new(Role::Server, Version::RFC6455, config, 20_000);
    world.socket.try_send("x".repeat(1_000_000)).expect("room");
    let World { socket, peer, clock } = &mut world;
    let close = socket.close(CloseCode::NORMAL, "");
    let ended = seconds_until(clock, 200, close, |_| peer.step(20_000));
    let (seconds, status) = ended.expect("an end");
    assert!(status.expect("no error").is_clean());
    assert!((49..55).contains(&seconds), "{seconds} s");
}
