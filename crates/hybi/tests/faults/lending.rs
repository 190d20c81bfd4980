//! What is lent is what was sent, wherever it lay (RFC 6455 section 5.6, and the framings before it).

use hybi::{Message, Version};

use crate::{
    support::{tasks::run, ways::Receives},
    world::{World, everyone, quiet, wire},
};

/// Messages that a version can carry, short ones and some that fill half a chunk.
fn messages(version: Version) -> Vec<Message> {
    let mut messages: Vec<Message> =
        ["hello", "", "κόσμε 漢字 \u{10ffff}", "z"].map(Message::text).into();
    messages.extend([125, 126, 127, 128, 30_000].map(|len| Message::text("x".repeat(len))));
    if version > Version::HIXIE_76 {
        messages.extend([0, 1, 126, 9_000].map(|len| Message::binary(vec![0xff; len])));
        messages.push(Message::Ping("not shown".into()));
    }
    messages.push(Message::text("the last"));
    messages
}

/// All in one chunk, cut in two at any place near a border, or in small pieces.
#[test]
fn what_lay_whole_in_the_chunk_is_not_lost() {
    for (role, version) in everyone() {
        for receives in Receives::ALL {
            for piece in [usize::MAX, 40_000, 31, 1] {
                let what = format!("{role:?} {version:?} {receives:?} {piece}");
                let mut world = World::new(role, version, quiet(), usize::MAX);
                let bytes = wire(role, version, messages(version));
                let mut pieces = bytes.chunks(piece);
                let mut next =
                    || pieces.next().into_iter().for_each(|bytes| world.peer.far.put(bytes));
                next();
                for expected in messages(version).iter().filter(|message| message.is_data()) {
                    let received = run(receives.next(&mut world.socket), &mut next);
                    assert_eq!(received.expect("open").as_ref(), Some(expected), "{what}");
                }
            }
        }
    }
}
