//! `recv` and `recv_ref`: every message arrives once and whole, whenever they are dropped.

use hybi::{Config, Error, Message, Role};

use crate::{
    support::link::Manners,
    world::{Drops, MANNERS, Socket, World, at_each_await_point, binary},
};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

async fn owned(socket: &mut Socket) -> Result<Option<Message>, Error> {
    socket.recv().await
}

async fn lent(socket: &mut Socket) -> Result<Option<Message>, Error> {
    Ok(socket.recv_ref().await?.map(|message| message.to_owned()))
}

/// Receives what the peer sends, and then its Close frame; returns the number of polls.
fn receive(
    role: Role,
    manners: Manners,
    drops: Drops,
    sent: &[Message],
    mut receive: impl AsyncFnMut(&mut Socket) -> Result<Option<Message>, Error>,
) -> usize {
    let mut world = World::new(role, Config::default(), manners, drops);
    for message in sent {
        world.peer.queue(message.clone());
        world.peer.queue(Message::Ping("?".into()));
    }
    world.peer.queue(Message::Close(None));
    let mut received = Vec::new();
    while let Some(message) = world.insist(&mut receive).expect("no error") {
        received.push(message);
    }
    assert!(received == sent, "{role:?} {manners:?} {drops:?}");
    let polls = world.polls;
    world.settle();
    let status = world.socket.close_status().expect("a status");
    assert!(status.is_clean(), "{role:?} {manners:?} {drops:?}");

    // The answers leave in order and once, too; a blocked transport may save some of them.
    let events = &world.peer.events;
    let (close, pongs) = events.split_last().expect("events");
    assert_eq!(*close, Message::Close(None), "{role:?} {manners:?} {drops:?}");
    assert!(pongs.iter().all(|pong| *pong == Message::Pong("?".into())), "{pongs:?}");
    assert!((1..=sent.len()).contains(&pongs.len()), "{pongs:?}");
    polls
}

fn short() -> Vec<Message> {
    vec![Message::text("one"), binary(0), Message::text("κόσμε"), binary(130), Message::text("end")]
}

#[test]
fn recv_may_be_dropped_anywhere() {
    for role in ROLES {
        for manners in MANNERS {
            at_each_await_point(|drops| receive(role, manners, drops, &short(), owned));
        }
    }
}

#[test]
fn recv_ref_may_be_dropped_anywhere() {
    for role in ROLES {
        for manners in MANNERS {
            at_each_await_point(|drops| receive(role, manners, drops, &short(), lent));
        }
    }
}

/// A long message is read past the chunk, straight into its buffer.
#[test]
fn direct_reads_may_be_dropped_anywhere() {
    let sent = [binary(70_000), Message::text("ä".repeat(40_000)), Message::text("end")];
    for role in ROLES {
        for read in [3_001, usize::MAX] {
            let manners = Manners { reluctance: 1, read, ..Manners::PLAIN };
            at_each_await_point(|drops| receive(role, manners, drops, &sent, owned));
            at_each_await_point(|drops| receive(role, manners, drops, &sent, lent));
        }
    }
}

/// The two forms may be mixed: each goes on where the other was dropped.
#[test]
fn both_forms_may_take_turns() {
    for manners in MANNERS {
        at_each_await_point(|drops| {
            let mut turn = 0;
            receive(Role::Server, manners, drops, &short(), async move |socket: &mut Socket| {
                turn += 1;
                if turn % 2 == 0 { owned(socket).await } else { lent(socket).await }
            })
        });
    }
}

/// An error is told however often the future that would have told it is dropped.
#[test]
fn errors_are_not_lost_either() {
    for manners in MANNERS {
        at_each_await_point(|drops| {
            let mut world = World::new(Role::Server, Config::default(), manners, drops);
            world.peer.far.put(b"\x81\x82\0\0\0\0ok\x83\x80\0\0\0\0");
            let first = world.insist(owned).expect("a message before the error");
            assert_eq!(first, Some(Message::text("ok")));
            for _ in 0..2 {
                let error = world.insist(owned).expect_err("a reserved opcode");
                assert!(matches!(error, Error::Protocol(_)), "{error}");
            }
            let polls = world.polls;
            world.settle();
            let [Message::Close(Some(close))] = &world.peer.events[..] else {
                panic!("{drops:?}: {:?}", world.peer.events)
            };
            assert_eq!(close.code().as_u16(), 1002);
            polls
        });
    }
}
