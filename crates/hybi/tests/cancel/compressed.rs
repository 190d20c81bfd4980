//! Compressed connections: the state of an extension advances when a message is queued or received, and
//! dropping a future never comes between (RFC 7692 section 7).

use hybi::{
    Config, Connection, Deflate, Message, Negotiated, Outgoing, Prepared, Role, Secret, Version,
    extension::Extension as _,
};

use crate::{
    support::link::Manners,
    world::{Drops, MANNERS, Socket, World, at_each_await_point},
};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// A world in which permessage-deflate was agreed on.
fn world(role: Role, config: Config, manners: Manners, drops: Drops) -> World {
    let deflate = Deflate::default();
    let agreed = deflate.accept(&deflate.offers()[0]).expect("acceptable");
    let negotiated = Negotiated::new(Version::RFC6455, None, vec![agreed]);
    let [own, peer] = [(role, config), (role.peer(), Config::default())]
        .map(|(role, config)| Connection::new(role, negotiated.clone(), config.into()));
    World::between(own, peer, manners, drops)
}

/// Messages that refer back to each other.
fn text(number: usize) -> String {
    format!("{{\"number\":{number},\"name\":\"κόσμε\"}}").repeat(4)
}

/// One of them in each form in which it can be sent.
fn outgoing(number: usize) -> Outgoing<'static> {
    match number % 3 {
        0 => text(number).into(),
        1 => Prepared::new(text(number)).into(),
        _ => Secret::new(text(number)).into(),
    }
}

fn send(role: Role, manners: Manners, drops: Drops, vanished: &mut usize) -> usize {
    let config = Config::default().outbox_limit(150).fragment_size(Some(40));
    let mut world = world(role, config, manners, drops);
    let mut accepted = Vec::new();
    for number in 0..6 {
        let feed = world.attempt(async |socket: &mut Socket| socket.feed(outgoing(number)).await);
        accepted.extend(feed.is_some().then(|| Message::text(text(number))));
        let sent = world.attempt(async |socket: &mut Socket| socket.send(text(number + 10)).await);
        accepted.extend(sent.is_some().then(|| Message::text(text(number + 10))));
    }
    let polls = world.polls;
    world.drops = Drops::Never;
    let close = async |socket: &mut Socket| socket.close(1000.into(), "").await;
    let status = world.insist(close).expect("a lawful code");
    world.settle();

    let what = format!("{role:?} {manners:?} {drops:?}");
    assert!(status.is_clean(), "{what}");
    assert!(world.peer.connection.error().is_none(), "{what}: torn");
    let (close, received) = world.peer.events.split_last().expect("events");
    assert!(matches!(close, Message::Close(Some(_))), "{what}: {close:?}");
    // Those whose future was dropped arrived whole or not at all, and none twice.
    let mut accepted = accepted.iter().peekable();
    let mut numbers = Vec::new();
    for message in received {
        accepted.next_if_eq(&message);
        numbers.push((0..16).find(|number| *message == Message::text(text(*number))));
    }
    assert_eq!(accepted.next(), None, "{what}: a message that was accepted is missing");
    let expected = (0..6).flat_map(|number| [Some(number), Some(number + 10)]);
    let mut expected = expected.filter(|number| numbers.contains(number));
    assert!(numbers.iter().all(|number| expected.next() == Some(*number)), "{what}: {numbers:?}");
    *vanished += 12 - numbers.len();
    polls
}

#[test]
fn sending_may_be_dropped_anywhere() {
    let mut vanished = 0;
    for role in ROLES {
        for manners in MANNERS.into_iter().filter(|manners| manners.capacity < 100) {
            at_each_await_point(|drops| send(role, manners, drops, &mut vanished));
        }
    }
    assert!(vanished > 10, "dropped while it waited for room: {vanished}");
}

#[test]
fn receiving_may_be_dropped_anywhere() {
    let receivers: [fn(usize) -> bool; 2] = [|_| false, |turn| turn % 2 == 0];
    for role in ROLES {
        for manners in MANNERS {
            for lends in receivers {
                at_each_await_point(|drops| {
                    let mut world = world(role, Config::default(), manners, drops);
                    for number in 0..4 {
                        world.peer.queue(text(number));
                        world.peer.queue(Message::Ping("?".into()));
                    }
                    world.peer.queue(Message::Close(None));
                    let (mut received, mut turn) = (Vec::new(), 0);
                    let mut receive = async |socket: &mut Socket| {
                        turn += 1;
                        match lends(turn) {
                            true => Ok(socket.recv_ref().await?.map(|message| message.to_owned())),
                            false => socket.recv().await,
                        }
                    };
                    let mut end = false;
                    while !end {
                        let message = world.insist(&mut receive).expect("no error");
                        end = message.is_none();
                        received.extend(message);
                    }
                    let expected: Vec<_> = (0..4).map(|n| Message::text(text(n))).collect();
                    assert_eq!(received, expected, "{role:?} {manners:?} {drops:?}");
                    let polls = world.polls;
                    world.settle();
                    assert!(world.socket.close_status().is_some_and(|status| status.is_clean()));
                    polls
                });
            }
        }
    }
}
