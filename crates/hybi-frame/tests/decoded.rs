//! What extensions do to received payloads: reserved bits by the kind of frame, decoded messages
//! gathered and limited (RFC 6455 §5.2, §9, §10.4).

use hybi_frame::{
    Event, ExtensionViolation, FrameDecoder, FrameError, FrameHeader, FrameRules, Limits,
    MessageAssembler, PayloadDecoder, Role, Rsv, Violation,
};

const SPOILT: &ExtensionViolation = &ExtensionViolation {
    rule: "a minus sign",
    document: "the test",
    close_code: hybi_frame::CloseCode::INVALID_PAYLOAD,
};

/// Gives each byte of a frame with RSV1 as often as `times` says, and refuses `-`.
struct Repeat {
    times: usize,
}

impl PayloadDecoder for Repeat {
    fn begin_frame(&mut self, header: &FrameHeader) -> bool {
        header.rsv.contains(Rsv::RSV1)
    }

    fn decode(
        &mut self,
        piece: &[u8],
        _end: bool,
        out: &mut dyn FnMut(&[u8]) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        for &byte in piece {
            if byte == b'-' {
                return Err(Violation::Extension(SPOILT));
            }
            out(&vec![byte; self.times])?;
        }
        Ok(())
    }
}

/// The messages of a stream that a client receives in pieces of `step` bytes.
fn receive(wire: &[u8], step: usize, times: usize) -> Result<Vec<String>, FrameError> {
    let limits = Limits::default().with_max_message(64);
    let mut decoder = FrameDecoder::new(Role::Client, FrameRules::RFC6455, limits);
    decoder.allow_rsv_on_every_frame(Rsv::RSV1);
    let mut assembler = MessageAssembler::new(FrameRules::RFC6455, limits);
    let mut messages = Vec::new();
    for chunk in wire.chunks(step) {
        let mut chunk = chunk.to_vec();
        let mut at = 0;
        while at < chunk.len() {
            let (taken, part) = decoder.decode(&mut chunk[at..])?;
            at += taken;
            let Some(part) = part else { continue };
            match assembler.push_decoded(part, &mut Repeat { times })? {
                Some(Event::Text(text)) => messages.push(text.to_string()),
                Some(Event::Ping(_)) => messages.push("ping".to_owned()),
                Some(other) => panic!("{other:?}"),
                None => {}
            }
        }
    }
    Ok(messages)
}

#[test]
fn decoded_and_plain_frames_make_one_message_around_a_ping() {
    let wire = b"\x41\x02ab\x89\x00\x00\x01-\xc0\x01c\x81\x01d\xc1\x00";
    for step in 1..=wire.len() {
        let messages = receive(wire, step, 3);
        assert_eq!(messages.as_deref(), Ok(&["ping", "aaabbb-ccc", "d", ""].map(String::from)[..]));
    }
}

#[test]
fn what_counts_is_what_a_payload_decodes_to() {
    assert_eq!(receive(b"\xc1\x02ab", 1, 32).expect("64 bytes")[0].len(), 64);
    for step in [1, 2, 100] {
        let error = receive(b"\x81\x00\xc1\x02ab", step, 33).expect_err("66 bytes");
        let rule = Violation::MessageTooLarge { size: 65, limit: 64 };
        assert_eq!((error.violation(), error.offset()), (rule, 2));
    }
}

#[test]
fn a_message_that_decodes_to_nothing_does_not_go_on_for_ever() {
    // 1,096 bytes are what 64 may come from.
    let frame = |len: u16| [&[0x41, 126][..], &len.to_be_bytes(), &vec![b'a'; len.into()]].concat();
    let wire = frame(1096);
    assert_eq!(receive(&wire, 100, 0), Ok(Vec::new()));
    let error = receive(&[&wire[..], b"\xc0\x01a"].concat(), 100, 0).expect_err("one too many");
    assert_eq!(error.violation(), Violation::MessageTooLarge { size: 1097, limit: 64 });
    assert_eq!(error.offset(), wire.len() as u64);
    let error = receive(&frame(1097), 100, 0).map_err(|e| e.violation());
    assert_eq!(error, Err(Violation::FrameTooLarge { size: 1097, limit: 1096 }));
}

#[test]
fn a_rule_of_the_extension_fails_the_connection_in_its_own_words() {
    for step in [1, 100] {
        let error = receive(b"\x81\x01x\xc1\x03a-b", step, 1).expect_err("a minus sign");
        assert_eq!(error.violation(), Violation::Extension(SPOILT));
        assert_eq!(error.close_code().as_u16(), 1007);
        assert_eq!(error.to_string(), "a minus sign (the test), at byte 3");
    }
}

#[test]
fn text_is_checked_as_it_is_decoded() {
    // E2 82 twice is never UTF-8, and the first byte that shows it is in the first frame.
    let error = receive(b"\x41\x02\xe2\x82\xc0\x01a", 100, 2).expect_err("not UTF-8");
    assert_eq!((error.violation(), error.offset()), (Violation::InvalidUtf8, 0));
    let error = receive(b"\xc1\x01\xe2", 100, 1).expect_err("it ends in a character");
    assert_eq!(error.violation(), Violation::InvalidUtf8);
}

#[test]
fn bits_are_lawful_where_the_extension_uses_them_and_nowhere_else() {
    let first_unlawful = |every_frame: bool, byte: u8| {
        let limits = Limits::default();
        let mut decoder = FrameDecoder::new(Role::Client, FrameRules::RFC6455, limits);
        if every_frame {
            decoder.allow_rsv_on_every_frame(Rsv::RSV1);
        } else {
            decoder.allow_rsv(Rsv::RSV1);
        }
        decoder.decode(&mut [byte, 0]).err().map(|error| error.violation())
    };
    let rsv1 = Some(Violation::ReservedBits(Rsv::RSV1));
    for opcode in [1, 2] {
        assert_eq!(first_unlawful(false, 0xc0 | opcode), None);
        assert_eq!(first_unlawful(true, 0xc0 | opcode), None);
    }
    assert_eq!((first_unlawful(false, 0xc0), first_unlawful(true, 0xc0)), (rsv1, None));
    for opcode in [8, 9, 10] {
        assert_eq!(first_unlawful(false, 0xc0 | opcode), rsv1);
        assert_eq!(first_unlawful(true, 0xc0 | opcode), rsv1);
    }
    assert_eq!(first_unlawful(true, 0xe1), Some(Violation::ReservedBits(Rsv::RSV2)));
}
