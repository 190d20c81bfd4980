//! Who judges silence: whoever reads, after reading, and what a peer is in the middle of saying counts
//! (RFC 6455 sections 5.4 and 5.5.2).

use futures_util::{SinkExt as _, StreamExt};
use hybi::{Config, Connection, Deflate, Message, Negotiated, Version, extension::Extension as _};

use crate::{
    support::{
        tasks::{Task, run},
        versions::who_pings,
        ways::{Receives, Sends},
    },
    world::{BOTH, SECOND, World, connection, everyone, poll_once, quiet, seconds_until, wire},
};

/// A text of a megabyte.
fn megabyte() -> Message {
    Message::text("x".repeat(1_000_000))
}

/// Our ping is answered at once, behind these messages, and the application does not look for 25 s.
fn away_after_a_ping(world: &mut World, messages: &[Message]) {
    let task = Task::new();
    assert!(poll_once(&task, world.socket.recv()).is_pending());
    for _ in 0..2 {
        world.clock.advance(SECOND * 10);
        assert!(poll_once(&task, world.socket.recv()).is_pending());
    }
    messages.iter().for_each(|message| world.peer.queue(message.clone()));
    world.peer.step(usize::MAX);
    assert!(matches!(world.peer.events[..], [Message::Ping(_)]), "{:?}", world.peer.events);
    world.clock.advance(SECOND * 25);
}

/// The answer lies in the kernel, at the front or behind a message that nobody took: who sends has
/// not looked, and says nothing about it.
#[test]
fn who_sends_does_not_miss_an_answer_that_it_never_looked_for() {
    for (role, version) in who_pings() {
        for sends in Sends::ALL {
            for behind in [&[][..], &[Message::text("unread")]] {
                let what = format!("{role:?} {version:?} {sends:?} {behind:?}");
                let mut world = World::new(role, version, Config::default(), 50_000);
                away_after_a_ping(&mut world, behind);
                let World { socket, peer, clock } = &mut world;
                let sending = sends.send(socket, megabyte());
                let outcome = seconds_until(clock, 100, sending, |_| peer.step(50_000));
                let (_, outcome) = outcome.expect("a peer that reads");
                outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
                for message in behind {
                    let received = run(world.socket.recv(), || {}).expect("open");
                    assert_eq!(received.as_ref(), Some(message), "{what}");
                }
            }
        }
    }
}

/// The same with halves on two tasks, of which only the one that sends is polled.
#[test]
fn a_sending_half_does_not_miss_an_answer_that_the_other_never_looked_for() {
    for (role, version) in who_pings() {
        let mut world = World::new(role, version, Config::default(), 50_000);
        away_after_a_ping(&mut world, &[]);
        let World { socket, mut peer, clock } = world;
        let (mut sink, _stream) = StreamExt::split(socket);
        let sending = sink.send(megabyte());
        let outcome = seconds_until(&clock, 100, sending, |_| peer.step(50_000));
        let (_, outcome) = outcome.expect("a peer that reads");
        outcome.unwrap_or_else(|error| panic!("{role:?} {version:?}: {error}"));
    }
}

/// A minute without a message ends the connection.
fn impatient() -> Config {
    quiet().idle_timeout(Some(SECOND * 60))
}

/// Receives what comes in as many pieces, one each ten seconds.
fn uploads(mut world: World, receives: Receives, wire: &[u8], message: &Message, what: &str) {
    let pieces: Vec<_> = wire.chunks(wire.len().div_ceil(30)).collect();
    assert!(pieces.len() > 25);
    let far = &world.peer.far;
    let receiving = receives.next(&mut world.socket);
    let outcome = seconds_until(&world.clock, 400, receiving, |second| {
        if second % 10 == 0 {
            pieces.get(second as usize / 10).into_iter().for_each(|piece| far.put(piece));
        }
    });
    let (_, outcome) = outcome.expect("a message or an error");
    let received = outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(received.as_ref() == Some(message), "{what}");
}

