//! hixie-76 or hybi-01 to 03: the handshake may leave it to the client's first byte.

use hybi_frame::{FrameRules, Limits, Opcode, Violation};
use hybi_legacy::{FrameCodec, Role, Terms, Version};

use crate::receiver::{Receiver, Told, VERSIONS, header, terms};

/// Terms on which the handshake leaned towards `version`.
fn either(version: Version, other: Version) -> Terms {
    Terms::new(version).expect("no key needed").or(other)
}

fn server(terms: &Terms) -> Receiver {
    Receiver::new(terms, Role::Server, Limits::default())
}

#[test]
fn the_first_byte_decides() {
    let both_ways = [(Version::HIXIE_76, Version::HYBI_02), (Version::HYBI_02, Version::HIXIE_76)];
    for (version, other) in both_ways {
        for (wire, spoken, rules) in [
            (&b"\x00Hello\xff"[..], Version::HIXIE_76, FrameRules::HIXIE_76),
            (b"\xff\x03abc\x00Hello\xff", Version::HIXIE_76, FrameRules::HIXIE_76),
            (b"\x04\x05Hello", Version::HYBI_02, FrameRules::HYBI_01),
            (b"\x84\x03Hel\x00\x02lo", Version::HYBI_02, FrameRules::HYBI_01),
        ] {
            for chunk in [1, 100] {
                let mut receiver = server(&either(version, other));
                assert_eq!(receiver.codec.version(), version, "until there is a byte");
                receiver.chunk(b"").expect("nothing is no byte");
                assert_eq!(receiver.codec.version(), version, "until there is a byte");
                assert!(!receiver.codec.is_settled());
                for bytes in wire.chunks(chunk) {
                    receiver.chunk(bytes).expect("lawful");
                    assert_eq!(receiver.codec.version(), spoken);
                    assert!(receiver.codec.is_settled());
                }
                assert_eq!(receiver.events, [Told::Text("Hello".to_owned())]);
                assert_eq!(receiver.codec.rules(), rules);
            }
        }
    }
}

#[test]
fn no_bytes_begin_no_frame() {
    for version in VERSIONS {
        for role in [Role::Client, Role::Server] {
            let mut codec = FrameCodec::new(&terms(version), role, Limits::default());
            assert!(matches!(codec.decode(&mut []), Ok((0, None))), "{version}");
            assert!(codec.at_frame_boundary(), "{version}");
        }
    }
}

#[test]
fn every_first_byte_is_of_one_framing() {
    for byte in 0..=0xff {
        let mut receiver = server(&either(Version::HIXIE_76, Version::HYBI_01));
        // What follows does not matter, nor whether the byte is lawful.
        let _ = receiver.chunk(&[byte]);
        let hixie = matches!(byte, 0x00 | 0xff);
        let spoken = if hixie { Version::HIXIE_76 } else { Version::HYBI_01 };
        assert_eq!(receiver.codec.version(), spoken, "{byte:#04x}");
    }
}

#[test]
fn the_first_bit_of_a_hixie_frame_tells_how_it_ends() {
    for version in [Version::HIXIE_75, Version::HIXIE_76] {
        let terms = Terms::new(version).expect("no key needed");
        // At FF up to 7F, behind a length from 80 on, whatever lies between.
        for (kind, skipped) in [
            (0x01, &b"a\x00b\xff"[..]),
            (0x7f, b"\x03\x00\xff"),
            (0x80, b"\x03\xff\xffb"),
            (0x81, b"\x03\x00\x01\xff"),
            (0xfe, b"\x80\x02\xff\x00"),
            (0x80, b"\x00"),
            (0xff, b"\x01\xff"),
        ] {
            let wire = [&[kind], skipped, b"\x00Hello\xff"].concat();
            for chunk in [1, 100] {
                let mut receiver = server(&terms);
                for bytes in wire.chunks(chunk) {
                    receiver.chunk(bytes).expect("lawful");
                }
                assert_eq!(receiver.events, [Told::Text("Hello".to_owned())], "{kind:#04x}");
            }
        }
    }
}

#[test]
fn later_bytes_decide_nothing() {
    let mut receiver = server(&either(Version::HIXIE_76, Version::HYBI_03));
    receiver.chunk(b"\x04\x02hi").expect("hybi-03");
    let error = receiver.chunk(b"\x00hi\xff").expect_err("a continuation of nothing");
    assert_eq!(error.violation(), Violation::UnexpectedContinuation);
    assert_eq!(error.offset(), 4);
}

#[test]
fn a_byte_of_neither_fails_as_the_binary_framing_has_it() {
    for version in [Version::HIXIE_76, Version::HYBI_01] {
        let other = if version == Version::HIXIE_76 { Version::HYBI_01 } else { Version::HIXIE_76 };
        let mut receiver = server(&either(version, other));
        let error = receiver.chunk(b"\x06").expect_err("reserved");
        assert_eq!(error.violation(), Violation::ReservedOpcode(6));
        assert_eq!(receiver.codec.version(), Version::HYBI_01);
    }
}

#[test]
fn who_speaks_first_speaks_what_the_handshake_leaned_towards() {
    for (version, expected) in
        [(Version::HIXIE_76, &b"\x00hi\xff"[..]), (Version::HYBI_03, b"\x04\x02hi")]
    {
        let other = if version == Version::HIXIE_76 { Version::HYBI_03 } else { Version::HIXIE_76 };
        let header = header(Opcode::Text, None, b"hi");
        for around in [false, true] {
            let terms = either(version, other);
            let mut codec = FrameCodec::new(&terms, Role::Server, Limits::default());
            assert!(!codec.is_settled());
            let mut out = Vec::new();
            if around {
                let behind = codec.encode_around(&mut out, &header);
                out = [&out, &b"hi"[..], behind].concat();
            } else {
                codec.encode(&mut out, &header, b"hi");
            }
            assert_eq!(out, expected);
            assert!(codec.is_settled());
            // The other version's text.
            let mut chunk =
                if version == Version::HIXIE_76 { *b"\x04\x01a" } else { *b"\x00a\xff" };
            let _ = codec.decode(&mut chunk);
            assert_eq!(codec.version(), version, "nothing is left to decide");
        }
    }
}

#[test]
fn a_client_knows_what_it_asked_for() {
    let terms = either(Version::HYBI_02, Version::HIXIE_76);
    let mut receiver = Receiver::new(&terms, Role::Client, Limits::default());
    assert!(receiver.codec.is_settled(), "from the beginning");
    receiver.chunk(b"\x00").expect("the first byte of two");
    assert_eq!(receiver.codec.version(), Version::HYBI_02);
}
