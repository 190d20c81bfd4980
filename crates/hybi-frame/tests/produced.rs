//! Each error of this crate, as a peer's bytes or a caller's call produces it. The rules of old drafts, for
//! which there is a variant here, are broken in `hybi-legacy`.

mod common;

use common::receive_within;
use hybi_frame::{
    CloseCode, CloseFrame, CloseFrameError, ExtensionViolation, FrameDecoder, FrameHeader,
    FrameRules, Limits, MessageAssembler, Opcode, PayloadDecoder, Role, Violation,
};
use hybi_suite::produced;

/// What a client says to these bytes of its server.
fn told(wire: &[u8]) -> Violation {
    broken(Role::Client, wire)
}

fn broken(role: Role, wire: &[u8]) -> Violation {
    let limits = Limits::default().with_max_frame(9).with_max_message(10).with_max_fragments(2);
    let (_, result) = receive_within(limits, role, FrameRules::RFC6455, [wire]);
    result.expect_err("a broken rule").violation()
}

/// An extension to which every payload is wrong.
struct Refuses;

impl PayloadDecoder for Refuses {
    fn begin_frame(&mut self, _header: &FrameHeader) -> bool {
        true
    }

    fn decode(
        &mut self,
        _piece: &[u8],
        _end: bool,
        _out: &mut dyn FnMut(&[u8]) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        Err(Violation::Extension(&ExtensionViolation {
            rule: "a payload",
            document: "the test",
            close_code: CloseCode::INVALID_PAYLOAD,
        }))
    }
}

fn refused_by_an_extension() -> Violation {
    let (rules, limits) = (FrameRules::RFC6455, Limits::default());
    let mut chunk = *b"\x82\x01a";
    let mut decoder = FrameDecoder::new(Role::Client, rules, limits);
    let (_, part) = decoder.decode(&mut chunk).expect("a frame");
    let pushed =
        MessageAssembler::new(rules, limits).push_decoded(part.expect("whole"), &mut Refuses);
    pushed.expect_err("refused").violation()
}

#[test]
fn by_peers() {
    produced! {
        Violation::ReservedBits(_) => told(b"\xc1\0"),
        Violation::ReservedOpcode(3) => told(b"\x83\0"),
        Violation::NotMasked => broken(Role::Server, b"\x81\0"),
        Violation::Masked => told(b"\x81\x80"),
        Violation::LengthNotMinimal => told(b"\x81\x7e\0\x01"),
        Violation::LengthTopBit => told(b"\x81\x7f\x80"),
        Violation::FragmentedControl(Opcode::Ping) => told(b"\x09"),
        Violation::ControlTooLong(Opcode::Ping) => told(b"\x89\x7e"),
        Violation::UnexpectedContinuation => told(b"\x80\0"),
        Violation::ExpectedContinuation(Opcode::Text) => told(b"\x01\0\x81\0"),
        Violation::InvalidUtf8 => told(b"\x81\x01\xff"),
        Violation::ClosePayloadTooShort => told(b"\x88\x01\x03"),
        Violation::InvalidCloseCode(1005) => told(b"\x88\x02\x03\xed"),
        Violation::InvalidCloseReason => told(b"\x88\x03\x03\xe8\xff"),
        Violation::FrameTooLarge { size: 10, limit: 9 } => told(b"\x82\x0a"),
        Violation::MessageTooLarge { size: 11, limit: 10 } => told(b"\x02\x02ab\x80\x09"),
        Violation::TooManyFragments { limit: 2 } => told(b"\x02\0\0\0\0\0\0\0"),
        Violation::Extension(_) => refused_by_an_extension(),
    }
}

#[test]
fn by_callers() {
    let close = |code, len| CloseFrame::new(code, "r".repeat(len)).expect_err("it cannot be sent");
    produced! {
        CloseFrameError::Code(CloseCode::NO_STATUS) => close(CloseCode::NO_STATUS, 0),
        CloseFrameError::Reason { len: 124 } => close(CloseCode::NORMAL, 124),
    }
}
