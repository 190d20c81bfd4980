//! Each rule of the framing layer broken once: the variant, the exact byte, the close code and the
//! section, the same however the stream is cut (RFC 6455 §5, §7.4, §8.1, §10.4).

mod common;

use common::{Receiver, Told, receive_within};
use hybi_frame::{FrameDecoder, FrameRules, Limits, Masking, Opcode, Role, Rsv, Violation};

/// Frames of a server, as a client receives them, unless the case says otherwise.
#[track_caller]
fn check(
    (role, rules, limits): (Role, FrameRules, Limits),
    wire: &[u8],
    violation: Violation,
    (offset, code, section): (u64, u16, &str),
) {
    let whole = receive_within(limits, role, rules, [wire]);
    let by_byte = receive_within(limits, role, rules, wire.chunks(1));
    assert_eq!(whole, by_byte, "byte by byte");
    for cut in 1..wire.len() {
        let in_two = receive_within(limits, role, rules, [&wire[..cut], &wire[cut..]]);
        assert_eq!(whole, in_two, "cut at {cut}");
    }
    let error = whole.1.expect_err("a broken rule");
    assert_eq!(error.violation(), violation);
    assert_eq!(
        (error.offset(), error.close_code().as_u16(), error.section()),
        (offset, code, section)
    );
    let told = error.to_string();
    assert!(told.contains(section) && told.ends_with(&format!("at byte {offset}")), "{told}");

    let mut receiver = Receiver::new(role, rules, limits);
    assert_eq!(receiver.chunk(wire), Err(error));
    assert_eq!(receiver.decoder.decode(&mut []).err().unwrap_or(error), error, "sticky");
}

fn client() -> (Role, FrameRules, Limits) {
    (Role::Client, FrameRules::RFC6455, Limits::default())
}

fn server() -> (Role, FrameRules, Limits) {
    (Role::Server, FrameRules::RFC6455, Limits::default())
}

#[test]
fn section_5_1_a_client_masks() {
    check(server(), b"\x81\x05Hello", Violation::NotMasked, (1, 1002, "5.1"));
}

#[test]
fn section_5_1_a_server_does_not_mask() {
    check(client(), b"\x81\x00\x81\x80abcd", Violation::Masked, (3, 1002, "5.1"));
}

#[test]
fn section_5_1_where_nobody_masks_no_frame_may_be_masked() {
    let wire = b"\x81\x05Hello\x89\x00\x82\x81abcde";
    for role in [Role::Client, Role::Server] {
        for cut in 1..=wire.len() {
            let (_, rules, limits) = client();
            let mut receiver = Receiver::new(role, rules, limits);
            receiver.decoder = FrameDecoder::with_masking(Masking::Nobody, role, rules, limits);
            let result = wire.chunks(cut).try_for_each(|chunk| receiver.chunk(chunk));
            assert_eq!(receiver.events, [Told::Text("Hello".to_owned()), Told::Ping(Vec::new())]);
            let error = result.expect_err("a masked frame");
            assert_eq!((error.violation(), error.offset()), (Violation::Masked, 10), "{role:?}");
            assert_eq!((error.close_code().as_u16(), error.section()), (1002, "5.1"));
        }
    }
}

#[test]
fn section_5_2_reserved_bits_without_an_extension() {
    for (first, bits) in [(0xc1, Rsv::RSV1), (0xa1, Rsv::RSV2), (0x91, Rsv::RSV3)] {
        let wire = [0x89, 0x00, first, 0x00];
        check(client(), &wire, Violation::ReservedBits(bits), (2, 1002, "5.2"));
    }
    let both = Violation::ReservedBits(Rsv::RSV1 | Rsv::RSV3);
    check(client(), b"\xd1\x00", both, (0, 1002, "5.2"));
}

#[test]
fn section_5_2_reserved_bits_of_an_extension_are_let_through() {
    let (role, rules, limits) = client();
    let mut decoder = FrameDecoder::new(role, rules, limits);
    decoder.allow_rsv(Rsv::RSV1);
    let mut frame = *b"\xc2\x01a";
    let (_, part) = decoder.decode(&mut frame).expect("RSV1 is allowed");
    assert_eq!(part.expect("a frame").header.rsv, Rsv::RSV1);
    let error = decoder.decode(&mut [0xe2]).expect_err("RSV2 is not");
    assert_eq!((error.violation(), error.offset()), (Violation::ReservedBits(Rsv::RSV2), 3));
}

