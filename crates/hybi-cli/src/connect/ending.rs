//! Ending: what an end of the connection that was not wished for is called, and its exit code.

use core::time::Duration;
use std::io;

use hybi::{CloseCode, CloseStatus, Endpoint, Error, frame::Violation, mux::Ended};
use tokio::time::Instant;

use crate::exit::{Failure, Status};

/// An error after the opening handshake.
pub(crate) fn connection_failure(error: &Error) -> Failure {
    match error {
        Error::Protocol(rule) => {
            let place = match rule.violation() {
                Violation::Extension(extension) => extension.document.replace(" section ", " §"),
                Violation::Draft(draft) => draft.document.replace(" section ", " §"),
                _ => format!("RFC 6455 §{}", rule.section()),
            };
            let failure = match limit(rule.violation()) {
                // The server may send what it likes; how much of it is taken is for us to say.
                Some(option) => Failure::new(Status::Expectation, "above our limit", rule)
                    .hint(format!("{option} raises the limit")),
                None => Failure::new(Status::Protocol, "the server broke the protocol", rule),
            };
            failure.rule(place, Some(rule.offset()))
        }
        Error::Timeout(_) => Failure::new(Status::TimedOut, "connection lost", error),
        Error::Transport(cause) if is_of_multiplexing(cause) => {
            Failure::new(Status::Protocol, "the server broke the protocol", cause)
        }
        Error::Lost | Error::Transport(_) => {
            Failure::new(Status::PeerClosed, "connection lost", error)
        }
        _ => Failure::new(Status::Internal, "connection failed", error),
    }
}

/// Whether a channel was ended here for what the server did to it, or to all of them.
fn is_of_multiplexing(cause: &io::Error) -> bool {
    let ended = cause.get_ref().and_then(|cause| cause.downcast_ref());
    matches!(ended, Some(Ended::Dropped { .. } | Ended::PhysicalFailed { .. }))
}

/// The option that sets what was exceeded, if this is a limit of ours and no rule of the protocol.
fn limit(violation: Violation) -> Option<&'static str> {
    match violation {
        // A frame may be as large as a message.
        Violation::MessageTooLarge { .. } | Violation::FrameTooLarge { .. } => {
            Some("--max-message SIZE")
        }
        Violation::TooManyFragments { .. } => Some("--max-fragments N"),
        _ => None,
    }
}

/// Whether the connection broke: another one may not. What the server broke of the protocol, it would break again.
pub(crate) fn is_loss(error: &Error) -> bool {
    match error {
        Error::Transport(cause) => !is_of_multiplexing(cause),
        Error::Lost | Error::Timeout(_) => true,
        _ => false,
    }
}

/// What an end that the server began is called, if more may be expected of it: neither what it has to say is said (1000, or no
/// code), nor did we end it.
pub(crate) fn unwanted(status: &CloseStatus) -> Option<Failure> {
    let by_peer = status.began_by() == Some(Endpoint::Peer);
    match status.code() {
        CloseCode::GOING_AWAY if by_peer => {
            let why = match status.reason() {
                "" => "1001".to_owned(),
                reason => format!("1001 {reason}"),
            };
            Some(Failure::new(Status::PeerClosed, "the server went away", why))
        }
        _ => closing_failure(status, None, Duration::ZERO),
    }
}

/// An end without an error that still was not in order: the server closed with a code that means
/// trouble, or left our Close frame, sent at `close_sent`, without an answer.
pub(crate) fn closing_failure(
    status: &CloseStatus,
    close_sent: Option<Instant>,
    close_timeout: Duration,
) -> Option<Failure> {
    let code = status.code().as_u16();
    if status.began_by() == Some(Endpoint::Peer) && !matches!(code, 1000 | 1001 | 1005) {
        let why = match status.reason() {
            "" => code.to_string(),
            reason => format!("{code} {reason}"),
        };
        return Some(Failure::new(Status::PeerClosed, "the server closed the connection", why));
    }
    let sent = close_sent.filter(|_| !status.is_clean())?;
    let late = sent.elapsed() >= close_timeout;
    Some(Failure::new(
        if late { Status::TimedOut } else { Status::PeerClosed },
        "closing handshake failed",
        "the server did not answer the Close frame",
    ))
}
