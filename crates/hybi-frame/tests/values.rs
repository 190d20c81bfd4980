//! How values are shown, converted and compared.

use bytes::{Bytes, BytesMut};
use hybi_frame::{
    Chunk, CloseCode, FrameDecoder, FrameRules, Limits, MaskingKey, Opcode, Payload, Role,
    TextPayload, Utf8Bytes,
};

#[test]
fn a_text_is_made_of_every_owner_and_of_checked_bytes() {
    let owned = String::from("h\u{e9}");
    let text = Utf8Bytes::from_static("h\u{e9}");
    assert_eq!(text, Utf8Bytes::from(&owned));
    assert_eq!(text, Utf8Bytes::from(owned.as_str()));
    assert_eq!(text, Utf8Bytes::from(owned.clone()));
    let bytes = owned.as_bytes();
    assert_eq!(Ok(&text), Utf8Bytes::try_from(bytes).as_ref());
    assert_eq!(Ok(&text), Utf8Bytes::try_from(bytes.to_vec()).as_ref());
    assert_eq!(Ok(&text), Utf8Bytes::try_from(Bytes::copy_from_slice(bytes)).as_ref());
    assert_eq!(Ok(&text), Utf8Bytes::try_from(BytesMut::from(bytes)).as_ref());
    let cut = &bytes[..2];
    assert!(Utf8Bytes::try_from(cut).is_err());
    assert!(Utf8Bytes::try_from(cut.to_vec()).is_err());
    assert!(Utf8Bytes::try_from(Bytes::copy_from_slice(cut)).is_err());
    assert!(Utf8Bytes::try_from(BytesMut::from(cut)).is_err());
}

#[test]
fn a_text_gives_its_bytes_away() {
    let text = Utf8Bytes::from_static("h\u{e9}");
    let as_text: &str = text.as_ref();
    let as_bytes: &[u8] = text.as_ref();
    assert_eq!((as_text, as_bytes), ("h\u{e9}", "h\u{e9}".as_bytes()));
    assert_eq!(String::from(text.clone()), "h\u{e9}");
    assert_eq!(Bytes::from(text.clone()), "h\u{e9}".as_bytes());
    assert_eq!(text.into_bytes(), "h\u{e9}".as_bytes());
}

#[test]
fn a_text_compares_with_texts_from_either_side() {
    let text = Utf8Bytes::from_static("a");
    for (other, same) in [("a", true), ("b", false)] {
        let owned = other.to_owned();
        assert_eq!((text == *other, text == other, text == owned), (same, same, same));
        assert_eq!((*other == text, other == text, owned == text), (same, same, same));
    }
    assert_eq!((format!("{text}"), format!("{text:?}")), ("a".into(), "\"a\"".into()));
}

#[test]
fn payloads_are_read_the_same_lent_or_owned() {
    for payload in [Payload::Borrowed(b"ab"), Payload::Owned(Bytes::from_static(b"ab"))] {
        let bytes: &[u8] = payload.as_ref();
        assert_eq!(bytes, b"ab");
        assert_eq!(payload.into_owned(), &b"ab"[..]);
    }
    for payload in [TextPayload::Borrowed("ab"), TextPayload::Owned(Utf8Bytes::from_static("ab"))] {
        let text: &str = payload.as_ref();
        assert_eq!(text, "ab");
        assert_eq!(payload.into_owned(), "ab");
    }
}

#[test]
fn values_are_shown_as_people_read_them() {
    let key = MaskingKey::from_bytes([0x37, 0xfa, 0x21, 0x3d]);
    assert_eq!(format!("{key:?}"), "MaskingKey(37fa213d)");
    let opcodes = [
        (Opcode::Continuation, "continuation"),
        (Opcode::Text, "text"),
        (Opcode::Binary, "binary"),
        (Opcode::Close, "close"),
        (Opcode::Ping, "ping"),
        (Opcode::Pong, "pong"),
    ];
    for (opcode, name) in opcodes {
        assert_eq!(opcode.to_string(), name);
    }
    let chunk = format!("{:?}", Chunk::holding(b"ab"));
    assert!(chunk.starts_with("Chunk { unread: 2, block: "), "{chunk}");
}

#[test]
fn close_codes_have_the_names_of_the_table() {
    let names = [
        (1000, "normal"),
        (1001, "going away"),
        (1002, "protocol error"),
        (1003, "unsupported data"),
        (1004, "frame too large, in drafts"),
        (1005, "no status"),
        (1006, "abnormal"),
        (1007, "invalid payload"),
        (1008, "policy violation"),
        (1009, "message too big"),
        (1010, "mandatory extension"),
        (1011, "internal error"),
        (1012, "service restart"),
        (1013, "try again later"),
        (1014, "bad gateway"),
        (1015, "TLS failure"),
    ];
    for (code, name) in names {
        assert_eq!(CloseCode::from(code).to_string(), format!("{code} ({name})"));
    }
    for code in [0, 999, 1016, 3000, 4999, 5000, u16::MAX] {
        assert_eq!(CloseCode::from(code).to_string(), code.to_string());
    }
}

#[test]
fn a_decoder_that_failed_expects_nothing() {
    let mut decoder = FrameDecoder::new(Role::Client, FrameRules::RFC6455, Limits::default());
    assert_eq!(decoder.next_is_control(b"\x89"), Some(true));
    assert!(decoder.decode(&mut [0x83, 0]).is_err(), "opcode 3 is reserved");
    assert_eq!(decoder.next_is_control(b"\x89"), Some(false), "nothing is read any more");
}
