//! What a peer that reads late sees under each policy, what its member counts, and what the sender is told.

use hybi::{Broadcast, CloseCode, Endpoint, Slow};
use hybi_testkit::{clock::ClockTimer, link::End, world::World};

use crate::world::{LONG, Log, Ws, listen, long, member, narrow, numbers, pair, settle};

/// A room with a member whose peer has not read yet: twenty long messages were sent, of which the first is on its
/// way to the peer. Gives what the sender was told in all: taken, dropped and closed.
fn twenty(world: &mut World, room: &Broadcast) -> (Log, Ws, (usize, u64, usize)) {
    let (log, peer, _wire) = member(world, room, narrow());
    let (room, clock) = (room.clone(), world.clock().clone());
    let told = world.block_on(async move {
        let mut told = (0, 0, 0);
        for n in 0..20 {
            let sent = room.send(long(n)).await;
            told = (told.0 + sent.members, told.1 + sent.dropped, told.2 + sent.closed);
            settle(&clock).await;
        }
        told
    });
    (log, peer, told)
}

/// What the peer reads in the end, until nothing comes any more, when the room closes everybody.
fn read_all(world: &mut World, room: &Broadcast, mut peer: Ws) -> Vec<u8> {
    let (room, clock) = (room.clone(), world.clock().clone());
    world.block_on(async move {
        let reading = async {
            let all = numbers(&mut peer, 100).await;
            (all, peer.close_status().expect("it is over").code())
        };
        let closing = async {
            for _ in 0..100 {
                settle(&clock).await;
            }
            room.send(hybi::Message::Close(None)).await;
        };
        let ((all, _code), ()) = futures_util::future::join(reading, closing).await;
        all
    })
}

#[test]
fn whoever_is_slow_loses_the_oldest() {
    let mut world = World::new();
    let room = Broadcast::builder().max_messages(4).slow(Slow::DropOldest).build();
    let (log, peer, told) = twenty(&mut world, &room);
    assert_eq!(told, (20, 15, 0));
    assert_eq!(read_all(&mut world, &room, peer), [0, 16, 17, 18, 19]);
    world.run().expect("all end");
    let deliveries = log.borrow().deliveries;
    // The Close frame is a message of the room as well.
    assert_eq!((deliveries.delivered, deliveries.dropped, deliveries.waiting), (6, 15, 0));
}

#[test]
fn whoever_is_slow_loses_the_newest() {
    let mut world = World::new();
    let room = Broadcast::builder().max_messages(4).slow(Slow::DropNewest).build();
    let (log, peer, told) = twenty(&mut world, &room);
    assert_eq!(told, (5, 15, 0));
    assert_eq!(read_all(&mut world, &room, peer), [0, 1, 2, 3, 4]);
    world.run().expect("all end");
    assert_eq!(log.borrow().deliveries.dropped, 15);
}

#[test]
fn bytes_are_bounded_as_well_as_messages() {
    let mut world = World::new();
    // Just three, and one byte less.
    for (max_bytes, wait) in [(3 * LONG, 3), (3 * LONG - 1, 2)] {
        let room = Broadcast::builder().max_bytes(max_bytes).slow(Slow::DropNewest).build();
        let (_log, peer, told) = twenty(&mut world, &room);
        assert_eq!(told, (1 + wait, 20 - 1 - wait as u64, 0));
        let expected: Vec<u8> = (0..=wait as u8).collect();
        assert_eq!(read_all(&mut world, &room, peer), expected);
    }
}

#[test]
fn a_message_longer_than_the_bound_waits_alone() {
    let mut world = World::new();
    for policy in [Slow::DropNewest, Slow::DropOldest] {
        let room = Broadcast::builder().max_bytes(1).max_messages(0).slow(policy).build();
        let (_log, peer, told) = twenty(&mut world, &room);
        assert_eq!(told.1, 18, "one is on its way, and one waits");
        let last = if policy == Slow::DropNewest { 1 } else { 19 };
        assert_eq!(read_all(&mut world, &room, peer), [0, last]);
    }
}

#[test]
fn whoever_is_slow_is_closed_and_told_why() {
    for (policy, code) in [
        (Slow::Close, CloseCode::POLICY_VIOLATION),
        (Slow::TryAgainLater, CloseCode::TRY_AGAIN_LATER),
    ] {
        let mut world = World::new();
        let room = Broadcast::builder().max_messages(4).slow(policy).build();
        let (log, mut peer, told) = twenty(&mut world, &room);
        // One is on its way and four wait: with the sixth all of those are lost.
        assert_eq!((told, room.len()), ((5, 5, 1), 0));
        let (seen, status) = world.block_on(async move {
            let seen = numbers(&mut peer, 100).await;
            (seen, peer.close_status().expect("it is over"))
        });
        assert_eq!(seen, [0], "what was on its way comes in front of the Close frame");
        assert_eq!((status.code(), status.reason()), (code, "reads too slowly"));
        world.run().expect("all end");
        let seen = log.borrow();
        let status = seen.outcome.clone().expect("it is over").expect("in order").expect("closed");
        assert_eq!((status.code(), status.began_by()), (code, Some(Endpoint::Local)));
        assert_eq!((seen.deliveries.delivered, seen.deliveries.dropped), (1, 5));
    }
}

