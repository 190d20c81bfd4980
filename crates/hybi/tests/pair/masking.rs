//! Masking keys: whose they are and where they appear (RFC 6455 sections 5.3 and 10.3).

use std::collections::HashSet;

use hybi::{Config, Message, Role, Version, frame::MaskingKey};

use crate::world::{Pair, connection};

#[test]
fn keys_from_the_given_source_appear_on_the_wire_one_a_frame() {
    let mut next = 0_u8;
    let config = Config::default().fragment_size(Some(2));
    let mut client =
        connection(Role::Client, Version::RFC6455, config).with_masking_keys(move || {
            next += 1;
            MaskingKey::from_bytes([next, 0x10, 0x20, 0x30])
        });
    client.queue(Message::text("abc")).expect("queued");
    client.queue(Message::Ping("p".into())).expect("queued");
    client.queue(Message::Close(None)).expect("queued");

    let mut expected = vec![0x01, 0x82, 1, 0x10, 0x20, 0x30, b'a' ^ 1, b'b' ^ 0x10];
    expected.extend([0x80, 0x81, 2, 0x10, 0x20, 0x30, b'c' ^ 2]);
    expected.extend([0x89, 0x81, 3, 0x10, 0x20, 0x30, b'p' ^ 3]);
    expected.extend([0x88, 0x80, 4, 0x10, 0x20, 0x30]);
    assert_eq!(client.transmit_to_vec(), expected);
}

#[test]
fn a_server_asks_for_no_key_and_masks_nothing() {
    let mut server = connection(Role::Server, Version::RFC6455, Config::default())
        .with_masking_keys(|| panic!("a server asked for a masking key"));
    server.queue(Message::text("clear")).expect("queued");
    assert_eq!(server.transmit_to_vec(), b"\x81\x05clear");
}

#[test]
fn keys_differ_from_frame_to_frame_and_from_connection_to_connection() {
    let mut keys = HashSet::new();
    for _ in 0..2 {
        let mut client = connection(Role::Client, Version::RFC6455, Config::default());
        for _ in 0..200 {
            client.queue(Message::binary(Vec::new())).expect("queued");
            let wire = client.transmit_to_vec();
            assert_eq!(wire[..2], [0x82, 0x80]);
            keys.insert(<[u8; 4]>::try_from(&wire[2..]).expect("a key and nothing else"));
        }
    }
    // Two of 400 random keys are equal once in 54,000 runs, four never.
    assert!(keys.len() >= 398, "{} different keys of 400", keys.len());
    for byte in 0..4 {
        let values: HashSet<u8> = keys.iter().map(|key| key[byte]).collect();
        assert!(values.len() > 100, "byte {byte} takes {} values only", values.len());
    }
}

#[test]
fn answers_of_a_client_are_masked_too() {
    let mut pair = Pair::new();
    pair.server.queue(Message::Ping("?".into()));
    pair.drive();
    pair.server.close(1000, "");
    pair.drive();
    let pong = &pair.up.sent[..7];
    assert_eq!(pong[..2], [0x8a, 0x81]);
    let close = &pair.up.sent[7..];
    assert_eq!(close[..2], [0x88, 0x82]);
    assert_eq!(close.len(), 2 + 4 + 2);
}
