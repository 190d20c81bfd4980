//! What a peer may make a receiver hold or wait for: lengths, texts, skipped frames and fragments without
//! end. What fails, fails in the same way however the stream is cut.

use hybi_frame::{FrameError, Limits, Opcode, Violation};
use hybi_legacy::{FrameCodec, Role, Version};

use crate::receiver::{Receiver, Told, header, receive, terms};

const HIXIE: [Version; 2] = [Version::HIXIE_75, Version::HIXIE_76];

/// The error of a stream, which must be the same whole, in pieces and byte by byte.
fn error(version: Version, limits: Limits, wire: &[u8]) -> FrameError {
    let outcome = |size| {
        let mut receiver = Receiver::new(&terms(version), Role::Server, limits);
        let error = wire.chunks(size).find_map(|chunk| receiver.chunk(chunk).err());
        let error = error.expect("a limit");
        // Room is doubled as the message grows.
        assert!(receiver.assembler.memory() <= 2 * limits.max_message(), "bounded");
        error
    };
    let whole = outcome(wire.len());
    for size in [1, 2, 7, 100, 333] {
        assert_eq!(outcome(size), whole, "{version} in chunks of {size}");
    }
    whole
}

fn text(len: usize) -> Vec<u8> {
    [&b"\x00"[..], &vec![b'a'; len], b"\xff"].concat()
}

#[test]
fn a_text_as_long_as_a_message_may_be_passes_and_no_longer_one() {
    let limits = Limits::default().with_max_message(1000);
    for version in HIXIE {
        for size in [1, 300, 2000] {
            let (events, result) =
                receive(&terms(version), Role::Server, limits, text(1000).chunks(size));
            assert_eq!((events.len(), result), (1, Ok(())), "{version}");
        }
        let too_large = Violation::MessageTooLarge { size: 1001, limit: 1000 };
        let mut wire = text(5);
        wire.extend(text(1001));
        let longer = error(version, limits, &wire);
        assert_eq!((longer.violation(), longer.offset()), (too_large, 7));
        // Without an end in sight it fails at the first byte too many.
        wire.truncate(7 + 1 + 1001);
        assert_eq!(error(version, limits, &wire), longer);
        wire.pop();
        let (_, result) = receive(&terms(version), Role::Server, limits, [&wire[..]]);
        assert_eq!(result, Ok(()));

        let frames = limits.with_max_frame(500);
        let too_large = Violation::FrameTooLarge { size: 501, limit: 500 };
        assert_eq!(error(version, frames, &text(700)).violation(), too_large);
    }
}

#[test]
fn a_length_of_any_number_of_bytes_fails_at_the_ninth() {
    for version in HIXIE {
        for octet in [0x80, 0x81, 0xff] {
            let mut wire = vec![0x00, 0xff, 0x90];
            wire.extend([octet; 40]);
            let limits = Limits::default().with_max_frame(u64::MAX);
            let endless = error(version, limits, &wire);
            assert!(matches!(endless.violation(), Violation::Draft(_)), "{endless}");
            assert_eq!(endless.offset(), 11, "the ninth byte of the length");
            assert_eq!(
                endless.to_string(),
                "length of a frame to be skipped has more than nine bytes \
                 (drafts hixie-75 and hixie-76), at byte 11"
            );
        }
        // Eight groups more than needed are read.
        let wire = b"\x85\x80\x80\x80\x80\x80\x80\x80\x80\x03abc\x00Hi\xff";
        let (events, result) =
            receive(&terms(version), Role::Server, Limits::default(), [&wire[..]]);
        assert_eq!((events, result), (vec![Told::Text("Hi".to_owned())], Ok(())));
    }
}

#[test]
fn skipped_frames_are_as_large_as_others_at_most() {
    let limits = Limits::default().with_max_message(200);
    for version in HIXIE {
        let declared = Violation::FrameTooLarge { size: 201, limit: 200 };
        let counted = error(version, limits, b"\x80\x81\x49");
        assert_eq!((counted.violation(), counted.offset()), (declared, 0));
        let largest = Limits::default().with_max_frame(u64::MAX >> 1);
        let mut chunk = *b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\x7f0123456";
        let mut codec = FrameCodec::new(&terms(version), Role::Server, largest);
        let taken = codec.decode(&mut chunk).map(|(taken, _)| taken);
        assert_eq!(taken, Ok(chunk.len()), "a length of 63 bits");

        let mut wire = vec![0x33];
        wire.extend([b'a'; 201]);
        let delimited = error(version, limits, &wire);
        assert_eq!((delimited.violation(), delimited.offset()), (declared, 0));

        // Any number of lawful ones is skipped, and holds nothing.
        let one = [&b"\x80\x81\x48"[..], &[0xff; 200], b"\x44", &[0; 200], b"\xff"].concat();
        let mut receiver = Receiver::new(&terms(version), Role::Server, limits);
        for chunk in one.repeat(100).chunks(333) {
            receiver.chunk(chunk).expect("lawful");
            assert_eq!(receiver.assembler.memory(), 0);
        }
        assert!(receiver.codec.at_frame_boundary() && receiver.events.is_empty());
    }
}

#[test]
fn a_binary_frame_fails_at_its_header() {
    let limits = Limits::default().with_max_message(200);
    for (version, wire) in [
        (Version::HYBI_01, &b"\x04\x7e\x00\xc9"[..]),
        (Version::HYBI_06, b"\0\0\0\0\x84\x7e\x00\xc9"),
    ] {
        let declared = Violation::FrameTooLarge { size: 201, limit: 200 };
        let failed = error(version, limits, wire);
        assert_eq!(failed.violation(), declared);
        assert_eq!(failed.offset() as usize, wire.len() - 4, "the header");
    }
}

#[test]
fn limits_do_not_concern_control_frames() {
    let limits = Limits::default().with_max_message(2);
    let wire = [&b"\x02\x05Hello"[..], b"\x04\x02hi"].concat();
    let (events, result) = receive(&terms(Version::HYBI_01), Role::Server, limits, [&wire[..]]);
    assert_eq!(result, Ok(()));
    assert_eq!(events, [Told::Ping(b"Hello".to_vec()), Told::Text("hi".to_owned())]);
}

#[test]
fn fragments_without_end_are_counted() {
    let limits = Limits::default().with_max_fragments(10).with_max_message(1000);
    for version in [Version::HYBI_01, Version::HYBI_04, Version::HYBI_05] {
        for (payload, expected) in [
            (&b""[..], Violation::TooManyFragments { limit: 10 }),
            (&[b'a'; 200], Violation::MessageTooLarge { size: 1200, limit: 1000 }),
        ] {
            let mut client = FrameCodec::new(&terms(version), Role::Client, limits);
            let mut wire = Vec::new();
            for n in 0..20 {
                let opcode = if n == 0 { Opcode::Text } else { Opcode::Continuation };
                let mut header = header(opcode, Some([n; 4]), payload);
                header.fin = false;
                client.encode(&mut wire, &header, payload);
            }
            let failed = error(version, limits, &wire);
            assert_eq!(failed.violation(), expected);
        }
    }
}
