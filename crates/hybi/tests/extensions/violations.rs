//! What a peer may not do: the bit where it does not belong, and payloads that are no DEFLATE data
//! or no text (RFC 7692 sections 6 and 7.2, RFC 6455 sections 5.2, 8.1 and 9).

use hybi::{
    CloseCode, Connection, Deflate, Error, Extensions, Message, Role, State,
    frame::{Rsv, Violation},
};

use crate::{
    wire::{BINARY, CLOSE, CONTINUATION, Deflater, FIN, PING, RSV1, TEXT, frame, frames},
    world::{BOTH, CHECKS_DISTANCES, Kind, agreed, config, feed, json, open, pair},
};

const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\x00";

/// The endpoint of this role, and the frames that its peer may send.
fn own(kind: Kind, role: Role) -> (Connection, impl Fn(u8, &[u8]) -> Vec<u8>) {
    let [client, server] = pair(kind, &config());
    let own = if role == Role::Client { client } else { server };
    (own, move |first: u8, payload: &[u8]| frame(role.peer(), first, payload))
}

/// Gives a connection frames of which the last breaks a rule, however they are cut; the messages
/// before it are delivered, and the peer is told why nothing follows.
#[track_caller]
fn offend(kind: Kind, role: Role, wire: &[u8], before: &[Message], code: u16) -> Violation {
    let mut violations = Vec::new();
    for step in [usize::MAX, 1, 2, 7] {
        let (mut own, _) = own(kind, role);
        let mut events = Vec::new();
        for chunk in wire.chunks(step) {
            events.extend(feed(&mut own, chunk));
        }
        assert_eq!(events, before, "{kind:?} {role:?}");
        let Some(Error::Protocol(error)) = own.error() else {
            panic!("{kind:?} {role:?}: {:?}", own.error())
        };
        assert_eq!(u16::from(error.close_code()), code, "{kind:?} {role:?}: {error}");
        assert!(error.offset() < wire.len() as u64);
        violations.push((error.violation(), error.offset()));
        assert_eq!(own.state(), State::Closing);
        let sent = frames(role, &own.transmit_to_vec());
        let [close] = &sent[..] else { panic!("{sent:?}") };
        assert_eq!((close.first, &close.payload[..]), (CLOSE, &code.to_be_bytes()[..]));
        assert!(own.wants_shutdown());
    }
    assert!(violations.iter().all(|one| *one == violations[0]), "{violations:?}");
    violations[0].0
}

#[test]
fn the_bit_is_not_for_control_frames() {
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        for role in BOTH {
            let (_, f) = own(kind, role);
            for first in [PING, 0x8a, CLOSE] {
                let wire = f(first | RSV1, b"");
                let violation = offend(kind, role, &wire, &[], 1002);
                assert_eq!(violation, Violation::ReservedBits(Rsv::RSV1));
                let inside = [f(TEXT ^ FIN | RSV1, HELLO), f(first | RSV1, b"")].concat();
                offend(kind, role, &inside, &[], 1002);
            }
        }
    }
}

#[test]
fn the_bit_is_not_for_continuations_of_a_message() {
    for kind in Kind::PER_MESSAGE {
        for role in BOTH {
            let (_, f) = own(kind, role);
            for first in [TEXT ^ FIN, TEXT ^ FIN | RSV1] {
                let wire = [f(first, b""), f(CONTINUATION | RSV1, HELLO)].concat();
                let violation = offend(kind, role, &wire, &[], 1002);
                assert_eq!(violation, Violation::ReservedBits(Rsv::RSV1));
            }
        }
    }
}

#[test]
fn other_bits_have_no_owner() {
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        for role in BOTH {
            let (_, f) = own(kind, role);
            for (bit, rsv) in [(0x20, Rsv::RSV2), (0x10, Rsv::RSV3)] {
                for first in [TEXT, BINARY | RSV1, PING] {
                    let violation = offend(kind, role, &f(first | bit, b""), &[], 1002);
                    assert_eq!(violation, Violation::ReservedBits(rsv));
                }
            }
        }
    }
}

#[test]
fn nothing_is_compressed_that_was_declined() {
    for (client, server) in
        [(Extensions::default(), Extensions::none()), (Extensions::none(), Extensions::default())]
    {
        let client = hybi::Client::builder().extensions(client).build().expect("a client");
        let server = hybi::Server::builder().extensions(server).build();
        let opened = open(&client, &server).expect("a connection");
        for mut own in [opened.client, opened.server] {
            let wire = frame(own.role().peer(), TEXT | RSV1, HELLO);
            assert_eq!(feed(&mut own, &wire), []);
            let error = own.error().expect("a violation");
            assert_eq!(error.close_code(), Some(CloseCode::PROTOCOL_ERROR), "{error}");
        }
    }
}

#[test]
fn what_is_no_deflate_data_fails_at_once() {
    let hello = [Message::text("Hello")];
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        for role in BOTH {
            let (_, f) = own(kind, role);
            for (bad, name) in [
                (&b"\x07"[..], "block type 3"),
                (b"\x00\x05\x00\xfa\xf0Hello\x00", "a length that is not confirmed"),
                (b"\xf2\x48\xcd", "half a block"),
                (b"\xfc\xff\x00", "tables with too many symbols"),
            ] {
                let before = f(TEXT | RSV1, HELLO);
                let wire = [before, f(BINARY | RSV1, bad)].concat();
                let violation = offend(kind, role, &wire, &hello, 1007);
                assert!(matches!(violation, Violation::Extension(_)), "{name}: {violation:?}");
                // Nobody waits for the end of the message.
                if name != "half a block" {
                    offend(kind, role, &f(BINARY ^ FIN | RSV1, bad), &[], 1007);
                }
            }
            if CHECKS_DISTANCES {
                // A reference back to where nothing was.
                offend(kind, role, &f(TEXT | RSV1, b"\xf2\x00\x11\x00\x00"), &[], 1007);
            }
        }
    }
}

