//! Frames that break a rule, each at the byte that does, and frames that only look as if.

use hybi_frame::{Limits, Opcode, Rsv, Violation};
use hybi_legacy::{FrameCodec, Role, Version};

use crate::receiver::{Receiver, Told, VERSIONS, receive, terms};

/// The versions with binary headers.
fn binary() -> impl Iterator<Item = Version> {
    VERSIONS.into_iter().filter(|version| *version >= Version::HYBI_01)
}

/// The first byte of a frame that is the `last` of its message or not: FIN from hybi-04 on, MORE before.
fn first_byte(version: Version, last: bool, rest: u8) -> u8 {
    let more = version <= Version::HYBI_03;
    if last == more { rest } else { rest | 0x80 }
}

#[test]
fn each_rule_is_broken_at_its_byte() {
    for version in binary() {
        let last = |rest| first_byte(version, true, rest);
        let more = |rest| first_byte(version, false, rest);
        for (wire, offset, expected) in [
            (vec![last(0x44)], 0, Some(Violation::ReservedBits(Rsv::RSV1))),
            (vec![last(0x24)], 0, Some(Violation::ReservedBits(Rsv::RSV2))),
            (vec![more(0x14)], 0, Some(Violation::ReservedBits(Rsv::RSV3))),
            (vec![last(6)], 0, Some(Violation::ReservedOpcode(6))),
            (vec![more(15)], 0, Some(Violation::ReservedOpcode(15))),
            (vec![more(1)], 0, Some(Violation::FragmentedControl(Opcode::Close))),
            (vec![more(2)], 0, Some(Violation::FragmentedControl(Opcode::Ping))),
            (vec![more(3)], 0, Some(Violation::FragmentedControl(Opcode::Pong))),
            (vec![last(4), 0x80], 1, None),
            (vec![last(2), 126], 1, Some(Violation::ControlTooLong(Opcode::Ping))),
            (vec![last(3), 127], 1, Some(Violation::ControlTooLong(Opcode::Pong))),
            (vec![last(5), 127, 0x80], 2, Some(Violation::LengthTopBit)),
            (vec![last(0), 0], 0, Some(Violation::UnexpectedContinuation)),
            (
                vec![more(4), 0, last(5), 0],
                2,
                Some(Violation::ExpectedContinuation(Opcode::Binary)),
            ),
        ] {
            // To a client, so that nothing is masked.
            let mut receiver = Receiver::new(&terms(version), Role::Client, Limits::default());
            let (&byte, before) = wire.split_last().expect("a byte");
            receiver.chunk(before).expect("nothing is wrong before the byte");
            let error = receiver.chunk(&[byte]);
            let error = error.expect_err("a broken rule");
            assert_eq!(error.offset(), offset, "{version}: {error}");
            match expected {
                Some(violation) => assert_eq!(error.violation(), violation, "{version}"),
                None => {
                    assert!(matches!(error.violation(), Violation::Draft(_)), "{version}");
                    let text = "reserved bit RSV4 is set (drafts hybi-01 to hybi-06), at byte 1";
                    assert_eq!(error.to_string(), text);
                }
            }
            assert_eq!(error.close_code().as_u16(), 1002);
        }
    }
}

