//! Long work on one message leaves other tasks of the thread their turn, and control frames pass
//! meanwhile (RFC 7692 section 7, RFC 6455 section 5.5).

use core::{fmt::Write as _, pin::pin, task::Poll};

use hybi::{
    Config, Connection, Deflate, Message, Negotiated, Role, Version,
    extension::{DeflateFrame, DeflateStream, Extension, PerframeCompress, PermessageCompress},
};

use crate::{
    support::{
        tasks::Task,
        versions::terms,
        ways::{Receives, Sends},
    },
    world::{BOTH, World, quiet},
};

/// The longest message that is accepted by default.
pub(crate) const LEN: usize = 16 * 1024 * 1024;

/// The least turns that another task has to get while such a message is compressed or inflated.
pub(crate) const TURNS: usize = 16;

/// Records as services exchange them, of so many kinds.
pub(crate) fn json(kinds: u32) -> Message {
    let mut text = String::with_capacity(LEN);
    for number in (0..kinds).cycle() {
        let (id, amount) = (number.wrapping_mul(0x9e37_79b9), number.wrapping_mul(48_271) % 10_000);
        let before = text.len();
        writeln!(
            text,
            "{{\"id\":\"{id:08x}\",\"amount\":{amount},\"name\":\"customer {number}\"}}"
        )
        .expect("room");
        if text.len() > LEN {
            text.truncate(before);
            break;
        }
    }
    Message::from(text)
}

/// Each record is another one: some megabytes remain.
pub(crate) const DISTINCT: u32 = u32::MAX;

/// So few that the whole message fits in one chunk.
const FEW: u32 = 10;

/// A connection of `role` and its peer, with permessage-deflate.
pub(crate) fn compressed(role: Role, fragment: Option<usize>) -> World {
    with(&Deflate::default(), Version::RFC6455, role, fragment)
}

/// The same with another extension.
pub(crate) fn with(
    extension: &dyn Extension,
    version: Version,
    role: Role,
    fragment: Option<usize>,
) -> World {
    let agreed = extension.accept(&extension.offers()[0]).expect("acceptable");
    let mut negotiated = Negotiated::new(version, None, vec![agreed]);
    if version < Version::HYBI_07 {
        negotiated = negotiated.with_terms(terms(version));
    }
    let make = |role, config: Config| Connection::new(role, negotiated.clone(), config.into());
    let peer = make(role.peer(), quiet().fragment_size(fragment));
    // There is room for more than one long message.
    World::between(make(role, quiet().outbox_limit(4 * LEN)), peer, usize::MAX)
}

/// Runs a future beside another task of the thread, which wants its turn again and again; gives the
/// turns that it had until the end.
pub(crate) fn turns_beside<R>(
    future: impl Future<Output = R>,
    mut turn: impl FnMut(),
) -> (usize, R) {
    let (task, mut future) = (Task::new(), pin!(future));
    for turns in 0..1_000_000 {
        if let Poll::Ready(output) = task.poll(future.as_mut()) {
            return (turns, output);
        }
        assert!(task.wakes() > 0, "it waits for nothing");
        turn();
    }
    panic!("no end");
}

#[test]
fn other_tasks_have_their_turn_while_a_long_message_is_compressed() {
    let message = json(DISTINCT);
    for role in BOTH {
        for sends in Sends::ALL {
            let what = format!("{role:?} {sends:?}");
            let mut world = compressed(role, None);
            let sending = sends.send(&mut world.socket, message.clone());
            let (turns, outcome) = turns_beside(sending, || {});
            outcome.expect("open");
            assert!(turns >= TURNS, "{what}: another task had {turns} turns");
            world.peer.step(usize::MAX);
            assert!(world.peer.events == [message.clone()], "{what}");
        }
    }
}

