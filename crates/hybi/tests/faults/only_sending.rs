//! An application that does nothing but send: the peer's control frames are taken in all the same
//! (RFC 6455 sections 5.5 and 5.5.2).

use core::{iter, pin::pin, task::Poll};

use hybi::{
    CloseCode, Config, Deadline, Deflate, Endpoint, Error, Message, Role, Version,
    extension::DeflateStream,
};

use crate::{
    slices,
    support::{
        tasks::{Task, run},
        versions::who_pings,
        ways::{Receives, Sends},
    },
    world::{SECOND, Socket, World, everyone, poll_once, quiet, seconds_until, wire},
};

/// What the peer heard, data aside.
fn control(world: &mut World) -> Vec<Message> {
    world.peer.step(usize::MAX);
    world.peer.events.drain(..).filter(|message| !message.is_data()).collect()
}

/// Sends three messages, which are enough to look once.
fn send(world: &mut World, sends: Sends) -> Result<(), Error> {
    (0..3).try_for_each(|_| run(sends.send(&mut world.socket, "out"), || {}))
}

#[test]
fn pings_are_answered_by_who_only_sends() {
    for (role, version) in who_pings() {
        for sends in Sends::ALL {
            let what = format!("{role:?} {version:?} {sends:?}");
            let mut world = World::new(role, version, quiet(), usize::MAX);
            for round in ["one", "two", "three"] {
                world.peer.say([Message::Ping(round.into())]);
                send(&mut world, sends).expect("open");
                assert_eq!(control(&mut world), [Message::Pong(round.into())], "{what}");
            }
        }
    }
}

/// The same while a long message is on its way, to a peer that reads slowly.
#[test]
fn pings_are_answered_by_who_waits_to_send() {
    for (role, version) in who_pings() {
        for sends in Sends::ALL {
            let what = format!("{role:?} {version:?} {sends:?}");
            let mut world = World::new(role, version, quiet(), 10_000);
            let World { socket, peer, clock } = &mut world;
            let long = Message::text("x".repeat(200_000));
            let sent = seconds_until(clock, 100, sends.send(socket, long), |second| {
                if second == 3 {
                    peer.say([Message::Ping("there?".into())]);
                }
                peer.step(10_000);
            });
            let (_, outcome) = sent.expect("a peer that reads");
            outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(control(&mut world), [Message::Pong("there?".into())], "{what}");
        }
    }
}

/// A message that nobody took is not passed by, and not lost.
#[test]
fn what_stands_behind_a_message_waits_for_who_receives() {
    for (role, version) in who_pings() {
        for (sends, receives) in Sends::ALL.into_iter().zip(Receives::ALL.into_iter().cycle()) {
            let what = format!("{role:?} {version:?} {sends:?} {receives:?}");
            let mut world = World::new(role, version, quiet(), usize::MAX);
            let [before, behind] = ["before", "behind"].map(|text| Message::Ping(text.into()));
            world.peer.say([before, Message::text("a"), Message::text("b"), behind]);
            send(&mut world, sends).expect("open");
            assert_eq!(control(&mut world), [Message::Pong("before".into())], "{what}");
            for text in ["a", "b"] {
                let received = run(receives.next(&mut world.socket), || {}).expect("open");
                assert_eq!(received, Some(Message::text(text)), "{what}");
            }
            assert!(poll_once(&Task::new(), receives.next(&mut world.socket)).is_pending());
            assert_eq!(control(&mut world), [Message::Pong("behind".into())], "{what}");
        }
    }
}

/// Control frames that are shown are somebody's to receive, as messages are; unless nobody receives any more.
#[test]
fn shown_control_frames_wait_for_who_receives() {
    let shown = || quiet().show_control_frames(true);
    let ping = || Message::Ping("shown".into());
    for (role, version) in who_pings() {
        for (sends, receives) in Sends::ALL.into_iter().zip(Receives::ALL.into_iter().cycle()) {
            let what = format!("{role:?} {version:?} {sends:?} {receives:?}");
            let mut world = World::new(role, version, shown(), usize::MAX);
            world.peer.say([ping(), Message::Close(None)]);
            send(&mut world, sends).expect("nobody saw the Close frame");
            assert_eq!(control(&mut world), [], "{what}");
            let received = run(receives.next(&mut world.socket), || {}).expect("open");
            assert_eq!(received, Some(ping()), "{what}");
            let [pong, ..] = &control(&mut world)[..] else { panic!("{what}: no answer") };
            assert_eq!(*pong, Message::Pong("shown".into()), "{what}");
        }
        let mut world = World::new(role, version, shown(), usize::MAX);
        world.peer.say([ping()]);
        let (mut sender, receiver) = world.socket.split();
        drop(receiver);
        run(sender.send("out"), || {}).expect("open");
        run(sender.send("out"), || {}).expect("open");
        world.peer.step(usize::MAX);
        let answer = Message::Pong("shown".into());
        assert!(
            world.peer.events.contains(&answer),
            "{role:?} {version:?}: {:?}",
            world.peer.events
        );
    }
}

