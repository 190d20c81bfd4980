//! Frames beside tungstenite: where it reads them otherwise, and why we do not.

use std::io::{self, Read, Write};

use hybi_frame::{Limits, Role, Violation};
use tungstenite::protocol::{self, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};

use super::frames::{Case, Outcome, Said, Wire};
use super::{Difference, difference};

pub(super) const LISTED: &[Difference<Case>] = &[
    // It looks at a frame that is whole, at opcode and size once the header is. We refuse at the byte that breaks
    // the rule, so that nobody is waited for, nor read, whose stream is lost already.
    difference("a frame is judged once it is there", |case| {
        case.theirs.failed.is_none()
            && case.refused_there().is_some_and(|(violation, frame)| match violation {
                Violation::ReservedOpcode(_)
                | Violation::FrameTooLarge { .. }
                | Violation::LengthTopBit => !frame.has_header,
                _ => !frame.is_whole,
            })
    }),
    // Section 5.2: "the minimal number of bytes MUST be used to encode the length".
    difference("any form of a length is taken", |case| {
        case.refused().is_some_and(|(violation, frame)| match violation {
            Violation::LengthNotMinimal => true,
            // Of a control frame the longer forms say that it is too long.
            Violation::ControlTooLong(_) => frame.has_header && frame.length <= 125,
            _ => false,
        })
    }),
    // Section 5.2: "the most significant bit MUST be 0". It takes such a length for a very large one.
    difference("the top bit of a length is part of it", |case| {
        let refused = case.refused_there();
        refused.is_some_and(|(violation, _)| violation == Violation::LengthTopBit)
            && case.theirs.failed == Some(1009)
    }),
    // What is wrong before the length is said first here: it is known first.
    difference("size comes before all but the opcode", |case| {
        let refused = case.refused_there();
        refused.is_some_and(|(violation, frame)| {
            let earlier = matches!(
                violation,
                Violation::ReservedBits(_)
                    | Violation::FragmentedControl(_)
                    | Violation::ControlTooLong(_)
                    | Violation::NotMasked
                    | Violation::Masked
            );
            earlier && frame.has_header && frame.length > case.limits.max_frame()
        }) && case.theirs.failed == Some(1009)
    }),
    // Section 7.4 has codes that must not be sent. It answers and reports 1002 in their place, as if the peer had said
    // so; here the connection fails.
    difference("a close code that must not be sent is reported as 1002", |case| {
        let refused = case.refused();
        refused.is_some_and(|(violation, _)| matches!(violation, Violation::InvalidCloseCode(_)))
            && case.next_said() == (None, Some(&violation_of_protocol()))
    }),
    // The code stands in front of the reason.
    difference("a reason that is not UTF-8 comes before the code", |case| {
        let refused = case.refused_there();
        refused.is_some_and(|(violation, frame)| {
            matches!(violation, Violation::InvalidCloseCode(_)) && frame.has_bad_reason()
        }) && case.theirs.failed == Some(1007)
    }),
    // IANA registered it after the RFC: "Bad Gateway".
    difference("1014 is no close code", |case| {
        let (ours, theirs) = case.next_said();
        ours.and_then(Said::code) == Some(1014) && theirs == Some(&violation_of_protocol())
    }),
];

/// What it makes of a close code that it does not let through.
fn violation_of_protocol() -> Said {
    Said::close(1002, "Protocol violation")
}

pub(super) fn receive(role: Role, limits: Limits, wire: Wire<'_>) -> Outcome {
    let role = match role {
        Role::Server => protocol::Role::Server,
        Role::Client => protocol::Role::Client,
    };
    let config = WebSocketConfig::default()
        .max_frame_size(Some(limits.max_frame() as usize))
        .max_message_size(Some(limits.max_message()))
        // It zeroes this much for each read.
        .read_buffer_size(1024)
        .write_buffer_size(0);
    let mut socket = WebSocket::from_raw_socket(wire, role, Some(config));
    let mut outcome = Outcome::default();
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => outcome.said.push(Said::new(Said::TEXT, text.as_str())),
            Ok(Message::Binary(payload)) => outcome.said.push(Said::new(Said::BINARY, payload)),
            Ok(Message::Ping(payload)) => outcome.said.push(Said::new(Said::PING, payload)),
            Ok(Message::Pong(payload)) => outcome.said.push(Said::new(Said::PONG, payload)),
            Ok(Message::Close(close)) => {
                outcome.said.push(match close {
                    Some(close) => Said::close(close.code.into(), &close.reason),
                    None => Said::new(Said::CLOSE, []),
                });
                return outcome;
            }
            Ok(Message::Frame(frame)) => panic!("never told: {frame}"),
            Err(Error::Protocol(
                tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            )) => {
                return outcome;
            }
            Err(error) => {
                outcome.failed = Some(match error {
                    Error::Protocol(_) => 1002,
                    Error::Utf8(_) => 1007,
                    Error::Capacity(_) => 1009,
                    error => panic!("nothing of the frames: {error}"),
                });
                return outcome;
            }
        }
    }
}

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.next(buffer.len());
        buffer[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
