//! Extensions that are agreed on and touch nothing (RFC 6455 section 9).

use std::{io::IoSlice, sync::Arc, time::Instant};

use hybi::{
    Config, Connection, Message, Negotiated, Role, Version,
    extension::{Agreed, ExtensionOffer},
};

use crate::world::{BOTH, Pair, joined};

fn marked(role: Role) -> Connection {
    let mark = |name| Agreed::mark(ExtensionOffer::new(name).expect("a token"));
    let agreed = vec![mark("x-one"), mark("x-two")];
    let negotiated = Negotiated::new(Version::RFC6455, None, agreed);
    Connection::new(role, negotiated, Arc::new(Config::default().ping_interval(None)))
}

#[test]
fn they_are_told_and_messages_are_as_without_them() {
    let mut pair = Pair::between(marked(Role::Client), marked(Role::Server));
    for role in BOTH {
        let (own, other) = pair.seen_by(role);
        let told: Vec<_> =
            own.connection.negotiated().extensions.iter().map(|one| one.answer().name()).collect();
        assert_eq!(told, ["x-one", "x-two"]);
        own.queue(Message::text("Hello"));
        other.queue(Message::binary(vec![7; 100_000]));
        pair.drive();
        let (own, other) = pair.seen_by(role);
        assert_eq!(own.events.pop(), Some(Message::binary(vec![7; 100_000])), "{role:?}");
        assert_eq!(other.events.pop(), Some(Message::text("Hello")), "{role:?}");
    }
    assert!(pair.down.sent.starts_with(b"\x82\x7f\0\0\0\0\0\x01\x86\xa0\x07"));
    assert!(pair.down.sent.ends_with(b"\x81\x05Hello"));
}

/// No reserved bit is lawful for them.
#[test]
fn reserved_bits_are_refused() {
    let mut pair = Pair::between(marked(Role::Client), marked(Role::Server));
    pair.client.input(b"\xc1\x05Hello");
    let error = pair.client.error().expect("a broken rule");
    assert!(error.contains("reserved bits RSV1"), "{error}");
}

/// What extensions make of a long message is made in slices; here there is nothing to make, and no turn to
/// give to others.
#[test]
fn a_long_message_is_there_at_once() {
    for role in BOTH {
        let mut own = marked(role);
        own.queue(vec![7; 300_000]).expect("open");
        assert_eq!(own.poll_timeout(Instant::now), None, "{role:?}");
        let mut slices = [IoSlice::new(&[]); 4];
        let count = own.poll_transmit(&mut slices);
        let header = if role == Role::Client { 14 } else { 10 };
        assert_eq!(joined(&slices[..count]).len(), header + 300_000, "{role:?}");
    }
}
