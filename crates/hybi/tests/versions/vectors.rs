//! The recorded streams of `frames.json` through a whole `Connection` of the old versions: whole, byte by
//! byte and cut everywhere; what is answered; and the same bytes made by sending.

use std::sync::Arc;

use hybi::{
    Config, Connection, Error, Message, Negotiated, Role, State, Version, frame::MaskingKey,
    legacy::Terms,
};
use hybi_suite::vectors;
use serde_json::Value;

use crate::support::recorded::{message, messages};
use crate::world::{connection, input, terms};

/// The name under which the records list a version, how many records do, and how many endpoints
/// send them.
const VERSIONS: [(&str, Version, usize, usize); 8] = [
    ("hixie-75", Version::HIXIE_75, 16, 12),
    ("hixie-76", Version::HIXIE_76, 18, 14),
    ("hybi-01", Version::HYBI_01, 34, 26),
    ("hybi-02", Version::HYBI_02, 34, 26),
    ("hybi-03", Version::HYBI_03, 35, 26),
    ("hybi-04", Version::HYBI_04, 58, 16),
    ("hybi-05", Version::HYBI_05, 59, 28),
    ("hybi-06", Version::HYBI_06, 66, 32),
];

/// The connection that a stream is for. Those of hybi-04 depend on its handshake.
fn receiver(record: &Value, role: Role, version: Version) -> Connection {
    let conn = &record["conn"];
    let terms = match (conn["key"].as_str(), conn["nonce"].as_str()) {
        (Some(key), Some(nonce)) if version == Version::HYBI_04 => Terms::hybi_04(key, nonce),
        _ => terms(version),
    };
    let negotiated = Negotiated::default().with_terms(terms);
    let mut config = Config::default();
    if let Some(bytes) = vectors::max_message(record) {
        config = config.max_message(bytes);
    }
    Connection::new(role, negotiated, Arc::new(config))
}

fn roles(record: &Value) -> &'static [Role] {
    match record["direction"].as_str() {
        Some("c2s") => &[Role::Server],
        Some("s2c") => &[Role::Client],
        Some("any") => &[Role::Server, Role::Client],
        other => panic!("direction {other:?}"),
    }
}

fn records(name: &str) -> Vec<Value> {
    let mut records = vectors::records_but("frames", &vectors::WITHOUT_A_HANDSHAKE);
    records.retain(|record| vectors::applies_to(record, name));
    records
}

#[derive(Debug, PartialEq)]
struct Outcome {
    events: Vec<Message>,
    /// The broken rule in words, which tell the rules and their offsets apart.
    error: Option<String>,
    state: State,
    answer: Vec<u8>,
}

fn receive<'a>(own: Connection, chunks: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut own = own.with_masking_keys(|| MaskingKey::from_bytes([0; 4]));
    let events = chunks.into_iter().flat_map(|chunk| input(&mut own, chunk)).collect();
    Outcome {
        events,
        error: own.error().map(ToString::to_string),
        state: own.state(),
        answer: own.transmit_to_vec(),
    }
}

#[test]
fn streams_give_their_events_and_answers_however_they_are_cut() {
    for (name, version, count, _) in VERSIONS {
        let records = records(name);
        assert_eq!(records.len(), count, "records under {name}");
        for record in records {
            let wire = vectors::wire(&record);
            for &role in roles(&record) {
                let what = format!("{} as {role:?} of {name}", record["id"]);
                let outcome = receive(receiver(&record, role, version), [&wire[..]]);
                check(&record, role, version, &outcome, &what);
                let by_byte = receive(receiver(&record, role, version), wire.chunks(1));
                assert!(by_byte == outcome, "{what} byte by byte");
                for cut in vectors::cuts(wire.len(), false) {
                    let (front, back) = wire.split_at(cut);
                    let in_two = receive(receiver(&record, role, version), [front, back]);
                    assert!(in_two == outcome, "{what} cut at {cut}: {in_two:?} {outcome:?}");
                }
            }
        }
    }
}

