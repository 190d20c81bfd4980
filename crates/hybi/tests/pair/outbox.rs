//! What waits to be sent: its limit, its order, its payloads, and the Pongs among it
//! (RFC 6455 section 5.5.3).

use std::io::IoSlice;

use bytes::Bytes;
use hybi::{Config, Connection, Message, Role, Version};

use crate::world::{BOTH, Pair, connection, joined};

fn server(config: Config) -> Connection {
    connection(Role::Server, Version::RFC6455, config)
}

#[test]
fn there_is_room_up_to_the_limit() {
    let mut server = server(Config::default().outbox_limit(1_000));
    assert!(server.has_room_for(usize::MAX), "alone, any message may be queued");
    server.queue(Message::from(vec![0; 600])).expect("queued");
    assert_eq!(server.queued_bytes(), 604, "headers count");
    assert!(server.has_room_for(396));
    assert!(!server.has_room_for(397));
    assert!(!server.has_room_for(usize::MAX));
    server.transmitted(204);
    assert!(server.has_room_for(600) && !server.has_room_for(601));
    server.queue(Message::from(vec![0; 5_000])).expect("queue itself has no limit");
    assert!(!server.has_room_for(0));
    let _ = server.transmit_to_vec();
    assert!(server.has_room_for(usize::MAX));
}

#[test]
fn long_payloads_of_a_server_are_not_copied() {
    for (len, shared) in [(8 * 1024 - 1, false), (8 * 1024, true), (1 << 20, true)] {
        let payload = Bytes::from(vec![7; len]);
        let mut server = server(Config::default());
        server.queue(Message::text("before")).expect("queued");
        server.queue(Message::Binary(payload.clone())).expect("queued");
        server.queue(Message::text("after")).expect("queued");
        let mut slices = [IoSlice::new(&[]); 8];
        let count = server.poll_transmit(&mut slices);
        let found = slices[..count].iter().any(|slice| slice.as_ptr() == payload.as_ptr());
        assert_eq!(found, shared, "{len} bytes");
        let whole = joined(&slices[..count]);
        assert!(whole.starts_with(b"\x81\x06before\x82") && whole.ends_with(b"\x07\x81\x05after"));
        assert_eq!(whole.len(), server.queued_bytes());
    }
}

#[test]
fn a_client_leaves_the_payload_of_its_caller_alone() {
    let payload = Bytes::from(vec![7; 100_000]);
    let mut client = connection(Role::Client, Version::RFC6455, Config::default());
    client.queue(Message::Binary(payload.clone())).expect("queued");
    let wire = client.transmit_to_vec();
    assert_eq!(wire.len(), 14 + payload.len());
    assert!(payload.iter().all(|byte| *byte == 7), "masked in a copy");
}

#[test]
fn fragments_of_a_long_payload_are_not_copied_either() {
    let payload = Bytes::from(vec![7; 40_000]);
    let mut server = server(Config::default().fragment_size(Some(10_000)));
    server.queue(Message::Binary(payload.clone())).expect("queued");
    let mut slices = [IoSlice::new(&[]); 16];
    let count = server.poll_transmit(&mut slices);
    for at in [0, 10_000, 20_000, 30_000] {
        let start = payload[at..].as_ptr();
        assert!(slices[..count].iter().any(|slice| slice.as_ptr() == start), "fragment at {at}");
    }
}

/// However few bytes the transport takes at a time, and however few slices it looks at, the
/// stream is the same.
#[test]
fn partial_writes_tear_nothing() {
    let queue = |server: &mut Connection| {
        for message in [
            Message::text("first"),
            Message::from(vec![1; 9_000]),
            Message::text(""),
            Message::from(vec![2; 8_192]),
            Message::from(vec![3; 8_192]),
            Message::Ping("p".into()),
        ] {
            server.queue(message).expect("queued");
        }
    };
    let mut whole = server(Config::default());
    queue(&mut whole);
    let whole = whole.transmit_to_vec();
    for step in [1, 2, 3, 7, 100, 4_095, 8_193, 20_000, usize::MAX] {
        for width in [1, 2, 8] {
            let mut server = server(Config::default());
            queue(&mut server);
            let mut sent = Vec::new();
            loop {
                let mut slices = vec![IoSlice::new(&[]); width];
                let count = server.poll_transmit(&mut slices);
                if count == 0 {
                    break;
                }
                let shown = slices[..count].iter().flat_map(|slice| slice.iter().copied());
                let bytes: Vec<u8> = shown.take(step).collect();
                assert!(!bytes.is_empty(), "slices without a byte");
                server.transmitted(bytes.len());
                sent.extend(bytes);
                assert_eq!(server.queued_bytes(), whole.len() - sent.len());
            }
            assert!(sent == whole, "{step} bytes of {width} slices at a time");
        }
    }
}

