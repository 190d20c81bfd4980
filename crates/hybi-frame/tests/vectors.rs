//! The recorded streams of `frames.json` and the table of `close_codes.json`: whole, byte by byte,
//! and cut at every position; and encoded back to the same bytes.

mod common;

use common::{Told, receive_within};
use hybi_frame::{
    CloseCode, CloseFrame, FrameError, FrameRules, Limits, MaskingKey, Role, Rsv, encode_frame,
};
use hybi_suite::vectors;
use serde_json::Value;

/// The name under which the records list a set of rules, and how many records do.
const VERSIONS: [(&str, FrameRules, usize); 3] = [
    ("rfc6455", FrameRules::RFC6455, 151),
    ("hybi-10", FrameRules::HYBI_08, 119),
    ("hybi-07", FrameRules::HYBI_07, 93),
];

#[test]
fn streams_give_their_events_however_they_are_cut() {
    let records = vectors::records("frames");
    for (version, rules, count) in VERSIONS {
        let ours = records.iter().filter(|record| is_ours(record, version));
        assert_eq!(ours.clone().count(), count, "records under {version}");
        for record in ours {
            let wire = vectors::wire(record);
            let limits = limits(record);
            for role in receivers(record) {
                let whole = receive_within(limits, role, rules, [&wire[..]]);
                assert_outcome(record, version, &whole);

                let by_byte = receive_within(limits, role, rules, wire.chunks(1));
                assert_eq!(by_byte, whole, "{} byte by byte", record["id"]);
                // Long streams are cut everywhere once, and less under the drafts that share the code.
                for cut in vectors::cuts(wire.len(), version == "rfc6455") {
                    let (front, back) = wire.split_at(cut);
                    let in_two = receive_within(limits, role, rules, [front, back]);
                    assert_eq!(in_two, whole, "{} cut at {cut}", record["id"]);
                }
            }
        }
    }
}

#[test]
fn events_encode_to_their_streams() {
    let mut run = 0;
    for record in vectors::records("frames") {
        if !is_ours(&record, "hybi-07") && !is_ours(&record, "rfc6455") || record["encode"] != true
        {
            continue;
        }
        let [event] = &events(&record)[..] else { panic!("{}: one event", record["id"]) };
        let key = record["mask_key_hex"]
            .as_str()
            .map(|key| MaskingKey::from_bytes(vectors::hex(key).try_into().expect("four bytes")));
        let (opcode, payload) = (event.opcode(), event.payload());
        let mut out = b"before".to_vec();
        encode_frame(&mut out, true, Rsv::NONE, opcode, payload, key);
        assert_eq!(out.split_off(6), vectors::wire(&record), "{}", record["id"]);
        assert_eq!(out, b"before");
        run += 1;
    }
    assert_eq!(run, 59);
}

#[test]
fn close_codes_follow_the_table() {
    let rfc = FrameRules::RFC6455;
    let records = vectors::records("close_codes");
    assert_eq!(records.len(), 16);
    for record in records {
        let number = record["code"].as_u64().expect("a code") as u16;
        let code = CloseCode::from(number);
        let wire = record["may_be_sent"] == true;
        let in_13 = record["until"].is_null();
        let since = record["since"].as_str().expect("a draft");
        assert_eq!(code.may_be_sent(rfc, Role::Client), wire && in_13, "{number}");
        assert_eq!(
            code.may_be_sent(rfc, Role::Server),
            wire && in_13 && number != 1010,
            "{number}"
        );
        assert_eq!(code.may_be_received(rfc), wire && in_13, "{number}");
        for (rules, last) in [(FrameRules::HYBI_07, "hybi-07"), (FrameRules::HYBI_08, "hybi-12")] {
            let known = since.starts_with("hybi-") && since <= last;
            assert_eq!(code.may_be_sent(rules, Role::Server), wire && known, "{number} {last}");
            assert_eq!(code.may_be_received(rules), wire, "{number} {last}");
        }
        let named = code.to_string();
        assert!(named.starts_with(&format!("{number} (")), "{named}");
    }
}

#[test]
fn close_codes_outside_the_table() {
    for (range, rfc, drafts) in [
        (0..=999, false, false),
        (1016..=2999, false, true),
        (3000..=4999, true, true),
        (5000..=u16::MAX, false, false),
    ] {
        for number in range {
            let code = CloseCode::from(number);
            assert_eq!(code.may_be_received(FrameRules::RFC6455), rfc, "{number}");
            assert_eq!(code.may_be_sent(FrameRules::RFC6455, Role::Server), rfc, "{number}");
            assert_eq!(code.may_be_received(FrameRules::HYBI_07), drafts, "{number}");
            assert_eq!(code.may_be_sent(FrameRules::HYBI_08, Role::Client), rfc, "{number}");
            assert_eq!(u16::from(code), number);
        }
    }
}

fn is_ours(record: &Value, version: &str) -> bool {
    record["family"] == "F07" && vectors::applies_to(record, version)
}

/// With the limit that the record sets, if it does.
fn limits(record: &Value) -> Limits {
    let limits = Limits::default();
    vectors::max_message(record).map_or(limits, |bytes| limits.with_max_message(bytes))
}

/// Who receives a stream of this direction.
fn receivers(record: &Value) -> Vec<Role> {
    match record["direction"].as_str() {
        Some("c2s") => vec![Role::Server],
        Some("s2c") => vec![Role::Client],
        other => panic!("direction {other:?}"),
    }
}

fn assert_outcome(record: &Value, version: &str, got: &(Vec<Told>, Result<(), FrameError>)) {
    let id = &record["id"];
    let (seen, result) = got;
    assert_eq!(seen, &events(record), "{id} under {version}");
    match record["expect"].as_str() {
        Some("ok" | "incomplete") => assert_eq!(*result, Ok(()), "{id} under {version}"),
        Some("fail") => {
            let error = result.expect_err("a broken rule");
            let code = record["close_code"].as_u64();
            let got = u64::from(error.close_code().as_u16());
            assert_eq!(Some(got), code, "{id} under {version}: {error}");
        }
        other => panic!("{id}: expect {other:?}"),
    }
}

fn events(record: &Value) -> Vec<Told> {
    let list = record["events"].as_array().expect("events");
    list.iter().map(expected_event).collect()
}

fn expected_event(event: &Value) -> Told {
    let bytes = || vectors::payload(event);
    match event["type"].as_str() {
        Some("text") => Told::Text(String::from_utf8(bytes()).expect("text")),
        Some("binary") => Told::Binary(bytes()),
        Some("ping") => Told::Ping(bytes()),
        Some("pong") => Told::Pong(bytes()),
        Some("close") => Told::close(event["code"].as_u64().map(|code| {
            let body = vectors::hex(event["body_hex"].as_str().expect("body"));
            let reason = event["reason"].as_str().expect("reason");
            assert_eq!(&body[2..], reason.as_bytes());
            // 1004 ended with hybi-12, and all others that are recorded are codes of the RFC.
            let rules = if code == 1004 { FrameRules::HYBI_08 } else { FrameRules::RFC6455 };
            let code = CloseCode::from(code as u16);
            CloseFrame::for_version(rules, Role::Client, code, reason)
                .expect("a code of the version")
        })),
        other => panic!("event type {other:?}"),
    }
}
