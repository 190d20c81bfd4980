//! Frames beside fastwebsockets: where it reads them otherwise, and why we do not.

use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::io;

use fastwebsockets::{FragmentCollector, OpCode, WebSocket, WebSocketError};
use hybi_frame::{Limits, Opcode, Role, Violation};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::{Case, Outcome, Said, Wire};
use super::{Difference, difference};

pub(super) const LISTED: &[Difference<Case>] = &[
    // It looks at a payload that is whole, at a header that is, at the first byte with the second. We refuse at the
    // byte that breaks the rule.
    difference("a frame is judged once it is there", |case| {
        case.theirs.failed.is_none()
            && case.refused_there().is_some_and(|(violation, frame)| match violation {
                Violation::ReservedBits(_) | Violation::ReservedOpcode(_) => !frame.is_begun,
                Violation::FragmentedControl(_)
                | Violation::ControlTooLong(_)
                | Violation::FrameTooLarge { .. }
                | Violation::LengthTopBit => !frame.has_header,
                _ => !frame.is_whole,
            })
    }),
    // Section 5.1: a server closes the connection on a frame that is not masked.
    difference("a client need not mask", |case| {
        let refused = case.refused();
        refused.is_some_and(|(violation, frame)| {
            violation == Violation::NotMasked && case.role == Role::Server && !frame.masked
        })
    }),
    // Section 5.1: a client closes the connection on one that is. It does not even unmask it.
    difference("a server may mask", |case| {
        let refused = case.refused();
        refused.is_some_and(|(violation, frame)| {
            violation == Violation::Masked && case.role == Role::Client && frame.masked
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
    // Section 5.5 bounds all control frames.
    difference("only a Ping is bounded by 125 bytes", |case| {
        let refused = case.refused();
        refused.is_some_and(|(violation, frame)| {
            matches!(violation, Violation::ControlTooLong(Opcode::Pong | Opcode::Close))
                && frame.length > 125
        })
    }),
    // Its limit is one on frames, so that messages may grow for ever.
    difference("no limit on a message of several frames", |case| {
        let refused = case.refused();
        refused.is_some_and(|(violation, frame)| {
            matches!(violation, Violation::MessageTooLarge { .. })
                && frame.length <= case.limits.max_frame()
        })
    }),
    // Section 5.4: fragments of one message come one after the other. It drops the message that was begun.
    difference("a fragment may begin a message inside another", |case| {
        let refused = case.refused();
        refused.is_some_and(|(violation, frame)| {
            matches!(violation, Violation::ExpectedContinuation(_)) && !frame.fin
        })
    }),
    // It is known before its payload that it has no place.
    difference("UTF-8 comes before the order of frames", |case| {
        let refused = case.refused_there();
        refused.is_some_and(|(violation, frame)| {
            violation == Violation::ExpectedContinuation(Opcode::Text)
                && frame.fin
                && frame.is_whole
                && core::str::from_utf8(&frame.payload).is_err()
        }) && case.theirs.failed == Some(1007)
    }),
    // Section 8.1: the whole message is UTF-8, and it drops what is not.
    difference("a text may end inside a character", |case| {
        let refused = case.refused();
        refused.is_some_and(|(violation, frame)| {
            violation == Violation::InvalidUtf8 && frame.fin && frame.is_whole
        }) && case.next_said().1.is_some_and(|said| said.opcode == Said::TEXT)
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
        ours.and_then(Said::code) == Some(1014)
            && theirs.is_none()
            && case.theirs.failed == Some(1002)
    }),
];

pub(super) fn receive(role: Role, limits: Limits, wire: Wire<'_>) -> Outcome {
    let role = match role {
        Role::Server => fastwebsockets::Role::Server,
        Role::Client => fastwebsockets::Role::Client,
    };
    let mut socket = WebSocket::after_handshake(wire, role);
    // Its limit is the first size that is too large.
    socket.set_max_message_size(limits.max_frame() as usize + 1);
    // A Ping that it answers is not told.
    socket.set_auto_pong(false);
    let mut socket = FragmentCollector::new(socket);
    let mut outcome = Outcome::default();
    loop {
        let read = pin!(socket.read_frame()).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(read) = read else { panic!("this wire never keeps anyone waiting") };
        match read {
            Ok(frame) => {
                let opcode = match frame.opcode {
                    OpCode::Text => Said::TEXT,
                    OpCode::Binary => Said::BINARY,
                    OpCode::Close => Said::CLOSE,
                    OpCode::Ping => Said::PING,
                    OpCode::Pong => Said::PONG,
                    OpCode::Continuation => panic!("told alone"),
                };
                outcome.said.push(Said::new(opcode, &frame.payload[..]));
                if opcode == Said::CLOSE {
                    return outcome;
                }
            }
            Err(WebSocketError::UnexpectedEOF) => return outcome,
            Err(error) => {
                outcome.failed = Some(match error {
                    WebSocketError::InvalidUTF8 => 1007,
                    WebSocketError::FrameTooLarge => 1009,
                    WebSocketError::InvalidFragment
                    | WebSocketError::InvalidContinuationFrame
                    | WebSocketError::InvalidCloseFrame
                    | WebSocketError::InvalidCloseCode
                    | WebSocketError::ReservedBitsNotZero
                    | WebSocketError::ControlFrameFragmented
                    | WebSocketError::PingFrameTooLarge
                    | WebSocketError::InvalidValue => 1002,
                    error => panic!("nothing of the frames: {error}"),
                });
                return outcome;
            }
        }
    }
}

impl AsyncRead for Wire<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let bytes = self.next(buffer.remaining());
        buffer.put_slice(bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
