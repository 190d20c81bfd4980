//! `send`, `feed` and `flush`: a message whose future was dropped is queued whole or not at all,
//! and everything that was accepted arrives in order.

use hybi::{Config, Message, Role, State};

use crate::{
    support::link::Manners,
    world::{Drops, MANNERS, Socket, World, at_each_await_point, binary},
};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// What became of messages whose future was dropped.
#[derive(Default)]
struct Dropped {
    arrived: usize,
    vanished: usize,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Send,
    Feed,
    FeedAndFlush,
}

/// Sends messages, none of them twice, and closes; the peer must see what was accepted.
fn send(role: Role, how: How, manners: Manners, drops: Drops, dropped: &mut Dropped) -> usize {
    let config = Config::default().outbox_limit(200).fragment_size(Some(60));
    let mut world = World::new(role, config, manners, drops);
    let messages: Vec<_> = (0..6).map(|number| binary(number * 31)).collect();
    let mut accepted = Vec::new();
    for message in &messages {
        let done = world.attempt(async |socket: &mut Socket| match how {
            How::Send => socket.send(message.clone()).await,
            How::Feed | How::FeedAndFlush => socket.feed(message.clone()).await,
        });
        if let Some(result) = &done {
            result.as_ref().expect("an open connection");
        }
        if matches!(how, How::Send) && done.is_some() {
            assert_eq!(world.socket.queued_bytes(), 0, "send returns when the bytes have left");
        }
        accepted.push(done.is_some());
        if matches!(how, How::FeedAndFlush) {
            let flushed = world.attempt(async |socket: &mut Socket| socket.flush().await);
            if let Some(result) = flushed {
                result.expect("an open connection");
                assert_eq!(world.socket.queued_bytes(), 0, "{role:?} {manners:?} {drops:?}");
            }
        }
    }
    assert_eq!(world.socket.state(), State::Open);
    let polls = world.polls;
    world.drops = Drops::Never;
    let close = async |socket: &mut Socket| socket.close(1000.into(), "").await;
    let status = world.insist(close).expect("a lawful code");
    world.settle();

    let what = format!("{role:?} {how:?} {manners:?} {drops:?}");
    assert!(status.is_clean(), "{what}");
    let (close, received) = world.peer.events.split_last().expect("events");
    assert!(matches!(close, Message::Close(Some(_))), "{what}: {close:?}");
    let mut received = received.iter().peekable();
    for (message, accepted) in messages.iter().zip(accepted) {
        let arrived = received.next_if_eq(&message).is_some();
        assert!(arrived || !accepted, "{what}: a message that was accepted is missing");
        dropped.arrived += usize::from(!accepted && arrived);
        dropped.vanished += usize::from(!accepted && !arrived);
    }
    assert_eq!(received.next(), None, "{what}: twice, torn or out of order");
    polls
}

fn check(how: How) {
    let mut dropped = Dropped::default();
    for role in ROLES {
        for manners in MANNERS.into_iter().filter(|manners| manners.capacity < 100) {
            at_each_await_point(|drops| send(role, how, manners, drops, &mut dropped));
        }
    }
    // Both happen, or the test would not have looked at both.
    assert!(dropped.arrived > 0 || !matches!(how, How::Send), "queued, then dropped");
    assert!(dropped.vanished > 10, "dropped while it waited for room");
}

#[test]
fn send_may_be_dropped_anywhere() {
    check(How::Send);
}

#[test]
fn feed_may_be_dropped_anywhere() {
    check(How::Feed);
}

#[test]
fn flush_may_be_dropped_anywhere() {
    check(How::FeedAndFlush);
}

/// Payloads that are written from where they lie, in vectored writes that stop anywhere.
#[test]
fn long_payloads_survive_partial_writes() {
    let sent = [binary(20_000), Message::text("short"), binary(9_000), binary(8_192)];
    for role in ROLES {
        for write in [1_111, 8_192, usize::MAX] {
            let manners = Manners { reluctance: 1, read: 100, write, capacity: 5_000 };
            at_each_await_point(|drops| {
                let mut world = World::new(role, Config::default(), manners, drops);
                for message in &sent {
                    world.socket.try_send(message.clone()).expect("room");
                }
                world.insist(async |socket: &mut Socket| socket.flush().await).expect("open");
                let polls = world.polls;
                world.settle();
                assert!(world.peer.events == sent, "{role:?} {manners:?} {drops:?}");
                polls
            });
        }
    }
}

/// The loop that applications write: receive, feed the answer, and let `recv` send it.
#[test]
fn an_echo_may_be_interrupted_anywhere() {
    let sent: Vec<_> = (1..12).map(|number| binary(number * 5)).collect();
    for role in ROLES {
        for manners in MANNERS {
            at_each_await_point(|drops| {
                let mut world = World::new(role, Config::default(), manners, drops);
                sent.iter().for_each(|message| world.peer.queue(message.clone()));
                for expected in &sent {
                    let receive = async |socket: &mut Socket| socket.recv().await;
                    let message = world.insist(receive).expect("open").expect("a message");
                    assert!(message == *expected, "{role:?} {manners:?} {drops:?}");
                    world.socket.try_send(message).expect("room");
                }
                world.peer.queue(Message::Close(None));
                let end = world.insist(async |socket: &mut Socket| socket.recv().await);
                assert!(matches!(end, Ok(None)), "{end:?}");
                let polls = world.polls;
                world.settle();
                let (close, echoed) = world.peer.events.split_last().expect("events");
                assert_eq!(*close, Message::Close(None));
                assert!(echoed == sent, "{role:?} {manners:?} {drops:?}");
                polls
            });
        }
    }
}