/// A long message is no silence, however long it takes.
#[test]
fn the_pieces_of_a_message_are_activity() {
    for (role, version) in everyone() {
        for receives in Receives::ALL {
            for len in [100, 300_000] {
                let message = Message::text("x".repeat(len));
                let bytes = wire(role, version, [message.clone()]);
                let world = World::new(role, version, impatient(), usize::MAX);
                let what = format!("{role:?} {version:?} {receives:?} {len}");
                uploads(world, receives, &bytes, &message, &what);
            }
        }
    }
}

#[test]
fn fragments_of_a_message_are_activity() {
    for (role, version) in who_pings() {
        let message = Message::text("x".repeat(3_000));
        let mut peer = connection(role.peer(), version, quiet().fragment_size(Some(100)));
        peer.queue(message.clone()).expect("open");
        let bytes = peer.transmit_to_vec();
        let world = World::new(role, version, impatient(), usize::MAX);
        uploads(world, Receives::Recv, &bytes, &message, &format!("{role:?} {version:?}"));
    }
}

#[test]
fn the_pieces_of_a_compressed_message_are_activity() {
    let deflate = Deflate::default();
    let agreed = deflate.accept(&deflate.offers()[0]).expect("acceptable");
    let negotiated = Negotiated::new(Version::RFC6455, None, vec![agreed]);
    // Each of its lines is another one.
    let text: String =
        (0..20_000_u32).map(|n| format!("{:x}\n", n.wrapping_mul(0x9e37_79b9))).collect();
    let message = Message::from(text);
    for role in BOTH {
        let [own, mut peer] = [(role, impatient()), (role.peer(), quiet())]
            .map(|(role, config)| Connection::new(role, negotiated.clone(), config.into()));
        peer.queue(message.clone()).expect("open");
        let bytes = peer.transmit_to_vec();
        assert!(bytes.len() < message.len());
        let world = World::between(own, peer, usize::MAX);
        uploads(world, Receives::Recv, &bytes, &message, &format!("{role:?}"));
    }
}

/// For long, the application does nothing but send, to a peer that reads slowly and says something
/// now and then.
#[test]
fn who_sends_for_long_does_not_say_that_nothing_came() {
    for (role, version) in everyone() {
        for sends in Sends::ALL {
            let what = format!("{role:?} {version:?} {sends:?}");
            let mut world = World::new(role, version, impatient(), 5_000);
            let World { socket, peer, clock } = &mut world;
            let mut said = 0;
            let sending = sends.send(socket, megabyte());
            let outcome = seconds_until(clock, 400, sending, |second| {
                peer.step(5_000);
                if second % 10 == 0 {
                    said += 1;
                    peer.say([Message::text(said.to_string())]);
                }
            });
            let (seconds, outcome) = outcome.expect("a peer that reads");
            outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert!(seconds > 180, "{what}: {seconds} s");
            for number in 1..=said {
                let received = run(world.socket.recv(), || {}).expect("open");
                assert_eq!(received, Some(Message::text(number.to_string())), "{what}");
            }
            assert!(poll_once(&Task::new(), world.socket.recv()).is_pending(), "{what}");
        }
    }
}

/// A half that sends very much lets others run now and then, and judges no silence by that: what the
/// peer answered may lie behind a message that nobody took.
#[test]
fn who_sends_very_much_does_not_judge_silence() {
    for role in BOTH {
        let config = Config::default();
        let mut world = World::new(role, Version::RFC6455, config, usize::MAX);
        assert!(poll_once(&Task::new(), world.socket.recv()).is_pending());
        world.peer.say([Message::text("not taken")]);
        for second in 0..100 {
            for _ in 0..5_000 {
                let sent = run(world.socket.send("out"), || {});
                sent.unwrap_or_else(|error| panic!("{role:?}: {error} after {second} s"));
            }
            world.peer.step(usize::MAX);
            world.peer.events.clear();
            world.clock.advance(SECOND);
        }
    }
}
