//! Close frames that an application asks for: what may be sent, and what is refused before a byte
//! leaves (RFC 6455 §5.5.1, §7.4).

use hybi_frame::{CloseCode, CloseFrame, CloseFrameError, FrameRules, Role, Utf8Bytes, Violation};

#[test]
fn a_reason_has_at_most_123_bytes() {
    let longest = "r".repeat(123);
    let close = CloseFrame::new(CloseCode::NORMAL, longest.as_str()).expect("fits");
    let mut payload = Vec::new();
    close.encode(&mut payload);
    assert_eq!(payload.len(), 125);
    assert_eq!(CloseFrame::parse(&payload, FrameRules::RFC6455), Ok(Some(close)));

    let refused = CloseFrame::new(CloseCode::NORMAL, "é".repeat(62));
    assert_eq!(refused, Err(CloseFrameError::Reason { len: 124 }));
    let told = refused.expect_err("too long").to_string();
    assert_eq!(told, "close reason of 124 bytes is longer than 123 (RFC 6455 section 5.5)");
}

#[test]
fn a_code_is_one_that_may_be_sent() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX] {
        let code = CloseCode::from(code);
        assert_eq!(CloseFrame::new(code, ""), Err(CloseFrameError::Code(code)));
    }
    for code in [1000, 1003, 1007, 1010, 1014, 3000, 4999] {
        assert!(CloseFrame::new(CloseCode::from(code), "").is_ok(), "{code}");
    }
    let told = CloseFrameError::Code(CloseCode::ABNORMAL).to_string();
    assert_eq!(told, "close code 1006 (abnormal) may not be sent (RFC 6455 section 7.4)");
}

#[test]
fn what_is_too_big_has_a_number_in_version_13_and_another_in_its_drafts() {
    let (rfc, draft) = (CloseCode::MESSAGE_TOO_BIG, CloseCode::DRAFT_FRAME_TOO_LARGE);
    assert_eq!(rfc.to_string(), "1009 (message too big)");
    assert_eq!(draft.to_string(), "1004 (frame too large, in drafts)");
    let in_use = |rules| [rfc, draft].map(|code| code.may_be_sent(rules, Role::Server));
    assert_eq!(in_use(FrameRules::RFC6455), [true, false]);
    for rules in [FrameRules::HYBI_08, FrameRules::HYBI_07, FrameRules::HYBI_06] {
        assert_eq!(in_use(rules), [false, true]);
    }
}

#[test]
fn role_and_version_decide() {
    let send = |rules, role, code| CloseFrame::for_version(rules, role, code, "").is_ok();
    let (rfc, draft) = (FrameRules::RFC6455, FrameRules::HYBI_08);
    assert!(send(rfc, Role::Client, CloseCode::MANDATORY_EXTENSION));
    assert!(!send(rfc, Role::Server, CloseCode::MANDATORY_EXTENSION));
    assert!(send(draft, Role::Server, CloseCode::DRAFT_FRAME_TOO_LARGE));
    assert!(!send(rfc, Role::Server, CloseCode::DRAFT_FRAME_TOO_LARGE));
    assert!(!send(draft, Role::Server, CloseCode::MESSAGE_TOO_BIG));
    assert!(send(draft, Role::Server, CloseCode::INVALID_PAYLOAD));
    assert!(!send(FrameRules::HYBI_07, Role::Server, CloseCode::INVALID_PAYLOAD));
}

#[test]
fn payloads_of_each_length() {
    let parse = |payload| CloseFrame::parse(payload, FrameRules::RFC6455);
    assert_eq!(parse(b""), Ok(None));
    assert_eq!(parse(b"\x03"), Err(Violation::ClosePayloadTooShort));
    let close = parse(b"\x03\xe9bye").expect("valid").expect("a code");
    assert_eq!((close.code(), close.reason().as_str()), (CloseCode::GOING_AWAY, "bye"));
    assert_eq!(close.to_string(), "1001 (going away): bye");
}

#[test]
fn text_is_text_however_it_came() {
    use bytes::{Bytes, BytesMut};
    use std::collections::HashMap;

    let text = "caf\u{e9}";
    let all = [
        Utf8Bytes::from_static(text),
        Utf8Bytes::from(text),
        Utf8Bytes::from(text.to_string()),
        Utf8Bytes::try_from(text.as_bytes()).expect("text"),
        Utf8Bytes::try_from(text.as_bytes().to_vec()).expect("text"),
        Utf8Bytes::try_from(Bytes::from_static(text.as_bytes())).expect("text"),
        Utf8Bytes::try_from(BytesMut::from(text)).expect("text"),
    ];
    for one in &all {
        assert_eq!(*one, *text);
        assert_eq!(format!("{one} {one:?}"), "caf\u{e9} \"caf\u{e9}\"");
        assert_eq!(Bytes::from(one.clone()), text);
        assert_eq!(String::from(one.clone()), text);
        assert!(*one > Utf8Bytes::from_static("cafe"));
        assert_eq!(HashMap::from([(one.clone(), 1)]).get(text), Some(&1), "hashes as str does");
    }
    let error = Utf8Bytes::try_from(b"caf\xe9".to_vec()).expect_err("latin 1");
    assert_eq!((error.offset(), error.to_string()), (4, "not UTF-8 at byte 4".to_string()));
    assert_eq!(Utf8Bytes::default(), "");
}
