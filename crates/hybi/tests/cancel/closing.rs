//! `close`: a closing handshake that began goes on, whoever drives the connection afterwards.

use hybi::{CloseCode, Config, Endpoint, Message, Role, State};

use crate::{
    support::link::Manners,
    world::{Drops, MANNERS, Socket, World, at_each_await_point},
};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// What is called after a `close` was dropped.
#[derive(Clone, Copy, Debug)]
enum Then {
    Close,
    Receive,
}

fn close(role: Role, then: Then, manners: Manners, drops: Drops) -> usize {
    let mut world = World::new(role, Config::default(), manners, drops);
    let what = format!("{role:?} {then:?} {manners:?} {drops:?}");
    world.socket.try_send("before").expect("room");
    world.peer.queue("under way");
    let code = CloseCode::from(4000);
    let closes = async |socket: &mut Socket| socket.close(code, "bye").await;
    let first = world.attempt(closes);
    // A future does nothing before it is polled; then nothing has begun.
    assert_eq!(world.socket.state() == State::Open, world.polls == 0, "{what}");
    match (first, then) {
        (Some(status), _) => assert!(status.expect("lawful").is_clean(), "{what}"),
        (None, Then::Receive) if world.polls > 0 => {
            let receives = async |socket: &mut Socket| socket.recv().await;
            while let Some(message) = world.insist(receives).expect("no error") {
                assert_eq!(message, Message::text("under way"), "{what}");
            }
        }
        (None, _) => assert!(world.insist(closes).expect("lawful").is_clean(), "{what}"),
    }
    let polls = world.polls;
    world.settle();

    assert_eq!(world.socket.state(), State::Closed, "{what}");
    let status = world.socket.close_status().expect("a status");
    assert!(status.is_clean(), "{what}");
    assert_eq!(status.began_by(), Some(Endpoint::Local));
    assert_eq!((status.sent(), status.code()), (Some(code), code));
    let [Message::Text(text), Message::Close(Some(frame))] = &world.peer.events[..] else {
        panic!("{what}: {:?}", world.peer.events)
    };
    assert_eq!(text.as_str(), "before");
    assert_eq!((frame.code(), frame.reason().as_str()), (code, "bye"));
    assert!(world.peer.connection.error().is_none(), "{what}");
    assert_eq!(world.peer.connection.state(), State::Closed, "{what}: the transport was ended");
    polls
}

#[test]
fn a_dropped_close_is_finished_by_the_next() {
    for role in ROLES {
        for manners in MANNERS {
            at_each_await_point(|drops| close(role, Then::Close, manners, drops));
        }
    }
}

#[test]
fn a_dropped_close_is_finished_by_receiving() {
    for role in ROLES {
        for manners in MANNERS {
            at_each_await_point(|drops| close(role, Then::Receive, manners, drops));
        }
    }
}

#[test]
fn an_answer_to_the_peers_close_is_not_lost() {
    for role in ROLES {
        for manners in MANNERS {
            at_each_await_point(|drops| {
                let mut world = World::new(role, Config::default(), manners, drops);
                world.socket.try_send("before").expect("room");
                world.peer.queue(Message::Close(None));
                let end = world.insist(async |socket: &mut Socket| socket.recv().await);
                assert!(matches!(end, Ok(None)), "{end:?}");
                let polls = world.polls;
                world.settle();
                let expected = [Message::text("before"), Message::Close(None)];
                assert_eq!(world.peer.events, expected, "{role:?} {manners:?} {drops:?}");
                assert_eq!(world.peer.connection.state(), State::Closed);
                polls
            });
        }
    }
}