fn check(record: &Value, role: Role, version: Version, outcome: &Outcome, what: &str) {
    let expected = messages(record);
    assert!(outcome.events == expected, "{what}: {outcome:?}");
    let closed = expected.iter().any(|event| matches!(event, Message::Close(_)));
    match record["expect"].as_str() {
        Some("ok" | "incomplete") => {
            assert_eq!(outcome.error, None, "{what}");
            assert_eq!(outcome.state == State::Closing, closed, "{what}");
        }
        Some("fail") => {
            assert!(outcome.error.is_some() && outcome.state == State::Closing, "{what}");
            let answer = if version == Version::HYBI_06 {
                let reason = vectors::close_reason(record).as_bytes();
                record["close_code"].as_u64().map(|code| {
                    sent(role, version, &[&(code as u16).to_be_bytes(), reason].concat())
                })
            } else {
                Some(sent(role, version, last_words(role, version)))
            };
            if let Some(answer) = answer {
                assert_eq!(outcome.answer, answer, "{what}");
            }
        }
        other => panic!("{what}: expect {other:?}"),
    }
    let reply = record["reply_hex"].as_str().filter(|_| role == Role::Server);
    if let Some(reply) = reply {
        assert_eq!(outcome.answer, vectors::hex(reply), "{what}");
    }
}

/// The payload of a Close frame without a code.
fn last_words(role: Role, version: Version) -> &'static [u8] {
    match (version, role) {
        (Version::HYBI_05, Role::Client) => b"C",
        (Version::HYBI_05, Role::Server) => b"S",
        _ => b"",
    }
}

/// A Close frame as `role` sends it, with a key of zeros.
fn sent(role: Role, version: Version, payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    match version {
        Version::HIXIE_75 => return wire,
        Version::HIXIE_76 => return vec![0xff, 0],
        Version::HYBI_01 | Version::HYBI_02 | Version::HYBI_03 => wire.push(0x01),
        // 81 00 under the first bytes of SHA-1 of four zeros and the masking key of the records.
        Version::HYBI_04 if role == Role::Client => return vec![0, 0, 0, 0, 0x62, 0xf0],
        _ => {
            wire.extend((role == Role::Client).then_some([0; 4]).into_iter().flatten());
            wire.push(0x81);
        }
    }
    wire.push(payload.len() as u8);
    wire.extend(payload);
    wire
}

#[test]
fn messages_are_sent_as_recorded() {
    for (name, version, _, count) in VERSIONS {
        let mut run = 0;
        for record in records(name) {
            let [event] = &record["events"].as_array().expect("events")[..] else { continue };
            // Bodies of Close frames without a code are not for applications to choose.
            let body = event["body_hex"].as_str().unwrap_or_default();
            let chosen = event["code"].is_null() && !["", "43", "53"].contains(&body);
            if record["encode"] != true || chosen {
                continue;
            }
            let wire = vectors::wire(&record);
            for role in roles(&record).iter().map(|role| role.peer()) {
                let masked = role == Role::Client && version >= Version::HYBI_04;
                let key = if masked { wire[..4].try_into().expect("four bytes") } else { [0; 4] };
                let mut sender = receiver(&record, role, version)
                    .with_masking_keys(move || MaskingKey::from_bytes(key));
                sender.queue(message(event)).expect("open");
                let what = format!("{} as {role:?} of {name}", record["id"]);
                assert!(sender.transmit_to_vec() == wire, "{what}");
                run += 1;
            }
        }
        assert_eq!(run, count, "endpoints under {name}");
    }
}

#[test]
fn a_close_of_hixie_75_leaves_no_byte_and_ends_the_transport() {
    for role in [Role::Client, Role::Server] {
        let mut own = connection(role, Version::HIXIE_75, Config::default());
        own.queue("goodbye").expect("open");
        own.queue(Message::Close(None)).expect("open");
        assert!(!own.wants_shutdown(), "the message goes first");
        assert_eq!(own.transmit_to_vec(), b"\0goodbye\xff");
        assert!(own.wants_shutdown());
        assert!(matches!(own.queue("late").expect_err("closing").error(), Error::Closed));
    }
}

#[test]
fn masks_are_as_the_terms_say_and_not_to_be_done_without() {
    for version in VERSIONS.map(|(_, version, ..)| version) {
        let mut masked = connection(Role::Client, version, Config::default());
        let negotiated = Negotiated::default().unmasked().with_terms(terms(version));
        let mut client = Connection::new(Role::Client, negotiated, Config::default().into())
            .with_masking_keys(|| MaskingKey::from_bytes([0; 4]));
        for connection in [&mut masked, &mut client] {
            connection.queue("Hello").expect("queued");
        }
        assert_eq!(client.transmit_to_vec(), masked.transmit_to_vec(), "{version}");
    }
}
