//! Answers to the peer's control frames: they leave before the message behind them is handed out, and
//! in the order of what they answer (RFC 6455 sections 5.5.2 and 5.5.3).

use core::task::Poll;

use hybi::{CloseCode, Config, Message, Role, Version};

use crate::{
    support::{
        peer::Peer,
        tasks::{Task, run},
        versions::who_pings,
        ways::Receives,
    },
    world::{BOTH, World, connection, poll_once, quiet, wire},
};

fn ping(text: &str) -> Message {
    Message::Ping(text.to_owned().into())
}

fn pong(text: &str) -> Message {
    Message::Pong(text.to_owned().into())
}

/// What the peer has heard by now, without any poll in between.
fn heard(peer: &mut Peer) -> Vec<Message> {
    peer.step(usize::MAX);
    core::mem::take(&mut peer.events)
}

#[test]
fn a_ping_in_front_of_a_message_is_answered_before_the_message_is_handed_out() {
    for (role, version) in who_pings() {
        for receives in Receives::ALL {
            let what = format!("{role:?} {version:?} {receives:?}");
            let mut world = World::new(role, version, quiet(), usize::MAX);
            let texts = ["one", "two", "three"];
            world.peer.say(texts.into_iter().flat_map(|text| [ping(text), Message::text(text)]));
            for text in texts {
                let received = run(receives.next(&mut world.socket), || {}).expect("open");
                assert_eq!(received, Some(Message::text(text)), "{what}");
                assert_eq!(heard(&mut world.peer), [pong(text)], "{what}");
            }
        }
    }
}

/// It goes with what was fed before.
#[test]
fn a_ping_is_answered_behind_what_was_fed() {
    for (role, version) in who_pings() {
        let mut world = World::new(role, version, quiet(), usize::MAX);
        world.peer.say([ping("?"), Message::text("in")]);
        run(world.socket.feed("out"), || {}).expect("open");
        let received = run(world.socket.recv(), || {}).expect("open");
        assert_eq!(received, Some(Message::text("in")));
        let expected = [Message::text("out"), pong("?")];
        assert_eq!(heard(&mut world.peer), expected, "{role:?} {version:?}");
    }
}

/// A ping that is shown is answered before it is.
#[test]
fn a_ping_that_is_shown_is_answered_before_it_is_handed_out() {
    for (role, version) in who_pings() {
        for receives in Receives::ALL {
            let config = quiet().show_control_frames(true);
            let mut world = World::new(role, version, config, usize::MAX);
            world.peer.say([ping("shown"), Message::text("behind")]);
            let received = run(receives.next(&mut world.socket), || {}).expect("open");
            assert_eq!(received, Some(ping("shown")));
            let heard = heard(&mut world.peer);
            assert_eq!(heard, [pong("shown")], "{role:?} {version:?} {receives:?}");
        }
    }
}

/// What the transport does not take keeps no message back, and leaves with the next one if it can.
#[test]
fn an_answer_that_cannot_leave_keeps_no_message_back() {
    let long = "x".repeat(31);
    for (role, version) in who_pings() {
        for receives in Receives::ALL {
            let what = format!("{role:?} {version:?} {receives:?}");
            let mut world = World::new(role, version, quiet(), 30);
            world.peer.say([ping("first"), Message::text("one"), Message::text("two")]);
            let task = Task::new();
            assert!(poll_once(&task, world.socket.send(&*long)).is_pending(), "{what}");
            for text in ["one", "two"] {
                let Poll::Ready(received) = poll_once(&task, receives.next(&mut world.socket))
                else {
                    panic!("{what}: kept back")
                };
                assert_eq!(received.expect("open"), Some(Message::text(text)), "{what}");
                world.peer.step(usize::MAX);
            }
            assert_eq!(world.peer.events, [Message::text(&*long), pong("first")], "{what}");
        }
    }
}

/// The answers of a connection without I/O to pings of these texts, of which the transport takes so
/// many bytes after each.
fn answers(role: Role, version: Version, pings: &[&str], taken: &[usize]) -> Vec<Message> {
    let mut own = connection(role, version, Config::default());
    let mut peer = connection(role.peer(), version, Config::default());
    let mut wire = Vec::new();
    own.queue("in front").expect("open");
    own.transmit_blocked();
    for (text, taken) in pings.iter().zip(taken) {
        peer.queue(ping(text)).expect("open");
        let mut input = peer.transmit_to_vec();
        let mut at = 0;
        while at < input.len() {
            at += own.handle_input(&mut input[at..]).0;
        }
        // As a driver that was woken: it moves what there was when it last looked.
        let mut slices = [std::io::IoSlice::new(&[]); 1];
        if *taken > 0 && own.poll_transmit(&mut slices) > 0 {
            let len = slices[0].len().min(*taken);
            wire.extend_from_slice(&slices[0][..len]);
            own.transmitted(len);
        }
    }
    wire.extend(own.transmit_to_vec());
    let mut events = Vec::new();
    let mut at = 0;
    while at < wire.len() {
        let (consumed, event) = peer.handle_input(&mut wire[at..]);
        events.extend(event.map(Message::from));
        at += consumed;
    }
    events
}

/// Whatever was answered, was answered in order; the newest is never missing.
#[test]
fn pongs_are_in_the_order_of_their_pings() {
    let pings = ["1", "2", "3", "4", "5"];
    for (role, version) in who_pings() {
        for taken in [0_usize, 1, 2, 3, 100].into_iter().flat_map(|first| {
            [0, 1, 3, 100].into_iter().flat_map(move |second| {
                [0, 2, 100].map(|third| [first, second, third, first, second])
            })
        }) {
            let what = format!("{role:?} {version:?}, {taken:?} bytes taken");
            let events = answers(role, version, &pings, &taken);
            assert_eq!(events.first(), Some(&Message::text("in front")), "{what}");
            let mut rest = pings.iter();
            for event in &events[1..] {
                let known = rest.any(|text| *event == pong(text));
                assert!(known, "{what}: {events:?} is out of order");
            }
            assert_eq!(events.last(), Some(&pong("5")), "{what}: the newest");
        }
    }
}

/// A frame that lacks its end may break a rule before: the peer is told then, and not when more comes.
#[test]
fn what_is_wrong_in_a_frame_without_its_end_is_told_at_once() {
    for role in BOTH {
        for receives in Receives::ALL {
            let mut world = World::new(role, Version::RFC6455, quiet(), usize::MAX);
            let long = Message::text("x".repeat(20_000));
            let text = wire(role, Version::RFC6455, [long]);
            let header = text.len() - 20_000;
            world.peer.far.put(&[&text[..header], b"no \xff"].concat());
            assert!(poll_once(&Task::new(), receives.next(&mut world.socket)).is_pending());
            world.peer.step(usize::MAX);
            let [Message::Close(Some(frame))] = &world.peer.events[..] else {
                panic!("{role:?} {receives:?}: {:?}", world.peer.events)
            };
            assert_eq!(frame.code(), CloseCode::INVALID_PAYLOAD, "{role:?} {receives:?}");
        }
    }
}