#[test]
fn what_is_queued_during_a_partial_write_comes_behind_it() {
    for taken in 0..20 {
        let mut server = server(Config::default());
        server.queue(Message::text("0123456789")).expect("queued");
        server.queue(Message::text("abcdef")).expect("queued");
        let mut sent = Vec::new();
        {
            let mut slices = [IoSlice::new(&[]); 1];
            assert_eq!(server.poll_transmit(&mut slices), 1);
            sent.extend_from_slice(&slices[0][..taken]);
        }
        server.transmitted(taken);
        server.queue(Message::from(vec![b'x'; 8_192])).expect("queued");
        server.queue(Message::text("end")).expect("queued");
        sent.extend(server.transmit_to_vec());
        let mut expected = b"\x81\x0a0123456789\x81\x06abcdef\x82\x7e\x20\x00".to_vec();
        expected.extend([b'x'; 8_192]);
        expected.extend(b"\x81\x03end");
        assert!(sent == expected, "{taken} bytes taken");
    }
}

fn ping(text: &str) -> Vec<u8> {
    let mut frame = vec![0x89, 0x80 | text.len() as u8, 0, 0, 0, 0];
    frame.extend(text.as_bytes());
    frame
}

#[test]
fn every_ping_is_answered_while_the_transport_takes_bytes() {
    let mut pair = Pair::new();
    for text in ["1", "2", "3"] {
        pair.server.input(&ping(text));
    }
    let wire = pair.server.connection.transmit_to_vec();
    assert_eq!(wire, b"\x8a\x011\x8a\x012\x8a\x013");
}

#[test]
fn of_pings_that_cannot_be_answered_yet_the_newest_is() {
    let mut pair = Pair::new();
    pair.server.queue("queued");
    pair.down.room = 2;
    pair.drive();
    for number in 0..10_000 {
        pair.server.input(&ping(&number.to_string()));
    }
    assert_eq!(pair.server.connection.queued_bytes(), 6, "the outbox does not grow");
    pair.down.room = usize::MAX;
    pair.drive();
    assert_eq!(pair.down.sent, b"\x81\x06queued\x8a\x049999");
    pair.server.input(&ping("next"));
    pair.drive();
    assert!(pair.down.sent.ends_with(b"\x8a\x049999\x8a\x04next"), "and so it goes on");
}

/// Section 5.5.2 asks for the answer unless a Close frame came before the Ping.
#[test]
fn a_held_back_answer_goes_before_the_close_frame() {
    let mut pair = Pair::new();
    pair.server.queue("queued");
    pair.down.room = 0;
    pair.drive();
    pair.server.input(&ping("held"));
    pair.client.close(1000, "");
    pair.drive();
    pair.down.room = usize::MAX;
    pair.drive();
    assert_eq!(pair.down.sent, b"\x81\x06queued\x8a\x04held\x88\x02\x03\xe8");
}

#[test]
fn no_ping_is_answered_behind_the_peers_close_frame() {
    for role in BOTH {
        let mut pair = Pair::new();
        pair.seen_by(role).1.close(1000, "");
        let mut wire = pair.seen_by(role).1.connection.transmit_to_vec();
        wire.extend(match role {
            Role::Server => ping("late"),
            Role::Client => b"\x89\x04late".to_vec(),
        });
        let (own, _) = pair.seen_by(role);
        own.input(&wire);
        assert_eq!(own.events.len(), 1, "{role:?}");
        assert_eq!(own.connection.transmit_to_vec()[0], 0x88);
        assert_eq!(own.connection.queued_bytes(), 0);
    }
}
