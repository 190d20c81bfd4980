//! The recorded streams of `frames.json` through a whole `Connection`, as server and as client:
//! whole, byte by byte and cut everywhere; the Close code and the answers that go back; and the
//! same bytes made by sending (RFC 6455 sections 5 and 7, hybi-07 and hybi-10).

mod support;

use std::sync::Arc;

use hybi::{
    CloseCode, Config, Connection, Error, MaskingKey, Message, Negotiated, Role, State, Version,
};
use hybi_testkit::vectors;
use serde_json::Value;

use support::recorded::messages;

/// The name under which the records list a version.
const VERSIONS: [(&str, Version, usize); 3] = [
    ("rfc6455", Version::RFC6455, 140),
    ("hybi-10", Version::HYBI_08, 100),
    ("hybi-07", Version::HYBI_07, 80),
];

#[test]
fn streams_give_their_events_and_answers_however_they_are_cut() {
    let records = vectors::records("frames");
    for (name, version, least) in VERSIONS {
        let ours: Vec<_> = records.iter().filter(|record| is_ours(record, name)).collect();
        assert!(ours.len() >= least, "{name}: {} records", ours.len());
        for record in ours {
            let wire = vectors::wire(record);
            let role = receiver(record);
            let outcome = receive(role, version, [&wire[..]]);
            check(record, role, version, &outcome);

            let by_byte = receive(role, version, wire.chunks(1));
            assert!(by_byte == outcome, "{} byte by byte under {name}", record["id"]);
            // Long streams are cut everywhere once, and less under the drafts that share the code.
            for cut in vectors::cuts(wire.len(), name == "rfc6455") {
                let (front, back) = wire.split_at(cut);
                let in_two = receive(role, version, [front, back]);
                assert!(in_two == outcome, "{} cut at {cut} under {name}", record["id"]);
            }
        }
    }
}

#[test]
fn messages_are_sent_as_recorded() {
    for (name, version, _) in VERSIONS {
        let mut run = 0;
        for record in vectors::records("frames") {
            if !is_ours(&record, name) || record["encode"] != true {
                continue;
            }
            let [message] = &messages(&record)[..] else { panic!("{}: one event", record["id"]) };
            let role = receiver(&record).peer();
            let mut sender = connection(role, version);
            if let Some(key) = record["mask_key_hex"].as_str() {
                let key = vectors::hex(key).try_into().expect("four bytes");
                sender = sender.with_masking_keys(move || MaskingKey::from_bytes(key));
            }
            if let Message::Close(Some(frame)) = message
                && !frame.code().may_be_sent(sender.rules(), role)
            {
                let refused = sender.queue(message.clone()).expect_err("not in this version");
                assert!(matches!(refused.error(), Error::CloseFrame(_)), "{}", record["id"]);
                continue;
            }
            sender.queue(message.clone()).expect("open");
            let sent = sender.transmit_to_vec();
            assert!(sent == vectors::wire(&record), "{} under {name}", record["id"]);
            run += 1;
        }
        assert!(run >= 40, "{name}: {run} records");
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

fn connection(role: Role, version: Version) -> Connection {
    Connection::new(role, Negotiated::new(version, None, Vec::new()), Arc::new(Config::default()))
}

fn receive<'a>(
    role: Role,
    version: Version,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Outcome {
    // With keys of zeros a client's answers can be read as they are.
    let mut own = connection(role, version).with_masking_keys(|| MaskingKey::from_bytes([0; 4]));
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
            let code = match record["close_code"].as_u64().expect("a close code") as u16 {
                // The records give version 13's number for "too big".
                1009 if version != Version::RFC6455 => 1004,
                code => code,
            };
            assert_eq!(outcome.close_code, Some(CloseCode::from(code)), "{what}");
            assert_eq!(outcome.state, State::Closing, "{what}");
            append(&mut answer, role, 0x88, &code.to_be_bytes());
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
