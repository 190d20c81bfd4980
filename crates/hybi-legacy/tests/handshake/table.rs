//! The table of drafts against `versions.json`, `close_codes.json` and the front page of the crate.

use core::str::FromStr as _;

use hybi_frame::{CloseCode, Closing, InvalidUtf8, Role};
use hybi_handshake::Version;
use hybi_legacy::{
    Draft, ExtensionSyntax, FramingFamily, HandshakeFamily, Selector, SubprotocolSyntax,
};
use hybi_suite::vectors::records;
use serde_json::{Value, json};

#[test]
fn every_draft_of_the_vectors_is_in_the_table() {
    let records = records("versions");
    assert_eq!(records.len(), Draft::ALL.len() + 1, "hixie-76 is in the vectors twice");
    for record in records {
        let name = record["draft"].as_str().expect("a name");
        let draft = Draft::from_str(name).expect("a draft");
        let (header, values) = match draft.selector() {
            Selector::Nothing => (Value::Null, Value::Null),
            // The draft without the field, of which hybi-00 tells what was seen.
            Selector::Keys { .. } if name == "hixie-76" => (Value::Null, Value::Null),
            Selector::Keys { draft, optional } => {
                let none = optional.then_some(Value::Null);
                let values = none.into_iter().chain(draft.iter().map(|number| json!(number)));
                (json!("Sec-WebSocket-Draft"), Value::Array(values.collect()))
            }
            Selector::Version => {
                (json!("Sec-WebSocket-Version"), json!([draft.version().number()]))
            }
        };
        assert_eq!(
            (&header, &values),
            (&record["version_header"], &record["version_value"]),
            "{name}"
        );
        let origin = record["origin_header"].as_str().expect("a field").to_ascii_lowercase();
        assert_eq!(draft.origin_field().as_str(), origin, "{name}");
        let handshake = match draft.handshake() {
            HandshakeFamily::Hixie75 => "H75",
            HandshakeFamily::Hixie76 => "H76",
            HandshakeFamily::Hybi04 => "H04",
            HandshakeFamily::Hybi05 => "H05",
        };
        assert_eq!(handshake, record["handshake"], "{name}");
        let framing = match draft.framing() {
            FramingFamily::Hixie75 => "F75",
            FramingFamily::Hixie76 => "F76",
            FramingFamily::Hybi01 => "F01",
            FramingFamily::Hybi04 => "F04",
            FramingFamily::Hybi05 => "F05",
            FramingFamily::Hybi07 => "F07",
        };
        assert_eq!(framing, record["framing"], "{name}");
        let close = match draft.rules().closing() {
            Closing::Transport => "C75",
            Closing::Marker => "C76",
            Closing::Frame => "C01",
            Closing::Echo => "C03",
            Closing::Letter => "C05",
            Closing::Codes => "C06",
        };
        assert_eq!(close, record["close"], "{name}");
        let invalid_utf8 = match draft.invalid_utf8() {
            InvalidUtf8::Replace => "replace",
            InvalidUtf8::Fail => "fail 1007",
        };
        assert_eq!(invalid_utf8, record["invalid_utf8"], "{name}");
        assert_eq!(draft.refusal_lists_versions(), record["version_list_in_error"], "{name}");
    }
}

#[test]
fn every_version_is_spoken_as_its_newest_draft() {
    for version in Version::ALL {
        let spoken = Draft::spoken_as(version).expect("a draft");
        assert_eq!(spoken.version(), version);
        // An RFC has its own name, and a draft that of the first of its number.
        let first = Draft::ALL.into_iter().find(|draft| draft.version() == version);
        let named = if spoken == Draft::Rfc6455 { Some(spoken) } else { first };
        assert_eq!(version.name(), named.map(Draft::name));
        let newer = Draft::ALL.into_iter().filter(|draft| *draft > spoken);
        assert!(newer.into_iter().all(|draft| draft.version() != version));
        assert_eq!(spoken.invalid_utf8(), spoken.rules().invalid_utf8(), "as it is spoken");
    }
    for never_used in [9, 10, 11, 12, 14, 255] {
        assert_eq!(Draft::spoken_as(Version::new(never_used)), None);
    }
}

#[test]
fn every_draft_has_its_name() {
    for draft in Draft::ALL {
        assert_eq!(draft.to_string().parse(), Ok(draft));
    }
    assert_eq!("hybi-00".parse(), Ok(Draft::Hixie76));
    for name in ["", "hybi-18", "hybi-7", "13", "HYBI-07", "hixie-74"] {
        let error = name.parse::<Draft>().unwrap_err();
        assert!(error.to_string().contains("hybi-00 to hybi-17"), "{name:?}");
    }
}

