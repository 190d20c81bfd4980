//! Every limit of frames and messages, under each set of rules and in both roles: what is just within it
//! passes, and what is just beyond it fails at the same byte however the stream is cut (RFC 6455 §5.5, §10.4).

mod common;

use common::{Told, receive_within};
use hybi_frame::{
    CloseCode, CloseFrame, CloseFrameError, FrameRules, Limits, MaskingKey, Opcode, Role, Rsv,
    Violation, encode_frame,
};

const RULES: [FrameRules; 3] = [FrameRules::RFC6455, FrameRules::HYBI_08, FrameRules::HYBI_07];

/// Frames as the peer of an endpoint in `role` sends them: FIN, opcode and length of each.
fn wire(role: Role, frames: &[(bool, Opcode, usize)]) -> Vec<u8> {
    let key = role.peer().masks_outgoing().then(|| MaskingKey::from_bytes([1, 2, 3, 4]));
    let mut out = Vec::new();
    for &(fin, opcode, len) in frames {
        encode_frame(&mut out, fin, Rsv::NONE, opcode, &vec![7; len], key);
    }
    out
}

/// A message whose frames have these lengths.
fn message(lengths: &[usize]) -> Vec<(bool, Opcode, usize)> {
    let last = lengths.len() - 1;
    let opcode = |at| if at == 0 { Opcode::Binary } else { Opcode::Continuation };
    lengths.iter().enumerate().map(|(at, &len)| (at == last, opcode(at), len)).collect()
}

#[test]
fn messages_frames_and_fragments() {
    let limits = Limits::default();
    let too_large = |size, limit| Violation::FrameTooLarge { size, limit };
    for (limits, within, beyond, broken) in [
        (limits.with_max_frame(125), vec![125], vec![126], too_large(126, 125)),
        (limits.with_max_frame(126), vec![126], vec![127], too_large(127, 126)),
        (limits.with_max_frame(10), vec![10; 5], vec![10, 11], too_large(11, 10)),
        (limits.with_max_frame(65_535), vec![65_535], vec![65_536], too_large(65_536, 65_535)),
        // A frame may be as long as a message.
        (limits.with_max_message(300), vec![300], vec![301], too_large(301, 300)),
        (
            limits.with_max_message(300).with_max_frame(u64::MAX),
            vec![300],
            vec![301],
            Violation::MessageTooLarge { size: 301, limit: 300 },
        ),
        (
            limits.with_max_message(300),
            vec![100, 0, 200],
            vec![100, 0, 201],
            Violation::MessageTooLarge { size: 301, limit: 300 },
        ),
        (
            limits.with_max_fragments(3),
            vec![0; 4],
            vec![0; 5],
            Violation::TooManyFragments { limit: 3 },
        ),
        (
            limits.with_max_fragments(0),
            vec![9],
            vec![9, 0],
            Violation::TooManyFragments { limit: 0 },
        ),
        (
            limits,
            vec![0; 65_537],
            vec![0; 65_538],
            Violation::TooManyFragments { limit: Limits::DEFAULT_MAX_FRAGMENTS },
        ),
    ] {
        for rules in RULES {
            for role in [Role::Client, Role::Server] {
                let what = format!("{role:?} {broken}");
                let lawful = wire(role, &message(&within));
                let told = Told::Binary(vec![7; within.iter().sum()]);
                // Each message has the limit for itself.
                let twice = lawful.repeat(2);
                for step in [twice.len(), 7, 1] {
                    let (events, result) = receive_within(limits, role, rules, twice.chunks(step));
                    assert_eq!((events.len(), result), (2, Ok(())), "{what} by {step}");
                    assert!(events.iter().all(|event| *event == told), "{what} by {step}");
                }
                let unlawful = wire(role, &message(&beyond));
                let errors = [unlawful.len(), 7, 1].map(|step| {
                    let (events, result) =
                        receive_within(limits, role, rules, unlawful.chunks(step));
                    assert_eq!(events, [], "{what} by {step}");
                    result.expect_err("beyond the limit")
                });
                assert_eq!(errors, [errors[0]; 3], "{what}");
                assert_eq!(errors[0].violation(), broken, "{what}");
                let reason = errors[0].close_reason().expect("a limit is told");
                assert!(reason == broken.to_string() && reason.len() <= 123, "{what}");
            }
        }
    }
}

#[test]
fn control_frames() {
    for rules in RULES {
        for role in [Role::Client, Role::Server] {
            for opcode in [Opcode::Ping, Opcode::Pong] {
                // They have no other limit, however small that of messages is.
                let limits = Limits::default().with_max_message(0);
                let lawful = wire(role, &[(true, opcode, 125)]);
                let (events, result) = receive_within(limits, role, rules, [&lawful[..]]);
                assert_eq!((events.len(), result), (1, Ok(())), "{role:?} {opcode}");
                let unlawful = wire(role, &[(true, opcode, 126)]);
                let (events, result) = receive_within(limits, role, rules, [&unlawful[..]]);
                let broken = result.expect_err("too long").violation();
                assert_eq!((events.len(), broken), (0, Violation::ControlTooLong(opcode)));
            }
        }
    }
}

#[test]
fn close_reasons() {
    let close = |len| CloseFrame::new(CloseCode::NORMAL, "r".repeat(len));
    assert_eq!(close(CloseFrame::MAX_REASON).expect("it fits").reason().len(), 123);
    assert_eq!(close(124), Err(CloseFrameError::Reason { len: 124 }));
}
