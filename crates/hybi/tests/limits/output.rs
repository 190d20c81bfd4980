//! How long the frames are that messages are cut into, and how many bytes may wait to be sent.

use core::task::Poll;

use hybi::{Error, Message, Role, Version, WebSocket};

use crate::support::{
    clock::Clock,
    link::{Manners, link},
    tasks::Task,
    versions::{connection, everyone, input, quiet},
};

/// How many of the frames of an endpoint in `role` a message of `len` bytes becomes, as its peer counts
/// them: that takes so many beyond the first.
fn frames(role: Role, version: Version, size: usize, len: usize) -> u32 {
    let mut own = connection(role, version, quiet().fragment_size(Some(size)));
    own.queue("x".repeat(len)).expect("open");
    let wire = own.transmit_to_vec();
    let takes = |beyond: u32| {
        let mut peer = connection(role.peer(), version, quiet().max_fragments(beyond));
        input(&mut peer, &wire) == [Message::text("x".repeat(len))]
    };
    1 + (0..10).find(|beyond| takes(*beyond)).expect("few frames")
}

#[test]
fn a_message_longer_than_a_fragment_is_cut() {
    for (role, version) in everyone() {
        let many = |frames| if version > Version::HIXIE_76 { frames } else { 1 };
        for (len, expected) in [(99, 1), (100, 1), (101, 2), (200, 2), (201, 3)] {
            let frames = frames(role, version, 100, len);
            assert_eq!(frames, many(expected), "{role:?} {version:?}: {len} bytes");
        }
    }
}

const OUTBOX: usize = 1000;

#[test]
fn there_is_room_for_what_comes_to_the_limit() {
    for (role, version) in everyone() {
        let mut own = connection(role, version, quiet().outbox_limit(OUTBOX));
        assert!(own.has_room_for(usize::MAX), "alone, any message may be queued");
        own.queue("x".repeat(600)).expect("open");
        let room = OUTBOX - own.queued_bytes();
        assert!(room < 400, "headers count");
        assert!(own.has_room_for(room) && !own.has_room_for(room + 1), "{role:?} {version:?}");
    }
}

/// The same through a handle: the message comes back, or its sender waits.
#[test]
fn a_message_beyond_the_limit_comes_back_or_waits() {
    for (role, version) in everyone() {
        let what = format!("{role:?} {version:?}");
        // A transport that has taken one byte, and no room for another.
        let (end, far) = link(Manners { capacity: 1, ..Manners::PLAIN });
        let own = connection(role, version, quiet().outbox_limit(OUTBOX));
        let mut socket = WebSocket::new(own, end, Clock::new().timer());
        socket.try_send("x".repeat(600)).expect("nothing waits");
        let task = Task::new();
        assert!(task.poll(core::pin::pin!(socket.flush())).is_pending(), "{what}");
        let room = OUTBOX - socket.queued_bytes();

        let longer = Message::text("y".repeat(room + 1));
        let refused = socket.try_send(longer.clone()).expect_err("one byte too many");
        assert!(matches!(refused.error(), Error::Full), "{what}: {refused}");
        assert_eq!(refused.into_message(), Some(longer.clone()), "{what}");
        let waits = task.poll(core::pin::pin!(socket.feed(longer)));
        assert!(waits.is_pending(), "{what}");
        assert_eq!(socket.queued_bytes(), OUTBOX - room, "{what}: nothing of it is queued");

        let fits = task.poll(core::pin::pin!(socket.feed("y".repeat(room))));
        assert!(matches!(fits, Poll::Ready(Ok(()))), "{what}: {fits:?}");
        assert!(socket.queued_bytes() > OUTBOX, "{what}: its own header is not counted");
        drop(far);
    }
}
