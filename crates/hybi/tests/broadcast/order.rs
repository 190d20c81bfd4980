//! One order for all, one write for all that waits, and who joins and leaves meanwhile.

use hybi::{Broadcast, Config, Message};
use hybi_testkit::{
    link::Conditions,
    world::{World, pause},
};

use crate::world::{Ws, listen, member, pair, settle};

/// The texts that come until so many are there.
async fn texts(ws: &mut Ws, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.len() < count {
        let message = ws.recv().await.expect("it is lawful").expect("there is more");
        texts.push(message.as_text().expect("a text").to_owned());
    }
    texts
}

#[test]
fn all_that_waits_leaves_in_one_write() {
    let mut world = World::new();
    let room = Broadcast::new();
    let (_log, mut peer, wire) = member(&mut world, &room, Conditions::default());
    let clock = world.clock().clone();
    let sender = room.clone();
    let seen = world.block_on(async move {
        settle(&clock).await;
        for n in 0..100 {
            let sent = sender.send(format!("{n}")).await;
            assert_eq!((sent.members, sent.dropped, sent.closed), (1, 0, 0));
        }
        settle(&clock).await;
        texts(&mut peer, 100).await
    });
    assert_eq!(seen, (0..100).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(wire.writes(), 1);
}

#[test]
fn all_members_see_one_order() {
    let mut world = World::new();
    let room = Broadcast::builder().max_messages(1000).build();
    let mut peers = Vec::new();
    for reluctance in 0..5 {
        let conditions = Conditions::default().reluctance(reluctance).write(7);
        peers.push(member(&mut world, &room, conditions).1);
    }
    for name in ["a", "b", "c"] {
        let room = room.clone();
        world.spawn(name, async move {
            for n in 0..50 {
                room.send(format!("{name}{n}")).await;
                pause().await;
            }
        });
    }
    let seen = world.block_on(async move {
        let mut seen = Vec::new();
        for peer in &mut peers {
            seen.push(texts(peer, 150).await);
        }
        seen
    });
    for name in ["a", "b", "c"] {
        let of_one: Vec<_> = seen[0].iter().filter(|text| text.starts_with(name)).collect();
        assert_eq!(
            of_one,
            (0..50).map(|n| format!("{name}{n}")).collect::<Vec<_>>().iter().collect::<Vec<_>>()
        );
    }
    assert!(seen.iter().all(|other| *other == seen[0]), "{seen:?}");
}

#[test]
fn what_one_says_all_others_hear() {
    let mut world = World::new();
    let room = Broadcast::new();
    let mut peers = Vec::new();
    for _ in 0..3 {
        let (server, client, _wire) = pair(world.clock(), Conditions::default(), Config::default());
        let mut member = room.join(server);
        peers.push(client);
        world.spawn("a member", async move {
            while let Some(message) = member.recv().await.expect("it is lawful") {
                assert_eq!(member.tell_others(message).await.expect("it is open").members, 2);
            }
        });
    }
    let seen = world.block_on(async move {
        for (name, peer) in ["a", "b", "c"].iter().zip(&mut peers) {
            peer.send(format!("{name} is here")).await.expect("it listens");
        }
        let mut seen = Vec::new();
        for peer in &mut peers {
            let mut texts = texts(peer, 2).await;
            texts.sort();
            seen.push(texts);
        }
        for peer in &mut peers {
            peer.close(hybi::CloseCode::NORMAL, "").await.expect("in order");
        }
        seen
    });
    assert_eq!(seen[0], ["b is here", "c is here"]);
    assert_eq!(seen[1], ["a is here", "c is here"]);
    assert_eq!(seen[2], ["a is here", "b is here"]);
    world.run().expect("all end");
    assert!(room.is_empty());
}

/// Members come and go between two messages; each hears all from when it came until it left, in order.
#[test]
fn who_joins_and_leaves_hears_what_was_sent_meanwhile() {
    let mut world = World::new();
    let room = Broadcast::builder().max_messages(1000).build();
    let mut heard = Vec::new();
    for n in 0..20_usize {
        let (server, mut peer, _wire) =
            pair(world.clock(), Conditions::default(), Config::default());
        let member = room.clone();
        world.spawn("a member", async move {
            for _ in 0..n {
                pause().await;
            }
            let mut member = member.join(server);
            while member.recv().await.expect("it is lawful").is_some() {}
        });
        let seen = std::rc::Rc::new(core::cell::RefCell::new(Vec::new()));
        heard.push(seen.clone());
        world.spawn("its peer", async move {
            for _ in 0..10 + n {
                let Some(message) = peer.recv().await.expect("it is lawful") else { break };
                seen.borrow_mut()
                    .push(message.as_text().expect("a text").parse::<u32>().expect("a number"));
            }
            peer.close(hybi::CloseCode::NORMAL, "").await.expect("in order");
        });
    }
    let sender = room.clone();
    world.spawn("the sender", async move {
        for n in 0..200 {
            sender.send(n.to_string()).await;
            pause().await;
        }
    });
    world.run().expect("all end");
    assert!(room.is_empty());
    for (n, seen) in heard.iter().enumerate() {
        let seen = seen.borrow();
        assert_eq!(seen.len(), 10 + n);
        assert!(seen.windows(2).all(|two| two[1] == two[0] + 1), "{seen:?}");
    }
}

#[test]
fn a_member_alone_is_told_in_the_same_order() {
    let mut world = World::new();
    let room = Broadcast::new();
    let (server, mut one, _wire) = pair(world.clock(), Conditions::default(), Config::default());
    let one_alone = room.join(server);
    let direct = one_alone.direct();
    let _log = listen(&mut world, one_alone);
    let (_other_log, mut other, _wire) = member(&mut world, &room, Conditions::default());
    let sender = room.clone();
    let (one, other) = world.block_on(async move {
        sender.send("to all").await;
        assert_eq!(direct.send("to one").await.members, 1);
        sender.send("to all again").await;
        (texts(&mut one, 3).await, texts(&mut other, 2).await)
    });
    assert_eq!(one, ["to all", "to one", "to all again"]);
    assert_eq!(other, ["to all", "to all again"]);
}

#[test]
fn a_member_sends_for_itself_behind_what_was_sent_to_it() {
    let mut world = World::new();
    let room = Broadcast::new();
    let (server, mut peer, wire) = pair(world.clock(), Conditions::default(), Config::default());
    let mut member = room.join(server);
    let sender = room.clone();
    let seen = world.block_on(async move {
        sender.send("of the room").await;
        member.send("of its own").await.expect("it is open");
        sender.send("the last").await;
        member.flush().await.expect("it is open");
        assert_eq!(member.deliveries().delivered, 2);
        // It goes on without the room.
        let mut ws = member.leave();
        assert!(sender.is_empty());
        ws.send("alone").await.expect("it is open");
        texts(&mut peer, 4).await
    });
    assert_eq!(seen, ["of the room", "of its own", "the last", "alone"]);
    assert_eq!(wire.writes(), 3);
}

#[test]
fn a_future_that_is_dropped_loses_nothing() {
    let mut world = World::new();
    let room = Broadcast::builder().max_messages(1000).build();
    let slow = Conditions::default().write(3).capacity(10).reluctance(1);
    let (server, mut peer, _wire) = pair(world.clock(), slow, Config::default());
    let mut member = room.join(server);
    let log = std::rc::Rc::new(core::cell::RefCell::new(Vec::new()));
    let seen = log.clone();
    world.spawn("a member that is interrupted", async move {
        loop {
            match hybi_testkit::world::at_most(1, member.recv()).await {
                Some(Ok(Some(message))) => seen.borrow_mut().push(message),
                Some(_) => break,
                None => pause().await,
            }
        }
    });
    let sender = room.clone();
    let heard = world.block_on(async move {
        for n in 0..50 {
            sender.send(n.to_string()).await;
        }
        let mut heard = Vec::new();
        for n in 0..50 {
            peer.send(format!("back {n}")).await.expect("it is open");
            heard.extend(texts(&mut peer, 1).await);
        }
        peer.close(hybi::CloseCode::NORMAL, "").await.expect("in order");
        heard
    });
    assert_eq!(heard, (0..50).map(|n| n.to_string()).collect::<Vec<_>>());
    world.run().expect("all end");
    let expected: Vec<_> = (0..50).map(|n| Message::from(format!("back {n}"))).collect();
    assert_eq!(*log.borrow(), expected);
}

/// What is prepared once leaves by every kind of handle, and each peer gets it whole.
#[test]
fn a_prepared_message_leaves_by_halves_sinks_and_rooms() {
    let mut world = World::new();
    let (server, mut by_handle, _wire) =
        pair(world.clock(), Conditions::default(), Config::default());
    let (mut sender, _receiver) = server.split();
    let (mut sink, mut by_sink, _wire) =
        pair(world.clock(), Conditions::default(), Config::default());
    let (half, mut by_half_sink, _wire) =
        pair(world.clock(), Conditions::default(), Config::default());
    let (mut half, _other) = half.split();
    let room = Broadcast::new();
    let (_log, mut by_room, _wire) = member(&mut world, &room, Conditions::default());
    let prepared = hybi::Prepared::new("x".repeat(10_000));
    let message = prepared.message().clone();
    let heard = world.block_on(async move {
        sender.send(&prepared).await.expect("it is open");
        futures_util::SinkExt::send(&mut sink, prepared.clone()).await.expect("it is open");
        futures_util::SinkExt::send(&mut half, prepared.clone()).await.expect("it is open");
        room.send(&prepared).await;
        let mut heard = Vec::new();
        for peer in [&mut by_handle, &mut by_sink, &mut by_half_sink, &mut by_room] {
            heard.extend(peer.recv().await.expect("lawful"));
        }
        heard
    });
    assert_eq!(heard, vec![message; 4]);
}
