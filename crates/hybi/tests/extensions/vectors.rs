//! The recorded frames of each extension through a whole `Connection`: whole, byte by byte and cut
//! everywhere; the events, the error, and the close code that goes back (RFC 7692 section 7.2,
//! and the drafts before it).

use hybi::{Config, Connection, Deflate, Error, Extensions, Message, Role, State};
use hybi_suite::vectors;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    wire::{CLOSE, frames},
    world::{CHECKS_DISTANCES, Kind, Opened, agreed, config, feed, open},
};

#[test]
fn permessage_deflate() {
    let left_out = if WATCHES_THE_WINDOW { 0 } else { 7 };
    let runs = run("compression-permessage-deflate-frames", &Kind::PER_MESSAGE);
    assert_eq!(runs, 3 * (50 - left_out));
}

#[test]
fn deflate_frame() {
    let left_out = if WATCHES_THE_WINDOW { 0 } else { 2 };
    assert_eq!(run("compression-deflate-frame-frames", &Kind::PER_FRAME), 3 * (20 - left_out));
}

#[test]
fn deflate_stream() {
    assert_eq!(run("compression-deflate-stream", &[Kind::DeflateStream]), 6);
}

/// Runs each record under each of the extensions that share its frames; returns how many runs.
fn run(file: &str, kinds: &[Kind]) -> usize {
    let mut runs = 0;
    for record in vectors::records(file) {
        if !is_for_this_library(&record) {
            continue;
        }
        let wire = vectors::hex(record["wire_hex"].as_str().expect("wire_hex"));
        for &kind in kinds {
            let outcome = receive(&record, kind, [&wire[..]]);
            check(&record, kind, &outcome);
            let by_byte = receive(&record, kind, wire.chunks(1));
            assert_eq!(by_byte, outcome, "{} byte by byte under {kind:?}", record["id"]);
            for cut in vectors::cuts(wire.len(), true) {
                let (front, back) = wire.split_at(cut);
                let in_two = receive(&record, kind, [front, back]);
                assert_eq!(in_two, outcome, "{} cut at {cut} under {kind:?}", record["id"]);
            }
            runs += 1;
        }
    }
    runs
}

/// Whether a sender can be asked for a smaller window, and a reference that leaves it is noticed.
const WATCHES_THE_WINDOW: bool = Deflate::HAS_WINDOW_BITS && CHECKS_DISTANCES;

fn is_for_this_library(record: &Value) -> bool {
    let bits = |name: &str| record["params"][name].as_u64().is_some_and(|bits| bits < 15);
    let narrow = bits("server_max_window_bits") || bits("sender_max_window_bits");
    let too_far_back = ["pmd-err-distance", "pmd-takeover-violated"];
    WATCHES_THE_WINDOW || !narrow && !too_far_back.iter().any(|id| record["id"] == *id)
}

/// What is whole of a stream is delivered, before anything comes behind it.
#[test]
fn what_was_flushed_is_delivered_at_once() {
    let mut points = 0;
    for record in vectors::records("compression-deflate-stream") {
        let wire = vectors::hex(record["wire_hex"].as_str().expect("wire_hex"));
        let events = record["events"].as_array().expect("events");
        for (at, point) in record["flush_points"].as_array().into_iter().flatten().enumerate() {
            let point = point.as_u64().expect("an offset") as usize;
            let outcome = receive(&record, Kind::DeflateStream, [&wire[..point]]);
            assert_eq!(outcome.events.len(), at + 1, "{} at {point}", record["id"]);
            assert!(fits(&outcome.events[at], &events[at]));
            points += 1;
        }
    }
    assert_eq!(points, 3);
}

/// What came of the frames of a record.
#[derive(Debug, PartialEq)]
struct Outcome {
    events: Vec<Message>,
    /// The broken rule in words, with its offset.
    error: Option<String>,
    close_code: Option<u16>,
    /// What the peer is told in a Close frame.
    told: Option<u16>,
    state: State,
}

fn receive<'a>(record: &Value, kind: Kind, chunks: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut own = receiver(record, kind);
    let mut events = Vec::new();
    for chunk in chunks {
        events.extend(feed(&mut own, chunk));
    }
    let answer = own.transmit_to_vec();
    // An answer in a stream of DEFLATE is judged elsewhere.
    let answers =
        if kind == Kind::DeflateStream { Vec::new() } else { frames(own.role(), &answer) };
    let close = answers.iter().find(|frame| frame.first == CLOSE);
    let told = close.and_then(|close| close.payload.first_chunk()).copied();
    Outcome {
        events,
        error: own.error().map(ToString::to_string),
        close_code: own.error().and_then(Error::close_code).map(u16::from),
        told: told.map(u16::from_be_bytes),
        state: own.state(),
    }
}

