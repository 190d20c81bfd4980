//! Limits: on what payloads decode to, and on what it takes to get there (RFC 6455 section 10.4).

use hybi::{Compress, Config, Connection, Error, Message, Outgoing, frame::Violation};

use crate::{
    wire::{BINARY, CONTINUATION, Deflater, FIN, RSV1, TEXT, frame},
    world::{BOTH, Kind, config, feed, noise, pair, too_large},
};

const LIMIT: usize = 50_000;

fn limited() -> Config {
    config().max_message(LIMIT)
}

/// The endpoint of each role, and its peer, which has no such limit.
fn each(kind: Kind) -> impl Iterator<Item = [Connection; 2]> {
    BOTH.into_iter().map(move |role| {
        let [client, server] = pair(kind, &limited());
        let [free_client, free_server] = pair(kind, &config());
        match role {
            hybi::Role::Client => [client, free_server],
            hybi::Role::Server => [server, free_client],
        }
    })
}

fn violation(connection: &Connection) -> Violation {
    let Some(Error::Protocol(error)) = connection.error() else {
        panic!("{:?}", connection.error())
    };
    error.violation()
}

#[test]
fn the_limit_is_on_what_a_message_decodes_to() {
    for kind in Kind::ALL {
        for [mut own, mut peer] in each(kind) {
            for payload in [vec![0; LIMIT], noise(LIMIT, 1)] {
                peer.queue(Outgoing::from(payload.clone()).compress(Compress::Always))
                    .expect("open");
                let events = feed(&mut own, &peer.transmit_to_vec());
                assert!(events == [Message::binary(payload)], "{kind:?}: {:?}", own.error());
            }
            peer.queue(vec![0; LIMIT + 1]).expect("open");
            let events = feed(&mut own, &peer.transmit_to_vec());
            assert_eq!(events, [], "{kind:?}");
            let error = own.error().expect("too large");
            let code = error.close_code().map(u16::from);
            assert_eq!(code, Some(too_large(kind)), "{kind:?}: {error}");
        }
    }
}

/// Of two rules that a payload breaks, the first is told, in however many pieces it came.
#[test]
fn the_limit_comes_before_what_is_wrong_behind_it() {
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        for (len, too_much) in [(LIMIT, false), (LIMIT + 1, true)] {
            let bad = [&Deflater::new().flushed(&vec![1; len])[..], b"\x07"].concat();
            for step in [usize::MAX, 1, 7] {
                for [mut own, peer] in each(kind) {
                    let wire = frame(peer.role(), BINARY | RSV1, &bad);
                    wire.chunks(step).for_each(|chunk| assert_eq!(feed(&mut own, chunk), []));
                    let violation = violation(&own);
                    let told = matches!(violation, Violation::MessageTooLarge { .. });
                    assert_eq!(told, too_much, "{kind:?} in pieces of {step}: {violation:?}");
                }
            }
        }
    }
}

/// Blocks with nothing in them, as bytes: stored ones, and ones of 10 bits.
fn empty_blocks(stored: bool, blocks: usize) -> Vec<u8> {
    match stored {
        true => [0x00, 0x00, 0x00, 0xff, 0xff].repeat(blocks),
        // Four times the bits 010 0000000, lowest first.
        false => [0x02, 0x08, 0x20, 0x80, 0x00].repeat(blocks),
    }
}

/// What a message ends with that has its tail taken off.
const END: &[u8] = &[0x00];

#[test]
fn a_message_of_nothing_but_empty_blocks_is_empty() {
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        for [mut own, peer] in each(kind) {
            for stored in [true, false] {
                let payload = [&empty_blocks(stored, LIMIT / 5)[..], END].concat();
                let wire = frame(peer.role(), TEXT | RSV1, &payload);
                assert_eq!(feed(&mut own, &wire), [Message::text("")], "{kind:?} {stored}");
            }
        }
    }
}

/// One that never ends costs no more than the longest lawful message.
#[test]
fn empty_blocks_without_end_are_too_much() {
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        let per_frame = Kind::PER_FRAME.contains(&kind);
        let (every, end) = if per_frame { (RSV1, END) } else { (0, &[][..]) };
        for stored in [true, false] {
            for [mut own, peer] in each(kind) {
                let payload = [&empty_blocks(stored, 200)[..], end].concat();
                let mut first = BINARY | RSV1;
                let mut sent = 0;
                while own.error().is_none() {
                    assert!(sent < 2 * LIMIT, "{kind:?}: it goes on and on");
                    assert_eq!(feed(&mut own, &frame(peer.role(), first ^ FIN, &payload)), []);
                    first = CONTINUATION | every;
                    sent += payload.len();
                }
                assert!(sent > LIMIT, "{kind:?}: {sent}");
                assert!(matches!(violation(&own), Violation::MessageTooLarge { .. }));
            }
        }
    }
}

#[test]
fn a_single_frame_of_them_is_refused_by_its_header() {
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        for [mut own, peer] in each(kind) {
            let header = crate::wire::header(peer.role(), BINARY | RSV1, 2 * LIMIT);
            assert_eq!(feed(&mut own, &header), []);
            assert!(matches!(violation(&own), Violation::FrameTooLarge { .. }), "{kind:?}");
        }
    }
}

#[test]
fn fragments_that_decode_to_nothing_count() {
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        for role in BOTH {
            let [client, server] = pair(kind, &config().max_fragments(10));
            let mut own = if role == hybi::Role::Client { client } else { server };
            let per_frame = Kind::PER_FRAME.contains(&kind);
            let (every, end) = if per_frame { (RSV1, END) } else { (0, &[][..]) };
            let payload = [&empty_blocks(true, 1)[..], end].concat();
            let fragment = |first: u8| frame(role.peer(), first ^ FIN, &payload);
            assert_eq!(feed(&mut own, &fragment(TEXT | RSV1)), []);
            for _ in 0..10 {
                assert_eq!(feed(&mut own, &fragment(CONTINUATION | every)), []);
                assert!(own.error().is_none());
            }
            assert_eq!(feed(&mut own, &fragment(CONTINUATION | every)), []);
            assert_eq!(violation(&own), Violation::TooManyFragments { limit: 10 }, "{kind:?}");
        }
    }
}

/// The next message begins to count anew.
#[test]
fn each_message_has_the_limit_for_itself() {
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        for [mut own, peer] in each(kind) {
            let mut deflater = Deflater::new();
            for _ in 0..5 {
                let payload = deflater.message(&vec![1; LIMIT]);
                let wire = frame(peer.role(), BINARY | RSV1, &payload);
                assert_eq!(feed(&mut own, &wire), [Message::binary(vec![1; LIMIT])], "{kind:?}");
                let nothing = [&empty_blocks(true, LIMIT / 6)[..], END].concat();
                let wire = frame(peer.role(), BINARY | RSV1, &nothing);
                assert_eq!(feed(&mut own, &wire), [Message::binary(vec![])], "{kind:?}");
            }
        }
    }
}