/// However many pings there are, who sends is not kept by them.
#[test]
fn a_flood_of_pings_does_not_keep_who_sends() {
    for (role, version) in who_pings() {
        for sends in Sends::ALL {
            let what = format!("{role:?} {version:?} {sends:?}");
            let mut world = World::new(role, version, quiet(), usize::MAX);
            let ping = wire(role, version, [Message::Ping("!".into())]);
            world.peer.far.put(&ping.repeat(500_000));
            let task = Task::new();
            let sent = poll_once(&task, sends.send(&mut world.socket, "out"));
            assert!(matches!(sent, Poll::Ready(Ok(()))), "{what}: {sent:?}");
            let answers = control(&mut world).len();
            assert!(answers > 0, "{what}: none was answered");
            assert!(answers < 100_000, "{what}: {answers} were answered before anything was sent");
        }
    }
}

/// Sends until it is told that it is over.
async fn send_on(socket: &mut Socket, sends: Sends) -> Error {
    for _ in 0..3 {
        if let Err(error) = sends.send(socket, "out").await {
            return error;
        }
    }
    panic!("sent on and on");
}

#[test]
fn the_peers_close_is_seen_by_who_only_sends() {
    for (role, version) in everyone() {
        for sends in Sends::ALL {
            let what = format!("{role:?} {version:?} {sends:?}");
            let mut world = World::new(role, version, quiet(), usize::MAX);
            send(&mut world, sends).expect("open");
            world.peer.step(usize::MAX);
            world.peer.say([Message::Close(None)]);
            if version == Version::HIXIE_75 {
                world.peer.far.end();
            }
            let sent = (0..3).map(|_| run(sends.send(&mut world.socket, "out"), || {}));
            let error = sent.filter_map(Result::err).next();
            let error = error.unwrap_or_else(|| panic!("{what}: sent on and on"));
            assert!(matches!(error, Error::Closed), "{what}: {error}");
            let status = world.socket.close_status().expect("it ends");
            assert_eq!(status.began_by(), Some(Endpoint::Peer), "{what}");
            assert_eq!(status.code(), CloseCode::NO_STATUS, "{what}");
            if version != Version::HIXIE_75 {
                let _ = poll_once(&Task::new(), world.socket.flush());
                assert_eq!(control(&mut world).len(), 1, "{what}: the answer");
            }
        }
    }
}

/// The transport ends without a word: sending on would be for nobody.
#[test]
fn a_lost_connection_is_seen_by_who_only_sends() {
    for (role, version) in everyone().filter(|(_, version)| *version != Version::HIXIE_75) {
        for sends in Sends::ALL {
            let mut world = World::new(role, version, quiet(), usize::MAX);
            send(&mut world, sends).expect("open");
            world.peer.far.end();
            let error = run(send_on(&mut world.socket, sends), || {});
            assert!(matches!(error, Error::Lost), "{role:?} {version:?} {sends:?}: {error}");
        }
    }
}

/// A peer that vanished, with a network that takes everything: nobody answers our pings.
#[test]
fn a_peer_that_vanished_is_noticed_by_who_only_sends() {
    for (role, version) in who_pings() {
        for sends in Sends::ALL {
            let what = format!("{role:?} {version:?} {sends:?}");
            let mut world = World::new(role, version, Config::default(), usize::MAX);
            let noticed = (0..200).find_map(|second| {
                let sent = run(sends.send(&mut world.socket, "out"), || {});
                world.clock.advance(SECOND);
                sent.err().map(|error| (second, error))
            });
            let Some((second, error)) = noticed else { panic!("{what}: sent on for 200 s") };
            assert!(matches!(error, Error::Timeout(Deadline::Pong)), "{what}: {error}");
            assert!((39..=62).contains(&second), "{what}: {second} s");
        }
    }
}