/// Codes are known from one draft on. Versions 8 and 13 stand for several, so that the newest of
/// each counts: 1007 is sent and received in version 8, though hybi-08 and 09 did not have it yet.
#[test]
fn every_draft_sends_the_close_codes_that_it_knows() {
    let records = records("close_codes");
    assert_eq!(records.len(), 16);
    for record in records {
        let code = record["code"].as_u64().and_then(|code| u16::try_from(code).ok());
        let code = CloseCode::from(code.expect("a code"));
        // Codes that came after the RFC belong to its version.
        let since = record["since"].as_str().and_then(|name| name.parse().ok());
        let since = since.unwrap_or(Draft::Rfc6455);
        let until = record["until"].as_str().map_or(Draft::Rfc6455, |name| name.parse().unwrap());
        let lawful = record["may_be_sent"] == true;
        for draft in Draft::ALL {
            let spoken = Draft::spoken_as(draft.version()).expect("a draft");
            let rules = draft.rules();
            let known = lawful && (since..=until).contains(&spoken);
            let context = format!("{code} in {draft}");
            assert_eq!(code.may_be_sent(rules, Role::Client), known, "{context}");
            let by_server = known && code != CloseCode::MANDATORY_EXTENSION;
            assert_eq!(code.may_be_sent(rules, Role::Server), by_server, "{context}");
            // The lists of the drafts were in motion: trap 17 of the notes.
            let lenient = (Draft::Hybi06..=Draft::Hybi12).contains(&spoken);
            let received = if lenient { lawful } else { known };
            assert_eq!(code.may_be_received(rules), received, "{context}");
        }
    }
}

#[test]
fn the_front_page_shows_the_table_as_it_is() {
    let page = include_str!("../../src/lib.rs");
    let rows = page.lines().filter_map(|line| line.strip_prefix("//! | ")?.strip_suffix(" |"));
    let rows: Vec<Vec<_>> = rows.map(|row| row.split(" | ").collect()).collect();
    let shown: Vec<_> = rows.iter().filter(|row| row.len() == COLUMNS.len()).collect();
    let made: Vec<_> = Draft::ALL.into_iter().map(row).collect();
    assert_eq!(shown.first().map(|row| row.as_slice()), Some(COLUMNS.as_slice()));
    assert_eq!(shown.len() - 1, made.len());
    for (shown, made) in shown[1..].iter().zip(&made) {
        assert_eq!(&shown.join(" | "), &made.join(" | "));
    }
}

const COLUMNS: [&str; 10] = [
    "draft",
    "selected by",
    "origin in",
    "handshake",
    "framing",
    "closing",
    "bad UTF-8",
    "subprotocols",
    "extensions",
    "refusals list versions",
];

/// A draft as the front page shows it.
fn row(draft: Draft) -> [String; 10] {
    let selector = match draft.selector() {
        Selector::Nothing => "nothing".to_owned(),
        Selector::Keys { draft, optional } => {
            let numbers: Vec<_> = draft.iter().map(u8::to_string).collect();
            let none = if optional { " or none" } else { "" };
            format!("two keys, draft {}{none}", numbers.join(" or "))
        }
        Selector::Version => format!("version {}", draft.version()),
    };
    let origin = match draft.origin_field().as_str() {
        "origin" => "`Origin`",
        _ => "`Sec-WebSocket-Origin`",
    };
    let handshake = match draft.handshake() {
        HandshakeFamily::Hixie75 => "hixie-75",
        HandshakeFamily::Hixie76 => "hixie-76",
        HandshakeFamily::Hybi04 => "hybi-04",
        HandshakeFamily::Hybi05 => "hybi-05",
    };
    let framing = match draft.framing() {
        FramingFamily::Hixie75 => "hixie-75",
        FramingFamily::Hixie76 => "hixie-76",
        FramingFamily::Hybi01 => "hybi-01",
        FramingFamily::Hybi04 => "hybi-04",
        FramingFamily::Hybi05 => "hybi-05",
        FramingFamily::Hybi07 => "hybi-07",
    };
    let closing = match draft.rules().closing() {
        Closing::Transport => "none",
        Closing::Marker => "FF 00",
        Closing::Frame => "any payload",
        Closing::Echo => "same payload",
        Closing::Letter => "a letter",
        Closing::Codes => "codes",
    };
    let invalid_utf8 = match draft.invalid_utf8() {
        InvalidUtf8::Replace => "replaced",
        InvalidUtf8::Fail => "fails",
    };
    let subprotocols = match draft.subprotocols() {
        SubprotocolSyntax::One => "one",
        SubprotocolSyntax::Spaces => "spaces",
        SubprotocolSyntax::Commas => "commas",
        SubprotocolSyntax::Tokens => "tokens",
    };
    let extensions = match draft.extensions() {
        ExtensionSyntax::Absent => "none",
        ExtensionSyntax::Names => "names",
        ExtensionSyntax::Tokens => "tokens",
        ExtensionSyntax::Quoted => "quoted",
    };
    let lists = if draft.refusal_lists_versions() { "yes" } else { "no" };
    [
        draft.name(),
        &selector,
        origin,
        handshake,
        framing,
        closing,
        invalid_utf8,
        subprotocols,
        extensions,
        lists,
    ]
    .map(str::to_owned)
}

/// hybi-11 and 12 share a number with drafts that have the longer name, which their servers know.
#[test]
fn a_version_names_its_origin_as_its_first_draft_does() {
    for draft in Draft::ALL {
        if ![Draft::Hybi11, Draft::Hybi12].contains(&draft) {
            assert_eq!(draft.version().origin_field(), draft.origin_field(), "{draft}");
        }
    }
}
