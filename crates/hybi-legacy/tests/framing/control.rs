//! Whether the next bytes belong to a control frame: told at each byte of a stream.

use hybi_frame::{FrameHeader, Limits, MaskingKey, Opcode};
use hybi_legacy::{FrameCodec, Role, Terms, Version};

use crate::receiver::{VERSIONS, header, terms};

/// Whether it is told so at each byte of `wire`, when all that follows is there.
fn told(terms: &Terms, role: Role, wire: &[u8]) -> Vec<Option<bool>> {
    let mut codec = FrameCodec::new(terms, role, Limits::default());
    (0..wire.len())
        .map(|at| {
            let is_control = codec.next_is_control(&wire[at..]);
            codec.decode(&mut [wire[at]]).expect("lawful");
            is_control
        })
        .collect()
}

#[test]
fn a_control_frame_is_told_at_each_of_its_bytes_and_no_other_frame_is() {
    let payload = [0x09; 20];
    for version in VERSIONS {
        let terms = terms(version);
        for sender in [Role::Client, Role::Server] {
            let mut codec = FrameCodec::new(&terms, sender, Limits::default());
            let (mut wire, mut expected) = (Vec::new(), Vec::new());
            let mut send = |fin, opcode: Opcode| {
                let key = codec.masks().then_some([0x37, 0xfa, 0x21, 0x3d]);
                let payload = &payload[..if opcode == Opcode::Close { 0 } else { 20 }];
                codec.encode(
                    &mut wire,
                    &FrameHeader { fin, ..header(opcode, key, payload) },
                    payload,
                );
                expected.resize(wire.len(), Some(opcode.is_control()));
            };
            send(true, Opcode::Text);
            if version >= Version::HYBI_01 {
                send(true, Opcode::Ping);
                send(false, Opcode::Binary);
                send(true, Opcode::Pong);
                send(true, Opcode::Continuation);
            }
            send(true, Opcode::Close);
            assert_eq!(told(&terms, sender.peer(), &wire), expected, "{version:?} {sender:?}");
        }
    }
}

#[test]
fn as_long_as_nothing_tells_it_is_not_known() {
    for version in VERSIONS {
        let mut codec = FrameCodec::new(&terms(version), Role::Client, Limits::default());
        assert_eq!(codec.next_is_control(b""), None, "{version:?}");
        // A reserved opcode, or a length without end.
        codec.decode(&mut [0xff; 20]).expect_err("against the rules");
        assert_eq!(codec.next_is_control(b""), Some(false), "{version:?}");
    }
    // A frame behind its key, byte by byte: the fifth says what it is.
    for (opcode, is_control) in [(Opcode::Ping, true), (Opcode::Text, false)] {
        let terms = terms(Version::HYBI_05);
        let mut wire = Vec::new();
        let key = Some([0x37, 0xfa, 0x21, 0x3d]);
        let mut client = FrameCodec::new(&terms, Role::Client, Limits::default());
        client.encode(&mut wire, &header(opcode, key, b"hi"), b"hi");
        for before in 0..wire.len() {
            let mut codec = FrameCodec::new(&terms, Role::Server, Limits::default());
            codec.decode(&mut wire[..before].to_vec()).expect("lawful");
            for more in before..=wire.len() {
                let told = codec.next_is_control(&wire[before..more]);
                let expected = (more >= 5).then_some(is_control);
                assert_eq!(told, expected, "{opcode:?} {before} {more}");
            }
        }
    }
}

#[test]
fn a_reserved_opcode_is_that_of_no_message() {
    for version in VERSIONS.into_iter().filter(|version| *version >= Version::HYBI_01) {
        let codec = FrameCodec::new(&terms(version), Role::Client, Limits::default());
        assert_eq!(codec.next_is_control(b"\x0f\x00"), Some(true), "{version:?}");
    }
}

#[test]
fn of_the_frames_of_hixie_76_that_are_no_texts_only_the_close_counts() {
    for (wire, hixie_76) in [
        (&b"\xff\x00"[..], Some(true)),
        (b"\xff", None),
        (b"\xff\x80\x80\x00", Some(true)),
        (b"\xff\x80", None),
        (b"\xff\x00\x00text\xff", Some(true)),
        // To be skipped: what comes next may be a text.
        (b"\xff\x02..", Some(false)),
        (b"\xff\x80\x02..", Some(false)),
        (b"\xff\x81\x00", Some(false)),
        (b"\x80\x00", Some(false)),
        (b"\x01..\xff\xff\x00", Some(false)),
        (b"\x00text\xff\xff\x00", Some(false)),
    ] {
        for (version, expected) in [(Version::HIXIE_75, Some(false)), (Version::HIXIE_76, hixie_76)]
        {
            let codec = FrameCodec::new(&terms(version), Role::Client, Limits::default());
            assert_eq!(codec.next_is_control(wire), expected, "{version:?} {wire:02x?}");
        }
    }
    // In the middle.
    for (before, after, expected) in [
        (&b"\xff"[..], &b"\x00"[..], Some(true)),
        (b"\xff", b"\x80\x00", Some(true)),
        (b"\xff", b"", None),
        (b"\xff\x80", b"\x00", Some(true)),
        (b"\xff", b"\x03", Some(false)),
        (b"\xff\x81", b"\x00", Some(false)),
        (b"\x80", b"\x00", Some(false)),
        (b"\xff\x01", b"\xff\x00", Some(false)),
        (b"\x00te", b"\xff\xff\x00", Some(false)),
        (b"\x01te", b"\xff\x00", Some(false)),
    ] {
        let mut codec = FrameCodec::new(&terms(Version::HIXIE_76), Role::Client, Limits::default());
        codec.decode(&mut before.to_vec()).expect("lawful");
        assert_eq!(codec.next_is_control(after), expected, "{before:02x?} {after:02x?}");
    }
}

#[test]
fn the_first_byte_is_looked_at_as_what_it_will_decide() {
    let leaning = |version, other| Terms::new(version).expect("no key needed").or(other);
    for terms in
        [leaning(Version::HIXIE_76, Version::HYBI_02), leaning(Version::HYBI_02, Version::HIXIE_76)]
    {
        let codec = FrameCodec::new(&terms, Role::Server, Limits::default());
        let version = codec.version();
        for (wire, expected) in [
            (&b"\xff\x00"[..], Some(true)),
            (b"\x00Hello\xff", Some(false)),
            (b"\x02\x02hi", Some(true)),
            (b"\x01\x00", Some(true)),
            (b"\x04\x05Hello", Some(false)),
            (b"", None),
        ] {
            assert_eq!(codec.next_is_control(wire), expected, "{version:?} {wire:02x?}");
            assert_eq!(codec.version(), version, "looking decides nothing");
        }
    }
}

#[test]
fn a_key_that_looks_like_a_ping_is_none() {
    let key = MaskingKey::from_bytes([2; 4]);
    let mut wire = Vec::new();
    let mut client = FrameCodec::new(&terms(Version::HYBI_06), Role::Client, Limits::default());
    let text = FrameHeader { masking_key: Some(key), ..header(Opcode::Text, None, b"hi") };
    client.encode(&mut wire, &text, b"hi");
    let server = FrameCodec::new(&terms(Version::HYBI_06), Role::Server, Limits::default());
    assert_eq!(server.next_is_control(&wire), Some(false));
}
