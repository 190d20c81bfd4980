//! The policy to wait: everybody gets everything, at the pace of the slowest.

use hybi::{Broadcast, Config, Error, Slow};
use hybi_testkit::{
    link::Conditions,
    world::{World, at_most},
};

use crate::world::{long, member, narrow, numbers, pair, settle};

#[test]
fn a_sender_waits_for_the_slowest_and_nothing_is_lost() {
    let mut world = World::new();
    let room = Broadcast::builder().max_messages(2).slow(Slow::Wait).build();
    let (slow_log, mut slow, _wire) = member(&mut world, &room, narrow());
    let (_fast_log, mut fast, _wire) = member(&mut world, &room, Conditions::default());
    let sender = room.clone();
    world.spawn("the sender", async move {
        for n in 0..20 {
            let sent = sender.send(long(n)).await;
            assert_eq!((sent.members, sent.dropped, sent.closed), (2, 0, 0));
        }
    });
    let clock = world.clock().clone();
    let (before, slow, fast) = world.block_on(async move {
        settle(&clock).await;
        // One is on its way to the slow one, and two wait.
        let before = numbers(&mut fast, 3).await;
        settle(&clock).await;
        assert!(at_most(1, fast.recv()).await.is_none(), "the sender waits");
        let slow = numbers(&mut slow, 20).await;
        (before, slow, numbers(&mut fast, 17).await)
    });
    assert_eq!(before, [0, 1, 2]);
    assert_eq!(slow, (0..20).collect::<Vec<u8>>());
    assert_eq!(fast, (3..20).collect::<Vec<u8>>());
    assert_eq!(slow_log.borrow().deliveries.dropped, 0);
}

#[test]
fn a_sender_that_is_dropped_has_sent_to_nobody_or_to_all() {
    let mut world = World::new();
    let room = Broadcast::builder().max_messages(1).slow(Slow::Wait).build();
    let (_log, mut slow, _wire) = member(&mut world, &room, narrow());
    let (_log, mut fast, _wire) = member(&mut world, &room, Conditions::default());
    let clock = world.clock().clone();
    let sender = room.clone();
    let (slow, fast) = world.block_on(async move {
        for n in 0..2 {
            sender.send(long(n)).await;
            settle(&clock).await;
        }
        for n in 2..10 {
            assert!(at_most(1, sender.send(long(n))).await.is_none());
            assert!(sender.try_send(long(n)).is_err());
        }
        let mut heard = numbers(&mut slow, 2).await;
        settle(&clock).await;
        sender.send(long(10)).await;
        heard.extend(numbers(&mut slow, 1).await);
        (heard, numbers(&mut fast, 3).await)
    });
    assert_eq!((slow, fast), (vec![0, 1, 10], vec![0, 1, 10]));
}

/// Each has to deliver what the other sends before it can send: whoever waits goes on delivering.
#[test]
fn members_that_tell_each_other_do_not_wait_for_ever() {
    for (who, seen) in all_at_once(false).into_iter().enumerate() {
        let others = (0..30).filter(|n| usize::from(*n) / 10 != who);
        assert_eq!(seen, others.collect::<Vec<u8>>());
    }
}

/// Nor do those who tell themselves as well: their own queues are full.
#[test]
fn members_that_tell_all_do_not_wait_for_themselves() {
    for seen in all_at_once(true) {
        assert_eq!(seen, (0..30).collect::<Vec<u8>>());
    }
}

/// Three members that send ten long messages each at the same time, in a room that has place for one; what each sees.
fn all_at_once(with_itself: bool) -> Vec<Vec<u8>> {
    let mut world = World::new();
    let room = Broadcast::builder().max_messages(1).slow(Slow::Wait).build();
    let mut peers = Vec::new();
    for _ in 0..3 {
        let (server, client, _wire) = pair(world.clock(), narrow(), Config::default());
        let mut member = room.join(server);
        peers.push(client);
        world.spawn("a member", async move {
            while let Some(message) = member.recv().await.expect("it is lawful") {
                let (told, members) = match with_itself {
                    true => (member.tell_all(message).await, 3),
                    false => (member.tell_others(message).await, 2),
                };
                assert_eq!(told.expect("it is open").members, members);
            }
        });
    }
    world.block_on(async move {
        let (senders, receivers): (Vec<_>, Vec<_>) =
            peers.into_iter().map(hybi::WebSocket::split).unzip();
        let sending = futures_util::future::join_all(senders.into_iter().zip(0..).map(
            |(mut sender, who): (_, u8)| async move {
                for n in 0..10 {
                    sender.send(long(who * 10 + n)).await.expect("it is open");
                }
                sender
            },
        ));
        let receiving =
            futures_util::future::join_all(receivers.into_iter().map(|mut receiver| async move {
                let mut seen = Vec::new();
                while seen.len() < if with_itself { 30 } else { 20 } {
                    let message = receiver.recv().await.expect("lawful").expect("a message");
                    seen.push(message.as_bytes()[0]);
                }
                seen.sort_unstable();
                seen
            }));
        futures_util::future::join(sending, receiving).await.1
    })
}

#[test]
fn a_member_that_never_reads_is_ended_by_its_write_deadline_and_the_others_go_on() {
    let mut world = World::new();
    let room = Broadcast::builder().max_messages(1).slow(Slow::Wait).build();
    let (stuck, _silent, _wire) = member(&mut world, &room, narrow());
    let (_log, mut fast, _wire) = member(&mut world, &room, Conditions::default());
    let sender = room.clone();
    let clock = world.clock().clone();
    let (seen, waited) = world.block_on(async move {
        for n in 0..3 {
            sender.send(long(n)).await;
        }
        (numbers(&mut fast, 3).await, clock.elapsed())
    });
    assert_eq!(seen, [0, 1, 2]);
    assert_eq!(waited.as_secs(), 30);
    assert_eq!(room.len(), 1);
    let stuck = stuck.borrow();
    assert!(matches!(stuck.outcome, Some(Err(Error::Timeout(hybi::Deadline::Write)))), "{stuck:?}");
    assert_eq!((stuck.deliveries.delivered, stuck.deliveries.dropped), (1, 1));
}

#[test]
fn a_member_that_waits_to_tell_answers_pings_and_sees_the_end() {
    let mut world = World::new();
    let room = Broadcast::builder().max_messages(1).slow(Slow::Wait).build();
    let (_log, _silent, _wire) = member(&mut world, &room, narrow());
    let (server, mut peer, _wire) = pair(world.clock(), Conditions::default(), Config::default());
    let mut teller = room.join(server);
    let clock = world.clock().clone();
    world.block_on(async move {
        for n in 0..2 {
            teller.tell_others(long(n)).await.expect("there is room");
            settle(&clock).await;
        }
        let telling = teller.tell_others("there is none");
        let asking = async {
            peer.send(hybi::Message::Ping("are you there?".into())).await.expect("it is open");
            settle(&clock).await;
            assert_eq!(peer.queued_bytes(), 0);
            peer.close(hybi::CloseCode::GOING_AWAY, "").await
        };
        let (told, closed) = futures_util::future::join(telling, asking).await;
        let error = told.expect_err("its peer has gone");
        assert!(matches!(error.error(), Error::Closed), "{error:?}");
        let message = error.into_outgoing().expect("it was sent to nobody").into_message();
        assert_eq!(message.as_text(), Some("there is none"));
        let recv = teller.recv().await;
        assert_eq!(recv.expect("in order"), None);
        drop(closed);
    });
}
