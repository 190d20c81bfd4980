//! The recorded streams, RFC 7692 §7.2.2: whole, byte by byte and cut at every position, to the role
//! that they were recorded for and to the other.

use hybi_compression::{Agreed, Deflate, Extensions};
use hybi_frame::{CloseCode, CloseFrame, FrameError, Limits, Role};
use hybi_handshake::Version;
use hybi_suite::vectors;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::endpoint::{Endpoint, Told, elements, turned};

/// What miniz_oxide does not notice: to it, what was before the first byte is zeros.
const TOO_FAR_BACK: [(&str, &str); 2] = [
    ("pmd-takeover-violated", "refers to the message before"),
    ("pmd-err-distance", "refers to before the first byte"),
];

#[test]
fn streams_give_their_events_however_they_are_cut() {
    let left_out = if Deflate::HAS_WINDOW_BITS { &[][..] } else { &TOO_FAR_BACK };
    let records = vectors::records_but("compression-permessage-deflate-frames", left_out);
    assert_eq!(records.len(), 50 - left_out.len());
    for record in records {
        let id = record["id"].as_str().expect("an id");
        let recorded = match record["receiver"].as_str() {
            Some("client") => Role::Client,
            Some("server") => Role::Server,
            other => panic!("{id}: receiver {other:?}"),
        };
        let wire = vectors::hex(record["wire_hex"].as_str().expect("a stream"));
        for (role, wire) in [(recorded, wire.clone()), (other(recorded), turned(&wire, recorded))] {
            let receive = |chunks: &[&[u8]]| {
                let mut endpoint = Endpoint::new(role, &agreed(&record, role), limits(&record));
                let result = chunks.iter().try_for_each(|chunk| endpoint.receive(chunk));
                (endpoint.events, result.map_err(outcome))
            };
            let whole = receive(&[&wire]);
            assert_outcome(&record, role, &whole);
            let bytes: Vec<&[u8]> = wire.chunks(1).collect();
            assert_eq!(receive(&bytes), whole, "{id} to a {role:?} byte by byte");
            for cut in vectors::cuts(wire.len(), true) {
                let (front, back) = wire.split_at(cut);
                assert_eq!(receive(&[front, back]), whole, "{id} to a {role:?} cut at {cut}");
            }
        }
    }
}

/// What an error says that does not depend on how much of a piece had come out when it was found.
fn outcome(error: FrameError) -> (CloseCode, u64) {
    (error.close_code(), error.offset())
}

/// What was agreed on, with the sender of the stream bound by the record's parameters.
fn agreed(record: &Value, receiver: Role) -> Vec<Agreed> {
    let Some(params) = record["params"].as_object() else { return Vec::new() };
    let mut deflate = Deflate::default();
    let mut answer = "permessage-deflate".to_owned();
    for (name, value) in params {
        match (name.as_str(), value.as_u64()) {
            ("server_no_context_takeover", None) => {
                deflate = deflate.peer_context_takeover(false);
                answer += "; server_no_context_takeover";
            }
            ("server_max_window_bits", Some(bits)) => {
                deflate = deflate.peer_window_bits(bits as u8);
                answer += &format!("; server_max_window_bits={bits}");
            }
            other => panic!("{}: parameter {other:?}", record["id"]),
        }
    }
    let extensions = Extensions::from(deflate);
    let agreed = match receiver {
        Role::Client => {
            extensions.confirm(&elements(&answer), Version::RFC6455).expect("a lawful answer")
        }
        Role::Server => extensions
            .accept(&elements("permessage-deflate; client_max_window_bits"), Version::RFC6455),
    };
    assert_eq!(agreed.len(), 1, "{}", record["id"]);
    agreed
}

fn limits(record: &Value) -> Limits {
    match record["max_message_size"].as_u64() {
        Some(bytes) => Limits::default().with_max_message(bytes as usize),
        None => Limits::default(),
    }
}

type Outcome = (Vec<Told>, Result<(), (CloseCode, u64)>);

fn assert_outcome(record: &Value, role: Role, (events, result): &Outcome) {
    let id = &record["id"];
    let codes = |rule: &Value| -> Vec<u64> {
        let code = &rule["close_code"];
        code.as_u64()
            .into_iter()
            .chain(code.as_array().into_iter().flatten().filter_map(Value::as_u64))
            .collect()
    };
    let expected = record["events"].as_array().expect("events");
    let must_all_come = match result {
        Ok(()) => {
            assert!(record["error"].is_null(), "{id} to a {role:?}: no error");
            true
        }
        Err((code, _)) => {
            let must = codes(&record["error"]);
            let may = codes(&record["error_allowed"]);
            let code = u64::from(code.as_u16());
            assert!(must.contains(&code) || may.contains(&code), "{id} to a {role:?}: {code}");
            // Only these are failed where a receiver may choose.
            assert!(
                !must.is_empty() || id == "pmd-takeover-violated",
                "{id} to a {role:?} need not fail"
            );
            record["events_optional"] != true && !must.is_empty()
        }
    };
    let missing = expected.len().checked_sub(events.len());
    let missing = missing.unwrap_or_else(|| panic!("{id} to a {role:?}: more than {expected:?}"));
    assert!(missing == 0 || !must_all_come, "{id} to a {role:?}: {events:?}");
    for (event, expected) in events.iter().zip(expected) {
        let same = match event {
            Told::Text(text) => is_payload(expected, "text", text.as_bytes()),
            Told::Binary(payload) => is_payload(expected, "binary", payload),
            Told::Ping(payload) => is_payload(expected, "ping", payload),
            Told::Pong(payload) => is_payload(expected, "pong", payload),
            Told::Close(close, _) => {
                let code = expected["code"].as_u64().map(|code| CloseCode::from(code as u16));
                expected["type"] == "close" && close.as_ref().map(CloseFrame::code) == code
            }
        };
        assert!(same, "{id} to a {role:?}: {event:?} is not {expected}");
    }
}

fn is_payload(expected: &Value, kind: &str, payload: &[u8]) -> bool {
    if expected["type"] != kind {
        return false;
    }
    match expected["sha256"].as_str() {
        Some(hash) => Sha256::digest(payload)[..] == vectors::hex(hash),
        None => payload == vectors::payload(expected),
    }
}

fn other(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}
