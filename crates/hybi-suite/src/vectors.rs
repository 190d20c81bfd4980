//! The protocol vectors of `vectors/`, described by the README beside them.

use serde_json::Value;

/// The records of one file, such as `"frames"` for `vectors/frames.json`.
///
/// # Panics
///
/// When there is no such file, or it is not a JSON array: both are defects of the checkout.
#[must_use]
pub fn records(name: &str) -> Vec<Value> {
    let path = format!("{}/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The records of one file without those that a test cannot take, each named with the reason.
///
/// # Panics
///
/// As [`records`], and when a record that is named is not there, so that no exception outlives what
/// it was made for.
#[must_use]
pub fn records_but(name: &str, left_out: &[(&str, &str)]) -> Vec<Value> {
    let mut records = records(name);
    let all = records.len();
    records.retain(|record| !left_out.iter().any(|(id, _)| record["id"] == *id));
    assert_eq!(records.len(), all - left_out.len(), "{name}: not all of {left_out:?} are there");
    records
}

/// The record of `frames.json` with a connection of hybi-04 whose key belongs to no handshake: only
/// the masks can be tried with it.
pub const WITHOUT_A_HANDSHAKE: [(&str, &str); 1] =
    [("hybi04-c2s-pywebsocket-sample", "its key belongs to no handshake")];

/// The limit on messages that a record sets, in bytes.
#[must_use]
pub fn max_message(record: &Value) -> Option<usize> {
    record["max_message_size"].as_u64()?.try_into().ok()
}

/// The reason that goes with the close code of a record: a limit is named, a broken rule is not.
#[must_use]
pub fn close_reason(record: &Value) -> &'static str {
    let in_fragments = record["id"].as_str().is_some_and(|id| id.contains("fragments"));
    match record["close_code"].as_u64() {
        Some(1004 | 1009) if in_fragments => "message of at least 5 bytes is above the limit of 4",
        Some(1004 | 1009) => "frame of 5 bytes is above the limit of 4",
        _ => "",
    }
}

/// Whether the record says that it applies to `version`, such as `"rfc6455"`.
#[must_use]
pub fn applies_to(record: &Value, version: &str) -> bool {
    record["versions"].as_array().is_some_and(|all| all.iter().any(|one| one == version))
}

/// The bytes of a lower-case hex field.
///
/// # Panics
///
/// When the text is not pairs of hex digits.
#[must_use]
pub fn hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "odd number of hex digits");
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("a hex digit"))
        .collect()
}

/// The stream of a `frames.json` record: `wire_hex`, or prefix, repeated unit and suffix.
///
/// # Panics
///
/// When the expansion does not have the `wire_len` that the record states.
#[must_use]
pub fn wire(record: &Value) -> Vec<u8> {
    let field = |name: &str| record[name].as_str().map(hex).unwrap_or_default();
    let bytes = if record["wire_hex"].is_string() {
        field("wire_hex")
    } else {
        let mut bytes = field("wire_prefix_hex");
        let repeat = &record["wire_repeat"];
        if let Some(unit) = repeat["unit_hex"].as_str().map(hex) {
            let total = repeat["total_bytes"].as_u64().expect("total_bytes") as usize;
            bytes.extend(unit.iter().copied().cycle().take(total));
        }
        bytes.extend(field("wire_suffix_hex"));
        bytes
    };
    if let Some(len) = record["wire_len"].as_u64() {
        assert_eq!(bytes.len() as u64, len, "{}: wire_len", record["id"]);
    }
    bytes
}

/// What an event of a `frames.json` record carries: the bytes of its text, or its payload.
///
/// # Panics
///
/// When the event does not say.
#[must_use]
pub fn payload(event: &Value) -> Vec<u8> {
    if let Some(text) = event["text"].as_str() {
        return text.as_bytes().to_vec();
    }
    if let Some(bytes) = event["hex"].as_str() {
        return hex(bytes);
    }
    let repeat = &event["repeat"];
    let unit = match (repeat["char"].as_str(), repeat["byte_hex"].as_str()) {
        (Some(character), _) => character.as_bytes().to_vec(),
        (None, Some(byte)) => hex(byte),
        (None, None) => panic!("no payload: {event}"),
    };
    unit.repeat(repeat["count"].as_u64().expect("count") as usize)
}

/// Where to cut a stream of `len` bytes in two: everywhere, or, unless asked for `all`, in long
/// streams at both ends and at some places between.
#[must_use]
pub fn cuts(len: usize, all: bool) -> Vec<usize> {
    if all || len <= 1024 {
        return (1..len).collect();
    }
    let edge = 40;
    (1..edge).chain((edge..len - edge).step_by(len / 16)).chain(len - edge..len).collect()
}
