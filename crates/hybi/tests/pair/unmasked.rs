//! Connections within another one, where nobody masks: what is on the wire, and what is refused
//! (RFC 6455 section 5.1).

use std::sync::Arc;

use hybi::{Config, Connection, Message, Negotiated, Role, State, Version};

use crate::world::{BOTH, Pair, connection};

/// A client that would give itself away by asking for a key.
fn unmasked(role: Role, version: Version, config: Config) -> Connection {
    let negotiated = Negotiated::new(version, None, Vec::new()).unmasked();
    Connection::new(role, negotiated, Arc::new(config))
        .with_masking_keys(|| panic!("somebody asked for a masking key"))
}

fn pair(config: &Config) -> Pair {
    let [client, server] = BOTH.map(|role| unmasked(role, Version::RFC6455, config.clone()));
    Pair::between(client, server)
}

#[test]
fn all_kinds_of_frames_go_both_ways_without_masks() {
    let mut pair = pair(&Config::default());
    for role in BOTH {
        let (own, _) = pair.seen_by(role);
        own.queue(Message::text("Hello"));
        own.queue(Message::binary(vec![1, 2, 3]));
        own.queue(Message::Ping("?".into()));
        own.queue(Message::Pong("!".into()));
    }
    pair.drive();
    for role in BOTH {
        let sent = b"\x81\x05Hello\x82\x03\x01\x02\x03\x89\x01?\x8a\x01!\x8a\x01?";
        assert_eq!(pair.wire_from(role).sent, sent, "{role:?}");
        let (own, _) = pair.seen_by(role);
        let events = [
            Message::text("Hello"),
            Message::binary(vec![1, 2, 3]),
            Message::Ping("?".into()),
            Message::Pong("!".into()),
            Message::Pong("?".into()),
        ];
        assert_eq!(own.events, events, "{role:?}");
    }
    pair.client.close(1000, "done");
    pair.drive();
    for role in BOTH {
        assert!(pair.wire_from(role).sent.ends_with(b"\x8a\x01?\x88\x06\x03\xe8done"));
        let (own, _) = pair.seen_by(role);
        assert!(own.state() == State::Closed && own.status().is_clean(), "{role:?}");
    }
}

#[test]
fn fragments_have_no_masks_either() {
    for role in BOTH {
        let mut pair = pair(&Config::default().fragment_size(Some(2)));
        let (own, _) = pair.seen_by(role);
        own.queue(Message::text("Hello"));
        pair.drive();
        assert_eq!(pair.wire_from(role).sent, b"\x01\x02He\x00\x02ll\x80\x01o");
        let (_, other) = pair.seen_by(role);
        assert_eq!(other.events, [Message::text("Hello")]);
    }
}

/// Each form of the length, and on both sides of what is copied next to its header; given away, lent, and
/// held by somebody else, and in chunks that keep it whole and that do not.
#[test]
fn long_payloads_leave_as_they_are() {
    for (len, header) in [
        (126, &b"\x82\x7e\x00\x7e"[..]),
        (8 * 1024 - 1, b"\x82\x7e\x1f\xff"),
        (8 * 1024, b"\x82\x7e\x20\x00"),
        (0x1_0000, b"\x82\x7f\0\0\0\0\0\x01\0\0"),
        (300_000, b"\x82\x7f\0\0\0\0\0\x04\x93\xe0"),
    ] {
        let payload: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
        let message = Message::binary(payload.clone());
        let frame = [header, &payload].concat();
        for (role, chunk) in BOTH.into_iter().zip([usize::MAX, 4096]) {
            let mut pair = pair(&Config::default());
            pair.wire_from(role).chunk = chunk;
            let (own, _) = pair.seen_by(role);
            own.queue(payload.clone());
            own.queue(message.clone());
            own.connection.queue(&payload[..]).expect("an open connection");
            pair.drive();
            assert!(pair.wire_from(role).sent == frame.repeat(3), "{role:?}, {len} bytes");
            let (_, other) = pair.seen_by(role);
            assert!(other.events.iter().eq([&message; 3]), "{role:?}, {len} bytes");
        }
    }
}

#[test]
fn drafts_with_the_same_frames_do_without_masks_too() {
    for version in [Version::HYBI_07, Version::HYBI_08] {
        let mut client = unmasked(Role::Client, version, Config::default());
        client.queue("Hello").expect("queued");
        assert_eq!(client.transmit_to_vec(), b"\x81\x05Hello", "{version}");
    }
}

#[test]
fn a_masked_frame_is_refused_by_both() {
    let refused = "frame is masked where none may be (RFC 6455 section 5.1), at byte 8";
    for role in BOTH {
        let mut pair = pair(&Config::default());
        let (own, _) = pair.seen_by(role);
        own.input(b"\x81\x05Hello\x82\x81\x00\x00\x00\x00a");
        assert_eq!(own.events, [Message::text("Hello")]);
        assert_eq!(own.error().as_deref(), Some(refused), "{role:?}");
        pair.drive();
        assert_eq!(pair.wire_from(role).sent, b"\x88\x02\x03\xea", "{role:?}");
    }
}

/// It cannot be used with a peer who does not know.
#[test]
fn ends_of_which_one_masks_come_to_no_terms() {
    let masking = |role| connection(role, Version::RFC6455, Config::default());
    let plain = |role| unmasked(role, Version::RFC6455, Config::default());
    for mut pair in [
        Pair::between(masking(Role::Client), plain(Role::Server)),
        Pair::between(plain(Role::Client), masking(Role::Server)),
    ] {
        pair.client.queue("Hello");
        pair.drive();
        assert!(pair.server.events.is_empty(), "{:?}", pair.server.events);
        let error = pair.server.error().expect("a broken rule");
        assert!(error.contains("RFC 6455 section 5.1"), "{error}");
        assert!(pair.down.sent.starts_with(b"\x88\x02\x03\xea"));
    }
}