/// The endpoint that receives, with what was agreed on according to the record.
fn receiver(record: &Value, kind: Kind) -> Connection {
    let role = match record["receiver"].as_str() {
        Some("client") => Role::Client,
        Some("server") => Role::Server,
        other => panic!("receiver {other:?}"),
    };
    let mut config = config();
    if let Some(limit) = record["max_message_size"].as_u64() {
        config = config.max_message(limit as usize);
    }
    let opened = match (kind, &record["params"]) {
        (Kind::DeflateStream, _) => agreed(kind, Deflate::default(), Deflate::default(), &config),
        (_, Value::Null) => plain(&config),
        (_, params) => {
            // What binds the sender is asked for by the receiver.
            let mut wishes = Deflate::default();
            for (name, value) in params.as_object().expect("parameters") {
                wishes = match (name.as_str(), value.as_u64()) {
                    ("server_max_window_bits" | "sender_max_window_bits", Some(bits)) => {
                        wishes.peer_window_bits(bits as u8)
                    }
                    ("server_no_context_takeover" | "sender_no_context_takeover", None) => {
                        wishes.peer_context_takeover(false)
                    }
                    (other, _) => panic!("parameter {other}"),
                };
            }
            match role {
                Role::Client => agreed(kind, wishes, Deflate::default(), &config),
                Role::Server => agreed(kind, Deflate::default(), wishes, &config),
            }
        }
    };
    if role == Role::Client { opened.client } else { opened.server }
}

fn plain(config: &Config) -> Opened {
    let client = hybi::Client::builder().extensions(Extensions::none()).config(config.clone());
    let client = client.build().expect("a client");
    let opened = open(&client, &hybi::Server::default()).expect("accepted");
    assert_eq!((opened.offer.as_ref(), opened.answer.as_ref()), (None, None));
    opened
}

fn check(record: &Value, kind: Kind, outcome: &Outcome) {
    let what = format!("{} under {kind:?}: {outcome:?}", record["id"]);
    let lawful_codes = |error: &Value| match &error["close_code"] {
        Value::Array(codes) => codes.iter().map(|code| code.as_u64().expect("a code")).collect(),
        code => vec![code.as_u64().expect("a code")],
    };
    let allowed = outcome.error.is_some() && record["error_allowed"].is_object();
    let error = if allowed { &record["error_allowed"] } else { &record["error"] };
    let expected = record["events"].as_array().expect("events");
    let all_there = outcome.events.len() == expected.len();
    assert!(all_there || allowed || record["events_optional"] == true, "{what}");
    let mut events = outcome.events.iter().zip(expected);
    assert!(events.all(|(event, expected)| fits(event, expected)), "{what}");

    let closed = outcome.events.iter().any(|event| matches!(event, Message::Close(_)));
    if error.is_null() {
        assert_eq!(outcome.error, None, "{what}");
        assert_eq!(outcome.state == State::Closing, closed, "{what}");
    } else {
        let code = outcome.close_code.expect("an error with a code");
        assert!(lawful_codes(error).contains(&code.into()), "{what}");
        assert_eq!(outcome.told, Some(code), "{what}");
        assert_eq!(outcome.state, State::Closing, "{what}");
    }
}

fn fits(event: &Message, expected: &Value) -> bool {
    let same = match (event, expected["type"].as_str()) {
        (Message::Text(_), Some("text"))
        | (Message::Binary(_), Some("binary"))
        | (Message::Ping(_), Some("ping")) => true,
        (Message::Close(Some(frame)), Some("close")) => {
            let code = expected["code"].as_u64() == Some(u16::from(frame.code()).into());
            return code && expected["reason"] == frame.reason().as_str();
        }
        _ => false,
    };
    let bytes = event.as_bytes();
    same && match (expected["len"].as_u64(), expected["sha256"].as_str()) {
        (Some(len), Some(digest)) => {
            bytes.len() as u64 == len && Sha256::digest(bytes)[..] == vectors::hex(digest)
        }
        _ => bytes == vectors::payload(expected),
    }
}