#[test]
fn the_newest_of_a_key_takes_the_place_of_the_one_that_waits() {
    for policy in [Slow::Close, Slow::DropOldest, Slow::DropNewest, Slow::Wait] {
        let mut world = World::new();
        // What is replaced makes room for what takes its place.
        let builder = Broadcast::builder().max_messages(4).max_bytes(3 * LONG);
        let room = builder.slow(policy).build();
        let (log, peer, _wire) = member(&mut world, &room, narrow());
        let (sender, clock) = (room.clone(), world.clock().clone());
        world.block_on(async move {
            sender.send(long(0)).await;
            settle(&clock).await;
            for (key, n) in [("a", 1), ("b", 2), ("a", 3), ("c", 4), ("b", 5), ("a", 6)] {
                assert_eq!(sender.send_keyed(key, long(n)).await.members, 1);
            }
        });
        assert_eq!(read_all(&mut world, &room, peer), [0, 6, 5, 4], "{policy:?}");
        world.run().expect("all end");
        let deliveries = log.borrow().deliveries;
        assert_eq!((deliveries.replaced, deliveries.dropped), (3, 0));
    }
}

#[test]
fn a_longer_one_of_a_key_makes_room_and_keeps_its_place() {
    let mut world = World::new();
    let room = Broadcast::builder().max_bytes(LONG + 20).slow(Slow::DropOldest).build();
    let (log, mut peer, _wire) = member(&mut world, &room, narrow());
    let (sender, clock) = (room.clone(), world.clock().clone());
    let texts = world.block_on(async move {
        sender.send(long(0)).await;
        settle(&clock).await;
        sender.send("0123456789").await;
        sender.send_keyed("a", "first of a").await;
        sender.send("behind").await;
        // Two of those have to go for it; not the one whose place it takes.
        let sent = sender.send_keyed("a", "x".repeat(LONG + 18)).await;
        assert_eq!((sent.members, sent.dropped), (1, 2));
        sender.send("ok").await;
        let mut texts = Vec::new();
        assert!(peer.recv().await.expect("lawful").is_some_and(|message| message.is_binary()));
        while texts.len() < 2 {
            let message = peer.recv().await.expect("lawful").expect("a message");
            texts.push(message.as_text().expect("a text").to_owned());
        }
        texts
    });
    assert_eq!(texts[0].len(), LONG + 18);
    assert_eq!(texts[1], "ok");
    drop(log);
}

#[test]
fn the_slow_cost_the_others_nothing() {
    for policy in [Slow::Close, Slow::DropOldest, Slow::DropNewest] {
        let mut world = World::new();
        let room = Broadcast::builder().max_messages(2).slow(policy).build();
        let (_stuck, _silent, _wire) = member(&mut world, &room, narrow());
        let (_log, mut peer, _wire) = member(&mut world, &room, narrow());
        let (sender, clock) = (room.clone(), world.clock().clone());
        let seen = world.block_on(async move {
            let mut seen = Vec::new();
            for n in 0..20 {
                sender.send(long(n)).await;
                seen.extend(numbers(&mut peer, 1).await);
            }
            assert!(clock.elapsed().is_zero(), "nobody waited for anything");
            seen
        });
        assert_eq!(seen, (0..20).collect::<Vec<u8>>(), "{policy:?}");
    }
}

#[test]
fn what_a_version_lacks_is_counted() {
    use hybi::{Config, Connection, Negotiated, Role, Version, WebSocket};

    let mut world = World::new();
    let room = Broadcast::new();
    let (near, mut far) = hybi_testkit::link::link(
        world.clock(),
        hybi_testkit::link::Conditions::default(),
        hybi_testkit::link::Conditions::default(),
    );
    let negotiated = Negotiated::default()
        .with_terms(hybi::legacy::Terms::new(Version::HIXIE_76).expect("it has no keys"));
    let connection = Connection::new(Role::Server, negotiated, Config::default().into());
    let ws: WebSocket<End, ClockTimer> = WebSocket::new(connection, near, world.clock().timer());
    let log = listen(&mut world, room.join(ws));
    let (sender, clock) = (room.clone(), world.clock().clone());
    let bytes = world.block_on(async move {
        sender.send(&b"binary"[..]).await;
        sender.send("text").await;
        settle(&clock).await;
        let bytes = far.try_read(usize::MAX);
        far.try_write(b"\xff\0");
        settle(&clock).await;
        bytes
    });
    assert_eq!(bytes, b"\0text\xff");
    world.run().expect("all end");
    let deliveries = log.borrow().deliveries;
    assert_eq!((deliveries.delivered, deliveries.dropped), (1, 1));
}

#[test]
fn a_room_of_another_room_shares_what_was_encoded() {
    let world = World::new();
    let (server, _client, _wire) = pair(world.clock(), narrow(), hybi::Config::default());
    let room = Broadcast::builder().slow(Slow::Wait).max_messages(1).build();
    let _member = room.join(server);
    let prepared = hybi::Prepared::new("once");
    room.try_send(&prepared).expect("there is room");
    let back = room.try_send(&prepared).expect_err("there is none");
    assert_eq!(back.message(), prepared.message());
}
