//! The recorded streams of `frames.json` that are older than hybi-07: whole, byte by byte, and cut at
//! every position; and encoded back to the same bytes.

use hybi_frame::{CloseCode, CloseFrame, Limits};
use hybi_legacy::{Draft, FrameCodec, Role, Terms, Version};
use hybi_suite::vectors;
use serde_json::Value;

use crate::receiver::{Outcome, Told, header, receive};

#[test]
fn streams_give_their_events_however_they_are_cut() {
    let mut run = 0;
    for (record, version) in records() {
        let wire = vectors::wire(&record);
        for role in receivers(&record) {
            let terms = terms(&record, version);
            let mut limits = Limits::default();
            if let Some(bytes) = vectors::max_message(&record) {
                limits = limits.with_max_message(bytes);
            }
            let whole = receive(&terms, role, limits, [&wire[..]]);
            assert_outcome(&record, version, &whole);

            let by_byte = receive(&terms, role, limits, wire.chunks(1));
            assert_eq!(by_byte, whole, "{} byte by byte as {version}", record["id"]);
            for cut in vectors::cuts(wire.len(), false) {
                let (front, back) = wire.split_at(cut);
                let in_two = receive(&terms, role, limits, [front, back]);
                assert_eq!(in_two, whole, "{} cut at {cut} as {version}", record["id"]);
            }
            run += 1;
        }
    }
    assert_eq!(run, 457);
}

#[test]
fn events_encode_to_their_streams() {
    let mut run = 0;
    for (record, version) in records().filter(|(record, _)| record["encode"] == true) {
        let [event] = &events(&record)[..] else { panic!("{}: one event", record["id"]) };
        let wire = vectors::wire(&record);
        for role in receivers(&record).into_iter().map(Role::peer) {
            let mut codec = FrameCodec::new(&terms(&record, version), role, Limits::default());
            let key = codec.masks().then(|| *wire.first_chunk().expect("four bytes"));
            let header = header(event.opcode(), key, event.payload());
            let mut out = b"before".to_vec();
            codec.encode(&mut out, &header, event.payload());
            assert_eq!(out.split_off(6), wire, "{} as {version}", record["id"]);
            assert_eq!(out, b"before");

            if !codec.masks() {
                let behind = codec.encode_around(&mut out, &header);
                let around = [&out[6..], event.payload(), behind].concat();
                assert_eq!(around, wire, "{} as {version}", record["id"]);
            }
            run += 1;
        }
    }
    assert_eq!(run, 182);
}

#[test]
fn a_close_frame_is_answered_as_recorded() {
    let mut run = 0;
    for (record, version) in records().filter(|(record, _)| record["reply_hex"].is_string()) {
        let reply = vectors::hex(record["reply_hex"].as_str().expect("hex"));
        for role in receivers(&record) {
            let terms = terms(&record, version);
            let (events, _) =
                receive(&terms, role, Limits::default(), [&vectors::wire(&record)[..]]);
            let close = events.last().expect("a close");
            let mut codec = FrameCodec::new(&terms, role, Limits::default());
            let answer = codec.rules().closing().answer(role, close.payload()).to_vec();
            let mut out = Vec::new();
            codec.encode(&mut out, &header(close.opcode(), None, &answer), &answer);
            assert_eq!(out, reply, "{} as {version}", record["id"]);
            run += 1;
        }
    }
    assert_eq!(run, 2);
}

/// The records older than hybi-07, each with every version that it applies to; a test beside the masks
/// has the one that is left out.
fn records() -> impl Iterator<Item = (Value, Version)> {
    let mut records = vectors::records_but("frames", &vectors::WITHOUT_A_HANDSHAKE);
    records.retain(|record| record["family"] != "F07");
    assert_eq!(records.len(), 150);
    records.into_iter().flat_map(|record| {
        let names = record["versions"].as_array().expect("versions").clone();
        let drafts = names.into_iter().map(|name| {
            let draft = name.as_str().expect("a name").parse::<Draft>();
            draft.expect("a draft").version()
        });
        let mut versions: Vec<Version> = drafts.collect();
        // hixie-76 and hybi-00 are one.
        versions.dedup();
        versions.into_iter().map(move |version| (record.clone(), version))
    })
}

/// Who receives a stream of this direction.
fn receivers(record: &Value) -> Vec<Role> {
    match record["direction"].as_str() {
        Some("c2s") => vec![Role::Server],
        Some("s2c") => vec![Role::Client],
        Some("any") => vec![Role::Server, Role::Client],
        other => panic!("direction {other:?}"),
    }
}

fn terms(record: &Value, version: Version) -> Terms {
    if let Some(terms) = Terms::new(version) {
        return terms;
    }
    let field = |name: &str| record["conn"][name].as_str().unwrap_or_default();
    Terms::hybi_04(field("key"), field("nonce"))
}

fn assert_outcome(record: &Value, version: Version, got: &Outcome) {
    let id = &record["id"];
    let (seen, result) = got;
    assert_eq!(seen, &events(record), "{id} as {version}");
    match record["expect"].as_str() {
        Some("ok" | "incomplete") => assert_eq!(*result, Ok(()), "{id} as {version}"),
        Some("fail") => {
            let error = result.expect_err("a broken rule");
            if let Some(code) = record["close_code"].as_u64() {
                let got = error.close_code().as_u16();
                assert_eq!(u64::from(got), code, "{id} as {version}: {error}");
            }
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
        Some("close") => {
            let body = event["body_hex"].as_str().map(vectors::hex).unwrap_or_default();
            let close = event["code"].as_u64().map(|code| {
                let reason = event["reason"].as_str().expect("reason");
                let code = CloseCode::from(u16::try_from(code).expect("a code"));
                let rules = Draft::Hybi06.rules();
                CloseFrame::for_version(rules, Role::Client, code, reason)
                    .expect("a code of hybi-06")
            });
            Told::Close(close, body)
        }
        other => panic!("event type {other:?}"),
    }
}
