//! Members come to their end in order, whatever the room has for them, and receive although nobody reads.

use core::time::Duration;

use hybi::{Broadcast, CloseCode, Deadline, Endpoint, Error, Message, Slow};
use hybi_testkit::{
    link::Conditions,
    world::{World, pause},
};

use crate::world::{long, member, narrow, numbers, pass, settle};

#[test]
fn a_member_whose_peer_does_not_read_still_receives() {
    let mut world = World::new();
    let room = Broadcast::builder().max_messages(2).slow(Slow::DropOldest).build();
    let (log, mut peer, _wire) = member(&mut world, &room, narrow());
    let (sender, clock) = (room.clone(), world.clock().clone());
    world.block_on(async move {
        for n in 0..5 {
            sender.send(long(n)).await;
            settle(&clock).await;
        }
        peer.feed(Message::Ping("still here".into())).await.expect("it is open");
        peer.send("and talking").await.expect("it is open");
        settle(&clock).await;
        // What was on its way comes first, and then what waited; the answer to the Ping is between them.
        assert_eq!(numbers(&mut peer, 3).await, [0, 3, 4]);
        peer.close(CloseCode::GOING_AWAY, "").await.expect("in order");
    });
    world.run().expect("all end");
    let seen = log.borrow();
    assert_eq!(seen.messages, [Message::from("and talking")]);
    let status = seen.outcome.clone().expect("over").expect("in order").expect("closed");
    assert_eq!((status.code(), status.is_clean()), (CloseCode::GOING_AWAY, true));
}

/// A room that never rests does not keep its members from answering a Close frame.
#[test]
fn a_close_frame_is_answered_in_a_busy_room() {
    let mut world = World::new();
    let room = Broadcast::builder().slow(Slow::DropOldest).build();
    let (log, mut peer, _wire) = member(&mut world, &room, Conditions::default().write(100));
    let sender = room.clone();
    world.spawn("a sender without rest", async move {
        while !sender.is_empty() {
            sender.send("news").await;
            pause().await;
        }
    });
    let status = world.block_on(async move {
        peer.recv().await.expect("lawful").expect("news");
        peer.close(CloseCode::NORMAL, "enough").await.expect("in order")
    });
    assert!(status.is_clean());
    world.run().expect("all end");
    let seen = log.borrow();
    let status = seen.outcome.clone().expect("over").expect("in order").expect("closed");
    assert_eq!((status.began_by(), status.reason()), (Some(Endpoint::Peer), "enough"));
}

#[test]
fn a_peer_that_never_reads_is_left_when_the_write_deadline_passes() {
    for policy in [Slow::DropOldest, Slow::DropNewest, Slow::Close] {
        let mut world = World::new();
        let room = Broadcast::builder().max_messages(2).slow(policy).build();
        let (log, _silent, _wire) = member(&mut world, &room, narrow());
        let (sender, clock) = (room.clone(), world.clock().clone());
        world.spawn("the sender", async move {
            while !sender.is_empty() {
                sender.send(long(0)).await;
                pass(&clock, Duration::from_secs(1)).await;
            }
        });
        world.run().expect("all end");
        let seen = log.borrow();
        let outcome = seen.outcome.clone().expect("it is over");
        assert!(matches!(outcome, Err(Error::Timeout(Deadline::Write))), "{policy:?}: {outcome:?}");
        assert_eq!(seen.ended.as_secs(), 30, "{policy:?}");
        let deliveries = seen.deliveries;
        assert_eq!((deliveries.delivered, deliveries.waiting), (1, 0));
    }
}

#[test]
fn a_member_that_is_dropped_has_left() {
    let world = World::new();
    let room = Broadcast::new();
    let (server, _client, _wire) =
        crate::world::pair(world.clock(), Conditions::default(), hybi::Config::default());
    let member = room.join(server);
    let direct = member.direct();
    assert_eq!(room.len(), 1);
    assert_eq!(room.try_send("to one").expect("there is room").members, 1);
    assert_eq!(member.deliveries().waiting, 1);
    drop(member);
    assert_eq!((room.len(), room.try_send("to nobody").expect("no wait").members), (0, 0));
    assert_eq!(now(direct.send("to nobody")).members, 0);
}

/// What never has to wait.
fn now<R>(future: impl Future<Output = R>) -> R {
    let mut future = core::pin::pin!(future);
    let mut cx = core::task::Context::from_waker(core::task::Waker::noop());
    match future.as_mut().poll(&mut cx) {
        core::task::Poll::Ready(output) => output,
        core::task::Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn the_room_closes_all_with_a_close_message() {
    let mut world = World::new();
    let room = Broadcast::new();
    let (_log, mut one, _wire) = member(&mut world, &room, Conditions::default());
    let (_log, mut other, _wire) = member(&mut world, &room, Conditions::default());
    let sender = room.clone();
    let codes = world.block_on(async move {
        sender.send("the last").await;
        let frame = hybi::CloseFrame::new(CloseCode::GOING_AWAY, "closing time").expect("lawful");
        assert_eq!(sender.send(Message::Close(Some(frame))).await.members, 2);
        let mut codes = Vec::new();
        for peer in [&mut one, &mut other] {
            assert_eq!(peer.recv().await.expect("lawful"), Some(Message::from("the last")));
            assert_eq!(peer.recv().await.expect("lawful"), None);
            codes.push(peer.close_status().expect("it is over").code());
        }
        codes
    });
    assert_eq!(codes, [CloseCode::GOING_AWAY; 2]);
    world.run().expect("all end");
    assert!(room.is_empty());
}
