//! Messages in both directions, however the link cuts them (RFC 6455 sections 5.4 and 5.6).

use hybi::{Config, Message, Role, State};

use crate::world::{BOTH, Pair};

#[test]
fn both_begin_open_with_nothing_to_say() {
    let mut pair = Pair::new();
    pair.drive();
    for role in BOTH {
        let (own, _) = pair.seen_by(role);
        assert_eq!(own.connection.role(), role);
        assert_eq!(own.state(), State::Open);
        assert!(own.connection.close_status().is_none() && own.connection.error().is_none());
        assert!(own.connection.is_receiving() && !own.connection.wants_shutdown());
        assert!(pair.wire_from(role).sent.is_empty());
    }
}

/// Every kind of message, with a length on both sides of each change of the header's form.
fn short_messages() -> Vec<Message> {
    vec![
        Message::text(""),
        Message::text("Hello"),
        Message::text("κόσμε \u{10ffff}"),
        Message::binary(Vec::new()),
        Message::binary(vec![0; 125]),
        Message::binary(vec![0xff; 126]),
        Message::Ping("now".into()),
        Message::Pong("unasked".into()),
        Message::text("end"),
    ]
}

/// What an endpoint tells its application when its peer sent `messages`, the answers to which
/// come in between when both send.
fn without_pongs(events: &[Message]) -> Vec<Message> {
    let answer = Message::Pong("now".into());
    events.iter().filter(|event| **event != answer).cloned().collect()
}

#[test]
fn short_messages_arrive_at_every_chunking() {
    let sent = short_messages();
    let wire: usize = sent.iter().map(|message| message.len() + 8).sum();
    for chunk in 1..=wire {
        let mut pair = Pair::new();
        (pair.up.chunk, pair.down.chunk) = (chunk, chunk);
        for role in BOTH {
            let (own, _) = pair.seen_by(role);
            sent.iter().for_each(|message| own.queue(message.clone()));
        }
        pair.drive();
        for role in BOTH {
            let (own, _) = pair.seen_by(role);
            assert_eq!(without_pongs(&own.events), sent, "{role:?} in chunks of {chunk}");
            let pongs = own.events.len() - sent.len();
            assert_eq!(pongs, 1, "each ping is answered once");
        }
    }
}

#[test]
fn long_messages_arrive_at_many_chunkings() {
    let text: String = "zäh ".chars().cycle().take(70_001).collect();
    let binary = |len: usize| Message::binary((0..len).map(|at| at as u8).collect::<Vec<_>>());
    let sent =
        [binary(65_535), binary(65_536), Message::text(text), binary(300_000), Message::text("x")];
    for chunk in [97, 1_000, 4_096, 65_536, 65_537, 1 << 20] {
        let mut pair = Pair::new();
        (pair.up.chunk, pair.down.chunk) = (chunk, chunk);
        for role in BOTH {
            let (own, _) = pair.seen_by(role);
            sent.iter().for_each(|message| own.queue(message.clone()));
        }
        pair.drive();
        for role in BOTH {
            assert!(pair.seen_by(role).0.events == sent, "{role:?} in chunks of {chunk}");
        }
    }
}

#[test]
fn large_messages_can_be_read_directly() {
    let sent = Message::binary((0..200_000_u32).map(|at| (at * 7) as u8).collect::<Vec<_>>());
    for role in BOTH {
        let mut pair = Pair::new();
        let (own, peer) = pair.seen_by(role);
        peer.queue(sent.clone());
        peer.queue("next");
        let wire = peer.connection.transmit_to_vec();

        let (mut at, mut direct) = (0, 0);
        while at < wire.len() {
            let room = own.connection.direct_buffer().map(|mut buffer| {
                let len = bytes::BufMut::remaining_mut(&buffer).min(wire.len() - at).min(30_000);
                bytes::BufMut::put_slice(&mut buffer, &wire[at..at + len]);
                len
            });
            if let Some(len) = room {
                assert!(len > 0, "room without an end");
                (at, direct) = (at + len, direct + len);
                let event = own.connection.handle_direct();
                own.events.extend(event.map(Message::from));
            } else {
                let end = wire.len().min(at + 20_000);
                own.input(&wire[at..end]);
                at = end;
            }
        }
        assert!(own.events == [sent.clone(), Message::text("next")], "{role:?}");
        // All but what the first read brought, in which it began.
        assert_eq!(direct, 180_000, "{role:?}");
    }
}