#[test]
fn section_5_2_reserved_opcodes() {
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        let wire = [0x80 | opcode, 0x00];
        check(client(), &wire, Violation::ReservedOpcode(opcode), (0, 1002, "5.2"));
    }
}

#[test]
fn section_5_2_lengths_in_their_shortest_form() {
    let rule = (2, 1002, "5.2");
    check(client(), b"\x82\x7e\x00\x7d", Violation::LengthNotMinimal, rule);
    check(client(), b"\x82\x7f\0\0\0\0\0\0\xff\xff", Violation::LengthNotMinimal, rule);
    let (role, _, limits) = server();
    for rules in [FrameRules::HYBI_07, FrameRules::HYBI_08] {
        let wire = b"\x82\xff\0\0\0\0\0\0\0\x01\0\0\0\0a";
        let (events, result) = receive_within(limits, role, rules, wire.chunks(1));
        assert_eq!((events, result), (vec![Told::Binary(b"a".to_vec())], Ok(())));
    }
}

#[test]
fn section_5_2_lengths_of_63_bits() {
    let wire = b"\x82\x7f\x80\0\0\0\0\0\0\0";
    check(client(), wire, Violation::LengthTopBit, (2, 1002, "5.2"));
    check(client(), &wire[..3], Violation::LengthTopBit, (2, 1002, "5.2"));
}

#[test]
fn section_5_4_a_continuation_continues_something() {
    let rule = Violation::UnexpectedContinuation;
    check(client(), b"\x80\x02lo", rule, (0, 1002, "5.4"));
    check(client(), b"\x00\x02lo", rule, (0, 1002, "5.4"));
    check(client(), b"\x01\x01a\x80\x01b\x80\x00", rule, (6, 1002, "5.4"));
    check(client(), b"\x82\x01a\x80\x00", rule, (3, 1002, "5.4"));
}

#[test]
fn section_5_4_a_message_ends_before_the_next() {
    for (first, opcode) in [(0x81, Opcode::Text), (0x02, Opcode::Binary)] {
        let wire = [0x02, 0x01, b'a', 0x8a, 0x00, first, 0x00];
        check(client(), &wire, Violation::ExpectedContinuation(opcode), (5, 1002, "5.4"));
    }
}

#[test]
fn section_5_5_control_frames_are_whole() {
    for (first, opcode) in [(8, Opcode::Close), (9, Opcode::Ping), (10, Opcode::Pong)] {
        check(client(), &[first, 0], Violation::FragmentedControl(opcode), (0, 1002, "5.5"));
    }
}

#[test]
fn section_5_5_control_frames_are_short() {
    for (first, opcode) in [(0x88, Opcode::Close), (0x89, Opcode::Ping), (0x8a, Opcode::Pong)] {
        for length in [126, 127] {
            let wire = [first, length];
            check(client(), &wire, Violation::ControlTooLong(opcode), (1, 1002, "5.5"));
        }
    }
}

#[test]
fn section_5_5_1_a_close_frame_of_one_byte() {
    check(client(), b"\x88\x01\x03", Violation::ClosePayloadTooShort, (2, 1002, "5.5.1"));
}

#[test]
fn section_7_4_close_codes() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX] {
        let [high, low] = code.to_be_bytes();
        let wire = [0x89, 0x00, 0x88, 0x02, high, low];
        check(client(), &wire, Violation::InvalidCloseCode(code), (4, 1002, "7.4"));
    }
}

#[test]
fn section_5_5_1_close_reasons_are_text() {
    let rule = Violation::InvalidCloseReason;
    check(client(), b"\x88\x05\x03\xe8ab\xff", rule, (6, 1007, "5.5.1"));
    check(client(), b"\x88\x05\x03\xe8ab\xc3", rule, (7, 1007, "5.5.1"));
    // "\xff" masked with "\0\0\0\x01" after a code.
    check(server(), b"\x88\x84\0\0\0\x01\x03\xe8a\xfe", rule, (9, 1007, "5.5.1"));
}