#[test]
fn a_history_that_was_not_to_be_kept_is_not_there() {
    let alone = Deflate::default().peer_context_takeover(false);
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        let mut server = agreed(kind, Deflate::default(), alone, &config()).server;
        let hello = frame(Role::Client, TEXT | RSV1, HELLO);
        for _ in 0..2 {
            assert_eq!(feed(&mut server, &hello), [Message::text("Hello")]);
        }
        let back = frame(Role::Client, TEXT | RSV1, b"\xf2\x00\x11\x00\x00");
        let events = feed(&mut server, &back);
        assert_ne!(events, [Message::text("Hello")], "{kind:?}");
        if CHECKS_DISTANCES {
            assert_eq!(events, []);
            let error = server.error().expect("a reference to nothing");
            assert_eq!(error.close_code(), Some(CloseCode::INVALID_PAYLOAD), "{kind:?}: {error}");
        }
    }
}

#[test]
fn text_is_checked_after_it_was_decoded() {
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        for role in BOTH {
            let (_, f) = own(kind, role);
            for bad in [&b"ok \xff"[..], b"ok \xed\xa0\x80", b"\xc0\xaf", b"\xf5"] {
                let mut deflater = Deflater::new();
                let payload = deflater.message(bad);
                let violation = offend(kind, role, &f(TEXT | RSV1, &payload), &[], 1007);
                assert_eq!(violation, Violation::InvalidUtf8);
                // Told before the message ends.
                let violation = offend(kind, role, &f(TEXT ^ FIN | RSV1, &payload), &[], 1007);
                assert_eq!(violation, Violation::InvalidUtf8);
                // Binary messages may be anything.
                let (mut own, _) = own(kind, role);
                let wire = f(BINARY | RSV1, &payload);
                assert_eq!(feed(&mut own, &wire), [Message::binary(bad.to_vec())]);
            }
            let cut = Deflater::new().message("ok é".as_bytes().split_last().expect("bytes").1);
            let violation = offend(kind, role, &f(TEXT | RSV1, &cut), &[], 1007);
            assert_eq!(violation, Violation::InvalidUtf8, "it ends inside a character");
        }
    }
}

/// A character may be cut by fragments, and by the blocks of the compressor.
#[test]
fn characters_may_lie_across_fragments() {
    let text = "κόσμε 😀".repeat(10);
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        for role in BOTH {
            let (mut own, f) = own(kind, role);
            let mut wire = Vec::new();
            let mut deflater = Deflater::new();
            let last = text.len() - 1;
            for (at, byte) in text.bytes().enumerate() {
                let first = match (at, Kind::PER_FRAME.contains(&kind)) {
                    (0, _) => TEXT | RSV1,
                    (_, true) => CONTINUATION | RSV1,
                    (_, false) => CONTINUATION,
                };
                if Kind::PER_FRAME.contains(&kind) || at == last {
                    let payload = deflater.message(&[byte]);
                    wire.extend(f(if at == last { first } else { first ^ FIN }, &payload));
                } else {
                    wire.extend(f(first ^ FIN, &deflater.flushed(&[byte])));
                }
            }
            assert_eq!(feed(&mut own, &wire), [Message::text(text.as_str())], "{kind:?}");
        }
    }
}

/// Frames that are compressed and frames that are not may make one message, frame by frame.
#[test]
fn pings_and_plain_messages_may_come_between() {
    for kind in Kind::PER_MESSAGE.into_iter().chain(Kind::PER_FRAME) {
        for role in BOTH {
            let (mut own, f) = own(kind, role);
            let mut deflater = Deflater::new();
            let payload = deflater.message(json(1).as_bytes());
            let (front, back) = payload.split_at(20);
            let wire = match Kind::PER_FRAME.contains(&kind) {
                true => [
                    f(TEXT ^ FIN | RSV1, &payload),
                    f(PING, b"?"),
                    f(CONTINUATION ^ FIN, b" plain "),
                    f(CONTINUATION | RSV1, &deflater.message(b"packed")),
                ],
                false => [
                    f(TEXT ^ FIN | RSV1, front),
                    f(PING, b"?"),
                    f(CONTINUATION ^ FIN, b""),
                    f(CONTINUATION, back),
                ],
            };
            let suffix = if Kind::PER_FRAME.contains(&kind) { " plain packed" } else { "" };
            let whole = Message::text(format!("{}{suffix}", json(1)));
            assert_eq!(feed(&mut own, &wire.concat()), [Message::Ping("?".into()), whole]);
            assert_eq!(feed(&mut own, &f(TEXT, b"plain")), [Message::text("plain")]);
            let again = deflater.message(json(1).as_bytes());
            assert!(again.len() < payload.len() / 2, "it refers back");
            assert_eq!(feed(&mut own, &f(TEXT | RSV1, &again)), [Message::text(json(1))]);
        }
    }
}
