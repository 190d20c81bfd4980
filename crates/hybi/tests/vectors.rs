//! The recorded streams of `frames.json` through a whole `Connection`, as server and as client:
//! whole, byte by byte and cut everywhere; the Close code and the answers that go back; and the
//! same bytes made by sending (RFC 6455 sections 5 and 7, hybi-07 and hybi-10).

mod support;

use std::sync::Arc;

use hybi::{
    CloseCode, Config, Connection, Error, Message, Negotiated, Role, State, Version,
    frame::MaskingKey,
};
use hybi_suite::vectors;
use serde_json::Value;

use support::recorded::messages;

/// The name under which the records list a version, how many records do, and how many of them are to
/// be sent.
const VERSIONS: [(&str, Version, usize, usize); 3] = [
    ("rfc6455", Version::RFC6455, 151, 57),
    ("hybi-10", Version::HYBI_08, 119, 51),
    ("hybi-07", Version::HYBI_07, 93, 49),
];

/// What a peer may send to us and we do not send.
const NOT_TO_BE_SENT: [(&str, &str); 1] = [("hybi07-s2c-close-1010", "1010 is for clients alone")];

#[test]
fn streams_give_their_events_and_answers_however_they_are_cut() {
    let records = vectors::records("frames");
    for (name, version, count, _) in VERSIONS {
        let ours: Vec<_> = records.iter().filter(|record| is_ours(record, name)).collect();
        assert_eq!(ours.len(), count, "records under {name}");
        for record in ours {
            let wire = vectors::wire(record);
            let role = receiver(record);
            let outcome = receive(record, version, [&wire[..]]);
            check(record, role, version, &outcome);

            let by_byte = receive(record, version, wire.chunks(1));
            assert!(by_byte == outcome, "{} byte by byte under {name}", record["id"]);
            // Long streams are cut everywhere once, and less under the drafts that share the code.
            for cut in vectors::cuts(wire.len(), name == "rfc6455") {
                let (front, back) = wire.split_at(cut);
                let in_two = receive(record, version, [front, back]);
                assert!(in_two == outcome, "{} cut at {cut} under {name}", record["id"]);
            }
        }
    }
}

#[test]
fn messages_are_sent_as_recorded() {
    for (name, version, _, count) in VERSIONS {
        let mut run = 0;
        for record in vectors::records("frames") {
            if !is_ours(&record, name) || record["encode"] != true {
                continue;
            }
            let [message] = &messages(&record)[..] else { panic!("{}: one event", record["id"]) };
            let role = receiver(&record).peer();
            let mut sender = connection(&record, role, version);
            if let Some(key) = record["mask_key_hex"].as_str() {
                let key = vectors::hex(key).try_into().expect("four bytes");
                sender = sender.with_masking_keys(move || MaskingKey::from_bytes(key));
            }
            if NOT_TO_BE_SENT.iter().any(|(id, _)| record["id"] == *id) {
                let refused = sender.queue(message.clone()).expect_err("not for this role");
                assert!(matches!(refused.error(), Error::CloseFrame(_)), "{}", record["id"]);
                run += 1;
                continue;
            }
            sender.queue(message.clone()).expect("open");
            let sent = sender.transmit_to_vec();
            assert!(sent == vectors::wire(&record), "{} under {name}", record["id"]);
            run += 1;
        }
        assert_eq!(run, count, "records under {name}");
    }
}

/// What came of a stream.
#[derive(Debug, PartialEq)]
struct Outcome {
    events: Vec<Message>,
    /// The broken rule in words, which tell the rules and their offsets apart.
    error: Option<String>,
    /// The connection answers with this code, if it failed.
    close_code: Option<CloseCode>,
    state: State,
    answer: Vec<u8>,
}

/// A connection with the limit that the record sets, if it does.
fn connection(record: &Value, role: Role, version: Version) -> Connection {
    let mut config = Config::default();
    if let Some(bytes) = vectors::max_message(record) {
        config = config.max_message(bytes);
    }
    Connection::new(role, Negotiated::new(version, None, Vec::new()), Arc::new(config))
}

fn receive<'a>(
    record: &Value,
    version: Version,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Outcome {
    // With keys of zeros a client's answers can be read as they are.
    let own = connection(record, receiver(record), version);
    let mut own = own.with_masking_keys(|| MaskingKey::from_bytes([0; 4]));
    let mut events = Vec::new();
    for chunk in chunks {
        let mut chunk = chunk.to_vec();
        let mut at = 0;
        while at < chunk.len() {
            let (consumed, event) = own.handle_input(&mut chunk[at..]);
            assert!(consumed > 0, "bytes are left and none is consumed");
            events.extend(event.map(Message::from));
            at += consumed;
        }
    }
    Outcome {
        events,
        error: own.error().map(ToString::to_string),
        close_code: own.error().and_then(Error::close_code),
        state: own.state(),
        answer: own.transmit_to_vec(),
    }
}

fn check(record: &Value, role: Role, version: Version, outcome: &Outcome) {
    let what = format!("{} under {version:?}: {outcome:?}", record["id"]);
    let expected = messages(record);
    assert!(outcome.events == expected, "{what}");

    // Each Ping before the end is answered, and so is the Close frame or the broken rule.
    let mut answer = Vec::new();
    for event in &expected {
        match event {
            Message::Ping(payload) => append(&mut answer, role, 0x8a, payload),
            Message::Close(frame) => {
                let mut close = Vec::new();
                if let Some(frame) = frame {
                    frame.encode(&mut close);
                }
                append(&mut answer, role, 0x88, &close);
            }
            _ => {}
        }
    }
    let closed = expected.iter().any(|event| matches!(event, Message::Close(_)));
    match record["expect"].as_str() {
        Some("ok" | "incomplete") => {
            assert_eq!(outcome.error, None, "{what}");
            assert_eq!(outcome.state == State::Closing, closed, "{what}");
        }
        Some("fail") => {
            let code = record["close_code"].as_u64().expect("a close code") as u16;
            assert_eq!(outcome.close_code, Some(CloseCode::from(code)), "{what}");
            assert_eq!(outcome.state, State::Closing, "{what}");
            let reason = vectors::close_reason(record).as_bytes();
            append(&mut answer, role, 0x88, &[&code.to_be_bytes(), reason].concat());
        }
        other => panic!("{}: expect {other:?}", record["id"]),
    }
    assert!(outcome.answer == answer, "{what}");
    if let Some(reply) = record["reply_hex"].as_str() {
        assert_eq!(outcome.answer, vectors::hex(reply), "{what}");
    }
}

/// Appends a frame of at most 125 bytes as `role` sends it, with a key of zeros.
fn append(wire: &mut Vec<u8>, role: Role, first: u8, payload: &[u8]) {
    let masked = role == Role::Client;
    wire.extend([first, payload.len() as u8 | if masked { 0x80 } else { 0 }]);
    wire.extend(masked.then_some([0; 4]).into_iter().flatten());
    wire.extend(payload);
}

fn is_ours(record: &Value, version: &str) -> bool {
    record["family"] == "F07" && vectors::applies_to(record, version)
}

fn receiver(record: &Value) -> Role {
    match record["direction"].as_str() {
        Some("c2s") => Role::Server,
        Some("s2c") => Role::Client,
        other => panic!("direction {other:?}"),
    }
}