#[test]
fn section_8_1_text_is_utf_8() {
    let rule = Violation::InvalidUtf8;
    check(client(), b"\x81\x03ab\xff", rule, (4, 1007, "8.1"));
    // The third byte of a surrogate is not needed to know.
    check(client(), b"\x81\x03\xed\xa0\x80", rule, (3, 1007, "8.1"));
    // A character that the message ends in: there, the byte after its end is missing.
    check(client(), b"\x81\x02a\xc3", rule, (4, 1007, "8.1"));
    check(client(), b"\x01\x01\xe6\x80\x01\xbc", rule, (6, 1007, "8.1"));
    check(client(), b"\x01\x01\xe6\x00\x00\x89\x01p\x80\x01a", rule, (10, 1007, "8.1"));
}

#[test]
fn section_8_1_fails_before_the_message_ends() {
    // A frame of 100 bytes of which three came, and a message with more fragments to come.
    for wire in [&b"\x81\x64\xf4\x90"[..], b"\x01\x02\xf4\x90"] {
        check(client(), wire, Violation::InvalidUtf8, (3, 1007, "8.1"));
    }
}

#[test]
fn section_10_4_frames_have_a_limit() {
    let limits = Limits::default().with_max_frame(126);
    let rule = Violation::FrameTooLarge { size: 127, limit: 126 };
    for (rules, code) in
        [(FrameRules::RFC6455, 1009), (FrameRules::HYBI_08, 1004), (FrameRules::HYBI_07, 1004)]
    {
        let wire = b"\x89\x00\x82\x7e\x00\x7f";
        check((Role::Client, rules, limits), wire, rule, (2, code, "10.4"));
        // The key need not be waited for.
        check((Role::Server, rules, limits), b"\x82\xfe\x00\x7f", rule, (0, code, "10.4"));
    }
}

#[test]
fn section_10_4_messages_have_a_limit() {
    let limits = Limits::default().with_max_message(3).with_max_frame(100);
    let setting = (Role::Client, FrameRules::RFC6455, limits);
    let rule = Violation::MessageTooLarge { size: 4, limit: 3 };
    check(setting, b"\x82\x04", rule, (0, 1009, "10.4"));
    check(setting, b"\x02\x02ab\x89\x04ping\x00\x02", rule, (10, 1009, "10.4"));
    let huge = Violation::MessageTooLarge { size: 103, limit: 3 };
    check(setting, b"\x02\x03abc\x00\x64", huge, (5, 1009, "10.4"));

    let three = b"\x02\x02ab\x80\x01c\x82\x03def";
    let (events, result) = receive_within(limits, Role::Client, FrameRules::RFC6455, [&three[..]]);
    let expected = vec![Told::Binary(b"abc".to_vec()), Told::Binary(b"def".to_vec())];
    assert_eq!((events, result), (expected, Ok(())), "up to the limit, each message anew");
}

#[test]
fn section_10_4_fragments_have_a_limit() {
    let limits = Limits::default().with_max_fragments(3);
    let setting = (Role::Client, FrameRules::RFC6455, limits);
    let rule = Violation::TooManyFragments { limit: 3 };
    let wire = b"\x02\x00\x00\x00\x89\x00\x00\x00\x00\x00\x00\x00";
    check(setting, wire, rule, (10, 1009, "10.4"));

    let four = b"\x02\x00\x00\x00\x00\x00\x80\x00\x02\x00\x00\x00\x00\x00\x80\x00";
    let (events, result) = receive_within(limits, Role::Client, FrameRules::RFC6455, [&four[..]]);
    assert_eq!((events, result), (vec![Told::Binary(vec![]); 2], Ok(())));
}

#[test]
fn limits_do_not_concern_control_frames() {
    let limits = Limits::default().with_max_message(1);
    let (events, result) =
        receive_within(limits, Role::Client, FrameRules::RFC6455, [&b"\x89\x04ping"[..]]);
    assert_eq!((events, result), (vec![Told::Ping(b"ping".to_vec())], Ok(())));
}

#[test]
fn errors_of_the_assembler_are_sticky() {
    let (role, rules, limits) = client();
    let mut receiver = Receiver::new(role, rules, limits);
    let error = receiver.chunk(b"\x80\x00").expect_err("nothing to continue");
    assert_eq!(receiver.chunk(b"\x81\x00").expect_err("again"), error);
    assert_eq!(receiver.events, []);
}