#[test]
fn an_error_stays() {
    for (version, wire) in [
        (Version::HIXIE_75, &b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff"[..]),
        (Version::HIXIE_76, b"\x80\xff\xff\xff\xff\x7f"),
        (Version::HYBI_01, b"\x06"),
        (Version::HYBI_04, b"\x86"),
        (Version::HYBI_05, b"\x84\x80"),
    ] {
        let mut receiver = Receiver::new(&terms(version), Role::Client, Limits::default());
        let error = receiver.chunk(wire).expect_err("a broken rule");
        for more in [&b""[..], b"\x00\xff", b"\x84\x02hi"] {
            assert_eq!(receiver.chunk(more), Err(error), "{version}");
        }
        assert!(!receiver.codec.at_frame_boundary(), "{version}");
    }
}

#[test]
fn a_masked_header_is_judged_unmasked() {
    for version in [Version::HYBI_05, Version::HYBI_06] {
        let mut receiver = Receiver::new(&terms(version), Role::Server, Limits::default());
        receiver.chunk(b"\x01\x02\x03\x04").expect("any key");
        let error = receiver.chunk(&[0x86 ^ 0x01]).expect_err("a reserved opcode");
        assert_eq!(error.violation(), Violation::ReservedOpcode(6));
        assert_eq!(error.offset(), 4, "the header is behind the key");
    }
}

#[test]
fn only_ff_with_a_length_of_zero_closes_and_only_in_hixie_76() {
    let skipped = [&b"\x80\x00"[..], b"\xfe\x00", b"\xfe\x80\x00", b"\xff\x01\x00"];
    for version in [Version::HIXIE_75, Version::HIXIE_76] {
        let end = (vec![Told::Text("end".to_owned())], Ok(()));
        let closed = (vec![Told::Close(None, Vec::new())], Ok(()));
        let last = if version == Version::HIXIE_76 { &closed } else { &end };
        let closing = [&b"\xff\x00"[..], b"\xff\x80\x00"];
        let skipped = skipped.into_iter().map(|wire| (wire, &end));
        for (wire, expected) in skipped.chain(closing.map(|wire| (wire, last))) {
            let wire = [wire, b"\x00end\xff"].concat();
            let outcome = receive(&terms(version), Role::Server, Limits::default(), [&wire[..]]);
            assert_eq!(outcome, *expected, "{version}: {wire:x?}");
        }
    }
}

#[test]
fn longer_forms_of_a_length_are_lawful() {
    for version in binary() {
        let first = first_byte(version, true, 4);
        for length in [&[126, 0, 2][..], &[127, 0, 0, 0, 0, 0, 0, 0, 2]] {
            let wire = [&[first], length, b"hi"].concat();
            let outcome = receive(&terms(version), Role::Client, Limits::default(), [&wire[..]]);
            assert_eq!(outcome, (vec![Told::Text("hi".to_owned())], Ok(())), "{version}");
        }
    }
}

#[test]
fn a_stream_may_end_between_frames_only() {
    for (version, wire) in [
        (Version::HIXIE_75, &b"\x00Hello\xff"[..]),
        (Version::HIXIE_75, b"\x80\x02xx"),
        (Version::HIXIE_76, b"\x7fabc\xff"),
        (Version::HYBI_01, b"\x04\x02hi"),
        (Version::HYBI_05, b"\x00\x00\x00\x00\x84\x02hi"),
    ] {
        let mut receiver = Receiver::new(&terms(version), Role::Server, Limits::default());
        assert!(receiver.codec.at_frame_boundary());
        let (last, before) = wire.split_last().expect("bytes");
        for byte in before {
            receiver.chunk(&[*byte]).expect("lawful");
            assert!(!receiver.codec.at_frame_boundary(), "{version}");
        }
        receiver.chunk(&[*last]).expect("lawful");
        assert!(receiver.codec.at_frame_boundary(), "{version}");
    }
}

#[test]
fn a_text_of_unknown_length_comes_in_parts_that_say_what_has_come() {
    let mut codec = FrameCodec::new(&terms(Version::HIXIE_76), Role::Server, Limits::default());
    for (chunk, expected) in [
        (&b"\x00"[..], None),
        (b"Hel", Some((&b"Hel"[..], true, false, 3, 1))),
        (b"lo", Some((b"lo", false, false, 5, 4))),
        (b"\xff", Some((b"", false, true, 5, 6))),
        (b"\x00\xff", Some((b"", true, true, 0, 8))),
    ] {
        let mut bytes = chunk.to_vec();
        let (taken, part) = codec.decode(&mut bytes).expect("lawful");
        assert_eq!(taken, chunk.len());
        let seen = part.map(|mut part| {
            assert_eq!(part.header.fin, part.end, "only the last part ends the message");
            let (start, end, offset) = (part.start, part.end, part.offset);
            (part.payload().to_vec(), start, end, part.header.payload_len, offset)
        });
        let expected = expected
            .map(|(payload, start, end, len, offset)| (payload.to_vec(), start, end, len, offset));
        assert_eq!(seen, expected);
    }
}

#[test]
fn a_text_that_lies_whole_in_a_chunk_is_lent() {
    for (version, wire) in [
        (Version::HIXIE_76, &b"\x80\x01x\x00Hello\xff\x00"[..]),
        (Version::HYBI_03, b"\x04\x05Hello\x04"),
        (Version::HYBI_06, b"\x00\x00\x00\x00\x84\x05Hello\x00"),
    ] {
        let mut receiver = Receiver::new(&terms(version), Role::Server, Limits::default());
        receiver.chunk(wire).expect("lawful");
        assert_eq!(receiver.events, [Told::Text("Hello".to_owned())]);
        assert_eq!(receiver.assembler.memory(), 0, "{version}");
    }
}
