//! What `frames.json` records, in the types of this crate.

use hybi::{CloseCode, CloseFrame, Message, Role, frame::FrameRules};
use hybi_suite::vectors;
use serde_json::Value;

/// The messages that a recorded stream holds.
pub(crate) fn messages(record: &Value) -> Vec<Message> {
    record["events"].as_array().expect("events").iter().map(message).collect()
}

/// One of them.
pub(crate) fn message(event: &Value) -> Message {
    let bytes = || vectors::payload(event);
    match event["type"].as_str() {
        Some("text") => Message::text(String::from_utf8(bytes()).expect("text")),
        Some("binary") => Message::binary(bytes()),
        Some("ping") => Message::Ping(bytes().into()),
        Some("pong") => Message::Pong(bytes().into()),
        Some("close") => Message::Close(event["code"].as_u64().map(|code| {
            let reason = event["reason"].as_str().expect("reason");
            // 1004 ended with hybi-12, and all others that are recorded are codes of the RFC.
            let rules = if code == 1004 { FrameRules::HYBI_08 } else { FrameRules::RFC6455 };
            CloseFrame::for_version(rules, Role::Client, CloseCode::from(code as u16), reason)
                .expect("a code of the version")
        })),
        other => panic!("event type {other:?}"),
    }
}