/// Payload length, FIN and opcode of each frame that a server sent.
fn frames(mut wire: &[u8]) -> Vec<(u8, usize)> {
    let mut frames = Vec::new();
    while let [first, len, ..] = *wire {
        let (header, len) = match len {
            126 => (4, usize::from(wire[2]) << 8 | usize::from(wire[3])),
            len => (2, usize::from(len)),
        };
        frames.push((first, len));
        wire = &wire[header + len..];
    }
    frames
}

#[test]
fn fragment_size_cuts_data_messages_and_nothing_else() {
    let mut pair = Pair::with(Config::default().fragment_size(Some(100)));
    let sent = [
        Message::text("ä".repeat(125)),
        Message::binary(vec![1; 100]),
        Message::Ping(vec![2; 125].into()),
        Message::binary(vec![3; 201]),
        Message::text(""),
    ];
    for role in BOTH {
        let (own, _) = pair.seen_by(role);
        sent.iter().for_each(|message| own.queue(message.clone()));
    }
    pair.drive();
    // The Pong that answers the client's Ping follows.
    let expected = [
        (0x01, 100),
        (0x00, 100),
        (0x80, 50),
        (0x82, 100),
        (0x89, 125),
        (0x02, 100),
        (0x00, 100),
        (0x80, 1),
        (0x81, 0),
        (0x8a, 125),
    ];
    assert_eq!(frames(&pair.down.sent), expected);
    for role in BOTH {
        let (own, _) = pair.seen_by(role);
        assert_eq!(own.events[..5], sent, "{role:?} sees whole messages");
    }
}

#[test]
fn a_fragment_size_of_zero_is_off() {
    let mut pair = Pair::with(Config::default().fragment_size(Some(0)));
    pair.server.queue(vec![7; 300]);
    pair.drive();
    assert_eq!(frames(&pair.down.sent), [(0x82, 300)]);
}

#[test]
fn pings_are_shown_and_answered() {
    for role in BOTH {
        let mut pair = Pair::new();
        let (own, _) = pair.seen_by(role);
        own.queue(Message::Ping("a".into()));
        own.queue(Message::Ping("".into()));
        own.queue(Message::Ping(vec![9; 125].into()));
        pair.drive();
        let (own, peer) = pair.seen_by(role);
        let payloads =
            |events: &[Message]| -> Vec<usize> { events.iter().map(Message::len).collect() };
        assert_eq!(payloads(&peer.events), [1, 0, 125], "{role:?}");
        assert!(peer.events.iter().all(|event| matches!(event, Message::Ping(_))));
        assert_eq!(payloads(&own.events), [1, 0, 125], "every answer, in order");
        assert!(own.events.iter().all(|event| matches!(event, Message::Pong(_))));
    }
}

#[test]
fn control_frames_too_long_come_back() {
    let mut pair = Pair::new();
    for message in [Message::Ping(vec![0; 126].into()), Message::Pong(vec![1; 4_000].into())] {
        let error = pair.client.connection.queue(message.clone()).expect_err("too long");
        let hybi::Error::ControlTooLong { len } = *error.error() else { panic!("{error}") };
        assert_eq!(len, message.len());
        assert_eq!(error.into_message(), Some(message));
    }
    assert_eq!(pair.client.connection.queued_bytes(), 0, "nothing was queued");
    assert_eq!(pair.client.state(), State::Open);
    assert_eq!(pair.client.connection.role(), Role::Client);
}