/// A peer that breaks a rule is told, also by who only sends.
#[test]
fn a_violation_is_seen_by_who_only_sends() {
    for role in crate::world::BOTH {
        for sends in Sends::ALL {
            let mut world = World::new(role, Version::RFC6455, quiet(), usize::MAX);
            let reserved = if role == Role::Server { &b"\x83\x80\0\0\0\0"[..] } else { b"\x83\0" };
            world.peer.far.put(reserved);
            let error = run(send_on(&mut world.socket, sends), || {});
            assert!(matches!(error, Error::Protocol(_)), "{role:?} {sends:?}: {error}");
            let _ = poll_once(&Task::new(), world.socket.flush());
            let told = control(&mut world);
            assert!(matches!(told[..], [Message::Close(Some(_))]), "{role:?} {sends:?}: {told:?}");
        }
    }
}

/// The same in the versions before that.
#[test]
fn a_reserved_opcode_of_a_draft_is_seen_by_who_only_sends() {
    for version in Version::ALL
        .into_iter()
        .filter(|version| (Version::HYBI_01..Version::HYBI_07).contains(version))
    {
        for sends in Sends::ALL {
            let mut world = World::new(Role::Client, version, quiet(), usize::MAX);
            world.peer.far.put(b"\x0f\x00");
            let error = run(send_on(&mut world.socket, sends), || {});
            assert!(matches!(error, Error::Protocol(_)), "{version:?} {sends:?}: {error}");
        }
    }
}

/// A control frame may come in pieces. From hybi-04 to 06 a client's frames are masked as a whole: only the
/// fifth byte tells what one is.
#[test]
fn a_ping_in_pieces_is_answered_by_who_only_sends() {
    for (role, version) in who_pings() {
        for sends in Sends::ALL {
            for cut in 1..4 + 3 {
                let what = format!("{role:?} {version:?} {sends:?}, cut at {cut}");
                let mut world = World::new(role, version, quiet(), usize::MAX);
                let ping = wire(role, version, [Message::Ping("abc".into())]);
                for piece in [&ping[..cut.min(ping.len())], &ping[cut.min(ping.len())..]] {
                    world.peer.far.put(piece);
                    for _ in 0..3 {
                        send(&mut world, sends).expect("open");
                    }
                }
                assert_eq!(control(&mut world), [Message::Pong("abc".into())], "{what}");
            }
        }
    }
}

/// How much of an encoded stream is decoded at a time.
const DECODED: usize = 16 * 1024;

/// A peer whose frames are one stream, and which sends so many bytes of Pings first.
fn streaming(role: Role, version: Version, pings: usize) -> World {
    let mut world = slices::with(&DeflateStream::new(Deflate::default()), version, role, None);
    let frame = |len: usize| Message::Ping(vec![b'.'; len].into());
    let header = wire(role, version, [frame(0)]).len();
    let len = header + 100;
    // The last two are shorter or longer, as it comes out.
    let rest = pings % len + 100 - header;
    let rest = [rest / 2, rest.div_ceil(2)].map(frame);
    let said: Vec<_> = iter::repeat_n(frame(100), pings / len - 1).chain(rest).collect();
    assert_eq!(wire(role, version, said.clone()).len(), pings);
    world.peer.say(said.into_iter().chain(["a", "b"].map(Message::text)));
    world
}

/// What is decoded at a time may end within a header: that it tells nothing as yet does not mean that what
/// stands behind it is for who sends.
#[test]
fn no_message_is_taken_in_by_who_only_sends_wherever_decoding_stops() {
    for (role, version) in who_pings() {
        for before in 0..=20 {
            let what = format!("{role:?} {version:?}, {before} bytes in front");
            let mut world = streaming(role, version, DECODED - before);
            for _ in 0..3 {
                send(&mut world, Sends::Send).expect("open");
            }
            // So does who waits for the answer to the Close frame.
            let (mut sender, mut receiver) = world.socket.split();
            let task = Task::new();
            let mut closing = pin!(sender.close(CloseCode::NORMAL, ""));
            for _ in 0..3 {
                assert!(task.poll(closing.as_mut()).is_pending(), "{what}");
            }
            for text in ["a", "b"] {
                let received = run(receiver.recv(), || {}).expect("open");
                assert_eq!(received, Some(Message::text(text)), "{what}");
                for _ in 0..3 {
                    assert!(task.poll(closing.as_mut()).is_pending(), "{what}");
                }
            }
        }
    }
}
