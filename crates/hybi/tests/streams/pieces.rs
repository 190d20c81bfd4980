//! What is taken in pieces is what is gathered, whatever the frames and however they are cut.

use hybi::{Config, Connection, Event, Message, MessageKind, Negotiated, Role, frame::Gathering};
use hybi_testkit::wire::{self, Side};
use proptest::prelude::*;

/// A message in fragments, with Pings among them.
fn message() -> impl Strategy<Value = (Message, Vec<u8>)> {
    let payload = prop_oneof![
        "[a-z\u{e9}\u{20ac}\u{1f600}]{0,60}".prop_map(Message::from),
        proptest::collection::vec(any::<u8>(), 0..200).prop_map(Message::binary),
    ];
    let cuts = proptest::collection::vec((0_usize..50, any::<bool>()), 0..6);
    (payload, cuts).prop_map(|(message, cuts)| {
        let (mut opcode, mut rest) = match &message {
            Message::Text(text) => (wire::TEXT, text.as_bytes()),
            Message::Binary(bytes) => (wire::BINARY, &bytes[..]),
            _ => unreachable!("no other was made"),
        };
        let mut frames = Vec::new();
        for (len, pings) in cuts {
            let (fragment, behind) = rest.split_at(len.min(rest.len()));
            frames.extend(wire::frame(Side::Client, opcode ^ wire::FIN, fragment));
            if pings {
                frames.extend(wire::frame(Side::Client, wire::PING, b"p"));
            }
            (opcode, rest) = (wire::CONTINUATION, behind);
        }
        frames.extend(wire::frame(Side::Client, opcode, rest));
        (message, frames)
    })
}

proptest! {
    #[test]
    fn pieces_are_the_message(
        messages in proptest::collection::vec((message(), 0_u8..3), 1..6),
        reads in proptest::collection::vec(1_usize..40, 1..10),
    ) {
        let config = Config::default();
        let mut server = Connection::new(Role::Server, Negotiated::default(), config.into());
        let mut reads = reads.into_iter().cycle();
        for ((message, mut frames), way) in messages {
            server.set_gathering(if way == 0 { Gathering::Whole } else { Gathering::Pieces });
            let (mut all, mut at, mut ended) = (Vec::new(), 0, false);
            while at < frames.len() {
                let end = frames.len().min(at + reads.next().unwrap_or(1));
                while at < end {
                    let (consumed, event) = server.handle_input(&mut frames[at..end]);
                    at += consumed;
                    match event {
                        Some(Event::Text(rest)) => {
                            all.extend_from_slice(rest.into_owned().as_bytes());
                            ended = true;
                        }
                        Some(Event::Binary(rest)) => {
                            all.extend_from_slice(&rest);
                            ended = true;
                        }
                        _ => {}
                    }
                }
                match way {
                    1 => {
                        let text = message.is_text();
                        let kind = if text { MessageKind::Text } else { MessageKind::Binary };
                        if let Some(piece) = server.take_piece() {
                            prop_assert!(!text || core::str::from_utf8(&piece).is_ok());
                            prop_assert_eq!(server.kind_in_progress(), Some(kind));
                            all.extend_from_slice(&piece);
                        }
                    }
                    // The rest of it is not wanted, once something is there.
                    2 if server.has_piece() => server.skip_message(),
                    _ => {}
                }
            }
            let whole = match &message {
                Message::Text(text) => text.as_bytes(),
                Message::Binary(bytes) => bytes,
                _ => unreachable!("no other was made"),
            };
            // What was skipped says nothing of its end.
            if ended || way != 2 {
                prop_assert!(ended);
                prop_assert_eq!(&all[..], whole);
            }
            prop_assert_eq!(server.error().map(ToString::to_string), None);
            prop_assert_eq!(server.kind_in_progress(), None, "it ended");
        }
    }
}