#[test]
fn other_tasks_have_their_turn_while_a_long_message_is_inflated() {
    for (role, kinds) in BOTH.into_iter().flat_map(|role| [(role, DISTINCT), (role, FEW)]) {
        let message = json(kinds);
        for receives in Receives::ALL {
            for fragment in [None, Some(10_000)] {
                let what = format!("{role:?} {receives:?} {fragment:?}, {kinds} kinds");
                let mut world = compressed(role, fragment);
                world.peer.say([message.clone()]);
                let receiving = receives.next(&mut world.socket);
                let (turns, outcome) = turns_beside(receiving, || {});
                assert!(outcome.expect("open").as_ref() == Some(&message), "{what}");
                assert!(turns >= TURNS, "{what}: another task had {turns} turns");
            }
        }
    }
}

/// The extensions of the drafts do the same work.
#[test]
fn other_tasks_have_their_turn_whatever_compresses() {
    let deflate = Deflate::default();
    let (message, stream) = (json(DISTINCT), DeflateStream::new(deflate));
    let extensions: [(Version, &dyn Extension); 4] = [
        (Version::RFC6455, &PermessageCompress::new(deflate)),
        (Version::RFC6455, &PerframeCompress::new(deflate)),
        (Version::RFC6455, &DeflateFrame::new(deflate)),
        (Version::HYBI_08, &stream),
    ];
    for (version, extension) in extensions {
        for role in BOTH {
            let what = format!("{role:?} {}", extension.offers()[0]);
            let mut world = with(extension, version, role, None);
            let sending = Sends::Send.send(&mut world.socket, message.clone());
            let (turns, outcome) = turns_beside(sending, || {});
            outcome.expect("open");
            assert!(turns >= TURNS, "{what}: another task had {turns} turns of who sends");
            world.peer.say([message.clone()]);
            let (turns, outcome) = turns_beside(world.socket.recv(), || {});
            assert!(outcome.expect("open").as_ref() == Some(&message), "{what}");
            assert!(turns >= TURNS, "{what}: another task had {turns} turns of who receives");
        }
    }
}

/// The peer asks before the message is begun, and has its answer before the message is complete.
#[test]
fn a_ping_is_answered_before_a_long_message_is_compressed_to_its_end() {
    let message = json(DISTINCT);
    for role in BOTH {
        let mut world = compressed(role, None);
        let World { socket, peer, .. } = &mut world;
        let mut turns = 0;
        let (_, outcome) = turns_beside(Sends::Send.send(socket, message.clone()), || {
            turns += 1;
            // After the first turns, so that it is in the middle of its work.
            if turns == 3 {
                peer.say([Message::Ping("there?".into())]);
            }
            peer.step(usize::MAX);
        });
        outcome.expect("open");
        peer.step(usize::MAX);
        let answered =
            peer.events.iter().position(|event| *event == Message::Pong("there?".into()));
        let complete = peer.events.iter().position(|event| *event == message);
        assert!(complete.is_some(), "{role:?}");
        assert!(answered.is_some() && answered < complete, "{role:?}: {turns} turns, no answer");
    }
}

/// The peer asks behind the first fragment of its message, and has its answer before it is complete.
#[test]
fn a_ping_is_answered_before_a_long_message_is_inflated_to_its_end() {
    let message = json(FEW);
    for role in BOTH {
        let mut world = compressed(role, Some(1_000));
        world.peer.queue(message.clone());
        let bytes = world.peer.connection.transmit_to_vec();
        let ping = if role == Role::Server { &b"\x89\x81\0\0\0\0?"[..] } else { b"\x89\x01?" };
        let border = fragment_border(&bytes);
        let World { socket, peer, .. } = &mut world;
        peer.far.put(&[&bytes[..border], ping, &bytes[border..]].concat());
        let (turns, outcome) = turns_beside(socket.recv(), || peer.step(usize::MAX));
        assert!(outcome.expect("open").as_ref() == Some(&message), "{role:?}");
        // What was heard in one of those turns; nothing more is read of what left at the end.
        assert_eq!(peer.events, [Message::Pong("?".into())], "{role:?}: in {turns} turns");
    }
}

/// Where the first fragment ends.
fn fragment_border(bytes: &[u8]) -> usize {
    let (masked, len) = (bytes[1] & 0x80 != 0, u16::from_be_bytes([bytes[2], bytes[3]]));
    assert_eq!(bytes[1] & 0x7f, 126, "a fragment of a thousand bytes");
    4 + if masked { 4 } else { 0 } + usize::from(len)
}
